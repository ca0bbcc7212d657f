//! M11 for economies: the same bits on any number of threads, from a snapshot, a clone, and after anything.
//!
//! A commit that means to move results re-mints them with
//! `cargo test -p seawall-env --test economy -- --ignored mint` and says why.

use std::fmt::Write as _;
use std::sync::Arc;

use seawall_env::action::ACTIONS;
use seawall_env::liquidation::presets;
use seawall_env::observation::{ECONOMY, FEATURES_COUNT};
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Purpose, SeedTree, Task, VecEnv};

use super::{environment, small};

/// FNV-1a over 64 bits.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn singles(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.bytes(&value.to_bits().to_le_bytes()));
    }
}

/// An action that wanders over the whole box, by decision and environment.
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn wander(decision: u64, lane: u64) -> [f32; ACTIONS] {
    let draws = SeedTree::new(7).counter(Purpose::Policy, lane);
    let mut slot = 0;
    [(); ACTIONS].map(|()| {
        slot += 1;
        (2.0 * draws.uniform2(decision, slot)[0] - 1.0) as f32
    })
}

fn continued(env: &mut CascadeEnv, first: u64, decisions: u64) -> u64 {
    let mut digest = Digest::new();
    let mut observation = vec![0.0; env.spec().observation.len()];
    for decision in first..first + decisions {
        let step = env.step(&wander(decision, 0), &mut observation);
        digest.singles(&observation);
        digest.bytes(&step.reward.to_bits().to_le_bytes());
        if step.status.is_over() {
            break;
        }
    }
    digest.bytes(&postcard::to_stdvec(env.outcome()).expect("serialising into memory cannot fail"));
    digest.bytes(&env.save());
    digest.0
}

fn after(env: &mut CascadeEnv, seed: u64, decisions: u64) {
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(seed, &mut observation);
    for decision in 0..decisions {
        assert!(!env.step(&wander(decision, 0), &mut observation).status.is_over(), "too short an episode to test");
    }
}

/// A task with a market by itself, and economies of two shapes.
fn mixed() -> CascadeEnv {
    let calm = small("calm", 15, 96);
    let scenarios = vec![calm, small("three_by_three", 15, 96), small("contagion", 15, 96)];
    let pipeline = presets::by_name("seawall").expect("a preset");
    let task = Task::new(scenarios, pipeline, RewardConfig::default(), Groups::default());
    CascadeEnv::new(Arc::new(task.expect("a valid task")))
}

#[test]
fn batches_are_bit_equal_on_one_two_and_eight_threads() {
    let env = mixed();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut batch = VecEnv::new(vec![env.clone(); 7], SeedTree::new(5));
            let mut digest = Digest::new();
            // Two episodes and a half, so that autoreset is part of it.
            for decision in 0..38 {
                let actions: Vec<f32> = (0..7).flat_map(|lane| wander(decision, lane)).collect();
                batch.step(&actions);
                digest.singles(batch.observations());
                digest.singles(batch.final_observations());
                batch.rewards().iter().for_each(|reward| digest.bytes(&reward.to_bits().to_le_bytes()));
            }
            digest.bytes(&batch.save());
            digest.0
        })
    };
    let serial = on(1);
    assert_eq!(on(2), serial);
    assert_eq!(on(8), serial);
}

#[test]
fn a_snapshot_a_clone_and_the_original_go_on_alike() {
    for (id, preset) in [("three_by_three", "seawall"), ("contagion", "seawall"), ("contagion", "partial_routed")] {
        let fresh = || environment(small(id, 120, 128), preset);
        let mut env = fresh();
        after(&mut env, 3, 45);
        let bytes = env.save();
        let mut clone = env.clone();
        let uninterrupted = continued(&mut env, 45, 30);
        assert_eq!(continued(&mut clone, 45, 30), uninterrupted, "{id}: the clone differs");
        let mut restored = fresh();
        after(&mut restored, 8, 20);
        restored.load(&bytes).unwrap();
        assert_eq!(restored.save(), bytes, "{id}: the snapshot does not round-trip");
        assert_eq!(continued(&mut restored, 45, 30), uninterrupted, "{id}: the restored one differs");
        // Reset forgets everything.
        after(&mut restored, 4, 10);
        let mut new = fresh();
        after(&mut new, 4, 10);
        assert_eq!(restored.save(), new.save());
    }
}

#[test]
fn a_snapshot_of_another_structure_is_refused() {
    let mut env = environment(small("three_by_three", 20, 64), "seawall");
    after(&mut env, 1, 3);
    let bytes = env.save();
    let mut fewer = small("three_by_three", 20, 64);
    fewer.venues.truncate(1);
    for other in [fewer, small("three_by_three", 20, 65), small("calm", 20, 64)] {
        let mut other = environment(other, "seawall");
        after(&mut other, 1, 2);
        let before = other.save();
        assert!(other.load(&bytes).is_err());
        assert_eq!(other.save(), before, "a refused snapshot changes nothing");
    }
}

#[test]
fn only_tasks_with_an_economy_see_its_features() {
    let names = |env: &CascadeEnv| env.spec().observation.clone();
    let alone = names(&environment(small("calm", 5, 64), "seawall"));
    let many = names(&mixed());
    assert_eq!(alone, many[..FEATURES_COUNT], "what every task observes comes first");
    let further: Vec<&str> = ECONOMY.iter().map(|feature| feature.name).collect();
    assert_eq!(many[FEATURES_COUNT..], further);
    // In a market by itself they are all zero.
    let mut env = mixed();
    let mut observation = vec![1.0; many.len()];
    env.reset_on(0, 3, &mut observation);
    env.step(&wander(0, 0), &mut observation);
    assert!(observation[FEATURES_COUNT..].iter().all(|x| x.abs() == 0.0));
    env.reset_on(1, 3, &mut observation);
    env.step(&wander(0, 0), &mut observation);
    assert!(observation[FEATURES_COUNT..].iter().any(|x| x.abs() > 0.0));
}

/// One line per scenario and venue: seed and digest of half an episode.
fn digests() -> String {
    let mut lines = String::new();
    for id in ["three_by_three", "contagion"] {
        for preset in ["legacy_full", "seawall", "partial_routed"] {
            let mut env = environment(Scenario::shipped(id).expect("a shipped scenario"), preset);
            env.reset(1, &mut vec![0.0; env.spec().observation.len()]);
            let mut digest = Digest::new();
            let mut observation = vec![0.0; env.spec().observation.len()];
            for decision in 0..200 {
                let step = env.step(&wander(decision, 0), &mut observation);
                digest.bytes(&step.reward.to_bits().to_le_bytes());
                digest.singles(&observation);
                if step.status.is_over() {
                    break;
                }
            }
            digest.bytes(&postcard::to_stdvec(env.outcome()).expect("serialising into memory cannot fail"));
            writeln!(lines, "{id} {preset} 1 {:016x}", digest.0).expect("writing into memory cannot fail");
        }
    }
    lines
}

#[test]
fn episodes_match_their_golden_digests() {
    assert_eq!(digests(), include_str!("golden.txt"), "results moved: re-mint only in a commit that says why");
}

#[test]
#[ignore = "writes the golden file; run by hand in a commit that says why results moved"]
fn mint() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/economy/golden.txt"), digests()).unwrap();
}
