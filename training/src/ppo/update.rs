//! Learning from one rollout: shuffled minibatches, several passes, a stop when the policy has moved far enough.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::gradient::Differentiator;
use super::loss::{Minibatch, Objective};
use super::rollout::Rollout;
use crate::Error;
use crate::config::AdvantageNormalisation;
use crate::network::{Parameters, Sequences};
use crate::optimiser::{Adam, clip_global_norm};

/// Keeps equal advantages from dividing by zero.
const DEVIATION_FLOOR: f64 = 1e-8;

/// How to learn from a rollout.
pub(super) struct Plan {
    pub(super) objective: Objective,
    pub(super) epochs: usize,
    pub(super) minibatch: usize,
    pub(super) advantage_normalisation: AdvantageNormalisation,
    pub(super) learning_rate: f64,
    pub(super) gradient_norm_max: f64,
    pub(super) kl_limit: Option<f64>,
    /// Steps of a sequence, which stay together: one, unless networks remember.
    pub(super) sequence: usize,
    pub(super) environments: usize,
    /// Environments that are learned from: the first ones.
    pub(super) learned: usize,
    /// Environment steps done so far, for errors.
    pub(super) step: u64,
}

/// What learning changes.
pub(super) struct Learning<'a> {
    pub(super) parameters: &'a mut Parameters,
    pub(super) differentiator: &'a mut Differentiator,
    pub(super) adam: &'a mut Adam,
    pub(super) shuffle: &'a mut ChaCha8Rng,
}

/// What happened; means over minibatches unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) policy_loss: f64,
    pub(super) value_loss: f64,
    pub(super) clip_fraction: f64,
    /// Before clipping.
    pub(super) gradient_norm: f64,
    /// Over the last epoch, including the minibatch that stopped it.
    pub(super) kl: f64,
    /// Gradient steps made.
    pub(super) gradient_steps: usize,
}

impl Plan {
    /// Makes the passes.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a loss or a gradient is not finite; no step is made with it.
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    pub(super) fn run(
        &self,
        learning: &mut Learning<'_>,
        rollout: &Rollout,
        mut advantage: Vec<f32>,
        returns: &[f32],
    ) -> Result<Report, Error> {
        if self.advantage_normalisation == AdvantageNormalisation::Batch {
            standardise(&mut advantage);
        }
        let mut report = Report::default();
        let sequences = 0..returns.len() / self.sequence;
        let mut order: Vec<usize> = sequences.filter(|id| id % self.environments < self.learned).collect();
        let mut gradient = vec![0.0; learning.parameters.flat().len()];
        let mut minibatch = Minibatch::default();
        'epochs: for _ in 0..self.epochs {
            shuffle(&mut order, learning.shuffle);
            let mut kl = Mean::default();
            for chosen in order.chunks_exact(self.minibatch / self.sequence) {
                self.gather(chosen, rollout, &advantage, returns, &mut minibatch);
                let evaluation =
                    learning.differentiator.evaluate(learning.parameters, &minibatch, &self.objective, &mut gradient);
                kl.add(evaluation.divergence);
                report.kl = kl.value();
                if self.kl_limit.is_some_and(|limit| evaluation.divergence > limit) {
                    break 'epochs;
                }
                report.policy_loss += evaluation.policy;
                report.value_loss += evaluation.value;
                report.clip_fraction += evaluation.clipped;
                self.check("loss", evaluation.total)?;
                if self.objective.imitates {
                    // Likelihood alone would end all exploration: who is imitated seldom errs at random.
                    gradient[learning.parameters.shape().log_std_range()].fill(0.0);
                }
                let norm = clip_global_norm(&mut gradient, self.gradient_norm_max);
                self.check("gradient", norm)?;
                report.gradient_norm += norm;
                learning.adam.step(self.learning_rate, learning.parameters.flat_mut(), &gradient);
                report.gradient_steps += 1;
            }
        }
        let steps = report.gradient_steps.max(1) as f64;
        let sums =
            [&mut report.policy_loss, &mut report.value_loss, &mut report.clip_fraction, &mut report.gradient_norm];
        for sum in sums {
            *sum /= steps;
        }
        Ok(report)
    }

    /// Samples of some sequences, time-major; sequences are numbered by block of steps, then environment.
    fn samples(&self, chosen: &[usize]) -> Vec<usize> {
        let sample = |id: &usize, step: usize| {
            let (block, environment) = (id / self.environments, id % self.environments);
            (block * self.sequence + step) * self.environments + environment
        };
        (0..self.sequence).flat_map(|step| chosen.iter().map(move |id| sample(id, step))).collect()
    }

    /// Fills `minibatch` with the samples of the sequences `chosen`.
    fn gather(
        &self,
        chosen: &[usize],
        rollout: &Rollout,
        advantage: &[f32],
        returns: &[f32],
        minibatch: &mut Minibatch,
    ) {
        let indices = self.samples(chosen);
        let pick = |from: &[f32], picked: &mut Vec<f32>| rows(from, returns.len(), &indices, picked);
        pick(&rollout.observation, &mut minibatch.observation);
        pick(&rollout.critic_observation, &mut minibatch.critic_observation);
        pick(&rollout.action, &mut minibatch.action);
        pick(&rollout.log_density, &mut minibatch.log_density);
        pick(advantage, &mut minibatch.advantage);
        pick(returns, &mut minibatch.returns);
        pick(&rollout.value, &mut minibatch.value);
        if !rollout.actor_state.is_empty() {
            let Sequences { actor_state, critic_state, fresh } = &mut minibatch.sequences;
            let sequences = returns.len() / self.sequence;
            rows(&rollout.actor_state, sequences, chosen, actor_state);
            rows(&rollout.critic_state, sequences, chosen, critic_state);
            fresh.clear();
            // What is stored before a sequence knows already whether an episode has ended there.
            let ended = |(at, index): (usize, &usize)| {
                at >= chosen.len() && rollout.status[index - self.environments].is_over()
            };
            fresh.extend(indices.iter().enumerate().map(ended));
        }
        if self.advantage_normalisation == AdvantageNormalisation::Minibatch {
            standardise(&mut minibatch.advantage);
        }
    }

    const fn check(&self, quantity: &'static str, value: f64) -> Result<(), Error> {
        if value.is_finite() { Ok(()) } else { Err(Error::NotFinite { quantity, step: self.step }) }
    }
}

