//! Every number that was estimated, where it came from, and which parameter of the market it is.

use seawall_eval::calibration::Fitted;
use serde::Serialize;

use crate::candles::time;

/// Where numbers come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Source {
    /// Name of the file.
    pub(crate) file: String,
    /// First and last moment, UTC; empty where the file has no time.
    pub(crate) window: String,
}

impl Source {
    /// A file between two moments, in milliseconds since 1970.
    pub(crate) fn new(file: &str, span_ms: Option<(i64, i64)>) -> Self {
        let day = |ms| time::show(ms).get(..10).unwrap_or_default().to_owned();
        let window = span_ms.map_or_else(String::new, |(first, last)| format!("{} to {}", day(first), day(last)));
        Self { file: file.to_owned(), window }
    }
}

/// One estimate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// Path in the scenario, or a name below `statistic` for what no parameter stands for.
    pub(crate) name: String,
    /// Value, standard error and observations.
    #[serde(flatten)]
    pub(crate) fitted: Fitted,
    /// Unit and estimator.
    pub(crate) about: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub(crate) source: Source,
}

/// A line of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Dotted path; `[]` after a table's name makes an array of tables.
    pub(crate) path: String,
    /// Value in TOML.
    pub(crate) literal: String,
    /// What stands above it.
    pub(crate) remark: String,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) all: Vec<Finding>,
    pub(crate) settings: Vec<Setting>,
    /// What could not be estimated, and why.
    pub(crate) skipped: Vec<String>,
}

impl Findings {
    /// A number that no parameter stands for.
    pub(crate) fn note(&mut self, name: &str, fitted: Fitted, about: &str, source: &Source) {
        let name = format!("statistic.{name}");
        self.all.push(Finding { name, fitted, about: about.to_owned(), source: source.clone() });
    }

    /// A number that is a parameter of the market.
    pub(crate) fn set(&mut self, path: &str, fitted: Fitted, about: &str, source: &Source) {
        self.all.push(Finding { name: path.to_owned(), fitted, about: about.to_owned(), source: source.clone() });
        self.settings.push(Setting {
            path: path.to_owned(),
            literal: literal(fitted.value),
            remark: remark(&fitted, about, source),
        });
    }

    /// A value that is written and was not estimated.
    pub(crate) fn write(&mut self, path: &str, literal: String, remark: &str) {
        self.settings.push(Setting { path: path.to_owned(), literal, remark: remark.to_owned() });
    }

    /// Says why something is not there.
    pub(crate) fn skip(&mut self, sentence: String) {
        self.skipped.push(sentence);
    }
}

/// A float that TOML reads as one.
pub(crate) fn literal(value: f64) -> String {
    toml::Value::Float(value).to_string()
}

fn remark(fitted: &Fitted, about: &str, source: &Source) -> String {
    let error = fitted.standard_error.map_or_else(|| "none".to_owned(), |error| format!("{error:.2e}"));
    let window = if source.window.is_empty() { String::new() } else { format!(", {}", source.window) };
    format!("{about}. Standard error {error}, n {}; {}{window}", fitted.n, source.file)
}
