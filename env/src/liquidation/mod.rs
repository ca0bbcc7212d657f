//! How a venue liquidates: eight slots as types, and rules with every number set.
//!
//! The market runs them (`market::liquidate`, `market::waterfall`); nothing here has state.

pub mod presets;
mod slots;

pub use slots::{
    Backstop, CloseSize, Dial, Execution, Incentive, Limit, LimitPrice, LossAllocation, Pace, Pipeline, Rules,
    SizeRule, Throttle, Trigger,
};
