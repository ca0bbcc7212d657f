//! One search for a rule's constants: generations until the budget is spent or an interrupt comes.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use seawall_agents::Policy;
use seawall_agents::tuned::Rule;
use seawall_env::liquidation::presets::Preset;
use seawall_env::{CascadeEnv, Env, Groups, SeedTree, Spec};
use seawall_training::normaliser::ObservationNormaliser;
use seawall_training::{Form, Searcher};

use crate::generation::{Episodes, each_place};
use crate::places::Places;
use crate::progress::{Progress, Voice};
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use crate::table;
use crate::trainer::End;
use crate::training_log::{Timer, TrainingLog};

/// Candidates as constants of a rule.
#[derive(Clone, Debug)]
pub(crate) struct RuleForm {
    /// The rule.
    pub(crate) rule: Rule,
    /// What it observes.
    spec: Spec,
}

impl RuleForm {
    /// What the rule observes.
    pub(crate) const fn spec(&self) -> &Spec {
        &self.spec
    }
}

impl Form for RuleForm {
    fn id(&self) -> String {
        format!("{:?}", self.rule)
    }

    fn is_standardised(&self) -> bool {
        false
    }

    fn dimension(&self) -> usize {
        self.rule.tunables().len()
    }

    fn policy(&self, parameters: &[f64], _: &ObservationNormaliser) -> Box<dyn Policy> {
        let policy = self.rule.policy(&self.rule.values(parameters), &self.spec);
        // Values lie within their bounds by construction, and features were looked for when the search began.
        policy.unwrap_or_else(|error| panic!("a candidate is a valid rule: {error}"))
    }
}

/// A search over the constants of the rule that the settings name, at its documented constants.
pub(crate) type Tuner = Searcher<CascadeEnv, RuleForm>;

/// Prepares the search.
///
/// # Errors
/// If the settings do not fit the places, or the rule reads what is not observed.
pub(crate) fn tuner(settings: &Settings, places: &Places) -> anyhow::Result<Tuner> {
    let rule =
        Rule::documented(settings.tune.baseline, settings.task.groups, &settings.task.preset, &settings.tune.schedule);
    let venue = Preset::shipped(rule.preset()).context("the rule's preset")?;
    // Nobody is masked, as in an evaluation: a rule holds what it does not move at neutral.
    let envs = each_place(settings, places, &venue, Groups::default())?;
    let spec = envs[0].spec().clone();
    let start = rule.start();
    rule.policy(&rule.values(&start), &spec).context("preparing the rule")?;
    let form = RuleForm { rule, spec };
    let seeds = SeedTree::new(settings.run.seed);
    Searcher::new(settings.search(), form, envs, &start, seeds).context("preparing the search")
}

/// Searches to the end, or until `stop` is set; either way the last generation is checkpointed.
///
/// # Errors
/// If a return is not finite or a file cannot be written.
pub(crate) fn search(
    tuner: &mut Tuner,
    (settings, places): (&Settings, &Places),
    folder: &RunFolder,
    voice: Voice,
    stop: &AtomicBool,
) -> anyhow::Result<End> {
    let terms = seawall_env::reward::NAMES.map(str::to_owned);
    let mut log = TrainingLog::open(folder, tuner.steps_done(), &terms)?;
    let episodes = Episodes::new(settings, places, settings.run.seed);
    let total = tuner.config().total_steps;
    let mut progress = Progress::new(voice, "tuning", tuner.steps_done(), total);
    while !tuner.is_done() {
        let (timer, before) = (Timer::start(), tuner.steps_done());
        let seeds = episodes.seeds(tuner.generation());
        let generation = tuner.iterate(&seeds).context("tuning; resume from the last checkpoint")?;
        let (steps, count) = (generation.steps_total, generation.generation);
        let mean = generation.score_mean();
        log.write(&generation.into(), steps - before, timer.stop(), None)?;
        progress.at(steps.min(total), &format!("generation {count}, return {}", table::number(mean)));
        let stopped = stop.load(Ordering::Relaxed);
        if stopped || tuner.is_done() || count.is_multiple_of(settings.run.checkpoint_interval) {
            folder.write_checkpoint(&tuner.save())?;
        }
        if stopped && !tuner.is_done() {
            progress.finish();
            return Ok(End::Interrupted);
        }
    }
    progress.finish();
    Ok(End::Complete)
}

/// Loads the newest checkpoint that is intact; returns whether there was one.
///
/// # Errors
/// If there are checkpoints and none can be used.
pub(crate) fn restore(tuner: &mut Tuner, folder: &RunFolder, voice: Voice) -> anyhow::Result<bool> {
    let mut refusal = None;
    for (path, bytes) in folder.checkpoints()? {
        match tuner.load(&bytes) {
            Ok(()) => return Ok(true),
            Err(error) => {
                voice.say(&format!("{}: {error}", path.display()));
                refusal = Some(anyhow::Error::new(error).context(format!("loading {}", path.display())));
            }
        }
    }
    refusal.map_or(Ok(false), Err)
}
