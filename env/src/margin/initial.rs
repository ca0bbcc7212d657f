//! Opening margin that grows with the crowd or with the position.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::units::{Qty, Rate, Rounding, Usd, mul_div};

/// Open interest between which opening margin rises from its base to the whole notional.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenInterestScalingConfig {
    /// Open interest in dollars up to which the base rate applies.
    pub lower_usd: f64,
    /// Open interest in dollars from which new positions are paid in full.
    pub upper_usd: f64,
}

impl OpenInterestScalingConfig {
    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        problems.range(format!("{field}.lower_usd"), self.lower_usd, 0.0, 1e12);
        problems.range(format!("{field}.upper_usd"), self.upper_usd, 0.0, 1e12);
        let rises = self.upper_usd - self.lower_usd >= 1.0;
        problems.require(rises, format!("{field}.upper_usd"), self.upper_usd, "a dollar or more above lower_usd");
    }
}

/// dYdX's rule: initial margin rises linearly with the market's open interest; maintenance does not.
///
/// # Reference
/// dYdX v4-chain, `x/perpetuals/types/liquidity_tier.go`, March 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInterestScaling {
    lower: Usd,
    upper: Usd,
}

impl OpenInterestScaling {
    /// From a validated configuration.
    ///
    /// # Panics
    /// If the bounds do not rise.
    #[must_use]
    pub fn new(config: &OpenInterestScalingConfig) -> Self {
        let (lower, upper) = (Usd::from_f64(config.lower_usd), Usd::from_f64(config.upper_usd));
        assert!(lower < upper, "open-interest bounds {lower} and {upper} do not rise");
        Self { lower, upper }
    }

    /// `min(base + max(0, (OI - lower)/(upper - lower))·(1 - base), 1)`, each division rounded up.
    #[must_use]
    pub fn rate(&self, base: Rate, open_interest: Usd) -> Rate {
        let one = Rate::from_raw(Rate::SCALE);
        if open_interest <= self.lower || base >= one {
            return base.min(one);
        }
        if open_interest >= self.upper {
            return one;
        }
        let (risen, span) = (open_interest - self.lower, self.upper - self.lower);
        base + Rate::from_raw(mul_div((one - base).raw(), risen.raw(), span.raw(), Rounding::Ceil))
    }
}

/// Drift's size premium: `max(rate, 0.8·rate + factor·√coins)`, rounded up.
///
/// # Panics
/// If the result is out of range.
///
/// # Reference
/// Drift protocol-v2, `math/margin.rs`, `calculate_size_premium_liability_weight`.
#[must_use]
pub fn size_premium(rate: Rate, qty: Qty, factor: Rate) -> Rate {
    // √coins in units of 1e-9: √(raw / 1e8) · 1e9 = √(raw · 1e10), rounded up.
    let square = u128::from(qty.raw().unsigned_abs()) * 10_000_000_000;
    let root = square.isqrt();
    let root = root + u128::from(root * root < square);
    let root = i64::try_from(root).expect("the root of 97 bits");
    let premium = mul_div(root, factor.raw(), Rate::SCALE, Rounding::Ceil);
    let reduced = mul_div(rate.raw(), 4, 5, Rounding::Ceil);
    rate.max(Rate::from_raw(reduced) + Rate::from_raw(premium))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dydx_mid_cap_pays_in_full_at_the_upper_bound() {
        // Mid-cap tier: 5 % up to 40 M, 100 % from 100 M. Half way, 70 M: 0.05 + 0.5·0.95 = 0.525.
        let scaling = OpenInterestScaling::new(&OpenInterestScalingConfig { lower_usd: 40e6, upper_usd: 100e6 });
        for (open_interest, rate) in
            [(0.0, 0.05), (40e6, 0.05), (55e6, 0.2875), (70e6, 0.525), (100e6, 1.0), (500e6, 1.0)]
        {
            let got = scaling.rate(Rate::from_f64(0.05), Usd::from_f64(open_interest));
            assert_eq!(got, Rate::from_f64(rate), "{open_interest}");
        }
        // One millionth of a dollar over the lower bound already rounds up.
        let above = Usd::from_f64(40e6) + Usd::from_raw(1);
        assert_eq!(scaling.rate(Rate::from_f64(0.05), above).raw(), 50_000_001);
    }

    #[test]
    fn bounds_that_do_not_rise_are_all_reported() {
        let mut problems = Problems::default();
        OpenInterestScalingConfig { lower_usd: 5.0, upper_usd: 5.0 }.validate("margin.oi", &mut problems);
        OpenInterestScalingConfig { lower_usd: f64::NAN, upper_usd: -1.0 }.validate("margin.oi", &mut problems);
        let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(
            fields,
            ["margin.oi.upper_usd", "margin.oi.lower_usd", "margin.oi.upper_usd", "margin.oi.upper_usd"]
        );
    }

    #[test]
    fn drift_premium_starts_where_the_root_outgrows_a_fifth_of_the_rate() {
        // 5 % base, factor 0.0005 per √coin: the premium binds above √coins = 0.2·0.05/0.0005 = 20, so 400 coins.
        let (base, factor) = (Rate::from_f64(0.05), Rate::from_f64(0.0005));
        for (coins, rate) in [(100.0, 0.05), (400.0, 0.05), (900.0, 0.055), (10_000.0, 0.09)] {
            assert_eq!(size_premium(base, Qty::from_f64(coins), factor), Rate::from_f64(rate), "{coins}");
            assert_eq!(size_premium(base, Qty::from_f64(-coins), factor), Rate::from_f64(rate), "{coins}");
        }
        assert_eq!(size_premium(base, Qty::from_f64(1e6), Rate::ZERO), base);
    }
}
