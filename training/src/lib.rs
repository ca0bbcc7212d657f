//! Trainers: environments in, policies out. The only crate that names burn.
//!
//! A [`Trainer`] trains on a [`seawall_env::VecEnv`] of any environment: [`Learner`] by proximal policy optimisation,
//! [`sac::Learner`] by the soft actor-critic, both judged on [`classic`] control. What comes out is a [`LearnedPolicy`],
//! plain weights. Rollouts run on the network of `seawall_runtime`, the one that engines embed; gradients are derived by
//! hand, or by burn, which is their reference. Random draws come from the run's named streams, never from the backend's
//! generator. Nothing here opens a file, reads a clock or prints, and nothing knows what market it trains in.

pub mod ars;
pub mod backend;
pub mod cem;
mod checkpoint;
pub mod classic;
pub mod cma_es;
pub mod config;
mod distribution;
mod episodes;
pub mod error;
pub mod gae;
pub mod network;
pub mod normaliser;
pub mod observer;
pub mod openai_es;
pub mod optimiser;
pub mod policy;
pub mod ppo;
pub mod predictor;
mod quantile;
pub mod sac;
pub mod search;
pub mod throughput;
pub mod trainer;

pub use backend::Backend;
pub use config::{
    AdvantageNormalisation, Gradient, Head, LagrangianConfig, Limit, Measure, PpoConfig, Recurrence, RewardTransform,
    WarmStartConfig,
};
pub use episodes::Episode;
pub use error::Error;
pub use observer::{Observer, Phase};
pub use policy::{Dense, LearnedPolicy};
pub use ppo::{Imitation, Learner};
pub use sac::SacConfig;
pub use search::{Form, SearchConfig, Searcher, Strategy};
pub use trainer::{Iteration, Trainer};
