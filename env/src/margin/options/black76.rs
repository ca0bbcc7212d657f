//! Black's formula for a European option on a forward, and its derivatives.

use serde::{Deserialize, Serialize};

use super::normal;

/// Right to buy or right to sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// Pays `max(F - K, 0)`.
    Call,
    /// Pays `max(K - F, 0)`.
    Put,
}

impl OptionKind {
    /// +1 for a call, -1 for a put.
    #[must_use]
    pub const fn sign(self) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Put => -1.0,
        }
    }

    /// Dollars per coin if it expired with the underlying at `forward`.
    #[must_use]
    pub fn payoff(self, forward: f64, strike: f64) -> f64 {
        (self.sign() * (forward - strike)).max(0.0)
    }
}

/// How an option's value moves, per coin of underlying.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Greeks {
    /// Dollars per dollar of forward: coins of underlying that move as the option does.
    pub delta: f64,
    /// Delta per dollar of forward.
    pub gamma: f64,
    /// Dollars per 1.00 of volatility. A volatility *point* is a hundredth of that.
    pub vega: f64,
    /// Dollars per year of calendar time that passes at an unchanged forward and volatility.
    pub theta: f64,
}

/// A market in which Black's formula values options of one expiry and strike.
///
/// # Units
/// `forward` and `strike` in dollars per coin, `years` of 365 days, `volatility` and `rate` per year as fractions.
///
/// # Reference
/// Black 1976, "The pricing of commodity contracts", J. Financial Economics 3, eq. 16; greeks as in Haug 2007, "The
/// Complete Guide to Option Pricing Formulas", 2nd ed., ch. 2 with cost of carry zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Black76 {
    /// Forward price of the underlying for this expiry.
    pub forward: f64,
    /// Exercise price.
    pub strike: f64,
    /// Time left.
    pub years: f64,
    /// Standard deviation of the log return over a year.
    pub volatility: f64,
    /// Continuously compounded rate that the premium is discounted at.
    pub rate: f64,
}

impl Black76 {
    /// Standard deviation of the log return until expiry.
    fn deviation(&self) -> f64 {
        assert!(
            self.forward > 0.0 && self.strike > 0.0 && self.years >= 0.0 && self.volatility >= 0.0,
            "an option is valued at positive prices and no negative time or volatility: {self:?}"
        );
        self.volatility * self.years.sqrt()
    }

    fn discount(&self) -> f64 {
        if self.rate == 0.0 { 1.0 } else { libm::exp(-self.rate * self.years) }
    }

    fn d1(&self, deviation: f64) -> f64 {
        libm::log(self.forward / self.strike) / deviation + 0.5 * deviation
    }

    /// Dollars per coin. Without time or volatility left, the discounted payoff.
    ///
    /// # Panics
    /// If a price is not positive, or time or volatility is negative or NaN.
    #[must_use]
    pub fn price(&self, kind: OptionKind) -> f64 {
        let deviation = self.deviation();
        if deviation == 0.0 {
            return self.discount() * kind.payoff(self.forward, self.strike);
        }
        // The option out of the money, and the other one by parity: the difference of two large numbers would lose
        // the time value of an option deep in the money. Cancellation in the far tail can end below nothing by a
        // rounding error, where no option is worth less than nothing.
        let out = if self.forward > self.strike { -1.0 } else { 1.0 };
        let d1 = self.d1(deviation);
        let near = self.forward * normal::distribution(out * d1);
        let far = self.strike * normal::distribution(out * (d1 - deviation));
        self.discount() * ((out * (near - far)).max(0.0) + kind.payoff(self.forward, self.strike))
    }

