//! What a learner imitates before it learns from rewards: a baseline's policy over the parameters, or constants that a search
//! has found.
//!
//! A search over thirteen numbers finds levels that a policy gradient, in as many decisions, only begins to move towards; what
//! a gradient adds is when to leave them.

use anyhow::Context;
use seawall_agents::tuned::Family;
use seawall_agents::{Constant, Policy, generations};
use seawall_env::{CascadeEnv, Env};
use seawall_training::Trainer;

use crate::generation::Episodes;
use crate::places::Places;
use crate::progress::{Progress, Voice};
use crate::run_folder::RunFolder;
use crate::settings::{Algorithm, Settings, WarmStart};
use crate::table;
use crate::tuner::tuner;

/// Lets the fresh learner of the run that `seed` names imitate whom the settings name, and keeps what came of it as the first
/// checkpoint: whoever is killed before that begins again, to the same bits.
///
/// # Errors
/// If a baseline reads what is not observed, the search or the imitation fails or a file cannot be written.
pub(crate) fn warm_start(
    learner: &mut dyn Trainer,
    folder: &RunFolder,
    (settings, places): (&Settings, &Places),
    seed: u64,
    voice: Voice,
) -> anyhow::Result<()> {
    let Some(name) = settings.run.warm_start.teacher() else {
        return Ok(());
    };
    if settings.run.algorithm != Algorithm::Ppo {
        voice.say(&format!("{} imitates nobody: run.warm_start is for ppo", settings.run.algorithm.name()));
        return Ok(());
    }
    let teacher = match settings.run.warm_start {
        WarmStart::Tuned { steps } => found(settings, places, (seed, steps), voice)?,
        _ => baseline(settings, places, name)?,
    };
    let came = learner.imitate(teacher.as_ref()).with_context(|| format!("imitating {name}"))?;
    voice.say(&format!(
        "imitated {name}: {} decisions; actions apart by {:.3}, before {:.3}; explained variance of returns {:.2}; all in \
         environments held out",
        came.decisions, came.action_error, came.action_error_before, came.explained_variance,
    ));
    folder.write_checkpoint(&learner.save())
}

fn baseline(settings: &Settings, places: &Places, name: &str) -> anyhow::Result<Box<dyn Policy>> {
    let env = CascadeEnv::new(places.task(settings, &settings.venue(), settings.task.groups)?);
    let neutral: Box<dyn Policy> = Box::new(Constant::neutral("constant"));
    let baselines = generations(env.spec()).context("preparing the baselines")?.map(|baseline| baseline.policy);
    let teacher = baselines.into_iter().chain([neutral]).find(|policy| policy.name() == name);
    teacher.context("a baseline of the settings")
}

/// The constants at the centre of a search at its end. Its episodes are of the training split.
fn found(
    settings: &Settings,
    places: &Places,
    (seed, steps): (u64, u64),
    voice: Voice,
) -> anyhow::Result<Box<dyn Policy>> {
    let mut own = settings.clone();
    own.run.seed = seed;
    own.tune.baseline = Family::Constant;
    own.search.total_steps = steps;
    let mut tuner = tuner(&own, places)?;
    let episodes = Episodes::new(&own, places, seed);
    let mut progress = Progress::new(voice, "tuning", 0, steps);
    while !tuner.is_done() {
        let generation = tuner.iterate(&episodes.seeds(tuner.generation())).context("searching for constants")?;
        let mean = table::number(generation.score_mean());
        progress.at(generation.steps_total.min(steps), &format!("generation {}, return {mean}", generation.generation));
    }
    progress.finish();
    let centre = tuner.milestones().last().context("a search that is done has a centre")?;
    let rule = &tuner.form().rule;
    let values = rule.values(centre);
    let said: Vec<String> =
        rule.tunables().iter().zip(&values).map(|(t, value)| format!("{} {}", t.name, table::number(*value))).collect();
    voice.say(&format!("found constants: {}", said.join(", ")));
    rule.policy(&values, tuner.form().spec()).context("the constants that were found")
}
