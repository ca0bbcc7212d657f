//! What of an observation reaches the controller: features can be dark, or those of another episode.
//!
//! A dark feature is zero. A shuffled one comes from a recorded episode that has nothing to do with the one that is
//! played: its distribution stays, over scenarios and over the time within an episode, and its information goes. Features
//! that are shuffled together come from one episode, so what ties them to each other stays too. Everybody who plays the
//! task sees through the mask, hand-written rules included.

use std::sync::Arc;

use crate::action::{ACTIONS, Controls};
use crate::error::Problems;
use crate::gym::Env;
use crate::observation::{ECONOMY, OPTIONS, STABLECOIN, features};
use crate::rng::{Purpose, SeedTree};
use crate::spaces::Feature;
use crate::task::{CascadeEnv, Task};

/// Stream that recorded episodes' seeds hang from.
const RECORDED: u64 = 0x6d61_736b;
/// Index of the draw, among an episode's, that chooses the recording; index 0 chooses the scenario.
const DONOR: u64 = 1;

/// Features that are hidden from whoever plays a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Length of the observations that it is for.
    width: usize,
    /// Places of the features that are zero, ascending.
    dark: Vec<usize>,
    /// Places of the features that come from another episode, ascending.
    shuffled: Vec<usize>,
    /// Recorded episodes, each `[decisions + 1, shuffled]`, row-major; empty if nothing is shuffled.
    recordings: Vec<Vec<f32>>,
}

/// Records every name that is neither a group of features nor a feature of any task, and every name that is hidden twice;
/// `further` are the features of instruments that there are.
pub fn validate(path: &str, (off, shuffled): (&[String], &[String]), further: &[Feature], problems: &mut Problems) {
    let known = features().into_iter().chain(ECONOMY).chain(OPTIONS).chain(STABLECOIN);
    let new = further.iter().filter(|feature| known.clone().all(|found| found.name != feature.name));
    let all: Vec<Feature> = known.clone().chain(new.copied()).collect();
    let mut groups: Vec<&str> = all.iter().map(|feature| feature.group).collect();
    groups.dedup();
    let bound = format!("a feature, or one of the groups {}", groups.join(", "));
    for (list, names) in [("off", off), ("shuffled", shuffled)] {
        for (index, name) in names.iter().enumerate() {
            let is_known = all.iter().any(|feature| names_feature(name, feature));
            problems.require(is_known, format!("{path}.{list}[{index}]"), format!("{name:?}"), &bound);
        }
    }
    for feature in &all {
        let times = off.iter().chain(shuffled).filter(|name| names_feature(name, feature)).count();
        problems.require(times < 2, path, feature.name, "a feature that is hidden in one way");
    }
}

/// Whether a name means a feature: its own, or its group's.
fn names_feature(name: &str, feature: &Feature) -> bool {
    name == feature.name || name == feature.group
}

impl Mask {
    /// A mask over a task's features, by names of groups or of single features. Nothing is recorded yet.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] with every problem of [`validate`], and every name that means nothing in this task.
    pub fn new(features: &[Feature], off: &[String], shuffled: &[String]) -> Result<Self, crate::Error> {
        let mut problems = Problems::default();
        validate("observation", (off, shuffled), features, &mut problems);
        for (list, names) in [("off", off), ("shuffled", shuffled)] {
            for (index, name) in names.iter().enumerate() {
                let is_seen = features.iter().any(|feature| names_feature(name, feature));
                let bound = "observed in this task: its scenarios have nothing of the kind";
                problems.require(is_seen, format!("observation.{list}[{index}]"), format!("{name:?}"), bound);
            }
        }
        problems.into_result()?;
        let places = |names: &[String]| {
            let hidden = |(_, feature): &(usize, &Feature)| names.iter().any(|name| names_feature(name, feature));
            features.iter().enumerate().filter(hidden).map(|(place, _)| place).collect()
        };
        Ok(Self { width: features.len(), dark: places(off), shuffled: places(shuffled), recordings: Vec::new() })
    }

    /// Length of the observations that it is for.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether a feature comes from another episode.
    #[must_use]
    pub const fn is_shuffling(&self) -> bool {
        !self.shuffled.is_empty()
    }

    /// Plays `episodes` of each scenario of a task that hides nothing, with every parameter at its neutral value, and
    /// keeps what is shuffled. The recordings depend on the task and on nothing else.
    ///
    /// # Panics
    /// If there are no episodes, or the task's observations have another length.
    #[must_use]
    pub fn recording(self, task: &Arc<Task>, episodes: u64) -> Self {
        assert!(episodes > 0, "a recording needs an episode");
        if !self.is_shuffling() {
            return self;
        }
        let (seeds, neutral) = (SeedTree::new(RECORDED), Controls::default().encode());
        let of_scenario = |scenario: usize| (0..episodes).map(move |episode| (scenario, episode));
        let recordings = (0..task.len()).flat_map(of_scenario).zip(0..);
        let recordings = recordings.map(|((scenario, _), index)| {
            self.record(
                &mut CascadeEnv::new(Arc::clone(task)),
                (scenario, seeds.seed(Purpose::Episode, index)),
                &neutral,
            )
        });
        let recordings = recordings.collect();
        Self { recordings, ..self }
    }

    /// The shuffled features of one episode: a row at reset, and one after each decision.
    fn record(&self, env: &mut CascadeEnv, (scenario, seed): (usize, u64), action: &[f32; ACTIONS]) -> Vec<f32> {
        let mut observation = vec![0.0; env.spec().observation.len()];
        assert_eq!(observation.len(), self.width, "a mask is recorded on the observations that it is for");
        let mut rows = Vec::new();
        env.reset_on(scenario, seed, &mut observation);
        loop {
            rows.extend(self.shuffled.iter().map(|place| observation[*place]));
            if env.step(action, &mut observation).status.is_over() {
                rows.extend(self.shuffled.iter().map(|place| observation[*place]));
                return rows;
            }
        }
    }

    /// How many recordings there are.
    pub(crate) fn recordings(&self) -> u32 {
        u32::try_from(self.recordings.len()).expect("recordings are few")
    }

    /// Which recording an episode's shuffled features come from: a draw of its seed.
    ///
    /// # Panics
    /// If something is shuffled and nothing recorded.
    pub(crate) fn donor(&self, seed: u64) -> u32 {
        if !self.is_shuffling() {
            return 0;
        }
        let count = self.recordings();
        assert!(count > 0, "what is shuffled was recorded");
        let draw = SeedTree::new(seed).seed(Purpose::Scenario, DONOR);
        u32::try_from(draw % u64::from(count)).expect("below a count of 32 bits")
    }

    /// Hides what is hidden from an observation before this decision. A recording that is shorter starts again.
    ///
    /// # Panics
    /// If `observation` has another length, or there is no such recording.
    pub(crate) fn apply(&self, donor: u32, decision: u32, observation: &mut [f32]) {
        assert_eq!(observation.len(), self.width, "a mask fits the observations that it is for");
        for place in &self.dark {
            observation[*place] = 0.0;
        }
        if !self.is_shuffling() {
            return;
        }
        let recording = &self.recordings[donor as usize];
        let rows = recording.len() / self.shuffled.len();
        let start = decision as usize % rows * self.shuffled.len();
        for (place, value) in self.shuffled.iter().zip(&recording[start..]) {
            observation[*place] = *value;
        }
    }
}
