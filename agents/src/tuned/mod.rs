//! Hand-written rules with their constants as a bounded vector: what a search moves, and the file that it leaves.
//!
//! A [`Rule`] names its constants with units, bounds and documented values, and turns any values of them into a
//! policy. Coordinates of a search are unbounded; they are folded into the bounds by reflection, so documented values on
//! a bound are as good a start as any.

mod entry;
mod file;
mod rule;
mod tunable;

pub use entry::{ConstantEntry, RuleEntry};
pub use file::{RULE_SCHEMA, RuleFile, RuleStory, RuleVector};
pub use rule::{Family, Layer, Rule};
pub use tunable::Tunable;

pub(crate) use tunable::Bound;
