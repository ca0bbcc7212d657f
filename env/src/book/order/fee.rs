//! Maker and taker fees.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::units::{Rate, Usd};

/// What a trade costs its two sides, as shares of its value; negative is a rebate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fees {
    /// Of the resting side. In [-1, 1]; 2 bp (Binance USDⓈ-M futures, regular tier).
    pub maker: Rate,
    /// Of the incoming side. In [-1, 1]; 5 bp (likewise).
    pub taker: Rate,
}

impl Default for Fees {
    fn default() -> Self {
        Self { maker: Rate::from_raw(200_000), taker: Rate::from_raw(500_000) }
    }
}

impl Fees {
    /// Records every rate that is out of its bounds, and a pair of rates at which the venue would pay for trades.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, rate) in [("maker", self.maker), ("taker", self.taker)] {
            let within = rate.abs().raw() <= Rate::SCALE;
            problems.require(within, format!("{path}.{name}"), rate, "in [-1, 1]");
        }
        let sum = i128::from(self.maker.raw()) + i128::from(self.taker.raw());
        problems.require(sum >= 0, format!("{path}.maker"), self.maker, "no rebate above the taker's fee");
    }

    /// The maker's and the taker's fee of a trade, each rounded up: a fee against its payer, a rebate against its
    /// receiver, so that the venue never pays out more than it takes.
    #[inline]
    #[must_use]
    pub fn of(&self, value: Usd) -> (Usd, Usd) {
        (value.share_ceil(self.maker), value.share_ceil(self.taker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_against_the_account() {
        for (maker, taker, value, expected) in [
            // 2 and 5 bp of 1 dollar are 200 and 500 micro-dollars.
            (200_000, 500_000, 1_000_000, (200, 500)),
            // 2 and 5 bp of 1 micro-dollar are next to nothing, and cost one.
            (200_000, 500_000, 1, (1, 1)),
            // A rebate of half a bp of 30,001 micro-dollars is 1.50005, and pays one.
            (-50_000, 500_000, 30_001, (-1, 16)),
            (0, 0, 12_345, (0, 0)),
        ] {
            let fees = Fees { maker: Rate::from_raw(maker), taker: Rate::from_raw(taker) };
            let (m, t) = fees.of(Usd::from_raw(value));
            assert_eq!((m.raw(), t.raw()), expected, "{maker} {taker} {value}");
        }
    }

    #[test]
    fn rates_out_of_bounds_are_all_named() {
        let mut problems = Problems::default();
        Fees { maker: Rate::from_f64(-1.5), taker: Rate::from_f64(1.25) }.validate("fees", &mut problems);
        assert_eq!(
            problems.to_string(),
            "fees.maker = -1.5: must be in [-1, 1]\nfees.taker = 1.25: must be in [-1, 1]\n\
             fees.maker = -1.5: must be no rebate above the taker's fee"
        );
    }
}
