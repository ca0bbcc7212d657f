//! `seawall plan`: what is attainable, by planning in the simulator with the true future withheld.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use seawall_agents::Constant;
use seawall_env::SeedTree;
use seawall_eval::planner::{self, PlanConfig, gap_share};
use seawall_eval::statistics::Estimate;
use seawall_eval::{Contender, Records, Report, Split, Suite};
use serde::Serialize;

use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::entry::{Entry, export_in};
use crate::foresight::write_settings;
use crate::judge::{self, Arena, Beside};
use crate::openings;
use crate::output::show;
use crate::places::Places;
use crate::progress::{SharedProgress, Voice};
use crate::run_folder::{Manifest, RunFolder};
use crate::settings::Settings;
use crate::table;

/// Arguments of `seawall plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// Exports or run folders: what share of the way from gen3 to the planner does each go?
    #[arg(value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// Held-out seeds of each scenario, the first of those that `eval` judges on
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    seeds: u32,
    /// Decisions that a plan looks ahead; fewer where the episode ends before
    #[arg(long, default_value_t = PlanConfig::default().horizon)]
    horizon: u32,
    /// Stretches of equal action in a plan; the last one lasts to the horizon
    #[arg(long, default_value_t = PlanConfig::default().blocks)]
    blocks: u32,
    /// Decisions until the next plan
    #[arg(long, default_value_t = PlanConfig::default().replan)]
    replan: u32,
    /// Candidates of an iteration
    #[arg(long, default_value_t = PlanConfig::default().population)]
    population: u32,
    /// Candidates that the next iteration is drawn around
    #[arg(long, default_value_t = PlanConfig::default().elites)]
    elites: u32,
    /// Iterations of the search
    #[arg(long, default_value_t = PlanConfig::default().iterations)]
    iterations: u32,
    /// Futures that every candidate meets
    #[arg(long, default_value_t = PlanConfig::default().scenarios)]
    scenarios: u32,
    /// Folder for the report, new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Name of the planner in tables.
const PLANNER: &str = "planner";
/// Where the gap that a policy closes begins.
const BASE: &str = "gen3";

/// What was planned, for machines.
#[derive(Debug, Serialize)]
struct Planned {
    plan: PlanConfig,
    /// Share of the gap between the third generation and the planner, by policy; nothing where there is no gap.
    gap_closed: Vec<Share>,
}

#[derive(Debug, Serialize)]
struct Share {
    policy: String,
    share: Option<Estimate>,
}

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong.
pub(crate) fn run(args: &PlanArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let exports: Vec<PathBuf> = args.policies.iter().map(|path| export_in(path)).collect();
    let settings = match exports.first() {
        Some(first) => args.settings.settings_beside(first)?,
        None => args.settings.settings(&[])?,
    };
    use_threads(settings.run.threads)?;
    let places = Places::gather(&settings, settings.judged(), voice)?;
    if places.list.iter().any(crate::places::Place::is_history) {
        bail!("replay.files: a replayed history has one future, which a planner would know; plan on scenarios");
    }
    let config = args.config(settings.run.seed);
    let arena = Arena::new(&settings, &places)?;
    let mut inputs = places.inputs.clone();
    let mut contenders = Vec::new();
    let mut hashes = BTreeSet::new();
    for path in &exports {
        let (entry, file) = Entry::checked(path)?;
        hashes.insert((entry.name().to_owned(), file.sha256.clone()));
        inputs.push(file);
        contenders.push(entry.contender(&settings, entry.name(), &arena.spec())?);
    }
    let policies: Vec<String> = contenders.iter().map(|contender| contender.name.clone()).collect();
    contenders.extend(judge::baselines(&settings, &arena.spec())?.into_iter().filter(|one| one.name != "random"));
    check_names(&contenders)?;
    let seat = Contender::new(PLANNER, &settings.task.preset, Box::new(Constant::neutral(PLANNER)));
    let suite = Suite { seeds: args.seeds as usize, gates: Vec::new(), ..arena.suite(&settings, Split::Report) };
    let mut problems = seawall_env::Problems::default();
    config.validate("plan", &mut problems);
    problems.into_result()?;
    let folder = args.out.as_ref().map(|path| RunFolder::create(Some(path), &settings.run.name, settings.run.seed));
    let folder = folder.transpose()?;
    let notes = openings::look(&exports, folder.as_ref(), &arena.hash(&suite), &hashes)?;
    let records = judge::run(&arena, &suite, &contenders, Beside::reported(&settings), voice)?;
    let records = records.with(planned(&arena, &suite, &seat, &config, voice)?);
    let mut report = Report::build(&records, PLANNER, settings.evaluation.statistics, &[])?;
    report.notes = notes;
    judge::show_report(&report)?;
    let gap_closed = shares(&records, &policies, &settings);
    for Share { policy, share } in &gap_closed {
        show(&format!("{policy} goes {} of the way from {BASE} to the planner", shown(*share)))?;
    }
    if let Some(folder) = folder {
        let text = write_settings(&folder, &settings)?;
        folder.write_manifest(&Manifest::new(&text, settings.run.seed, inputs))?;
        let planned = serde_json::to_string_pretty(&Planned { plan: config, gap_closed })?;
        folder.write("plan.json", planned.as_bytes())?;
        judge::write(&folder, &report, &records)?;
        show(&format!("report: {}", folder.file("report.md").display()))?;
    }
    Ok(Verdict::Done)
}

impl PlanArgs {
    const fn config(&self, seed: u64) -> PlanConfig {
        let Self { horizon, blocks, replan, population, elites, iterations, scenarios, .. } = *self;
        PlanConfig { horizon, blocks, replan, population, elites, iterations, scenarios, seed }
    }
}

/// Two lines of a table need two names.
fn check_names(contenders: &[Contender]) -> anyhow::Result<()> {
    for (index, contender) in contenders.iter().enumerate() {
        let is_taken = contenders[..index].iter().any(|before| before.name == contender.name);
        if is_taken || contender.name == PLANNER {
            bail!("two contenders are called {}", contender.name);
        }
    }
    Ok(())
}

/// Plays the suite with a planner, and shows how far it is.
fn planned(
    arena: &Arena,
    suite: &Suite,
    seat: &Contender,
    config: &PlanConfig,
    voice: Voice,
) -> anyhow::Result<Records> {
    let total = planner::plans(suite, arena, seat, config) as u64;
    let progress = SharedProgress::new(voice, "planning", total);
    let records = planner::run(suite, arena, seat, config, &|done, _| progress.at(done as u64, "plans"))?;
    progress.finish();
    Ok(records)
}

fn shares(records: &Records, policies: &[String], settings: &Settings) -> Vec<Share> {
    let statistics = settings.evaluation.statistics;
    let of = |policy: &String| Share {
        policy: policy.clone(),
        share: gap_share(
            records,
            [policy, BASE, PLANNER],
            SeedTree::new(statistics.seed),
            statistics.resamples,
            statistics.confidence,
        ),
    };
    policies.iter().map(of).collect()
}

fn shown(share: Option<Estimate>) -> String {
    match share {
        None => "no share (the planner does not lead)".to_owned(),
        Some(Estimate { value, interval: Some(interval) }) => {
            table::interval(100.0 * value, 100.0 * interval.low, 100.0 * interval.high) + " %"
        }
        Some(Estimate { value, interval: None }) => {
            format!("{} % (no interval: the planner does not lead in every resample)", table::number(100.0 * value))
        }
    }
}
