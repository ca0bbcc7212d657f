//! Slot 6: what a keeper earns for taking a position over.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// Largest discount of any rule, in basis points.
const MOST_BP: f64 = 2_000.0;

/// What a keeper earns for taking a position over, as a discount to mark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Incentive {
    /// A fixed discount.
    Fixed {
        /// Basis points.
        bp: Dial,
    },
    /// A discount that grows while the account waits: `start` before `after` seconds, then `start + slope · seconds`
    /// since the account entered. Drift's steps up by 15 bp at 1,500 slots because it counts from the entry.
    Ramp {
        /// Basis points at once.
        start_bp: f64,
        /// Basis points more per second.
        bp_per_second: f64,
        /// Basis points at most.
        max_bp: f64,
        /// Seconds before it starts to grow. Default 0.
        #[serde(default)]
        after: f64,
    },
    /// A sealed reverse auction among the keepers that are present: the lowest wins and is paid the runner-up's bid.
    Auctioned {
        /// Reserve: basis points at most.
        max_bp: f64,
    },
    /// A fixed discount, but never more than the account has left: below nothing the keeper would have to pay, so
    /// nobody comes to close a toxic position in parts (Keom).
    Falling {
        /// Basis points of a healthy account.
        bp: f64,
    },
    /// A flat tip and a share of the position (Maker's `tip` and `chip`).
    Tip {
        /// Dollars per takeover.
        dollars: f64,
        /// Basis points of the position.
        bp: f64,
    },
}

/// A keeper's discount, every number set; fractions of mark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Bonus {
    /// Grows while the account waits.
    Ramp {
        /// At once.
        start: f64,
        /// Per second.
        slope: f64,
        /// At most.
        most: f64,
        /// Seconds before it grows.
        after: f64,
    },
    /// What the runner-up asked, at most this.
    Auctioned(f64),
    /// This, or what the account has left if that is less.
    Falling(f64),
    /// Dollars, and a share.
    Tip(f64, f64),
}

impl Bonus {
    /// Discount offered to an account that has waited `seconds`, whose equity is `ratio` of its position, for a slice
    /// of `notional` dollars. The reserve, for an auction.
    #[inline]
    #[must_use]
    pub fn offered(&self, seconds: f64, ratio: f64, notional: f64) -> f64 {
        match *self {
            Self::Ramp { start, slope, most, after } => {
                if seconds < after {
                    start.min(most)
                } else {
                    (start + slope * seconds).min(most)
                }
            }
            Self::Auctioned(most) => most,
            Self::Falling(most) => most.min(ratio),
            Self::Tip(dollars, share) => share + dollars / notional.max(1e-6),
        }
    }
}

impl Incentive {
    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            problems.range(format!("{path}.{name}"), value, low, high);
        };
        match self {
            Self::Fixed { bp } => bp.validate(format!("{path}.fixed.bp"), 0.0, MOST_BP, problems),
            Self::Ramp { start_bp, bp_per_second, max_bp, after } => {
                range("ramp.start_bp", start_bp, 0.0, MOST_BP);
                range("ramp.bp_per_second", bp_per_second, 0.0, 100.0);
                range("ramp.max_bp", max_bp, start_bp, MOST_BP);
                range("ramp.after", after, 0.0, 86_400.0);
            }
            Self::Auctioned { max_bp } => range("auctioned.max_bp", max_bp, 0.0, MOST_BP),
            Self::Falling { bp } => range("falling.bp", bp, 0.0, MOST_BP),
            Self::Tip { dollars, bp } => {
                range("tip.dollars", dollars, 0.0, 1e5);
                range("tip.bp", bp, 0.0, MOST_BP);
            }
        }
    }

    pub(super) fn resolve(self, keeper_bonus: f64) -> Bonus {
        match self {
            Self::Fixed { bp } => {
                let start = bp.resolve(keeper_bonus) * 1e-4;
                Bonus::Ramp { start, slope: 0.0, most: f64::INFINITY, after: 0.0 }
            }
            Self::Ramp { start_bp, bp_per_second, max_bp, after } => {
                Bonus::Ramp { start: start_bp * 1e-4, slope: bp_per_second * 1e-4, most: max_bp * 1e-4, after }
            }
            Self::Auctioned { max_bp } => Bonus::Auctioned(max_bp * 1e-4),
            Self::Falling { bp } => Bonus::Falling(bp * 1e-4),
            Self::Tip { dollars, bp } => Bonus::Tip(dollars, bp * 1e-4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_pays_its_base_for_ten_minutes_and_then_a_hundredth_of_a_basis_point_per_slot() {
        // 1e-6 per slot of 0.4 s is 0.025 bp per second; 1,500 slots are 600 s, where it steps up by 15 bp.
        let rule = Incentive::Ramp { start_bp: 50.0, bp_per_second: 0.025, max_bp: 150.0, after: 600.0 }.resolve(0.0);
        for (seconds, bp) in [(0.0, 50.0), (599.6, 50.0), (600.0, 65.0), (2_000.0, 100.0), (40_000.0, 150.0)] {
            assert!((rule.offered(seconds, 0.0, 1.0) - bp * 1e-4).abs() < 1e-12, "{seconds} s");
        }
    }

    #[test]
    fn a_falling_bonus_never_exceeds_what_is_left_and_turns_negative() {
        let rule = Bonus::Falling(0.05);
        for (ratio, discount) in [(0.2, 0.05), (0.03, 0.03), (0.0, 0.0), (-0.02, -0.02)] {
            assert!((rule.offered(0.0, ratio, 1.0) - discount).abs() < 1e-12);
        }
    }

    #[test]
    fn maker_pays_a_tip_and_a_share() {
        // 300 dollars and 0.1 % of 100,000 dollars: 400.
        assert!((Bonus::Tip(300.0, 0.001).offered(0.0, 0.0, 100_000.0) - 0.004).abs() < 1e-12);
    }
}
