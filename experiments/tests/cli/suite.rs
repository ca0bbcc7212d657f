//! Suites as files, looks at a report set, and progress for machines.

use serde_json::Value;

use super::Place;

const SUITE: &str = "name = \"mine\"\nroot = 5\n[train]\nscenarios = [\"calm\"]\n[select]\nscenarios = [\"tense\"]\nseeds = 1\n\
                     [report]\nscenarios = [\"crash_day\"]\nseeds = 2\ngates = [{ metric = \"return\", at_least = 1e9 }]\n";

fn openings(place: &Place, run: &str) -> Vec<Value> {
    serde_json::from_str(&place.read(&format!("{run}/openings.json"))).unwrap()
}

#[test]
fn a_suite_decides_what_is_trained_on_chosen_by_and_reported() {
    let place = Place::new();
    place.write("mine.toml", SUITE);
    // Trained, chosen and written whole, although the suite's gate is missed.
    let ran = place.run(&["train", "--config", "smoke", "--suite", "mine.toml", "--out", "run"]).ends_with(1);
    assert!(ran.out.contains("gate FAILED: return ≥ 1000000000"), "{}", ran.out);
    let report: Value = serde_json::from_str(&place.read("run/report.json")).unwrap();
    assert_eq!((&report["scenarios"][0], &report["seeds"]), (&"crash_day".into(), &2.into()));
    let score: Value = serde_json::from_str(&place.read("run/export/score.json")).unwrap();
    assert_eq!((&score["scenarios"][0], &score["seeds"]), (&"tense".into(), &1.into()));
    assert!(place.read("run/resolved.toml").contains("suite = \"mine\""));
    let first = openings(&place, "run");
    assert_eq!((first.len(), &first[0]["suite"]), (1, &report["hash"]));

    // The same policy again is no other look; another one is, and its report says so.
    place.run(&["--quiet", "eval", "run"]).ends_with(1);
    assert_eq!(openings(&place, "run"), first);
    let other = ["--quiet", "train", "--config", "smoke", "--suite", "mine.toml", "--seed", "8", "--out", "other"];
    place.run(&other).ends_with(1);
    let ran = place.run(&["--quiet", "eval", "run", "other", "--out", "both"]).ends_with(1);
    assert!(ran.out.contains("run: This report set has been opened 2 times"), "{}", ran.out);
    assert!(place.read("both/report.md").contains("- run: This report set has been opened 2 times"));
    assert_eq!((openings(&place, "run").len(), openings(&place, "both").len()), (2, 1));
    place.run(&["--quiet", "report", "both", "--without-episodes", "--out", "page.html"]).ends_with(0);
    assert!(place.read("page.html").contains("This report set has been opened 2 times"));
}

#[test]
fn sets_that_share_a_scenario_are_refused_before_anything_is_written() {
    let place = Place::new();
    place.write("mine.toml", &SUITE.replace("crash_day", "calm"));
    let ran = place.run(&["train", "--config", "smoke", "--suite", "mine.toml", "--out", "run"]).ends_with(2);
    assert!(ran.err.contains("report.scenarios[0] = \"calm\" (mine.toml): must be a scenario that is not in train"));
    assert!(!place.path("run").exists());
    let ran = place.run(&["eval", "--suite", "nowhere.toml"]).ends_with(2);
    assert!(ran.err.contains("reading the suite nowhere.toml"), "{}", ran.err);
}

#[test]
fn machines_read_every_line_beside_the_results_as_an_object() {
    let place = Place::new();
    let ran = place.run(&["--json", "train", "--config", "smoke", "--out", "run"]).ends_with(0);
    let events: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for task in ["training", "judging"] {
        let last = events.iter().rfind(|event| event["task"] == task).unwrap_or_else(|| panic!("{task}: {events:?}"));
        assert_eq!(last["done"], last["total"], "{last}");
    }
    assert!(events.iter().any(|event| event["event"] == "remark" && event["text"] == "run folder: run"));
    let refused = place.run(&["--json", "train", "--set", "run.seeds=0"]).ends_with(2);
    let error: Value = serde_json::from_str(refused.err.trim_end()).unwrap();
    assert!(error["text"].as_str().unwrap().contains("run.seeds = 0"), "{error}");
}

#[test]
fn the_shield_says_how_often_it_acted_wherever_a_report_is_read() {
    let place = Place::new();
    place.run(&["--quiet", "train", "--config", "smoke", "--out", "run"]).ends_with(0);
    let ran = place.run(&["--quiet", "eval", "run", "--shield", "--out", "judged"]).ends_with(0);
    assert!(ran.out.contains("smoke+shield: the shield changed "), "{}", ran.out);
    let report: Value = serde_json::from_str(&place.read("judged/report.json")).unwrap();
    let rows = report["sections"][0]["rows"].as_array().unwrap();
    let rate = rows.iter().find(|row| row["metric"]["name"] == "shield_rate").unwrap();
    let of = |arm: &str| {
        let all = rate["summaries"].as_array().unwrap();
        all.iter().find(|summary| summary["arm"] == arm).unwrap()["mean"]["value"].as_f64()
    };
    assert!(of("smoke+shield").is_some_and(|rate| (0.0..=100.0).contains(&rate)), "{rate}");
    assert_eq!(of("smoke"), None, "nobody overrules it");
    assert!(place.read("judged/report.md").contains("shield_rate"));
    assert!(place.read("judged/episodes.csv").lines().next().unwrap().contains(",shield_rate,"));
    place.run(&["--quiet", "report", "judged", "--without-episodes", "--out", "page.html"]).ends_with(0);
    assert!(place.read("page.html").contains(", shield acts in "));
}
