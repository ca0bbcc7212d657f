//! What a controller may move: seven fast parameters of liquidation and six slow ones of margin.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::spaces::Group::{Fast, Slow};
use crate::spaces::Parameter;
use crate::spaces::Scale::{Linear, Log};

/// Number of controlled parameters.
pub const ACTIONS: usize = 13;

/// The controlled parameters, in the order of the action's entries.
pub const PARAMETERS: [Parameter; ACTIONS] = [
    Parameter {
        name: "preemption",
        unit: "basis points of notional",
        low: 0.0,
        high: 200.0,
        scale: Linear,
        group: Fast,
        neutral: 0.0,
        max_change: 2.0,
        meaning: "liquidate once equity is below this share of the position, if that is earlier than maintenance",
    },
    Parameter {
        name: "target_buffer",
        unit: "maintenance margins",
        low: 0.0,
        high: 3.0,
        scale: Linear,
        group: Fast,
        neutral: 0.5,
        max_change: 2.0,
        meaning: "close until the margin ratio is maintenance times one plus this",
    },
    Parameter {
        name: "capacity",
        unit: "5 % depth per minute",
        low: 0.02,
        high: 20.0,
        scale: Log,
        group: Fast,
        neutral: 0.5,
        max_change: 2.0,
        meaning: "forced volume that the venue lets onto its book, relative to the depth within 5 % of mid",
    },
    Parameter {
        name: "delay",
        unit: "seconds",
        low: 0.0,
        high: 120.0,
        scale: Linear,
        group: Fast,
        neutral: 0.0,
        max_change: 2.0,
        meaning: "wait between two slices of one account",
    },
    Parameter {
        name: "price_band",
        unit: "basis points",
        low: 5.0,
        high: 1_000.0,
        scale: Log,
        group: Fast,
        neutral: 200.0,
        max_change: 2.0,
        meaning: "worst price of a slice, relative to the mark price",
    },
    Parameter {
        name: "keeper_bonus",
        unit: "basis points",
        low: 0.0,
        high: 200.0,
        scale: Linear,
        group: Fast,
        neutral: 25.0,
        max_change: 2.0,
        meaning: "discount to mark at which keepers may take over positions",
    },
    Parameter {
        name: "internalised_share",
        unit: "1",
        low: 0.0,
        high: 1.0,
        scale: Linear,
        group: Fast,
        neutral: 0.0,
        max_change: 2.0,
        meaning: "share of each slice that the insurance fund takes at mark and unwinds later",
    },
    Parameter {
        name: "initial_margin_multiplier",
        unit: "1",
        low: 0.75,
        high: 4.0,
        scale: Log,
        group: Slow,
        neutral: 1.0,
        max_change: 0.5,
        meaning: "multiplies the initial margin of new positions",
    },
    Parameter {
        name: "maintenance_margin_multiplier",
        unit: "1",
        low: 0.75,
        high: 1.5,
        scale: Log,
        group: Slow,
        neutral: 1.0,
        max_change: 0.5,
        meaning: "multiplies the maintenance margin of all positions",
    },
    Parameter {
        name: "open_interest_cap",
        unit: "reference open interest",
        low: 0.5,
        high: 3.0,
        scale: Log,
        group: Slow,
        neutral: 2.0,
        max_change: 0.5,
        meaning: "open interest above which no position may grow",
    },
    Parameter {
        name: "fund_contribution",
        unit: "basis points of volume",
        low: 0.0,
        high: 4.0,
        scale: Linear,
        group: Slow,
        neutral: 0.5,
        max_change: 0.5,
        meaning: "taker fee that goes to the insurance fund, on top of the venue's own",
    },
    Parameter {
        name: "volatility_sensitivity",
        unit: "1",
        low: 0.0,
        high: 2.0,
        scale: Linear,
        group: Slow,
        neutral: 0.0,
        max_change: 0.5,
        meaning: "raises initial margin by this times the excess of volatility over its long-run level",
    },
    Parameter {
        name: "macro_sensitivity",
        unit: "1",
        low: 0.0,
        high: 2.0,
        scale: Linear,
        group: Slow,
        neutral: 0.0,
        max_change: 0.5,
        meaning: "raises initial margin by this times the excess of the macro stress index over zero",
    },
];

/// Decoded parameters: what the venue runs with until the next decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controls {
    /// Equity below which an account is liquidated whatever its maintenance, in basis points of its notional.
    pub preemption: f64,
    /// Target margin ratio over maintenance, less one.
    pub target_buffer: f64,
    /// Forced volume per minute over the depth within 5 %.
    pub capacity: f64,
    /// Seconds between two slices of one account.
    pub delay: f64,
    /// Worst price of a slice, in basis points from mark.
    pub price_band: f64,
    /// Keeper's discount, in basis points.
    pub keeper_bonus: f64,
    /// Share of each slice that the fund takes at mark.
    pub internalised_share: f64,
    /// Multiplies initial margin.
    pub initial_margin_multiplier: f64,
    /// Multiplies maintenance margin.
    pub maintenance_margin_multiplier: f64,
    /// Open-interest cap over reference open interest.
    pub open_interest_cap: f64,
    /// Taker fee to the fund, in basis points.
    pub fund_contribution: f64,
    /// Response of initial margin to volatility.
    pub volatility_sensitivity: f64,
    /// Response of initial margin to macro stress.
    pub macro_sensitivity: f64,
}

