//! Rules with their constants as a vector: schedules, the file they leave, and what an engine embeds of them.

use proptest::prelude::*;
use seawall_agents::export::{Clocks, ParameterFile, Provenance, Search, Story, write_rule, write_vectors};
use seawall_agents::tuned::{Family, Rule, RuleEntry, RuleFile, RuleStory};
use seawall_agents::{Error, Exported, Gen2, Gen3, Line, Policy, Schedule, ScheduleShape};
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::observation::features;
use seawall_env::reward::NAMES;
use seawall_env::spaces::Group;
use seawall_env::{Groups, Spec};

fn spec() -> Spec {
    Spec {
        observation: features().iter().map(|feature| feature.name.to_owned()).collect(),
        action: PARAMETERS.iter().map(|parameter| parameter.name.to_owned()).collect(),
        reward: NAMES.map(str::to_owned).to_vec(),
    }
}

fn documented(family: Family, groups: Groups) -> Rule {
    Rule::documented(family, groups, "seawall", &ScheduleShape::default())
}

fn act(policy: &dyn Policy, observation: &[f32]) -> [f32; ACTIONS] {
    let mut action = [0.0; ACTIONS];
    policy.boxed().act(observation, &mut action);
    action
}

fn provenance() -> Provenance {
    Provenance {
        run: "gen2-tuned-seed7".to_owned(),
        config_sha256: "0".repeat(64),
        seeds: vec![7],
        scenarios: vec!["calm".to_owned()],
        environment_steps: 200_000,
        crate_version: "0.1.0".to_owned(),
        search: Some(Search {
            algorithm: "cma_es".to_owned(),
            objective: "mean return".to_owned(),
            budget: 200_000,
            generations: 12,
            episodes: 1,
            root: 7,
            scenarios_sha256: vec!["1".repeat(64)],
            selection: "2".repeat(64),
            chosen: "documented".to_owned(),
        }),
    }
}

const CLOCKS: Clocks = Clocks { decision_seconds: 30.0, slow_interval_seconds: 3_600.0 };

/// Observations of order one, and far out.
fn observations() -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(prop_oneof![4 => -3.0_f32..3.0, 1 => -100.0_f32..100.0], features().len())
}

proptest! {
    #[test]
    fn documented_constants_give_the_documented_policies(observation in observations()) {
        let spec = spec();
        let expected: [(Family, Box<dyn Policy>); 2] = [
            (Family::Gen2, Box::new(Gen2::new(&spec, Default::default()).unwrap())),
            (Family::Gen3, Box::new(Gen3::new(&spec, Default::default(), Default::default()).unwrap())),
        ];
        for (family, expected) in expected {
            let rule = documented(family, Groups::default());
            let values: Vec<f64> = rule.tunables().iter().map(|tunable| tunable.documented).collect();
            let policy = rule.policy(&values, &spec).unwrap();
            let found = act(policy.as_ref(), &observation).map(f32::to_bits);
            prop_assert_eq!(found, act(expected.as_ref(), &observation).map(f32::to_bits));
        }
        for family in [Family::Gen1, Family::Constant, Family::Schedule] {
            let rule = documented(family, Groups::default());
            let policy = rule.policy(&rule.values(&rule.start()), &spec).unwrap();
            for (found, neutral) in act(policy.as_ref(), &observation).iter().zip(Controls::default().encode()) {
                prop_assert!((found - neutral).abs() < 1e-6, "{} {} {}", family, found, neutral);
            }
        }
    }

    #[test]
    fn what_an_engine_embeds_acts_as_the_rule_bit_for_bit(
        observation in observations(),
        coordinates in proptest::collection::vec(-3.0_f64..3.0, 79),
    ) {
        let spec = spec();
        for family in [Family::Gen1, Family::Constant, Family::Schedule] {
            let rule = documented(family, Groups::default());
            let values = rule.values(&coordinates[..rule.tunables().len()]);
            let (weight, bias) = rule.layer(&values, &spec).unwrap().unwrap();
            let bytes = write_rule(&spec.observation, &weight, &bias).unwrap();
            let exported = Exported::new("x", bytes, &spec).unwrap();
            let policy = rule.policy(&values, &spec).unwrap();
            let bits = |action: [f32; ACTIONS]| action.map(f32::to_bits);
            prop_assert_eq!(bits(act(policy.as_ref(), &observation)), bits(act(&exported, &observation)));
        }
    }

    #[test]
    fn any_coordinates_are_a_valid_policy(coordinates in proptest::collection::vec(-1e6_f64..1e6, 79)) {
        for family in Family::ALL {
            let rule = documented(family, Groups::default());
            let values = rule.values(&coordinates[..rule.tunables().len()]);
            for (tunable, value) in rule.tunables().iter().zip(&values) {
                prop_assert!((tunable.low..=tunable.high).contains(value), "{}", tunable.name);
            }
            rule.policy(&values, &spec()).unwrap();
        }
    }
}

