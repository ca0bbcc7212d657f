//! The market, and the market as a decision process.

pub mod action;
pub mod error;
pub mod gym;
pub mod outcome;
pub mod rng;
pub mod spaces;
pub mod units;
pub mod vec_env;

pub use error::{Error, Problem, Problems};
pub use gym::{Env, Spec, Status, Step};
pub use rng::{Counter, Purpose, SeedTree};
pub use vec_env::VecEnv;
