//! A predictor from its training to a policy that observes it, and to what an engine embeds.

use std::fs;

use super::{Place, files};

/// The smallest predictor of the smoke task: bars of two seconds, so that its two minutes hold the longest horizon.
const PREDICT: [&str; 12] =
    ["--quiet", "predict", "--task", "--config", "smoke", "--bar", "2", "--quick", "--episodes", "2", "--out", "p"];

fn predicted() -> Place {
    let place = Place::new();
    let ran = place.run(&PREDICT).ends_with(0);
    assert!(ran.out.contains("--set observation.predictor=p/predictor.bin"), "{}", ran.out);
    place
}

const USE: &str = "observation.predictor=\"p/predictor.bin\"";

#[test]
fn a_policy_is_trained_on_forecasts_resumed_exported_and_verified_with_its_predictor_beside_it() {
    let place = predicted();
    for name in ["predictor.bin", "predictor.vectors", "predictor.json", "calibration-96s.svg", "predict.md"] {
        assert!(place.path("p").join(name).is_file(), "{name} of {:?}", files(place.path("p")));
    }
    let train = ["--quiet", "train", "--config", "smoke", "--set", USE, "--out", "run"];
    let ran = place.run(&train).ends_with(0);
    assert!(ran.out.contains("; the predictor's replay over 400 bars"), "{}", ran.out);
    let names: Vec<String> = files(place.path("run/export"));
    for name in ["predictor.bin", "predictor.vectors", "policy.bin", "policy.json", "resolved.toml", "score.json"] {
        assert!(names.iter().any(|found| found == name), "{name} of {names:?}");
    }
    let policy: serde_json::Value = serde_json::from_str(&place.read("run/export/policy.json")).unwrap();
    let features = policy["observation"]["features"].as_array().unwrap();
    assert_eq!((policy["version"].as_u64(), features.len()), (Some(4), 60 + 11));
    assert_eq!(features[60]["name"], "predicted_volatility_short");
    assert_eq!(policy["predictor"]["bar_seconds"], 2.0);
    let resolved = place.read("run/resolved.toml");
    assert!(resolved.contains("predictor = \"predictor.bin\""), "{resolved}");
    let digest = policy["predictor"]["file"]["sha256"].as_str().unwrap();
    assert!(resolved.contains(&format!("predictor_sha256 = \"{digest}\"")), "{resolved}");

    // The run needs the first file no more: it is resumed, verified, exported again and judged where it stands, moved elsewhere.
    fs::rename(place.path("p"), place.path("gone")).unwrap();
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::rename(place.path("run"), place.path("elsewhere/run")).unwrap();
    let resumed = place.run(&["--quiet", "train", "--resume", "elsewhere/run"]).ends_with(0);
    assert!(resumed.out.contains("score as they did when the file was written"), "{}", resumed.out);
    place.run(&["--quiet", "export", "elsewhere/run", "--out", "again"]).ends_with(0);
    for name in ["policy.bin", "policy.vectors", "predictor.bin", "predictor.vectors", "resolved.toml"] {
        assert_eq!(
            place.bytes(&format!("again/{name}")),
            place.bytes(&format!("elsewhere/run/export/{name}")),
            "{name}"
        );
    }
    place.run(&["--quiet", "verify", "again"]).ends_with(0);
    place.run(&["--quiet", "eval", "elsewhere/run", "--out", "judged"]).ends_with(0);
    assert_eq!(place.bytes("judged/predictor.bin"), place.bytes("gone/predictor.bin"));

    // Damage is found.
    let mut bytes = place.bytes("again/predictor.bin");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.path("again/predictor.bin"), &bytes).unwrap();
    let ran = place.run(&["--quiet", "verify", "again", "--vectors-only"]).ends_with(1);
    assert!(ran.out.contains("verify: FAILED: not a predictor: the checksum is"), "{}", ran.out);
    fs::write(place.path("elsewhere/run/predictor.bin"), &bytes).unwrap();
    let ran = place.run(&["--quiet", "train", "--resume", "elsewhere/run"]).ends_with(2);
    assert!(ran.err.contains("predictor.bin"), "{}", ran.err);
}

