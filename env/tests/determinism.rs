//! M11: the same configuration and seed give the same bits, on any number of threads, whatever ran before.
//!
//! The golden digests hold debug and release to one file. A commit that means to move results re-mints them with
//! `cargo test -p seawall-env --test determinism -- --ignored mint` and says why.

mod common;

use std::fmt::Write as _;
use std::sync::Arc;

use seawall_env::action::ACTIONS;
use seawall_env::book::BookKind;
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Purpose, SeedTree, Task, VecEnv};

/// Scenarios of the golden digests.
const GOLDEN: [&str; 6] = ["calm", "tense", "volatility_spike", "flash_crash", "crash_day", "slow_drought"];

/// FNV-1a over 64 bits: enough to see a difference, and nobody attacks it.
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

    fn doubles(&mut self, values: &[f64]) {
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
        let [u, _] = draws.uniform2(decision, slot);
        (2.0 * u - 1.0) as f32
    })
}

/// Digest of what an environment does in at most `decisions` decisions from `first` on.
fn continued(env: &mut CascadeEnv, first: u64, decisions: u64) -> u64 {
    let mut digest = Digest::new();
    let mut observation = [0.0; FEATURES_COUNT];
    for decision in first..first + decisions {
        let step = env.step(&wander(decision, 0), &mut observation);
        digest.singles(&observation);
        digest.doubles(&[step.reward]);
        digest.doubles(env.reward_terms());
        if step.status.is_over() {
            break;
        }
    }
    digest.bytes(&postcard::to_stdvec(env.outcome()).expect("serialising into memory cannot fail"));
    digest.bytes(&env.save());
    digest.0
}

fn after(env: &mut CascadeEnv, seed: u64, decisions: u64) {
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(seed, &mut observation);
    for decision in 0..decisions {
        assert!(!env.step(&wander(decision, 0), &mut observation).status.is_over(), "too short an episode to test");
    }
}

#[test]
fn batches_are_bit_equal_on_one_two_and_eight_threads() {
    let scenarios = ["calm", "flash_crash", "crash_day"].map(|id| common::small(id, 20, 128)).to_vec();
    let task =
        Task::new(scenarios, presets::by_name("seawall").unwrap(), RewardConfig::default(), Groups::default()).unwrap();
    let env = CascadeEnv::new(Arc::new(task));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut batch = VecEnv::new(vec![env.clone(); 11], SeedTree::new(5));
            let mut digest = Digest::new();
            // Two and a half episodes, so that autoreset is part of it.
            for decision in 0..50 {
                let actions: Vec<f32> = (0..11).flat_map(|lane| wander(decision, lane)).collect();
                batch.step(&actions);
                digest.singles(batch.observations());
                digest.singles(batch.final_observations());
                digest.doubles(batch.rewards());
                digest.doubles(batch.reward_terms());
                let over: Vec<u8> = batch.statuses().iter().map(|status| u8::from(status.is_over())).collect();
                digest.bytes(&over);
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
    for preset in presets::NAMES {
        let mut env = common::environment(common::small("flash_crash", 120, 256), preset);
        after(&mut env, 3, 45);
        let bytes = env.save();
        let mut clone = env.clone();
        let uninterrupted = continued(&mut env, 45, 40);
        assert_eq!(continued(&mut clone, 45, 40), uninterrupted, "{preset}: the clone differs");
        // Restored into an environment that has seen something else.
        let mut restored = common::environment(common::small("flash_crash", 120, 256), preset);
        after(&mut restored, 8, 20);
        restored.load(&bytes).unwrap();
        assert_eq!(restored.save(), bytes, "{preset}: the snapshot does not round-trip");
        assert_eq!(continued(&mut restored, 45, 40), uninterrupted, "{preset}: the restored one differs");
    }
}

#[test]
fn a_snapshot_goes_on_alike_on_every_book_and_on_no_other() {
    let on = |kind: BookKind| {
        let mut scenario = common::small("flash_crash", 60, 128);
        scenario.book.kind = kind;
        common::environment(scenario, "seawall")
    };
    let kinds = [BookKind::Depth, BookKind::Order, BookKind::Amm];
    for kind in kinds {
        let mut env = on(kind);
        after(&mut env, 3, 20);
        let bytes = env.save();
        let uninterrupted = continued(&mut env, 20, 20);
        for other in kinds {
            let mut restored = on(other);
            after(&mut restored, 8, 10);
            let loaded = restored.load(&bytes);
            assert_eq!(loaded.is_ok(), kind == other, "{kind:?} into {other:?}: {loaded:?}");
            if kind == other {
                assert_eq!(continued(&mut restored, 20, 20), uninterrupted, "{kind:?}");
            }
        }
    }
}

#[test]
fn reset_forgets_everything() {
    let fresh = || common::environment(common::small("crash_day", 60, 256), "seawall");
    let (mut used, mut new) = (fresh(), fresh());
    after(&mut used, 11, 50);
    let mut observations = [[0.0; FEATURES_COUNT]; 2];
    used.reset(4, &mut observations[0]);
    new.reset(4, &mut observations[1]);
    assert_eq!(observations[0].map(f32::to_bits), observations[1].map(f32::to_bits));
    assert_eq!(used.save(), new.save());
    assert_eq!(continued(&mut used, 0, 60), continued(&mut new, 0, 60));
}

#[test]
fn another_seed_is_another_episode() {
    let mut env = common::environment(common::small("calm", 20, 128), "seawall");
    let digests = [0, 1, 2].map(|seed| {
        env.reset(seed, &mut [0.0; FEATURES_COUNT]);
        continued(&mut env, 0, 20)
    });
    assert!(digests[0] != digests[1] && digests[1] != digests[2] && digests[0] != digests[2]);
}

#[test]
fn a_cut_snapshot_is_refused_and_changes_nothing() {
    let mut env = common::environment(common::small("calm", 20, 128), "seawall");
    after(&mut env, 1, 5);
    let bytes = env.save();
    for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert!(env.load(&bytes[..length]).is_err(), "{length} of {} bytes were accepted", bytes.len());
        assert_eq!(env.save(), bytes);
    }
    let mut other = common::environment(common::small("calm", 20, 129), "seawall");
    assert!(other.load(&bytes).is_err(), "a snapshot of another population was accepted");
}

/// One line per scenario and venue: seed and digest of the whole episode.
fn digests() -> String {
    let mut lines = String::new();
    for id in GOLDEN {
        for preset in ["legacy_full", "seawall"] {
            let mut env = common::environment(Scenario::shipped(id).expect("a shipped scenario"), preset);
            env.reset(1, &mut [0.0; FEATURES_COUNT]);
            let mut digest = Digest::new();
            let mut observation = [0.0; FEATURES_COUNT];
            for decision in 0.. {
                let step = env.step(&wander(decision, 0), &mut observation);
                digest.doubles(&[step.reward]);
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
fn whole_episodes_match_their_golden_digests() {
    assert_eq!(digests(), include_str!("golden.txt"), "results moved: re-mint only in a commit that says why");
}

#[test]
#[ignore = "writes the golden file; run by hand in a commit that says why results moved"]
fn mint() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt"), digests()).unwrap();
}
