//! What can go wrong while training: bad configuration, bad checkpoints, and numbers that stop being numbers.

use seawall_env::Problems;

/// Errors of the training crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration has fields out of their bounds, or does not fit the environments; all problems are listed.
    #[error("invalid configuration:\n{0}")]
    Config(Problems),
    /// The algorithm has no such thing.
    #[error("this trainer cannot make {what}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// A quantity is NaN or infinite; the network is as it was before that quantity was used.
    #[error("{quantity} is not finite at environment step {step}")]
    NotFinite {
        /// What is not finite.
        quantity: &'static str,
        /// Environment steps done before the iteration in which it happened.
        step: u64,
    },
    /// Bytes are not an intact checkpoint.
    #[error("not an intact checkpoint: {reason}")]
    Checkpoint {
        /// What is wrong with the bytes.
        reason: &'static str,
    },
    /// A checkpoint was written by another version of its format.
    #[error("the checkpoint has format {found}, this build reads {expected}")]
    CheckpointVersion {
        /// Format that this build reads.
        expected: u32,
        /// Format of the checkpoint.
        found: u32,
    },
    /// A checkpoint belongs to another run.
    #[error("the checkpoint has {field} {found}, this run has {expected}")]
    CheckpointMismatch {
        /// What differs.
        field: &'static str,
        /// Its value here.
        expected: String,
        /// Its value in the checkpoint.
        found: String,
    },
    /// The environments refused their part of a checkpoint.
    #[error(transparent)]
    Environment(#[from] seawall_env::Error),
}

/// Refuses numbers that are not; `step` is that of [`Error::NotFinite`].
pub(crate) fn check_finite<T: Copy + Into<f64>>(quantity: &'static str, values: &[T], step: u64) -> Result<(), Error> {
    let finite = values.iter().all(|&value| value.into().is_finite());
    if finite { Ok(()) } else { Err(Error::NotFinite { quantity, step }) }
}
