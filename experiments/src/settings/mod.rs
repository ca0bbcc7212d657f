//! What a run is told: every key named, in layers, and checked as a whole before anything starts.

mod hooks;
mod layers;
mod market;
mod shield;
mod suite;

use seawall_agents::ScheduleShape;
use seawall_agents::tuned::Family;
use seawall_env::liquidation::presets;
use seawall_env::observation::features;
use seawall_env::scenario::RewardConfig;
use seawall_env::{Groups, Problem, Problems};
use seawall_eval::counterfactual::Sampling;
use seawall_eval::gate::Gate;
use seawall_eval::{Split, Suite};
use seawall_training::{Backend, Head, PpoConfig, SacConfig, SearchConfig};
use serde::{Deserialize, Serialize};

pub(crate) use self::hooks::{ActionSettings, ObservationSettings, RuleSettings};
pub(crate) use self::layers::{Layer, SettingsError, resolve};
pub(crate) use self::market::MarketSettings;
pub(crate) use self::suite::{SuiteFile, shipped as shipped_suite};
use crate::candles::{Gaps, Window, parse_end};

/// The documented baseline: `seawall train` without arguments.
pub(crate) const DEFAULT: &str = include_str!("../../configs/default.toml");
/// A run of seconds that goes through every step.
pub(crate) const SMOKE: &str = include_str!("../../configs/smoke.toml");

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Seeds and resources.
    pub(crate) run: RunSettings,
    /// Proximal policy optimisation, if that is the run's algorithm.
    pub(crate) ppo: PpoConfig,
    /// The soft actor-critic, if that is the run's algorithm.
    pub(crate) sac: SacConfig,
    /// What `tune` searches for.
    pub(crate) tune: TuneSettings,
    /// How it and the run's search go; `search.total_steps = 0` is as many as the learner's.
    pub(crate) search: SearchConfig,
    /// What is trained on.
    pub(crate) task: TaskSettings,
    /// What is hidden from whoever plays.
    pub(crate) observation: ObservationSettings,
    /// What nobody moves.
    pub(crate) action: ActionSettings,
    /// Historical candles in place of scenarios.
    pub(crate) replay: ReplaySettings,
    /// What is judged on.
    pub(crate) evaluation: EvaluationSettings,
    /// What is written about a policy.
    pub(crate) export: ExportSettings,
    /// Weights of the reward.
    pub(crate) reward: RewardConfig,
    /// The venue and its participants, in every scenario that does not say otherwise.
    #[serde(default)]
    pub(crate) market: MarketSettings,
}

/// Which trainer a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Algorithm {
    /// Proximal policy optimisation; its settings are `[ppo]`.
    Ppo,
    /// The soft actor-critic; its settings are `[sac]`.
    Sac,
    /// A search over networks without gradients; its settings are `[search]`.
    Search,
}

/// What a policy imitates before it learns from rewards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WarmStart {
    /// Nobody: it starts at neutral parameters.
    None,
    /// The parameters' policy of generation 1, which leaves them at neutral.
    Gen1,
    /// That of generation 2.
    Gen2,
    /// That of generation 3.
    Gen3,
    /// Neutral parameters.
    Constant,
    /// Constants for all parameters that a search by `[search]` finds first.
    Tuned {
        /// Decisions of the search, beside those of the learner. 1 or more.
        steps: u64,
    },
}

impl WarmStart {
    /// Whom it imitates, if anybody.
    pub(crate) const fn teacher(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gen1 => Some("gen1"),
            Self::Gen2 => Some("gen2"),
            Self::Gen3 => Some("gen3"),
            Self::Constant => Some("constant"),
            Self::Tuned { .. } => Some("tuned"),
        }
    }

    /// Decisions that it takes beside those of the learner; those of an imitation are few and not counted.
    pub(crate) const fn steps(self) -> u64 {
        if let Self::Tuned { steps } = self { steps } else { 0 }
    }
}

impl Algorithm {
    /// Name, as settings spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ppo => "ppo",
            Self::Sac => "sac",
            Self::Search => "search",
        }
    }
}

