//! Networks that remember: gradients through time, states that are the same in rollout and update, a task that needs them.

mod common;

use common::{Corridor, Tracking, finish, learner};
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree, Status};
use seawall_training::network::{Parameters, Sequences, Shape};
use seawall_training::ppo::gradient::Differentiator;
use seawall_training::ppo::loss::{Minibatch, Objective};
use seawall_training::{Backend, Gradient, Head, LagrangianConfig, Limit, PpoConfig, Recurrence, Trainer};

const STEPS: usize = 5;
const SEQUENCES: usize = 3;
const UNITS: usize = 3;
/// Entries that the actor and the critic see.
const SEEN: [usize; 2] = [2, 3];
const ACTIONS: usize = 2;
const HIDDEN: usize = 4;

fn noise(count: usize, deviation: f64, stream: u64) -> Vec<f64> {
    use rand_chacha::rand_core::Rng;
    let mut rng = SeedTree::new(9).stream(Purpose::Exploration, stream);
    (0..count).map(|_| deviation * normal_quantile(open_unit(rng.next_u64()))).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

fn minibatch() -> Minibatch {
    let rows = STEPS * SEQUENCES;
    // One episode ends within a sequence, two within another; nothing is fresh in the first row, as in a rollout.
    let fresh = (0..rows).map(|row| [4, 5, 10].contains(&row)).collect();
    Minibatch {
        observation: single(&noise(rows * SEEN[0], 1.0, 1)),
        critic_observation: single(&noise(rows * SEEN[1], 1.0, 2)),
        sequences: Sequences {
            actor_state: single(&noise(SEQUENCES * UNITS, 0.5, 3)),
            critic_state: single(&noise(SEQUENCES * UNITS, 0.5, 4)),
            fresh,
        },
        action: single(&noise(rows * ACTIONS, 0.7, 5)),
        log_density: single(&noise(rows, 0.3, 6).iter().map(|x| x - 2.0).collect::<Vec<_>>()),
        advantage: single(&noise(rows, 1.0, 7)),
        returns: single(&noise(rows, 1.0, 8)),
        value: single(&noise(rows, 1.0, 9)),
    }
}

/// Takes what it needs from the front of the flat parameters.
struct Oracle<'a>(&'a [f64]);

impl Oracle<'_> {
    fn affine(&mut self, rows: &[Vec<f64>], outputs: usize) -> Vec<Vec<f64>> {
        let inputs = rows[0].len();
        let (weight, rest) = self.0.split_at(inputs * outputs);
        let (bias, rest) = rest.split_at(outputs);
        self.0 = rest;
        let sum = |row: &[f64], o: usize| row.iter().enumerate().map(|(i, x)| x * weight[i * outputs + o]).sum::<f64>();
        rows.iter().map(|row| (0..outputs).map(|o| bias[o] + sum(row, o)).collect()).collect()
    }

    /// States after each row, by the gates' formulas, one row after the other.
    fn remember(&mut self, seen: &[f32], start: &[f32], fresh: &[bool]) -> Vec<Vec<f64>> {
        let width = seen.len() / fresh.len();
        let seen: Vec<Vec<f64>> = seen.chunks(width).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
        let from_input = self.affine(&seen, 3 * UNITS);
        let mut states: Vec<Vec<f64>> =
            start.chunks(UNITS).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect();
        let recurrent = self.0;
        let mut output = Vec::new();
        let sigma = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        for (row, a) in from_input.iter().enumerate() {
            let state = &mut states[row % SEQUENCES];
            if fresh[row] {
                state.fill(0.0);
            }
            let mut oracle = Oracle(recurrent);
            let b = &oracle.affine(std::slice::from_ref(state), 3 * UNITS)[0];
            self.0 = oracle.0;
            for k in 0..UNITS {
                let (r, z) = (sigma(a[k] + b[k]), sigma(a[UNITS + k] + b[UNITS + k]));
                let n = libm::tanh(a[2 * UNITS + k] + r * b[2 * UNITS + k]);
                state[k] = (1.0 - z) * n + z * state[k];
            }
            output.push(state.clone());
        }
        output
    }

    fn network(&mut self, rows: &[Vec<f64>], outputs: usize) -> Vec<Vec<f64>> {
        let hidden = self
            .affine(rows, HIDDEN)
            .iter()
            .map(|row| row.iter().map(|x| libm::tanh(*x)).collect())
            .collect::<Vec<_>>();
        self.affine(&hidden, outputs)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small count")]
fn objective(flat: &[f64], minibatch: &Minibatch, settings: &Objective) -> f64 {
    let mut oracle = Oracle(flat);
    let Sequences { actor_state, critic_state, fresh } = &minibatch.sequences;
    let read = oracle.remember(&minibatch.observation, actor_state, fresh);
    let mean = oracle.network(&read, ACTIONS);
    let (log_std, rest) = oracle.0.split_at(ACTIONS);
    oracle.0 = rest;
    let read = oracle.remember(&minibatch.critic_observation, critic_state, fresh);
    let value = oracle.network(&read, 1);
    assert!(oracle.0.is_empty(), "every parameter is used");
    let (mut policy, mut error) = (0.0, 0.0);
    for n in 0..fresh.len() {
        let mut log_density = 0.0;
        for a in 0..ACTIONS {
            let z = (f64::from(minibatch.action[n * ACTIONS + a]) - mean[n][a]) * libm::exp(-log_std[a]);
            log_density -= 0.5 * z * z + log_std[a] + 0.5 * libm::log(2.0 * core::f64::consts::PI);
        }
        let advantage = f64::from(minibatch.advantage[n]);
        let ratio = libm::exp(log_density - f64::from(minibatch.log_density[n]));
        let bounded = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip);
        policy -= if settings.imitates { log_density } else { (ratio * advantage).min(bounded * advantage) };
        error += (value[n][0] - f64::from(minibatch.returns[n])).powi(2);
    }
    let n = fresh.len() as f64;
    policy / n + settings.value_weight * error / n - settings.entropy_weight * log_std.iter().sum::<f64>()
}

