//! Everything that a learner carries from one iteration to the next, as bytes.

use seawall_env::Spec;
use serde::{Deserialize, Serialize};

use super::config::SacConfig;
use super::replay::Replay;
use super::rollout::Explorer;
use super::update::Optimisers;
use crate::checkpoint::{self, same};
use crate::episodes::Episodes;
use crate::error::Error;
use crate::normaliser::{ObservationNormaliser, RewardScaler};

/// First word of the contents, so that no other trainer's checkpoint parses by accident.
const KIND: &str = "sac";

/// What makes a run the run that it is: a checkpoint resumes only under the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) config: SacConfig,
    pub(super) seed: u64,
    pub(super) environments: usize,
    pub(super) spec: Spec,
}

impl Identity {
    /// Refuses a checkpoint of another run.
    pub(super) fn check(&self, found: &Self) -> Result<(), Error> {
        same("seed", &self.seed, &found.seed)?;
        same("environments", &self.environments, &found.environments)?;
        same("buffers", &self.spec, &found.spec)?;
        same("settings", &self.config, &found.config)
    }
}

/// The dynamic state of a learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) kind: String,
    pub(super) identity: Identity,
    /// Environment steps done; the position in every schedule follows from it.
    pub(super) steps_done: u64,
    /// In the order of `Networks::flat`.
    pub(super) networks: Vec<f32>,
    pub(super) optimisers: Optimisers,
    pub(super) normaliser: ObservationNormaliser,
    pub(super) scaler: RewardScaler,
    pub(super) explorer: Explorer,
    pub(super) replay: Replay,
    pub(super) episodes: Episodes,
    /// By `VecEnv::save`.
    pub(super) environments: Vec<u8>,
}

impl State {
    pub(super) fn kind() -> String {
        KIND.to_owned()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        checkpoint::seal(&postcard::to_stdvec(self).expect("serialising into memory cannot fail"))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        const UNKNOWN: Error = Error::Checkpoint { reason: "its contents do not parse" };
        let payload = checkpoint::open(bytes)?;
        let (kind, _) = postcard::take_from_bytes::<String>(payload).map_err(|_| UNKNOWN)?;
        if kind != KIND {
            return Err(UNKNOWN);
        }
        postcard::from_bytes(payload).map_err(|_| UNKNOWN)
    }
}
