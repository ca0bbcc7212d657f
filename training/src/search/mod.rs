//! Search without gradients: what the strategies share.
//!
//! A [`Strategy`] proposes parameter vectors and learns from their scores alone; [`Searcher`] plays them in environments
//! ([`mod@evaluate`]), shapes what they earned and keeps everything in a checkpoint. A strategy's draws are a pure
//! function of its seed and the generation, so there is no generator to save, and asking twice gives the same
//! candidates. All candidates of a generation meet the same episodes (common random numbers), and every generation
//! meets new ones: a fixed set of scenarios is over-fitted (Ng & Jordan 2000, "PEGASUS").
//!
//! Strategies stand in folders of their own: [`crate::cma_es`], [`crate::openai_es`], [`crate::ars`], [`crate::cem`].

pub mod config;
mod draws;
pub mod evaluate;
mod form;
mod learner;
mod searcher;
mod shaping;
mod state;
mod strategy;

pub use config::{Algorithm, Objective, SearchConfig};
pub use form::{Form, NetworkForm};
pub use learner::NetworkSearch;
pub use searcher::{Generation, Searcher, episode_seeds};
pub use strategy::{AnyStrategy, Strategy};

pub(crate) use draws::normals;
pub(crate) use shaping::{best_first, centred_ranks};