/// Seeds and resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunSettings {
    /// The trainer; the settings of the others are checked and then not read.
    pub(crate) algorithm: Algorithm,
    /// Name of the run, in its folder and its exports: lower-case letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// Root seed of the first training run; the others count on from it. 0 to 2^63 - 1.
    pub(crate) seed: u64,
    /// Training runs that differ only in their seed. 1 to 100.
    pub(crate) seeds: u64,
    /// Environments in lockstep. 1 to 4,096.
    pub(crate) environments: usize,
    /// Threads; 0 takes all processors. Results do not depend on it. 0 to 1,024.
    pub(crate) threads: usize,
    /// Tensor library of the gradients that are not derived by hand, `ppo.gradient = "autodiff"`.
    pub(crate) backend: Backend,
    /// Iterations between two checkpoints. 1 or more.
    pub(crate) checkpoint_interval: u64,
    /// Policy over the parameters that `ppo` imitates first, on the venue that is trained on; the other trainers imitate nobody.
    pub(crate) warm_start: WarmStart,
    /// Whether the policy trains, is judged and is exported behind the solvency shield.
    pub(crate) shield: bool,
}

/// What is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskSettings {
    /// Ids of shipped scenarios, or paths of scenario files that end in `.toml`; each is as likely as the others.
    pub(crate) scenarios: Vec<String>,
    /// Venue preset that the controller runs on.
    pub(crate) preset: String,
    /// Which parameters the controller moves.
    pub(crate) groups: Groups,
    /// Choices of liquidation that take the place of the preset's, such as `size = "full"`.
    #[serde(default)]
    pub(crate) rules: RuleSettings,
}

/// What `tune` searches for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TuneSettings {
    /// Rule whose constants are moved.
    pub(crate) baseline: Family,
    /// Features of a schedule's lines.
    pub(crate) schedule: ScheduleShape,
}

/// Historical candles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplaySettings {
    /// Candle files; with any, they take the place of all scenarios.
    pub(crate) files: Vec<String>,
    /// First moment, a UTC date or time; empty for the beginning.
    pub(crate) from: String,
    /// First moment after the window; empty for the end.
    pub(crate) to: String,
    /// What to do about missing bars.
    pub(crate) gaps: Gaps,
}

impl ReplaySettings {
    /// The window that `from` and `to` mean.
    ///
    /// # Errors
    /// The name of the field that is no time.
    pub(crate) fn window(&self) -> Result<Window, &'static str> {
        let end = |text: &str, field| match text {
            "" => Ok(None),
            text => parse_end(text).map(Some).map_err(|_| field),
        };
        Ok(Window { from_ms: end(&self.from, "from")?, to_ms: end(&self.to, "to")? })
    }
}

/// What is judged on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvaluationSettings {
    /// Name of the suite that these settings were made by, whose three sets of scenarios share none; empty for none.
    pub(crate) suite: String,
    /// As `task.scenarios`; empty for the same.
    pub(crate) scenarios: Vec<String>,
    /// Those that checkpoints, training seeds and constants are chosen by; empty for those that are judged on.
    pub(crate) selection_scenarios: Vec<String>,
    /// Held-out seeds for each scenario. 2 to 1,048,576.
    pub(crate) seeds: usize,
    /// Further seeds that choose which training run is exported. 1 to 1,048,576.
    pub(crate) selection_seeds: usize,
    /// Root of both. 0 to 2^63 - 1.
    pub(crate) root: u64,
    /// Accounts that are let be where they enter liquidation, to see whether they would have survived: at most 1,000 of an
    /// episode.
    pub(crate) counterfactuals: Sampling,
    /// Intervals and tests.
    pub(crate) statistics: seawall_eval::Settings,
    /// Bounds that decide the exit code.
    pub(crate) gates: Vec<Gate>,
}

/// What is written about a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportSettings {
    /// Episodes of each scenario that the parameters' means are taken over. 1 to 10,000.
    pub(crate) episodes: usize,
}