#[test]
fn every_family_has_the_constants_that_it_documents() {
    let counts = Family::ALL.map(|family| documented(family, Groups::default()).tunables().len());
    // Schedule: seven fast lines with six features, six slow ones with four, and a bias each.
    assert_eq!(counts, [4, 5, 10, 13, 7 * 7 + 6 * 5]);
    let presets = Family::ALL.map(|family| documented(family, Groups::default()).preset().to_owned());
    assert_eq!(presets, ["legacy_full", "partial_sliced", "partial_sliced", "seawall", "seawall"]);
}

#[test]
fn a_schedule_follows_its_line_by_hand() {
    let spec = spec();
    let mut lines: Vec<Line> = Controls::default().encode().map(Line::still).to_vec();
    lines[2] = Line { bias: 0.25, weights: vec![("vix".to_owned(), -0.5), ("depth_100bp".to_owned(), 0.125)] };
    let schedule = Schedule::new(lines, &spec).unwrap();
    let at = |name: &str| spec.observation.iter().position(|found| found == name).unwrap();
    let mut observation = vec![0.0; spec.observation.len()];
    for (vix, depth, expected) in
        [(0.0, 0.0, 0.25), (1.0, 2.0, 0.0), (-1.0, 2.0, 1.0), (4.0, 0.0, -1.0), (1.0, 100.0, 1.0), (1.0, -4.0, -0.75)]
    {
        (observation[at("vix")], observation[at("depth_100bp")]) = (vix, depth);
        assert_eq!(act(&schedule, &observation)[2].to_bits(), f32::to_bits(expected), "{vix} {depth}");
    }
}

#[test]
fn a_schedule_for_one_group_holds_the_other_at_neutral() {
    let spec = spec();
    let rule = documented(Family::Schedule, Groups::default());
    let values = rule.values(&vec![0.37; rule.tunables().len()]);
    let observation = vec![1.0; spec.observation.len()];
    let whole = act(rule.policy(&values, &spec).unwrap().as_ref(), &observation);
    for (groups, kept) in
        [(Groups { fast: true, slow: false }, Group::Fast), (Groups { fast: false, slow: true }, Group::Slow)]
    {
        let alone = documented(Family::Schedule, groups);
        assert!(alone.tunables().iter().all(|tunable| {
            let name = tunable.name.split('.').next().unwrap();
            PARAMETERS.iter().any(|parameter| parameter.name == name && parameter.group == kept)
        }));
        let values = alone.values(&vec![0.37; alone.tunables().len()]);
        let found = act(alone.policy(&values, &spec).unwrap().as_ref(), &observation);
        for ((parameter, found), (whole, neutral)) in
            PARAMETERS.iter().zip(found).zip(whole.iter().zip(Controls::default().encode()))
        {
            let expected = if parameter.group == kept { *whole } else { neutral };
            assert_eq!(found.to_bits(), expected.to_bits(), "{}", parameter.name);
        }
    }
}

#[test]
fn lines_that_cannot_be_are_refused() {
    let spec = spec();
    let still = || Controls::default().encode().map(Line::still).to_vec();
    let mut lines = still();
    lines[0].weights = vec![("luck".to_owned(), 1.0)];
    let Err(Error::Features { missing, .. }) = Schedule::new(lines, &spec) else { panic!("must be refused") };
    assert_eq!(missing, ["luck"]);
    let mut lines = still();
    lines[0].weights = spec.observation[..13].iter().map(|name| (name.clone(), 0.0)).collect();
    lines[1].bias = f32::NAN;
    lines[2].weights = vec![("vix".to_owned(), 1.0), ("vix".to_owned(), 1.0), ("jump".to_owned(), f32::INFINITY)];
    let Err(Error::Invalid(problems)) = Schedule::new(lines, &spec) else { panic!("must be refused") };
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["preemption.features", "target_buffer.bias", "capacity.vix", "capacity.jump"]);
}

