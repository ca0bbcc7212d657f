//! Judgement: every contender meets every place on the same held-out seeds, and a report says what follows.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use anyhow::{Context, bail};
use seawall_agents::{Constant, Exported, Policy, Random, generations};
use seawall_env::liquidation::presets::{NAMES, Preset};
use seawall_env::outcome::Outcome;
use seawall_env::{CascadeEnv, Env, Groups, Spec, Task};
use seawall_eval::counterfactual::{LetBe, Sampling, let_be};
use seawall_eval::metric::PRIMARY;
use seawall_eval::path::Glance;
use seawall_eval::report::{columns, csv, json, latex, markdown};
use seawall_eval::statistics::Estimate;
use seawall_eval::{Contender, Episodes, Grid, Records, Report, Split, Suite};

use crate::output::show;
use crate::places::{Places, task};
use crate::progress::{SharedProgress, Voice};
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use crate::table;

/// The report for machines.
pub(crate) const REPORT: &str = "report.json";
/// Every judged episode.
pub(crate) const EPISODES: &str = "episodes.csv";

/// Preset of the counterfactual that amplification is measured against.
const OFF: &str = "off";

/// The places, under the rules of every preset that somebody brings.
#[derive(Clone, Debug)]
pub(crate) struct Arena {
    /// By place: the task of each preset.
    tasks: Vec<BTreeMap<&'static str, Arc<Task>>>,
    configurations: Vec<Vec<u8>>,
    names: Vec<String>,
}

impl Arena {
    /// Prepares every place under every preset.
    ///
    /// # Errors
    /// If no episode fits into a history.
    pub(crate) fn new(settings: &Settings, places: &Places) -> anyhow::Result<Self> {
        let mut tasks = Vec::new();
        for place in &places.list {
            let mut by_preset = BTreeMap::new();
            for name in NAMES {
                let venue = Preset::shipped(name).expect("a listed preset exists");
                // Nobody is masked here: an exported policy holds what it was not trained to move.
                by_preset.insert(name, task(std::slice::from_ref(place), settings, &venue, Groups::default())?);
            }
            tasks.push(by_preset);
        }
        let reward = toml::to_string(&settings.reward).context("writing the reward's weights")?;
        let configurations = places.list.iter().map(|place| {
            let mut bytes = place.configuration();
            bytes.extend_from_slice(reward.as_bytes());
            bytes
        });
        let names = places.list.iter().map(|place| place.scenario().id.clone()).collect();
        Ok(Self { configurations: configurations.collect(), names, tasks })
    }

    /// Where checkpoints, training seeds and constants are chosen.
    ///
    /// # Errors
    /// If a scenario is unknown or invalid, or no episode fits into a history.
    pub(crate) fn selection(settings: &Settings, voice: Voice) -> anyhow::Result<Self> {
        Self::new(settings, &Places::gather(settings, settings.selected(), voice)?)
    }

    /// Hash of a suite that is played here.
    pub(crate) fn hash(&self, suite: &Suite) -> String {
        suite.hash(&self.configurations)
    }

    /// What a policy sees and moves here, the same in every place.
    pub(crate) fn spec(&self) -> Spec {
        CascadeEnv::new(Arc::clone(&self.tasks[0][OFF])).spec().clone()
    }

    /// The suite of one split.
    pub(crate) fn suite(&self, settings: &Settings, split: Split) -> Suite {
        let evaluation = &settings.evaluation;
        let (seeds, gates) = match split {
            Split::Report => (evaluation.seeds, evaluation.gates.clone()),
            Split::Train | Split::Select => (evaluation.selection_seeds, Vec::new()),
        };
        Suite {
            name: settings.run.name.clone(),
            split,
            root: evaluation.root,
            seeds,
            scenarios: self.names.clone(),
            gates,
        }
    }
}

