//! What every policy is: learned or written by hand, it sees an observation and returns an action.

use std::fmt;

/// A mapping from observations to actions, with whatever memory it keeps within an episode.
///
/// A policy is a pure function of its construction, the episode's seed and the observations since: two copies that
/// were reset with one seed act alike. It sees nothing of the environment but the observation.
pub trait Policy: Send + Sync + fmt::Debug {
    /// Name, as tables spell it.
    fn name(&self) -> &str;

    /// Forgets everything and starts the episode that `seed` names.
    fn reset(&mut self, seed: u64);

    /// Writes the action for one decision, every entry in `[-1, 1]`.
    ///
    /// # Shapes
    /// `observation` is `[D]`, `action` is `[A]`.
    ///
    /// # Panics
    /// If a buffer has the wrong length or an entry of `observation` is not finite.
    fn act(&mut self, observation: &[f32], action: &mut [f32]);

    /// Whether a shield changed the last action; never without one.
    fn is_held(&self) -> bool {
        false
    }

    /// Decisions since the last reset whose action a shield changed; nothing for a policy that has none.
    fn overruled(&self) -> Option<u64> {
        None
    }

    /// A copy with the same memory: evaluation runs one per episode.
    fn boxed(&self) -> Box<dyn Policy>;
}

impl Clone for Box<dyn Policy> {
    fn clone(&self) -> Self {
        // Not `self.boxed()`, which would be the box's own and recurse.
        (**self).boxed()
    }
}
