//! Slot 2: how much of the position is to be closed.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// How much of the position a slice closes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CloseSize {
    /// All of it.
    Full,
    /// A fixed share of what is left, and all of a small position (Hyperliquid: 20 % above 100,000 dollars; Aave: half).
    Fraction {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
        /// What follows the first slice. Default: the same share again.
        #[serde(default)]
        then: Then,
        /// Health factor at or below which the whole position goes; see [`health`]. Default 0: never.
        #[serde(default)]
        full_under_health: f64,
    },
    /// A share of what is left within bounds in dollars (dYdX: 10 % per block, at least 1,000, at most 100,000).
    Block {
        /// Share of the position.
        share: f64,
        /// Smallest slice, in dollars.
        least: f64,
        /// Largest slice, in dollars.
        most: f64,
    },
    /// As much as frees a share of the margin shortage that grows with time since the account entered (Drift).
    Ramp {
        /// Share at once.
        initial: f64,
        /// Seconds until the whole shortage may be freed, less the initial share.
        seconds: f64,
        /// Liquidation ends at maintenance plus this share of notional.
        exit: f64,
        /// Shortage at or below which all of it is freed at once, in dollars.
        full_shortage: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// Down to the largest notional of the next lower margin tier; all of it on the lowest (Bybit, `BitMEX`).
    TierStep,
    /// As much as restores the margin ratio to maintenance · (1 + buffer) at the book's cost: theory T1.
    RestoreToBuffer {
        /// Buffer over maintenance.
        buffer: Dial,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
        /// What happens beyond the toxic frontier. Default: the whole position is closed.
        #[serde(default)]
        toxic: Toxic,
    },
    /// Almgren and Chriss's schedule of the whole position; see [`remaining`].
    AlmgrenChriss {
        /// Seconds until nothing is left.
        horizon: f64,
        /// Risk aversion, per dollar; their example has 1e-6.
        risk_aversion: f64,
    },
    /// A share of what the book would take within a distance: `c · D(p)`.
    DepthShare {
        /// Share of depth.
        share: f64,
        /// Distance from mid, in basis points.
        distance_bp: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// A fixed share of what is left while closing helps, and nothing once the account has no more left than closing costs
    /// it, the keeper's discount and the fee: a loan to value above `1/(1 + bonus)`, where every partial close makes it
    /// worse. It waits there until the price has come back.
    ///
    /// # Reference
    /// Warmuz, Chaudhary & Pinna 2022 (arXiv:2212.07306): halting liquidations beyond the toxic frontier.
    FractionUntilToxic {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
}

/// What follows the first slice of a fixed share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The same share of what is left, after the wait.
    #[default]
    Repeat,
    /// Everything, after the wait.
    RestAfterWait,
    /// Everything, at once if the account is still short during the wait; after it, the share again. Hyperliquid's
    /// documentation: during the cooldown "all market liquidation orders for that user will be for the entire position".
    RestDuringWait,
}

impl Then {
    /// Whether the next slice is the whole position, for an account that has had `slices` and is in its wait or not.
    #[must_use]
    pub const fn closes_all(self, slices: u32, waiting: bool) -> bool {
        match self {
            Self::Repeat => false,
            Self::RestAfterWait => slices > 0,
            Self::RestDuringWait => waiting,
        }
    }
}

/// What happens to an account beyond the toxic frontier, where every partial close lowers its margin ratio (T1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toxic {
    /// Its whole position is closed.
    #[default]
    CloseAll,
    /// The backstop takes it over; the market gets it only if the backstop cannot.
    HandOver,
}

