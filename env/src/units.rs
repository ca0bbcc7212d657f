//! Money, prices and sizes as integers, each its own type, so that conservation is tested with `==`.
//!
//! | type | unit | range |
//! |---|---|---|
//! | [`Usd`] | 1e-6 dollar | ± 9.2 trillion dollars |
//! | [`Price`] | 1e-6 dollar per coin | ± 9.2 trillion |
//! | [`Qty`] | 1e-8 coin, signed: positive is long | ± 92 billion coins |
//! | [`Rate`] | 1e-9, a plain fraction | ± 9.2 billion |
//!
//! Sums and differences of one type stay in the type; the allowed products are the methods below. Products go
//! through `i128` and every division names its rounding. Overflow is a broken invariant and panics in every
//! profile: money never wraps and never saturates.
//!
//! ```compile_fail
//! use seawall_env::units::{Price, Usd};
//! let nonsense = Usd::from_f64(1.0) + Price::from_f64(1.0);
//! ```

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $scale:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// Units in one.
            pub const SCALE: i64 = $scale;

            /// From a count of the smallest unit.
            #[must_use]
            pub const fn from_raw(raw: i64) -> Self {
                Self(raw)
            }

            /// The count of the smallest unit.
            #[must_use]
            pub const fn raw(self) -> i64 {
                self.0
            }

            /// Rounds a float to the nearest unit, ties away from zero: where behaviour becomes an order.
            ///
            /// # Panics
            /// If the value is not finite or out of range.
            #[inline]
            #[must_use]
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "range asserted, and what came from a float goes back to it"
            )]
            pub fn from_f64(value: f64) -> Self {
                let scaled = value * ($scale as f64);
                assert!(scaled.abs() < 9.2e18, concat!(stringify!($name), " out of range: {}"), value);
                let whole = scaled as i64;
                // Exact: beyond 2⁵² there is no fraction.
                let rest = scaled - whole as f64;
                Self(whole + i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
            }

            /// As a float, for signals and features only.
            #[must_use]
            #[expect(clippy::cast_precision_loss, reason = "a signal, not money")]
            pub fn as_f64(self) -> f64 {
                self.0 as f64 * (1.0 / $scale as f64)
            }

            /// Distance from zero.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// The part above zero, or nothing.
            #[must_use]
            pub fn positive_part(self) -> Self {
                Self(self.0.max(0))
            }

            /// Whether it is zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// Whether it is below zero.
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// -1, 0 or 1.
            #[must_use]
            pub const fn signum(self) -> i64 {
                self.0.signum()
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0.checked_add(other.0).expect(concat!(stringify!($name), " overflow")))
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0.checked_sub(other.0).expect(concat!(stringify!($name), " overflow")))
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self {
                Self::ZERO - self
            }
        }
        impl AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self::ZERO, Add::add)
            }
        }
        impl fmt::Display for $name {
            /// Exact decimal, without trailing zeros.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (whole, part) = (self.0.unsigned_abs() / $scale, self.0.unsigned_abs() % $scale);
                let sign = if self.0 < 0 { "-" } else { "" };
                if part == 0 {
                    return write!(f, "{sign}{whole}");
                }
                let digits = format!("{part:0width$}", width = digits($scale));
                write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
            }
        }
    };
}

/// Decimal digits behind the point of a scale that is a power of ten.
const fn digits(scale: u64) -> usize {
    let (mut digits, mut rest) = (0, scale);
    while rest >= 10 {
        rest /= 10;
        digits += 1;
    }
    digits
}

unit!(
    /// Dollars, in units of 1e-6.
    Usd, 1_000_000);
unit!(
    /// Dollars per coin, in units of 1e-6.
    Price, 1_000_000);
unit!(
    /// Coins, signed, in units of 1e-8; positive is long.
    Qty, 100_000_000);
unit!(
    /// A plain fraction, in units of 1e-9.
    Rate, 1_000_000_000);

/// Which way a division rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceil,
}

/// `product / divisor`, rounded down.
#[inline]
pub(crate) fn div_floor(product: i128, divisor: i64) -> i64 {
    // Most quotients need no 128-bit division, which is several times slower: shifting the divisor's powers of two
    // out first (2⁸ of 10⁸) rounds down as well, and what is left mostly fits in 64 bits.
    let twos = divisor.trailing_zeros();
    let (product, divisor) = (product >> twos, divisor >> twos);
    match i64::try_from(product) {
        Ok(small) => small.div_euclid(divisor),
        Err(_) => match u32::try_from(divisor) {
            Ok(digit) => long_division(product, digit),
            Err(_) => {
                let divisor = i128::from(divisor);
                // One division where `div_euclid` takes two.
                let quotient = product / divisor;
                i64::try_from(quotient - i128::from(quotient * divisor > product)).expect(OUT_OF_RANGE)
            }
        },
    }
}

