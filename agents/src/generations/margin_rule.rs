//! Generation 3's slow rule: initial margin that follows volatility, but not blindly.

use seawall_env::Problems;
use seawall_env::action::Controls;
use seawall_env::spaces::Scale;
use serde::{Deserialize, Serialize};

use crate::tuned::Bound;

/// Macro-adaptive initial margin with the three tools against procyclicality.
///
/// The requirement is a multiple of the venue's static initial margin, which covers long-run volatility. With the
/// EWMA volatility `v` over its long-run level:
/// 1. *Long lookback floor*: `u = max(v, floor)`; one is the long-run level itself.
/// 2. *Stress weight*: `required = ((1 − w)·u + w·s) / ((1 − w) + w·s)`, where `s` is stressed over long-run volatility.
///    It is one on an ordinary day, and the weight on what never moves makes the rest move less.
/// 3. *Buffer*: `charged = max(required, (1 + b)·min(required, 1))`. Up to an ordinary day's requirement `b` is charged
///    on top; a rise beyond eats it up before it raises margin, and it is rebuilt as soon as volatility allows.
///
/// The venue itself scales the charge between decisions by `1 + macro_sensitivity · stress`, where the macro stress
/// index is the logarithm of the volatility index over its long-run level. Maintenance margin stays: a rise of it
/// would liquidate accounts for the venue's own reasons.
///
/// # Reference
/// Regulation (EU) 153/2013 (EMIR RTS), Art. 28(1): (a) a buffer of at least 25 % that may be exhausted, (b) a weight
/// of at least 25 % on stressed observations, (c) no less than the margin from a ten-year lookback.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarginRule {
    /// Buffer `b`. In [0, 2]; 0.25 by Art. 28(1)(a).
    pub buffer: f64,
    /// Weight `w` on stressed volatility. In [0, 1); 0.25 by Art. 28(1)(b).
    pub stress_weight: f64,
    /// Stressed over long-run volatility, `s`. In [1, 20].
    pub stressed_volatility: f64,
    /// Floor of the volatility ratio. In [0.1, 2]; 1 by Art. 28(1)(c).
    pub floor: f64,
    /// Response to the macro stress index. In [0, 2].
    pub macro_sensitivity: f64,
}

impl Default for MarginRule {
    fn default() -> Self {
        // Stressed: annualised volatility of the crisis regime over the long-run level, 1.87 over 0.5.
        Self { buffer: 0.25, stress_weight: 0.25, stressed_volatility: 3.74, floor: 1.0, macro_sensitivity: 0.5 }
    }
}

