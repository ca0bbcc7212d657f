use super::{Place, files};

/// A plan that takes no time.
const SHORT: [&str; 16] = [
    "--seeds",
    "2",
    "--horizon",
    "12",
    "--replan",
    "6",
    "--population",
    "4",
    "--elites",
    "2",
    "--iterations",
    "1",
    "--scenarios",
    "1",
    "--blocks",
    "2",
];

#[test]
fn a_plan_is_judged_beside_the_baselines_and_a_policy_is_told_its_share() {
    let place = Place::new();
    place.run(&["tune", "--config", "smoke", "constant", "--steps", "400", "--out", "tuned"]).ends_with(0);
    let plan = |out: &str, threads: &str| {
        place.run(&[&["plan", "tuned", "--out", out, "--threads", threads], &SHORT[..]].concat()).ends_with(0).out
    };
    let said = plan("one", "1");
    for name in ["planner", "constant", "gen1", "gen2", "gen3", "constant-tuned goes "] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert_eq!(
        files(place.path("one")),
        [
            "episodes.csv",
            "episodes.parquet",
            "manifest.json",
            "metrics_summary.csv",
            "openings.json",
            "plan.json",
            "report.json",
            "report.md",
            "report.tex",
            "resolved.toml",
            "tails.csv",
        ]
    );
    let planned: serde_json::Value = serde_json::from_str(&place.read("one/plan.json")).unwrap();
    assert_eq!((planned["plan"]["horizon"].as_u64(), planned["plan"]["replan"].as_u64()), (Some(12), Some(6)));
    assert_eq!(planned["gap_closed"][0]["policy"], "constant-tuned");
    let openings = place.read("tuned/openings.json");
    assert!(openings.contains("constant-tuned"), "the run tells of the look: {openings}");
    plan("two", "2");
    assert_eq!(place.read("tuned/openings.json"), openings, "a repetition is no further look");
    for name in ["episodes.csv", "report.json", "plan.json"] {
        assert_eq!(place.read(&format!("one/{name}")), place.read(&format!("two/{name}")), "{name}");
    }
}

#[test]
fn a_plan_that_cannot_be_made_is_refused_with_everything_wrong_and_nothing_written() {
    let place = Place::new();
    let more = ["--config", "smoke", "--replan", "700", "--elites", "9", "--out", "x"];
    let refused = place.run(&[&["plan"], &more[..]].concat()).ends_with(2).err;
    for field in ["plan.replan = 700", "plan.elites = 9"] {
        assert!(refused.contains(field), "{refused}");
    }
    assert!(!place.path("x").exists());
}
