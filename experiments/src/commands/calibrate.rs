//! `seawall calibrate`: from real series to a scenario, each number with its standard error and source.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::Verdict;
use crate::calibrator::findings::{Finding, Source};
use crate::calibrator::prices::Prices;
use crate::calibrator::{Findings, context, liquidity, prices, scenario, windows};
use crate::candles::{Gaps, Window, parse_end};
use crate::datasets::{self, Content, Dataset, Kind};
use crate::output::show;
use crate::progress::Voice;
use crate::run_folder::{Input, input};
use crate::table;

/// Arguments of `seawall calibrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct CalibrateArgs {
    /// Real series: candles, funding, marks, depth, quotes, trades, open interest, liquidations, macro, margin brackets. The
    /// first file of candles is the market that is fitted; further ones and marks give its basis
    #[arg(value_name = "DATA", required = true)]
    files: Vec<PathBuf>,
    /// Scenario to write; a JSON of all estimates goes beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Identifier of the scenario; the file's name without this
    #[arg(long)]
    id: Option<String>,
    /// Coin whose columns are read where a file has several
    #[arg(long, default_value = "btc")]
    asset: String,
    /// Contract whose margin brackets are read; the asset against USDT without this
    #[arg(long)]
    symbol: Option<String>,
    /// Regime that episodes start in
    #[arg(long, default_value = "stationary", value_parser = ["stationary", "calm", "tense", "crisis"])]
    initial: String,
    /// First moment: a UTC date, an ISO 8601 time, or a time since 1970
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    from: Option<i64>,
    /// First moment after
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    to: Option<i64>,
    /// What to do about holes in time
    #[arg(long, default_value = "split")]
    gaps: Gaps,
    /// Fit on the validation windows too, which are cut out otherwise
    #[arg(long)]
    all_windows: bool,
}

/// What goes beside the scenario.
#[derive(Debug, Serialize)]
struct Calibration<'a> {
    version: &'static str,
    scenario: &'a str,
    asset: &'a str,
    /// Whether validation windows were cut out.
    held_out: bool,
    inputs: Vec<Input>,
    estimates: &'a [Finding],
    refused: &'a [String],
    skipped: &'a [String],
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read or is wrong (all of them are listed), or the fit makes no scenario.
pub(crate) fn run(args: &CalibrateArgs, voice: Voice) -> anyhow::Result<Verdict> {
    if args.gaps == Gaps::Hold {
        bail!("--gaps hold would fit the bars that were filled in: use split or error");
    }
    let id = args.id.clone().map_or_else(|| id_of(&args.out), Ok)?;
    let datasets = read_all(args)?;
    for dataset in &datasets {
        voice.say(&dataset.summary());
    }
    voice.say(&windows::describe());
    let mut findings = Findings::default();
    let markets = markets(args, &datasets, voice);
    if let Some(market) = markets.first() {
        prices::fit(market, &mut findings);
    }
    around(args, &datasets, &markets, &mut findings);
    let title = format!("{} as fitted to {}.", args.asset.to_uppercase(), sources(&findings));
    let rendered = scenario::render(&id, &title, &args.initial, &findings)?;
    if findings.all.is_empty() {
        bail!("nothing could be estimated:\n{}", findings.skipped.join("\n"));
    }
    let calibration = Calibration {
        version: env!("CARGO_PKG_VERSION"),
        scenario: &id,
        asset: &args.asset,
        held_out: !args.all_windows,
        inputs: args.files.iter().map(|file| input(file)).collect::<anyhow::Result<_>>()?,
        estimates: &findings.all,
        refused: &rendered.refused,
        skipped: &findings.skipped,
    };
    let json = serde_json::to_string_pretty(&calibration).context("writing the estimates as JSON")? + "\n";
    let beside = args.out.with_extension("calibration.json");
    write(&beside, &json)?;
    write(&args.out, &rendered.text)?;
    print(&findings, &rendered.refused)?;
    show(&format!("{} and {}", args.out.display(), beside.display()))?;
    Ok(Verdict::Done)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    crate::run_folder::write_atomically(path, text.as_bytes()).with_context(|| format!("writing {}", path.display()))
}

fn id_of(out: &Path) -> anyhow::Result<String> {
    let stem = out.file_stem().context("the scenario needs a file name")?.to_string_lossy().to_ascii_lowercase();
    Ok(stem.replace([' ', '.'], "_"))
}

