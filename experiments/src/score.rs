//! An export's score: what its file earned when it was written, to the bit.

use std::path::Path;

use anyhow::Context;
use seawall_eval::statistics::mean;
use seawall_eval::{Records, Split};
use serde::{Deserialize, Serialize};

use crate::entry::Entry;
use crate::judge::{self, Arena, Beside};
use crate::progress::Voice;
use crate::run_folder::RunFolder;
use crate::settings::Settings;

/// Name of the file beside the export.
pub(crate) const SCORE: &str = "score.json";

/// Returns of a policy on the selection split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Score {
    /// Identity of the episodes: see [`seawall_eval::Suite::hash`].
    pub(crate) suite: String,
    /// Ids of the scenarios.
    pub(crate) scenarios: Vec<String>,
    /// Seeds for each.
    pub(crate) seeds: usize,
    /// Sum of rewards of each episode, `[scenarios, seeds]`, row-major.
    pub(crate) returns: Vec<f64>,
}

impl Score {
    /// The score of one training run in the records of a selection suite.
    ///
    /// # Panics
    /// If the records hold no such arm or run.
    pub(crate) fn of(records: &Records, arm: &str, run: usize) -> Self {
        let cells = records.scenarios.len() * records.seeds;
        let place = records.position(arm).expect("the arm was in the line-up");
        let episodes = &records.arm(place)[run * cells..(run + 1) * cells];
        Self {
            suite: records.hash.clone(),
            scenarios: records.scenarios.clone(),
            seeds: records.seeds,
            returns: episodes.iter().map(|episode| episode.episode_return).collect(),
        }
    }

    /// Plays the selection suite with the policy of a folder.
    ///
    /// # Errors
    /// If the policy was made for another environment.
    pub(crate) fn play(settings: &Settings, arena: &Arena, entry: &Entry, voice: Voice) -> anyhow::Result<Self> {
        let contender = entry.contender(settings, entry.name(), &arena.spec())?;
        let suite = arena.suite(settings, Split::Select);
        let records = judge::run(arena, &suite, &[contender], Beside::Nothing, voice)?;
        Ok(Self::of(&records, entry.name(), 0))
    }

    /// Mean return of each scenario.
    pub(crate) fn means(&self) -> Vec<f64> {
        self.returns.chunks(self.seeds).map(mean).collect()
    }

    /// Mean return over all episodes.
    pub(crate) fn mean(&self) -> f64 {
        mean(&self.returns)
    }

    /// Episodes whose return differs in any bit, as (scenario, place of the seed, expected, found).
    pub(crate) fn differences<'a>(&'a self, found: &'a Self) -> Vec<(&'a str, usize, f64, f64)> {
        let pairs = self.returns.iter().zip(&found.returns).enumerate();
        pairs
            .filter(|(_, (expected, found))| expected.to_bits() != found.to_bits())
            .map(|(cell, (expected, found))| {
                (self.scenarios[cell / self.seeds].as_str(), cell % self.seeds, *expected, *found)
            })
            .collect()
    }

    /// Writes the score beside the export.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self).context("writing the score as JSON")?;
        folder.write(SCORE, (text + "\n").as_bytes())
    }

    /// Reads the score beside an export, if there is one.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub(crate) fn beside(export: &Path) -> anyhow::Result<Option<Self>> {
        let folder = if export.is_dir() { export } else { export.parent().unwrap_or(export) };
        let path = folder.join(SCORE);
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("reading {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_in_the_last_bit_is_a_difference() {
        let score = Score {
            suite: "x".into(),
            scenarios: vec!["calm".into(), "crash".into()],
            seeds: 2,
            returns: vec![-1.0, -2.0, -3.0, -5.0],
        };
        let mut other = score.clone();
        other.returns[3] = f64::from_bits(other.returns[3].to_bits() + 1);
        assert_eq!(score.differences(&score), []);
        assert_eq!(score.differences(&other), [("crash", 1, -5.0, other.returns[3])]);
        assert_eq!(score.means(), [-1.5, -4.0]);
        let text = serde_json::to_string(&other).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), other);
    }
}
