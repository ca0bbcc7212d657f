//! Declared bounds: an evaluation that misses one fails.

use std::fmt;

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

use crate::metric::metric;
use crate::record::Records;
use crate::report::Report;
use crate::statistics::Estimate;

/// Which number a gate holds against its bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The estimate.
    #[default]
    Estimate,
    /// The end of its interval that is nearer to missing the bound; without an interval the gate fails.
    Interval,
}

/// A bound on a mean, or on a mean paired difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Name of the metric.
    pub metric: String,
    /// Whose mean; by default the subject's.
    #[serde(default)]
    pub contender: Option<String>,
    /// If given, the bound is on the subject's paired difference to this contender.
    #[serde(default)]
    pub versus: Option<String>,
    /// If given, on this scenario alone; else over all.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Lower bound, inclusive.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Upper bound, inclusive.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// What is held against the bounds.
    #[serde(default)]
    pub judge: Judge,
}

impl fmt::Display for Gate {
    /// As tables print it, such as `bad_debt of gen2 in crash ≤ 5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        for (word, name) in [("of", &self.contender), ("less that of", &self.versus), ("in", &self.scenario)] {
            if let Some(name) = name {
                write!(f, " {word} {name}")?;
            }
        }
        for (sign, bound) in [("≥", self.at_least), ("≤", self.at_most)] {
            if let Some(bound) = bound {
                write!(f, " {sign} {bound}")?;
            }
        }
        match self.judge {
            Judge::Estimate => Ok(()),
            Judge::Interval => write!(f, " by its interval"),
        }
    }
}

/// A gate, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The gate.
    pub gate: Gate,
    /// The number that it judged; nothing if the metric was undefined.
    pub estimate: Option<Estimate>,
    /// Whether every bound holds. What is undefined passes nothing.
    pub passed: bool,
}

impl Gate {
    /// Records what is wrong with the gate by itself.
    pub(crate) fn validate(&self, path: &str, problems: &mut Problems) {
        problems.require(
            metric(&self.metric).is_some(),
            format!("{path}.metric"),
            &self.metric,
            "the name of a metric",
        );
        let bounds = [("at_least", self.at_least), ("at_most", self.at_most)];
        for (field, bound) in bounds {
            let value = bound.unwrap_or_default();
            problems.require(value.is_finite(), format!("{path}.{field}"), value, "finite");
        }
        let bounded = bounds.iter().any(|(_, bound)| bound.is_some());
        problems.require(bounded, path, &self.metric, "given at_least or at_most");
        let alone = self.contender.is_none() || self.versus.is_none();
        problems.require(
            alone,
            path,
            &self.metric,
            "given contender or versus, not both: a difference is the subject's",
        );
    }

    /// Records names that this evaluation does not have.
    pub(crate) fn validate_names(&self, path: &str, subject: &str, records: &Records, problems: &mut Problems) {
        for (field, name) in [("contender", &self.contender), ("versus", &self.versus)] {
            let Some(name) = name else { continue };
            let known = records.position(name).is_some();
            problems.require(known, format!("{path}.{field}"), name, "a contender of this evaluation");
        }
        if let Some(name) = &self.versus {
            problems.require(name != subject, format!("{path}.versus"), name, "another contender than the subject");
        }
        if let Some(id) = &self.scenario {
            problems.require(
                records.scenarios.contains(id),
                format!("{path}.scenario"),
                id,
                "a scenario of this suite",
            );
        }
    }

    /// Judges a report that has every name the gate mentions.
    pub(crate) fn judge(&self, report: &Report) -> Judgement {
        let row = report.section(self.scenario.as_deref()).and_then(|section| section.row(&self.metric));
        let estimate = row.and_then(|row| match &self.versus {
            Some(other) => row.comparison(other)?.difference,
            None => row.summary(self.contender.as_ref().unwrap_or(&report.subject))?.mean,
        });
        let passed = estimate.is_some_and(|estimate| self.holds(estimate));
        Judgement { gate: self.clone(), estimate, passed }
    }

    fn holds(&self, estimate: Estimate) -> bool {
        let ends = match self.judge {
            Judge::Estimate => Some((estimate.value, estimate.value)),
            Judge::Interval => estimate.interval.map(|interval| (interval.low, interval.high)),
        };
        ends.is_some_and(|(low, high)| {
            self.at_least.is_none_or(|bound| low >= bound) && self.at_most.is_none_or(|bound| high <= bound)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Interval, Method};

    fn gate() -> Gate {
        Gate {
            metric: "bad_debt".into(),
            contender: None,
            versus: None,
            scenario: None,
            at_least: None,
            at_most: Some(5.0),
            judge: Judge::Estimate,
        }
    }

    #[test]
    fn the_interval_is_judged_by_its_unfavourable_end() {
        let interval = Some(Interval { low: 3.0, high: 6.0, method: Method::Bca });
        let estimate = Estimate { value: 4.0, interval };
        assert!(gate().holds(estimate));
        assert!(!Gate { judge: Judge::Interval, ..gate() }.holds(estimate));
        let wide = Gate { judge: Judge::Interval, at_most: Some(6.0), at_least: Some(3.0), ..gate() };
        assert!(wide.holds(estimate), "bounds are inclusive");
        assert!(!wide.holds(Estimate { interval: None, ..estimate }), "no interval, no pass");
    }

    #[test]
    fn every_problem_of_a_gate_is_listed() {
        let bad = Gate {
            metric: "luck".into(),
            contender: Some("a".into()),
            versus: Some("b".into()),
            at_most: None,
            ..gate()
        };
        let mut problems = Problems::default();
        bad.validate("gates[0]", &mut problems);
        assert_eq!(problems.0.len(), 3, "{problems}");
        assert!(problems.to_string().contains("gates[0].metric = luck"));
    }
}
