//! One line of the table.

use serde::{Deserialize, Serialize};

/// How a number meets its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The estimate lies inside.
    Estimate,
    /// The interval overlaps: for statistics whose ranges are themselves read off samples.
    Interval,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The number meets its target.
    Pass,
    /// It does not.
    Fail,
    /// There was nothing to measure, and why.
    Skipped(String),
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Short name.
    pub id: String,
    /// What is measured, and its unit.
    pub title: String,
    /// The number.
    pub value: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// Lowest and highest number that meets the target; an end that is missing is open.
    pub target: [Option<f64>; 2],
    /// How the target is met.
    pub rule: Rule,
    /// Where the target comes from.
    pub source: String,
    /// Whether a failure fails the whole.
    pub required: bool,
    /// Why the row was not measured.
    pub skipped: Option<String>,
    /// What else is worth knowing.
    pub note: String,
}

impl Row {
    /// A row without a number yet.
    #[must_use]
    pub fn new(id: &str, title: &str, target: [Option<f64>; 2], source: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            value: None,
            interval: None,
            target,
            rule: Rule::Estimate,
            source: source.to_owned(),
            required: true,
            skipped: None,
            note: String::new(),
        }
    }

    /// With a number and its interval; a number that is missing is a row that was skipped.
    #[must_use]
    pub fn measured(mut self, value: Option<f64>, interval: Option<[f64; 2]>) -> Self {
        (self.value, self.interval) = (value, interval);
        if value.is_none() {
            self.skipped = Some("undefined on this sample".to_owned());
        }
        self
    }

    /// Judged by its interval.
    #[must_use]
    pub fn by_interval(mut self) -> Self {
        self.rule = Rule::Interval;
        self
    }

    /// With a remark.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// One that is reported and fails nothing.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// One that cannot be measured here.
    #[must_use]
    pub fn skip(mut self, reason: impl Into<String>) -> Self {
        self.skipped = Some(reason.into());
        self
    }

    /// What became of it.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if let Some(reason) = &self.skipped {
            return Verdict::Skipped(reason.clone());
        }
        let Some(value) = self.value else { return Verdict::Skipped("not measured".to_owned()) };
        let [low, high] = match (self.rule, self.interval) {
            (Rule::Interval, Some(interval)) => interval,
            _ => [value, value],
        };
        let meets = self.target[0].is_none_or(|least| high >= least) && self.target[1].is_none_or(|most| low <= most);
        if meets && value.is_finite() { Verdict::Pass } else { Verdict::Fail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, interval: [f64; 2]) -> Row {
        Row::new("x", "x", [Some(1.0), Some(2.0)], "").measured(Some(value), Some(interval))
    }

    #[test]
    fn an_estimate_has_to_lie_inside_and_an_interval_to_overlap() {
        assert_eq!(row(1.5, [0.0, 9.0]).verdict(), Verdict::Pass);
        assert_eq!(row(2.1, [1.9, 2.3]).verdict(), Verdict::Fail);
        assert_eq!(row(2.1, [1.9, 2.3]).by_interval().verdict(), Verdict::Pass);
        assert_eq!(row(2.5, [2.2, 2.8]).by_interval().verdict(), Verdict::Fail);
        assert_eq!(row(f64::NAN, [0.0, 9.0]).verdict(), Verdict::Fail);
    }

    #[test]
    fn what_was_not_measured_neither_passes_nor_fails() {
        assert!(matches!(row(1.5, [1.0, 2.0]).skip("no data").verdict(), Verdict::Skipped(_)));
        assert!(matches!(Row::new("x", "x", [None, None], "").measured(None, None).verdict(), Verdict::Skipped(_)));
    }
}
