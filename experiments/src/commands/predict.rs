//! `seawall predict`: a trained forecaster of volatility and ruin, and whether it beats the textbook.

use std::path::PathBuf;

use anyhow::Context as _;
use seawall_eval::forecast::Set;
use seawall_training::predictor::PredictorConfig;

use super::{Verdict, use_threads};
use crate::output::show;
use crate::predictor::page::{self, Origin};
use crate::predictor::{self, file, source};
use crate::progress::Voice;

/// Arguments of `seawall predict`.
#[derive(Debug, clap::Args)]
pub(crate) struct PredictArgs {
    /// Folder of real series, as the list of windows names them; without it, bars are the market's own
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for tables, curves and the predictor
    #[arg(long, value_name = "DIR", default_value = "runs/predict")]
    out: PathBuf,
    /// Judge this predictor.json instead of training one
    #[arg(long, value_name = "FILE")]
    predictor: Option<PathBuf>,
    /// Fewer simulated days and a shorter training: a look, not a judgement
    #[arg(long)]
    quick: bool,
    /// Root of the seeds
    #[arg(long, default_value_t = 2027)]
    seed: u64,
    /// Threads; 0 takes all processors
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Simulated episodes of either half, of a judgement and of a look.
const EPISODES: u32 = 100;
const EPISODES_QUICK: u32 = 10;

/// Runs the command.
///
/// # Errors
/// If a file of data or the predictor is wrong, or a file cannot be written.
pub(crate) fn run(args: &PredictArgs, voice: Voice) -> anyhow::Result<Verdict> {
    use_threads(args.threads)?;
    let given = args.predictor.as_deref().map(file::read).transpose()?;
    let config = if args.quick {
        PredictorConfig { members: 2, epochs_max: 10, ..PredictorConfig::default() }
    } else {
        PredictorConfig::default()
    };
    let (halves, source, left_out) = match &args.data {
        Some(data) => {
            let (halves, left_out) = source::real(data, voice)?;
            (halves, "Windows of real series".to_owned(), left_out)
        }
        None => {
            let episodes = if args.quick { EPISODES_QUICK } else { EPISODES };
            (source::simulated(args.seed, episodes, voice)?, source::describe(episodes), Vec::new())
        }
    };
    let outcome = predictor::run(&halves, &config, given, args.seed, voice)?;
    let origin = Origin {
        version: env!("CARGO_PKG_VERSION"),
        seed: args.seed,
        source,
        left_out,
        calibration: names(&halves.calibration),
        validation: names(&halves.validation),
        config,
    };
    show(&page::terminal(&outcome.judgement))?;
    page::write(&args.out, &origin, &outcome).with_context(|| format!("writing to {}", args.out.display()))?;
    let judgement = &outcome.judgement;
    show(&format!("\n{} moments of {} days; {}", judgement.examples, judgement.days, args.out.display()))?;
    Ok(Verdict::Done)
}

/// Where the runs of a set are from, each once.
fn names(set: &Set) -> Vec<String> {
    let mut names: Vec<String> = set.histories.iter().map(|history| history.name.clone()).collect();
    names.dedup();
    names
}
