//! A metric by its name, unit and definition, without the function that measures it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::metric::{Direction, Group, Metric, Unit, metric};

/// A metric, as a report names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MetricInfo {
    /// Name.
    pub name: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// What it is about.
    pub group: Group,
    /// Formula.
    pub formula: &'static str,
    /// Who measures it so, or which question it answers.
    pub source: &'static str,
}

impl MetricInfo {
    /// What a report says about a metric.
    #[must_use]
    pub const fn of(metric: &Metric) -> Self {
        let Metric { name, unit, direction, group, formula, source, .. } = *metric;
        Self { name, unit, direction, group, formula, source }
    }
}

/// What decides how a metric's numbers are read.
#[derive(Deserialize)]
struct Written {
    name: String,
    unit: Unit,
    direction: Direction,
}

impl<'de> Deserialize<'de> for MetricInfo {
    /// Finds the metric by its name; a file that means another unit or direction by it is refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let Written { name, unit, direction } = Written::deserialize(deserializer)?;
        let Some(known) = metric(&name) else {
            return Err(D::Error::custom(format!("no metric of this version is called {name:?}")));
        };
        if known.unit != unit || known.direction != direction {
            let (label, own) = (unit.label(), known.unit.label());
            return Err(D::Error::custom(format!(
                "{name} is in {label}, {direction:?}; here {own}, {:?}",
                known.direction
            )));
        }
        Ok(Self::of(known))
    }
}