impl MarginRule {
    /// Records every constant that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (bound, value) in Self::BOUNDS.iter().zip(self.to_array()) {
            problems.range(format!("{path}.{}", bound.name), value, bound.low, bound.high);
        }
    }

    /// Names, units and bounds of the constants, in the order of the fields.
    pub(crate) const BOUNDS: [Bound; 5] = [
        Bound { name: "buffer", unit: "1", low: 0.0, high: 2.0, scale: Scale::Linear },
        Bound { name: "stress_weight", unit: "1", low: 0.0, high: 0.99, scale: Scale::Linear },
        Bound { name: "stressed_volatility", unit: "long-run volatility", low: 1.0, high: 20.0, scale: Scale::Log },
        Bound { name: "floor", unit: "long-run volatility", low: 0.1, high: 2.0, scale: Scale::Log },
        Bound { name: "macro_sensitivity", unit: "1", low: 0.0, high: 2.0, scale: Scale::Linear },
    ];

    /// The constants in the order of the fields.
    pub(crate) const fn to_array(self) -> [f64; 5] {
        let Self { buffer, stress_weight, stressed_volatility, floor, macro_sensitivity } = self;
        [buffer, stress_weight, stressed_volatility, floor, macro_sensitivity]
    }

    /// From the constants in the order of the fields.
    pub(crate) const fn from_array(constants: [f64; 5]) -> Self {
        let [buffer, stress_weight, stressed_volatility, floor, macro_sensitivity] = constants;
        Self { buffer, stress_weight, stressed_volatility, floor, macro_sensitivity }
    }

    /// Multiple of the static initial margin to charge at an EWMA volatility over its long-run level.
    #[must_use]
    pub fn charge(&self, volatility: f64) -> f64 {
        let (weight, stressed) = (self.stress_weight, self.stressed_volatility);
        let mix = |current: f64| (1.0 - weight) * current + weight * stressed;
        let required = mix(volatility.max(self.floor)) / mix(1.0);
        required.max((1.0 + self.buffer) * required.min(1.0))
    }

    /// Moves the slow controls; what goes beyond a parameter's bounds is held at the bound.
    #[must_use]
    pub fn apply(&self, volatility: f64, controls: Controls) -> Controls {
        super::within_bounds(Controls {
            initial_margin_multiplier: self.charge(volatility),
            macro_sensitivity: self.macro_sensitivity,
            ..controls
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: MarginRule =
        MarginRule { buffer: 0.25, stress_weight: 0.25, stressed_volatility: 3.0, floor: 1.0, macro_sensitivity: 0.5 };

    #[test]
    fn the_buffer_is_charged_eaten_up_and_exceeded() {
        // required = (0.75 v + 0.75) / 1.5 = (v + 1) / 2: the buffer is exhausted at v = 1.5.
        for (volatility, expected) in
            [(0.2, 1.25), (1.0, 1.25), (1.4, 1.25), (1.5, 1.25), (2.0, 1.5), (3.0, 2.0), (6.0, 3.5)]
        {
            assert!((RULE.charge(volatility) - expected).abs() < 1e-12, "at {volatility}");
        }
    }

    #[test]
    fn without_its_tools_the_rule_is_plain_volatility_scaling() {
        for volatility in [0.2, 1.0, 1.7, 5.0] {
            assert!((PLAIN.charge(volatility) - volatility).abs() < 1e-12);
        }
    }

    const PLAIN: MarginRule = MarginRule { buffer: 0.0, stress_weight: 0.0, floor: 0.1, ..RULE };

    #[test]
    fn every_tool_alone_lowers_the_ratio_of_peak_to_trough_and_all_together_most() {
        // A day that goes from half the long-run volatility to four times it.
        let path = [0.5, 0.8, 1.5, 4.0, 2.0, 1.0];
        let swing = |rule: MarginRule| {
            let charges = path.map(|volatility| rule.charge(volatility));
            charges.iter().copied().fold(0.0, f64::max) / charges.iter().copied().fold(f64::INFINITY, f64::min)
        };
        for (rule, expected) in [
            (PLAIN, 4.0 / 0.5),
            (MarginRule { buffer: 0.25, ..PLAIN }, 4.0 / 0.625),
            // required = (v + 1) / 2.
            (MarginRule { stress_weight: 0.25, ..PLAIN }, 2.5 / 0.75),
            (MarginRule { floor: 1.0, ..PLAIN }, 4.0 / 1.0),
            (RULE, 2.5 / 1.25),
        ] {
            assert!((swing(rule) - expected).abs() < 1e-12, "{rule:?}");
        }
    }

    #[test]
    fn charges_beyond_the_parameter_are_held_at_its_bound_and_the_rest_stays() {
        let before = Controls { capacity: 0.3, maintenance_margin_multiplier: 1.2, ..Controls::default() };
        let after = RULE.apply(50.0, before);
        assert_eq!(after, Controls { initial_margin_multiplier: 4.0, macro_sensitivity: 0.5, ..before });
    }

    #[test]
    fn constants_out_of_bounds_are_all_reported() {
        let mut problems = Problems::default();
        MarginRule { stress_weight: 1.0, floor: 0.0, ..RULE }.validate("gen3", &mut problems);
        let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["gen3.stress_weight", "gen3.floor"]);
    }
}
