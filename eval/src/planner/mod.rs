//! What could be attained: model-predictive control in the simulator itself, the true future withheld.
//!
//! At every plan the environment is copied and the rest of the copies is drawn anew ([`seawall_env::CascadeEnv::redraw`]); a
//! search by cross-entropy finds the actions that do best over those futures, and the true environment is given their
//! beginning. The planner knows more than any policy: the latent state, and the law of the scenario that it is in. It
//! knows less than an optimum: it looks a finite horizon ahead, over few futures, with few candidates, and plans as if it
//! could not react. So its return is an estimate of what is attainable, and a bound of neither kind.
//!
//! Not here: the search rules of the trainer, which move policies and are in a crate that this one does not see.

mod play;
mod search;
mod share;

pub use play::{plans, run};
pub use search::{Plan, plan};
pub use share::gap_share;

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// How far and how hard a planner looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlanConfig {
    /// Decisions that a plan looks ahead; fewer where the episode ends before. In [1, 100000].
    pub horizon: u32,
    /// Stretches of equal action that a plan consists of, each as long as the time between plans but the last, which lasts
    /// to the horizon. In [1, 16].
    pub blocks: u32,
    /// Decisions until the next plan; at most the horizon.
    pub replan: u32,
    /// Candidates of an iteration. In [4, 4096].
    pub population: u32,
    /// Candidates that the next iteration is drawn around; at least 2, at most half of the population.
    pub elites: u32,
    /// Iterations of the search. In [1, 100].
    pub iterations: u32,
    /// Futures that every candidate meets, the same for all candidates of a plan. In [1, 1024].
    pub scenarios: u32,
    /// Root of the futures and of the candidates.
    pub seed: u64,
}

impl Default for PlanConfig {
    /// Whole episodes of the default scenarios: `seawall plan --seeds 2 --seed 0 --horizon 60` beats the constant in five of
    /// them, and in `slow_drought` it fills the book before a drought that it does not see (-362 where the constant has -166).
    fn default() -> Self {
        Self { horizon: 600, blocks: 2, replan: 20, population: 10, elites: 3, iterations: 2, scenarios: 4, seed: 0 }
    }
}

impl PlanConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, value, low, high) in [
            ("horizon", self.horizon, 1, 100_000),
            ("blocks", self.blocks, 1, 16),
            ("replan", self.replan, 1, self.horizon),
            ("population", self.population, 4, 4_096),
            ("elites", self.elites, 2, self.population / 2),
            ("iterations", self.iterations, 1, 100),
            ("scenarios", self.scenarios, 1, 1_024),
        ] {
            let holds = (low..=high).contains(&value);
            problems.require(holds, format!("{path}.{name}"), value, &format!("in [{low}, {high}]"));
        }
    }
}
