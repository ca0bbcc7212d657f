//! Slot 5: how fast.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// How fast forced flow may go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Throttle {
    /// As fast as accounts trigger.
    Unlimited,
    /// One slice per account and interval (Hyperliquid: 30 s; dYdX: a block).
    PerAccount {
        /// Seconds between slices; less than a tick is one slice per tick.
        delay: Dial,
    },
    /// A wait per account that shortens while the account gets worse and lengthens while it recovers (Drift's
    /// narrative); see [`Wait::after`].
    AdaptiveDelay {
        /// Seconds between slices of an account that stands still. In [0, 86400].
        delay: f64,
        /// Response to a fall of equity by one maintenance margin since the last slice. In [0, 100].
        gain: f64,
        /// Shortest wait, in seconds. In [0, 86400].
        least: f64,
        /// Longest wait, in seconds. In [least, 86400].
        most: f64,
    },
    /// Market-wide capacity, relative to the depth within 5 %, per minute; and a wait per account.
    DepthCapacity {
        /// Forced volume per minute over depth.
        capacity: Dial,
        /// Seconds between slices of one account.
        delay: Dial,
    },
    /// Market-wide capacity in dollars per window.
    Window {
        /// Dollars per window.
        notional: f64,
        /// Seconds.
        seconds: f64,
    },
    /// Market-wide capacity in coins per window, from the market's own parameters; see [`skew_capacity`].
    SkewWindow {
        /// Maker fee, in basis points.
        maker_fee_bp: f64,
        /// Taker fee, in basis points.
        taker_fee_bp: f64,
        /// Coins of skew at which the price is moved by its whole.
        skew_scale: f64,
        /// Accumulation multiplier.
        multiplier: f64,
        /// Seconds.
        seconds: f64,
    },
    /// Market-wide notional that may be in liquidation at once (Maker's `Hole`): it binds where closing takes time.
    Hole {
        /// Dollars.
        notional: f64,
    },
    /// A share of the book per interval (Vega).
    BookShare {
        /// Share of the depth within `distance_bp`. In [1e-4, 1].
        share: f64,
        /// Distance from mid, in basis points. In [1, 2500].
        distance_bp: f64,
        /// Seconds in an interval.
        seconds: f64,
    },
}

/// Coins that a Synthetix v3 market lets through in a window:
/// `(maker fee + taker fee) · skew scale · multiplier · seconds`.
///
/// # Reference
/// Synthetix v3, `PerpsMarketConfiguration.sol`.
#[must_use]
pub fn skew_capacity(fees: f64, skew_scale: f64, multiplier: f64, seconds: f64) -> f64 {
    fees * skew_scale * multiplier * seconds
}

/// Wait between two slices of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Seconds for an account that stands still.
    pub delay: f64,
    /// Response to a fall of equity by one maintenance margin.
    pub gain: f64,
    /// Shortest, in seconds.
    pub least: f64,
    /// Longest, in seconds.
    pub most: f64,
}

impl Wait {
    const fn fixed(delay: f64) -> Self {
        Self { delay, gain: 0.0, least: delay, most: delay }
    }

    /// Seconds to wait after a slice, `delay · exp(−gain · fall)` within its bounds, where `fall` is what the account
    /// has lost since, in maintenance margins: negative when it recovers.
    #[inline]
    #[must_use]
    pub fn after(&self, fall: f64) -> f64 {
        if self.gain <= 0.0 {
            return self.delay;
        }
        (self.delay * libm::exp((-self.gain * fall).clamp(-50.0, 50.0))).clamp(self.least, self.most)
    }
}

/// Market-wide limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Capacity {
    /// None.
    #[default]
    Unlimited,
    /// Volume per second, relative to the depth within 5 %.
    Depth(f64),
    /// Dollars per window, and its seconds.
    Window(f64, f64),
    /// Coins per window, and its seconds.
    Coins(f64, f64),
    /// Dollars at once.
    Hole(f64),
    /// Share of the depth within a relative distance, per seconds.
    Book {
        /// Share.
        share: f64,
        /// Relative distance from mid.
        distance: f64,
        /// Seconds.
        seconds: f64,
    },
}

/// Speed of forced flow, every number set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Wait between slices of one account.
    pub wait: Wait,
    /// Market-wide limit.
    pub capacity: Capacity,
}

