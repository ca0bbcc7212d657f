//! Latency of an exported policy, one observation at a time, as an engine meets it.

use anyhow::Context;
use seawall_agents::export::{Learned, write_runtime};
use seawall_env::action::{ACTIONS, PARAMETERS};
use seawall_env::observation::{FEATURES_COUNT, features};
use seawall_env::{SeedTree, VecEnv};
use seawall_runtime::Policy;
use seawall_runtime::format::Activation;
use seawall_training::throughput::Reference;
use seawall_training::{Dense, Learner, PpoConfig, Trainer};

use super::Figures;
use crate::clock::{Stopwatch, Wall};
use crate::settings::Settings;

/// Measures the runtime on a network of the documented baseline's size, with weights as drawn.
///
/// # Errors
/// If the policy cannot be written.
pub(super) fn measure(settings: &Settings, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let envs = VecEnv::new(vec![Reference::new(FEATURES_COUNT, ACTIONS); 2], SeedTree::new(0));
    let config = PpoConfig { horizon: 128, ..PpoConfig::default() };
    let policy =
        Learner::new(config, settings.run.backend, envs, SeedTree::new(0)).context("drawing weights")?.policy();
    let names: Vec<String> = features().iter().map(|feature| feature.name.to_owned()).collect();
    let layers: Vec<_> = policy.layers.iter().map(Dense::view).collect();
    let bytes = write_runtime(&Learned {
        observation: &names,
        mean: &policy.mean,
        inverse_deviation: &policy.inverse_deviation,
        clip: policy.clip,
        memory: None,
        layers: &layers,
        hidden: Activation::Tanh,
        output: Activation::Tanh,
        shield: None,
    })?;
    let policy = Policy::parse(bytes.as_slice())?;
    let (mut scratch, mut action) = (vec![0.0; policy.scratch_len()], [0.0; ACTIONS]);
    let mut values = [0.0; PARAMETERS.len()];
    let mut observation = vec![0.0_f32; FEATURES_COUNT];
    let mut microseconds = Vec::new();
    let whole = Stopwatch::start();
    let mut round = 0_u16;
    while whole.cpu().as_secs_f64() < seconds {
        round = round.wrapping_add(1);
        // Observations that never repeat, so that no branch is learned by heart.
        for (k, entry) in (0_u16..).zip(&mut observation) {
            *entry = f32::from(round.wrapping_mul(k.wrapping_add(1)) % 2_000) / 1_000.0 - 1.0;
        }
        let wall = Wall::start();
        policy.act(&observation, &mut scratch, &mut action)?;
        policy.decode(&action, &mut values)?;
        microseconds.push(1e6 * wall.elapsed().as_secs_f64());
    }
    microseconds.sort_by(f64::total_cmp);
    let at = |share: usize| microseconds[(microseconds.len() - 1) * share / 100];
    figures.add("infer.p50_us", at(50), "µs, observation to parameters");
    figures.add_against("infer.p99_us", at(99), "µs, observation to parameters", "infer.p50_us");
    figures.add("infer.file_bytes", f64::from(u32::try_from(bytes.len()).context("a policy is small")?), "bytes");
    Ok(())
}
