//! Which episodes everybody meets: scenarios × seeds, disjoint by what they are for.

use std::collections::BTreeSet;

use seawall_env::{Problems, Purpose, SeedTree};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, check};
use crate::gate::Gate;

/// What a suite's episodes are for. No seed serves two purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Tuning hand-written rules.
    Train,
    /// Choosing checkpoints and hyperparameters.
    Select,
    /// The figures that are reported; opened once.
    Report,
}

impl Split {
    /// The upper two bits of every seed of this split; never zero.
    const fn tag(self) -> u64 {
        match self {
            Self::Train => 1,
            Self::Select => 2,
            Self::Report => 3,
        }
    }

    /// Name in files and hashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Select => "select",
            Self::Report => "report",
        }
    }
}

/// Named scenarios, each on its own held-out seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Name in reports.
    pub name: String,
    /// What the episodes are for.
    pub split: Split,
    /// Root that the seeds derive from.
    pub root: u64,
    /// Seeds for each scenario, at least one. Intervals need two, a tail of 5 % a thousand.
    pub seeds: usize,
    /// Ids of the scenarios, in the order of reports.
    pub scenarios: Vec<String>,
    /// Bounds that decide whether an evaluation passes.
    #[serde(default)]
    pub gates: Vec<Gate>,
}

/// Most seeds that a scenario may have.
const SEEDS_MAX: usize = 1 << 20;

