//! `seawall scenarios`: what there is to train and judge on.

use seawall_env::scenario::Scenario;

use super::Verdict;
use crate::arguments::SettingsArgs;
use crate::output::show;
use crate::places;
use crate::table;

/// Arguments of `seawall scenarios`.
#[derive(Debug, clap::Args)]
pub(crate) struct ScenariosArgs {
    /// Print this one in full, as a scenario file
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the command.
///
/// # Errors
/// If there is no such scenario, or a setting is wrong.
pub(crate) fn run(args: &ScenariosArgs) -> anyhow::Result<Verdict> {
    let settings = args.settings.settings(&[])?;
    if let Some(id) = &args.id {
        show(places::to_toml(&places::shipped(&settings, id)?).trim_end())?;
        return Ok(Verdict::Done);
    }
    let clock = &settings.market.clock;
    let hours = clock.tick_seconds * f64::from(clock.ticks_per_decision) * f64::from(clock.decisions) / 3_600.0;
    let rows = Scenario::all_shipped().into_iter().map(|scenario| vec![scenario.id, scenario.title]);
    show(&table::text_table(&["scenario", "what happens"], rows))?;
    show(&format!(
        "{} hours in {} decisions of {} ticks of {} s, {} accounts",
        table::number(hours),
        clock.decisions,
        clock.ticks_per_decision,
        clock.tick_seconds,
        settings.market.traders.accounts
    ))?;
    Ok(Verdict::Done)
}
