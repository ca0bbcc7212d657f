//! The file for governance and engines.

use proptest::prelude::*;
use seawall_agents::Error;
use seawall_agents::export::{ParameterFile, Step, Story, write_vectors};

use crate::fixture::{FEATURES, Network, files, story};

fn fields(error: &Error) -> Vec<String> {
    match error {
        Error::Invalid(problems) => problems.0.iter().map(|problem| problem.field.clone()).collect(),
        Error::FileMismatch { differences, .. } => differences.0.iter().map(|found| found.field.clone()).collect(),
        other => panic!("unexpected error: {other}"),
    }
}

#[test]
fn what_is_written_is_read_back_and_still_describes_the_bytes() {
    let (file, runtime, vectors) = files();
    let text = file.to_json().unwrap();
    let read = ParameterFile::parse(&text).unwrap();
    assert_eq!(read, file);
    assert_eq!(read.to_json().unwrap(), text);
    assert_eq!(read.check(&runtime, &vectors).unwrap().refused, 9);
}

#[test]
fn the_file_speaks_in_units_bounds_and_steps() {
    let (file, ..) = files();
    let text = file.to_json().unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["schema"], "seawall.parameters");
    let delay = &json["parameters"][3];
    assert_eq!(delay["name"], "delay");
    assert_eq!(delay["unit"], "seconds");
    assert_eq!((delay["low"].as_f64(), delay["high"].as_f64()), (Some(0.0), Some(120.0)));
    assert_eq!(delay["group"], "fast");
    // A fast parameter may cross its whole range at once.
    assert_eq!(delay["largest_step"]["difference"].as_f64(), Some(120.0));
    // Maintenance moves by 0.5 of a range of 2, logarithmic between 0.75 and 1.5: a factor of 2^(1/4).
    let Step::Ratio(ratio) = file.parameters[8].largest_step else { panic!("a logarithmic parameter") };
    assert!((ratio - 2.0_f64.sqrt().sqrt()).abs() < 1e-12);
    assert_eq!(json["learned"][1]["state"], "crisis");
    assert_eq!(json["learned"][1]["means"][3]["mean"].as_f64(), Some(120.0));
    assert_eq!(json["provenance"]["seeds"][1].as_u64(), Some(u64::MAX));
}

#[test]
fn unknown_and_missing_fields_are_refused() {
    let (file, ..) = files();
    let text = file.to_json().unwrap();
    for (old, new) in [
        ("\"name\": \"ppo\",", "\"name\": \"ppo\", \"comment\": \"hi\","),
        ("\"name\": \"ppo\",", ""),
        ("\"unit\": \"seconds\",", "\"unit\": \"seconds\", \"step\": 1,"),
        ("\"group\": \"slow\"", "\"group\": \"weekly\""),
        ("\"environment_steps\": 1000000", "\"environment_steps\": -1"),
    ] {
        let changed = text.replacen(old, new, 1);
        assert_ne!(changed, text, "{old}");
        assert!(matches!(ParameterFile::parse(&changed), Err(Error::Json(_))), "{new}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let (mut file, ..) = files();
    file.version = 2;
    file.clocks.slow_interval_seconds = 10.0;
    file.parameters[0].low = 250.0;
    file.parameters[3].fallback = 121.0;
    file.parameters[4].name = "delay".to_owned();
    file.parameters[8].largest_step = Step::Difference(0.1);
    file.learned[0].decisions = 0;
    file.learned[1].means[1].mean = 3.5;
    file.observation.features[2].inverse_deviation = 0.0;
    file.provenance.config_sha256 = "ABC".to_owned();
    file.runtime.file = "../policy".to_owned();
    let error = file.validate().unwrap_err();
    assert_eq!(
        fields(&error),
        [
            "version",
            "clocks.slow_interval_seconds",
            "parameters[4]",
            "parameters[0].low",
            "parameters[0].fallback",
            "parameters[0].largest_step",
            "parameters[3].fallback",
            "parameters[8].largest_step",
            "learned[0].decisions",
            "learned[0].means[0].mean",
            "learned[0].means[4].parameter",
            "learned[1].means[0].mean",
            "learned[1].means[1].mean",
            "learned[1].means[4].parameter",
            "observation.features[2].inverse_deviation",
            "provenance.config_sha256",
            "runtime.file",
        ]
    );
    assert!(matches!(file.to_json(), Err(Error::Invalid(_))), "an invalid file is never written");
}

#[test]
fn other_bytes_are_named_by_everything_in_which_they_differ() {
    let (file, runtime, vectors) = files();
    let other = Network::new(2).bytes();
    let other_vectors = write_vectors(&other, 9).unwrap();
    let error = file.check(&other, &other_vectors).unwrap_err();
    let expected = ["runtime.sha256", "vectors.sha256"].map(str::to_owned).into_iter();
    let features = (0..5).map(|index| format!("observation.features[{index}]"));
    assert_eq!(fields(&error), expected.chain(features).collect::<Vec<_>>());

    // The right policy, other vectors of it.
    let error = file.check(&runtime, &write_vectors(&runtime, 10).unwrap()).unwrap_err();
    assert_eq!(fields(&error), ["vectors.sha256"]);

    // Bounds edited by hand, consistently with themselves.
    let mut edited = file;
    edited.parameters[3].high = 240.0;
    edited.parameters[3].largest_step = Step::Difference(240.0);
    assert_eq!(fields(&edited.check(&runtime, &vectors).unwrap_err()), ["parameters[3]"]);
}

#[test]
fn a_policy_over_unknown_features_is_refused_by_name() {
    let (_, runtime, vectors) = files();
    let error = ParameterFile::new(story(), &runtime, &vectors, &FEATURES[1..4]).unwrap_err();
    assert!(matches!(&error, Error::Features { missing, .. } if missing == &["return_1m", "vix"]), "{error}");
}

#[test]
fn a_summary_that_leaves_a_parameter_out_is_refused() {
    let (_, runtime, vectors) = files();
    let mut learned = story().learned;
    learned[0].means.pop();
    let error = ParameterFile::new(Story { learned, ..story() }, &runtime, &vectors, &FEATURES).unwrap_err();
    assert_eq!(fields(&error), ["learned[0].means.len"]);
}

proptest! {
    /// Whatever is done to the text, reading it is an error or a file that is sound.
    #[test]
    fn damaged_text_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let (file, ..) = files();
        let mut bytes = file.to_json().unwrap().into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(text) = String::from_utf8(bytes) && let Ok(read) = ParameterFile::parse(&text) {
            prop_assert!(read.validate().is_ok());
        }
    }
}
