//! Policies: hand-written baselines and exported learned ones.
//!
//! A [`Policy`] maps observations to actions and sees nothing else. Here are the policies that need no training
//! ([`Constant`], [`Random`], the three [`mod@generations`] of venues), [`Schedule`]s, all of them with constants that can be
//! [`mod@tuned`], the ones that were trained elsewhere and come
//! back as bytes ([`Exported`]), the solvency [`Shield`] in front of any
//! of them, a forecaster as part of what they see ([`mod@foresight`]), and the files that a trained policy leaves the project in ([`mod@export`]). What the
//! venue itself does is not here: that is a rule of the market.

mod constant;
mod error;
pub mod export;
mod exported;
pub mod foresight;
pub mod generations;
mod policy;
mod random;
mod schedule;
mod shield;
pub mod tuned;

pub use constant::Constant;
pub use error::{Difference, Differences, Error};
pub use exported::Exported;
pub use foresight::{BarRecorder, Foresight};
pub use generations::{Baseline, Gen2, Gen3, generations};
pub use policy::Policy;
pub use random::Random;
pub use schedule::{FEATURE_CLIP, FEATURES_MAX, Line, Schedule, ScheduleShape};
pub use shield::{Backstop, Shield, ShieldConfig, Shielded, ShieldedEnv, Tally};
