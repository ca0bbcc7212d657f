//! What an instrument adds to an observation, and that nothing else moves.

use std::sync::Arc;

use seawall_env::action::{ACTIONS, Controls};
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::spaces::Feature;
use seawall_env::{CascadeEnv, Env, Error, Groups, Instrument, Mask, Print, Task};

const FEATURES: [Feature; 2] = [
    Feature { name: "ticks", unit: "1", group: "tape", meaning: "ticks since the episode began" },
    Feature { name: "volume", unit: "dollars", group: "tape", meaning: "value traded since the episode began" },
];

/// Counts ticks and value, and keeps the last mid.
#[derive(Clone, Copy, Debug)]
struct Tape;

impl Instrument for Tape {
    fn features(&self) -> &[Feature] {
        &FEATURES
    }

    fn memory_len(&self) -> usize {
        3
    }

    fn open(&self, mid: f64, memory: &mut [f64]) {
        memory.copy_from_slice(&[0.0, 0.0, mid]);
    }

    fn tick(&self, print: &Print, memory: &mut [f64]) {
        assert!(print.seconds > 0.0 && print.mid > 0.0 && print.volume >= 0.0);
        memory[0] += 1.0;
        memory[1] += print.volume;
        memory[2] = print.mid;
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(&self, memory: &[f64], out: &mut [f32]) {
        out.copy_from_slice(&[memory[0] as f32, memory[1] as f32]);
    }
}

fn plain() -> Task {
    let scenario = Scenario::shipped("flash_crash").expect("a shipped scenario");
    let clock = ClockConfig { ticks_per_decision: 7, decisions: 20, ..scenario.clock };
    let rules = presets::Preset::shipped("seawall").expect("a shipped venue").pipeline;
    let scenario = Scenario { clock, ..scenario };
    Task::new(vec![scenario], rules, RewardConfig::default(), Groups::default()).expect("a valid task")
}

fn reading() -> Arc<Task> {
    Arc::new(plain().reading(Arc::new(Tape)))
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn an_instrument_stands_behind_the_observation_and_moves_nothing_else() {
    let (mut with, mut without) = (CascadeEnv::new(reading()), CascadeEnv::new(Arc::new(plain())));
    let (mut seen, mut bare) = (vec![0.0; FEATURES_COUNT + 2], vec![0.0; FEATURES_COUNT]);
    assert_eq!(with.spec().observation[..FEATURES_COUNT], without.spec().observation);
    assert_eq!(with.spec().observation[FEATURES_COUNT..], ["ticks", "volume"]);
    with.reset(3, &mut seen);
    without.reset(3, &mut bare);
    let action: [f32; ACTIONS] = Controls::default().encode();
    for decision in 1..=20_u8 {
        let (a, b) = (with.step(&action, &mut seen), without.step(&action, &mut bare));
        assert_eq!((a.reward.to_bits(), a.status), (b.reward.to_bits(), b.status));
        assert_eq!(bits(&seen[..FEATURES_COUNT]), bits(&bare));
        assert_eq!(seen[FEATURES_COUNT].to_bits(), (7.0 * f32::from(decision)).to_bits());
        // What it sees is what the venue books: the market's own totals, and its mid.
        let outcome = with.market().outcome();
        let traded = (outcome.natural_volume + outcome.forced_volume).as_f64();
        assert!((with.memory()[1] - traded).abs() < 1e-6 * (1.0 + traded), "{} of {traded}", with.memory()[1]);
    }
    assert!(with.memory()[1] > 0.0);
    // A snapshot of a task without one is what it was before there were any: nothing is added.
    assert_eq!(without.memory(), [0.0; 0]);
    assert_eq!(with.save().len(), without.save().len() + 3 * 8);
}

#[test]
fn clones_and_snapshots_carry_what_it_remembers() {
    let task = reading();
    let mut env = CascadeEnv::new(Arc::clone(&task));
    let mut observation = vec![0.0; FEATURES_COUNT + 2];
    let action: [f32; ACTIONS] = Controls::default().encode();
    env.reset(5, &mut observation);
    for _ in 0..6 {
        env.step(&action, &mut observation);
    }
    let (mut copy, bytes) = (env.clone(), env.save());
    let mut loaded = CascadeEnv::new(Arc::clone(&task));
    loaded.load(&bytes).expect("its own snapshot");
    let (mut a, mut b) = (observation.clone(), observation.clone());
    for _ in 0..6 {
        env.step(&action, &mut observation);
        copy.step(&action, &mut a);
        loaded.step(&action, &mut b);
        assert_eq!((bits(&observation), bits(&observation)), (bits(&a), bits(&b)));
    }
    let cut = loaded.load(&bytes[..bytes.len() - 8]).expect_err("a memory is missing");
    assert!(matches!(cut, Error::SnapshotMismatch { field: "an instrument's memory", .. }), "{cut}");
    // A new episode begins with a new memory, whatever was played before.
    env.reset(5, &mut observation);
    assert_eq!(bits(&observation[FEATURES_COUNT..]), [0, 0]);
}

#[test]
fn a_mask_hides_what_an_instrument_adds() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let task = reading();
    let mask = |off: &[&str], shuffled: &[&str]| {
        let mask = Mask::new(&task.features(), &names(off), &names(shuffled)).expect("known names");
        Arc::new(mask.recording(&task, 2))
    };
    let action: [f32; ACTIONS] = Controls::default().encode();
    let last = |mask: Arc<Mask>| {
        let mut env = CascadeEnv::new(Arc::new(Task::clone(&task).behind(mask)));
        let mut observation = vec![0.0; FEATURES_COUNT + 2];
        env.reset(9, &mut observation);
        for _ in 0..4 {
            env.step(&action, &mut observation);
        }
        observation
    };
    let dark = last(mask(&["tape"], &[]));
    assert_eq!(bits(&dark[FEATURES_COUNT..]), [0, 0]);
    let shuffled = last(mask(&[], &["volume"]));
    let clear = last(mask(&["vix"], &[]));
    assert_eq!(shuffled[FEATURES_COUNT].to_bits(), clear[FEATURES_COUNT].to_bits());
    assert_ne!(shuffled[FEATURES_COUNT + 1].to_bits(), clear[FEATURES_COUNT + 1].to_bits());
    let unknown = Mask::new(&plain().features(), &names(&["tape"]), &[]).expect_err("no such instrument here");
    assert!(unknown.to_string().contains("observation.off[0]"), "{unknown}");
}
