//! One isolated position of a linear perpetual, and the line of margin it is held against.
//!
//! Every comparison is exact. Equity is an integer in units of 1e-14 dollar, and a requirement is compared with it
//! before anything is rounded, so that the account and the trigger index cannot disagree about who is short.

use serde::{Deserialize, Serialize};

use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

/// Which way a position points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// Gains when the price rises.
    Long,
    /// Gains when the price falls.
    Short,
}

impl Direction {
    /// Both, in the order of [`Direction::index`].
    pub const BOTH: [Self; 2] = [Self::Long, Self::Short];

    /// The direction of a signed size.
    ///
    /// # Panics
    /// If `qty` is zero: no position has no direction.
    #[inline]
    #[must_use]
    pub fn of(qty: Qty) -> Self {
        assert!(!qty.is_zero(), "no position has no direction");
        if qty.is_negative() { Self::Short } else { Self::Long }
    }

    /// +1 for a long, -1 for a short.
    #[inline]
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Long => 1,
            Self::Short => -1,
        }
    }

    /// 0 for a long, 1 for a short.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Long => 0,
            Self::Short => 1,
        }
    }
}

/// A line of margin: an account must hold `rate · notional - deduction`.
///
/// A venue's tiered table is the upper envelope of such lines, so an account is short of the table exactly when it
/// is short of one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Marginal rate on the whole notional.
    pub rate: Rate,
    /// Taken off, so that lower tiers keep their lower rate.
    pub deduction: Usd,
}

impl Requirement {
    /// Dollars required of a notional, rounded up, never below nothing.
    #[inline]
    #[must_use]
    pub fn amount(self, notional: Usd) -> Usd {
        (notional.share_ceil(self.rate) - self.deduction).positive_part()
    }
}

/// The threshold of the trigger index: a position on a line of this rate is short of margin exactly when its
/// [`Position::key`] is greater.
///
/// With direction `s`, mark `p` and cumulative funding `F` it is `s(p - F) - rate·p`, rounded down. Everything that
/// moves for all accounts at once — mark, funding, rate — is in here, and nothing else is.
#[inline]
#[must_use]
pub fn threshold(rate: Rate, direction: Direction, price: Price, funding: Price) -> Price {
    let ahead = Price::from_raw((price - funding).raw() * direction.sign());
    ahead - Price::from_raw(mul_div(price.raw(), rate.raw(), Rate::SCALE, Rounding::Ceil))
}

/// One isolated position.
///
/// At mark `p`, with the venue's cumulative funding per coin `F`, equity is `cash + qty·(p - F + funding)`. There
/// is no entry price and no split into realised and unrealised, so nothing is lost between the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Signed size.
    pub qty: Qty,
    /// Balance after the position was paid for: negative for a leveraged long.
    pub cash: Usd,
    /// The venue's cumulative funding per coin when the account was last settled.
    pub funding: Price,
}

/// Keys are clipped here, so that sums with them cannot overflow. Two trillion dollars per coin is beyond any
/// threshold, so a clipped key compares as the true one would.
const KEY_LIMIT: i64 = 1 << 61;

impl Position {
    /// Equity in units of 1e-14 dollar.
    fn equity_exact(&self, price: Price, funding: Price) -> i128 {
        let per_coin = (price - funding + self.funding).raw();
        i128::from(self.cash.raw()) * i128::from(Qty::SCALE) + i128::from(self.qty.raw()) * i128::from(per_coin)
    }

    /// Equity, rounded down.
    ///
    /// # Panics
    /// If it is out of range.
    #[must_use]
    pub fn equity(&self, price: Price, funding: Price) -> Usd {
        let floor = self.equity_exact(price, funding).div_euclid(i128::from(Qty::SCALE));
        Usd::from_raw(i64::try_from(floor).expect("equity out of range"))
    }

    /// Whether equity is strictly below a line, compared before rounding.
    ///
    /// # Panics
    /// If the products exceed 128 bits, which takes a position beyond the range of [`Usd`].
    #[must_use]
    pub fn is_below(&self, line: Requirement, price: Price, funding: Price) -> bool {
        let scale = i128::from(Rate::SCALE);
        let notional = i128::from(self.qty.abs().raw()) * i128::from(price.raw());
        let held = self.equity_exact(price, funding) + i128::from(line.deduction.raw()) * i128::from(Qty::SCALE);
        let held = held.checked_mul(scale).expect("equity out of range");
        held < notional.checked_mul(i128::from(line.rate.raw())).expect("notional out of range")
    }

