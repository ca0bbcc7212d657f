//! A scenario: everything about one market but its seed and the venue's rules.

mod config;
pub mod presets;

pub use config::{ClockConfig, FundingConfig, RewardConfig, Scenario, VenueConfig};
