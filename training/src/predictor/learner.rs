//! Training of an ensemble: each member by itself, from its own streams, so that threads change nothing.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use rayon::prelude::*;
use seawall_env::{Problems, Purpose, SeedTree};
use serde::{Deserialize, Serialize};

use super::config::PredictorConfig;
use super::examples::Examples;
use super::loss::{Ladder, loss};
use super::model::Predictor;
use crate::Error;
use crate::error::check_finite;
use crate::network::{BLOCK, Weights, Workspace, orthogonal, size};
use crate::optimiser::{Adam, clip_global_norm};

/// Gains of the first weights: what goes on to a tangent, and outputs, which start at what is right on average.
const HIDDEN_GAIN: f64 = core::f64::consts::SQRT_2;
const OUTPUT_GAIN: f64 = 0.01;
/// First steepness of the laws of excursions: tails of returns fall with the third power (Cont 2001, §3).
const STEEPNESS: f64 = 3.0;
/// Excursions below a tenth of a basis point count as that, so that they have a logarithm.
const EXCURSION_MIN: f64 = 1e-5;

/// One epoch of one member.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which member.
    pub member: usize,
    /// Which epoch, from zero.
    pub epoch: usize,
    /// Mean loss of the epoch's minibatches, in nats.
    pub fitted: f64,
    /// Mean loss on the examples that were kept from it, in nats.
    pub kept: f64,
}

/// An ensemble and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The ensemble, each member as of its best epoch.
    pub predictor: Predictor,
    /// Every epoch, by member.
    pub epochs: Vec<Epoch>,
}

/// Trains on `fit`, each member until the loss on `kept` has stopped falling.
///
/// # Errors
/// [`Error::Config`] with everything that is wrong with the configuration or the examples; [`Error::NotFinite`] if a loss is not.
///
/// # Panics
/// If the lengths of the examples disagree.
pub fn train(
    config: &PredictorConfig,
    [fit, kept]: [&Examples; 2],
    ladder: &Ladder,
    seeds: SeedTree,
) -> Result<Trained, Error> {
    check(config, [fit, kept])?;
    let (mean, scale) = standards(fit);
    let mut predictor =
        Predictor { horizons: fit.horizons, hidden: config.hidden.clone(), mean, scale, members: Vec::new() };
    let standardised =
        |examples: &Examples| Examples { input: predictor.standardised(&examples.input), ..examples.clone() };
    let data = [standardised(fit), standardised(kept)];
    let widths = predictor.widths();
    let members = (0..config.members).into_par_iter();
    let trained: Vec<Result<Finished, Error>> =
        members.map(|member| Member::new(config, &widths, ladder, (seeds, member), &data[0]).train(&data)).collect();
    let mut epochs = Vec::new();
    for member in trained {
        let (flat, log) = member?;
        predictor.members.push(flat);
        epochs.extend(log);
    }
    Ok(Trained { predictor, epochs })
}

fn check(config: &PredictorConfig, sets: [&Examples; 2]) -> Result<(), Error> {
    let mut problems = Problems::default();
    config.validate("predictor", &mut problems);
    for (name, examples) in ["fit", "kept"].into_iter().zip(sets) {
        problems.require(!examples.is_empty(), name, "0 examples", "at least 1");
        let is_bad = |x: &f64| !x.is_finite() || *x < 0.0;
        let wrong = examples.input.iter().filter(|x| !x.is_finite()).count()
            + examples.variance.iter().chain(&examples.excursion).filter(|x| is_bad(x)).count();
        let bound = "finite inputs, and outcomes that are not negative";
        problems.require(wrong == 0, name, format!("{wrong} bad numbers"), bound);
    }
    if problems.0.is_empty() { Ok(()) } else { Err(Error::Config(problems)) }
}

/// Mean of each input, and one over its deviation; an input that never changes keeps its size.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "inputs are single precision")]
fn standards(examples: &Examples) -> (Vec<f32>, Vec<f32>) {
    let n = examples.len() as f64;
    let column = |k: usize| examples.input.iter().skip(k).step_by(examples.width).map(|x| f64::from(*x));
    let of = |k: usize| {
        let mean = column(k).sum::<f64>() / n;
        let deviation = (column(k).map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
        (mean as f32, if deviation > 1e-6 { (1.0 / deviation) as f32 } else { 1.0 })
    };
    (0..examples.width).map(of).unzip()
}

/// Weights of a member's best epoch, and all its epochs.
type Finished = (Vec<f32>, Vec<Epoch>);

/// One network while it is trained.
pub(super) struct Member<'a> {
    config: &'a PredictorConfig,
    widths: &'a [Vec<(usize, usize)>; 2],
    ladder: &'a Ladder,
    index: usize,
    shuffle: ChaCha8Rng,
    pub(super) flat: Vec<f32>,
    /// Of the layers, and of the straight way.
    ways: [(Weights, Workspace); 2],
    input: Vec<f32>,
    output: Vec<f64>,
    by_output: Vec<f64>,
}

impl<'a> Member<'a> {
    pub(super) fn new(
        config: &'a PredictorConfig,
        widths: &'a [Vec<(usize, usize)>; 2],
        ladder: &'a Ladder,
        (seeds, index): (SeedTree, usize),
        fit: &Examples,
    ) -> Self {
        let [deep, straight] = widths;
        let mut flat = Vec::with_capacity(size(deep) + size(straight));
        for (layer, &(inputs, outputs)) in deep.iter().enumerate() {
            let gain = if layer + 1 == deep.len() { OUTPUT_GAIN } else { HIDDEN_GAIN };
            let mut rng = seeds.stream(Purpose::Weights, (index as u64) << 8 | layer as u64);
            flat.extend(orthogonal(inputs, outputs, gain, &mut rng));
            flat.extend(core::iter::repeat_n(0.0, outputs));
        }
        // The straight way starts at what is right on average, whatever goes in.
        let first = first_outputs(fit);
        let outputs = first.len();
        flat.extend(core::iter::repeat_n(0.0, size(straight) - outputs));
        flat.extend(first);
        Self {
            config,
            widths,
            ladder,
            index,
            shuffle: seeds.stream(Purpose::Shuffle, index as u64),
            flat,
            ways: widths.each_ref().map(|widths| (Weights::new(widths), Workspace::new(widths))),
            input: Vec::new(),
            output: vec![0.0; outputs],
            by_output: vec![0.0; outputs],
        }
    }

