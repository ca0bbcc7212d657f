//! From real series to the parameters of the market: one estimator a file, each with its standard error.
//!
//! Estimators take slices, cut into runs without a hole where time matters, and know neither files nor dates. What they
//! estimate is what `env` is configured by, so that a fitted number can be written into a scenario as it is.
//!
//! Not here: reading, printing, and which window a number came from.

pub mod autoregression;
pub mod clustering;
pub mod depth;
pub mod garch;
pub mod hawkes;
pub mod jackknife;
pub mod jumps;
pub mod long_run;
pub mod minimise;
pub mod rank;
pub mod regimes;
pub mod regression;
#[cfg(test)]
pub(crate) mod simulated;
pub mod tails;
pub mod variance;
pub mod world;

use serde::{Deserialize, Serialize};

/// A parameter as it was estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// Point estimate.
    pub value: f64,
    /// Standard error; nothing where the likelihood has no curvature to take it from, or the value is an extreme.
    pub standard_error: Option<f64>,
    /// Observations that it rests on.
    pub n: usize,
}

impl Fitted {
    /// An estimate with its standard error.
    #[must_use]
    pub const fn new(value: f64, standard_error: f64, n: usize) -> Self {
        Self { value, standard_error: Some(standard_error), n }
    }

    /// An estimate of unknown precision.
    #[must_use]
    pub const fn bare(value: f64, n: usize) -> Self {
        Self { value, standard_error: None, n }
    }

    /// The estimate of a smooth function of the parameter, by the delta method.
    #[must_use]
    pub fn through(self, value: f64, slope: f64) -> Self {
        Self { value, standard_error: self.standard_error.map(|error| error * slope.abs()), n: self.n }
    }

    /// The estimate in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        self.through(self.value * factor, factor)
    }
}
