use std::collections::BTreeMap;

use super::Place;

#[test]
fn scenarios_are_listed_and_printed_as_files_that_can_be_trained_on() {
    let place = Place::new();
    let list = place.run(&["scenarios"]).ends_with(0).out;
    assert!(list.contains("crash_day") && list.contains("calm"), "{list}");
    assert_eq!(place.run(&["scenarios", "list"]).ends_with(0).out, list);
    let text = place.run(&["scenarios", "show", "calm", "--config", "smoke"]).ends_with(0).out;
    place.write("quiet.toml", &text.replace("id = \"calm\"", "id = \"quiet\""));
    let arguments = ["replay", "--config", "smoke", "--scenario", "quiet.toml", "--rows", "3", "--policy", "constant"];
    let played = place.run(&arguments).ends_with(0).out;
    assert!(played.starts_with("quiet under constant on seawall, episode 0\n"), "{played}");
}

#[test]
fn scenario_files_are_checked_together_and_everything_wrong_is_named() {
    let place = Place::new();
    let dark = "title = 'Dark.'\n[[oracle.outages]]\nstart_fraction = [0.5, 0.5]\nseconds = [60.0, 60.0]\n";
    place.write("dark.toml", dark);
    let checked = place.run(&["scenarios", "check", "dark.toml"]).ends_with(0).out;
    assert_eq!(checked, "dark is a scenario: Dark.\n");
    place.write("late.toml", &dark.replace("[0.5, 0.5]", "[0.5, 1.5]"));
    place.write("broken.toml", "moon = 1\n[venue.breaker]\nband = 0.0\n[[keepers.dropouts]]\nstart_fraction = [0.0, 0.0]\nseconds = [1.0, 1.0]\nshare = [0.0, 2.0]\n");
    let refused = place.run(&["scenarios", "check", "late.toml", "dark.toml", "broken.toml"]).ends_with(2);
    assert_eq!(refused.out, checked);
    for problem in [
        "oracle.outages[0].start_fraction = [0.5, 1.5] (late.toml): must be an ordered range within [0, 1]",
        "moon = 1 (broken.toml)",
        "venue.breaker.band = 0 (broken.toml): must be in [0.0001, 0.9]",
        "keepers.dropouts[0].share = [0, 2] (broken.toml): must be an ordered range within [0, 1]",
    ] {
        assert!(refused.err.contains(problem), "{problem} is missing from: {}", refused.err);
    }
}

#[test]
fn presets_are_listed_printed_and_checked() {
    let place = Place::new();
    let list = place.run(&["presets", "list"]).ends_with(0).out;
    assert!(["dydx_v4", "percolator_ak", "seawall"].iter().all(|name| list.contains(name)), "{list}");
    let text = place.run(&["presets", "show", "vega"]).ends_with(0).out;
    place.write("own.toml", &text.replace("name = \"vega\"", "name = \"own\""));
    let checked = place.run(&["presets", "check", "own.toml"]).ends_with(0).out;
    assert!(checked.starts_with("own is a preset: "), "{checked}");
    place.write("own.toml", &text.replace("below = 1.0", "below = 2.0").replace("fraction = 0.1", "fraction = 0.0"));
    let refused = place.run(&["presets", "check", "own.toml"]).ends_with(2).err;
    for field in ["pipeline.backstop.take_over.below = 2", "pipeline.backstop.take_over.unwind.disposal.fraction = 0"] {
        assert!(refused.contains(field), "{field} is missing from: {refused}");
    }
    place.run(&["presets", "show", "mtgox"]).ends_with(2);
}