    /// Trains until the loss on what is kept has stopped falling; weights of the best epoch.
    #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
    fn train(mut self, [fit, kept]: &[Examples; 2]) -> Result<Finished, Error> {
        let mut order: Vec<usize> = (0..fit.len()).collect();
        let all: Vec<usize> = (0..kept.len()).collect();
        let mut adam = Adam::new(self.flat.len());
        let mut gradient = vec![0.0; self.flat.len()];
        let (mut best, mut lowest, mut at) = (self.flat.clone(), f64::INFINITY, 0);
        let mut epochs = Vec::new();
        for epoch in 0..self.config.epochs_max {
            shuffled(&mut order, &mut self.shuffle);
            let mut sum = 0.0;
            for rows in order.chunks(self.config.minibatch) {
                gradient.fill(0.0);
                sum += self.evaluate(fit, rows, Some(&mut gradient));
                clip_global_norm(&mut gradient, self.config.gradient_norm_max);
                self.decay();
                adam.step(self.config.learning_rate, &mut self.flat, &gradient);
            }
            let kept_loss = self.evaluate(kept, &all, None) / all.len() as f64;
            check_finite("predictor's loss", &[kept_loss], epoch as u64)?;
            epochs.push(Epoch { member: self.index, epoch, fitted: sum / order.len() as f64, kept: kept_loss });
            if kept_loss < lowest {
                (lowest, at) = (kept_loss, epoch);
                best.copy_from_slice(&self.flat);
            } else if epoch - at >= self.config.patience {
                break;
            }
        }
        Ok((best, epochs))
    }

    /// Sum of the losses of some rows; with a `gradient`, adds that of their mean to it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "gradients are single precision")]
    pub(super) fn evaluate(&mut self, examples: &Examples, rows: &[usize], mut gradient: Option<&mut [f32]>) -> f64 {
        let border = size(&self.widths[0]);
        let (deep, straight) = self.flat.split_at(border);
        self.ways[0].0.load(deep);
        self.ways[1].0.load(straight);
        let share = 1.0 / rows.len() as f64;
        let width = self.output.len();
        let mut sum = 0.0;
        for block in rows.chunks(BLOCK) {
            self.input.clear();
            block.iter().for_each(|row| self.input.extend_from_slice(examples.row(*row)));
            for (weights, workspace) in &mut self.ways {
                workspace.forward(weights, &self.input);
            }
            let [deep, straight] = self.ways.each_mut().map(|(_, workspace)| workspace.ends(block.len()));
            for (k, row) in block.iter().enumerate() {
                let here = k * width..(k + 1) * width;
                let both = deep.0[here.clone()].iter().zip(&straight.0[here.clone()]);
                self.output.iter_mut().zip(both).for_each(|(sum, (a, b))| *sum = f64::from(*a) + f64::from(*b));
                sum += loss(&self.output, examples.outcome(*row), self.ladder, &mut self.by_output);
                deep.1[here].iter_mut().zip(&self.by_output).for_each(|(delta, g)| *delta = (share * g) as f32);
            }
            // Both ways are added, so both have the same gradient.
            straight.1.copy_from_slice(deep.1);
            if let Some(gradient) = gradient.as_deref_mut() {
                let (deep, straight) = gradient.split_at_mut(border);
                for ((weights, workspace), gradient) in self.ways.iter_mut().zip([deep, straight]) {
                    workspace.backward(weights, &self.input, gradient);
                }
            }
        }
        sum
    }

    /// Takes their share off all weights; biases keep theirs.
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    fn decay(&mut self) {
        let keep = (1.0 - self.config.learning_rate * self.config.weight_decay) as f32;
        let mut rest = self.flat.as_mut_slice();
        for &(inputs, outputs) in self.widths.iter().flatten() {
            let (layer, after) = rest.split_at_mut((inputs + 1) * outputs);
            layer[..inputs * outputs].iter_mut().for_each(|weight| *weight *= keep);
            rest = after;
        }
    }
}

/// Outputs that are right on average: mean variance, mean log excursion, tails of returns.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "biases are single precision")]
fn first_outputs(examples: &Examples) -> Vec<f32> {
    let n = examples.len() as f64;
    let steepness = libm::log(STEEPNESS) as f32;
    let mut outputs = Vec::new();
    for horizon in 0..examples.horizons {
        let variance = examples.variance.iter().skip(horizon).step_by(examples.horizons).sum::<f64>() / n;
        outputs.push(libm::log(variance.max(EXCURSION_MIN * EXCURSION_MIN)) as f32);
        for side in 0..2 {
            let excursions = examples.excursion.iter().skip(2 * horizon + side).step_by(2 * examples.horizons);
            let place = excursions.map(|x| libm::log(x.max(EXCURSION_MIN))).sum::<f64>() / n;
            outputs.extend([place as f32, steepness]);
        }
    }
    outputs
}

/// Fisher & Yates; the bias of a product's upper half is below the length over 2⁶⁴.
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below the length")]
fn shuffled(order: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..order.len()).rev() {
        let other = ((u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64) as usize;
        order.swap(last, other);
    }
}