#[test]
fn gradients_through_time_equal_finite_differences_on_both_backends() {
    let shape = Shape {
        observation: SEEN[0],
        privileged: SEEN[1] - SEEN[0],
        action: ACTIONS,
        memory: UNITS,
        actor_hidden: vec![HIDDEN],
        critic_hidden: vec![HIDDEN],
        head: Head::Gaussian,
    };
    let flat = single(&noise(shape.len(), 0.6, 10));
    let parameters = Parameters::from_flat(shape.clone(), flat.clone());
    let flat: Vec<f64> = flat.iter().map(|&x| f64::from(x)).collect();
    for imitates in [false, true] {
        let head = Head::Gaussian;
        let settings =
            Objective { clip: 0.3, value_clip: None, value_weight: 0.5, entropy_weight: 0.01, head, imitates };
        let expected = objective(&flat, &minibatch(), &settings);
        for backend in Backend::ALL {
            let mut gradient = vec![f32::NAN; flat.len()];
            let mut way = Differentiator::new(Gradient::Autodiff, backend, &shape);
            let found = way.evaluate(&parameters, &minibatch(), &settings, &mut gradient).total;
            assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{backend}: {found} for {expected}");
            for (index, g) in gradient.iter().enumerate() {
                let step = 1e-5;
                let moved = |by: f64| {
                    let mut flat = flat.clone();
                    flat[index] += by;
                    objective(&flat, &minibatch(), &settings)
                };
                let difference = (moved(step) - moved(-step)) / (2.0 * step);
                let error = (f64::from(*g) - difference).abs();
                let most = 5e-5 * difference.abs().max(0.2);
                assert!(error < most, "{backend}, imitates {imitates}, parameter {index}: {g} for {difference}");
            }
        }
    }
}

fn config() -> PpoConfig {
    PpoConfig {
        total_steps: 32_768,
        horizon: 32,
        minibatch: 128,
        epochs: 6,
        actor_hidden: vec![16],
        critic_hidden: vec![16],
        recurrent: Recurrence::Gru { units: 8, sequence: 16 },
        gradient: Gradient::Autodiff,
        learning_rate: 5e-3,
        discount: 0.95,
        ..PpoConfig::default()
    }
}

