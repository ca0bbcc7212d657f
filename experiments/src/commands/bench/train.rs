//! Speed of the trainer on an environment that costs nothing.

use anyhow::Context;
use seawall_env::{SeedTree, VecEnv};
use seawall_training::classic::{Classic, Pendulum};
use seawall_training::throughput::Reference;
use seawall_training::{Learner, Limit, PpoConfig, SacConfig, Trainer, sac};

use super::Figures;
use crate::clock::Stopwatch;
use crate::settings::Settings;
use crate::training_log::Timer;

/// Environments in lockstep.
const ENVIRONMENTS: usize = 16;

/// Measures the trainer with the networks, epochs and minibatches of its documented baseline. Every pass is made: a
/// stop at a divergence would make the figure depend on how far a policy moves and not on how fast it is moved.
///
/// # Errors
/// If training fails.
pub(super) fn measure(settings: &Settings, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let config = PpoConfig {
        total_steps: 1 << 40,
        gradient: settings.ppo.gradient,
        kl_limit: Limit::Off,
        ..PpoConfig::default()
    };
    let envs = VecEnv::new(vec![Reference::default(); ENVIRONMENTS], SeedTree::new(0));
    let mut learner = Learner::new(config, settings.run.backend, envs, SeedTree::new(0)).context("preparing")?;
    // The first iteration also warms caches and allocators.
    learner.iterate(&mut ())?;
    let (mut steps, mut collect, mut learn) = (0.0, 0.0, 0.0);
    let watch = Stopwatch::start();
    while watch.cpu().as_secs_f64() < seconds {
        let mut timer = Timer::start();
        learner.iterate(&mut timer)?;
        let timing = timer.stop();
        (collect, learn) = (collect + timing.collect, learn + timing.learn);
        #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
        let done = learner.steps_per_iteration() as f64;
        steps += done;
    }
    figures.add("train.steps_per_cpu_s", steps / watch.cpu().as_secs_f64(), "steps / CPU s");
    figures.add("train.steps_per_s", steps / watch.wall().as_secs_f64(), "steps / s");
    figures.add("train.collect_us_per_step", 1e6 * collect / steps, "µs");
    figures.add_against("train.learn_us_per_step", 1e6 * learn / steps, "µs", "train.collect_us_per_step");
    measure_sac(seconds, figures)
}

/// Measures gradient steps of the soft actor-critic at its documented baseline, networks of 256 and 256 units and
/// minibatches of 256, on the pendulum with one step of the environment for each: the customary workload.
fn measure_sac(seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let config = SacConfig { total_steps: 1 << 40, horizon: 50, replay_capacity: 100_000, ..SacConfig::default() };
    let envs = VecEnv::new(vec![Classic::<Pendulum>::new()], SeedTree::new(0));
    let mut learner = sac::Learner::new(config, envs, SeedTree::new(0)).context("preparing")?;
    // The first hundred steps are random and learn nothing; the next fifty warm caches.
    for _ in 0..3 {
        learner.iterate(&mut ())?;
    }
    let mut updates = 0.0;
    let watch = Stopwatch::start();
    while watch.cpu().as_secs_f64() < seconds {
        let iteration = learner.iterate(&mut ())?;
        updates +=
            iteration.metrics.iter().find(|(name, _)| *name == "gradient_steps").map_or(0.0, |(_, count)| *count);
    }
    figures.add("train.sac_updates_per_cpu_s", updates / watch.cpu().as_secs_f64(), "updates / CPU s");
    Ok(())
}
