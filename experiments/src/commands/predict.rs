//! `seawall predict`: a trained forecaster of volatility and ruin, and whether it beats the textbook.

use std::path::PathBuf;

use anyhow::Context as _;
use seawall_eval::forecast::{Frame, Set};
use seawall_training::predictor::PredictorConfig;

use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::foresight::PREDICTOR_FILE;
use crate::output::show;
use crate::places::Places;
use crate::predictor::page::{self, Origin};
use crate::predictor::source::Cut;
use crate::predictor::{self, Halves, file, source, task};
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
    /// Train on moments of episodes, as a policy meets them, from their first bar on: of the task of --config and --set, or, with
    /// --data, of real series cut to its length. Writes predictor.bin too, which observation.predictor takes
    #[arg(long)]
    task: bool,
    /// Settings whose task it is: a TOML file, or `smoke`
    #[arg(long, value_name = "FILE", requires = "task")]
    config: Option<PathBuf>,
    /// One setting of it; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "task")]
    sets: Vec<String>,
    /// Length of a bar of --task, in seconds: horizons are 3, 12 and 48 bars
    #[arg(long, value_name = "SECONDS", requires = "task", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    bar: u32,
    /// Episodes of each of the task's scenarios, in either half
    #[arg(long, value_name = "N", requires = "task", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    episodes: u32,
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
/// Episodes of each scenario of a task for a look, at most.
const TASK_EPISODES_QUICK: u32 = 4;

/// Runs the command.
///
/// # Errors
/// If a file of data or the predictor is wrong, or a file cannot be written.
pub(crate) fn run(args: &PredictArgs, voice: Voice) -> anyhow::Result<Verdict> {
    use_threads(args.threads)?;
    let config = if args.quick {
        PredictorConfig { members: 2, epochs_max: 10, ..PredictorConfig::default() }
    } else {
        PredictorConfig::default()
    };
    if !args.task {
        // A wrong file is refused before hours are spent; of episodes, bars tell whether it fits.
        args.predictor.as_deref().map(|path| file::read(path, Frame::Days)).transpose()?;
    }
    let (halves, source, left_out) = if args.task { args.of_task(voice)? } else { args.of_days(voice)? };
    let given = args.predictor.as_deref().map(|path| file::read(path, halves.calibration.frame)).transpose()?;
    let outcome = predictor::run(&halves, &config, given, args.seed, voice)?;
    let origin = Origin {
        version: env!("CARGO_PKG_VERSION"),
        seed: args.seed,
        source,
        left_out,
        calibration: names(&halves.calibration),
        validation: names(&halves.validation),
        frame: halves.calibration.frame,
        config,
    };
    show(&page::terminal(&outcome.judgement))?;
    page::write(&args.out, &origin, &outcome).with_context(|| format!("writing to {}", args.out.display()))?;
    let judgement = &outcome.judgement;
    let (moments, units) = (judgement.examples, judgement.days);
    show(&format!("\n{moments} moments of {units} {}; {}", origin.frame.unit(), args.out.display()))?;
    if outcome.runtime.is_some() {
        let path = args.out.join(PREDICTOR_FILE);
        show(&format!("a policy observes its forecasts with --set observation.predictor={}", path.display()))?;
    }
    Ok(Verdict::Done)
}

/// Bars in halves, where they are from in words, and what was left out.
type Source = (Halves, String, Vec<String>);

impl PredictArgs {
    fn of_days(&self, voice: Voice) -> anyhow::Result<Source> {
        if let Some(data) = &self.data {
            let (halves, left_out) = source::real(data, Cut::WHOLE, voice)?;
            return Ok((halves, "Windows of real series".to_owned(), left_out));
        }
        let episodes = if self.quick { EPISODES_QUICK } else { EPISODES };
        Ok((source::simulated(self.seed, episodes, voice)?, source::describe(episodes), Vec::new()))
    }

    fn of_task(&self, voice: Voice) -> anyhow::Result<Source> {
        let settings = SettingsArgs::of(self.config.clone(), self.sets.clone()).settings(&[])?;
        let places = Places::gather(&settings, &settings.task.scenarios, voice)?;
        let bar_ms = 1_000 * self.bar;
        let cut = Cut { bar_ms: i64::from(bar_ms), episode: Some(task::bars_max(&places, bar_ms)?) };
        if let Some(data) = &self.data {
            let (halves, left_out) = source::real(data, cut, voice)?;
            return Ok((halves, "Windows of real series, cut into episodes".to_owned(), left_out));
        }
        let episodes = if self.quick { self.episodes.min(TASK_EPISODES_QUICK) } else { self.episodes };
        let halves = task::simulated(&settings, &places, cut, (self.seed, episodes), voice)?;
        let scenarios = settings.task.scenarios.join(", ");
        Ok((halves, format!("{episodes} + {episodes} episodes of each of {scenarios}"), Vec::new()))
    }
}

/// Where the runs of a set are from, each once.
fn names(set: &Set) -> Vec<String> {
    let mut names: Vec<String> = set.histories.iter().map(|history| history.name.clone()).collect();
    names.dedup();
    names
}
