//! The reward: what mitigation costs and what its absence costs, term by term, in basis points of open interest.

use crate::arena::Arena;
use crate::market::Market;
use crate::outcome::Outcome;
use crate::units::Usd;

/// Number of terms.
pub const TERMS: usize = 9;

/// Names of the terms, in order; each is a cost, so the reward is minus their weighted sum.
pub const NAMES: [&str; TERMS] = [
    "bad_debt",
    "deleveraged",
    "liquidation_cost",
    "deviation",
    "fund_loss",
    "margin_cost",
    "interest_lost",
    "churn",
    "failure",
];

/// Price of capital, per year.
const CAPITAL_COST: f64 = 0.2;
/// Fees that a position pays: one at its opening, one at its end.
const FEES_PER_POSITION: f64 = 2.0;
/// Hours in a year.
const HOURS_PER_YEAR: f64 = 8_760.0;

/// What the reward compares: totals at the last decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    bad_debt: Usd,
    deleveraged: Usd,
    liquidation_cost: Usd,
    fund: Usd,
    turned_away: Usd,
    deviation: f64,
}

impl Totals {
    /// Totals of the home venue now.
    pub(crate) fn of(arena: &Arena) -> Self {
        let Outcome { bad_debt, deleveraged, liquidation_cost, turned_away, .. } = *arena.outcome();
        Self {
            bad_debt,
            deleveraged,
            liquidation_cost,
            fund: arena.fund_at_exit_cost(),
            turned_away,
            deviation: arena.excess_deviation_hours(),
        }
    }

    /// Terms of the decision between `self` and `now`.
    ///
    /// Every term but `failure` is in basis points of reference open interest. The fund is marked at exit cost with
    /// its inventory, at every decision, so postponing a loss earns nothing at the end.
    pub(crate) fn terms(&self, now: &Self, arena: &Arena, churn: f64) -> [f64; TERMS] {
        let home = arena.home();
        let reference = arena.outcome().reference_open_interest.as_f64();
        let bp = |amount: Usd| 1e4 * amount.as_f64() / reference;
        let hours = home[0].decision_hours();
        let margin = home.iter().map(Market::margin_locked).fold(0.0, |sum, locked| sum + locked) / reference;
        let fee = home[0].scenario().venue.taker_fee_bp;
        [
            bp(now.bad_debt - self.bad_debt),
            bp(now.deleveraged - self.deleveraged),
            bp(now.liquidation_cost - self.liquidation_cost),
            1e4 * (now.deviation - self.deviation),
            bp(self.fund - now.fund),
            1e4 * margin * CAPITAL_COST * hours / HOURS_PER_YEAR,
            1e-4 * fee * FEES_PER_POSITION * bp(now.turned_away - self.turned_away),
            churn,
            0.0,
        ]
    }
}
