//! Soft actor-critic: off-policy learning of a stochastic policy that is paid for its entropy.
//!
//! One iteration steps the environments into a memory of transitions (`replay`) and makes gradient steps on samples
//! of it ([`gradient`], derived by hand and compared with burn in tests); [`Learner`] holds everything that outlives
//! an iteration. Critics are twins of which the lower counts, or truncated quantiles. Networks with memory, offline
//! data and prioritised replay are deliberately not here.
//!
//! # Reference
//! Haarnoja et al. 2018a (arXiv:1801.01290) and 2018b (arXiv:1812.05905); Kuznetsov et al. 2020 (arXiv:2005.04269),
//! truncated quantiles; Raffin et al. 2021 (arXiv:2005.05719), state-dependent exploration.

mod config;
pub mod gradient;
mod head;
mod learner;
mod networks;
mod quantiles;
mod replay;
mod rollout;
mod state;
mod update;

pub use config::{ActorActivation, CriticKind, Exploration, SacConfig, Temperature};
pub use head::Noise;
pub use learner::Learner;
pub use networks::{Networks, SacShape};
