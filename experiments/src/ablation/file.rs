//! A study as it is written: what is asked, of whom, and what is expected.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::shipped;

/// A study's file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// Name: lower-case letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// The question that it answers.
    pub(crate) question: String,
    /// What is expected, in a sentence.
    pub(crate) hypothesis: String,
    /// How arms are made of the base.
    pub(crate) design: Kind,
    /// Settings below the base: `default`, `smoke`, or a file beside the study.
    #[serde(default = "default_config")]
    pub(crate) config: String,
    /// Decisions of every training run; none where nothing is trained.
    #[serde(default)]
    pub(crate) decisions: u64,
    /// Root seeds of the training runs, the same for every arm; none where nothing is trained.
    #[serde(default)]
    pub(crate) training_seeds: Vec<u64>,
    /// Metric of the effects that are tested.
    #[serde(default = "primary")]
    pub(crate) primary: String,
    /// Metrics whose effects are shown beside it.
    #[serde(default)]
    pub(crate) secondary: Vec<String>,
    /// Whom every arm judges that does not say otherwise: a baseline, a policy's path, or, for want of one, what it trains.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Settings of every arm, over `config`.
    #[serde(default)]
    pub(crate) base: Table,
    /// Arms of `one_factor`; the base is one more.
    #[serde(default)]
    pub(crate) arms: Vec<ArmFile>,
    /// Factors of `fractional_factorial`.
    #[serde(default)]
    pub(crate) factors: Vec<FactorFile>,
    /// Ranges of `latin_hypercube`.
    #[serde(default)]
    pub(crate) ranges: Vec<RangeFile>,
    /// Arms of `latin_hypercube`.
    #[serde(default)]
    pub(crate) samples: usize,
    /// Seed of `latin_hypercube`'s permutations.
    #[serde(default)]
    pub(crate) design_seed: u64,
}

fn default_config() -> String {
    "default".to_owned()
}

fn primary() -> String {
    seawall_eval::metric::PRIMARY.to_owned()
}

/// How arms are made of the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// The base, and one arm for each difference.
    OneFactor,
    /// A two-level fraction of resolution IV over some factors.
    FractionalFactorial,
    /// Samples that cover each range evenly.
    LatinHypercube,
}

/// What is expected of an effect on the primary metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expected {
    /// The arm does better than what it is compared with.
    Better,
    /// It does worse.
    Worse,
    /// It does about as well.
    Same,
}

/// One arm of `one_factor`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArmFile {
    /// Name: lower-case letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// Settings by their paths, such as `"ppo.clip" = 0.1`, in training and judgement.
    #[serde(default)]
    pub(crate) set: Table,
    /// Settings of the judgement alone.
    #[serde(default)]
    pub(crate) judge: Table,
    /// Whom it judges.
    #[serde(default)]
    pub(crate) policy: Option<String>,
    /// Whether the policy acts behind the solvency shield when it is judged.
    #[serde(default)]
    pub(crate) shield: bool,
    /// The arm that it is compared with, if that is not the base.
    #[serde(default)]
    pub(crate) against: Option<String>,
    /// What is expected.
    #[serde(default)]
    pub(crate) expect: Option<Expected>,
}

/// One factor with two levels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactorFile {
    /// Name: lower-case letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// Settings of the low level.
    #[serde(default)]
    pub(crate) low: Table,
    /// Settings of the high level.
    #[serde(default)]
    pub(crate) high: Table,
    /// What is expected of high against low.
    #[serde(default)]
    pub(crate) expect: Option<Expected>,
}

/// One range of a numeric setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RangeFile {
    /// The setting's path.
    pub(crate) key: String,
    /// Lower end.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
    /// Whether equal steps are equal ratios; both ends are then positive.
    #[serde(default)]
    pub(crate) log: bool,
    /// Whether values are rounded to whole numbers.
    #[serde(default)]
    pub(crate) whole: bool,
    /// What is expected of the upper end against the lower.
    #[serde(default)]
    pub(crate) expect: Option<Expected>,
}

impl StudyFile {
    /// Reads a study: a file, or a shipped one by its name.
    ///
    /// # Errors
    /// If it cannot be read, or is no study.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match shipped::named(path) {
            Some(text) => text.to_owned(),
            None => std::fs::read_to_string(path).with_context(|| format!("reading the study {}", path.display()))?,
        };
        toml::from_str(&text).with_context(|| format!("reading the study {}", path.display()))
    }
}
