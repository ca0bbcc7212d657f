use std::fs;
use std::time::Duration;

use super::{Place, Ran, files};

const SMOKE: [&str; 3] = ["train", "--config", "smoke"];

fn train(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&SMOKE, more].concat())
}

/// The metrics without the columns that measure time.
fn metrics(place: &Place, run: &str) -> Vec<Vec<String>> {
    // A run that was killed behind its warm start has written nothing yet.
    let text = fs::read_to_string(place.path(&format!("{run}/seed-7/metrics.csv"))).unwrap_or_default();
    let Some(header) = text.lines().next() else { return Vec::new() };
    let header: Vec<&str> = header.split(',').collect();
    let kept: Vec<usize> = (0..header.len()).filter(|column| !header[*column].starts_with("time/")).collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        kept.iter().map(|column| cells[*column].to_owned()).collect()
    };
    text.lines().map(row).collect()
}

#[test]
fn a_run_goes_from_settings_to_a_verified_export() {
    let place = Place::new();
    let ran = train(&place, &["--out", "run"]).ends_with(0);
    assert_eq!(
        files(place.path("run")),
        [
            "episodes.csv",
            "episodes.parquet",
            "export",
            "manifest.json",
            "metrics_summary.csv",
            "openings.json",
            "report.json",
            "report.md",
            "report.tex",
            "resolved.toml",
            "seed-7",
            "tails.csv"
        ]
    );
    assert_eq!(
        files(place.path("run/seed-7")),
        [
            "checkpoint.bin",
            "checkpoint.previous.bin",
            "events.out.tfevents",
            "events.out.tfevents",
            "export",
            "metrics.csv"
        ]
    );
    assert_eq!(
        files(place.path("run/export")),
        ["policy.bin", "policy.json", "policy.vectors", "resolved.toml", "score.json"]
    );
    for part in [
        "smoke",
        "gen1",
        "gen2",
        "gen3",
        "constant",
        "random",
        "vectors replay bit for bit",
        "episodes score as they did",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    // 64 steps in rollouts of 2 environments and 8 decisions.
    assert_eq!(metrics(&place, "run").len(), 1 + 4);
    let manifest: serde_json::Value = serde_json::from_str(&place.read("run/manifest.json")).unwrap();
    assert_eq!((&manifest["seed"], &manifest["command"][1]), (&7.into(), &"train".into()));
    let policy: serde_json::Value = serde_json::from_str(&place.read("run/export/policy.json")).unwrap();
    assert_eq!(policy["provenance"]["config_sha256"], manifest["settings_sha256"]);
    assert_eq!(policy["provenance"]["environment_steps"], 64);

    let again = train(&place, &["--out", "run"]).ends_with(2);
    assert!(again.err.contains("run is not empty: choose another folder, or continue that run with --resume run"));
    place.run(&["--quiet", "eval", "run"]).ends_with(0);
    place.run(&["--quiet", "export", "run", "--out", "again"]).ends_with(0);
    for name in ["policy.bin", "policy.json", "policy.vectors", "score.json"] {
        assert_eq!(place.bytes(&format!("again/{name}")), place.bytes(&format!("run/export/{name}")), "{name}");
    }
}

#[test]
fn an_export_that_was_touched_is_refused() {
    let place = Place::new();
    train(&place, &["--quiet", "--out", "run"]).ends_with(0);
    place.run(&["verify", "run/export"]).ends_with(0);
    place.run(&["verify", "run/export/policy.json", "--vectors-only"]).ends_with(0);
    let sound = place.bytes("run/export/policy.bin");
    for bit in [8 * 40, 4 * sound.len(), 8 * sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.path("run/export/policy.bin"), bytes).unwrap();
        let ran = place.run(&["verify", "run/export"]).ends_with(1);
        assert!(ran.out.contains("verify: FAILED"), "{}", ran.out);
    }
    fs::write(place.path("run/export/policy.bin"), &sound).unwrap();
    let score = place.read("run/export/score.json");
    let number = score.lines().find(|line| line.trim_start().starts_with('-')).unwrap();
    let other = number.replacen('-', "-1", 1);
    place.write("run/export/score.json", &score.replacen(number, &other, 1));
    let ran = place.run(&["verify", "run/export"]).ends_with(1);
    assert!(ran.out.contains("verify: FAILED: 1 of 2 episodes differ"), "{}", ran.out);
}

