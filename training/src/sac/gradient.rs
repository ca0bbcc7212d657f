//! The losses of one minibatch and their gradients, derived by hand: no graph, no tensors, no allocation.
//!
//! Sums over rows run in double precision where they are scalars and in single precision where they are gradients of
//! weights. A minibatch is cut into a fixed number of parts whose gradients are added in order, so no bit depends on
//! the number of threads.

use core::ops::Range;

use rayon::prelude::*;
use seawall_runtime::format::Activation;

use super::config::{CriticKind, Exploration};
use super::head::{Drawn, Head, Noise, Outputs};
use super::networks::{Networks, SacShape};
use super::quantiles;
use crate::network::{BLOCK, Reach, Weights, Workspace, add_rows};

/// Parts of a minibatch whose gradients are summed apart.
const SHARDS: usize = 4;

/// Transitions on the host.
///
/// # Shapes
/// Row-major; `N` transitions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Normalised observations, `[N, D]`.
    pub observation: Vec<f32>,
    /// Actions, in `[-1, 1]`, `[N, A]`.
    pub action: Vec<f32>,
    /// Discounted sum of the rewards before the bootstrap, `[N]`.
    pub reward: Vec<f32>,
    /// Normalised observations that the bootstrap starts from, `[N, D]`.
    pub next_observation: Vec<f32>,
    /// Discount of the bootstrap, `[N]`; zero after a terminated step.
    pub discount: Vec<f32>,
}

impl Batch {
    /// Transitions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reward.len()
    }

    /// Whether there is no transition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reward.is_empty()
    }
}

/// What the critics made of a minibatch; means over its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CriticEvaluation {
    /// Sum of the critics' losses: half the squared error, or the quantile loss.
    pub loss: f64,
    /// Mean of the critics' outputs.
    pub value: f64,
    /// Mean target.
    pub target: f64,
}

/// What the actor made of a minibatch; means over its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ActorEvaluation {
    /// `temperature · log-density − value`, which is minimised.
    pub loss: f64,
    /// Log-density of the drawn actions: minus the policy's entropy, in nats.
    pub log_density: f64,
}

/// Computes gradients for networks of one shape.
#[derive(Clone, Debug)]
pub struct Differentiator {
    shape: SacShape,
    actor: Weights,
    critics: Vec<Weights>,
    targets: Vec<Weights>,
    head: Head,
    shards: Vec<Shard>,
}

/// What one part of a minibatch needs and leaves.
#[derive(Clone, Debug)]
struct Shard {
    actor: Workspace,
    /// One for each critic.
    critics: Vec<Workspace>,
    drawn: Drawn,
    /// An observation and an action in each row, `[BLOCK, D + A]`.
    input: Vec<f32>,
    /// Outputs of each target critic for a block of rows.
    next_values: Vec<Vec<f32>>,
    /// Targets of one row.
    pooled: Vec<f32>,
    target: Vec<f64>,
    /// Of a loss by the drawn actions, `[BLOCK, A]`.
    action_gradient: Vec<f32>,
    /// Of a loss by the features of state-dependent noise, `[BLOCK, H]`; empty if exploration is Gaussian.
    feature_gradient: Vec<f32>,
    actor_gradient: Vec<f32>,
    /// Of the deviations of state-dependent noise, `[H, A]`.
    log_std: Vec<f64>,
    critic_gradients: Vec<Vec<f32>>,
    critic_sums: CriticEvaluation,
    actor_sums: ActorEvaluation,
}

impl Differentiator {
    /// For networks of this shape, before any weights are loaded.
    #[must_use]
    pub fn new(shape: &SacShape) -> Self {
        let (actor, critic, count) = (shape.actor(), shape.critic(), shape.critic.critics());
        let shard = Shard {
            actor: Workspace::activated(&actor, shape.actor_activation.into()),
            critics: vec![Workspace::activated(&critic, Activation::Relu); count],
            drawn: Drawn::default(),
            input: Vec::new(),
            next_values: vec![Vec::new(); count],
            pooled: Vec::new(),
            target: Vec::new(),
            action_gradient: Vec::new(),
            feature_gradient: Vec::new(),
            actor_gradient: vec![0.0; shape.actor_layers_len()],
            log_std: vec![0.0; shape.actor_len() - shape.actor_layers_len()],
            critic_gradients: vec![vec![0.0; shape.critic_len()]; count],
            critic_sums: CriticEvaluation::default(),
            actor_sums: ActorEvaluation::default(),
        };
        Self {
            actor: Weights::new(&actor),
            critics: vec![Weights::reaching(&critic, Reach::Input); count],
            targets: vec![Weights::reaching(&critic, Reach::Nothing); count],
            head: Head::new(shape),
            shards: vec![shard; SHARDS],
            shape: shape.clone(),
        }
    }