/// 2⁴⁸: below it a quotient estimated in floats is off by one unit at most.
const ESTIMATE_MAX: f64 = 281_474_976_710_656.0;
/// 2⁶²: twice a size below it fits in 64 bits.
const COINS_MAX: i64 = 1 << 62;
const OUT_OF_RANGE: &str = "product out of range";

/// `product / divisor`, rounded down, in two 64-bit divisions: schoolbook division by one digit of 32 bits.
#[inline]
fn long_division(product: i128, divisor: u32) -> i64 {
    let (size, divisor) = (product.unsigned_abs(), u64::from(divisor));
    let [top, middle, bottom] = [size >> 64, size >> 32 & u128::from(u32::MAX), size & u128::from(u32::MAX)];
    let [top, middle, bottom] = [top, middle, bottom].map(|digits| u64::try_from(digits).expect(OUT_OF_RANGE));
    assert!(top < divisor, "{OUT_OF_RANGE}");
    let upper = (top << 32) | middle;
    let lower = ((upper % divisor) << 32) | bottom;
    let quotient = i64::try_from(((upper / divisor) << 32) | (lower / divisor)).expect(OUT_OF_RANGE);
    if product >= 0 { quotient } else { -quotient - i64::from(lower % divisor != 0) }
}

/// `a · b / divisor`, rounded as named.
///
/// # Panics
/// If the result does not fit, or `divisor` is not positive.
#[inline]
#[must_use]
pub fn mul_div(a: i64, b: i64, divisor: i64, rounding: Rounding) -> i64 {
    assert!(divisor > 0, "division by {divisor}");
    let product = i128::from(a) * i128::from(b);
    match rounding {
        Rounding::Floor => div_floor(product, divisor),
        Rounding::Ceil => -div_floor(-product, divisor),
    }
}

impl Qty {
    /// Signed value at `price`, rounded down.
    #[inline]
    #[must_use]
    pub fn value(self, price: Price) -> Usd {
        Usd(mul_div(self.0, price.0, Self::SCALE, Rounding::Floor))
    }

    /// Unsigned value at `price`, rounded down.
    #[inline]
    #[must_use]
    pub fn notional(self, price: Price) -> Usd {
        self.abs().value(price)
    }
}

impl Usd {
    /// Price at which `coins` cost this amount, rounded down.
    ///
    /// # Panics
    /// If the amount is negative, `coins` are not positive, or the price is out of range.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an estimate, corrected exactly")]
    pub(crate) fn per_coin(self, coins: Qty) -> Price {
        assert!(self.0 >= 0 && coins.0 > 0, "no price of {coins} coins for {self}");
        let estimate = self.0 as f64 * Qty::SCALE as f64 / coins.0 as f64;
        if estimate >= ESTIMATE_MAX || coins.0 >= COINS_MAX {
            return Price(mul_div(self.0, Qty::SCALE, coins.0, Rounding::Floor));
        }
        // Five roundings of 2⁻⁵³ leave the estimate of a price below 2⁴⁸ within one unit, without a wide division. What
        // remains then is between minus `coins` and twice `coins`, so the low 64 bits of the two products tell it.
        let price = estimate as i64;
        let rest = self.0.wrapping_mul(Qty::SCALE).wrapping_sub(price.wrapping_mul(coins.0));
        Price(price + i64::from(rest >= coins.0) - i64::from(rest < 0))
    }

    /// Share of an amount, rounded down.
    #[inline]
    #[must_use]
    pub fn share(self, rate: Rate) -> Self {
        Self(mul_div(self.0, rate.0, Rate::SCALE, Rounding::Floor))
    }

    /// Share of an amount, rounded up: for what somebody owes.
    #[inline]
    #[must_use]
    pub fn share_ceil(self, rate: Rate) -> Self {
        Self(mul_div(self.0, rate.0, Rate::SCALE, Rounding::Ceil))
    }

