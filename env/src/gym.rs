//! The contract between a learner and a market: one environment, one episode at a time.
//!
//! Nothing here knows what the environment is; [`crate::vec_env::VecEnv`] runs many of them.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How a step left the episode.
///
/// A *terminated* episode has no future: its last value is zero. A *truncated* one was cut off by its horizon:
/// the world goes on, so a learner bootstraps from the value of its final observation.
///
/// # Reference
/// Pardo et al. 2018 (arXiv:1712.00378).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The episode goes on.
    #[default]
    Running,
    /// The episode reached a state without a future.
    Terminated,
    /// The episode was cut off at its horizon.
    Truncated,
}

impl Status {
    /// Whether the episode is over, for either reason.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Running)
    }
}

/// What one step returns beside the observation that it writes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Weighted sum of the reward terms.
    pub reward: f64,
    /// How the step left the episode.
    pub status: Status,
}

/// The shape of an environment: what its buffers hold, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Names of the observation's entries, in order; its length is the observation's dimension.
    pub observation: Vec<String>,
    /// Names of the action's entries, in order; every entry lies in `[-1, 1]`.
    pub action: Vec<String>,
    /// Names of the reward's terms, in order.
    pub reward: Vec<String>,
}

/// An environment with caller-owned buffers.
///
/// `Clone` is its in-memory snapshot: a clone continues exactly as the original would.
pub trait Env: Clone + Send + Sync {
    /// Names and sizes of what the buffers hold.
    fn spec(&self) -> &Spec;

    /// Starts the episode that `seed` names and writes its first observation.
    ///
    /// The same seed gives the same episode, whatever was run before.
    ///
    /// # Panics
    /// If `observation` does not have the length that [`Env::spec`] says.
    fn reset(&mut self, seed: u64, observation: &mut [f32]);

    /// Applies `action`, advances one decision and writes the observation that follows.
    ///
    /// # Panics
    /// If a buffer has the wrong length, if an entry of `action` is not in `[-1, 1]`, or if the episode is over.
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step;

    /// Terms of the last step's reward, unweighted, in the order of [`Spec::reward`].
    fn reward_terms(&self) -> &[f64];

    /// Names of what is known of the environment's state and not observed, in order; none unless an environment says so.
    ///
    /// A critic may see it in training, a policy never.
    fn privileged(&self) -> &[&'static str] {
        &[]
    }

    /// Writes what [`Env::privileged`] names, as it is after the last step or reset.
    ///
    /// # Panics
    /// If `out` does not have one entry per name.
    fn reveal(&self, out: &mut [f32]) {
        assert!(out.is_empty(), "nothing is privileged here");
    }

    /// Serialises the whole dynamic state, so that a loaded environment continues bit for bit.
    fn save(&self) -> Vec<u8>;

    /// Restores what [`Env::save`] wrote, into an environment built from the same configuration.
    ///
    /// # Errors
    /// [`Error::Snapshot`] if the bytes are not such a state.
    fn load(&mut self, bytes: &[u8]) -> Result<(), Error>;
}
