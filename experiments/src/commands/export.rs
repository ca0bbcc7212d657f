//! `seawall export`: a policy's files from a run's checkpoint, finished or not.

use std::path::PathBuf;

use anyhow::bail;

use super::{Verdict, use_threads};
use crate::arguments::layer_of;
use crate::entry::Entry;
use crate::exporter::{Export, Origin};
use crate::judge::Arena;
use crate::output::show;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::{RESOLVED, RunFolder, sha256};
use crate::score::Score;
use crate::settings::Settings;
use crate::trainer;

/// Arguments of `seawall export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Folder of a training run
    run: PathBuf,
    /// Which of its training seeds [default: the first]
    #[arg(long)]
    seed: Option<u64>,
    /// Folder for the files [default: export in the seed's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// If the folder is no run, or has no checkpoint of the seed.
pub(crate) fn run(args: &ExportArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let folder = RunFolder::open(&args.run)?;
    let text = folder.read_text(RESOLVED)?;
    let settings = Settings::resolve(&[layer_of(&folder.file(RESOLVED))?])?;
    use_threads(settings.run.threads)?;
    let seed = args.seed.unwrap_or(settings.run.seed);
    let trained_in = folder.path().join(format!("seed-{seed}"));
    if !trained_in.is_dir() {
        bail!("{} has no training run with seed {seed}", folder.path().display());
    }
    let trained_in = folder.child(&format!("seed-{seed}"))?;
    let places = Places::gather(&settings, &settings.task.scenarios, voice)?;
    let mut learner = trainer::course(&settings, &places, seed)?.learner;
    if !trainer::restore(learner.as_mut(), &trained_in, voice)? {
        bail!("{} has no checkpoint yet", trained_in.path().display());
    }
    let origin = Origin { seed, steps: learner.steps_done(), settings_sha256: &sha256(text.as_bytes()) };
    let export = Export::new(&settings, &places, learner.policy(), origin)?;
    let out = match &args.out {
        Some(path) => RunFolder::create(Some(path), &settings.run.name, seed)?,
        None => trained_in.child("export")?,
    };
    let path = export.write(&out)?;
    out.write(RESOLVED, text.as_bytes())?;
    let arena = Arena::selection(&settings, Voice::Quiet)?;
    Score::play(&settings, &arena, &Entry::read(&path)?, voice)?.write(&out)?;
    show(&path.display().to_string())?;
    Ok(Verdict::Done)
}