    /// Key of the trigger index: the cushion per coin, turned over, so that a greater key is closer to the end.
    ///
    /// Derivation. Short of the line `(m, d)` means `cash + s|q|(p - F + funding) < m|q|p - d`. Divided by `|q|`:
    /// `s(p - F) - mp < -(cash + d)/|q| - s·funding`. The right side, rounded up, is the key; it changes only when
    /// the account acts. The left side is [`threshold`].
    ///
    /// Both roundings go towards triggering: whoever [`is_below`](Self::is_below) has `key > threshold`, and a key
    /// beyond the threshold by two units or more is below for certain. Between lies one millionth of a dollar per
    /// coin, where the caller asks `is_below`.
    ///
    /// # Panics
    /// If there is no position.
    #[inline]
    #[must_use]
    pub fn key(&self, deduction: Usd) -> Price {
        let size = self.qty.abs().raw();
        let product = i128::from((self.cash + deduction).raw()) * i128::from(Qty::SCALE);
        let cushion = match i64::try_from(product) {
            Ok(small) => small.div_euclid(size).clamp(-KEY_LIMIT, KEY_LIMIT),
            Err(_) => clip(floor_div(product, size)),
        };
        Price::from_raw(-cushion) - Price::from_raw(self.funding.raw() * Direction::of(self.qty).sign())
    }

    /// The mark nearest to a healthy account at which it is below a line: the liquidation price.
    ///
    /// `None` if no price brings it below: a long held down by no positive price, a short beyond the range of
    /// [`Price`]. A result on the healthy side of the mark says that the account is below already.
    ///
    /// # Panics
    /// If there is no position, or if `line.rate` is one or more for a long, which then has no healthy side.
    #[must_use]
    pub fn trigger_price(&self, line: Requirement, funding: Price) -> Option<Price> {
        let direction = Direction::of(self.qty);
        let root = self.root(line, funding);
        assert!(root.slope > 0, "a rate of {} leaves a long no healthy side", line.rate);
        let numerator = root.owed.checked_mul(i128::from(Rate::SCALE)).expect("position out of range");
        let denominator = i128::from(self.qty.abs().raw()) * i128::from(root.slope);
        let (floor, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
        let price = match direction {
            Direction::Long => floor - i128::from(rest == 0),
            Direction::Short => (floor + 1).max(1),
        };
        if direction == Direction::Short && price > i128::from(i64::MAX) {
            return None;
        }
        // A long that starts to be short of margin above the range is so at every price.
        let price = i64::try_from(price.min(i128::from(i64::MAX))).ok();
        price.filter(|&raw| raw > 0).map(Price::from_raw)
    }

    /// Where equity equals a line: at price `owed / (|q|·slope)`.
    ///
    /// Derivation. `cash + s|q|(p - F + funding) = m|q|p - d`, solved for `p` and multiplied through by `s`.
    pub(super) fn root(&self, line: Requirement, funding: Price) -> Root {
        let sign = Direction::of(self.qty).sign();
        let accrued = i128::from(self.qty.abs().raw()) * i128::from((funding - self.funding).raw());
        let held = i128::from((self.cash + line.deduction).raw()) * i128::from(Qty::SCALE);
        Root { owed: accrued - i128::from(sign) * held, slope: Rate::SCALE - sign * line.rate.raw() }
    }
}

/// The price at which a position meets a line, kept as a fraction so that two of them compare exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    /// Units of 1e-14 dollar.
    pub(super) owed: i128,
    /// Units of 1e-9.
    pub(super) slope: i64,
}

/// Quotient rounded down, by one division of 128 bits where `div_euclid` takes two.
fn floor_div(value: i128, divisor: i64) -> i128 {
    let divisor = i128::from(divisor);
    let quotient = value / divisor;
    quotient - i128::from(quotient * divisor > value)
}

fn clip(value: i128) -> i64 {
    let limit = i128::from(KEY_LIMIT);
    i64::try_from(value.clamp(-limit, limit)).expect("clipped")
}

#[cfg(test)]
mod tests;