impl Suite {
    /// Checks the suite by itself, and its gates against the names of metrics.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem found.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Problems::default();
        problems.require(!self.name.is_empty(), "name", &self.name, "a name");
        problems.require((1..=SEEDS_MAX).contains(&self.seeds), "seeds", self.seeds, "between 1 and 1048576");
        problems.require(!self.scenarios.is_empty(), "scenarios", "[]", "at least one scenario");
        for (index, id) in self.scenarios.iter().enumerate() {
            let first = !self.scenarios[..index].contains(id);
            let named = !id.is_empty() && id.chars().all(|character| character.is_ascii_graphic());
            let bound = "a name of printable ASCII without spaces that occurs once";
            problems.require(named && first, format!("scenarios[{index}]"), format!("{id:?}"), bound);
        }
        for (index, gate) in self.gates.iter().enumerate() {
            gate.validate(&format!("gates[{index}]"), &mut problems);
        }
        check(problems)
    }

    /// Seeds of one scenario, the same for every contender.
    ///
    /// The upper two bits name the [`Split`], so suites of different splits share no seed, whatever their roots.
    /// The lower bits are the stream of the root, the scenario's name and the place of the seed: adding,
    /// removing or reordering scenarios leaves the others' seeds as they are, and scenarios share no luck.
    ///
    /// # Panics
    /// If there is no such scenario.
    #[must_use]
    pub fn seeds(&self, scenario: usize) -> Vec<u64> {
        let name = Sha256::digest(self.scenarios[scenario].as_bytes());
        let index = name.iter().take(6).fold(0, |index, byte| index << 8 | u64::from(*byte));
        let tree = SeedTree::new(SeedTree::new(self.root).seed(Purpose::Scenario, index));
        let seed = |place| self.split.tag() << 62 | tree.seed(Purpose::Episode, place) >> 2;
        (0..self.seeds as u64).map(seed).collect()
    }

    /// The first of `others` that is also a seed of this suite.
    ///
    /// Suites of two splits cannot overlap. A learner's environments draw their seeds over all 64 bits, so a run
    /// that trained on them asks here before it reports.
    #[must_use]
    pub fn overlap(&self, others: impl IntoIterator<Item = u64>) -> Option<u64> {
        let own: BTreeSet<u64> = (0..self.scenarios.len()).flat_map(|scenario| self.seeds(scenario)).collect();
        others.into_iter().find(|seed| own.contains(seed))
    }

    /// Identity of the episodes: equal hashes mean the same scenarios on the same seeds.
    ///
    /// SHA-256, in hex, of the lines `seawall-suite 1`, `split <name>`, `root <decimal>`, `seeds <decimal>` and, for
    /// each scenario in order, `scenario <id> <hex SHA-256 of its configuration>`, each ended by a newline. Name and
    /// gates are left out: they choose no episode.
    ///
    /// # Panics
    /// If there is not one configuration for each scenario.
    #[must_use]
    pub fn hash(&self, configurations: &[Vec<u8>]) -> String {
        assert_eq!(configurations.len(), self.scenarios.len(), "one configuration for each scenario");
        let head = format!("seawall-suite 1\nsplit {}\nroot {}\nseeds {}\n", self.split.name(), self.root, self.seeds);
        let scenario = |(id, bytes): (&String, &Vec<u8>)| format!("scenario {id} {}\n", hex(&Sha256::digest(bytes)));
        let lines: String = self.scenarios.iter().zip(configurations).map(scenario).collect();
        hex(&Sha256::digest(head + &lines))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(split: Split) -> Suite {
        let scenarios = ["calm", "crash"].map(String::from).to_vec();
        Suite { name: "default".into(), split, root: 7, seeds: 500, scenarios, gates: vec![] }
    }

    fn all(suite: &Suite) -> Vec<u64> {
        (0..suite.scenarios.len()).flat_map(|scenario| suite.seeds(scenario)).collect()
    }

    #[test]
    fn splits_share_no_seed_even_under_one_root() {
        let suites = [Split::Train, Split::Select, Split::Report].map(suite);
        for (index, one) in suites.iter().enumerate() {
            for other in &suites[index + 1..] {
                assert_eq!(one.overlap(all(other)), None);
            }
            assert_eq!(BTreeSet::from_iter(all(one)).len(), 1_000, "seeds of a suite are distinct");
        }
        // By construction, not by luck: the tag alone tells them apart.
        assert!(all(&suites[2]).iter().all(|seed| seed >> 62 == 3));
    }

    #[test]
    fn the_seeds_of_a_learner_are_checked_one_by_one() {
        let report = suite(Split::Report);
        // Episode e of environment b, as `VecEnv` draws them.
        let training = SeedTree::new(7);
        let drawn = (0..8).flat_map(|b| (0..200).map(move |e| training.seed(Purpose::Episode, b << 24 | e)));
        assert_eq!(report.overlap(drawn.clone()), None);
        let leaked = report.seeds(1)[42];
        assert_eq!(report.overlap(drawn.chain([leaked])), Some(leaked));
    }

    #[test]
    fn seeds_belong_to_the_scenario_and_not_to_its_place() {
        let both = suite(Split::Report);
        let mut one = both.clone();
        one.scenarios = vec!["crash".into()];
        one.seeds = 20;
        assert_eq!(one.seeds(0), both.seeds(1)[..20]);
        assert_ne!(both.seeds(0)[..20], both.seeds(1)[..20]);
    }

    #[test]
    fn hash_follows_what_chooses_the_episodes_and_nothing_else() {
        let suite = suite(Split::Report);
        let files = vec![b"tick = 1".to_vec(), b"tick = 2".to_vec()];
        let hash = suite.hash(&files);
        // printf 'seawall-suite 1\nsplit report\nroot 7\nseeds 500\nscenario calm %s\nscenario crash %s\n' \
        //   $(printf 'tick = 1' | sha256sum | cut -c-64) $(printf 'tick = 2' | sha256sum | cut -c-64) | sha256sum
        assert_eq!(hash, "bee8f01c287d9c1b423b1b2fccb4ecbf9f8d339cbcd44e3202894b7de0d1f91a");
        let renamed = Suite { name: "other".into(), ..suite.clone() };
        assert_eq!(renamed.hash(&files), hash);
        for changed in [
            Suite { root: 8, ..suite.clone() },
            Suite { seeds: 501, ..suite.clone() },
            Suite { split: Split::Select, ..suite.clone() },
        ] {
            assert_ne!(changed.hash(&files), hash);
        }
        assert_ne!(suite.hash(&[b"tick = 1".to_vec(), b"tick = 3".to_vec()]), hash);
    }

    #[test]
    fn every_problem_of_a_suite_is_listed() {
        let suite = Suite {
            name: String::new(),
            seeds: 0,
            scenarios: vec!["calm".into(), "calm".into()],
            ..suite(Split::Report)
        };
        let problems = suite.validate().unwrap_err().to_string();
        for field in ["name", "seeds", "scenarios[1]"] {
            assert!(problems.contains(&format!("{field} = ")), "{problems}");
        }
        assert!(!problems.contains("scenarios[0]"), "{problems}");
    }
}
