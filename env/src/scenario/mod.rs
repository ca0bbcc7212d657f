//! A scenario: everything about one market but its seed and the venue's rules.

mod config;
mod options;
pub mod presets;
mod stablecoin;
mod withdrawals;

pub use config::{ClockConfig, FundingConfig, RewardConfig, Scenario, VenueConfig};
pub use options::{DeskMarginConfig, OptionsConfig};
pub use stablecoin::{DepegConfig, StablecoinConfig};
pub use withdrawals::WithdrawalConfig;
