//! What can go wrong in this crate: bad configuration and bad snapshots. The hot path returns plain values.

use std::fmt;

/// One thing wrong with an input, addressed so that its author can find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the field, such as `world.tick_seconds`.
    pub field: String,
    /// The offending value as it was given.
    pub value: String,
    /// What the value has to satisfy.
    pub bound: String,
}

impl Problem {
    /// Describes a `value` at `field` that violates `bound`.
    #[must_use]
    pub fn new(field: impl Into<String>, value: impl fmt::Display, bound: impl Into<String>) -> Self {
        Self { field: field.into(), value: value.to_string(), bound: bound.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: must be {}", self.field, self.value, self.bound)
    }
}

/// Every problem found in one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Records a problem unless `holds`.
    pub fn require(&mut self, holds: bool, field: impl Into<String>, value: impl fmt::Display, bound: &str) {
        if !holds {
            self.0.push(Problem::new(field, value, bound));
        }
    }

    /// Requires `low <= value <= high`; NaN fails.
    pub fn range(&mut self, field: impl Into<String>, value: f64, low: f64, high: f64) {
        self.require((low..=high).contains(&value), field, value, &format!("in [{low}, {high}]"));
    }

    /// Turns the collection into a result.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is any problem.
    pub fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// Errors of the market crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration has fields out of their bounds; all of them are listed.
    #[error("invalid configuration:\n{0}")]
    Invalid(Problems),
    /// A text is not a venue preset.
    #[error("not a venue preset: {0}")]
    Preset(#[from] toml::de::Error),
    /// A text is not a scenario.
    #[error("not a scenario: {0}")]
    Scenario(#[source] toml::de::Error),
    /// Bytes are not a snapshot of this environment.
    #[error("not a snapshot of this environment: {0}")]
    Snapshot(#[from] postcard::Error),
    /// Another future was asked of a price that follows a history.
    #[error("a replayed history has one future, and no other can be drawn")]
    OneFuture,
    /// A snapshot was taken under another configuration.
    #[error("the snapshot has {field} {found}, this environment has {expected}")]
    SnapshotMismatch {
        /// What differs.
        field: &'static str,
        /// Its value here.
        expected: String,
        /// Its value in the snapshot.
        found: String,
    },
}
