//! Estimators, intervals and tests: pure functions over numbers, one idea a file.
//!
//! Every estimator is defined once, over a [`Sample`] whose values carry multiplicities, so that the sample itself
//! (every multiplicity one) and its bootstrap resamples go through the same code. Nothing here knows what an
//! episode, a contender or a metric is.

pub mod bca;
pub mod correlation;
pub mod holm;
pub mod improvement;
pub mod interval;
pub mod kendall;
pub mod pareto;
pub mod profile;
pub mod quantile;
pub mod resample;
pub mod sample;
pub mod sign_flip;
pub mod tail;

pub use bca::bca;
pub use correlation::correlation;
pub use holm::holm;
pub use improvement::{improvement, probability_of_improvement};
pub use interval::{Estimate, Interval, Method, percentile};
pub use kendall::kendall;
pub use pareto::{NoFit, ParetoTail, pareto_tail};
pub use profile::{optimality_gap, performance_profile};
pub use quantile::quantile;
pub use resample::{Plan, Resamples};
pub use sample::{Sample, interquartile_mean, mean, median};
pub use sign_flip::{SignFlip, sign_flip};
pub use tail::{Side, Tail, conditional_value_at_risk};

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts of episodes and resamples are far below 2^53")]
pub(crate) const fn real(count: usize) -> f64 {
    count as f64
}
