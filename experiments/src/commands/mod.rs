//! One file for each command: its arguments as typed, and what it does.

pub(crate) mod ablate;
pub(crate) mod bench;
pub(crate) mod calibrate;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod plan;
pub(crate) mod predict;
pub(crate) mod presets;
pub(crate) mod probe;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod scenarios;
pub(crate) mod sweep;
pub(crate) mod train;
pub(crate) mod trial;
pub(crate) mod tune;
pub(crate) mod validate;
pub(crate) mod verify;

use anyhow::Context;

/// How a command ended, when nothing failed to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It did what was asked.
    Done,
    /// A declared bound is missed, or a file is not what it says.
    GateFailed,
    /// An interrupt came and the work so far is safe.
    Interrupted,
    /// A trial was told to stop, and is to be run again.
    Retry,
}

/// Makes the thread pool that environments are stepped and judged on.
///
/// # Errors
/// If the system gives no threads.
pub(crate) fn use_threads(threads: usize) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("making the thread pool")
}
