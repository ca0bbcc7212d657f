//! The same run gives the same numbers: on both backends to rounding; interrupted, and on any number of threads,
//! to the bit.

mod common;

use common::{Chain, Tracking, finish, learner};
use seawall_env::Status;
use seawall_training::{
    Backend, Episode, Error, Gradient, Iteration, Learner, Limit, Observer, Phase, PpoConfig, RewardTransform, Trainer,
};

/// Small, and with everything switched on that carries state.
fn config() -> PpoConfig {
    PpoConfig {
        total_steps: 6 * 120,
        horizon: 20,
        minibatch: 40,
        epochs: 3,
        actor_hidden: vec![16, 8],
        critic_hidden: vec![12],
        learning_rate: 1e-3,
        clip_end: 0.1,
        entropy_weight: 0.001,
        value_clip: Limit::At(0.5),
        warmup: 10,
        reward_transform: RewardTransform::Symlog,
        reward_clip: Limit::At(0.3),
        ..PpoConfig::default()
    }
}

fn bits(learner: &Learner<Tracking>) -> Vec<u32> {
    learner.parameters().flat().iter().map(|x| x.to_bits()).collect()
}

fn iterate(learner: &mut Learner<Tracking>, times: usize) -> Vec<Iteration> {
    (0..times).map(|_| learner.iterate(&mut ()).expect("numbers are finite")).collect()
}

#[test]
fn a_resumed_run_is_bit_equal_to_an_uninterrupted_one() {
    for gradient in [Gradient::Fused, Gradient::Autodiff] {
        resume(&PpoConfig { gradient, ..config() });
    }
}

fn resume(config: &PpoConfig) {
    let fresh = || learner(config.clone(), Backend::Flex, &Tracking::new(), 6, 3);
    // Three iterations are sixty steps: in the middle of the eighth episode.
    let mut whole = fresh();
    iterate(&mut whole, 3);
    let rest = iterate(&mut whole, 3);

    let mut first = fresh();
    iterate(&mut first, 3);
    let bytes = first.save();
    drop(first);
    let mut resumed = fresh();
    resumed.load(&bytes).expect("the checkpoint is of this run");
    assert_eq!(resumed.save(), bytes);
    assert_eq!(iterate(&mut resumed, 3), rest);
    assert_eq!(bits(&resumed), bits(&whole));
    assert_eq!(resumed.save(), whole.save());
    assert!(resumed.is_done());
}

#[test]
fn a_checkpoint_before_the_first_step_resumes_too() {
    let mut one = learner(config(), Backend::Flex, &Tracking::new(), 6, 3);
    let mut two = learner(config(), Backend::Flex, &Tracking::new(), 6, 3);
    two.load(&one.save()).unwrap();
    assert_eq!(iterate(&mut one, 2), iterate(&mut two, 2));
}

#[test]
fn a_run_does_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            // Minibatches of several parts, so that threads share one.
            let config = PpoConfig { total_steps: 6 * 600, horizon: 100, minibatch: 300, ..config() };
            let mut learner = learner(config, Backend::Flex, &Tracking::new(), 6, 3);
            finish(&mut learner);
            learner.save()
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn every_way_to_the_gradient_makes_the_same_update_to_rounding() {
    let run = |gradient, backend| {
        let mut learner = learner(PpoConfig { gradient, ..config() }, backend, &Tracking::new(), 6, 3);
        iterate(&mut learner, 1);
        learner.parameters().flat().to_vec()
    };
    let start = learner(config(), Backend::Flex, &Tracking::new(), 6, 3).parameters().flat().to_vec();
    let fused = run(Gradient::Fused, Backend::Flex);
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance(&fused, &start) > 1e-3, "the update moved nothing");
    for backend in Backend::ALL {
        let by_burn = run(Gradient::Autodiff, backend);
        assert!(distance(&fused, &by_burn) < 1e-5, "{backend}: {}", distance(&fused, &by_burn));
    }
}

#[test]
fn another_seed_is_another_run() {
    let run = |seed| {
        let mut learner = learner(config(), Backend::Flex, &Tracking::new(), 6, seed);
        iterate(&mut learner, 1);
        bits(&learner)
    };
    assert_ne!(run(3), run(4));
}

#[test]
fn a_checkpoint_of_another_run_is_refused_and_changes_nothing() {
    let mut other = learner(config(), Backend::Flex, &Tracking::new(), 6, 3);
    iterate(&mut other, 1);
    let bytes = other.save();
    let refused = |mut learner: Learner<Tracking>, expected: &str| {
        let before = learner.save();
        match learner.load(&bytes) {
            Err(Error::CheckpointMismatch { field, .. }) => assert_eq!(field, expected),
            result => panic!("{expected}: {result:?}"),
        }
        assert_eq!(learner.save(), before);
    };
    refused(learner(config(), Backend::Ndarray, &Tracking::new(), 6, 3), "backend");
    refused(learner(config(), Backend::Flex, &Tracking::new(), 6, 4), "seed");
    refused(learner(config(), Backend::Flex, &Tracking::new(), 8, 3), "environments");
    refused(learner(PpoConfig { clip: 0.3, ..config() }, Backend::Flex, &Tracking::new(), 6, 3), "settings");
    let mut chain = learner(config(), Backend::Flex, &Chain::new(&[1.0], 2, Status::Terminated), 6, 3);
    assert!(matches!(chain.load(&bytes), Err(Error::CheckpointMismatch { field: "buffers", .. })));
}

