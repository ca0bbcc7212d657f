//! What one evaluation leaves behind: an episode a record, in grid order.

use seawall_env::Problems;
use seawall_env::outcome::Outcome;
use serde::{Deserialize, Serialize};

use crate::counterfactual::LetBe;
use crate::path::Path;
use crate::suite::Split;

/// One episode of one contender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeRecord {
    /// Index into [`Records::arms`].
    pub arm: usize,
    /// Index into [`Arm::training_seeds`].
    pub run: usize,
    /// Training seed of the run, for a policy that was trained.
    pub training_seed: Option<u64>,
    /// Index into [`Records::scenarios`].
    pub scenario: usize,
    /// Place of the seed in the suite, the same for every contender.
    pub index: usize,
    /// Seed of the episode.
    pub seed: u64,
    /// Sum of rewards.
    pub episode_return: f64,
    /// Sums of the reward's terms, unweighted, in the order of [`Records::terms`].
    pub terms: Vec<f64>,
    /// What the episode did to the market.
    pub outcome: Outcome,
    /// What the same scenario and seed did without liquidations, if that was run.
    pub without_liquidations: Option<Outcome>,
    /// Its way, decision by decision, if the environment shows one.
    #[serde(default)]
    pub path: Option<Path>,
    /// What became of accounts that were let be, if that was run.
    #[serde(default)]
    pub let_be: Option<LetBe>,
    /// Decisions whose action a shield changed, if there is one.
    #[serde(default)]
    pub overruled: Option<u64>,
}

/// One line of a comparison: a policy that was not trained, or all training seeds of one that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// Name in tables.
    pub name: String,
    /// Venue preset that it ran on.
    pub preset: String,
    /// One entry for each run; a single `None` for a policy that was not trained.
    pub training_seeds: Vec<Option<u64>>,
}

/// Every episode of an evaluation, with what is needed to read them.
///
/// Episodes are ordered by arm, then run, then scenario, then seed, and the grid is complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Name of the suite.
    pub suite: String,
    /// What the suite is for.
    pub split: Split,
    /// Hash of the suite: see [`crate::suite::Suite::hash`].
    pub hash: String,
    /// Ids of the scenarios.
    pub scenarios: Vec<String>,
    /// Seeds for each scenario.
    pub seeds: usize,
    /// Names of the reward's terms.
    pub terms: Vec<String>,
    /// The contenders, training seeds gathered.
    pub arms: Vec<Arm>,
    /// The episodes.
    pub episodes: Vec<EpisodeRecord>,
}

impl Records {
    /// Episodes of one arm: `[runs, scenarios, seeds]`, row-major.
    ///
    /// # Panics
    /// If there is no such arm.
    #[must_use]
    pub fn arm(&self, arm: usize) -> &[EpisodeRecord] {
        let cells = self.scenarios.len() * self.seeds;
        let start: usize = self.arms[..arm].iter().map(|before| before.training_seeds.len() * cells).sum();
        &self.episodes[start..start + self.arms[arm].training_seeds.len() * cells]
    }

    /// Decisions of an arm, and those of them whose action a shield changed; nothing if it has none.
    ///
    /// # Panics
    /// If there is no such arm.
    #[must_use]
    pub fn overruled(&self, arm: usize) -> Option<(u64, u64)> {
        let counts = self.arm(arm).iter().map(|episode| Some((episode.outcome.decisions, episode.overruled?)));
        counts
            .reduce(|sum, next| sum.zip(next).map(|((seen, acted), (more, changed))| (seen + more, acted + changed)))?
    }

    /// Index of the arm with this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.name == name)
    }

    /// Adds the arms of `other`, which met the same episodes; their counterfactuals are taken from here.
    ///
    /// # Panics
    /// If the episodes are not the same, or an arm of one is called like an arm of the other.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        assert_eq!((&self.hash, &self.terms), (&other.hash, &other.terms), "records of the same episodes");
        let clash = other.arms.iter().find(|arm| self.position(&arm.name).is_some());
        assert!(clash.is_none(), "two arms have one name: {clash:?}");
        let before = self.arms.len();
        let seeds = self.seeds;
        let added: Vec<EpisodeRecord> = other
            .episodes
            .into_iter()
            .map(|episode| {
                let beside = &self.episodes[episode.scenario * seeds + episode.index];
                let without_liquidations = beside.without_liquidations;
                EpisodeRecord { arm: episode.arm + before, without_liquidations, ..episode }
            })
            .collect();
        self.arms.extend(other.arms);
        self.episodes.extend(added);
        self
    }

    /// Records what keeps this from being a complete grid: records may come from a file.
    pub(crate) fn validate(&self, problems: &mut Problems) {
        problems.require(!self.scenarios.is_empty(), "records.scenarios", "[]", "at least one scenario");
        problems.require(self.seeds > 0, "records.seeds", self.seeds, "at least 1");
        problems.require(!self.arms.is_empty(), "records.arms", "[]", "at least one contender");
        let several = self.arms.iter().map(|arm| &arm.training_seeds).find(|seeds| seeds.len() > 1);
        for (index, arm) in self.arms.iter().enumerate() {
            let fits = arm.training_seeds.len() == 1 || Some(&arm.training_seeds) == several;
            let path = format!("records.arms[{index}].training_seeds");
            problems.require(fits, path, arm.training_seeds.len(), "one, or the same as every other arm's");
        }
        let runs = self
            .arms
            .iter()
            .enumerate()
            .flat_map(|(arm, line)| (0..line.training_seeds.len()).map(move |run| (arm, run)));
        let cells = (0..self.scenarios.len()).flat_map(|scenario| (0..self.seeds).map(move |index| (scenario, index)));
        let grid = runs.flat_map(|(arm, run)| cells.clone().map(move |(scenario, index)| (arm, run, scenario, index)));
        let found = self.episodes.iter().map(|e| (e.arm, e.run, e.scenario, e.index));
        problems.require(found.eq(grid), "records.episodes", self.episodes.len(), "every cell of the grid, in order");
        let terms = self.episodes.iter().all(|episode| episode.terms.len() == self.terms.len());
        problems.require(terms, "records.episodes.terms", self.terms.len(), "as many in every episode");
    }
}