    /// Takes over all weights.
    pub fn load(&mut self, networks: &Networks) {
        self.load_actor(networks);
        self.load_critics(networks);
        self.load_targets(networks);
    }

    pub(super) fn load_actor(&mut self, networks: &Networks) {
        self.actor.load(&networks.actor[..self.shape.actor_layers_len()]);
        self.head.load(networks.log_std());
    }

    pub(super) fn load_critics(&mut self, networks: &Networks) {
        for (weights, flat) in self.critics.iter_mut().zip(&networks.critics) {
            weights.load(flat);
        }
    }

    pub(super) fn load_targets(&mut self, networks: &Networks) {
        for (weights, flat) in self.targets.iter_mut().zip(&networks.targets) {
            weights.load(flat);
        }
    }

    /// Evaluates the critics' losses and writes their gradients, `[critics][parameters]`.
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn critics(
        &mut self,
        batch: &Batch,
        noise: &Noise,
        temperature: f64,
        gradients: &mut [Vec<f32>],
    ) -> CriticEvaluation {
        let work = Work::new(&self.shape, (&self.actor, &self.critics, &self.targets), &self.head, batch, noise);
        let used = over_shards(&mut self.shards, batch.len(), |shard, rows| shard.critics(&work, temperature, rows));
        let mut total = CriticEvaluation::default();
        for shard in &self.shards[..used] {
            total.loss += shard.critic_sums.loss * work.scale;
            total.value += shard.critic_sums.value * work.scale;
            total.target += shard.critic_sums.target * work.scale;
        }
        for (index, gradient) in gradients.iter_mut().enumerate() {
            sum_into(gradient, self.shards[..used].iter().map(|shard| &shard.critic_gradients[index]));
        }
        total
    }

    /// Evaluates the actor's loss under the critics and writes the gradient of all its parameters.
    ///
    /// # Panics
    /// If the shapes disagree.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
    pub fn actor(&mut self, batch: &Batch, noise: &Noise, temperature: f64, gradient: &mut [f32]) -> ActorEvaluation {
        let work = Work::new(&self.shape, (&self.actor, &self.critics, &self.targets), &self.head, batch, noise);
        let used = over_shards(&mut self.shards, batch.len(), |shard, rows| shard.actor(&work, temperature, rows));
        let mut total = ActorEvaluation::default();
        for shard in &self.shards[..used] {
            total.loss += shard.actor_sums.loss * work.scale;
            total.log_density += shard.actor_sums.log_density * work.scale;
        }
        let (layers, log_std) = gradient.split_at_mut(self.shape.actor_layers_len());
        sum_into(layers, self.shards[..used].iter().map(|shard| &shard.actor_gradient));
        for (index, sum) in log_std.iter_mut().enumerate() {
            *sum = self.shards[..used].iter().map(|shard| shard.log_std[index]).sum::<f64>() as f32;
        }
        total
    }
}

/// Runs `work` over the rows of each shard; returns how many shards there were.
fn over_shards(shards: &mut [Shard], rows: usize, work: impl Fn(&mut Shard, Range<usize>) + Sync) -> usize {
    // Whole blocks to each shard, so that only the last rows of a minibatch fill none.
    let share = rows.div_ceil(SHARDS).next_multiple_of(BLOCK);
    let used = rows.div_ceil(share);
    let one = |(index, shard): (usize, &mut Shard)| work(shard, index * share..rows.min((index + 1) * share));
    if used == 1 || rayon::current_num_threads() == 1 {
        shards[..used].iter_mut().enumerate().for_each(one);
    } else {
        shards[..used].par_iter_mut().enumerate().for_each(one);
    }
    used
}

fn sum_into<'a>(sum: &mut [f32], mut parts: impl Iterator<Item = &'a Vec<f32>>) {
    sum.copy_from_slice(parts.next().expect("a minibatch has at least one part"));
    for part in parts {
        add_rows(part, sum);
    }
}

/// What all parts of a minibatch share.
struct Work<'a> {
    shape: &'a SacShape,
    actor: &'a Weights,
    critics: &'a [Weights],
    targets: &'a [Weights],
    head: &'a Head,
    batch: &'a Batch,
    noise: &'a Noise,
    /// Reciprocal of the number of rows.
    scale: f64,
}

