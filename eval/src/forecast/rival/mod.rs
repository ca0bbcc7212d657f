//! Textbook forecasters of variance, fitted on the calibration half, with ruin by [`HalfT`] on top.

mod ewma;
mod garch;
mod har;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use serde::Serialize;

use super::barrier::HalfT;
use super::{BUCKETS, Column, Forecast, Frame, HORIZONS, Set, distances};
use crate::statistics::real;

pub use ewma::Ewma;
pub use garch::GarchT;
pub use har::Har;

/// One forecast of variance for each example of a set.
type Variances = Vec<[f64; HORIZONS.len()]>;
/// How a model comes from a set.
type Fit = dyn Fn(&Set) -> Option<Model> + Sync;

/// Names of the rivals, in the order of tables.
pub const NAMES: [&str; 6] = ["constant", "ewma_daily", "ewma", "garch_t", "har", "har_x"];

/// A fitted rival: forecasts of variance and of ruin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rival {
    /// Name in tables.
    pub name: &'static str,
    /// What makes its variance.
    pub model: Model,
    /// What makes ruin of it, by horizon.
    pub ruin: Ruin,
}

/// How variance is forecast.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The mean of the calibration half, whatever happened since.
    Constant([f64; HORIZONS.len()]),
    /// An exponentially weighted mean of squared returns.
    Ewma(Ewma),
    /// GARCH(1,1) with Student-t innovations.
    Garch(GarchT),
    /// A regression of the logarithm of realised variance.
    Har(Har),
}

/// How the probability of ruin is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruin {
    /// The share of the calibration half, whatever happened since.
    Share([[f64; BUCKETS]; HORIZONS.len()]),
    /// By the law of excursions over the forecast deviation.
    Excursion([HalfT; HORIZONS.len()]),
}

impl Rival {
    /// Fits every rival of [`NAMES`] on a set, in that order: those whose model can be fitted at all.
    #[must_use]
    pub fn fit_all(set: &Set) -> Vec<Self> {
        let fits: [&Fit; NAMES.len()] = [
            &|set| Some(Model::Constant(means(set))),
            &|set| Some(Model::Ewma(Ewma::daily(set.frame.bar_ms()))),
            &|set| Ewma::fit(set).map(Model::Ewma),
            &|set| GarchT::fit(set).map(Model::Garch),
            &|set| Har::fit(set, super::feature::REALISED).map(Model::Har),
            &|set| Har::fit(set, set.frame.features().len()).map(Model::Har),
        ];
        let fit = |(name, fit): (&'static str, &Fit)| {
            let model = fit(set)?;
            let ruin =
                if matches!(model, Model::Constant(_)) { shares(set) } else { laws(set, &model.variances(set))? };
            Some(Self { name, model, ruin })
        };
        NAMES.into_par_iter().zip(fits).map(fit).collect::<Vec<Option<Self>>>().into_iter().flatten().collect()
    }

    /// What it says of every example.
    #[must_use]
    pub fn forecast(&self, set: &Set) -> Column {
        let distances = distances();
        let forecasts = self.model.variances(set).into_iter().map(|variance| {
            let ruin = match &self.ruin {
                Ruin::Share(shares) => *shares,
                Ruin::Excursion(laws) => core::array::from_fn(|horizon| {
                    distances.map(|distance| laws[horizon].beyond(distance, variance[horizon].sqrt()))
                }),
            };
            Forecast { variance, ruin }
        });
        Column { name: self.name.to_owned(), forecasts: forecasts.collect() }
    }
}

impl Model {
    /// Forecasts of variance.
    fn variances(&self, set: &Set) -> Variances {
        match self {
            Self::Constant(means) => vec![*means; set.examples.len()],
            Self::Ewma(model) => model.variances(set),
            Self::Garch(model) => model.variances(set),
            Self::Har(model) => model.variances(set),
        }
    }
}

fn means(set: &Set) -> [f64; HORIZONS.len()] {
    core::array::from_fn(|horizon| {
        set.examples.iter().map(|example| example.outcome.variance[horizon]).sum::<f64>()
            / real(set.examples.len().max(1))
    })
}

/// Shares of ruined accounts, with half a ruin added, so that what has not happened yet is not ruled out.
fn shares(set: &Set) -> Ruin {
    Ruin::Share(core::array::from_fn(|horizon| {
        let mut counts = [0_usize; BUCKETS];
        for example in &set.examples {
            for (count, ruined) in counts.iter_mut().zip(example.outcome.ruined(horizon)) {
                *count += usize::from(ruined);
            }
        }
        counts.map(|count| (real(count) + 0.5) / real(set.examples.len() + 1))
    }))
}

/// Law of excursions of both sides over the forecast deviation, by horizon.
fn laws(set: &Set, variances: &[[f64; HORIZONS.len()]]) -> Option<Ruin> {
    let law = |horizon: usize| {
        let over = |(example, variance): (&super::Example, &[f64; HORIZONS.len()])| {
            example.outcome.excursion[horizon].map(|excursion| excursion / variance[horizon].sqrt())
        };
        HalfT::fit(&set.examples.iter().zip(variances).flat_map(over).collect::<Vec<f64>>())
    };
    let laws: Vec<HalfT> = (0..HORIZONS.len()).map(law).collect::<Option<_>>()?;
    Some(Ruin::Excursion(laws.try_into().ok()?))
}

/// Bars of each horizon, as a factor.
fn bars() -> [f64; HORIZONS.len()] {
    HORIZONS.map(real)
}

/// Runs a filter of the variance of the next bar along every history, from the mean square of its first day on, or from the
/// frame's where examples begin with the first bar, and takes what `ahead` makes of it at each example.
fn filtered(set: &Set, step: impl Fn(f64, f64) -> f64, ahead: impl Fn(f64) -> [f64; HORIZONS.len()]) -> Variances {
    let mut variances = Vec::with_capacity(set.examples.len());
    let mut examples = set.examples.iter().peekable();
    for (place, history) in set.histories.iter().enumerate() {
        let start = match set.frame {
            Frame::Days => {
                let first = &history.returns[..super::feature::LOOKBACK.min(history.len())];
                crate::calibration::variance::realised(first) / real(first.len())
            }
            Frame::Episodes { variance, .. } => variance,
        };
        let mut variance = start.max(VARIANCE_MIN);
        for (at, r) in history.returns.iter().enumerate() {
            variance = step(variance, *r).max(VARIANCE_MIN);
            if examples.next_if(|example| example.history == place && example.at == at).is_some() {
                variances.push(ahead(variance));
            }
        }
    }
    assert_eq!(variances.len(), set.examples.len(), "examples are in the order of their histories");
    variances
}

/// A market that stands still has a variance too: a hundredth of a basis point, squared.
const VARIANCE_MIN: f64 = 1e-12;
