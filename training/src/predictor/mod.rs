//! A supervised network that forecasts volatility and ruin: one more trainer, of something that is no policy.
//!
//! From a row of inputs come, for each horizon, a variance and the laws of the furthest excursion to either side. [`loss`]
//! says how they are held against what came, [`learner`] trains an ensemble with early stopping, [`Predictor`] is what is left.
//!
//! Not here: where inputs come from, and whether the forecasts are any good: `eval` judges them beside their rivals.

pub mod config;
pub mod examples;
pub mod learner;
pub mod loss;
mod model;
#[cfg(test)]
mod tests;

pub use config::PredictorConfig;
pub use examples::Examples;
pub use learner::{Epoch, Trained, train};
pub use loss::Ladder;
pub use model::{Outlooks, Predictor};