/// Mean reward at the end of the corridor, of the policy without exploration, over both signs.
fn judged(config: PpoConfig, seed: u64) -> f64 {
    use seawall_env::Env;
    let corridor = Corridor::new(6, Status::Terminated);
    let mut learner = learner(config, Backend::Flex, &corridor, 16, seed);
    finish(&mut learner);
    let policy = learner.policy();
    let mut total = 0.0;
    for seed in [0, 1] {
        let (mut env, mut observation, mut action) = (corridor.clone(), [0.0; 2], [0.0]);
        let mut state = vec![0.0; policy.state_len()];
        env.reset(seed, &mut observation);
        loop {
            policy.step(&observation, &mut state, &mut action);
            let step = env.step(&action, &mut observation);
            total += 0.5 * step.reward;
            if step.status.is_over() {
                break;
            }
        }
    }
    total
}

#[test]
fn a_memory_solves_the_corridor_and_nothing_else_does() {
    let with = judged(config(), 0);
    assert!(with > -0.05, "{with}");
    let without = judged(PpoConfig { recurrent: Recurrence::Off, gradient: Gradient::Fused, ..config() }, 0);
    assert!((-0.9..-0.6).contains(&without), "{without}");
}

#[test]
fn the_update_sees_the_states_of_the_rollout() {
    // One minibatch of everything and one pass: the policy is still the rollout's, so its ratios are all one. Episodes of
    // 6 steps end within sequences of 8 and go on over their edges and over rollouts.
    for end in [Status::Terminated, Status::Truncated] {
        let config = PpoConfig {
            total_steps: 4 * 5 * 32,
            minibatch: 5 * 32,
            epochs: 1,
            recurrent: Recurrence::Gru { units: 8, sequence: 8 },
            asymmetric_critic: true,
            ..config()
        };
        let mut learner = learner(config, Backend::Flex, &Corridor::new(6, end), 5, 3);
        while !learner.is_done() {
            let iteration = learner.iterate(&mut ()).unwrap();
            let of = |name: &str| iteration.metrics.iter().find(|(metric, _)| *metric == name).unwrap().1;
            assert!(of("approximate_kl") < 1e-10, "{}", of("approximate_kl"));
            assert!(of("clip_fraction").abs() < 1e-12 && of("gradient_steps") > 0.5);
        }
    }
}

/// Everything that carries state, switched on.
fn everything(sequence: usize) -> PpoConfig {
    PpoConfig {
        total_steps: 6 * 120,
        horizon: 20,
        minibatch: 40,
        epochs: 2,
        recurrent: Recurrence::Gru { units: 6, sequence },
        asymmetric_critic: true,
        cvar: Limit::At(0.5),
        lagrangian: LagrangianConfig { cost: "missed".to_owned(), bound: 0.1, ..LagrangianConfig::default() },
        warm_start: seawall_training::WarmStartConfig { horizon: 20, epochs: 1, learning_rate: 1e-3 },
        ..config()
    }
}

#[test]
fn a_recurrent_run_resumes_to_the_bit_and_on_any_number_of_threads() {
    let run = |threads: usize, cut: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fresh = || learner(everything(10), Backend::Flex, &Corridor::new(6, Status::Truncated), 6, 3);
            let mut learner = fresh();
            for iteration in 0..6 {
                learner.iterate(&mut ()).unwrap();
                if cut && iteration % 2 == 0 {
                    let bytes = learner.save();
                    learner = fresh();
                    learner.load(&bytes).unwrap();
                    assert_eq!(learner.save(), bytes);
                }
            }
            assert!(learner.is_done());
            learner.save()
        })
    };
    let whole = run(1, false);
    assert_eq!(run(1, true), whole);
    assert_eq!(run(2, true), whole);
}

#[test]
fn recurrent_settings_that_do_not_fit_are_refused() {
    let fields = |config: PpoConfig| config.validate().0.into_iter().map(|p| p.field).collect::<Vec<_>>();
    assert_eq!(fields(everything(10)), Vec::<String>::new());
    assert_eq!(fields(everything(8)), ["recurrent.gru.sequence"]);
    assert_eq!(fields(PpoConfig { gradient: Gradient::Fused, ..everything(10) }), ["gradient"]);
    // An environment that reveals nothing has no use for an asymmetric critic.
    let config = PpoConfig { lagrangian: LagrangianConfig::default(), ..everything(10) };
    let envs = seawall_env::VecEnv::new(vec![Tracking::new(); 6], SeedTree::new(1));
    let error = seawall_training::Learner::new(config, Backend::Flex, envs, SeedTree::new(1)).unwrap_err().to_string();
    assert!(error.contains("asymmetric_critic"), "{error}");
}
