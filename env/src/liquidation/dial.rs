//! Numbers that a controller may move.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// A number that the venue fixes or leaves to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dial {
    /// Set by the venue's rules.
    Fixed(f64),
    /// Moved by the controller.
    Controlled,
}

impl Dial {
    /// The value in force.
    #[inline]
    #[must_use]
    pub const fn resolve(self, controlled: f64) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Controlled => controlled,
        }
    }

    pub(super) fn validate(self, field: String, low: f64, high: f64, problems: &mut Problems) {
        if let Self::Fixed(value) = self {
            problems.range(field, value, low, high);
        }
    }
}
