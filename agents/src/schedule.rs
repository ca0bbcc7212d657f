//! Schedules: rules that a governance vote can read, one line for each parameter.

use std::fmt;

use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::spaces::Group;
use seawall_env::{Groups, Problem, Problems, Spec};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::policy::Policy;

/// Features that one line may read.
pub const FEATURES_MAX: usize = 12;
/// Distance from zero at which a feature is held, as in an exported network. Features are of order one.
pub const FEATURE_CLIP: f32 = 10.0;

/// Which features the lines of each group read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleShape {
    /// Features of the fast parameters, at most [`FEATURES_MAX`].
    pub fast: Vec<String>,
    /// Features of the slow parameters, at most [`FEATURES_MAX`].
    pub slow: Vec<String>,
}

impl Default for ScheduleShape {
    /// Fast: what a book can bear and what is about to hit it. Slow: what margin is set by.
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            fast: names(&[
                "volatility_10m",
                "depth_100bp",
                "in_liquidation",
                "reproduction_down",
                "reproduction_up",
                "fund",
            ]),
            slow: names(&["volatility_1h", "macro_stress", "open_interest", "fund"]),
        }
    }
}

impl ScheduleShape {
    /// Features of a group's lines.
    #[must_use]
    pub fn features(&self, group: Group) -> &[String] {
        match group {
            Group::Fast => &self.fast,
            Group::Slow => &self.slow,
        }
    }

    /// Records every feature that is not among `observed`, occurs twice or is one too many.
    pub fn validate<'a>(&self, path: &str, observed: impl Iterator<Item = &'a str> + Clone, problems: &mut Problems) {
        for (group, names) in [("fast", &self.fast), ("slow", &self.slow)] {
            let most = format!("at most {FEATURES_MAX} features");
            problems.require(names.len() <= FEATURES_MAX, format!("{path}.{group}"), names.len(), &most);
            for (index, name) in names.iter().enumerate() {
                let is_sound = observed.clone().any(|found| found == name) && !names[..index].contains(name);
                let bound = "an observed feature that occurs once";
                problems.require(is_sound, format!("{path}.{group}[{index}]"), format!("{name:?}"), bound);
            }
        }
    }
}

/// One parameter's line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Value with all features at zero, normalised to `[-1, 1]`.
    pub bias: f32,
    /// Features and their weights, at most [`FEATURES_MAX`].
    pub weights: Vec<(String, f32)>,
}

impl Line {
    /// A line that never moves.
    #[must_use]
    pub const fn still(bias: f32) -> Self {
        Self { bias, weights: Vec::new() }
    }
}

/// A policy that moves every parameter by a line of its own: `clamp(bias + Σ weight · feature)`.
///
/// The clamp holds the normalised parameter to `[-1, 1]`, so the ends of a range can be reached and most of a range is
/// linear. Features are held within [`FEATURE_CLIP`]. Slow parameters move on the slow clock, which the venue keeps.
#[derive(Clone, PartialEq)]
pub struct Schedule {
    lines: Vec<Line>,
    /// By parameter: indices of features in ascending order, and their weights.
    terms: Vec<Vec<(usize, f32)>>,
    observation: usize,
}

impl Schedule {
    /// The lines, in the order of the parameters, over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Features`] if a feature is not observed; [`Error::Invalid`] if a line has too many, has one twice, or a
    /// number is not finite.
    ///
    /// # Panics
    /// If there is not one line for each parameter.
    pub fn new(lines: Vec<Line>, spec: &Spec) -> Result<Self, Error> {
        assert_eq!(lines.len(), ACTIONS, "one line for each parameter");
        let (mut missing, mut problems) = (Vec::new(), Problems::default());
        let mut terms = Vec::new();
        for (parameter, line) in PARAMETERS.iter().zip(&lines) {
            let at = |name: &str| format!("{}.{name}", parameter.name);
            let count = line.weights.len();
            problems.require(count <= FEATURES_MAX, at("features"), count, &format!("at most {FEATURES_MAX}"));
            problems.require(line.bias.is_finite(), at("bias"), line.bias, "finite");
            let mut found = Vec::new();
            for (name, weight) in &line.weights {
                problems.require(weight.is_finite(), at(name), weight, "finite");
                match spec.observation.iter().position(|observed| observed == name) {
                    None => missing.push(name.clone()),
                    Some(index) if found.iter().any(|(before, _)| *before == index) => {
                        problems.0.push(Problem::new(at(name), weight, "the line's only weight on this feature"));
                    }
                    Some(index) => found.push((index, *weight)),
                }
            }
            found.sort_unstable_by_key(|(index, _)| *index);
            terms.push(found);
        }
        if !missing.is_empty() {
            return Err(Error::Features { policy: "schedule".to_owned(), missing });
        }
        if !problems.0.is_empty() {
            return Err(Error::Invalid(problems));
        }
        Ok(Self { lines, terms, observation: spec.observation.len() })
    }

    /// The lines, in the order of the parameters.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The same schedule for one group alone: the other group's parameters stay neutral.
    #[must_use]
    pub fn restricted(mut self, groups: Groups) -> Self {
        let neutral = Controls::default().encode();
        let lines = self.lines.iter_mut().zip(&mut self.terms);
        for ((parameter, (line, terms)), neutral) in PARAMETERS.iter().zip(lines).zip(neutral) {
            let is_kept = match parameter.group {
                Group::Fast => groups.fast,
                Group::Slow => groups.slow,
            };
            if !is_kept {
                *line = Line::still(neutral);
                terms.clear();
            }
        }
        self
    }

    /// The schedule as one linear layer, weights `[D, A]` row-major and biases `[A]`: what an engine embeds.
    #[must_use]
    pub fn layer(&self) -> (Vec<f32>, Vec<f32>) {
        let mut weight = vec![0.0; self.observation * ACTIONS];
        for (parameter, terms) in self.terms.iter().enumerate() {
            for (feature, value) in terms {
                weight[feature * ACTIONS + parameter] = *value;
            }
        }
        (weight, self.lines.iter().map(|line| line.bias).collect())
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (parameter, line) in PARAMETERS.iter().zip(&self.lines) {
            map.entry(&parameter.name, line);
        }
        map.finish()
    }
}

impl Policy for Schedule {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn reset(&mut self, _seed: u64) {}

    /// Bit for bit what the exported layer computes: sums in the order of features, zeros left out.
    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        assert_eq!(observation.len(), self.observation, "an observation has {} entries", self.observation);
        assert_eq!(action.len(), ACTIONS, "an action has {ACTIONS} entries");
        for ((entry, line), terms) in action.iter_mut().zip(&self.lines).zip(&self.terms) {
            let mut sum = line.bias;
            for (feature, weight) in terms {
                sum += observation[*feature].clamp(-FEATURE_CLIP, FEATURE_CLIP) * weight;
            }
            *entry = sum.clamp(-1.0, 1.0);
        }
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