/// Close size, every number set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SizeRule {
    /// A share of what is left.
    Share {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
        /// What follows the first slice.
        then: Then,
        /// Health factor at or below which the whole position goes.
        full_under_health: f64,
    },
    /// A share of what is left within bounds in dollars.
    Block {
        /// Share of the position.
        share: f64,
        /// Smallest slice, in dollars.
        least: f64,
        /// Largest slice, in dollars.
        most: f64,
    },
    /// A share of the margin shortage that grows with time.
    Ramp {
        /// Share at once.
        initial: f64,
        /// Seconds until the whole.
        seconds: f64,
        /// Share of notional above maintenance at which liquidation ends.
        exit: f64,
        /// Shortage at or below which all of it is freed, in dollars.
        full_shortage: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// Down to the next lower tier.
    TierStep,
    /// Up to maintenance · (1 + buffer).
    Restore {
        /// Buffer over maintenance.
        buffer: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
        /// What happens beyond the toxic frontier.
        toxic: Toxic,
    },
    /// Almgren and Chriss's schedule.
    Schedule {
        /// Seconds until nothing is left.
        horizon: f64,
        /// Risk aversion, per dollar.
        risk_aversion: f64,
    },
    /// A share of depth.
    Depth {
        /// Share of depth.
        share: f64,
        /// Relative distance from mid.
        distance: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// A share of what is left, and nothing beyond the toxic frontier.
    UntilToxic {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
}

impl SizeRule {
    /// Ratio of equity to notional at which a liquidation ends, where `maintenance` is the ratio at which it began.
    #[inline]
    #[must_use]
    pub fn target(&self, maintenance: f64) -> f64 {
        match *self {
            Self::Restore { buffer, .. } => maintenance * (1.0 + buffer),
            Self::Ramp { exit, .. } => maintenance + exit,
            _ => maintenance,
        }
    }

    /// Notional at or below which the whole position goes, in dollars.
    #[inline]
    #[must_use]
    pub const fn full_below(&self) -> f64 {
        match *self {
            Self::Share { full_below, .. }
            | Self::Ramp { full_below, .. }
            | Self::Restore { full_below, .. }
            | Self::Depth { full_below, .. }
            | Self::UntilToxic { full_below, .. } => full_below,
            Self::Block { .. } | Self::TierStep | Self::Schedule { .. } => 0.0,
        }
    }
}

/// Dollars of a position of `notional` that one block closes: a share, at least and at most so much.
///
/// # Reference
/// dYdX v4-chain, `x/clob/keeper/liquidations.go`, position and subaccount block limits.
#[must_use]
pub fn block_size(notional: f64, share: f64, least: f64, most: f64) -> f64 {
    (notional * share).max(least).min(most).min(notional)
}

/// Dollars of margin that may be freed now, of a `shortage` that is left after `freed`, `waited` seconds in.
///
/// The share `initial + waited/seconds` applies to the whole shortage, what was freed already included.
///
/// # Reference
/// Drift protocol-v2, `math/liquidation.rs`, `calculate_max_pct_to_liquidate`.
#[must_use]
pub fn ramp_allowance(shortage: f64, freed: f64, initial: f64, waited: f64, seconds: f64) -> f64 {
    let share = if seconds > 0.0 { (initial + waited / seconds).min(1.0) } else { 1.0 };
    (share * (shortage + freed) - freed).clamp(0.0, shortage.max(0.0))
}

/// Health factor of a lending market, `collateral · threshold / debt`, of a leveraged position: a position of one
/// dollar with equity `ratio` is collateral 1 against debt 1 − ratio, and its threshold is 1 − maintenance.
#[must_use]
pub fn health(ratio: f64, maintenance: f64) -> f64 {
    let debt = 1.0 - ratio;
    if debt <= 0.0 { f64::INFINITY } else { (1.0 - maintenance) / debt }
}

/// Share of a position that Almgren and Chriss still hold `elapsed` seconds into a schedule of `horizon`:
/// `sinh(κ(T − t)) / sinh(κT)`, a straight line where `κT` vanishes.
///
/// # Reference
/// Almgren & Chriss 2000, "Optimal execution of portfolio transactions", the optimal trajectory.
#[must_use]
pub fn remaining(urgency: f64, horizon: f64, elapsed: f64) -> f64 {
    if elapsed >= horizon {
        return 0.0;
    }
    let (left, whole) = (urgency * (horizon - elapsed), urgency * horizon);
    if whole < 1e-6 {
        return 1.0 - elapsed / horizon;
    }
    // sinh(a)/sinh(b) without overflow: e^(a−b) · (1 − e^(−2a)) / (1 − e^(−2b)).
    libm::exp(left - whole) * libm::expm1(-2.0 * left) / libm::expm1(-2.0 * whole)
}

/// Their urgency `κ = σ · √(φ/η)`, per second: `volatility` per root second, `risk_aversion` φ per dollar, and
/// `cost` η, the fraction lost per dollar a second of trading.
#[must_use]
pub fn urgency(volatility: f64, risk_aversion: f64, cost: f64) -> f64 {
    volatility * (risk_aversion / cost.max(1e-18)).sqrt()
}

impl CloseSize {
    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            problems.range(format!("{path}.{name}"), value, low, high);
        };
        match self {
            Self::Full | Self::TierStep => {}
            Self::Fraction { share, full_below, then: _, full_under_health } => {
                range("fraction.share", share, 1e-3, 1.0);
                range("fraction.full_below", full_below, 0.0, 1e12);
                range("fraction.full_under_health", full_under_health, 0.0, 1.0);
            }
            Self::Block { share, least, most } => {
                range("block.share", share, 1e-3, 1.0);
                range("block.least", least, 0.0, 1e12);
                range("block.most", most, least.max(1.0), 1e12);
            }
            Self::Ramp { initial, seconds, exit, full_shortage, full_below } => {
                range("ramp.initial", initial, 0.0, 1.0);
                range("ramp.seconds", seconds, 0.0, 86_400.0);
                range("ramp.exit", exit, 0.0, 1.0);
                range("ramp.full_shortage", full_shortage, 0.0, 1e12);
                range("ramp.full_below", full_below, 0.0, 1e12);
            }
            Self::RestoreToBuffer { buffer, full_below, toxic: _ } => {
                range("restore_to_buffer.full_below", full_below, 0.0, 1e12);
                buffer.validate(format!("{path}.restore_to_buffer.buffer"), 0.0, 10.0, problems);
            }
            Self::AlmgrenChriss { horizon, risk_aversion } => {
                range("almgren_chriss.horizon", horizon, 0.2, 86_400.0);
                range("almgren_chriss.risk_aversion", risk_aversion, 0.0, 1.0);
            }
            Self::DepthShare { share, distance_bp, full_below } => {
                range("depth_share.share", share, 1e-5, 10.0);
                range("depth_share.distance_bp", distance_bp, 1.0, 2_500.0);
                range("depth_share.full_below", full_below, 0.0, 1e12);
            }
            Self::FractionUntilToxic { share, full_below } => {
                range("fraction_until_toxic.share", share, 1e-3, 1.0);
                range("fraction_until_toxic.full_below", full_below, 0.0, 1e12);
            }
        }
    }

    pub(super) fn resolve(self, target_buffer: f64) -> SizeRule {
        match self {
            Self::Full => SizeRule::Share { share: 1.0, full_below: 0.0, then: Then::Repeat, full_under_health: 0.0 },
            Self::Fraction { share, full_below, then, full_under_health } => {
                SizeRule::Share { share, full_below, then, full_under_health }
            }
            Self::Block { share, least, most } => SizeRule::Block { share, least, most },
            Self::Ramp { initial, seconds, exit, full_shortage, full_below } => {
                SizeRule::Ramp { initial, seconds, exit, full_shortage, full_below }
            }
            Self::TierStep => SizeRule::TierStep,
            Self::RestoreToBuffer { buffer, full_below, toxic } => {
                SizeRule::Restore { buffer: buffer.resolve(target_buffer), full_below, toxic }
            }
            Self::AlmgrenChriss { horizon, risk_aversion } => SizeRule::Schedule { horizon, risk_aversion },
            Self::DepthShare { share, distance_bp, full_below } => {
                SizeRule::Depth { share, distance: distance_bp * 1e-4, full_below }
            }
            Self::FractionUntilToxic { share, full_below } => SizeRule::UntilToxic { share, full_below },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{got} instead of {want}");
    }

    #[test]
    fn dydx_closes_a_tenth_of_a_position_per_block_within_its_bounds() {
        // 10 % of 500,000; the floor of 1,000 on 5,000; the whole of 800; the cap of 100,000 on ten million.
        for (notional, slice) in [(500e3, 50e3), (5e3, 1e3), (800.0, 800.0), (10e6, 100e3)] {
            assert_close(block_size(notional, 0.1, 1e3, 100e3), slice);
        }
        // Ten million dollars take at least a hundred blocks.
        let mut left = 10e6;
        let mut blocks = 0;
        while left > 0.0 {
            left -= block_size(left, 0.1, 1e3, 100e3);
            blocks += 1;
        }
        assert!(blocks >= 100, "{blocks} blocks");
    }

    #[test]
    fn drift_frees_a_share_of_the_whole_shortage_that_grows_with_time() {
        // Shortage 100, nothing freed: after 15 of 60 seconds a quarter.
        assert_close(ramp_allowance(100.0, 0.0, 0.0, 15.0, 60.0), 25.0);
        // 25 freed, 75 left: half time allows half of 100, so 25 more.
        assert_close(ramp_allowance(75.0, 25.0, 0.0, 30.0, 60.0), 25.0);
        // Freed more than is due: wait. Late: everything. No duration: everything at once.
        assert_close(ramp_allowance(60.0, 40.0, 0.0, 15.0, 60.0), 0.0);
        assert_close(ramp_allowance(60.0, 40.0, 0.0, 90.0, 60.0), 60.0);
        assert_close(ramp_allowance(60.0, 0.0, 0.0, 0.0, 0.0), 60.0);
    }

    #[test]
    fn the_three_readings_of_a_cooldown_differ_after_the_first_slice() {
        for (then, fresh, waiting, waited) in [
            (Then::Repeat, false, false, false),
            (Then::RestAfterWait, false, true, true),
            (Then::RestDuringWait, false, true, false),
        ] {
            assert_eq!(then.closes_all(0, false), fresh);
            assert_eq!(then.closes_all(1, true), waiting);
            assert_eq!(then.closes_all(1, false), waited);
        }
    }

    #[test]
    fn an_account_is_healthy_exactly_down_to_its_maintenance() {
        // Aave WETH: threshold 83 %. Equity 17 % is health 1; 12.631… % is 0.95.
        assert_close(health(0.17, 0.17), 1.0);
        assert_close(health(1.0 - 0.83 / 0.95, 0.17), 0.95);
        assert!(health(0.2, 0.17) > 1.0 && health(1.0, 0.17).is_infinite());
    }

    #[test]
    fn almgren_and_chriss_sell_faster_the_more_they_fear_risk() {
        // No risk aversion: a straight line. κT = 2, half way: sinh(1)/sinh(2) = 1.175201/3.626860 = 0.324027.
        assert_close(remaining(0.0, 60.0, 15.0), 0.75);
        assert!((remaining(2.0 / 60.0, 60.0, 30.0) - 0.324_027).abs() < 1e-6);
        assert_close(remaining(1.0, 60.0, 60.0), 0.0);
        assert_close(remaining(1.0, 60.0, 0.0), 1.0);
        assert!(remaining(1e3, 60.0, 1.0) < 1e-300, "no overflow where they sell at once");
        // σ = 1 % per root second, φ = 1e-6, η = 1e-10 per dollar a second: κ = 0.01 · √1e4 = 1.
        assert_close(urgency(0.01, 1e-6, 1e-10), 1.0);
    }
}
