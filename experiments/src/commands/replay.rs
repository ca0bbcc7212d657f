//! `seawall replay`: one episode, decision by decision, for eyes and for other programs.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::DoubleType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use seawall_agents::Policy;
use seawall_env::action::PARAMETERS;
use seawall_env::book::{Book, Side};
use seawall_env::market::Market;
use seawall_env::units::Usd;
use seawall_env::world::ReplayStart;
use seawall_env::{CascadeEnv, Env, Groups, Step};

use super::Verdict;
use crate::arguments::SettingsArgs;
use crate::candles;
use crate::entry::Entry;
use crate::episode::{self, Actor};
use crate::output::show;
use crate::places::{self, Places};
use crate::progress::Voice;
use crate::settings::Settings;
use crate::table;

/// Arguments of `seawall replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Scenario, when no candles are given
    #[arg(long, default_value = "crash_day")]
    scenario: String,
    /// gen1, gen2, gen3, constant, random, or an export
    #[arg(long, default_value = "gen3")]
    policy: String,
    /// Seed of the episode
    #[arg(long, default_value_t = 0)]
    episode: u64,
    /// Bar of the candles that the episode starts with [default: drawn by the seed]
    #[arg(long, value_name = "TIME", value_parser = candles::parse_end)]
    start: Option<i64>,
    /// Rows to print, evenly spaced; 0 prints none
    #[arg(long, default_value_t = 24)]
    rows: usize,
    /// Every decision as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Every decision as Parquet
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// One number: exact where it is money, and as a float for formats that know nothing else.
struct Cell {
    text: String,
    value: f64,
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self { text: value.to_string(), value }
    }
}

impl From<Usd> for Cell {
    fn from(amount: Usd) -> Self {
        Self { text: amount.to_string(), value: amount.as_f64() }
    }
}

