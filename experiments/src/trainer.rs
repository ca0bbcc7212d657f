//! One training run: iterations until it is done or interrupted, with a log and checkpoints on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use seawall_agents::{ShieldedEnv, Tally};
use seawall_env::action::Controls;
use seawall_env::{CascadeEnv, Env, Problems, SeedTree, VecEnv};
use seawall_training::search::NetworkSearch;
use seawall_training::{Learner, Trainer, sac};

use crate::exporter::still;
use crate::generation::{Episodes, each_place};
use crate::places::Places;
use crate::progress::{Progress, Voice};
use crate::run_folder::RunFolder;
use crate::settings::{Algorithm, Settings};
use crate::shield::shield;
use crate::training_log::{Timer, TrainingLog};

/// How a training run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All steps are done.
    Complete,
    /// An interrupt came; the run can be resumed.
    Interrupted,
}

/// A learner, and how often the shield in front of its environments acted, if there is one.
pub(crate) struct Course {
    /// The learner.
    pub(crate) learner: Box<dyn Trainer>,
    tally: Option<Arc<Tally>>,
}

/// A learner at the start of the run that `seed` names.
///
/// # Errors
/// If the settings do not fit the places.
pub(crate) fn course(settings: &Settings, places: &Places, seed: u64) -> anyhow::Result<Course> {
    let (mut learner, tally) = if settings.run.shield {
        let spec = CascadeEnv::new(places.task(settings, &settings.venue(), settings.task.groups)?).spec().clone();
        let shield = shield(settings, places, &spec)?;
        let still = still(settings.task.groups, settings.action.fixed(&mut Problems::default()));
        let tally = Arc::new(Tally::default());
        let counted = Arc::clone(&tally);
        let behind = move |env| ShieldedEnv::new(env, shield.clone(), still, Arc::clone(&counted));
        (learner(settings, places, seed, behind)?, Some(tally))
    } else {
        (learner(settings, places, seed, |env| env)?, None)
    };
    learner.start_at(&Controls::default().encode());
    Ok(Course { learner, tally })
}

/// The trainer of the settings, in what `front` makes of the environment.
fn learner<E: Env + 'static>(
    settings: &Settings,
    places: &Places,
    seed: u64,
    front: impl Fn(CascadeEnv) -> E,
) -> anyhow::Result<Box<dyn Trainer>> {
    let seeds = SeedTree::new(seed);
    let envs = || -> anyhow::Result<VecEnv<E>> {
        let env = front(CascadeEnv::new(places.task(settings, &settings.venue(), settings.task.groups)?));
        Ok(VecEnv::new(vec![env; settings.run.environments], seeds))
    };
    let learner: Result<Box<dyn Trainer>, _> = match settings.run.algorithm {
        Algorithm::Ppo => Learner::new(settings.ppo.clone(), settings.run.backend, envs()?, seeds).map(boxed),
        Algorithm::Sac => sac::Learner::new(settings.sac.clone(), envs()?, seeds).map(boxed),
        Algorithm::Search => {
            let envs = each_place(settings, places, &settings.venue(), settings.task.groups)?;
            let episodes = Episodes::new(settings, places, seed);
            let draw = move |generation| episodes.seeds(generation);
            let envs = envs.into_iter().map(front).collect();
            NetworkSearch::new(settings.search(), envs, draw, seeds).map(boxed)
        }
    };
    learner.context("preparing the learner")
}

fn boxed(learner: impl Trainer + 'static) -> Box<dyn Trainer> {
    Box::new(learner)
}

/// Loads the newest checkpoint that is intact; returns whether there was one.
///
/// # Errors
/// If there are checkpoints and none can be used.
pub(crate) fn restore(learner: &mut dyn Trainer, folder: &RunFolder, voice: Voice) -> anyhow::Result<bool> {
    let mut refusal = None;
    for (path, bytes) in folder.checkpoints()? {
        match learner.load(&bytes) {
            Ok(()) => return Ok(true),
            Err(error) => {
                voice.say(&format!("{}: {error}", path.display()));
                refusal = Some(anyhow::Error::new(error).context(format!("loading {}", path.display())));
            }
        }
    }
    refusal.map_or(Ok(false), Err)
}

/// Trains to the end, or until `stop` is set; either way the last iteration is checkpointed.
///
/// # Errors
/// If training fails or a file cannot be written.
pub(crate) fn train(
    course: &mut Course,
    folder: &RunFolder,
    settings: &Settings,
    voice: Voice,
    stop: &AtomicBool,
) -> anyhow::Result<End> {
    let Course { learner, tally } = course;
    let terms = seawall_env::reward::NAMES.map(str::to_owned);
    let mut log = TrainingLog::open(folder, learner.steps_done(), &terms)?;
    let total = learner.total_steps();
    let mut progress = Progress::new(voice, "training", learner.steps_done(), total);
    let mut smoothed = None;
    while !learner.is_done() {
        let (mut timer, before) = (Timer::start(), learner.steps_done());
        let held = tally.as_deref().map(Tally::counts);
        let iteration = learner.iterate(&mut timer).context("training; resume from the last checkpoint")?;
        let rate = held.zip(tally.as_deref()).map(|(before, tally)| rate_since(before, tally));
        log.write(&iteration, iteration.steps_total - before, timer.stop(), rate)?;
        for episode in &iteration.episodes {
            // An eye needs a calmer line than single episodes give.
            let before = smoothed.unwrap_or(episode.total_reward);
            smoothed = Some(before + 0.05 * (episode.total_reward - before));
        }
        let message = smoothed.map_or_else(String::new, |mean| format!("return {}", crate::table::number(mean)));
        progress.at(iteration.steps_total.min(total), &message);
        let stopped = stop.load(Ordering::Relaxed);
        let due = learner.iterations_done().is_multiple_of(settings.run.checkpoint_interval);
        if stopped || due || learner.is_done() {
            folder.write_checkpoint(&learner.save())?;
        }
        if stopped && !learner.is_done() {
            progress.finish();
            return Ok(End::Interrupted);
        }
    }
    progress.finish();
    Ok(End::Complete)
}

/// Share of the actions that a shield changed since it had these counts; those that warm up a learner are among them.
#[expect(clippy::cast_precision_loss, reason = "counts of decisions are small")]
fn rate_since(before: (u64, u64), tally: &Tally) -> f64 {
    let (decisions, acted) = tally.counts();
    (acted - before.1) as f64 / (decisions - before.0) as f64
}