impl Settings {
    /// The venue that a policy is trained on.
    ///
    /// # Panics
    /// If the settings were not checked.
    pub(crate) fn venue(&self) -> presets::Preset {
        presets::Preset::shipped(&self.task.preset).expect("the settings were checked")
    }

    /// Settings of a search, with the learner's budget unless another is set, its warm start's included.
    pub(crate) fn search(&self) -> SearchConfig {
        let mut search = self.search.clone();
        if search.total_steps == 0 {
            search.total_steps = self.ppo.total_steps + self.run.warm_start.steps();
        }
        search
    }

    /// Reads the default and lays `layers` over it.
    ///
    /// # Errors
    /// [`SettingsError`] with everything that is wrong.
    pub(crate) fn resolve(layers: &[Layer]) -> Result<Self, SettingsError> {
        resolve(DEFAULT, layers, Self::problems)
    }

    /// Steps of one environment that a training run cannot exceed, warm-up included.
    pub(crate) fn steps_per_environment_max(&self) -> u64 {
        let (total, horizon, warmup) = match self.run.algorithm {
            Algorithm::Ppo => (self.ppo.total_steps, self.ppo.horizon, self.ppo.warmup),
            Algorithm::Sac => (self.sac.total_steps, self.sac.horizon, 0),
            // Its episodes are of the training split.
            Algorithm::Search => return 0,
        };
        total.div_ceil(self.run.environments as u64) + (horizon + warmup) as u64
    }

    /// Names of what is judged on.
    pub(crate) fn judged(&self) -> &[String] {
        if self.evaluation.scenarios.is_empty() { &self.task.scenarios } else { &self.evaluation.scenarios }
    }

    /// Names of what checkpoints, training seeds and constants are chosen by.
    pub(crate) fn selected(&self) -> &[String] {
        let own = &self.evaluation.selection_scenarios;
        if own.is_empty() { self.judged() } else { own }
    }

    /// Every key and its value.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string(self).expect("settings are made of what TOML can say")
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let Self {
            run,
            ppo,
            sac,
            tune,
            search: _,
            task,
            observation,
            action,
            replay,
            evaluation,
            export,
            reward,
            market,
        } = self;
        run.validate(&mut problems);
        for problem in ppo.validate_for(run.environments).0 {
            problems.0.push(Problem { field: format!("ppo.{}", problem.field), ..problem });
        }
        let is_range = ppo.head != Head::Categorical;
        problems.require(is_range, "ppo.head", "\"categorical\"", "a head for ranges, which a venue's parameters are");
        let cost = ppo.lagrangian.cost.as_str();
        let is_term = cost.is_empty() || seawall_env::reward::NAMES.contains(&cost);
        let terms = format!("empty, or one of {}", seawall_env::reward::NAMES.join(", "));
        problems.require(is_term, "ppo.lagrangian.cost", quoted(cost), &terms);
        for problem in sac.validate().0 {
            problems.0.push(Problem { field: format!("sac.{}", problem.field), ..problem });
        }
        let every = features();
        let observed = every.iter().map(|feature| feature.name).chain(crate::foresight::names(self));
        tune.schedule.validate("tune.schedule", observed, &mut problems);
        for problem in self.search().validate().0 {
            problems.0.push(Problem { field: format!("search.{}", problem.field), ..problem });
        }
        task.validate(&mut problems);
        observation.validate(&mut problems);
        action.fixed(&mut problems);
        replay.validate(&mut problems);
        evaluation.validate(&mut problems);
        if !evaluation.suite.is_empty() {
            let sets = [
                ("task.scenarios", task.scenarios.as_slice()),
                ("evaluation.selection_scenarios", self.selected()),
                ("evaluation.scenarios", self.judged()),
            ];
            suite::disjoint(sets, &mut problems);
            let bound =
                "empty with a suite, whose scenarios a history takes the place of; or set evaluation.suite to \"\"";
            problems.require(replay.files.is_empty(), "replay.files", replay.files.len(), bound);
        }
        whole(&mut problems, "export.episodes", export.episodes as u64, 1, 10_000);
        reward.validate("reward", &mut problems);
        market.validate("market", &mut problems);
        if run.shield {
            self.validate_shield(&mut problems);
        }
        problems.0
    }
}