fn story() -> RuleStory {
    RuleStory { name: "gen2-tuned".to_owned(), clocks: CLOCKS, provenance: provenance() }
}

#[test]
fn a_rule_survives_its_file_and_replays_its_vectors() {
    let spec = spec();
    for family in [Family::Gen2, Family::Gen3] {
        let rule = documented(family, Groups::default());
        let values = rule.values(&vec![0.2; rule.tunables().len()]);
        let file = RuleFile::new(story(), RuleEntry::new(&rule, &values), &spec).unwrap();
        let read = RuleFile::parse(&file.to_json().unwrap()).unwrap();
        assert_eq!(read, file);
        assert_eq!(read.check().unwrap(), 64);
        let observation = vec![-0.7; spec.observation.len()];
        let expected = act(rule.policy(&values, &spec).unwrap().as_ref(), &observation).map(f32::to_bits);
        assert_eq!(act(read.policy(&spec).unwrap().as_ref(), &observation).map(f32::to_bits), expected);
        // A constant that somebody edits no longer does what the vectors say.
        let mut edited = read.clone();
        edited.rule.constants[0].value *= 1.5;
        assert!(matches!(edited.check(), Err(Error::Mismatch { .. })));
        let other = Spec { observation: spec.observation[1..].to_vec(), ..spec.clone() };
        assert!(matches!(read.policy(&other), Err(Error::Mismatch { .. })));
    }
}

#[test]
fn a_file_with_impossible_constants_lists_them_all() {
    let rule = documented(Family::Gen2, Groups::default());
    let entry = RuleEntry::new(&rule, &rule.values(&rule.start()));
    let mut file = RuleFile::new(story(), entry, &spec()).unwrap();
    file.rule.constants[0].value = 1e9;
    file.rule.constants[1].name = file.rule.constants[0].name.clone();
    file.rule.preset = "ftx".to_owned();
    file.provenance.search.as_mut().unwrap().budget = 0;
    let Err(Error::Invalid(problems)) = file.to_json() else { panic!("must be refused") };
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    let expected = ["rule.preset", "rule.constants[0].value", "rule.constants[1].name", "provenance.search.budget"];
    assert_eq!(fields, expected);
    // A rule with a constant too many or too few is no rule.
    let mut entry = RuleEntry::new(&rule, &rule.values(&rule.start()));
    entry.constants[3].name = "luck".to_owned();
    let Err(Error::Invalid(problems)) = entry.policy(&spec()) else { panic!("must be refused") };
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["buffer", "luck"]);
}

#[test]
fn a_parameter_file_with_a_rule_belongs_to_the_bytes_of_that_rule() {
    let spec = spec();
    let rule = documented(Family::Schedule, Groups::default());
    let values = rule.values(&vec![0.11; rule.tunables().len()]);
    let (weight, bias) = rule.layer(&values, &spec).unwrap().unwrap();
    let bytes = write_rule(&spec.observation, &weight, &bias).unwrap();
    let vectors = write_vectors(&bytes, 7).unwrap();
    let story = Story {
        name: "schedule-tuned".to_owned(),
        clocks: CLOCKS,
        learned: Vec::new(),
        provenance: provenance(),
        rule: Some(RuleEntry::new(&rule, &values)),
        shield: None,
        predictor: None,
        runtime_file: "policy.bin".to_owned(),
        vectors_file: "policy.vectors".to_owned(),
    };
    // `learned` may not be empty in a file; one state is enough here.
    let means = PARAMETERS.iter().map(|parameter| seawall_agents::export::MeanValue {
        parameter: parameter.name.to_owned(),
        mean: parameter.neutral,
    });
    let state = seawall_agents::export::Summary {
        state: "calm".to_owned(),
        condition: "always".to_owned(),
        decisions: 1,
        means: means.collect(),
    };
    let story = Story { learned: vec![state], ..story };
    let file = ParameterFile::new(story, &bytes, &vectors, &features()).unwrap();
    let mut read = ParameterFile::parse(&file.to_json().unwrap()).unwrap();
    assert_eq!((&read, read.version), (&file, 2));
    read.check(&bytes, &vectors).unwrap();
    read.rule.as_mut().unwrap().constants[0].value = 0.0;
    let Err(Error::FileMismatch { differences, .. }) = read.check(&bytes, &vectors) else { panic!("must be refused") };
    assert_eq!(differences.0[0].field, "rule");
}
