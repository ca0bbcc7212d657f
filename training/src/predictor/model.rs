//! A trained ensemble.

use seawall_runtime::FormatError;
use seawall_runtime::network::Layer;
use seawall_runtime::predictor::{HORIZONS, PredictorContents, beyond, write_predictor};
use serde::{Deserialize, Serialize};

use super::loss::OUTPUTS;
use crate::network::{pairs, run, size, views};

/// An ensemble of networks over standardised inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictor {
    /// Horizons that it forecasts.
    pub(super) horizons: usize,
    /// Units of the hidden layers.
    pub(super) hidden: Vec<usize>,
    /// What is taken off each input, `[D]`.
    pub(super) mean: Vec<f32>,
    /// What it is multiplied by then, `[D]`.
    pub(super) scale: Vec<f32>,
    /// Each member's layers and then what leads from the inputs straight to the outputs, weight `[inputs, outputs]` and then
    /// bias `[outputs]`.
    pub(super) members: Vec<Vec<f32>>,
}

impl Predictor {
    /// Widths of the layers, and of the straight way.
    pub(super) fn widths(&self) -> [Vec<(usize, usize)>; 2] {
        let outputs = OUTPUTS * self.horizons;
        [pairs(self.mean.len(), &self.hidden, outputs), pairs(self.mean.len(), &[], outputs)]
    }

    /// Whether all parts fit together: what came out of a file may not.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_finite = |values: &[f32]| values.iter().all(|x| x.is_finite());
        self.horizons > 0
            && !self.mean.is_empty()
            && !self.hidden.contains(&0)
            && !self.members.is_empty()
            && self.scale.len() == self.mean.len()
            && is_finite(&self.mean)
            && is_finite(&self.scale)
            && self.members.iter().all(|flat| {
                flat.len() == self.widths().map(|widths| size(&widths)).iter().sum::<usize>() && is_finite(flat)
            })
    }

    /// Inputs of a row.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.mean.len()
    }

    /// Horizons.
    #[must_use]
    pub const fn horizons(&self) -> usize {
        self.horizons
    }

    /// Number of parameters of all members.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.members.iter().map(Vec::len).sum()
    }

    /// The file that engines run, over bars of `bar_ms`; forecast variances stand over those of `reference`.
    ///
    /// # Errors
    /// [`FormatError`] if the ensemble was trained on other inputs or horizons than those of [`seawall_runtime::predictor`], or a
    /// number is not sound.
    pub fn to_runtime(&self, bar_ms: u32, reference: [f64; HORIZONS.len()]) -> Result<Vec<u8>, FormatError> {
        let widths = self.widths();
        let members = self.members.iter().map(|flat| {
            let (deep, straight) = flat.split_at(size(&widths[0]));
            [views(deep, &widths[0]), views(straight, &widths[1])].concat()
        });
        let members: Vec<Vec<Layer<'_>>> = members.collect();
        let members: Vec<&[Layer<'_>]> = members.iter().map(Vec::as_slice).collect();
        let contents = PredictorContents { bar_ms, reference, mean: &self.mean, scale: &self.scale, members: &members };
        let mut bytes = Vec::new();
        write_predictor(&contents, |part| bytes.extend_from_slice(part))?;
        seawall_runtime::Predictor::parse(bytes.as_slice())?;
        Ok(bytes)
    }

    /// Inputs less their mean over their deviation, `[N, D]`.
    pub(super) fn standardised(&self, input: &[f32]) -> Vec<f32> {
        let standards = self.mean.iter().zip(&self.scale).cycle();
        input.iter().zip(standards).map(|(x, (mean, scale))| (x - mean) * scale).collect()
    }

    /// Forecasts for rows of inputs, `[N, D]`.
    ///
    /// # Panics
    /// If the rows are not as wide as those it was trained on.
    #[must_use]
    pub fn outlooks(&self, input: &[f32]) -> Outlooks {
        assert_eq!(input.len() % self.inputs(), 0, "whole rows of inputs");
        let (input, widths) = (self.standardised(input), self.widths());
        let outputs = self.members.iter().map(|flat| {
            let (deep, straight) = flat.split_at(size(&widths[0]));
            let [deep, straight] = [(deep, &widths[0]), (straight, &widths[1])].map(|(flat, widths)| {
                let layers: Vec<Layer<'_>> = views(flat, widths);
                run(&layers, &input)
            });
            deep.into_iter().zip(straight).map(|(deep, straight)| f64::from(deep) + f64::from(straight)).collect()
        });
        Outlooks { horizons: self.horizons, outputs: outputs.collect() }
    }
}

/// What an ensemble says of some rows; every forecast is the mean of its members'.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlooks {
    horizons: usize,
    /// Outputs of each member, `[N, H, 5]`.
    outputs: Vec<Vec<f64>>,
}

impl Outlooks {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outputs.first().map_or(0, |outputs| outputs.len() / (OUTPUTS * self.horizons))
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Variance of the log return.
    #[must_use]
    pub fn variance(&self, row: usize, horizon: usize) -> f64 {
        self.mean(row, horizon, |output| libm::exp(output[0]))
    }

    /// Probability that the log price moves by `distance` to one side: zero is down, one is up.
    #[must_use]
    pub fn beyond(&self, row: usize, horizon: usize, side: usize, distance: f64) -> f64 {
        let log_distance = libm::log(distance);
        self.mean(row, horizon, |output| beyond(output, side, log_distance))
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of members")]
    fn mean(&self, row: usize, horizon: usize, of: impl Fn(&[f64]) -> f64) -> f64 {
        let start = (row * self.horizons + horizon) * OUTPUTS;
        let sum: f64 = self.outputs.iter().map(|outputs| of(&outputs[start..start + OUTPUTS])).sum();
        sum / self.outputs.len() as f64
    }
}
