//! The objective of one minibatch and its gradient, derived by hand: no graph, no tensors, no allocation.
//!
//! Equations are those of [`super::loss`], which stays the reference. Sums over samples run in double precision
//! where they are scalars and in single precision where they are gradients of weights.

use core::ops::Range;

use rayon::prelude::*;

use super::gradient::Evaluation;
use super::loss::{Minibatch, Objective};
use crate::distribution::HALF_LN_TAU;
use crate::network::{BLOCK, Parameters, Shape, Weights, Workspace, add_rows};

/// Parts of a minibatch whose gradients are summed apart, by as many threads as there are, and then in order. The
/// number is fixed, so that no bit depends on the number of threads.
const SHARDS: usize = 4;

/// Computes gradients of minibatches of one shape of networks.
#[derive(Clone, Debug)]
pub struct Fused {
    actor: Weights,
    critic: Weights,
    /// Reciprocals of the standard deviations before squashing, `[A]`.
    inverse_std: Vec<f64>,
    /// Where in the parameters the deviations start.
    log_std_at: usize,
    shards: Vec<Shard>,
}

/// What one part of a minibatch needs and leaves.
#[derive(Clone, Debug)]
struct Shard {
    actor: Workspace,
    critic: Workspace,
    /// Of all parameters but the deviations.
    gradient: Vec<f32>,
    /// Of the deviations, `[A]`.
    log_std: Vec<f64>,
    /// Distances from the mean of one sample, in standard deviations, `[A]`.
    z: Vec<f64>,
    sums: Evaluation,
}

impl Fused {
    /// For networks of this shape.
    ///
    /// # Panics
    /// If they remember: that gradient is burn's.
    #[must_use]
    pub fn new(shape: &Shape) -> Self {
        assert_eq!(shape.memory, 0, "gradients through time are burn's");
        let (actor, critic) = (shape.actor(), shape.critic());
        let shard = Shard {
            actor: Workspace::new(&actor),
            critic: Workspace::new(&critic),
            gradient: vec![0.0; shape.len()],
            log_std: vec![0.0; shape.action],
            z: vec![0.0; shape.action],
            sums: Evaluation::default(),
        };
        Self {
            log_std_at: actor.iter().map(|(inputs, outputs)| (inputs + 1) * outputs).sum(),
            actor: Weights::new(&actor),
            critic: Weights::new(&critic),
            inverse_std: vec![1.0; shape.action],
            shards: vec![shard; SHARDS],
        }
    }

    /// Evaluates the objective on `minibatch` and writes the gradient of every parameter, in their order.
    ///
    /// # Panics
    /// If the shapes disagree.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "gradients are single precision")]
    pub fn evaluate(
        &mut self,
        parameters: &Parameters,
        minibatch: &Minibatch,
        objective: &Objective,
        gradient: &mut [f32],
    ) -> Evaluation {
        assert_eq!(gradient.len(), parameters.flat().len(), "one entry per parameter");
        let (actor, rest) = parameters.flat().split_at(self.log_std_at);
        self.actor.load(actor);
        self.critic.load(&rest[self.inverse_std.len()..]);
        for (inverse, log_std) in self.inverse_std.iter_mut().zip(parameters.log_std()) {
            *inverse = libm::exp(-f64::from(*log_std));
        }
        let samples = minibatch.advantage.len();
        let sum: f64 = parameters.log_std().iter().map(|&log_std| f64::from(log_std)).sum();
        let actions = self.inverse_std.len();
        let batch = Batch {
            actor: &self.actor,
            critic: &self.critic,
            inverse_std: &self.inverse_std,
            log_std_at: self.log_std_at,
            log_volume: sum + actions as f64 * HALF_LN_TAU,
            scale: 1.0 / samples as f64,
            minibatch,
            objective,
        };
        // Whole blocks to each shard, so that only the last rows of a minibatch fill none.
        let rows = samples.div_ceil(SHARDS).next_multiple_of(BLOCK);
        let used = samples.div_ceil(rows);
        let work = |(index, shard): (usize, &mut Shard)| {
            shard.evaluate(&batch, index * rows..samples.min((index + 1) * rows));
        };
        // A pool of one thread would only add the cost of handing work over.
        if used == 1 || rayon::current_num_threads() == 1 {
            self.shards[..used].iter_mut().enumerate().for_each(work);
        } else {
            self.shards[..used].par_iter_mut().enumerate().for_each(work);
        }

        let (first, others) = self.shards[..used].split_first().expect("a minibatch has at least one sample");
        gradient.copy_from_slice(&first.gradient);
        let mut total = first.sums;
        for shard in others {
            add_rows(&shard.gradient, gradient);
            total.add(&shard.sums);
        }
        for (a, sum) in gradient[self.log_std_at..self.log_std_at + actions].iter_mut().enumerate() {
            let parts: f64 = self.shards[..used].iter().map(|shard| shard.log_std[a]).sum();
            *sum = (parts - objective.entropy_weight) as f32;
        }
        total.scale(1.0 / samples as f64);
        // The entropy's constant part has no gradient.
        total.total = total.policy + objective.value_weight * total.value - objective.entropy_weight * sum;
        total
    }
}

