//! How a venue liquidates: eight slots, one file each, and rules with every number set.
//!
//! trigger → close size → execution → limit price → throttle → incentive → backstop → loss allocation. A venue is a
//! choice in each ([`Pipeline`]), shipped as TOML ([`presets`]), never a code path of its own. What is here is data and
//! pure arithmetic; `market::liquidate` and its neighbours change the state.

mod allocation;
mod backstop;
mod dial;
mod execution;
mod incentive;
mod limit;
mod pipeline;
pub mod presets;
mod routing;
mod size;
mod throttle;
mod trigger;

pub use allocation::{LossAllocation, Rank, capped_share, pool_excess, profit_haircut, scaled_part};
pub use backstop::{Backstop, Disposal, Limits, Unwind};
pub use dial::Dial;
pub use execution::{Auction, Execution, Route};
pub use incentive::{Bonus, Incentive};
pub use limit::{Limit, LimitPrice};
pub use pipeline::{Pipeline, Rules};
pub use presets::Preset;
pub use routing::split;
pub use size::{CloseSize, SizeRule, Then, Toxic, block_size, health, ramp_allowance, remaining, urgency};
pub use throttle::{Capacity, Pace, Throttle, Wait, skew_capacity};
pub use trigger::{Guard, Trigger};