/// Makes sure that every gate names somebody who competes and somewhere that is played, before hours are spent.
///
/// # Errors
/// The first gate that does not.
pub(crate) fn check_gates(suite: &Suite, contenders: &[String]) -> anyhow::Result<()> {
    for (index, gate) in suite.gates.iter().enumerate() {
        for name in [&gate.contender, &gate.versus].into_iter().flatten() {
            if !contenders.contains(name) {
                bail!("evaluation.gates[{index}] names {name}, who does not compete; {} do", contenders.join(", "));
            }
        }
        if let Some(id) = gate.scenario.as_ref().filter(|id| !suite.scenarios.contains(id)) {
            bail!("evaluation.gates[{index}] names the scenario {id}, which is not played");
        }
    }
    Ok(())
}

impl Episodes for Arena {
    type E = CascadeEnv;

    fn make(&self, scenario: usize, contender: &Contender) -> CascadeEnv {
        CascadeEnv::new(Arc::clone(&self.tasks[scenario][contender.preset.as_str()]))
    }

    fn outcome(&self, env: &CascadeEnv) -> Outcome {
        *env.outcome()
    }

    fn glance(&self, env: &CascadeEnv) -> Option<Glance> {
        Some(Glance::at(env))
    }

    fn let_be(&self, env: &mut CascadeEnv, policy: &dyn Policy, seed: u64, accounts: usize) -> Option<LetBe> {
        let_be(env, policy, seed, accounts)
    }

    fn configuration(&self, scenario: usize) -> Vec<u8> {
        self.configurations[scenario].clone()
    }
}

/// The hand-written contenders, and the two that know nothing.
///
/// # Errors
/// If a rule reads what is not observed.
pub(crate) fn baselines(settings: &Settings, spec: &Spec) -> anyhow::Result<Vec<Contender>> {
    let preset = &settings.task.preset;
    let generations = generations(spec).context("preparing the baselines")?;
    let mut contenders: Vec<Contender> = generations
        .into_iter()
        .map(|baseline| Contender::new(baseline.policy.name().to_owned(), baseline.preset, baseline.policy))
        .collect();
    contenders.push(Contender::new("constant", preset, Box::new(Constant::neutral("constant"))));
    contenders.push(Contender::new("random", preset, Box::new(Random::new(0))));
    Ok(contenders)
}

/// Venues as they are documented, at neutral parameters, under their own names; `all` stands for every one.
///
/// # Errors
/// If no venue has such a name.
pub(crate) fn venues(names: &[String]) -> anyhow::Result<Vec<Contender>> {
    let all = names.iter().any(|name| name == "all");
    if let Some(unknown) = names.iter().find(|name| *name != "all" && !NAMES.contains(&name.as_str())) {
        bail!("no venue is called {unknown}; there are {}", NAMES.join(", "));
    }
    let wanted = NAMES.into_iter().filter(|name| if all { *name != OFF } else { names.iter().any(|n| n == name) });
    Ok(wanted.map(|name| Contender::new(name, name, Box::new(Constant::neutral(name)))).collect())
}

/// A learned policy as a contender.
pub(crate) fn learned(settings: &Settings, name: &str, seed: u64, policy: Exported) -> Contender {
    Contender::new(name, &settings.task.preset, Box::new(policy)).trained_with(seed)
}

/// What is played beside the judged episodes, on their seeds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beside {
    /// Nothing: metrics that need it are undefined.
    Nothing,
    /// Every episode without liquidations, and some with an account that is let be.
    Counterfactuals(Sampling),
}

impl Beside {
    /// What a report is made of.
    pub(crate) const fn reported(settings: &Settings) -> Self {
        Self::Counterfactuals(settings.evaluation.counterfactuals)
    }
}