/// What all parts of a minibatch share.
struct Batch<'a> {
    actor: &'a Weights,
    critic: &'a Weights,
    inverse_std: &'a [f64],
    log_std_at: usize,
    /// Logarithm of the reciprocal of the Gaussian's density at its mean.
    log_volume: f64,
    /// Reciprocal of the number of samples.
    scale: f64,
    minibatch: &'a Minibatch,
    objective: &'a Objective,
}

impl Shard {
    /// Evaluates `rows` of the minibatch.
    fn evaluate(&mut self, batch: &Batch<'_>, rows: Range<usize>) {
        self.gradient.fill(0.0);
        self.log_std.fill(0.0);
        self.sums = Evaluation::default();
        let (actor, rest) = self.gradient.split_at_mut(batch.log_std_at);
        let critic = &mut rest[batch.inverse_std.len()..];
        let Minibatch { observation, critic_observation, advantage, .. } = batch.minibatch;
        let seen = if critic_observation.is_empty() { observation } else { critic_observation };
        let [width, width_seen] = [observation, seen].map(|rows| rows.len() / advantage.len());
        for start in rows.clone().step_by(BLOCK) {
            let rows = start..rows.end.min(start + BLOCK);
            let observation = &observation[rows.start * width..rows.end * width];
            let seen = &seen[rows.start * width_seen..rows.end * width_seen];
            self.actor.forward(batch.actor, observation);
            self.critic.forward(batch.critic, seen);
            let (mean, mean_gradient) = self.actor.ends(rows.len());
            batch.policy(rows.clone(), mean, mean_gradient, &mut self.z, &mut self.log_std, &mut self.sums);
            let (value, value_gradient) = self.critic.ends(rows.len());
            batch.value(rows, value, value_gradient, &mut self.sums);
            self.actor.backward(batch.actor, observation, actor);
            self.critic.backward(batch.critic, seen, critic);
        }
    }
}

impl Batch<'_> {
    /// The clipped surrogate of some rows, with its gradient by their mean actions and, added up, by the deviations.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
    fn policy(
        &self,
        rows: Range<usize>,
        mean: &[f32],
        mean_gradient: &mut [f32],
        z: &mut [f64],
        log_std_gradient: &mut [f64],
        sums: &mut Evaluation,
    ) {
        let actions = z.len();
        let (low, high) = (1.0 - self.objective.clip, 1.0 + self.objective.clip);
        let taken = &self.minibatch.action[rows.start * actions..rows.end * actions];
        let means = mean.chunks_exact(actions).zip(mean_gradient.chunks_exact_mut(actions));
        for ((row, action), (mean, mean_gradient)) in rows.zip(taken.chunks_exact(actions)).zip(means) {
            let mut distance = 0.0;
            for (((z, action), mean), inverse) in z.iter_mut().zip(action).zip(mean).zip(self.inverse_std) {
                *z = (f64::from(*action) - f64::from(*mean)) * inverse;
                distance += *z * *z;
            }
            let log_density = -0.5 * distance - self.log_volume;
            let log_ratio = log_density - f64::from(self.minibatch.log_density[row]);
            let excess = libm::expm1(log_ratio);
            let ratio = 1.0 + excess;
            let advantage = f64::from(self.minibatch.advantage[row]);
            let (plain, clipped) = (ratio * advantage, ratio.clamp(low, high) * advantage);
            sums.policy -= if self.objective.imitates { log_density } else { plain.min(clipped) };
            // Mean of `(r − 1) − ln r`: unbiased, never negative, of low variance.
            sums.divergence += excess - log_ratio;
            sums.clipped += f64::from(u8::from(excess.abs() > self.objective.clip));

            // Where the clipped product is the smaller one it does not depend on the policy. A NaN is kept.
            let slope = match self.objective.imitates {
                true => -self.scale,
                false if clipped < plain => 0.0,
                false => -self.scale * plain,
            };
            for (((gradient, log_std), z), inverse) in
                mean_gradient.iter_mut().zip(&mut *log_std_gradient).zip(&*z).zip(self.inverse_std)
            {
                *gradient = (slope * z * inverse) as f32;
                *log_std += slope * (z * z - 1.0);
            }
        }
    }

    /// The value error of some rows, with its weighted gradient by their values.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
    fn value(&self, rows: Range<usize>, value: &[f32], value_gradient: &mut [f32], sums: &mut Evaluation) {
        let slope = 2.0 * self.objective.value_weight * self.scale;
        for ((row, value), gradient) in rows.zip(value).zip(value_gradient) {
            let (value, returns) = (f64::from(*value), f64::from(self.minibatch.returns[row]));
            let error = value - returns;
            let mut squared = error * error;
            *gradient = (slope * error) as f32;
            if let Some(clip) = self.objective.value_clip {
                let old = f64::from(self.minibatch.value[row]);
                let change = value - old;
                let clipped = old + change.clamp(-clip, clip) - returns;
                // Within the clip both errors are the same one, but for rounding.
                if change.abs() > clip && clipped * clipped > squared {
                    squared = clipped * clipped;
                    *gradient = 0.0;
                }
            }
            sums.value += squared;
        }
    }
}
