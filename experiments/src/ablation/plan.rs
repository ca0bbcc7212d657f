//! Everything that a study means, checked before anything runs: resolved settings of every arm, trials, effects.

use std::path::Path;

use anyhow::bail;
use seawall_env::{Problem, Problems};
use seawall_eval::metric::{COUNTERFACTUAL, Metric, metric, metrics};
use toml::{Table, Value};

use super::design::{self, BASE, Design, Drawn, Planned};
use super::file::{Kind, StudyFile};
use crate::arguments::layer_of;
use crate::foresight::pinned;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::sha256;
use crate::settings::{Algorithm, DEFAULT, Layer, SMOKE, Settings, SettingsError};
use crate::{episode, judge};

/// Settings that an arm may not set, because they are the study's or the base's, by the beginnings of their paths.
const COMMON: [&str; 7] = ["run.name", "run.seed", "run.seeds", "run.threads", "evaluation", "replay", "export"];
/// Further ones that are no business of a judgement.
const TRAINING: [&str; 6] = ["run", "ppo", "sac", "tune", "search", "reward"];

/// One arm, resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arm {
    /// Name.
    pub(crate) name: String,
    /// Whom it judges, if that is not what it trains.
    pub(crate) policy: Option<String>,
    /// Whether it is judged behind the shield.
    pub(crate) shield: bool,
    /// Settings that it trains under.
    pub(crate) train: Settings,
    /// Settings that it is judged under: the base's reward and evaluation, whatever it was trained for.
    pub(crate) judge: Settings,
}

/// A study, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The file.
    pub(crate) study: StudyFile,
    /// Arms in order; of one-factor designs the base is the first.
    pub(crate) arms: Vec<Arm>,
    /// Effects in order.
    pub(crate) effects: Vec<Planned>,
    /// What a reader has to know of the design.
    pub(crate) notes: Vec<String>,
    /// Decisions of each training run, whole iterations counted; nothing if nothing is trained.
    pub(crate) budget: Option<u64>,
    /// SHA-256 of each arm's places, as they are judged.
    pub(crate) places: Vec<String>,
}

impl Plan {
    /// Resolves a study.
    ///
    /// # Errors
    /// Everything that is wrong with the study and with the settings of all its arms, or the first scenario, candle file or
    /// policy that cannot be used.
    pub(crate) fn of(study: StudyFile, folder: &Path) -> anyhow::Result<Self> {
        let mut problems = Problems::default();
        check(&study, &mut problems);
        let Design { arms: drawn, effects, notes } = design::draw(&study, &mut problems);
        check_training(&study, &drawn, &mut problems);
        let mut found = design::cited(problems);
        let config = config_layer(&study, folder)?;
        let base = match resolve(&[config.clone(), neutral_layer(), base_layer(&study), decisions_layer(&study)]) {
            Ok(base) => base,
            Err(SettingsError(base)) => {
                found.extend(base);
                return Err(SettingsError(found).into());
            }
        };
        let mut arms = Vec::with_capacity(drawn.len());
        for arm in drawn {
            match resolve_arm(&study, &config, &base, arm) {
                Ok(arm) => arms.push(Arm { train: pinned(arm.train)?, judge: pinned(arm.judge)?, ..arm }),
                Err(SettingsError(own)) => found.extend(own),
            }
        }
        if !found.is_empty() {
            return Err(SettingsError(found).into());
        }
        let budget = budget(&arms)?;
        let places = arms.iter().map(places_of).collect::<anyhow::Result<_>>()?;
        Ok(Self { study, arms, effects, notes, budget, places })
    }

    /// The metrics whose effects are shown, the primary one first.
    pub(crate) fn metrics(&self) -> Vec<&'static Metric> {
        let names = std::iter::once(&self.study.primary).chain(&self.study.secondary);
        names.map(|name| metric(name).expect("the study was checked")).collect()
    }

    /// Whether a metric needs what is played beside the judged episodes.
    pub(crate) fn needs_counterfactual(&self) -> bool {
        self.metrics().iter().any(|metric| COUNTERFACTUAL.contains(&metric.name))
    }

    /// Training seeds of an arm; a single nothing where it trains nothing.
    pub(crate) fn seeds(&self, arm: &Arm) -> Vec<Option<u64>> {
        match arm.policy {
            Some(_) => vec![None],
            None => self.study.training_seeds.iter().copied().map(Some).collect(),
        }
    }
}