#[test]
fn threads_change_nothing() {
    let place = Place::new();
    train(&place, &["--quiet", "--threads", "1", "--out", "one"]).ends_with(0);
    train(&place, &["--quiet", "--threads", "3", "--out", "three"]).ends_with(0);
    assert_eq!(place.bytes("one/seed-7/export/policy.bin"), place.bytes("three/seed-7/export/policy.bin"));
    assert_eq!(metrics(&place, "one"), metrics(&place, "three"));
    assert_eq!(place.read("one/episodes.csv"), place.read("three/episodes.csv"));
}

#[test]
fn both_backends_train() {
    let place = Place::new();
    for backend in ["flex", "ndarray"] {
        train(&place, &["--quiet", "--backend", backend, "--out", backend]).ends_with(0);
        let resolved = place.read(&format!("{backend}/resolved.toml"));
        assert!(resolved.contains(&format!("backend = \"{backend}\"")), "{resolved}");
        // Naming a tensor library asks for its gradients.
        assert!(resolved.contains("gradient = \"autodiff\""), "{resolved}");
    }
}

#[test]
fn several_seeds_are_one_line_of_the_report_and_one_of_them_is_exported() {
    let place = Place::new();
    let ran = train(&place, &["--seeds", "2", "--seed", "40", "--out", "run"]).ends_with(0);
    assert!(ran.out.contains("smoke (2 seeds)"), "{}", ran.out);
    let chosen = place.bytes("run/export/policy.bin");
    let seeds = ["40", "41"].map(|seed| place.bytes(&format!("run/seed-{seed}/export/policy.bin")));
    assert!(seeds.contains(&chosen) && seeds[0] != seeds[1]);

    // An evaluation of every seed is the run's own judgement over again.
    let line = |out: &str| out.lines().find(|line| line.contains("smoke (2 seeds)")).map(str::to_owned);
    let again = place.run(&["--quiet", "eval", "run", "--every-seed", "--out", "judged"]).ends_with(0);
    assert_eq!(line(&again.out), line(&ran.out));
    assert_eq!(place.bytes("judged/policies/smoke/policy.bin"), chosen);
    let alone = place.run(&["--quiet", "eval", "run"]).ends_with(0);
    assert!(line(&alone.out).is_none() && alone.out.contains("smoke"), "{}", alone.out);
}

#[cfg(unix)]
#[test]
fn a_run_that_was_stopped_or_killed_goes_on_bit_for_bit() {
    goes_on(&["-INT", "-KILL"], &[]);
}

#[cfg(unix)]
#[test]
fn a_recurrent_bounded_run_from_an_imitation_goes_on_bit_for_bit_and_verifies() {
    let settings = [
        "ppo.recurrent={ gru = { units = 6, sequence = 4 } }",
        "ppo.gradient=autodiff",
        "ppo.asymmetric_critic=true",
        "ppo.lagrangian.cost=bad_debt",
        "run.warm_start=gen3",
    ];
    let place = goes_on(&["-KILL"], &settings.map(|set| ["--set", set]).concat());
    let header = place.read("whole/seed-7/metrics.csv").lines().next().unwrap().to_owned();
    assert!(header.contains("train/multiplier") && header.contains("train/constraint_limit"), "{header}");
    // Version 2 of the format: a policy with memory. The critic's privileges are not in it.
    assert_eq!(place.bytes("whole/export/policy.bin")[8..10], [2, 0]);
    assert!(!place.read("whole/export/policy.json").contains("fundamental_gap"));
    let ran = place.run(&["verify", "whole/export"]).ends_with(0);
    assert!(ran.out.contains("vectors replay bit for bit") && ran.out.contains("episodes score as they did"));
}

