//! Everything that a search carries from one generation to the next, as bytes.

use seawall_env::Spec;
use serde::{Deserialize, Serialize};

use super::config::SearchConfig;
use super::strategy::AnyStrategy;
use crate::checkpoint;
use crate::error::Error;
use crate::normaliser::ObservationNormaliser;

/// What makes a search the one that it is: a checkpoint resumes only under the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) config: SearchConfig,
    pub(super) form: String,
    pub(super) seed: u64,
    pub(super) places: usize,
    pub(super) spec: Spec,
}

impl Identity {
    /// Refuses a checkpoint of another search.
    pub(super) fn check(&self, found: &Self) -> Result<(), Error> {
        let same = |field, same: bool, expected: String, found: String| {
            if same { Ok(()) } else { Err(Error::CheckpointMismatch { field, expected, found }) }
        };
        same("form", self.form == found.form, self.form.clone(), found.form.clone())?;
        same("seed", self.seed == found.seed, self.seed.to_string(), found.seed.to_string())?;
        same("places", self.places == found.places, self.places.to_string(), found.places.to_string())?;
        let names = |of: &Self| format!("{:?}", of.spec);
        same("buffers", self.spec == found.spec, names(self), names(found))?;
        let settings = |of: &Self| format!("{:?}", of.config);
        same("settings", self.config == found.config, settings(self), settings(found))
    }
}

/// The dynamic state of a search. Environments are not in it: every generation begins its episodes anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) steps_done: u64,
    pub(super) strategy: AnyStrategy,
    pub(super) normaliser: ObservationNormaliser,
    /// Centres of the distribution at each quarter of the budget that has passed.
    pub(super) milestones: Vec<Vec<f64>>,
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