fn check(study: &StudyFile, problems: &mut Problems) {
    let is_clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let named = !study.name.is_empty() && study.name.chars().all(is_clean);
    problems.require(named, "name", format!("{:?}", study.name), "lower-case letters, digits, '-' and '_'");
    for (index, seed) in study.training_seeds.iter().enumerate() {
        let first = !study.training_seeds[..index].contains(seed) && i64::try_from(*seed).is_ok();
        problems.require(first, format!("training_seeds[{index}]"), seed, "a seed below 2^63 that occurs once");
    }
    let known = metrics().iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ");
    let all = std::iter::once(("primary".to_owned(), &study.primary));
    let all = all.chain(study.secondary.iter().enumerate().map(|(i, name)| (format!("secondary[{i}]"), name)));
    for (field, name) in all {
        problems.require(metric(name).is_some(), field, format!("{name:?}"), &format!("one of {known}"));
    }
}

/// Whoever trains needs seeds and a budget.
fn check_training(study: &StudyFile, arms: &[Drawn], problems: &mut Problems) {
    if arms.iter().any(|arm| arm.policy.is_none()) {
        let bound = "at least 1, since arms are trained";
        let StudyFile { training_seeds, decisions, .. } = study;
        problems.require(!training_seeds.is_empty(), "training_seeds", training_seeds.len(), bound);
        problems.require(*decisions > 0, "decisions", decisions, bound);
    }
}

fn config_layer(study: &StudyFile, folder: &Path) -> anyhow::Result<Layer> {
    match study.config.as_str() {
        "default" => Ok(Layer::from_text("default", DEFAULT)?),
        "smoke" => Ok(Layer::from_text("smoke", SMOKE)?),
        file => layer_of(&folder.join(file)),
    }
}

/// Whoever is trained starts at neutral parameters, unless the study says otherwise: not every trainer can imitate.
fn neutral_layer() -> Layer {
    let none = Table::from_iter([("run.warm_start".to_owned(), Value::String("none".to_owned()))]);
    Layer::from_keys("start", &none)
}

fn base_layer(study: &StudyFile) -> Layer {
    Layer::from_keys("base", &study.base)
}

/// The budget, for whichever trainer an arm chooses.
fn decisions_layer(study: &StudyFile) -> Layer {
    let mut table = Table::new();
    if let Some(decisions) = i64::try_from(study.decisions).ok().filter(|decisions| *decisions > 0) {
        for key in ["ppo.total_steps", "sac.total_steps", "search.total_steps"] {
            table.insert(key.to_owned(), Value::Integer(decisions));
        }
    }
    Layer::from_keys("decisions", &table)
}

fn resolve(layers: &[Layer]) -> Result<Settings, SettingsError> {
    Settings::resolve(layers)
}

fn resolve_arm(study: &StudyFile, config: &Layer, base: &Settings, arm: Drawn) -> Result<Arm, SettingsError> {
    let own = Layer::from_keys(&arm.name, &arm.set);
    let judging = Layer::from_keys(&format!("{}, judge", arm.name), &arm.judge);
    let mut problems = forbidden(&own, &COMMON);
    problems.extend(forbidden(&judging, &COMMON));
    problems.extend(forbidden(&judging, &TRAINING));
    let mut layers = vec![config.clone(), neutral_layer(), base_layer(study), decisions_layer(study), own];
    let train = resolve(&layers);
    layers.push(judging);
    // What is wrong with the arm is wrong with its judgement too, and said once.
    let (train, mut judge) = match (train, resolve(&layers)) {
        (Ok(train), Ok(judge)) if problems.is_empty() => (train, judge),
        (Ok(_), Ok(_)) => return Err(SettingsError(problems)),
        (Err(SettingsError(found)), _) | (Ok(_), Err(SettingsError(found))) => {
            problems.extend(found);
            return Err(SettingsError(problems));
        }
    };
    let hidden = judge.hidden_from_shield();
    if arm.shield && !hidden.is_empty() {
        let bound = format!("false, or nothing hidden of what the shield reads: {}", hidden.join(", "));
        return Err(SettingsError(vec![(Problem::new("shield", true, &bound), Some(arm.name))]));
    }
    judge.reward = base.reward;
    judge.evaluation = base.evaluation.clone();
    judge.evaluation.scenarios = base.judged().to_vec();
    Ok(Arm { name: arm.name, policy: arm.policy, shield: arm.shield, train, judge })
}

