use super::{Place, Ran, files};

fn tune(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&["tune", "--config", "smoke"], more].concat())
}

#[test]
fn every_rule_is_tuned_written_verified_and_judged() {
    let place = Place::new();
    for baseline in ["gen1", "gen2", "gen3", "constant", "schedule"] {
        let ran = tune(&place, &[baseline, "--steps", "400", "--out", baseline]).ends_with(0);
        assert!(ran.out.contains("documented") && ran.out.contains("(chosen)"), "{}", ran.out);
        let is_rule = ["gen2", "gen3"].contains(&baseline);
        let expected: &[&str] = if is_rule {
            &["policy.json", "resolved.toml", "score.json"]
        } else {
            &["policy.bin", "policy.json", "policy.vectors", "resolved.toml", "score.json"]
        };
        assert_eq!(files(place.path(&format!("{baseline}/export"))), expected);
        let policy: serde_json::Value =
            serde_json::from_str(&place.read(&format!("{baseline}/export/policy.json"))).unwrap();
        assert_eq!(policy["rule"]["family"], baseline);
        let search = &policy["provenance"]["search"];
        assert_eq!((search["algorithm"].as_str(), search["budget"].as_u64()), (Some("cma_es"), Some(400)));
        assert_eq!(search["scenarios_sha256"].as_array().unwrap().len(), 2);
        place.run(&["verify", &format!("{baseline}/export")]).ends_with(0);
    }
    let judged = place.run(&["eval", "gen2", "gen1", "schedule", "--shield"]).ends_with(0).out;
    for name in ["gen2-tuned", "gen1-tuned", "schedule-tuned", "gen2-tuned+shield: the shield changed "] {
        assert!(judged.contains(name), "{name}: {judged}");
    }
}

#[test]
fn a_resumed_search_ends_where_an_uninterrupted_one_does() {
    let place = Place::new();
    let search = ["gen2", "--steps", "1500"];
    tune(&place, &[&search[..], &["--out", "whole"]].concat()).ends_with(0);
    tune(&place, &[&search[..], &["--out", "part"]].concat()).ends_with(0);
    // As after a kill between the last two checkpoints.
    std::fs::rename(place.path("part/checkpoint.previous.bin"), place.path("part/checkpoint.bin")).unwrap();
    std::fs::remove_dir_all(place.path("part/export")).unwrap();
    place.run(&["tune", "--resume", "part"]).ends_with(0);
    assert_eq!(place.bytes("part/checkpoint.bin"), place.bytes("whole/checkpoint.bin"));
    for name in ["policy.json", "score.json"] {
        assert_eq!(place.read(&format!("part/export/{name}")), place.read(&format!("whole/export/{name}")));
    }
}

#[test]
fn a_rule_that_is_none_and_a_run_that_is_none_are_refused() {
    let place = Place::new();
    tune(&place, &["gen4"]).ends_with(2);
    place.run(&["tune"]).ends_with(2);
    place.run(&["tune", "--resume", "nowhere"]).ends_with(2);
    let refused = tune(&place, &["gen2", "--set", "search.cma_es.step_size=0", "--out", "x"]).ends_with(2);
    assert!(refused.err.contains("search.cma_es.step_size = 0"), "{}", refused.err);
    assert!(!place.path("x").exists());
}