impl<'a> Work<'a> {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    fn new(
        shape: &'a SacShape,
        (actor, critics, targets): (&'a Weights, &'a [Weights], &'a [Weights]),
        head: &'a Head,
        batch: &'a Batch,
        noise: &'a Noise,
    ) -> Self {
        assert_eq!(batch.observation.len(), batch.len() * shape.observation, "observations must be [N, D]");
        assert_eq!(batch.action.len(), batch.len() * shape.action, "actions must be [N, A]");
        Self { shape, actor, critics, targets, head, batch, noise, scale: 1.0 / batch.len() as f64 }
    }

    /// A block of rows of a buffer of the batch.
    fn block<'b>(&self, buffer: &'b [f32], rows: &Range<usize>) -> &'b [f32] {
        let width = buffer.len() / self.batch.len();
        &buffer[rows.start * width..rows.end * width]
    }
}

/// Cuts a part of a minibatch into blocks.
fn blocks(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(BLOCK).map(move |start| start..end.min(start + BLOCK))
}

impl Shard {
    /// Adds the critics' losses and gradients of `rows`.
    fn critics(&mut self, work: &Work<'_>, temperature: f64, rows: Range<usize>) {
        self.critic_sums = CriticEvaluation::default();
        self.critic_gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
        for rows in blocks(rows) {
            self.act(work, &work.batch.next_observation, &rows);
            self.join(work, work.block(&work.batch.next_observation, &rows), None);
            for ((weights, critic), values) in work.targets.iter().zip(&mut self.critics).zip(&mut self.next_values) {
                critic.forward(weights, &self.input);
                values.clear();
                values.extend_from_slice(critic.ends(rows.len()).0);
            }
            let action = work.block(&work.batch.action, &rows);
            self.join(work, work.block(&work.batch.observation, &rows), Some(action));
            for (weights, critic) in work.critics.iter().zip(&mut self.critics) {
                critic.forward(weights, &self.input);
            }
            for (row, at) in rows.clone().enumerate() {
                self.target(work, temperature, row, at);
                self.regress(work, row, rows.len());
            }
            let critics = work.critics.iter().zip(&mut self.critics);
            for ((weights, critic), gradient) in critics.zip(&mut self.critic_gradients) {
                critic.backward(weights, &self.input, gradient);
            }
        }
    }

    /// Draws the actor's actions for a block of rows of `observations`.
    fn act(&mut self, work: &Work<'_>, observations: &[f32], rows: &Range<usize>) {
        self.actor.forward(work.actor, work.block(observations, rows));
        let outputs = Outputs { last: self.actor.output(rows.len()), features: self.actor.features(rows.len()) };
        work.head.draw(rows, outputs, work.noise, &mut self.drawn);
    }

    /// Lays out what a critic reads: observations, and actions or else the drawn ones.
    fn join(&mut self, work: &Work<'_>, observations: &[f32], actions: Option<&[f32]>) {
        let actions = actions.unwrap_or(&self.drawn.action);
        self.input.clear();
        let rows = observations.chunks_exact(work.shape.observation).zip(actions.chunks_exact(work.shape.action));
        for (observation, action) in rows {
            self.input.extend_from_slice(observation);
            self.input.extend_from_slice(action);
        }
    }

    /// Finds the target, or the targets, of row `row` of a block, which is row `at` of the minibatch.
    fn target(&mut self, work: &Work<'_>, temperature: f64, row: usize, at: usize) {
        self.pooled.clear();
        let outputs = work.shape.critic.outputs();
        for values in &self.next_values {
            self.pooled.extend_from_slice(&values[row * outputs..(row + 1) * outputs]);
        }
        match work.shape.critic {
            CriticKind::Twin => {
                // A NaN is kept, to be found in the loss.
                let lower = self.pooled.iter().copied().reduce(|a, b| if b < a || b.is_nan() { b } else { a });
                self.pooled.clear();
                self.pooled.extend(lower);
            }
            CriticKind::Quantiles { critics, dropped, .. } => quantiles::truncate(&mut self.pooled, critics * dropped),
        }
        let entropy = -temperature * self.drawn.log_density[row];
        let (reward, discount) = (f64::from(work.batch.reward[at]), f64::from(work.batch.discount[at]));
        self.target.clear();
        // Behind a terminated step nothing follows, whatever the networks say of it.
        let bootstrap = |value: &f32| if discount > 0.0 { discount * (f64::from(*value) + entropy) } else { 0.0 };
        self.target.extend(self.pooled.iter().map(|value| reward + bootstrap(value)));
    }

