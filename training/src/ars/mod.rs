//! Augmented random search: finite differences along random directions, the best of them, scaled by their spread.
//!
//! Version 2 standardises observations; those statistics are kept by [`crate::search::Searcher`], where every strategy
//! can have them (`observation_normalisation`).
//!
//! # Reference
//! Mania, Guy & Recht 2018 (arXiv:1803.07055).

mod algorithm;
mod config;
mod state;

pub use algorithm::Ars;
pub use config::ArsConfig;