impl Throttle {
    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            problems.range(format!("{path}.{name}"), value, low, high);
        };
        match self {
            Self::Unlimited => {}
            Self::PerAccount { delay } => {
                delay.validate(format!("{path}.per_account.delay"), 0.0, 86_400.0, problems);
            }
            Self::AdaptiveDelay { delay, gain, least, most } => {
                range("adaptive_delay.delay", delay, 0.0, 86_400.0);
                range("adaptive_delay.gain", gain, 0.0, 100.0);
                range("adaptive_delay.least", least, 0.0, 86_400.0);
                range("adaptive_delay.most", most, least, 86_400.0);
            }
            Self::DepthCapacity { capacity, delay } => {
                capacity.validate(format!("{path}.depth_capacity.capacity"), 1e-4, 1e3, problems);
                delay.validate(format!("{path}.depth_capacity.delay"), 0.0, 86_400.0, problems);
            }
            Self::Window { notional, seconds } => {
                range("window.notional", notional, 1.0, 1e12);
                range("window.seconds", seconds, 0.2, 86_400.0);
            }
            Self::SkewWindow { maker_fee_bp, taker_fee_bp, skew_scale, multiplier, seconds } => {
                range("skew_window.maker_fee_bp", maker_fee_bp, 0.0, 1_000.0);
                range("skew_window.taker_fee_bp", taker_fee_bp, 0.01, 1_000.0);
                range("skew_window.skew_scale", skew_scale, 1e-3, 1e10);
                range("skew_window.multiplier", multiplier, 1e-3, 1e3);
                range("skew_window.seconds", seconds, 0.2, 86_400.0);
            }
            Self::Hole { notional } => range("hole.notional", notional, 1.0, 1e12),
            Self::BookShare { share, distance_bp, seconds } => {
                range("book_share.share", share, 1e-4, 1.0);
                range("book_share.distance_bp", distance_bp, 1.0, 2_500.0);
                range("book_share.seconds", seconds, 0.2, 86_400.0);
            }
        }
    }

    pub(super) fn resolve(self, controlled_capacity: f64, controlled_delay: f64) -> Pace {
        let fixed = |delay: Dial| Wait::fixed(delay.resolve(controlled_delay));
        let at_once = |capacity| Pace { wait: Wait::default(), capacity };
        match self {
            Self::Unlimited => Pace::default(),
            Self::PerAccount { delay } => Pace { wait: fixed(delay), capacity: Capacity::Unlimited },
            Self::AdaptiveDelay { delay, gain, least, most } => {
                Pace { wait: Wait { delay, gain, least, most }, capacity: Capacity::Unlimited }
            }
            Self::DepthCapacity { capacity, delay } => {
                let per_second = capacity.resolve(controlled_capacity) / 60.0;
                Pace { wait: fixed(delay), capacity: Capacity::Depth(per_second) }
            }
            Self::Window { notional, seconds } => at_once(Capacity::Window(notional, seconds)),
            Self::SkewWindow { maker_fee_bp, taker_fee_bp, skew_scale, multiplier, seconds } => {
                let fees = (maker_fee_bp + taker_fee_bp) * 1e-4;
                at_once(Capacity::Coins(skew_capacity(fees, skew_scale, multiplier, seconds), seconds))
            }
            Self::Hole { notional } => at_once(Capacity::Hole(notional)),
            Self::BookShare { share, distance_bp, seconds } => {
                at_once(Capacity::Book { share, distance: distance_bp * 1e-4, seconds })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthetix_capacity_is_fees_times_scale_times_time() {
        // 2 + 5 bp of a skew scale of one million coins: 700 coins per second, 7,000 in ten.
        assert!((skew_capacity(7e-4, 1e6, 1.0, 10.0) - 7_000.0).abs() < 1e-9);
        assert!((skew_capacity(7e-4, 1e6, 1.5, 30.0) - 31_500.0).abs() < 1e-9);
    }

    #[test]
    fn a_wait_shortens_while_the_account_falls_and_lengthens_while_it_recovers() {
        let wait = Wait { delay: 20.0, gain: core::f64::consts::LN_2, least: 4.0, most: 60.0 };
        // One maintenance margin lost halves it, one won doubles it; the bounds hold.
        for (fall, seconds) in [(0.0, 20.0), (1.0, 10.0), (-1.0, 40.0), (5.0, 4.0), (-5.0, 60.0)] {
            assert!((wait.after(fall) - seconds).abs() < 1e-9, "{fall}: {}", wait.after(fall));
        }
        assert!((Wait::fixed(30.0).after(7.0) - 30.0).abs() < 1e-12);
    }
}