#[cfg(unix)]
#[test]
fn a_run_from_constants_that_a_search_found_goes_on_bit_for_bit() {
    let tuned = |steps: u32| format!("run.warm_start={{ tuned = {{ steps = {steps} }} }}");
    let place = goes_on(&["-KILL"], &["--set", &tuned(400)]);
    let ran = train(&place, &["--set", &tuned(400), "--threads", "2", "--out", "loud"]).ends_with(0);
    for part in ["found constants: preemption ", "initial_margin_multiplier ", "imitated tuned: "] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let refused = train(&place, &["--set", &tuned(0), "--set", "run.environments=1", "--out", "none"]).ends_with(2).err;
    for part in ["run.warm_start.tuned.steps = 0", "run.warm_start = \"tuned\""] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_run_behind_the_shield_goes_on_bit_for_bit_and_its_export_carries_the_shield() {
    let place = goes_on(&["-KILL"], &["--set", "run.shield=true"]);
    let rates: Vec<Vec<String>> = metrics(&place, "whole");
    let column = rates[0].iter().position(|tag| tag == "rollout/shield_rate").unwrap();
    let rates: Vec<f64> = rates[1..].iter().map(|row| row[column].parse().unwrap()).collect();
    assert!(rates.iter().all(|rate| (0.0..=1.0).contains(rate)) && rates.iter().any(|rate| *rate > 0.0), "{rates:?}");
    // Version 3 of the formats: a policy behind a shield.
    assert_eq!(place.bytes("whole/export/policy.bin")[8..10], [3, 0]);
    assert_eq!(place.bytes("whole/export/policy.vectors")[8..10], [3, 0]);
    let described: serde_json::Value = serde_json::from_str(&place.read("whole/export/policy.json")).unwrap();
    assert_eq!(described["version"], 3);
    assert_eq!(described["shield"]["constants"]["confidence"], 0.99);

    let ran = place.run(&["verify", "whole/export"]).ends_with(0);
    assert!(ran.out.contains("the shield acts in ") && ran.out.contains("episodes score as they did"), "{}", ran.out);
    let said: serde_json::Value = serde_json::from_str(&place.read("whole/shield.json")).unwrap();
    let mean = rates.iter().sum::<f64>() / f64::from(u32::try_from(rates.len()).unwrap());
    assert_eq!(said["training"][0]["rate"].as_f64(), Some(mean));
    assert_eq!(said["judged"][0]["contender"], "smoke");
    assert!(said["judged"][0]["decisions"].as_u64().unwrap() > 0);

    // The shield in front of a policy that has one finds nothing left to do, and counts what the policy's own does.
    let eval = ["eval", "whole", "--shield", "--out", "judged"];
    let judged = place.run(&eval).ends_with(0).out;
    let counts = |name: &str| {
        let start = format!("{name}: the shield changed ");
        judged
            .lines()
            .find_map(|line| line.strip_prefix(&start))
            .unwrap_or_else(|| panic!("{name} in {judged}"))
            .to_owned()
    };
    assert_eq!(counts("smoke"), counts("smoke+shield"));
    let said: serde_json::Value = serde_json::from_str(&place.read("judged/shield.json")).unwrap();
    assert_eq!(said["training"], serde_json::json!([]));
    assert_eq!(said["judged"][0]["acted"], said["judged"][1]["acted"]);
}

#[test]
fn the_soft_actor_critic_trains_behind_the_shield_too() {
    let place = Place::new();
    let sets = ["--set", "run.algorithm=sac", "--set", "run.shield=true", "--set", "task.groups.slow=false"];
    let ran = train(&place, &[&sets[..], &["--out", "run"]].concat()).ends_with(0);
    assert!(ran.out.contains("seed 7: the shield changed ") && ran.out.contains(" % of the actions in training"));
    let bare = place.run(&["tune", "gen2", "--config", "smoke", "--set", "run.shield=true"]).ends_with(2);
    assert!(bare.err.contains("rules are tuned without a shield"), "{}", bare.err);
}

/// Interrupts a run by each of some signals and compares what comes of it with a run that was left alone.
#[cfg(unix)]
fn goes_on(signals: &[&str], settings: &[&str]) -> Place {
    let place = Place::new();
    let long = [&["--quiet", "--set", "ppo.total_steps=640"], settings, &["--out"]].concat();
    train(&place, &[&long[..], &["whole"]].concat()).ends_with(0);
    for signal in signals {
        let run = signal.trim_start_matches('-');
        let mut child = place.command(&[&SMOKE[..], &long, &[run]].concat()).spawn().unwrap();
        let checkpoint = place.path(run).join("seed-7/checkpoint.bin");
        while !checkpoint.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = std::process::Command::new("kill").args([signal, &child.id().to_string()[..]]).status().unwrap();
        let status = child.wait().unwrap();
        assert!(sent.success(), "the run was over before it could be interrupted");
        if *signal == "-INT" {
            assert_eq!(status.code(), Some(130));
        }
        assert!(metrics(&place, run).len() < metrics(&place, "whole").len(), "{run} was not interrupted in time");
        place.run(&["--quiet", "train", "--resume", run]).ends_with(0);
        assert_eq!(metrics(&place, run), metrics(&place, "whole"), "{run}");
        for name in ["seed-7/export/policy.bin", "episodes.csv", "report.md"] {
            assert_eq!(place.bytes(&format!("{run}/{name}")), place.bytes(&format!("whole/{name}")), "{run}/{name}");
        }
        let manifest: serde_json::Value = serde_json::from_str(&place.read(&format!("{run}/manifest.json"))).unwrap();
        assert_eq!(manifest["resumed"].as_array().unwrap().len(), 1);
    }
    place
}

#[test]
fn settings_cannot_change_under_a_run() {
    let place = Place::new();
    train(&place, &["--quiet", "--out", "run"]).ends_with(0);
    let text = place.read("run/resolved.toml");
    place.write("run/resolved.toml", &text.replace("epochs = 2", "epochs = 3"));
    let ran = place.run(&["train", "--resume", "run"]).ends_with(2);
    assert!(ran.err.contains("resolved.toml was changed after the run began"), "{}", ran.err);
}

#[test]
fn a_search_over_networks_goes_the_same_way_and_resumes() {
    let place = Place::new();
    let search = ["--set", "run.algorithm=search", "--set", "search.algorithm=cem", "--set", "run.name=searched"];
    let ran = train(&place, &[&search[..], &["--out", "run"]].concat()).ends_with(0);
    for part in ["searched", "vectors replay bit for bit", "episodes score as they did"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    // A generation is 4 candidates in two scenarios of 12 decisions.
    let rows = metrics(&place, "run");
    assert_eq!(rows.len(), 1 + 1);
    assert_eq!(rows[1][0], "96");
    let column = rows[0].iter().position(|name| name == "rollout/return_mean").expect("returns are logged");
    assert!(rows[1][column].parse::<f64>().unwrap() < 0.0, "{rows:?}");
    place.run(&["train", "--resume", "run"]).ends_with(0);
}

#[test]
fn the_soft_actor_critic_goes_the_same_way() {
    let place = Place::new();
    let sac = ["--set", "run.algorithm=sac", "--set", "run.name=soft"];
    let ran = train(&place, &[&sac[..], &["--out", "run"]].concat()).ends_with(0);
    for part in ["soft", "vectors replay bit for bit", "episodes score as they did"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let rows = metrics(&place, "run");
    assert_eq!(rows.len(), 1 + 4);
    let column = rows[0].iter().position(|name| name == "train/temperature").expect("the temperature is logged");
    assert!(rows[4][column].parse::<f64>().unwrap() > 0.0, "{rows:?}");
    // Its checkpoint is not one of the other trainer.
    let resolved = place.read("run/resolved.toml");
    assert!(resolved.contains("algorithm = \"sac\""), "{resolved}");
}
