//! `seawall trial`: one trial of a study from one file, as a scheduler runs it.

use std::path::PathBuf;

use super::{Verdict, use_threads};
use crate::ablation::interrupt::stop_flag;
use crate::ablation::launcher;
use crate::ablation::runner::{Outcome, alone};
use crate::ablation::trial::Trial;
use crate::progress::Voice;

/// Exit code of a trial that was told to stop and is to be run again: `EX_TEMPFAIL` of `sysexits.h`.
pub(crate) const RETRY: u8 = 75;

/// Arguments of `seawall trial`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, now or before; 75 told to stop, checkpoint whole, run it again; 1 failed and \
                        would fail again; 2 bad input"
)]
pub(crate) struct TrialArgs {
    /// A trial's file, or a study's folder with --index
    #[arg(value_name = "TRIAL")]
    path: PathBuf,
    /// The trial on this line of the study's `trials.txt`, counted from zero
    #[arg(long)]
    index: Option<usize>,
    /// Threads; 0 takes all processors. Results do not depend on it
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Runs the command.
///
/// # Errors
/// If the file is no trial.
pub(crate) fn run(args: &TrialArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let trial = match args.index {
        Some(index) => launcher::at(&args.path, index)?,
        None => Trial::read(&args.path)?,
    };
    use_threads(args.threads)?;
    let stop = stop_flag(RETRY, voice)?;
    match alone(&trial, &stop) {
        Outcome::Complete => {
            voice.say(&format!("{}: done", trial.name));
            Ok(Verdict::Done)
        }
        Outcome::Interrupted => {
            voice.say(&format!("{}: stopped at a whole checkpoint; run it again", trial.name));
            Ok(Verdict::Retry)
        }
        Outcome::Failed(reason) => {
            voice.warn(&format!("{} FAILED: {reason}", trial.name));
            Ok(Verdict::GateFailed)
        }
    }
}