    /// Compares the critics' outputs of one row with its targets, and writes the gradient.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "gradients are single precision")]
    fn regress(&mut self, work: &Work<'_>, row: usize, rows: usize) {
        let critics = self.critics.len() as f64;
        let outputs = work.shape.critic.outputs();
        let here = row * outputs..(row + 1) * outputs;
        self.critic_sums.target += self.target.iter().sum::<f64>() / self.target.len() as f64;
        for critic in &mut self.critics {
            let (values, gradient) = critic.ends(rows);
            let (values, gradient) = (&values[here.clone()], &mut gradient[here.clone()]);
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / outputs as f64;
            self.critic_sums.value += mean / critics;
            self.critic_sums.loss += match work.shape.critic {
                CriticKind::Twin => {
                    let error = mean - self.target[0];
                    gradient[0] = (work.scale * error) as f32;
                    0.5 * error * error
                }
                CriticKind::Quantiles { .. } => quantiles::loss(values, &self.target, work.scale, gradient),
            };
        }
    }

    /// Adds the actor's loss and gradient of `rows`.
    fn actor(&mut self, work: &Work<'_>, temperature: f64, rows: Range<usize>) {
        self.actor_sums = ActorEvaluation::default();
        self.actor_gradient.fill(0.0);
        self.log_std.fill(0.0);
        for rows in blocks(rows) {
            self.act(work, &work.batch.observation, &rows);
            let observation = work.block(&work.batch.observation, &rows);
            self.join(work, observation, None);
            for (weights, critic) in work.critics.iter().zip(&mut self.critics) {
                critic.forward(weights, &self.input);
            }
            for row in 0..rows.len() {
                let value = self.choose(work, row, rows.len());
                let log_density = self.drawn.log_density[row];
                self.actor_sums.loss += temperature * log_density - value;
                self.actor_sums.log_density += log_density;
            }
            self.differentiate_action(work, rows.len());
            self.feature_gradient.clear();
            if work.shape.exploration == Exploration::StateDependent {
                self.feature_gradient.resize(rows.len() * work.shape.features(), 0.0);
            }
            let Self { actor, drawn, action_gradient, feature_gradient, log_std, .. } = self;
            let (last, features, delta) = actor.all_ends(rows.len());
            let outputs = Outputs { last, features };
            let slopes = (&action_gradient[..], temperature * work.scale);
            work.head.backward((&rows, outputs, work.noise), drawn, slopes, (delta, feature_gradient), log_std);
            actor.backward_with(work.actor, observation, feature_gradient, &mut self.actor_gradient);
        }
    }

    /// The value of one row's drawn action; writes the gradient of minus its mean over the minibatch.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "gradients are single precision")]
    fn choose(&mut self, work: &Work<'_>, row: usize, rows: usize) -> f64 {
        let outputs = work.shape.critic.outputs();
        let here = row * outputs..(row + 1) * outputs;
        match work.shape.critic {
            CriticKind::Twin => {
                let values = [0, 1].map(|index: usize| self.critics[index].output(rows)[row]);
                let lower = usize::from(values[1] < values[0] || values[1].is_nan());
                for (index, critic) in self.critics.iter_mut().enumerate() {
                    critic.ends(rows).1[row] = if index == lower { -work.scale as f32 } else { 0.0 };
                }
                f64::from(values[lower])
            }
            CriticKind::Quantiles { critics, count, .. } => {
                let share = 1.0 / (critics * count) as f64;
                let mut sum = 0.0;
                for critic in &mut self.critics {
                    let (values, gradient) = critic.ends(rows);
                    sum += values[here.clone()].iter().map(|&value| f64::from(value)).sum::<f64>();
                    gradient[here.clone()].fill((-work.scale * share) as f32);
                }
                share * sum
            }
        }
    }

    /// Carries the gradient of the critics' outputs back to the drawn actions of a block.
    fn differentiate_action(&mut self, work: &Work<'_>, rows: usize) {
        let (width, actions) = (work.shape.observation + work.shape.action, work.shape.action);
        self.action_gradient.clear();
        self.action_gradient.resize(rows * actions, 0.0);
        for (weights, critic) in work.critics.iter().zip(&mut self.critics) {
            let input = critic.backward_to_input(weights, rows);
            let sums = self.action_gradient.chunks_exact_mut(actions);
            for (sum, row) in sums.zip(input.chunks_exact(width)) {
                for (sum, part) in sum.iter_mut().zip(&row[work.shape.observation..]) {
                    *sum += part;
                }
            }
        }
    }
}
