//! `seawall probe`: each parameter as a constant, everybody on the same seeds: is there something to learn?

mod headroom;

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::bail;
use seawall_agents::Constant;
use seawall_env::SeedTree;
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_eval::statistics::{Estimate, Interval};
use seawall_eval::{Contender, Records, Split, Suite};

use self::headroom::{Returns, headroom, mean_with_interval};
use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::foresight::write_settings;
use crate::judge::{self, Arena, Beside};
use crate::output::show;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use crate::table;

/// Arguments of `seawall probe`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProbeArgs {
    /// Values of each parameter, from one bound to the other
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=101))]
    levels: u32,
    /// Episodes of each scenario, the same for every value
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(4..=100_000))]
    episodes: u32,
    /// Only these parameters
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Folder for every figure as CSV, new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// One constant: a parameter away from neutral.
struct Candidate {
    parameter: usize,
    /// Normalised value.
    level: f64,
    name: String,
}

/// Name of the constant that everything is compared with.
const NEUTRAL: &str = "neutral";

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong.
pub(crate) fn run(args: &ProbeArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let settings = args.settings.settings(&[])?;
    use_threads(settings.run.threads)?;
    for name in &args.only {
        if !PARAMETERS.iter().any(|parameter| parameter.name == name) {
            let known: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
            bail!("no parameter is called {name:?}; there are {}", known.join(", "));
        }
    }
    let places = Places::gather(&settings, settings.judged(), voice)?;
    let arena = Arena::new(&settings, &places)?;
    let candidates = candidates(args);
    let mut contenders = vec![constant(&settings, NEUTRAL, Controls::default().encode())?];
    for candidate in &candidates {
        contenders.push(constant(&settings, &candidate.name, candidate.action())?);
    }
    // Constants are tuned on the tuning split: what is reported later stays unseen.
    let suite = Suite { seeds: args.episodes as usize, ..arena.suite(&settings, Split::Train) };
    let records = judge::run(&arena, &suite, &contenders, Beside::Nothing, voice)?;
    let probe = Probe { settings: &settings, candidates: &candidates, records: &records };
    show(&probe.by_parameter())?;
    show(&probe.by_value())?;
    let all: Vec<usize> = (0..records.arms.len()).collect();
    let whole = probe.headroom(&all);
    let single = probe.best(&all, None);
    show(&format!("best single constant: {}", records.arms[single].name))?;
    for (index, scenario) in records.scenarios.iter().enumerate() {
        let best = probe.best(&all, Some(index));
        show(&format!("best constant in {scenario}: {}", records.arms[best].name))?;
    }
    show(&format!(
        "adaptivity headroom: {} per episode, over {} constants, {} scenarios and {} seeds; chosen on one half of the \
         seeds, measured on the other",
        shown(Some(whole)),
        all.len(),
        records.scenarios.len(),
        records.seeds
    ))?;
    if let Some(out) = &args.out {
        let folder = RunFolder::create(Some(out), &settings.run.name, settings.run.seed)?;
        write_settings(&folder, &settings)?;
        folder.write("probe.csv", probe.csv().as_bytes())?;
        show(&format!("figures: {}", folder.file("probe.csv").display()))?;
    }
    let is_positive = whole.interval.is_some_and(|interval| interval.low > 0.0);
    Ok(if is_positive { Verdict::Done } else { Verdict::GateFailed })
}

fn constant(settings: &Settings, name: &str, action: [f32; ACTIONS]) -> anyhow::Result<Contender> {
    let policy = Constant::from_action(name, action)?;
    Ok(Contender::new(name, &settings.task.preset, Box::new(policy)))
}

fn candidates(args: &ProbeArgs) -> Vec<Candidate> {
    let chosen = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let parameters = PARAMETERS.iter().enumerate().filter(|(_, parameter)| chosen(parameter.name));
    let last = f64::from(args.levels - 1);
    let values = |(index, parameter): (usize, &seawall_env::spaces::Parameter)| {
        (0..args.levels)
            .map(|k| {
                let level = 2.0 * f64::from(k) / last - 1.0;
                let value = table::number(parameter.decode(level));
                Candidate { parameter: index, level, name: format!("{} = {value}", parameter.name) }
            })
            .collect::<Vec<_>>()
    };
    parameters.flat_map(values).collect()
}

impl Candidate {
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    fn action(&self) -> [f32; ACTIONS] {
        let mut action = Controls::default().encode();
        action[self.parameter] = self.level as f32;
        action
    }
}

/// What was played, and how to read it. Arm 0 is neutral; arm `k + 1` is candidate `k`.
struct Probe<'a> {
    settings: &'a Settings,
    candidates: &'a [Candidate],
    records: &'a Records,
}

