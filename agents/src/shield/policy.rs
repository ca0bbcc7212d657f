//! A shield behind a policy.

use super::Shield;
use crate::policy::Policy;

/// A policy behind a shield.
#[derive(Clone, Debug)]
pub struct Shielded {
    name: String,
    policy: Box<dyn Policy>,
    shield: Shield,
    is_held: bool,
    overruled: u64,
}

impl Shielded {
    /// `policy` behind `shield`, under a name of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, policy: Box<dyn Policy>, shield: Shield) -> Self {
        Self { name: name.into(), policy, shield, is_held: false, overruled: 0 }
    }
}

impl Policy for Shielded {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, seed: u64) {
        self.policy.reset(seed);
        (self.is_held, self.overruled) = (false, 0);
    }

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.policy.act(observation, action);
        let is_changed = self.shield.project(observation, action);
        // A policy may bring a shield of its own, which leaves this one little to do.
        self.is_held = is_changed || self.policy.is_held();
        self.overruled += u64::from(self.is_held);
    }

    fn is_held(&self) -> bool {
        self.is_held
    }

    fn overruled(&self) -> Option<u64> {
        Some(self.overruled)
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