    /// Derivatives of [`price`](Self::price). At a kink, the delta is the mean of both sides and the rest nothing.
    ///
    /// # Panics
    /// As [`price`](Self::price).
    #[must_use]
    pub fn greeks(&self, kind: OptionKind) -> Greeks {
        let (deviation, discount, sign) = (self.deviation(), self.discount(), kind.sign());
        if deviation == 0.0 {
            let moneyness = sign * (self.forward - self.strike);
            let share = if moneyness > 0.0 { 1.0 } else { 0.5 * f64::from(u8::from(moneyness >= 0.0)) };
            let theta = self.rate * discount * moneyness.max(0.0);
            return Greeks { delta: sign * discount * share, theta, ..Greeks::default() };
        }
        let d1 = self.d1(deviation);
        let density = discount * normal::density(d1);
        let decay = -0.5 * self.forward * density * self.volatility / self.years.sqrt();
        Greeks {
            delta: sign * discount * normal::distribution(sign * d1),
            gamma: density / (self.forward * deviation),
            vega: self.forward * density * self.years.sqrt(),
            theta: decay + if self.rate == 0.0 { 0.0 } else { self.rate * self.price(kind) },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use OptionKind::{Call, Put};

    fn model(forward: f64, strike: f64, years: f64, volatility: f64, rate: f64) -> Black76 {
        Black76 { forward, strike, years, volatility, rate }
    }

    /// A spot market with carry `b` is a forward `S·exp(bT)`: the textbooks' generalised formula.
    fn carried(spot: f64, strike: f64, years: f64, rate: f64, carry: f64, volatility: f64) -> (Black76, f64) {
        let growth = libm::exp(carry * years);
        (model(spot * growth, strike, years, volatility, rate), growth)
    }

    #[test]
    fn prices_are_those_of_the_textbooks() {
        // Hull, "Options, Futures, and Other Derivatives", Black's model: put on crude oil futures at 20, worth 1.12.
        assert!((model(20.0, 20.0, 4.0 / 12.0, 0.25, 0.09).price(Put) - 1.12).abs() < 5e-3);
        // Haug 1998, pp. 2-8 and 24 (X, S, q, r, T, σ, value to four places); the rows with q = r are on futures.
        for (kind, strike, spot, q, rate, years, volatility, value) in [
            (Put, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
            (Call, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, 1.7011),
            (Call, 100.0, 90.0, 0.10, 0.10, 0.10, 0.15, 0.0205),
            (Call, 100.0, 100.0, 0.10, 0.10, 0.10, 0.15, 1.8734),
            (Call, 100.0, 110.0, 0.10, 0.10, 0.10, 0.15, 9.9413),
            (Call, 100.0, 90.0, 0.10, 0.10, 0.10, 0.25, 0.3150),
            (Call, 65.0, 60.0, 0.00, 0.08, 0.25, 0.30, 2.1334),
            (Put, 95.0, 100.0, 0.05, 0.10, 0.50, 0.20, 2.4648),
            (Call, 1.60, 1.56, 0.08, 0.06, 0.50, 0.12, 0.0291),
            (Put, 70.0, 75.0, 0.05, 0.10, 0.50, 0.35, 4.0870),
        ] {
            let got = carried(spot, strike, years, rate, rate - q, volatility).0.price(kind);
            assert!((got - value).abs() < 1e-4, "{kind:?} {strike} {spot}: {got}, not {value}");
        }
    }

    #[test]
    fn greeks_are_those_of_the_textbook() {
        // Haug 1998, pp. 11-16. Per spot they gain a power of the growth for each derivative by price.
        let (futures, _) = carried(105.0, 100.0, 0.5, 0.10, 0.0, 0.36);
        assert!((futures.greeks(Call).delta - 0.5946).abs() < 1e-4);
        assert!((futures.greeks(Put).delta + 0.3566).abs() < 1e-4);
        let (stock, growth) = carried(55.0, 60.0, 0.75, 0.10, 0.10, 0.30);
        assert!((stock.greeks(Call).gamma * growth * growth - 0.0278).abs() < 1e-4);
        assert!((stock.greeks(Put).vega - 18.9358).abs() < 1e-4);
        // At a fixed spot the forward falls by its carry as time passes.
        let (index, _) = carried(430.0, 405.0, 1.0 / 12.0, 0.07, 0.02, 0.20);
        let put = index.greeks(Put);
        assert!((put.theta - put.delta * 0.02 * index.forward + 31.1924).abs() < 1e-4);
    }

    fn markets() -> impl Strategy<Value = Black76> {
        (50.0..150.0, 50.0..150.0, 0.02..2.0, 0.1..1.5, -0.05..0.15)
            .prop_map(|(forward, strike, years, volatility, rate)| model(forward, strike, years, volatility, rate))
    }

    proptest! {
        #[test]
        fn call_less_put_is_the_discounted_forward(market in markets()) {
            let parity = libm::exp(-market.rate * market.years) * (market.forward - market.strike);
            prop_assert!((market.price(Call) - market.price(Put) - parity).abs() < 1e-12 * 150.0);
            let (call, put) = (market.greeks(Call), market.greeks(Put));
            prop_assert!((call.delta - put.delta - libm::exp(-market.rate * market.years)).abs() < 1e-14);
            prop_assert!((call.gamma - put.gamma).abs() < 1e-15 && (call.vega - put.vega).abs() < 1e-12);
        }

        #[test]
        fn greeks_are_the_slopes_of_the_price(market in markets(), is_call: bool) {
            let kind = if is_call { Call } else { Put };
            let greeks = market.greeks(kind);
            let slope = |step: f64, moved: &dyn Fn(f64) -> Black76| {
                (moved(step).price(kind) - moved(-step).price(kind)) / (2.0 * step)
            };
            // Central differences err by step² times the third derivative, and by 1e-14 of the price over the step.
            let delta = slope(1e-3, &|h| Black76 { forward: market.forward + h, ..market });
            let vega = slope(1e-5, &|h| Black76 { volatility: market.volatility + h, ..market });
            let theta = slope(1e-6, &|h| Black76 { years: market.years - h, ..market });
            prop_assert!((greeks.delta - delta).abs() < 1e-6, "delta {} against {delta}", greeks.delta);
            prop_assert!((greeks.vega - vega).abs() < 1e-4, "vega {} against {vega}", greeks.vega);
            prop_assert!((greeks.theta - theta).abs() < 1e-4 * (1.0 + theta.abs()), "theta {} against {theta}", greeks.theta);
            let up = Black76 { forward: market.forward + 1e-3, ..market }.greeks(kind).delta;
            let down = Black76 { forward: market.forward - 1e-3, ..market }.greeks(kind).delta;
            prop_assert!((greeks.gamma - (up - down) / 2e-3).abs() < 1e-5, "gamma {}", greeks.gamma);
        }

        #[test]
        fn price_stays_between_its_bounds_and_rises_with_volatility(
            forward in 1.0..1e6_f64, moneyness in -4.0..4.0_f64, years in 0.0..3.0_f64, volatility in 0.0..4.0_f64,
        ) {
            let strike = forward * libm::exp(moneyness);
            let market = model(forward, strike, years, volatility, 0.0);
            let more = Black76 { volatility: volatility + 0.1, ..market };
            for kind in [Call, Put] {
                let price = market.price(kind);
                prop_assert!(price.is_finite() && price >= kind.payoff(forward, strike));
                prop_assert!(price <= forward.max(strike) * (1.0 + 1e-15));
                prop_assert!(more.price(kind) >= price - 1e-12 * forward);
                let greeks = market.greeks(kind);
                prop_assert!([greeks.delta, greeks.gamma, greeks.vega, greeks.theta].iter().all(|x| x.is_finite()));
                prop_assert!(greeks.delta.abs() <= 1.0 && greeks.gamma >= 0.0 && greeks.vega >= 0.0);
            }
        }
    }

    #[test]
    fn bits_are_those_of_every_platform() {
        let market = model(60_000.0, 66_000.0, 30.0 / 365.0, 0.55, 0.03);
        let Greeks { delta, gamma, vega, theta } = market.greeks(Call);
        let bits = [market.price(Call), market.price(Put), delta, gamma, vega, theta].map(f64::to_bits);
        // Each within 2e-15 of a computation with 40 digits: a call of 1,654.7139…, a put of 7,639.9376….
        assert_eq!(
            bits,
            [
                0x4099_dadb_149d_27a9,
                0x40bd_d7f0_09d6_7958,
                0x3fd3_2035_704b_4986,
                0x3f03_3556_32e2_f514,
                0x40b7_4a4c_2ba5_ef4f,
                0xc0d3_6ecd_9893_f162
            ]
        );
    }

    #[test]
    fn expired_option_is_its_payoff() {
        let market = model(110.0, 100.0, 0.0, 0.5, 0.05);
        assert_eq!((market.price(Call), market.price(Put)), (10.0, 0.0));
        assert_eq!((market.greeks(Call).delta, market.greeks(Put).delta), (1.0, 0.0));
        let at_the_strike = model(100.0, 100.0, 0.0, 0.5, 0.0).greeks(Put);
        assert_eq!(at_the_strike, Greeks { delta: -0.5, ..Greeks::default() });
    }
}
