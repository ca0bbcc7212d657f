//! `seawall scenarios`: what there is to train and judge on, and whether a file of one's own is a scenario.

use std::path::PathBuf;

use anyhow::bail;
use seawall_env::scenario::Scenario;

use super::Verdict;
use crate::arguments::SettingsArgs;
use crate::output::show;
use crate::places;
use crate::settings::Settings;
use crate::table;

/// Arguments of `seawall scenarios`.
#[derive(Debug, clap::Args)]
pub(crate) struct ScenariosArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the shipped scenarios
    List {
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Print one in full, as a scenario file
    Show {
        /// Identifier of a shipped scenario
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Check files of one's own, and list everything that is wrong with them
    Check {
        /// Scenarios in TOML
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

/// Runs the command.
///
/// # Errors
/// If there is no such scenario, a setting is wrong, or a file is not a scenario.
pub(crate) fn run(args: &ScenariosArgs) -> anyhow::Result<Verdict> {
    match &args.action {
        None => list(&Settings::resolve(&[])?)?,
        Some(Action::List { settings }) => list(&settings.settings(&[])?)?,
        Some(Action::Show { id, settings }) => {
            show(places::to_toml(&places::shipped(&settings.settings(&[])?, id)?).trim_end())?;
        }
        Some(Action::Check { files, settings }) => check(&settings.settings(&[])?, files)?,
    }
    Ok(Verdict::Done)
}

fn list(settings: &Settings) -> anyhow::Result<()> {
    let clock = &settings.market.clock;
    let hours = clock.tick_seconds * f64::from(clock.ticks_per_decision) * f64::from(clock.decisions) / 3_600.0;
    let rows = Scenario::all_shipped().into_iter().map(|scenario| vec![scenario.id, scenario.title]);
    show(&table::text_table(&["scenario", "what happens"], rows))?;
    show(&format!(
        "{} hours in {} decisions of {} ticks of {} s, {} accounts, where a scenario does not say otherwise",
        table::number(hours),
        clock.decisions,
        clock.ticks_per_decision,
        clock.tick_seconds,
        settings.market.traders.accounts
    ))?;
    Ok(())
}

fn check(settings: &Settings, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut refused = Vec::new();
    for file in files {
        match places::scenario_file(settings, file) {
            Ok(scenario) => show(&format!("{} is a scenario: {}", scenario.id, scenario.title))?,
            Err(error) => refused.push(format!("{}: {error:#}", file.display())),
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!(refused.join("\n")) }
}
