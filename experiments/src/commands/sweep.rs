//! `seawall sweep`: what an engine needs to run a study's trials on many machines.

use std::path::PathBuf;

use super::Verdict;
use super::ablate::{Prepared, Rehearsal};
use crate::ablation::launcher::{Launcher, Request};
use crate::output::show;
use crate::progress::Voice;

/// Arguments of `seawall sweep`.
#[derive(Debug, clap::Args)]
pub(crate) struct SweepArgs {
    /// A study's file, or the name of a shipped one
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Who runs the trials
    #[arg(long)]
    launcher: Launcher,
    /// Folder of the study, on a disk that every node sees under the same path
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    rehearsal: Rehearsal,
    /// Processors of one trial
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    processors: u32,
    /// Trials at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    parallel: u32,
    /// Container image with `seawall` on its path (kubernetes)
    #[arg(long, default_value = "seawall:latest")]
    image: String,
    /// Claim of the volume that holds DIR (kubernetes)
    #[arg(long, default_value = "seawall")]
    claim: String,
}

/// Runs the command.
///
/// # Errors
/// If the study is wrong, another is registered in its folder, or a file cannot be written.
pub(crate) fn run(args: &SweepArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let prepared = Prepared::of(args.rehearsal.study(&args.study)?, &args.study, &args.out)?;
    let again = args.rehearsal.again(&args.study, &args.out);
    let request = Request {
        processors: args.processors,
        parallel: args.parallel,
        image: args.image.clone(),
        claim: args.claim.clone(),
    };
    let name = &prepared.plan.study.name;
    match args.launcher.write(&prepared.folder, (name, &prepared.all()), &request)? {
        None => prepared.run(0, &again, voice),
        Some(start) => {
            show(&format!("start:   {start}"))?;
            show(&format!("collect: {again}"))?;
            Ok(Verdict::Done)
        }
    }
}
