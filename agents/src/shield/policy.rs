//! A shield behind a policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Shield;
use crate::policy::Policy;

/// How often a shield acted, over all copies of what stands behind it.
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

/// A policy behind a shield.
#[derive(Clone, Debug)]
pub struct Shielded {
    name: String,
    policy: Box<dyn Policy>,
    shield: Shield,
    tally: Arc<Tally>,
    is_held: bool,
}

impl Shielded {
    /// `policy` behind `shield`, under a name of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, policy: Box<dyn Policy>, shield: Shield) -> Self {
        Self { name: name.into(), policy, shield, tally: Arc::default(), is_held: false }
    }
}

impl Policy for Shielded {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, seed: u64) {
        self.policy.reset(seed);
        self.is_held = false;
    }

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.policy.act(observation, action);
        let is_changed = self.shield.project(observation, action);
        // A policy may bring a shield of its own, which leaves this one little to do.
        self.is_held = is_changed || self.policy.is_held();
        self.tally.count(self.is_held);
    }

    fn is_held(&self) -> bool {
        self.is_held
    }

    fn tally(&self) -> Option<Arc<Tally>> {
        Some(Arc::clone(&self.tally))
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