#[test]
fn another_predictor_is_refused_and_so_is_none() {
    let place = predicted();
    place.run(&["--quiet", "train", "--config", "smoke", "--set", USE, "--out", "run"]).ends_with(0);
    let other: Vec<&str> = PREDICT.iter().map(|part| if *part == "p" { "q" } else { *part }).collect();
    place.run(&[other.as_slice(), &["--seed", "9"]].concat()).ends_with(0);
    assert_ne!(place.bytes("q/predictor.bin"), place.bytes("p/predictor.bin"));
    // Under the run's own settings: not the file that they were made with.
    let set = "observation.predictor=\"q/predictor.bin\"";
    let ran = place.run(&["eval", "run", "--set", set]).ends_with(2);
    assert!(ran.err.contains("q/predictor.bin has SHA-256"), "{}", ran.err);
    // Under others: features of the same names, and forecasts of another.
    let ran = place.run(&["eval", "run", "--config", "smoke", "--set", set]).ends_with(2);
    assert!(ran.err.contains("was trained on forecasts of the predictor"), "{}", ran.err);
    let ran = place.run(&["eval", "run", "--config", "smoke"]).ends_with(2);
    assert!(ran.err.contains("observation.predictor is none"), "{}", ran.err);
    // Bars that no tick makes, a file that is none, a group that is not observed, one digest too many.
    let scenario = "market.clock.tick_seconds=7.0";
    let ran = place.run(&["train", "--config", "smoke", "--set", USE, "--set", scenario, "--out", "x"]).ends_with(2);
    assert!(ran.err.contains("a predictor over whole ticks of 7 s"), "{}", ran.err);
    place.write("text.bin", "no predictor");
    let set = "observation.predictor=text.bin";
    let ran = place.run(&["train", "--config", "smoke", "--set", set, "--out", "x"]).ends_with(2);
    assert!(ran.err.contains("not a predictor"), "{}", ran.err);
    let set = "observation.off=[\"predictor\"]";
    let ran = place.run(&["train", "--config", "smoke", "--set", set, "--out", "x"]).ends_with(2);
    assert!(ran.err.contains("observation.off[0]"), "{}", ran.err);
    let ran = place.run(&["train", "--config", "smoke", "--set", "observation.predictor_sha256=\"0\"", "--out", "x"]);
    assert!(ran.ends_with(2).err.contains("observation.predictor_sha256"));
    assert!(!place.path("x").exists());
}

#[test]
fn a_schedule_reads_forecasts_and_a_study_shuffles_them() {
    let place = predicted();
    let schedule =
        "tune.schedule={ fast = [\"ruin_long_100x\", \"depth_100bp\"], slow = [\"predicted_volatility_long\"] }";
    let unknown = place.run(&["tune", "schedule", "--config", "smoke", "--set", schedule, "--out", "t"]).ends_with(2);
    assert!(unknown.err.contains("tune.schedule.fast[0] = \"ruin_long_100x\""), "{}", unknown.err);
    let tune = ["--quiet", "tune", "schedule", "--config", "smoke", "--set", USE, "--set", schedule, "--out", "t"];
    place.run(&tune).ends_with(0);
    place.run(&["--quiet", "verify", "t/export", "--vectors-only"]).ends_with(0);
    assert!(place.read("t/export/policy.json").contains("ruin_long_100x"));

    place.write(
        "study.toml",
        "name = 'tiny'
question = 'q'
hypothesis = 'h'
design = 'one_factor'
config = 'smoke'
decisions = 32
training_seeds = [7]
[[arms]]
name = 'predictor'
set = { 'observation.predictor' = 'p/predictor.bin' }
[[arms]]
name = 'shuffled'
set = { 'observation.predictor' = 'p/predictor.bin', 'observation.shuffled' = ['predictor'], 'observation.recordings' = 1 }
against = 'predictor'
",
    );
    let ran = place.run(&["ablate", "study.toml", "--out", "study", "--threads", "2"]).ends_with(0);
    assert!(ran.out.contains("shuffled − predictor"), "{}", ran.out);
    let policies = ["base", "predictor", "shuffled"].map(|arm| {
        let path = format!("study/runs/{arm}-seed7/seed-7/export/policy.bin");
        place.bytes(&path)
    });
    assert!(policies[0].len() < policies[1].len() && policies[1] != policies[2]);
    assert!(place.path("study/runs/predictor-seed7/predictor.bin").is_file());
    // The shipped study looks for the file where `seawall predict` leaves it.
    let ran = place.run(&["ablate", "predictor", "--out", "shipped", "--seeds", "1", "--decisions", "64"]).ends_with(2);
    assert!(ran.err.contains("runs/predict/predictor.bin"), "{}", ran.err);
}
