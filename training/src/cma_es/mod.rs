//! Covariance matrix adaptation: a normal distribution that learns step size, scales and correlations from ranks.
//!
//! Full covariance with positive and, by default, negative recombination weights, and cumulative step-size adaptation,
//! all constants after the tutorial. Restarts, bounds and surrogates are deliberately not here: bounds are the business
//! of whoever decodes a candidate.
//!
//! # Reference
//! Hansen 2016, "The CMA evolution strategy: a tutorial" (arXiv:1604.00772).

mod algorithm;
mod config;
mod eigen;
mod rates;
mod state;

pub use algorithm::CmaEs;
pub use config::CmaEsConfig;