/// Reads every file; what is wrong with any of them is listed together.
fn read_all(args: &CalibrateArgs) -> anyhow::Result<Vec<Dataset>> {
    let window = Window { from_ms: args.from, to_ms: args.to };
    let (mut read, mut wrong) = (Vec::new(), Vec::new());
    for file in &args.files {
        match datasets::read(file, &window, args.gaps) {
            Ok(dataset) => read.push(dataset),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() { Ok(read) } else { bail!(wrong.join("\n")) }
}

/// Candles without what is held out.
fn markets(args: &CalibrateArgs, datasets: &[Dataset], voice: Voice) -> Vec<Prices> {
    let spans = if args.all_windows { Vec::new() } else { windows::held_out() };
    let mut markets = Vec::new();
    for dataset in datasets {
        let Some((runs, bar_ms)) = dataset.bars() else { continue };
        let (runs, dropped) = windows::cut(runs, &spans);
        if dropped > 0 {
            voice.say(&format!("{}: {dropped} bars of validation windows cut out", dataset.source));
        }
        let ends = runs.first().and_then(|run| run.first()).zip(runs.last().and_then(|run| run.last()));
        let span = ends.map(|(first, last)| (first.open_time_ms, last.open_time_ms));
        if span.is_some() {
            markets.push(Prices { runs, bar_ms, source: Source::new(&dataset.source, span) });
        }
    }
    markets
}

/// Everything that is not the first file of candles.
fn around(args: &CalibrateArgs, datasets: &[Dataset], markets: &[Prices], findings: &mut Findings) {
    let asset = args.asset.as_str();
    let first = markets.first().map(context::closes_of);
    for (first, other) in first.iter().flat_map(|first| markets.iter().skip(1).map(move |other| (first, other))) {
        let name = format!("basis.{}", stem(&other.source.file));
        context::basis(&name, first, &context::closes_of(other), &other.source, findings);
    }
    let interest = datasets.iter().find_map(|dataset| {
        let table = dataset.table(Kind::OpenInterestByExchange)?;
        Some((liquidity::mean_open_interest(table, "binance")?, dataset.source.as_str()))
    });
    let symbol = args.symbol.clone().unwrap_or_else(|| format!("{}USDT_USDT", asset.to_uppercase()));
    for dataset in datasets {
        let Content::Table(table) = &dataset.content else { continue };
        let file = dataset.source.as_str();
        match table.kind {
            Kind::Funding => context::funding(file, table, findings),
            Kind::Marks => {
                if let Some(first) = &first {
                    let name = format!("mark.{}", stem(file));
                    let closes = context::closes_of_marks(table);
                    context::basis(&name, first, &closes, &liquidity::source(file, table), findings);
                }
            }
            Kind::Quotes => liquidity::quotes(file, table, findings),
            Kind::Trades => liquidity::trades(file, table, findings),
            Kind::Fills => liquidity::fills(file, table, asset, findings),
            Kind::BookDepth => {
                let context = liquidity::Context { prices: markets, open_interest: interest };
                liquidity::book_depth(file, table, asset, &context, findings);
            }
            Kind::Liquidations => context::liquidations(file, table, asset, findings),
            Kind::OpenInterest => context::open_interest(file, table, asset, findings),
            Kind::PerpLiquidations => context::perp_liquidations(file, table, findings),
            Kind::LendingLiquidations => context::lending_liquidations(file, table, findings),
            Kind::Macro => context::macro_daily(file, table, asset, findings),
            Kind::ImpliedVolatility => context::implied(file, table, findings),
            Kind::Margin => context::margin(file, table, &symbol, findings),
            Kind::OpenInterestByExchange => {}
            Kind::FundingByExchange | Kind::TakerFlow | Kind::Positioning | Kind::VenueSnapshots | Kind::Levels => {
                findings.skip(format!("{file}: read and checked; no parameter is fitted to it"));
            }
        }
    }
}

fn stem(file: &str) -> &str {
    file.split('.').next().unwrap_or(file)
}

/// Files that gave a number, in order.
fn sources(findings: &Findings) -> String {
    let mut files: Vec<&str> = Vec::new();
    for finding in &findings.all {
        if !files.contains(&finding.source.file.as_str()) {
            files.push(&finding.source.file);
        }
    }
    files.join(", ")
}

fn print(findings: &Findings, refused: &[String]) -> anyhow::Result<()> {
    let rows = findings.all.iter().map(|finding| {
        vec![
            finding.name.clone(),
            table::number(finding.fitted.value),
            finding.fitted.standard_error.map_or_else(|| "-".to_owned(), table::number),
            finding.fitted.n.to_string(),
            finding.source.file.clone(),
        ]
    });
    show(&table::table(&["estimate", "value", "standard error", "n", "source"], rows))?;
    for sentence in refused {
        show(&format!("left at its default: {sentence}"))?;
    }
    for sentence in &findings.skipped {
        show(&format!("skipped: {sentence}"))?;
    }
    Ok(())
}