    /// `self · part / whole`, rounded down: one holder's part of an amount.
    ///
    /// # Panics
    /// If `whole` is not positive.
    #[inline]
    #[must_use]
    pub fn pro_rata(self, part: i64, whole: i64) -> Self {
        Self(mul_div(self.0, part, whole, Rounding::Floor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_goes_the_named_way_on_both_sides_of_zero() {
        for (a, b, divisor, floor, ceil) in [
            (7, 1, 2, 3, 4),
            (-7, 1, 2, -4, -3),
            (6, 1, 2, 3, 3),
            (i64::MAX, 4, 8, i64::MAX / 2, i64::MAX / 2 + 1),
            (i64::MIN + 1, 4, 8, i64::MIN / 2, i64::MIN / 2 + 1),
        ] {
            assert_eq!(mul_div(a, b, divisor, Rounding::Floor), floor, "{a}·{b}/{divisor}");
            assert_eq!(mul_div(a, b, divisor, Rounding::Ceil), ceil, "{a}·{b}/{divisor}");
        }
    }

    #[test]
    fn wide_products_are_divided_as_128_bit_integers_are() {
        let factors = [1, 3, 999_999_999, 60_000_000_001, 92_233_720_368_547, i64::MAX / 5];
        let divisors = [1, 3, 256, 390_625, 100_000_000, 1_953_125 << 9, u32::MAX.into(), (1 << 32) + 5, 1 << 45];
        let mut wide = 0;
        for a in factors {
            for b in factors.map(|b| [b, -b]).as_flattened() {
                for divisor in divisors {
                    let product = i128::from(a) * i128::from(*b);
                    let Ok(floor) = i64::try_from(product.div_euclid(i128::from(divisor))) else { continue };
                    assert_eq!(mul_div(a, *b, divisor, Rounding::Floor), floor, "{a}·{b}/{divisor}");
                    wide += i32::from(i64::try_from(product).is_err());
                }
            }
        }
        assert!(wide > 50, "{wide} products beyond 64 bits");
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand units")]
    fn floats_become_the_nearest_unit_and_ties_go_away_from_zero() {
        assert_eq!([0.000_000_5, -0.000_002_5].map(|value| Usd::from_f64(value).raw()), [1, -3]);
        for units in 0..2_000 {
            let tie = (f64::from(units) - 1_000.0 + 0.5) / 1_000_000.0;
            for value in [tie.next_down(), tie, tie.next_up()] {
                assert_eq!(Usd::from_f64(value).raw(), libm::round(value * 1_000_000.0) as i64, "{value}");
            }
        }
        assert_eq!(Usd::from_f64(9e12).raw(), 9_000_000_000_000_000_000);
    }

    #[test]
    fn a_price_per_coin_is_the_exact_quotient_rounded_down() {
        let amounts = [0, 1, 999_999, 60_000_000_001, 123_456_789_012_345, i64::MAX / 3, i64::MAX];
        let coins =
            [1, 2, 3, 7_919, 99_999_999, 100_000_000, 100_000_001, 123_456_789_123, (1 << 62) - 1, 1 << 62, i64::MAX];
        for paid in amounts {
            for coins in coins {
                let exact = i128::from(paid) * i128::from(Qty::SCALE) / i128::from(coins);
                // And next to a multiple, where an estimate is most easily off.
                let multiple = i64::try_from(exact * i128::from(coins) / i128::from(Qty::SCALE)).unwrap_or(paid);
                for paid in [paid, multiple, (multiple - 1).max(0)] {
                    let exact = i128::from(paid) * i128::from(Qty::SCALE) / i128::from(coins);
                    if let Ok(price) = i64::try_from(exact) {
                        assert_eq!(Usd(paid).per_coin(Qty(coins)), Price(price), "{paid} for {coins}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_position_is_worth_size_times_price() {
        // 1.5 coins at 60,000.25 dollars: 90,000.375.
        let (qty, price) = (Qty::from_f64(1.5), Price::from_f64(60_000.25));
        assert_eq!(qty.value(price), Usd::from_f64(90_000.375));
        assert_eq!((-qty).value(price), Usd::from_f64(-90_000.375));
    }

    #[test]
    fn decimals_print_exactly() {
        assert_eq!(Usd::from_raw(-1_500_000).to_string(), "-1.5");
        assert_eq!(Qty::from_raw(1).to_string(), "0.00000001");
        assert_eq!(Price::from_raw(60_000_000_000).to_string(), "60000");
    }

    #[test]
    #[should_panic(expected = "Usd overflow")]
    fn money_never_wraps() {
        let _ = Usd::from_raw(i64::MAX) + Usd::from_raw(1);
    }
}