#[test]
fn damaged_checkpoints_are_refused_and_change_nothing() {
    let mut learner = learner(config(), Backend::Flex, &Tracking::new(), 6, 3);
    let bytes = learner.save();
    for length in (0..bytes.len()).step_by(97) {
        assert!(learner.load(&bytes[..length]).is_err(), "cut to {length}");
    }
    for at in (0..bytes.len()).step_by(101) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        assert!(learner.load(&bytes).is_err(), "flipped byte {at}");
    }
    assert_eq!(learner.save(), bytes);
}

#[test]
fn a_configuration_that_does_not_fit_lists_every_problem() {
    use seawall_env::{SeedTree, VecEnv};
    let config = PpoConfig { minibatch: 37, discount: 2.0, ..config() };
    let seeds = SeedTree::new(1);
    let error = Learner::new(config, Backend::Flex, VecEnv::new(vec![Tracking::new(); 6], seeds), seeds).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("discount = 2") && text.contains("minibatch = 37"), "{text}");
}

#[test]
fn numbers_that_are_not_finite_stop_the_run() {
    let chain = Chain::new(&[1.0, f64::NAN], 4, Status::Terminated);
    let mut learner = learner(config(), Backend::Flex, &chain, 6, 1);
    let error = learner.iterate(&mut ()).unwrap_err();
    assert!(matches!(error, Error::NotFinite { quantity: "reward", step: 0 }), "{error}");
}

#[test]
fn an_iteration_reports_its_phases_steps_and_episodes() {
    #[derive(Default)]
    struct Seen(Vec<Phase>);
    impl Observer for Seen {
        fn phase(&mut self, phase: Phase) {
            self.0.push(phase);
        }
    }
    let mut learner = learner(config(), Backend::Flex, &Tracking::new(), 6, 3);
    let mut seen = Seen::default();
    let iteration = learner.iterate(&mut seen).unwrap();
    assert_eq!(seen.0, [Phase::Collect, Phase::Learn]);
    assert_eq!((iteration.steps_total, learner.steps_done(), learner.total_steps()), (120, 120, 720));
    // Twenty steps of episodes of eight: two each, in step order.
    let order: Vec<_> = iteration.episodes.iter().map(|episode| episode.environment).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
    for episode in &iteration.episodes {
        assert_eq!((episode.length, episode.status), (8, Status::Truncated));
        assert!((episode.mean_terms[0] * 8.0 - episode.total_reward).abs() < 1e-12);
    }
    assert!((metric(&iteration, "learning_rate") - 1e-3).abs() < 1e-15);
    assert!((metric(&iteration, "clip") - 0.2).abs() < 1e-15);
    assert!((metric(&iteration, "gradient_steps") - 9.0).abs() < 1e-12);
    assert!(metric(&iteration, "clipped_rewards") > 0.0);
    // One of six iterations is done: both schedules have gone a sixth of their way.
    let next = learner.iterate(&mut ()).unwrap();
    assert!((metric(&next, "learning_rate") - 1e-3 * 5.0 / 6.0).abs() < 1e-15);
    assert!((metric(&next, "clip") - (0.2 - 0.1 / 6.0)).abs() < 1e-15);
}

fn metric(iteration: &Iteration, name: &str) -> f64 {
    let found = iteration.metrics.iter().find(|(candidate, _)| *candidate == name);
    found.expect("a metric that every iteration reports").1
}

#[test]
fn an_update_stops_once_the_policy_has_moved_too_far() {
    // Nine minibatches; after the first gradient step the policy differs from the rollout's at all.
    let gradient_steps = |kl_limit| {
        let config = PpoConfig { kl_limit, ..config() };
        let iteration = learner(config, Backend::Flex, &Tracking::new(), 6, 3).iterate(&mut ()).unwrap();
        metric(&iteration, "gradient_steps")
    };
    assert!((gradient_steps(Limit::Off) - 9.0).abs() < 1e-12);
    assert!((gradient_steps(Limit::At(1e-9)) - 1.0).abs() < 1e-12);
}

#[test]
fn the_warm_up_gives_scales_to_the_first_rollout_and_moves_no_environment() {
    let run = |warmup| {
        let mut learner = learner(PpoConfig { warmup, ..config() }, Backend::Flex, &Tracking::new(), 6, 3);
        let episodes = learner.iterate(&mut ()).unwrap().episodes;
        (learner.policy(), episodes, learner.steps_done())
    };
    let (cold, cold_episodes, steps) = run(0);
    assert_eq!((cold.mean, cold.inverse_deviation, steps), (vec![0.0; 2], vec![1.0; 2], 120));
    // The target is uniform on ±0.8, so its deviation is 0.46; the second entry is fifty plus a hundred targets.
    let (warm, warm_episodes, steps) = run(10);
    assert_eq!(steps, 120);
    assert!((warm.mean[1] - 50.0).abs() < 25.0 && (0.02..0.03).contains(&warm.inverse_deviation[1]), "{warm:?}");
    let ends = |episodes: &[Episode]| episodes.iter().map(|e| (e.environment, e.length)).collect::<Vec<_>>();
    assert_eq!(ends(&cold_episodes), ends(&warm_episodes));
}
