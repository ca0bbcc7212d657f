//! What a parameter file says of the shield that a policy's bytes carry.

use seawall_env::{Problems, Spec};
use seawall_runtime::Policy;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::shield::{Shield, ShieldConfig};

/// A shield, described. How it projects is in [`mod@seawall_runtime::format`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShieldEntry {
    /// Its constants.
    pub constants: ShieldConfig,
    /// Features that it reads, in the order of the bytes.
    pub reads: Vec<String>,
}

impl ShieldEntry {
    /// The shield with these constants.
    #[must_use]
    pub(super) fn new(constants: ShieldConfig) -> Self {
        Self { constants, reads: Shield::reads().map(str::to_owned).collect() }
    }

    pub(super) fn validate(&self, path: &str, problems: &mut Problems) {
        self.constants.validate(&format!("{path}.constants"), problems);
        let reads = &self.reads;
        let is_known = reads.iter().map(String::as_str).eq(Shield::reads());
        let bound = Shield::reads().collect::<Vec<_>>().join(", ");
        problems.require(is_known, format!("{path}.reads"), reads.join(", "), &bound);
    }

    /// The shield that a policy's bytes should carry.
    ///
    /// # Errors
    /// [`Error::Features`] if the policy does not observe what the shield reads.
    pub(super) fn over(&self, policy: &Policy<&[u8]>) -> Result<seawall_runtime::Shield, Error> {
        let observation = policy.observation_names().map(str::to_owned).collect();
        let spec = Spec { observation, action: Vec::new(), reward: Vec::new() };
        Ok(*Shield::new(self.constants, &spec)?.runtime())
    }
}
