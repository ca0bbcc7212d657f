use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use super::{Place, files};

/// A study that trains long enough to be interrupted.
const LONG: &str = "
name = 'long'
question = 'q'
hypothesis = 'h'
design = 'one_factor'
config = 'smoke'
decisions = 4000
training_seeds = [7]

[base.ppo]
horizon = 16

[[arms]]
name = 'no_bonus'
set = { 'action.fixed.keeper_bonus' = 0.0 }
";

/// What a study leaves that must not depend on threads, interruptions or time.
fn results(place: &Place, study: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = vec!["ablation.csv".to_owned(), "forest.svg".to_owned(), "episodes.csv".to_owned()];
    found.extend(files(place.path(&format!("{study}/runs"))).iter().map(|run| format!("runs/{run}/result.json")));
    found.into_iter().map(|name| (name.clone(), place.bytes(&format!("{study}/{name}")))).collect()
}

/// Waits until a run has a checkpoint, and sends a signal.
fn signal(place: &Place, child: &mut Child, checkpoint: &str, signal: &str) -> Option<i32> {
    let checkpoint = place.path(checkpoint);
    while !checkpoint.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "it was over before it could be interrupted");
    child.wait().unwrap().code()
}

#[test]
fn a_study_goes_from_its_file_to_its_forest_whatever_the_threads() {
    let place = Place::new();
    let one = place.run(&["ablate", "smoke", "--out", "one", "--threads", "1"]).ends_with(0);
    for part in ["blind", "gen3_shield − gen3", "table: one/ablation.md", "forest: one/forest.svg"] {
        assert!(one.out.contains(part), "{part}: {}", one.out);
    }
    place.run(&["--quiet", "ablate", "smoke", "--out", "two", "--threads", "2"]).ends_with(0);
    place.run(&["--quiet", "ablate", "smoke", "--out", "many", "--threads", "16"]).ends_with(0);
    let expected = results(&place, "one");
    // Three trained arms with two seeds each, and two rules.
    assert_eq!(expected.len(), 3 + 3 * 2 + 2);
    assert_eq!(results(&place, "two"), expected);
    assert_eq!(results(&place, "many"), expected);
    let table = place.read("one/ablation.md");
    for part in ["before the first trial", "judges gen3", "2 training seeds for each trained arm, 64 decisions each"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let found: serde_json::Value = serde_json::from_str(&place.read("one/ablation.json")).unwrap();
    let registered: serde_json::Value = serde_json::from_str(&place.read("one/registration.json")).unwrap();
    assert_eq!(found["registration"], registered["sha256"]);
    assert_eq!(found["effects"][0]["effects"].as_array().unwrap().len(), 4);

    // A trial's folder is a run's, and the study's is one that can be reported on.
    place.run(&["--quiet", "export", "one/runs/base-seed7", "--out", "export"]).ends_with(0);
    assert_eq!(place.bytes("export/policy.bin"), place.bytes("one/runs/base-seed7/seed-7/export/policy.bin"));
    place.run(&["--quiet", "report", "one"]).ends_with(0);
    let page = place.read("one/report.html");
    assert!(page.contains("id=\"ablation\"") && page.contains("smoke: Does a study run"), "the page shows the forest");
}

#[test]
fn what_is_complete_is_not_run_again_and_what_is_missing_is() {
    let place = Place::new();
    place.run(&["--quiet", "ablate", "smoke", "--out", "study"]).ends_with(0);
    let expected = results(&place, "study");
    let written = |name: &str| fs::metadata(place.path(name)).unwrap().modified().unwrap();
    let before = written("study/runs/gen3/result.json");
    fs::remove_dir_all(place.path("study/runs/blind-seed8")).unwrap();
    let again = place.run(&["ablate", "smoke", "--out", "study"]).ends_with(0);
    assert!(again.err.contains("8 trials, 7 of them complete"), "{}", again.err);
    assert_eq!(results(&place, "study"), expected);
    assert_eq!(written("study/runs/gen3/result.json"), before);
}

#[test]
fn an_interrupted_or_killed_study_ends_where_an_uninterrupted_one_does() {
    let place = Place::new();
    place.write("long.toml", LONG);
    place.run(&["--quiet", "ablate", "long.toml", "--out", "whole", "--threads", "1"]).ends_with(0);
    for (kind, code) in [("-INT", Some(130)), ("-TERM", Some(130)), ("-KILL", None)] {
        let study = format!("study{kind}");
        let ablate = ["--quiet", "ablate", "long.toml", "--out", &study, "--threads", "1"];
        let mut child = place.command(&ablate).spawn().unwrap();
        let ended = signal(&place, &mut child, &format!("{study}/runs/base-seed7/seed-7/checkpoint.bin"), kind);
        assert_eq!(ended, code, "{kind}");
        assert!(!place.path(&format!("{study}/runs/no_bonus-seed7/result.json")).exists(), "{kind} came too late");
        place.run(&ablate).ends_with(0);
        assert_eq!(results(&place, &study), results(&place, "whole"), "{kind}");
    }
}

#[test]
fn a_study_that_changed_is_refused_with_both_hashes() {
    let place = Place::new();
    place.write("study.toml", LONG);
    let run = |more: &[&str]| place.run(&[&["ablate", "study.toml", "--out", "x", "--decisions", "64"], more].concat());
    run(&[]).ends_with(0);
    let first: serde_json::Value = serde_json::from_str(&place.read("x/registration.json")).unwrap();
    let before = results(&place, "x");
    for (from, to) in [
        ("hypothesis = 'h'", "hypothesis = 'something else'"),
        ("keeper_bonus' = 0.0", "keeper_bonus' = 1.0"),
        ("training_seeds = [7]", "training_seeds = [8]"),
        ("config = 'smoke'", "config = 'smoke'\nprimary = 'bad_debt'"),
    ] {
        place.write("study.toml", &LONG.replace(from, to));
        let refused = run(&[]).ends_with(2);
        assert!(refused.err.contains(first["sha256"].as_str().unwrap()), "{}", refused.err);
        let now = refused.err.lines().find_map(|line| line.strip_prefix("  now        ")).expect("both hashes");
        assert!(now.len() == 64 && now != first["sha256"], "{}", refused.err);
        assert_eq!(results(&place, "x"), before);
    }
    // How fast it runs is no part of what was registered.
    place.write("study.toml", LONG);
    run(&["--threads", "2"]).ends_with(0);
    let edited = place.read("x/registration.json").replace("\"h\"", "\"i\"");
    place.write("x/registration.json", &edited);
    assert!(run(&[]).ends_with(2).err.contains("registration.json was edited"));
}

#[test]
fn everything_wrong_with_a_study_is_said_before_anything_runs() {
    let place = Place::new();
    let refused = |text: &str| {
        place.write("bad.toml", text);
        let ran = place.run(&["ablate", "bad.toml", "--out", "x"]).ends_with(2);
        assert!(!place.path("x").exists(), "a refused study leaves nothing");
        ran.err
    };
    let arms = "
[[arms]]
name = 'one'
set = { 'ppo.clap' = 1, 'ppo.clip' = 7.0, 'evaluation.seeds' = 3 }
[[arms]]
name = 'two'
set = { 'action.fixed.luck' = 1.0, 'observation.off' = ['astrology'] }
judge = { 'reward.bad_debt' = 0.0 }
";
    let text = refused(&(LONG.replace("question = 'q'", "question = 'q'\nsecondary = ['joy']") + arms));
    for part in [
        "secondary[0] = \"joy\" (study)",
        "ppo.clap = 1 (one): must be a known key",
        "ppo.clip = 7 (one)",
        "evaluation.seeds = (set) (one): must be left to the study",
        "action.fixed.luck = 1 (two)",
        "observation.off[0] = \"astrology\" (two)",
        "reward.bad_debt = (set) (two, judge): must be left to the study",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let set = "set = { 'action.fixed.keeper_bonus' = 0.0 }";
    let text = refused(&LONG.replace(set, "set = { 'ppo.total_steps' = 8000 }"));
    assert!(text.contains("arms differ in their budget of decisions"), "{text}");
    // The same number, but longer iterations: 4,000 are rounded up to 4,096.
    let text = refused(&LONG.replace(set, "set = { 'ppo.horizon' = 512 }"));
    assert!(text.contains("base has 4000, but no_bonus: 4096"), "{text}");
    let text = refused(&LONG.replace(set, "policy = 'gen9'"));
    assert!(text.contains("the arm no_bonus: gen9 is neither a baseline, nor a venue, nor a policy's file"), "{text}");
    let text = refused(&LONG.replace(set, "set = { 'observation.off' = ['options'] }"));
    assert!(text.contains("observation.off[0] = \"options\": must be observed in this task"), "{text}");
    let text = refused(&LONG.replace("training_seeds = [7]", ""));
    assert!(text.contains("training_seeds = 0 (study): must be at least 1, since arms are trained"), "{text}");
    let text = refused(&LONG.replace(set, "set = { 'observation.off' = ['fund'] }\nshield = true"));
    assert!(
        text.contains("shield = true (no_bonus): must be false, or nothing hidden of what the shield reads: fund"),
        "{text}"
    );
}

#[test]
fn arms_train_behind_the_shield_and_from_an_imitation_where_they_say_so() {
    let place = Place::new();
    let arms = "set = { 'run.shield' = true }\n[[arms]]\nname = 'imitates'\nset = { 'run.warm_start' = 'gen3' }\n";
    let study = LONG.replace("set = { 'action.fixed.keeper_bonus' = 0.0 }", arms);
    place.write("short.toml", &study);
    place.run(&["--quiet", "ablate", "short.toml", "--decisions", "64", "--out", "study"]).ends_with(0);
    let table = place.read("study/ablation.md");
    assert!(table.lines().any(|line| line.contains("no_bonus") && line.contains("the shield changed ")), "{table}");
    let bytes = |arm: &str| place.bytes(&format!("study/runs/{arm}-seed7/seed-7/export/policy.bin"));
    assert_eq!((bytes("base")[8], bytes("no_bonus")[8], bytes("imitates")[8]), (1, 3, 1));
    assert_ne!(bytes("base"), bytes("imitates"), "what was imitated must matter");
}

#[test]
fn a_trial_that_fails_loses_itself_alone_and_runs_again() {
    let place = Place::new();
    // Where its folder should be there is a file.
    place.write("study/runs/gen3", "");
    let ran = place.run(&["ablate", "smoke", "--out", "study"]).ends_with(1);
    assert!(ran.err.contains("gen3 FAILED: making the folder "), "{}", ran.err);
    let table = place.read("study/ablation.md");
    assert!(table.contains("| gen3 | 0 | - | - |") && table.contains("| no_bonus | 2 |"), "{table}");
    let effects = place.read("study/ablation.csv");
    assert!(effects.contains("return,no_bonus") && !effects.contains("gen3"), "{effects}");
    fs::remove_file(place.path("study/runs/gen3")).unwrap();
    place.run(&["--quiet", "ablate", "smoke", "--out", "study"]).ends_with(0);
    assert!(place.read("study/ablation.csv").contains("return,gen3,"));

    // A policy that turns out to be none.
    place.write("none/policy.json", "{ \"schema\": \"luck\" }");
    place.write("none.toml", &LONG.replace("set = { 'action.fixed.keeper_bonus' = 0.0 }", "policy = 'none'"));
    let ablate = ["ablate", "none.toml", "--decisions", "64", "--out", "none-study"];
    let ran = place.run(&ablate).ends_with(1);
    assert!(
        ran.err.contains("no_bonus FAILED: reading none/policy.json") || ran.err.contains("no_bonus FAILED: reading")
    );
    assert!(place.read("none-study/ablation.md").contains("FAILED: reading "));
    assert!(place.read("none-study/runs/no_bonus/failure.txt").starts_with("reading "));
    assert!(place.path("none-study/runs/base-seed7/result.json").exists());
    place.run(&["trial", "none-study/trials/no_bonus.toml"]).ends_with(1);
}

#[test]
fn a_trial_ends_with_the_code_that_its_scheduler_waits_for() {
    let place = Place::new();
    place.write("long.toml", LONG);
    place.run(&["--quiet", "sweep", "long.toml", "--launcher", "slurm", "--out", "study"]).ends_with(0);
    place.run(&["--quiet", "ablate", "long.toml", "--out", "whole"]).ends_with(0);
    let trial = ["trial", "study/trials/base-seed7.toml", "--threads", "1"];
    let mut child = place.command(&trial).spawn().unwrap();
    let ended = signal(&place, &mut child, "study/runs/base-seed7/seed-7/checkpoint.bin", "-TERM");
    assert_eq!(ended, Some(75));
    assert!(!place.path("study/runs/base-seed7/result.json").exists());
    place.run(&trial).ends_with(0);
    place.run(&trial).ends_with(0);
    let result = "runs/base-seed7/result.json";
    assert_eq!(place.bytes(&format!("study/{result}")), place.bytes(&format!("whole/{result}")));
    // The study goes on from what trials have left.
    place.run(&["--quiet", "ablate", "long.toml", "--out", "study"]).ends_with(0);
    assert_eq!(results(&place, "study"), results(&place, "whole"));

    place.run(&["trial", "study/trials/nobody.toml"]).ends_with(2);
    place.run(&["trial", "study", "--index", "2"]).ends_with(2);
    let spoilt = place.read("study/trials/base-seed7.toml").replace("clip = 0.2", "clip = 20.0");
    place.write("study/trials/spoilt.toml", &spoilt);
    assert!(
        place.run(&["trial", "study/trials/spoilt.toml"]).ends_with(2).err.contains("ppo.clip = 20 (trial, train)")
    );
    // An edited trial is another one, and its result is not taken for the study's.
    let text = place.read("study/trials/base-seed7.toml").replace("shield = false", "shield = true");
    place.write("study/trials/base-seed7.toml", &text);
    assert!(place.run(&trial).ends_with(1).err.contains("is the result of another trial"));
}

#[test]
fn factors_and_ranges_become_arms_with_clear_main_effects() {
    let place = Place::new();
    let head = "question = 'q'\nhypothesis = 'h'\nconfig = 'smoke'\npolicy = 'gen3'\n";
    let factor = |name: &str, key: &str| format!("[[factors]]\nname = '{name}'\nlow = {{ '{key}' = 0.0 }}\n");
    let factors: String = [
        ("bonus", "action.fixed.keeper_bonus"),
        ("delay", "action.fixed.delay"),
        ("share", "action.fixed.internalised_share"),
        ("fund", "market.venue.fund"),
    ]
    .iter()
    .map(|(name, key)| factor(name, key))
    .collect();
    place.write("factorial.toml", &format!("name = 'factorial'\ndesign = 'fractional_factorial'\n{head}{factors}"));
    let plan = place.run(&["ablate", "factorial.toml", "--plan"]).ends_with(0).out;
    for part in ["generators D = ABC", "not to be told apart: AB = CD; AC = BD; AD = BC", "arm-a-b-c-d"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    place.run(&["--quiet", "ablate", "factorial.toml", "--out", "f"]).ends_with(0);
    assert_eq!(files(place.path("f/runs")).len(), 8);
    assert_eq!(place.read("f/ablation.csv").lines().count(), 1 + 4);

    let ranges = "samples = 5\n[[ranges]]\nkey = 'action.fixed.capacity'\nlow = 0.05\nhigh = 10.0\nlog = true\n\
                  [[ranges]]\nkey = 'market.venue.taker_fee_bp'\nlow = 1.0\nhigh = 9.0\n";
    place.write("latin.toml", &format!("name = 'latin'\ndesign = 'latin_hypercube'\n{head}{ranges}"));
    place.run(&["--quiet", "ablate", "latin.toml", "--out", "l"]).ends_with(0);
    assert_eq!(files(place.path("l/runs")).len(), 5);
    let trial = place.read("l/trials/sample-000.toml");
    assert!(trial.contains("[judge.action.fixed]\ncapacity = "), "{trial}");
    assert_eq!(place.read("l/ablation.csv").lines().count(), 1 + 2);
}