impl RunSettings {
    fn validate(&self, problems: &mut Problems) {
        let is_clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.name.is_empty() && self.name.chars().all(is_clean);
        problems.require(named, "run.name", quoted(&self.name), "lower-case letters, digits, '-' and '_'");
        let last = self.seed.saturating_add(self.seeds);
        problems.require(i64::try_from(last).is_ok(), "run.seed", self.seed, "at most 2^63 - 1, all runs counted");
        whole(problems, "run.seeds", self.seeds, 1, 100);
        whole(problems, "run.environments", self.environments as u64, 1, 4_096);
        whole(problems, "run.threads", self.threads as u64, 0, 1_024);
        whole(problems, "run.checkpoint_interval", self.checkpoint_interval, 1, u64::MAX);
        if let WarmStart::Tuned { steps } = self.warm_start {
            whole(problems, "run.warm_start.tuned.steps", steps, 1, 1 << 40);
        }
        if let Some(name) = self.warm_start.teacher() {
            let can = self.algorithm != Algorithm::Ppo || self.environments > 1;
            problems.require(can, "run.warm_start", quoted(name), "none, but in two or more environments");
        }
    }
}

impl TaskSettings {
    fn validate(&self, problems: &mut Problems) {
        problems.require(!self.scenarios.is_empty(), "task.scenarios", "[]", "at least one scenario");
        let known = presets::by_name(&self.preset).is_some();
        problems.require(known, "task.preset", quoted(&self.preset), &format!("one of {}", presets::NAMES.join(", ")));
        if let Some(venue) = presets::Preset::shipped(&self.preset) {
            self.rules.validate(&venue, problems);
        }
        let Groups { fast, slow } = self.groups;
        problems.require(fast || slow, "task.groups", "neither", "fast, slow or both");
    }
}

impl ReplaySettings {
    fn validate(&self, problems: &mut Problems) {
        const BOUND: &str = "a UTC date such as 2020-03-12, an ISO 8601 time, or a time since 1970";
        match self.window() {
            Err(field) => {
                let value = if field == "from" { &self.from } else { &self.to };
                problems.require(false, format!("replay.{field}"), quoted(value), BOUND);
            }
            Ok(Window { from_ms: Some(from), to_ms: Some(to) }) => {
                problems.require(
                    from < to,
                    "replay.to",
                    quoted(&self.to),
                    &format!("after replay.from, {}", self.from),
                );
            }
            Ok(_) => {}
        }
    }
}

impl EvaluationSettings {
    fn validate(&self, problems: &mut Problems) {
        whole(problems, "evaluation.seeds", self.seeds as u64, 2, 1 << 20);
        whole(problems, "evaluation.selection_seeds", self.selection_seeds as u64, 1, 1 << 20);
        problems.require(i64::try_from(self.root).is_ok(), "evaluation.root", self.root, "at most 2^63 - 1");
        let accounts = self.counterfactuals.accounts as u64;
        whole(problems, "evaluation.counterfactuals.accounts", accounts, 0, 1_000);
        let statistics = self.statistics;
        problems.range("evaluation.statistics.confidence", statistics.confidence, 0.5, 0.999);
        whole(problems, "evaluation.statistics.resamples", statistics.resamples as u64, 100, 1 << 24);
        whole(problems, "evaluation.statistics.flips", statistics.flips as u64, 99, 1 << 24);
        problems.range("evaluation.statistics.tail", statistics.tail, 0.001, 0.5);
        // Everything but the gates is sound in this suite, so that what is found is theirs.
        let (name, scenarios) = ("gates".to_owned(), vec!["any".to_owned()]);
        let suite = Suite { name, split: Split::Report, root: 0, seeds: 1, scenarios, gates: self.gates.clone() };
        if let Err(seawall_eval::Error::Invalid(found)) = suite.validate() {
            let own = |problem: Problem| Problem { field: format!("evaluation.{}", problem.field), ..problem };
            problems.0.extend(found.0.into_iter().map(own));
        }
    }
}

