//! What an account must hold, who falls short of it, and how much would be sold if the price moved: pure arithmetic.
//!
//! | file | question |
//! |---|---|
//! | `position` | what is one isolated position worth, and what is its key in the index? |
//! | `tiers` | what does a venue's table ask of a notional? |
//! | `levels` | in which order do the levels of margin lie, and between which is an account? |
//! | `initial` | how does opening margin grow with open interest and with size? |
//! | `trigger` | who is short of margin now, without asking everybody? |
//! | `density` | how much is liquidated if the price goes from here to there? |
//! | `theory` | closed forms that the simulation is held against |
//! | `options` | what is a European option worth, and which volatility does it have? |
//! | `portfolio` | what must an account hold for everything it has: several assets, options, other collateral? |
//!
//! Not here: anything that acts on an account.

mod density;
mod initial;
mod levels;
pub mod options;
pub mod portfolio;
mod position;
pub mod theory;
mod tiers;
mod trigger;

pub use density::{Terms, amplification, liquidation_gamma, reproduction_number};
pub use initial::{OpenInterestScaling, OpenInterestScalingConfig, size_premium};
pub use levels::{Levels, Zone};
pub use position::{Direction, Position, Requirement, threshold};
pub use tiers::{Adjustment, MarginConfig, MarginSchedule, TierConfig};
pub use trigger::{Lane, TriggerGrid, TriggerIndex};
