//! Everything that a learner carries from one iteration to the next, as bytes.

use rand_chacha::ChaCha8Rng;
use seawall_env::Spec;
use serde::{Deserialize, Serialize};

use super::constraint::Constraint;
use super::memory::Memory;
use super::risk::ReturnCap;
use super::sight::Sight;
use crate::backend::Backend;
use crate::checkpoint;
use crate::config::PpoConfig;
use crate::episodes::Episodes;
use crate::error::Error;
use crate::normaliser::RewardScaler;
use crate::optimiser::Adam;

/// What makes a run the run that it is: a checkpoint resumes only under the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) config: PpoConfig,
    pub(super) backend: Backend,
    pub(super) seed: u64,
    pub(super) environments: usize,
    pub(super) spec: Spec,
}

impl Identity {
    /// Refuses a checkpoint of another run.
    pub(super) fn check(&self, found: &Self) -> Result<(), Error> {
        let same = |field, same: bool, expected: String, found: String| {
            if same { Ok(()) } else { Err(Error::CheckpointMismatch { field, expected, found }) }
        };
        same("backend", self.backend == found.backend, self.backend.to_string(), found.backend.to_string())?;
        same("seed", self.seed == found.seed, self.seed.to_string(), found.seed.to_string())?;
        let count = |of: &Self| of.environments.to_string();
        same("environments", self.environments == found.environments, count(self), count(found))?;
        let names = |of: &Self| format!("{:?}", of.spec);
        same("buffers", self.spec == found.spec, names(self), names(found))?;
        let settings = |of: &Self| format!("{:?}", of.config);
        same("settings", self.config == found.config, settings(self), settings(found))
    }
}

/// The dynamic state of a learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) identity: Identity,
    /// Environment steps done; the position in every schedule follows from it.
    pub(super) steps_done: u64,
    /// In the order of [`crate::network::Parameters`].
    pub(super) parameters: Vec<f32>,
    pub(super) adam: Adam,
    pub(super) sight: Sight,
    pub(super) memory: Memory,
    pub(super) scaler: RewardScaler,
    pub(super) cap: Option<ReturnCap>,
    pub(super) constraint: Option<Constraint>,
    pub(super) exploration: ChaCha8Rng,
    pub(super) shuffle: ChaCha8Rng,
    pub(super) episodes: Episodes,
    /// By `VecEnv::save`.
    pub(super) environments: Vec<u8>,
}

impl State {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        checkpoint::seal(&postcard::to_stdvec(self).expect("serialising into memory cannot fail"))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let payload = checkpoint::open(bytes)?;
        postcard::from_bytes(payload).map_err(|_| Error::Checkpoint { reason: "its contents do not parse" })
    }
}
