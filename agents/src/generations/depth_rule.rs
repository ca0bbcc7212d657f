//! Generation 2's fast rule: pace by depth, buffer by volatility.

use seawall_env::Problems;
use seawall_env::action::Controls;
use seawall_env::spaces::Scale;
use serde::{Deserialize, Serialize};

use crate::tuned::Bound;

/// What the rule looks at. Both are 1 on an ordinary day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BookState {
    /// Depth within 1 % of mid over its calm level.
    pub depth: f64,
    /// Ten-minute volatility over its long-run level.
    pub volatility: f64,
}

/// The dynamic thresholds of generation 2.
///
/// With thinness `t = max(1, 1/depth)` and excess `v = max(1, volatility)`:
/// - `capacity · t^−capacity_exponent`: capacity counts in depths already, so forced volume is proportional to depth
///   with exponent zero; above zero the venue also takes a smaller share of a thin book, which refills slowly because
///   its makers have left.
/// - `delay · t`: a slice waits for the refill.
/// - `buffer · v`: a restored account survives the same number of standard deviations as on an ordinary day.
/// - `keeper_bonus · v`: a keeper's risk is the price's move until it has hedged.
///
/// A book deeper or a market quieter than ordinary changes nothing. Slow parameters stay neutral: generation 2 has
/// static margin.
///
/// # Reference
/// Disposal fractions of book volume: Vega's liquidation strategy; a wait between slices: Hyperliquid, 30 s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DepthRule {
    /// Capacity in an ordinary book, in 5 % depths per minute. In [0.02, 20].
    pub capacity: f64,
    /// Exponent of thinness in capacity. In [0, 2].
    pub capacity_exponent: f64,
    /// Wait between two slices of one account in an ordinary book, in seconds. In [0, 120].
    pub delay: f64,
    /// Buffer on an ordinary day, in maintenance margins. In [0, 3].
    pub buffer: f64,
    /// Keeper's discount on an ordinary day, in basis points. In [0, 200].
    pub keeper_bonus: f64,
}

impl Default for DepthRule {
    /// Chosen among a dozen settings on training seeds, for less bad debt and less auto-deleveraging than generation 1
    /// in `flash_crash`, `crash_day` and `slow_drought` alike. Capacity is the wait: a further one of each account's
    /// own, at 2 s or 20 s, deleverages more where the price does not come back.
    fn default() -> Self {
        Self { capacity: 2.0, capacity_exponent: 0.0, delay: 0.0, buffer: 0.2, keeper_bonus: 25.0 }
    }
}

impl DepthRule {
    /// Records every constant that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (bound, value) in Self::BOUNDS.iter().zip(self.to_array()) {
            problems.range(format!("{path}.{}", bound.name), value, bound.low, bound.high);
        }
    }

    /// Names, units and bounds of the constants, in the order of the fields.
    pub(crate) const BOUNDS: [Bound; 5] = [
        Bound { name: "capacity", unit: "5 % depth per minute", low: 0.02, high: 20.0, scale: Scale::Log },
        Bound { name: "capacity_exponent", unit: "1", low: 0.0, high: 2.0, scale: Scale::Linear },
        Bound { name: "delay", unit: "seconds", low: 0.0, high: 120.0, scale: Scale::Linear },
        Bound { name: "buffer", unit: "maintenance margins", low: 0.0, high: 3.0, scale: Scale::Linear },
        Bound { name: "keeper_bonus", unit: "basis points", low: 0.0, high: 200.0, scale: Scale::Linear },
    ];

    /// The constants in the order of the fields.
    pub(crate) const fn to_array(self) -> [f64; 5] {
        let Self { capacity, capacity_exponent, delay, buffer, keeper_bonus } = self;
        [capacity, capacity_exponent, delay, buffer, keeper_bonus]
    }

    /// From the constants in the order of the fields.
    pub(crate) const fn from_array([capacity, capacity_exponent, delay, buffer, keeper_bonus]: [f64; 5]) -> Self {
        Self { capacity, capacity_exponent, delay, buffer, keeper_bonus }
    }

    /// Moves the fast controls; what goes beyond a parameter's bounds is held at the bound.
    #[must_use]
    pub fn apply(&self, book: &BookState, controls: Controls) -> Controls {
        let thinness = (1.0 / book.depth).max(1.0);
        let excess = book.volatility.max(1.0);
        super::within_bounds(Controls {
            capacity: self.capacity * libm::pow(thinness, -self.capacity_exponent),
            delay: self.delay * thinness,
            target_buffer: self.buffer * excess,
            keeper_bonus: self.keeper_bonus * excess,
            ..controls
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: DepthRule =
        DepthRule { capacity: 0.8, capacity_exponent: 0.5, delay: 10.0, buffer: 0.5, keeper_bonus: 25.0 };

    #[test]
    fn thin_books_slow_it_down_and_volatility_widens_its_buffers() {
        // (depth, volatility) → (capacity, delay, buffer, bonus), by the formulas above.
        for (depth, volatility, expected) in [
            (1.0, 1.0, [0.8, 10.0, 0.5, 25.0]),
            (4.0, 0.25, [0.8, 10.0, 0.5, 25.0]),
            (0.25, 1.0, [0.4, 40.0, 0.5, 25.0]),
            (1.0, 3.0, [0.8, 10.0, 1.5, 75.0]),
            (0.04, 2.0, [0.16, 120.0, 1.0, 50.0]),
            (0.0, 100.0, [0.02, 120.0, 3.0, 200.0]),
        ] {
            let controls = RULE.apply(&BookState { depth, volatility }, Controls::default());
            let found = [controls.capacity, controls.delay, controls.target_buffer, controls.keeper_bonus];
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{found} at depth {depth}, volatility {volatility}");
            }
        }
    }

    #[test]
    fn what_is_not_its_own_stays() {
        let before = Controls { preemption: 50.0, initial_margin_multiplier: 2.0, ..Controls::default() };
        let after = RULE.apply(&BookState { depth: 0.1, volatility: 5.0 }, before);
        let own = Controls {
            capacity: before.capacity,
            delay: before.delay,
            target_buffer: before.target_buffer,
            keeper_bonus: before.keeper_bonus,
            ..after
        };
        assert_eq!(own, before);
    }

    #[test]
    fn constants_out_of_bounds_are_all_reported() {
        let mut problems = Problems::default();
        DepthRule { capacity: 0.0, delay: 121.0, buffer: f64::NAN, ..RULE }.validate("gen2", &mut problems);
        let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["gen2.capacity", "gen2.delay", "gen2.buffer"]);
    }
}