#[test]
fn one_episode_is_printed_and_written_decision_by_decision() {
    let place = Place::new();
    let arguments = [
        "--quiet",
        "replay",
        "--config",
        "smoke",
        "--scenario",
        "flash_crash",
        "--policy",
        "gen2",
        "--episode",
        "3",
        "--rows",
        "4",
        "--csv",
        "episode.csv",
        "--parquet",
        "episode.parquet",
    ];
    let ran = place.run(&arguments).ends_with(0);
    assert_eq!(ran.err, "");
    assert!(ran.out.starts_with("flash_crash under gen2 on partial_sliced, episode 3\n"), "{}", ran.out);
    let csv = place.read("episode.csv");
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(csv.lines().count(), 1 + 12, "one line for each decision");
    for column in ["decision", "mark", "open_interest_usd", "term_bad_debt", "capacity", "reward"] {
        assert!(header.contains(&column), "{column}: {header:?}");
    }
    let last: Vec<&str> = csv.lines().last().unwrap().split(',').collect();
    assert_eq!((last[0], last[1]), ("12", "120"), "12 decisions of 10 ticks of a second");
    assert!(place.bytes("episode.parquet").starts_with(b"PAR1"));
    let again = place.run(&arguments).ends_with(0);
    assert_eq!(again.out, ran.out, "an episode is a function of its seed");
}

#[test]
fn a_benchmark_prints_one_object_with_stable_keys() {
    let place = Place::new();
    let ran = place.run(&["bench", "infer", "book", "--json", "--seconds", "0.02", "--quiet"]).ends_with(0);
    let object: BTreeMap<String, f64> = serde_json::from_str(&ran.out).unwrap();
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "book.deep.messages_per_s",
            "book.depth.large_takes_per_s",
            "book.depth.refreshes_per_s",
            "book.depth.small_takes_per_s",
            "book.shallow.messages_per_s",
            "infer.file_bytes",
            "infer.p50_us",
            "infer.p99_us"
        ]
    );
    assert!(object.values().all(|value| *value > 0.0), "{object:?}");
    assert!(object["infer.p50_us"] <= object["infer.p99_us"], "{object:?}");
}

#[test]
fn a_probe_compares_constants_on_common_seeds() {
    let place = Place::new();
    let arguments = [
        "--quiet",
        "probe",
        "--config",
        "smoke",
        "--only",
        "capacity",
        "delay",
        "--levels",
        "3",
        "--episodes",
        "4",
        "--out",
        "probe",
    ];
    let ran = place.run(&arguments);
    // With two seconds of market there may be nothing to learn; both answers are answers.
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
    assert!(ran.out.contains("adaptivity headroom: "), "{}", ran.out);
    for name in ["neutral", "capacity = ", "delay = "] {
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
    }
    let csv = place.read("probe/probe.csv");
    // Neutral and two parameters at three values, two scenarios, four seeds.
    assert_eq!(csv.lines().count(), 1 + 7 * 2 * 4);
    let row = |constant: &str, scenario: &str| {
        let find = |line: &&str| line.starts_with(&format!("\"{constant}\",{scenario},"));
        csv.lines().filter(find).map(|line| line.split(',').nth(2).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(row("neutral", "calm"), row("delay = 0.00", "calm"), "everybody meets the same seeds");
}

#[test]
fn baselines_are_judged_without_a_policy_and_a_missed_gate_is_exit_code_one() {
    let place = Place::new();
    let gate = "evaluation.gates=[{ metric = \"return\", at_least = 1e9 }]";
    let arguments = ["--quiet", "eval", "--config", "smoke", "--out", "judged"];
    let ran = place.run(&arguments).ends_with(0);
    for name in ["gen1", "gen2", "gen3", "constant", "random"] {
        assert!(ran.out.contains(name), "{name}: {}", ran.out);
    }
    assert_eq!(
        super::files(place.path("judged")),
        [
            "episodes.csv",
            "episodes.parquet",
            "manifest.json",
            "metrics_summary.csv",
            "openings.json",
            "report.json",
            "report.md",
            "report.tex",
            "resolved.toml",
            "tails.csv"
        ]
    );
    let failed = place.run(&["--quiet", "eval", "--config", "smoke", "--set", gate]).ends_with(1);
    assert!(failed.out.contains("gate FAILED: return"), "{}", failed.out);
}