impl Controls {
    /// From the values in the order of [`PARAMETERS`].
    #[must_use]
    pub const fn from_array(v: [f64; ACTIONS]) -> Self {
        let [
            preemption,
            target_buffer,
            capacity,
            delay,
            price_band,
            keeper_bonus,
            internalised_share,
            im,
            mm,
            cap,
            fund,
            vol,
            macro_,
        ] = v;
        Self {
            preemption,
            target_buffer,
            capacity,
            delay,
            price_band,
            keeper_bonus,
            internalised_share,
            initial_margin_multiplier: im,
            maintenance_margin_multiplier: mm,
            open_interest_cap: cap,
            fund_contribution: fund,
            volatility_sensitivity: vol,
            macro_sensitivity: macro_,
        }
    }

    /// The values in the order of [`PARAMETERS`].
    #[must_use]
    pub const fn to_array(self) -> [f64; ACTIONS] {
        [
            self.preemption,
            self.target_buffer,
            self.capacity,
            self.delay,
            self.price_band,
            self.keeper_bonus,
            self.internalised_share,
            self.initial_margin_multiplier,
            self.maintenance_margin_multiplier,
            self.open_interest_cap,
            self.fund_contribution,
            self.volatility_sensitivity,
            self.macro_sensitivity,
        ]
    }

    /// Normalises the values to an action.
    ///
    /// # Panics
    /// If a value is outside its parameter's bounds.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub fn encode(self) -> [f32; ACTIONS] {
        let values = self.to_array();
        std::array::from_fn(|i| PARAMETERS[i].encode(values[i]) as f32)
    }
}

impl Default for Controls {
    /// Every parameter at its neutral value.
    fn default() -> Self {
        Self::from_array(std::array::from_fn(|i| PARAMETERS[i].neutral))
    }
}

/// Parameters that nobody moves, each at a value of its own from the first decision on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fixed([Option<f64>; ACTIONS]);

impl Fixed {
    /// Fixes parameters at decoded `values`, by name; records every name that is no parameter's and every value that is
    /// out of its parameter's bounds.
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, f64)>, path: &str, problems: &mut Problems) -> Self {
        let mut fixed = [None; ACTIONS];
        for (name, value) in values {
            let field = format!("{path}.{name}");
            let Some(index) = PARAMETERS.iter().position(|parameter| parameter.name == name) else {
                let names = PARAMETERS.map(|parameter| parameter.name).join(", ");
                problems.require(false, field, value, &format!("a parameter: one of {names}"));
                continue;
            };
            let Parameter { low, high, .. } = PARAMETERS[index];
            problems.range(field, value, low, high);
            if (low..=high).contains(&value) {
                fixed[index] = Some(PARAMETERS[index].encode(value));
            }
        }
        Self(fixed)
    }

    /// Normalised values in the order of [`PARAMETERS`]; nothing where a controller moves the parameter.
    #[must_use]
    pub const fn to_array(self) -> [Option<f64>; ACTIONS] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_values_lie_within_the_bounds_and_survive_the_round_trip() {
        let neutral = Controls::default();
        let action = neutral.encode();
        for (parameter, (a, value)) in PARAMETERS.iter().zip(action.iter().zip(neutral.to_array())) {
            assert!(
                (parameter.decode(f64::from(*a)) - value).abs() <= 1e-6 * value.abs().max(1.0),
                "{}",
                parameter.name
            );
        }
    }
    #[test]
    fn what_is_fixed_is_named_and_within_its_bounds() {
        let mut problems = Problems::default();
        let fixed = Fixed::new([("delay", 30.0), ("keeper_bonus", 0.0)], "action.fixed", &mut problems);
        assert_eq!(problems, Problems::default());
        // 30 of [0, 120] seconds is a quarter of the way, -0.5; 0 of [0, 200] basis points is the lower end.
        let found: Vec<_> = fixed.to_array().into_iter().enumerate().filter_map(|(i, v)| Some((i, v?))).collect();
        assert_eq!(found, [(3, -0.5), (5, -1.0)]);
        Fixed::new([("delay", 121.0), ("luck", 1.0)], "action.fixed", &mut problems);
        let text = problems.to_string();
        assert!(
            text.starts_with(
                "action.fixed.delay = 121: must be in [0, 120]\naction.fixed.luck = 1: must be a parameter"
            )
        );
    }
}