/// Picks the rows at `indices` of a matrix with `count` rows, or nothing from an empty one.
fn rows(from: &[f32], count: usize, indices: &[usize], picked: &mut Vec<f32>) {
    let width = from.len() / count;
    picked.clear();
    for &index in indices {
        picked.extend_from_slice(&from[index * width..(index + 1) * width]);
    }
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// Gives `values` mean zero and sample deviation one.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "learning is single precision")]
fn standardise(values: &mut [f32]) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let square: f64 = values.iter().map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean)).sum();
    let scale = 1.0 / ((square / (count - 1.0)).sqrt() + DEVIATION_FLOOR);
    for value in values {
        *value = ((f64::from(*value) - mean) * scale) as f32;
    }
}

/// Permutes `order`, every permutation as likely as any other to within 2⁻⁴⁰.
///
/// # Reference
/// Fisher & Yates 1938, in the form of Durstenfeld 1964.
fn shuffle(order: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let choices = last as u128 + 1;
        let pick = (u128::from(rng.next_u64()) * choices) >> 64;
        order.swap(last, usize::try_from(pick).expect("less than the length"));
    }
}

/// Share of the returns' variance that the values explain; zero if returns do not vary.
#[expect(clippy::cast_precision_loss, reason = "small counts")]
pub(super) fn explained_variance(values: &[f32], returns: &[f32]) -> f64 {
    let variance = |of: &dyn Fn(usize) -> f64| {
        let count = returns.len() as f64;
        let mean = (0..returns.len()).map(of).sum::<f64>() / count;
        (0..returns.len()).map(|i| (of(i) - mean) * (of(i) - mean)).sum::<f64>() / count
    };
    let total = variance(&|i| f64::from(returns[i]));
    if total > 0.0 { 1.0 - variance(&|i| f64::from(returns[i]) - f64::from(values[i])) / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use core::f32::consts::FRAC_1_SQRT_2;

    use seawall_env::{Purpose, SeedTree};

    use super::*;
    use crate::config::Head;

    /// Minibatch of samples 2 and 0 out of three, one observation and one action each.
    fn gathered(advantage_normalisation: AdvantageNormalisation) -> Minibatch {
        let plan = plan(advantage_normalisation);
        let rollout = Rollout {
            observation: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            action: vec![0.1, 0.2, 0.3],
            log_density: vec![-1.0, -2.0, -3.0],
            value: vec![7.0, 8.0, 9.0],
            ..Rollout::default()
        };
        let mut minibatch = Minibatch { advantage: vec![1.0], ..Minibatch::default() };
        plan.gather(&[2, 0], &rollout, &[10.0, 20.0, 40.0], &[70.0, 80.0, 90.0], &mut minibatch);
        minibatch
    }

    fn plan(advantage_normalisation: AdvantageNormalisation) -> Plan {
        Plan {
            objective: Objective {
                clip: 0.2,
                value_clip: None,
                value_weight: 0.5,
                entropy_weight: 0.0,
                head: Head::Gaussian,
                imitates: false,
            },
            epochs: 1,
            minibatch: 2,
            advantage_normalisation,
            learning_rate: 0.1,
            gradient_norm_max: 1.0,
            kl_limit: None,
            sequence: 1,
            environments: 1,
            learned: 1,
            step: 0,
        }
    }

    #[test]
    fn minibatches_hold_the_rows_of_their_samples() {
        let minibatch = gathered(AdvantageNormalisation::Off);
        assert_eq!(minibatch.observation, [5.0, 6.0, 1.0, 2.0]);
        assert_eq!(minibatch.action, [0.3, 0.1]);
        assert_eq!(minibatch.log_density, [-3.0, -1.0]);
        assert_eq!(minibatch.advantage, [40.0, 10.0]);
        assert_eq!(minibatch.returns, [90.0, 70.0]);
        assert_eq!(minibatch.value, [9.0, 7.0]);
    }

    #[test]
    fn sequences_stay_whole_and_know_where_episodes_end_within_them() {
        use seawall_env::Status::{Running, Terminated};
        // Four steps of two environments in sequences of two; the second environment's episode ends at every step.
        let plan = Plan { sequence: 2, environments: 2, learned: 2, minibatch: 4, ..plan(AdvantageNormalisation::Off) };
        let counted: Vec<f32> = (0..8_u8).map(f32::from).collect();
        let rollout = Rollout {
            observation: counted.clone(),
            critic_observation: counted.iter().flat_map(|x| [*x, 10.0 * x]).collect(),
            action: counted.clone(),
            log_density: counted.clone(),
            value: counted.clone(),
            status: [Running, Terminated].repeat(4),
            actor_state: vec![0.0, 1.0, 2.0, 3.0],
            critic_state: vec![10.0, 11.0, 12.0, 13.0],
            ..Rollout::default()
        };
        let mut minibatch = Minibatch::default();
        // The second environment's second sequence, then the first one's first.
        plan.gather(&[3, 0], &rollout, &counted, &counted, &mut minibatch);
        assert_eq!(minibatch.observation, [5.0, 0.0, 7.0, 2.0]);
        assert_eq!(minibatch.critic_observation, [5.0, 50.0, 0.0, 0.0, 7.0, 70.0, 2.0, 20.0]);
        assert_eq!(minibatch.sequences.actor_state, [3.0, 0.0]);
        assert_eq!(minibatch.sequences.critic_state, [13.0, 10.0]);
        assert_eq!(minibatch.sequences.fresh, [false, false, true, false]);
    }

    #[test]
    fn advantages_are_standardised_over_the_minibatch_if_asked() {
        // Mean 25, squared distances 225 + 225 over n − 1 = 1: deviation 15·√2.
        let advantage = gathered(AdvantageNormalisation::Minibatch).advantage;
        for (a, expected) in advantage.iter().zip([FRAC_1_SQRT_2, -FRAC_1_SQRT_2]) {
            assert!((a - expected).abs() < 1e-6, "{advantage:?}");
        }
        assert_eq!(gathered(AdvantageNormalisation::Batch).advantage, [40.0, 10.0]);
    }

    #[test]
    fn standardised_values_have_mean_zero_and_sample_deviation_one() {
        // Mean 3, squared distances 4 + 0 + 4, over n − 1 = 2: deviation 2.
        let mut values = [1.0, 3.0, 5.0];
        standardise(&mut values);
        for (value, expected) in values.iter().zip([-1.0_f32, 0.0, 1.0]) {
            assert!((value - expected).abs() < 1e-6);
        }
        let mut equal = [2.0, 2.0];
        standardise(&mut equal);
        assert_eq!(equal.map(f32::to_bits), [0, 0]);
    }

    #[test]
    fn every_permutation_of_three_is_as_likely() {
        let mut rng = SeedTree::new(1).stream(Purpose::Shuffle, 0);
        let mut counts = [0_u32; 6];
        for _ in 0..6_000 {
            let mut order = [0, 1, 2];
            shuffle(&mut order, &mut rng);
            let index = match order {
                [0, 1, 2] => 0,
                [0, 2, 1] => 1,
                [1, 0, 2] => 2,
                [1, 2, 0] => 3,
                [2, 0, 1] => 4,
                [2, 1, 0] => 5,
                other => panic!("{other:?} is not a permutation"),
            };
            counts[index] += 1;
        }
        // Binomial(6000, 1/6): mean 1000, five standard deviations 144.
        assert!(counts.iter().all(|count| (856..=1_144).contains(count)), "{counts:?}");
    }

    #[test]
    fn explained_variance_is_one_for_truth_and_zero_for_a_constant() {
        let returns = [1.0, 2.0, 4.0];
        assert!((explained_variance(&returns, &returns) - 1.0).abs() < 1e-12);
        assert!(explained_variance(&[7.0; 3], &returns).abs() < 1e-12);
        // Errors −1, 0, 1 have variance 2/3, returns 14/9: 1 − 3/7.
        assert!((explained_variance(&[2.0, 2.0, 3.0], &returns) - (1.0 - 3.0 / 7.0)).abs() < 1e-12);
        assert!(explained_variance(&[0.0; 3], &[5.0; 3]).abs() < 1e-12);
    }
}
