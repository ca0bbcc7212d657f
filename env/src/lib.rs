//! The market, and the market as a decision process.
//!
//! [`task::CascadeEnv`] is the environment; [`market::Market`] is what it wraps; [`vec_env::VecEnv`] runs many.
//! Nothing here knows policies, opens a file, reads a clock or prints.

pub mod action;
mod arena;
pub mod book;
pub mod economy;
pub mod error;
pub mod gym;
pub mod halts;
pub mod instrument;
pub mod liquidation;
pub mod margin;
pub mod market;
pub mod mask;
pub mod observation;
pub mod outcome;
pub mod participants;
pub mod reward;
pub mod rng;
pub mod scenario;
pub mod spaces;
pub mod task;
pub mod units;
pub mod vec_env;
pub mod world;

pub use error::{Error, Problem, Problems};
pub use gym::{Env, Spec, Status, Step};
pub use instrument::{Instrument, Print};
pub use mask::Mask;
pub use rng::{Counter, Purpose, SeedTree};
pub use task::{CascadeEnv, Groups, Task};
pub use vec_env::VecEnv;