/// Every decision of an episode.
struct Trace {
    names: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// Columns of the printed table, by name.
const PRINTED: [&str; 11] = [
    "seconds",
    "fundamental",
    "mark",
    "depth_1pct_usd",
    "open_interest_usd",
    "forced_volume_usd",
    "liquidated_usd",
    "bad_debt_usd",
    "deleveraged_usd",
    "fund_equity_usd",
    "reward",
];

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong.
pub(crate) fn run(args: &ReplayArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let settings = args.settings.settings(&[])?;
    let places = Places::gather(&settings, std::slice::from_ref(&args.scenario), voice)?;
    let place = &places.list[0];
    if args.start.is_some() && !place.is_history() {
        bail!("--start needs candles: give them with --replay");
    }
    let start = args.start.map_or(ReplayStart::Random, ReplayStart::At);
    let mut actor = actor(&settings, &places, &args.policy)?;
    let site = place.site(&actor.venue()?, start)?;
    let task = places::task_on(vec![site], place.conditions(), &settings, Groups::default())?;
    let trace = trace(&mut CascadeEnv::new(task), actor.policy.as_mut(), args.episode)?;
    if let Some(path) = &args.csv {
        trace.write_csv(path).with_context(|| format!("writing {}", path.display()))?;
    }
    if let Some(path) = &args.parquet {
        trace.write_parquet(path).with_context(|| format!("writing {}", path.display()))?;
    }
    if args.rows > 0 {
        let (name, preset) = (actor.policy.name(), &actor.preset);
        show(&format!("{} under {name} on {preset}, episode {}", place.scenario().id, args.episode))?;
        show(&trace.table(args.rows))?;
    }
    Ok(Verdict::Done)
}

/// The policy that a name or a file means, and the preset that it runs on.
fn actor(settings: &Settings, places: &Places, name: &str) -> anyhow::Result<Actor> {
    if let Some(actor) = Actor::known(settings, places, name)? {
        return Ok(actor);
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!("{name:?} is neither a file nor one of {}", episode::baselines(settings, places)?.join(", "));
    }
    let entry = Entry::read(path)?;
    entry.check()?;
    let spec = CascadeEnv::new(places.task(settings, &settings.venue(), Groups::default())?).spec().clone();
    let contender = entry.contender(settings, entry.name(), &spec)?;
    Ok(Actor { preset: contender.preset, policy: contender.policy })
}

fn trace(env: &mut CascadeEnv, policy: &mut dyn Policy, seed: u64) -> anyhow::Result<Trace> {
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    episode::play(env, policy, seed, |env, step| {
        let Some(step) = step else { return };
        let cells = row(env, step);
        if names.is_empty() {
            names = cells.iter().map(|(name, _)| name.clone()).collect();
        }
        rows.push(cells.into_iter().map(|(_, cell)| cell).collect());
    })?;
    Ok(Trace { names, rows })
}

fn row(env: &CascadeEnv, step: Step) -> Vec<(String, Cell)> {
    // Of an economy: prices and book of the first asset, and money over all of the home venue.
    let market = env.market();
    let home = |of: fn(&Market) -> Usd| Cell::from(env.home().iter().map(of).sum::<Usd>());
    let (state, outcome) = (market.state(), env.outcome());
    let (prices, book) = (&state.prices, &state.book);
    let mid = book.mid();
    let depth = 0.5 * (book.depth(Side::Buy, 0.01) + book.depth(Side::Sell, 0.01)) * mid;
    #[expect(clippy::cast_precision_loss, reason = "ticks and decisions of an episode are few")]
    let (seconds, decisions) = (state.tick as f64 * market.tick_seconds(), outcome.decisions as f64);
    let mut cells: Vec<(String, Cell)> = [
        ("decision", Cell::from(decisions)),
        ("seconds", Cell::from(seconds)),
        ("fundamental", Cell::from(prices.fundamental)),
        ("outside", Cell::from(prices.outside)),
        ("oracle", Cell::from(prices.oracle)),
        ("mark", Cell { text: prices.mark.to_string(), value: prices.mark.as_f64() }),
        ("mid", Cell::from(mid)),
        ("half_spread", Cell::from(book.half_spread())),
        ("depth_1pct_usd", Cell::from(depth)),
        ("open_interest_usd", home(Market::open_interest)),
        ("in_liquidation_usd", home(Market::in_liquidation)),
        ("forced_volume_usd", Cell::from(outcome.forced_volume)),
        ("natural_volume_usd", Cell::from(outcome.natural_volume)),
        ("liquidated_usd", Cell::from(outcome.liquidated)),
        ("liquidation_cost_usd", Cell::from(outcome.liquidation_cost)),
        ("bad_debt_usd", Cell::from(outcome.bad_debt)),
        ("covered_by_fund_usd", Cell::from(outcome.covered_by_fund)),
        ("socialised_usd", Cell::from(outcome.socialised)),
        ("deleveraged_usd", Cell::from(outcome.deleveraged)),
        ("fund_equity_usd", home(Market::fund_equity)),
        ("fund_inventory_usd", home(Market::fund_inventory)),
        ("margin_multiplier", Cell::from(market.margin_multiplier())),
        ("reward", Cell::from(step.reward)),
    ]
    .map(|(name, cell)| (name.to_owned(), cell))
    .into();
    let terms = env.spec().reward.iter().zip(env.reward_terms());
    cells.extend(terms.map(|(name, term)| (format!("term_{name}"), Cell::from(*term))));
    let parameters = PARAMETERS.iter().zip(state.controls.to_array());
    cells.extend(parameters.map(|(parameter, value)| (parameter.name.to_owned(), Cell::from(value))));
    cells
}

impl Trace {
    fn table(&self, rows: usize) -> String {
        let columns: Vec<usize> =
            PRINTED.iter().filter_map(|name| self.names.iter().position(|found| found == name)).collect();
        let last = self.rows.len() - 1;
        let shown = rows.min(self.rows.len());
        // Evenly spaced, the first and the last among them.
        let places = (0..shown).map(|k| if shown > 1 { k * last / (shown - 1) } else { last });
        let header: Vec<String> =
            columns.iter().map(|column| self.names[*column].trim_end_matches("_usd").replace('_', " ")).collect();
        let line = |place: usize| columns.iter().map(|column| table::number(self.rows[place][*column].value)).collect();
        table::table(&header, places.map(line))
    }

    fn write_csv(&self, path: &Path) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_path(path)?;
        writer.write_record(&self.names)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| &cell.text))?;
        }
        Ok(writer.flush()?)
    }

    fn write_parquet(&self, path: &Path) -> anyhow::Result<()> {
        let columns: String = self.names.iter().map(|name| format!("REQUIRED DOUBLE {name}; ")).collect();
        let schema = parse_message_type(&format!("message episode {{ {columns} }}"))?;
        let codec = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut writer = SerializedFileWriter::new(File::create(path)?, Arc::new(schema), Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        for index in 0..self.names.len() {
            let values: Vec<f64> = self.rows.iter().map(|row| row[index].value).collect();
            let mut column = group.next_column()?.context("fewer columns than the schema has")?;
            column.typed::<DoubleType>().write_batch(&values, None, None)?;
            column.close()?;
        }
        group.close()?;
        writer.close()?;
        Ok(())
    }
}