fn whole(problems: &mut Problems, field: &str, value: u64, low: u64, high: u64) {
    let bound = if high == u64::MAX { format!("{low} or more") } else { format!("in [{low}, {high}]") };
    problems.require((low..=high).contains(&value), field, value, &bound);
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    use super::*;

    fn keys(table: &Table, path: &str, found: &mut Vec<String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                Value::Table(inner) => keys(inner, &path, found),
                _ => found.push(path),
            }
        }
    }

    #[test]
    fn the_default_names_every_key_outside_the_market() {
        let settings = Settings::resolve(&[]).unwrap();
        let (mut written, mut resolved) = (Vec::new(), Vec::new());
        keys(&DEFAULT.parse().unwrap(), "", &mut written);
        keys(&settings.to_toml().parse().unwrap(), "", &mut resolved);
        let unwritten: Vec<&String> =
            resolved.iter().filter(|key| !key.starts_with("market.") && !written.contains(key)).collect();
        assert!(unwritten.is_empty(), "{unwritten:?}");
        for section in ["market.clock.", "market.book.", "market.traders.", "market.margin.", "market.venue."] {
            assert!(resolved.iter().any(|key| key.starts_with(section)), "{section}");
        }
    }

    #[test]
    fn what_was_resolved_resolves_to_itself() {
        for layers in [vec![], vec![Layer::from_text("smoke.toml", SMOKE).unwrap()]] {
            let settings = Settings::resolve(&layers).unwrap();
            let text = settings.to_toml();
            let again = Settings::resolve(&[Layer::from_text("resolved.toml", &text).unwrap()]).unwrap();
            assert_eq!(again, settings);
            assert_eq!(again.to_toml(), text);
        }
    }

    #[test]
    fn every_section_is_checked_and_all_problems_come_at_once() {
        let sets = [
            "run.name=Crash Day",
            "run.seeds=0",
            "run.environments=0",
            "ppo.clip=2",
            "ppo.head=categorical",
            "ppo.lagrangian.cost=luck",
            "ppo.warm_start.epochs=0",
            "sac.discount=2",
            "tune.schedule={ fast = [\"luck\"], slow = [] }",
            "search.cem.elite_fraction=2",
            "task.scenarios=[]",
            "task.preset=\"ftx\"",
            "task.groups={ fast = false, slow = false }",
            "observation.off=[\"luck\"]",
            "observation.recordings=0",
            "action.fixed.delay=-1",
            "replay.from=yesterday",
            "evaluation.seeds=1",
            "evaluation.counterfactuals.accounts=1001",
            "evaluation.statistics.confidence=1.5",
            "evaluation.gates=[{ metric = \"luck\", at_least = 1 }]",
            "export.episodes=0",
            "reward.bad_debt=-1",
            "market.clock.tick_seconds=0",
        ];
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::from_set(set).unwrap()).collect();
        let message = Settings::resolve(&layers).unwrap_err().to_string();
        for set in sets {
            let field = set
                .split('=')
                .next()
                .unwrap()
                .replace("gates", "gates[0].metric")
                .replace("observation.off", "observation.off[0]")
                .replace("schedule", "schedule.fast[0]");
            assert!(message.contains(&format!("\n  {field} = ")), "{field}: {message}");
        }
        assert!(message.contains("replay.from = \"yesterday\" (--set): must be a UTC date"), "{message}");
    }

    #[test]
    fn a_window_must_not_end_before_it_begins() {
        let layers = ["replay.from=2020-03-13", "replay.to=2020-03-12"].map(|set| Layer::from_set(set).unwrap());
        let message = Settings::resolve(&layers).unwrap_err().to_string();
        assert!(message.contains("replay.to = \"2020-03-12\" (--set): must be after replay.from"), "{message}");
    }
}
