//! What actor and critic see: normalised observations, and for an asymmetric critic privileged entries behind them.

use seawall_env::{Env, VecEnv};
use serde::{Deserialize, Serialize};

use crate::error::{Error, check_finite as check};
use crate::normaliser::ObservationNormaliser;

/// Running statistics of what is seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sight {
    pub(super) observation: ObservationNormaliser,
    /// Of privileged entries, `[P]`; none if the critic sees what the actor does.
    pub(super) privileged: Option<ObservationNormaliser>,
}

impl Sight {
    /// Takes what the environments show now into the statistics.
    ///
    /// # Errors
    /// [`Error::NotFinite`] at `step` if an entry is not finite.
    pub(super) fn observe<E: Env>(&mut self, envs: &VecEnv<E>, step: u64) -> Result<(), Error> {
        check("observation", envs.observations(), step)?;
        self.observation.observe(envs.observations());
        if let Some(privileged) = &mut self.privileged {
            check("privileged entry", envs.privileged(), step)?;
            privileged.observe(envs.privileged());
        }
        Ok(())
    }

    /// Makes everything that follows use everything observed so far.
    pub(super) fn refresh(&mut self) {
        self.observation.refresh();
        if let Some(privileged) = &mut self.privileged {
            privileged.refresh();
        }
    }

    /// Entries that the critic sees, `D + P`.
    pub(super) fn seen_by_critic(&self) -> usize {
        self.observation.mean().len() + self.privileged.as_ref().map_or(0, |privileged| privileged.mean().len())
    }

    /// Normalised rows for the critic, `[N, D + P]`, of raw observations and raw privileged entries, `[N, D]` and `[N, P]`.
    pub(super) fn critic(&self, observation: &[f32], privileged: &[f32]) -> Vec<f32> {
        let mut normalised = vec![0.0; observation.len()];
        self.observation.apply(observation, &mut normalised);
        let Some(normaliser) = &self.privileged else {
            return normalised;
        };
        let mut behind = vec![0.0; privileged.len()];
        normaliser.apply(privileged, &mut behind);
        let rows = normalised.chunks_exact(self.observation.mean().len());
        let behind = behind.chunks_exact(normaliser.mean().len());
        rows.zip(behind).flat_map(|(row, behind)| row.iter().chain(behind)).copied().collect()
    }
}
