use super::Place;

#[test]
fn everything_wrong_is_said_at_once() {
    let place = Place::new();
    place.write("my.toml", "[ppo]\nclip = 2.0\nclap = 1\n[market.traders]\naccounts = 3\n");
    let ran = place
        .run(&["train", "--config", "my.toml", "--seeds", "0", "--set", "run.threads=many", "--set", "task.preset=ftx"])
        .ends_with(2);
    assert_eq!(ran.out, "");
    for line in [
        "  ppo.clap = 1 (my.toml): must be a known key: ",
        "  ppo.clip = 2 (my.toml): must be above 0 and below 1",
        "  run.threads = \"many\" (--set): must be a whole number, 0 or more",
        "  run.seeds = 0 (--seeds): must be in [1, 100]",
        "  task.preset = \"ftx\" (--set): must be one of legacy_full, ",
        "  market.traders.accounts = 3 (my.toml): must be in [16, 4000000]",
    ] {
        assert!(ran.err.contains(line), "{line}\n{}", ran.err);
    }
    assert!(!place.path("runs").exists(), "nothing is written before everything is checked");
}

#[test]
fn bad_arguments_are_bad_input() {
    let place = Place::new();
    for (arguments, part) in [
        (&["train", "--scenario", "calm"][..], "unexpected argument '--scenario'"),
        (&["train", "--backend", "cuda"], "[possible values: flex, ndarray]"),
        (&["train", "--from", "yesterday"], "expected a UTC date such as 2020-03-12"),
        (&["train", "--resume", "x", "--seed", "1"], "cannot be used with"),
        (&["train", "--resume", "nowhere"], "nowhere is not a run folder: it has no resolved.toml"),
        (&["train", "--config", "nowhere.toml"], "reading the settings nowhere.toml"),
        (&["train", "--replay", "nowhere.csv"], "nowhere.csv"),
        (&["train", "--set", "task.scenarios=[\"lunch\"]"], "no scenario is called \"lunch\"; there are calm, "),
        (&["train", "--set", "run.name=gen2", "--out", "a"], "run.name = gen2: a baseline is called so"),
        (
            &[
                "train",
                "--set",
                "evaluation.gates=[{ metric = \"return\", versus = \"x\", at_least = 0 }]",
                "--out",
                "b",
            ],
            "evaluation.gates[0] names x, who does not compete; gen1, gen2, gen3, constant, random, ppo do",
        ),
        (&["scenarios", "show", "lunch"], "no scenario is called \"lunch\""),
        (&["probe", "--only", "luck"], "no parameter is called \"luck\"; there are preemption, "),
        (&["replay", "--policy", "luck"], "\"luck\" is neither a file nor one of gen1, gen2, gen3, constant, random"),
        (&["replay", "--start", "2020-03-12"], "--start needs candles"),
        (&["verify", "nowhere"], "reading nowhere"),
        (&["eval", "nowhere"], "reading nowhere"),
        (&["export", "nowhere"], "nowhere is not a run folder"),
        (&[], "Usage: seawall"),
    ] {
        let ran = place.run(arguments).ends_with(2);
        assert!(ran.err.contains(part), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(super::files(place.path(".")), Vec::<String>::new(), "nothing is written before everything is checked");
}
