//! `seawall presets`: the venues there are, as files, and whether a file of one's own is one.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use seawall_env::liquidation::{Preset, presets};

use super::Verdict;
use crate::output::show;
use crate::table;

/// Arguments of `seawall presets`.
#[derive(Debug, clap::Args)]
pub(crate) struct PresetsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the shipped venue presets
    List,
    /// Print one as a file to start from
    Show {
        /// Name of a shipped preset
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Check a file of one's own
    Check {
        /// A preset in TOML
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// If there is no such preset, or a file cannot be read or is not a preset.
pub(crate) fn run(args: &PresetsArgs) -> anyhow::Result<Verdict> {
    match &args.action {
        Action::List => {
            let shipped = presets::NAMES.iter().filter_map(|name| Preset::shipped(name));
            let rows = shipped.map(|preset| vec![preset.name, preset.date, preset.title]);
            show(&table::text_table(&["preset", "as of", "how it liquidates"], rows))?;
        }
        Action::Show { name } => {
            let known = || format!("no preset is called {name:?}; there are {}", presets::NAMES.join(", "));
            show(presets::file(name).with_context(known)?.trim_end())?;
        }
        Action::Check { file } => {
            let text = fs::read_to_string(file).with_context(|| format!("reading the preset {}", file.display()))?;
            let preset = Preset::from_toml(&text).with_context(|| format!("checking {}", file.display()))?;
            show(&format!("{} is a preset: {}", preset.name, preset.title))?;
        }
    }
    Ok(Verdict::Done)
}
