//! `seawall verify`: an export speaks for itself, or it is refused.

use std::path::{Path, PathBuf};

use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::entry::Entry;
use crate::judge::Arena;
use crate::output::show;
use crate::progress::Voice;
use crate::score::Score;
use crate::settings::Settings;
use crate::table;

/// Arguments of `seawall verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The export: policy.json or the folder with it
    #[arg(value_name = "EXPORT")]
    export: PathBuf,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Replay the conformance vectors and leave the simulator out
    #[arg(long)]
    vectors_only: bool,
}

/// Runs the command.
///
/// # Errors
/// If the export or the settings cannot be read.
pub(crate) fn run(args: &VerifyArgs, voice: Voice) -> anyhow::Result<Verdict> {
    if args.vectors_only {
        let passed = vectors(&Entry::read(&args.export)?)?;
        return Ok(if passed { Verdict::Done } else { Verdict::GateFailed });
    }
    let settings = args.settings.settings_beside(&args.export)?;
    use_threads(settings.run.threads)?;
    let arena = Arena::selection(&settings, voice)?;
    // Other settings make other episodes, on which the file's score says nothing.
    let passed = verify(&args.export, &settings, &arena, !args.settings.is_given(), voice)?;
    Ok(if passed { Verdict::Done } else { Verdict::GateFailed })
}

/// Checks the export at `path` and prints what was found; whether everything holds.
///
/// # Errors
/// If the export cannot be read, or was made for another environment.
pub(crate) fn verify(
    path: &Path,
    settings: &Settings,
    arena: &Arena,
    is_score_compared: bool,
    voice: Voice,
) -> anyhow::Result<bool> {
    let export = Entry::read(path)?;
    if !vectors(&export)? {
        return Ok(false);
    }
    let found = Score::play(settings, arena, &export, voice)?;
    let rows = found.scenarios.iter().zip(found.means());
    let header = ["scenario".to_owned(), format!("return, mean of {} seeds", found.seeds)];
    let table = table::table(&header, rows.map(|(id, mean)| vec![id.clone(), table::number(mean)]));
    let expected = if is_score_compared { Score::beside(path)? } else { None };
    let Some(expected) = expected else {
        show(&table)?;
        show("verify: no score to compare with; the vectors replay, and the returns above are the file's")?;
        return Ok(true);
    };
    if expected.suite != found.suite {
        show(
            "verify: FAILED: the score beside the file belongs to other episodes: settings, candles or program differ",
        )?;
        return Ok(false);
    }
    let differences = expected.differences(&found);
    for (scenario, seed, expected, found) in differences.iter().take(10) {
        show(&format!("verify: {scenario}, seed {seed}: the file earned {expected}, now {found}"))?;
    }
    if differences.is_empty() {
        show(&format!("verify: all {} episodes score as they did when the file was written", found.returns.len()))?;
    } else {
        show(&format!("verify: FAILED: {} of {} episodes differ", differences.len(), found.returns.len()))?;
    }
    Ok(differences.is_empty())
}

fn vectors(entry: &Entry) -> anyhow::Result<bool> {
    match entry.check() {
        Ok(sentence) => {
            show(&format!("verify: {sentence}"))?;
            Ok(true)
        }
        Err(error) => {
            show(&format!("verify: FAILED: {error}"))?;
            Ok(false)
        }
    }
}
