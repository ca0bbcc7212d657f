//! Scenarios and seeds to records, metrics, statistics and tables.
//!
//! A [`suite::Suite`] names scenarios and held-out seeds; [`runner::run`] lets every [`contender::Contender`] meet all of
//! them; [`metric`] reads each episode; [`report::Report`] says what follows, with intervals. [`statistics`] knows nothing
//! of the rest. [`calibration`] turns real series into parameters.
//!
//! Not here: trainers, files, clocks, printing. A learned policy enters as a [`seawall_agents::Policy`] like any other.

pub mod calibration;
pub mod contender;
pub mod counterfactual;
pub mod error;
pub mod forecast;
pub mod gate;
pub mod metric;
pub mod path;
pub mod planner;
pub mod record;
pub mod report;
pub mod runner;
pub mod statistics;
pub mod suite;
pub mod validation;

pub use contender::Contender;
pub use error::Error;
pub use record::Records;
pub use report::{Report, Settings};
pub use runner::{Episodes, Grid, run};
pub use suite::{Split, Suite};
