//! Cross-entropy method: a normal distribution with a deviation for each entry, refitted to the best candidates.
//!
//! Noise on the refitted variance, which fades, keeps the search from freezing early. Correlations are deliberately not
//! here: [`crate::cma_es`] has them.
//!
//! # Reference
//! Rubinstein 1999; Szita & Lőrincz 2006, "Learning Tetris using the noisy cross-entropy method".

mod algorithm;
mod config;
mod state;

pub use algorithm::Cem;
pub use config::CemConfig;
