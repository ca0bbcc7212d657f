//! What can go wrong in this crate: bad suites, bad line-ups, bad settings.

use seawall_env::Problems;

/// Errors of the evaluation crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Inputs have fields out of their bounds; all of them are listed.
    #[error("invalid evaluation:\n{0}")]
    Invalid(Problems),
    /// An environment does not do what is asked of it.
    #[error(transparent)]
    Env(#[from] seawall_env::Error),
}

/// Turns collected problems into a result.
pub(crate) fn check(problems: Problems) -> Result<(), Error> {
    if problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}
