//! A shield before an environment: whoever trains in it meets the consequences of what the shield allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seawall_env::action::ACTIONS;
use seawall_env::{Env, Error, Spec, Step};

use super::Shield;

/// How often a shield acted, in front of all environments that share it.
#[derive(Debug, Default)]
pub struct Tally {
    decisions: AtomicU64,
    acted: AtomicU64,
}

impl Tally {
    /// Decisions, and those of them that were changed. Sums, so the order of threads does not matter.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.decisions.load(Ordering::Relaxed), self.acted.load(Ordering::Relaxed))
    }

    /// Counts one decision.
    pub(crate) fn count(&self, is_changed: bool) {
        self.decisions.fetch_add(1, Ordering::Relaxed);
        self.acted.fetch_add(u64::from(is_changed), Ordering::Relaxed);
    }
}

/// An environment whose actions pass a shield.
///
/// The learner's own action, with its own probability, is what it learns from: the shield is part of the world, as the
/// limits of a slow parameter's step are. An action that was changed earns what the allowed one brings, so nothing pulls the
/// learner back to what is allowed but what it costs to be held there.
#[derive(Clone, Debug)]
pub struct ShieldedEnv<E> {
    env: E,
    shield: Arc<Shield>,
    /// Entries that nobody moves, as the environment holds them: what the shield sees of them is no decision.
    still: [Option<f32>; ACTIONS],
    /// The last observation, which the shield reads.
    observation: Vec<f32>,
    tally: Arc<Tally>,
}

impl<E: Env> ShieldedEnv<E> {
    /// `env` behind `shield`, at the start of the episode that seed 0 names; `still` holds the entries that nobody moves.
    /// What the shield does here and in all copies is counted into `tally`, in those that only warm up a learner too.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub fn new(mut env: E, shield: Shield, still: [Option<f64>; ACTIONS], tally: Arc<Tally>) -> Self {
        let still = still.map(|entry| entry.map(|entry| entry as f32));
        let mut observation = vec![0.0; env.spec().observation.len()];
        env.reset(0, &mut observation);
        Self { env, shield: Arc::new(shield), still, observation, tally }
    }
}

impl<E: Env> Env for ShieldedEnv<E> {
    fn spec(&self) -> &Spec {
        self.env.spec()
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        self.env.reset(seed, observation);
        self.observation.copy_from_slice(observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let mut allowed: [f32; ACTIONS] = action.try_into().expect("an action has one entry for each parameter");
        for (entry, still) in allowed.iter_mut().zip(self.still) {
            *entry = still.unwrap_or(*entry);
        }
        self.tally.count(self.shield.project(&self.observation, &mut allowed));
        let step = self.env.step(&allowed, observation);
        self.observation.copy_from_slice(observation);
        step
    }

    fn reward_terms(&self) -> &[f64] {
        self.env.reward_terms()
    }

    fn privileged(&self) -> &[&'static str] {
        self.env.privileged()
    }

    fn reveal(&self, out: &mut [f32]) {
        self.env.reveal(out);
    }

    /// The observation, and the environment behind it.
    fn save(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.observation.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        bytes.extend(self.env.save());
        bytes
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let expected = size_of::<f32>() * self.observation.len();
        let Some((observation, env)) = bytes.split_at_checked(expected) else {
            let (expected, found) = (format!("{expected} or more"), bytes.len().to_string());
            return Err(Error::SnapshotMismatch { field: "bytes of a shielded environment", expected, found });
        };
        self.env.load(env)?;
        let (words, _) = observation.as_chunks();
        for (entry, word) in self.observation.iter_mut().zip(words) {
            *entry = f32::from_le_bytes(*word);
        }
        Ok(())
    }
}