fn forbidden(layer: &Layer, beginnings: &[&str]) -> Vec<(Problem, Option<String>)> {
    let is_below = |path: &str, beginning: &str| {
        path.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let paths = layer.paths().into_iter().filter(|path| beginnings.iter().any(|start| is_below(path, start)));
    let problem = |path: String| Problem::new(path, "(set)", "left to the study: it is the same for every arm");
    paths.map(|path| (problem(path), Some(layer.origin.clone()))).collect()
}

/// Decisions of each training run; refuses arms that differ.
fn budget(arms: &[Arm]) -> anyhow::Result<Option<u64>> {
    let trained: Vec<(&str, u64)> = arms
        .iter()
        .filter(|arm| arm.policy.is_none())
        .map(|arm| (arm.name.as_str(), decisions_of(&arm.train)))
        .collect();
    let Some((_, first)) = trained.first().copied() else { return Ok(None) };
    let unequal: Vec<String> = trained
        .iter()
        .filter(|(_, decisions)| *decisions != first)
        .map(|(name, decisions)| format!("{name}: {decisions}"))
        .collect();
    if !unequal.is_empty() {
        bail!(
            "arms differ in their budget of decisions, whole iterations counted: {} has {first}, but {}",
            trained[0].0,
            unequal.join(", ")
        );
    }
    Ok(Some(first))
}

/// Decisions of a training run, rounded up to whole iterations as trainers do.
fn decisions_of(settings: &Settings) -> u64 {
    let (total, horizon, before) = match settings.run.algorithm {
        Algorithm::Ppo => (settings.ppo.total_steps, settings.ppo.horizon, settings.run.warm_start.steps()),
        Algorithm::Sac => (settings.sac.total_steps, settings.sac.horizon, 0),
        // The last generation goes over by less than its own length, which depends on how its episodes end.
        Algorithm::Search => return settings.search().total_steps,
    };
    before + total.next_multiple_of((settings.run.environments * horizon) as u64)
}

/// Makes sure that the places and the policy of an arm are there, and hashes what is judged.
fn places_of(arm: &Arm) -> anyhow::Result<String> {
    let gathered = || {
        // A policy that judges without training is never played under the settings of training.
        if arm.policy.is_none() {
            Places::gather(&arm.train, &arm.train.task.scenarios, Voice::Quiet)?;
        }
        let judged = Places::gather(&arm.judge, arm.judge.judged(), Voice::Quiet)?;
        if let Some(policy) = &arm.policy {
            let is_baseline = episode::baselines(&arm.judge, &judged)?.contains(policy);
            let is_venue = judge::venues(std::slice::from_ref(policy)).is_ok();
            anyhow::ensure!(
                is_baseline || is_venue || Path::new(policy).exists(),
                "{policy} is neither a baseline, nor a venue, nor a policy's file"
            );
        }
        Ok(judged)
    };
    let judged: anyhow::Result<Places> = gathered();
    let judged = judged.map_err(|error| error.context(format!("the arm {}", arm.name)))?;
    let all: Vec<u8> = judged.list.iter().flat_map(crate::places::Place::configuration).collect();
    Ok(sha256(&all))
}

/// Who everybody is compared with on a page that knows of one subject.
pub(crate) fn subject(plan: &Plan) -> &str {
    match plan.study.design {
        Kind::OneFactor => BASE,
        Kind::FractionalFactorial | Kind::LatinHypercube => &plan.arms[0].name,
    }
}
