//! Evolution strategies as a gradient estimate: mirrored normal perturbations, weighed by rank, followed by Adam.
//!
//! The distribution's shape is fixed: this scales to networks of many thousand weights, where a covariance does not.
//! Distributed workers and virtual batch normalisation are deliberately not here.
//!
//! # Reference
//! Salimans et al. 2017 (arXiv:1703.03864).

mod algorithm;
mod config;
mod state;

pub use algorithm::OpenAiEs;
pub use config::OpenAiEsConfig;
