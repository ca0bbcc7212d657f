//! What an entry of an action or an observation means: name, unit, bounds, and the way to it and back.

use serde::{Deserialize, Serialize};

/// How the interval `[-1, 1]` maps onto a parameter's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear,
    /// Equal steps are equal ratios; both bounds are positive.
    Log,
}

/// Which clock a parameter moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Takes effect at every decision: predictive liquidation.
    Fast,
    /// Takes effect once per slow interval, and by a bounded change: macro-adaptive margin.
    Slow,
}

/// One controlled parameter of the venue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Name, as exports and reports spell it.
    pub name: &'static str,
    /// Unit of the decoded value.
    pub unit: &'static str,
    /// Decoded value at -1.
    pub low: f64,
    /// Decoded value at +1.
    pub high: f64,
    /// Way from the unit interval to the bounds.
    pub scale: Scale,
    /// Clock that it moves on.
    pub group: Group,
    /// Value that a venue without a controller would run, and the fallback of an engine without a policy.
    pub neutral: f64,
    /// Largest change in one update, in units of the normalised action (2 is the whole range).
    pub max_change: f64,
    /// What it does, in one sentence.
    pub meaning: &'static str,
}

impl Parameter {
    /// Decodes a normalised entry.
    ///
    /// # Panics
    /// If `action` is not in `[-1, 1]`.
    #[must_use]
    pub fn decode(&self, action: f64) -> f64 {
        assert!((-1.0..=1.0).contains(&action), "{}: action {action} is not in [-1, 1]", self.name);
        let share = f64::midpoint(action, 1.0);
        match self.scale {
            Scale::Linear => self.low + share * (self.high - self.low),
            Scale::Log => self.low * libm::exp(share * libm::log(self.high / self.low)),
        }
    }

    /// Normalises a value within the bounds: the inverse of [`Parameter::decode`].
    ///
    /// # Panics
    /// If `value` is outside the bounds.
    #[must_use]
    pub fn encode(&self, value: f64) -> f64 {
        assert!(
            (self.low..=self.high).contains(&value),
            "{} = {value} is not in [{}, {}]",
            self.name,
            self.low,
            self.high
        );
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => libm::log(value / self.low) / libm::log(self.high / self.low),
        };
        (2.0 * share - 1.0).clamp(-1.0, 1.0)
    }
}

/// One entry of the observation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Feature {
    /// Name, as exports and reports spell it.
    pub name: &'static str,
    /// Unit before normalisation.
    pub unit: &'static str,
    /// Group for masks and ablations, such as `book` or `macro`.
    pub group: &'static str,
    /// What it measures, and how it is normalised.
    pub meaning: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: Parameter = Parameter {
        name: "capacity",
        unit: "1",
        low: 0.1,
        high: 10.0,
        scale: Scale::Log,
        group: Group::Fast,
        neutral: 1.0,
        max_change: 2.0,
        meaning: "",
    };

    #[test]
    fn decoding_hits_the_bounds_and_the_geometric_middle() {
        assert!((LOG.decode(-1.0) - 0.1).abs() < 1e-15);
        assert!((LOG.decode(0.0) - 1.0).abs() < 1e-12);
        assert!((LOG.decode(1.0) - 10.0).abs() < 1e-12);
        assert!((LOG.encode(LOG.decode(0.37)) - 0.37).abs() < 1e-12);
    }

    #[test]
    #[should_panic(expected = "not in [-1, 1]")]
    fn an_action_outside_the_box_is_refused() {
        let _ = LOG.decode(1.5);
    }
}