/// Runs the grid of a suite.
///
/// # Errors
/// If the suite or the line-up is invalid.
pub(crate) fn run(
    arena: &Arena,
    suite: &Suite,
    contenders: &[Contender],
    beside: Beside,
    voice: Voice,
) -> anyhow::Result<Records> {
    let off = Contender::new(OFF, OFF, Box::new(Constant::neutral(OFF)));
    let (without_liquidations, counterfactuals) = match beside {
        Beside::Nothing => (None, Sampling::NONE),
        Beside::Counterfactuals(sampling) => (Some(&off), sampling),
    };
    let grid = Grid { suite, contenders, without_liquidations, counterfactuals };
    let total = grid.episodes() as u64;
    let progress = SharedProgress::new(voice, "judging", total);
    let records = seawall_eval::run(&grid, arena, &|done, _| progress.at(done as u64, ""))?;
    progress.finish();
    Ok(records)
}

/// The report as a table: one line for each contender.
fn summary(report: &Report) -> String {
    let percent = report.settings.confidence * 100.0;
    let mut header: Vec<String> = [
        "contender".to_owned(),
        format!("return, mean [{percent} %]"),
        format!("{} less it [{percent} %]", report.subject),
        "finding".to_owned(),
    ]
    .into();
    let section = &report.sections[0];
    let costs = ["bad_debt", "deleveraged", "liquidation_cost", "price_amplification", "open_interest_mean"];
    let columns: Vec<_> = costs.iter().filter_map(|name| section.row(name)).collect();
    header.extend(
        columns.iter().map(|row| format!("{}, {}", row.metric.name.replace('_', " "), row.metric.unit.label())),
    );
    let primary = section.row(PRIMARY).expect("every report has its primary metric");
    let rows = report.arms.iter().map(|arm| {
        let mean = primary.summary(&arm.name).and_then(|summary| summary.mean);
        let comparison = primary.comparison(&arm.name);
        let name = match arm.training_seeds.len() {
            1 => arm.name.clone(),
            runs => format!("{} ({runs} seeds)", arm.name),
        };
        let mut cells = vec![
            name,
            estimate(mean),
            comparison.map_or_else(String::new, |comparison| estimate(comparison.difference)),
            comparison.and_then(|comparison| comparison.finding).map_or("", |finding| finding.name()).to_owned(),
        ];
        let value = |row: &&seawall_eval::report::Row| {
            let mean = row.summary(&arm.name).and_then(|summary| summary.mean);
            mean.map_or_else(|| "-".to_owned(), |mean| table::number(mean.value))
        };
        cells.extend(columns.iter().map(value));
        cells
    });
    table::table(&header, rows)
}

fn estimate(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "-".to_owned(),
        Some(Estimate { value, interval: None }) => table::number(value),
        Some(Estimate { value, interval: Some(interval) }) => table::interval(value, interval.low, interval.high),
    }
}

/// Prints what a report says: the table, the verdict, and the gates that failed.
///
/// # Errors
/// If nobody reads any more.
pub(crate) fn show_report(report: &Report) -> io::Result<()> {
    show(&summary(report))?;
    for sentence in report.verdict.iter().chain(&report.notes) {
        show(sentence)?;
    }
    for judgement in report.gates.iter().filter(|judgement| !judgement.passed) {
        show(&format!("gate FAILED: {}", judgement.gate))?;
    }
    Ok(())
}

/// Writes the report in every format: for people, for papers, for spreadsheets, for programs.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(folder: &RunFolder, report: &Report, records: &Records) -> anyhow::Result<()> {
    folder.write("report.md", markdown::markdown(report).as_bytes())?;
    folder.write("report.tex", latex::latex(report).as_bytes())?;
    folder.write(REPORT, json::json(report).as_bytes())?;
    folder.write("metrics_summary.csv", csv::summaries(report).as_bytes())?;
    folder.write("tails.csv", csv::tails(report).as_bytes())?;
    folder.write(EPISODES, csv::episodes(records).as_bytes())?;
    folder.write("episodes.parquet", &columns::episodes(records).context("writing the episodes as Parquet")?)
}