impl Probe<'_> {
    /// Returns of some arms, `[arms, scenarios, seeds]`.
    fn returns(&self, arms: &[usize]) -> Returns {
        let of = |arm: &usize| {
            let episodes = self.records.arm(*arm);
            episodes.chunks(self.records.seeds).map(|seeds| seeds.iter().map(|e| e.episode_return).collect()).collect()
        };
        Returns(arms.iter().map(of).collect())
    }

    fn headroom(&self, arms: &[usize]) -> Estimate {
        let statistics = self.settings.evaluation.statistics;
        headroom(&self.returns(arms), SeedTree::new(statistics.seed), statistics.resamples, statistics.confidence)
    }

    /// The arm with the highest mean return, in one scenario or over all.
    fn best(&self, arms: &[usize], scenario: Option<usize>) -> usize {
        arms[self.returns(arms).best(scenario, |_| true)]
    }

    /// Neutral and every candidate of a parameter.
    fn arms_of(&self, parameter: usize) -> Vec<usize> {
        let own = self.candidates.iter().enumerate().filter(|(_, candidate)| candidate.parameter == parameter);
        std::iter::once(0).chain(own.map(|(index, _)| index + 1)).collect()
    }

    fn by_parameter(&self) -> String {
        let mut header = vec!["parameter".to_owned(), "best over all".to_owned(), "inside?".to_owned()];
        header.extend(self.records.scenarios.iter().map(|scenario| format!("best in {scenario}")));
        header.push("headroom of this parameter alone".to_owned());
        let mut parameters: Vec<usize> = self.candidates.iter().map(|candidate| candidate.parameter).collect();
        parameters.dedup();
        let rows = parameters.into_iter().map(|parameter| {
            let arms = self.arms_of(parameter);
            let best = self.best(&arms, None);
            let mut cells = vec![PARAMETERS[parameter].name.to_owned(), self.value(best)];
            cells.push(if self.is_inside(best) { "yes" } else { "at a bound" }.to_owned());
            cells
                .extend((0..self.records.scenarios.len()).map(|scenario| self.value(self.best(&arms, Some(scenario)))));
            cells.push(shown(Some(self.headroom(&arms))));
            cells
        });
        table::table(&header, rows)
    }

    /// The value that an arm holds.
    fn value(&self, arm: usize) -> String {
        let name = &self.records.arms[arm].name;
        name.split_once(" = ").map_or_else(|| name.clone(), |(_, value)| value.to_owned())
    }

    /// Whether an arm's value lies between the bounds of its parameter; what is neutral counts by its own value.
    fn is_inside(&self, arm: usize) -> bool {
        arm == 0 || self.candidates[arm - 1].level.abs() < 1.0
    }

    fn by_value(&self) -> String {
        let mut header = vec!["constant".to_owned(), "return less neutral's".to_owned()];
        header.extend(self.records.terms.iter().map(|term| term.replace('_', " ")));
        let rows = (0..self.records.arms.len()).map(|arm| {
            let mut cells = vec![self.records.arms[arm].name.clone(), shown(self.difference(arm))];
            cells.extend(self.term_means(arm).into_iter().map(table::number));
            cells
        });
        table::table(&header, rows)
    }

    /// Mean return less neutral's on the same episodes.
    fn difference(&self, arm: usize) -> Option<Estimate> {
        let pairs = self.records.arm(arm).iter().zip(self.records.arm(0));
        let differences: Vec<f64> = pairs.map(|(a, b)| a.episode_return - b.episode_return).collect();
        let statistics = self.settings.evaluation.statistics;
        let strata = vec![self.records.seeds; self.records.scenarios.len()];
        let seeds = SeedTree::new(statistics.seed);
        (arm > 0).then(|| mean_with_interval(&differences, &strata, seeds, statistics.resamples, statistics.confidence))
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of episodes")]
    fn term_means(&self, arm: usize) -> Vec<f64> {
        let episodes = self.records.arm(arm);
        let mean = |term: usize| episodes.iter().map(|e| e.terms[term]).sum::<f64>() / episodes.len() as f64;
        (0..self.records.terms.len()).map(mean).collect()
    }

    /// One line for each episode of each constant.
    fn csv(&self) -> String {
        let mut text = format!("constant,scenario,seed,return,{}\n", self.records.terms.join(","));
        for episode in &self.records.episodes {
            let (arm, scenario) = (&self.records.arms[episode.arm].name, &self.records.scenarios[episode.scenario]);
            write!(text, "\"{arm}\",{scenario},{},{}", episode.seed, episode.episode_return)
                .expect("a string takes everything");
            for term in &episode.terms {
                write!(text, ",{term}").expect("a string takes everything");
            }
            text.push('\n');
        }
        text
    }
}

fn shown(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "-".to_owned(),
        Some(Estimate { value, interval: Some(Interval { low, high, .. }) }) => table::interval(value, low, high),
        Some(Estimate { value, interval: None }) => table::number(value),
    }
}
