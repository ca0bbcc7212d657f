//! What can go wrong in this crate: policies that do not fit the environment, and files that are not what they say.

use std::fmt;

use seawall_env::Problems;
use seawall_runtime::conformance::ReplayError;
use seawall_runtime::{ActError, FormatError};

/// One way in which a policy differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs, such as `observation[3]` or `capacity.high`.
    pub field: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.field, self.expected, self.found)
    }
}

/// Every difference found between two lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(pub Vec<Difference>);

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{difference}")?;
        }
        Ok(())
    }
}

/// Errors of the policies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is out of its bounds; all of them are listed.
    #[error("invalid values:\n{0}")]
    Invalid(Problems),
    /// A rule reads features that the environment does not observe.
    #[error("{policy} reads features that are not observed: {}", missing.join(", "))]
    Features {
        /// The rule.
        policy: String,
        /// Names of the missing features.
        missing: Vec<String>,
    },
    /// A policy was made for another list of observations or parameters.
    #[error("{policy} was made for another environment:\n{differences}")]
    Mismatch {
        /// The policy.
        policy: String,
        /// All that differs.
        differences: Differences,
    },
    /// A parameter file describes other bytes than those beside it.
    #[error("{file} describes other bytes:\n{differences}")]
    FileMismatch {
        /// Name of the policy that the file describes.
        file: String,
        /// All that differs.
        differences: Differences,
    },
    /// Bytes are not a policy.
    #[error("not a policy: {0}")]
    Format(#[from] FormatError),
    /// Bytes are not a predictor.
    #[error("not a predictor: {0}")]
    Predictor(FormatError),
    /// Vectors of a predictor are too few to prove anything.
    #[error("{bars} bars are too few: {} are needed", crate::foresight::BARS_MIN)]
    TooFewBars {
        /// Bars that there are.
        bars: usize,
    },
    /// A policy does not do what its conformance vectors say.
    #[error("not what the vectors say: {0}")]
    Replay(#[from] ReplayError),
    /// A policy refused to act.
    #[error("no action: {0}")]
    Act(#[from] ActError),
    /// A file of vectors is too small to prove anything.
    #[error(
        "{acted} vectors with an action and {refused} without are too few: {} and 1 are needed",
        crate::export::VECTORS_MIN
    )]
    TooFewVectors {
        /// Vectors on which the policy acts.
        acted: usize,
        /// Vectors that it refuses.
        refused: usize,
    },
    /// A text is not a parameter file.
    #[error("not a parameter file: {0}")]
    Json(#[from] serde_json::Error),
}
