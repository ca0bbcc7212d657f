//! From a price back to the volatility.

use super::{Black76, OptionKind, normal};
use crate::rng::normal_quantile;

/// Of 100,000 random prices none took more than 15.
const STEPS_MAX: usize = 40;

/// Volatility at which Black's formula gives `price`; the volatility in `market` is not looked at.
///
/// `None` if there is no such volatility: a price at or below the discounted payoff, or not below the discounted
/// forward (strike, for a put), or without time left; nor is there one for a price below what doubles resolve.
///
/// Newton's steps on the price above its inflection point, and below it on `(-log price)^(-1/2)`, which is nearly a
/// line there while the price bends away by orders of magnitude. A step that leaves the bracket halves it instead.
///
/// # Panics
/// If forward or strike is not positive.
///
/// # Reference
/// Manaster & Koehler 1982, "The calculation of implied variances from the Black–Scholes model" (the inflection
/// point as the start); Jäckel 2015, "Let's be rational" (a transform of the price on the lower branch).
#[must_use]
pub fn implied_volatility(kind: OptionKind, price: f64, market: &Black76) -> Option<f64> {
    let Black76 { forward, strike, years, rate, .. } = *market;
    assert!(forward > 0.0 && strike > 0.0, "an option is valued at positive prices: {market:?}");
    if !(years > 0.0 && price.is_finite()) {
        return None;
    }
    // Time value is the undiscounted option out of the money, of either kind.
    let target = price * libm::exp(rate * years) - kind.payoff(forward, strike);
    if !(target > 0.0 && target < forward.min(strike)) {
        return None;
    }
    let distance = libm::log(forward / strike).abs();
    let deviation = if distance == 0.0 {
        // At the money the price is F·(2Φ(s/2) - 1).
        2.0 * normal_quantile(0.5 + 0.5 * target / forward)
    } else {
        solve(target, forward.min(strike), forward.max(strike), distance)?
    };
    Some(deviation / years.sqrt())
}

/// Deviation at which the right to exchange the dearer of two prices for the cheaper is worth `target`.
fn solve(target: f64, cheap: f64, dear: f64, distance: f64) -> Option<f64> {
    let start = (2.0 * distance).sqrt();
    // What it is worth, how that rises with the deviation, and what an error of one part in its argument comes to.
    let value = |s: f64| {
        let d1 = -distance / s + 0.5 * s;
        let near = cheap * normal::distribution(d1);
        let worth = (near - dear * normal::distribution(d1 - s)).max(0.0);
        (worth, cheap * normal::density(d1), near * (1.0 + d1 * d1))
    };
    // Below the inflection the value is about cheap·exp(-distance²/2s²), so that depth^(-1/2) is about a line in s.
    let depth = |worth: f64| -libm::log(worth / cheap);
    let is_below = target < value(start).0;
    let (mut low, mut high) = if is_below { (0.0, start) } else { (start, f64::INFINITY) };
    let mut s = start;
    for _ in 0..STEPS_MAX {
        let (worth, slope, blur) = value(s);
        if worth < target {
            low = s;
        } else {
            high = s;
        }
        let step = if is_below {
            2.0 * worth * depth(worth) * ((depth(worth) / depth(target)).sqrt() - 1.0) / slope
        } else {
            (target - worth) / slope
        };
        // The value is known to the last bit of its argument, and so is the step.
        if step.abs() <= 4.0 * f64::EPSILON * (s + blur / slope) {
            return Some(s + step);
        }
        let next = s + step;
        s = if next > low && next < high {
            next
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * s
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use OptionKind::{Call, Put};

    #[test]
    fn inverts_the_price_over_strikes_times_and_volatilities() {
        let mut worst: f64 = 0.0;
        for moneyness in [-2.0, -0.7, -0.2, -0.01, 0.0, 0.03, 0.4, 1.5] {
            for years in [1.0 / 365.0, 0.05, 0.5, 3.0] {
                for volatility in [0.05, 0.3, 0.8, 2.5] {
                    for kind in [Call, Put] {
                        let strike = 60_000.0 * libm::exp(moneyness);
                        let market = Black76 { forward: 60_000.0, strike, years, volatility, rate: 0.02 };
                        let (price, vega) = (market.price(kind), market.greeks(kind).vega);
                        // Where a millionth of a dollar moves it by a thousandth, the price holds no volatility.
                        if vega < 1e-3 {
                            continue;
                        }
                        let got = implied_volatility(kind, price, &market).expect("a price of the model has one");
                        // Double precision of the price, seen through vega.
                        let resolution = 8.0 * f64::EPSILON * price.max(1.0) / vega + 1e-14;
                        worst = worst.max((got - volatility).abs() / resolution.max(1e-12 * volatility));
                    }
                }
            }
        }
        assert!(worst < 20.0, "off by {worst} times the resolution");
    }

    proptest! {
        #[test]
        fn every_price_with_a_hundredth_of_a_cent_of_time_value_has_one(
            moneyness in -3.0..3.0_f64, days in 0.01..1_000.0_f64, volatility in 0.02..5.0_f64, is_call: bool,
        ) {
            let kind = if is_call { Call } else { Put };
            let (forward, strike) = (60_000.0, 60_000.0 * libm::exp(moneyness));
            let market = Black76 { forward, strike, years: days / 365.0, volatility, rate: 0.0 };
            let price = market.price(kind);
            let time_value = price - kind.payoff(forward, strike);
            if time_value > 1e-4 && time_value < forward.min(strike) * (1.0 - 1e-9) {
                let got = implied_volatility(kind, price, &market);
                let back = got.map(|volatility| Black76 { volatility, ..market }.price(kind));
                prop_assert!(back.is_some_and(|back| (back - price).abs() <= 1e-10 * forward), "{got:?}");
            }
        }
    }

    #[test]
    fn prices_out_of_bounds_have_no_volatility() {
        let market = Black76 { forward: 100.0, strike: 90.0, years: 0.5, volatility: 0.0, rate: 0.0 };
        for price in [f64::NAN, -1.0, 9.99, 10.0, 100.0, f64::INFINITY] {
            assert_eq!(implied_volatility(Call, price, &market), None, "{price}");
        }
        assert_eq!(implied_volatility(Put, 0.0, &market), None);
        assert_eq!(implied_volatility(Put, 1.0, &Black76 { years: 0.0, ..market }), None);
    }
}
