//! One episode, watched: what `replay` prints and what `report` records is the same thing.

use anyhow::{Context, bail};
use seawall_agents::Policy;
use seawall_env::action::ACTIONS;
use seawall_env::liquidation::presets::{NAMES, Preset};
use seawall_env::{CascadeEnv, Env, Groups, Purpose, SeedTree, Step};

use crate::judge;
use crate::places::Places;
use crate::settings::Settings;

/// A policy, and the venue preset that it runs on.
pub(crate) struct Actor {
    /// Name of the preset.
    pub(crate) preset: String,
    /// The policy.
    pub(crate) policy: Box<dyn Policy>,
}

impl Actor {
    /// The baseline of this name, or the documented venue at neutral parameters; nothing if there is neither.
    ///
    /// # Errors
    /// If the baselines cannot be prepared.
    pub(crate) fn known(settings: &Settings, places: &Places, name: &str) -> anyhow::Result<Option<Self>> {
        let spec = CascadeEnv::new(places.task(settings, &settings.venue(), Groups::default())?).spec().clone();
        let mut known = judge::baselines(settings, &spec)?;
        if NAMES.contains(&name) {
            known.extend(judge::venues(&[name.to_owned()])?);
        }
        let found = known.into_iter().find(|contender| contender.name == name);
        Ok(found.map(|contender| Self { preset: contender.preset, policy: contender.policy }))
    }

    /// The rules of its venue.
    ///
    /// # Errors
    /// If there is no such preset.
    pub(crate) fn venue(&self) -> anyhow::Result<Preset> {
        Preset::shipped(&self.preset).with_context(|| format!("no preset is called {}", self.preset))
    }
}

/// Names of the baselines.
///
/// # Errors
/// If they cannot be prepared.
pub(crate) fn baselines(settings: &Settings, places: &Places) -> anyhow::Result<Vec<String>> {
    let spec = CascadeEnv::new(places.task(settings, &settings.venue(), Groups::default())?).spec().clone();
    Ok(judge::baselines(settings, &spec)?.into_iter().map(|baseline| baseline.name).collect())
}

/// Plays the episode that `seed` names to its end. `watch` sees the market at reset, without a step, and after each
/// decision. Returns the sum of rewards.
///
/// # Errors
/// If a reward is not finite.
pub(crate) fn play(
    env: &mut CascadeEnv,
    policy: &mut dyn Policy,
    seed: u64,
    mut watch: impl FnMut(&CascadeEnv, Option<Step>),
) -> anyhow::Result<f64> {
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut action = [0.0; ACTIONS];
    env.reset(seed, &mut observation);
    policy.reset(SeedTree::new(seed).seed(Purpose::Policy, 0));
    watch(env, None);
    let mut total = 0.0;
    loop {
        policy.act(&observation, &mut action);
        let step = env.step(&action, &mut observation);
        if !step.reward.is_finite() {
            bail!("on seed {seed} the reward is {}", step.reward);
        }
        total += step.reward;
        watch(env, Some(step));
        if step.status.is_over() {
            return Ok(total);
        }
    }
}
