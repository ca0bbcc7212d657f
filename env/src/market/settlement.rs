//! Makers' fills: collected during a tick, booked at once to the maker whose order it was, or, where the book knows
//! only a sum of quotes, in proportion to what each maker quoted.

use std::ops::Range;

use super::Market;
use super::ledger::{AccountId, Ledger};
use super::state::Pending;
use crate::book::Fill;
use crate::units::{Qty, Usd};

impl Market {
    /// Notes the makers' side of a fill.
    #[inline]
    pub(super) fn owe_makers(&mut self, fill: Fill) {
        let pending = &mut self.state.pending;
        let side = if fill.qty.is_negative() { &mut pending.bought } else { &mut pending.sold };
        side.0 -= fill.qty;
        side.1 -= fill.value;
    }

    /// Books what makers traded.
    pub(super) fn settle_makers(&mut self) {
        let Pending { bought, sold } = std::mem::take(&mut self.state.pending);
        let ids = self.fixed.makers_ids();
        let ledger = &mut self.state.ledger;
        let told = self.state.book.settle(|maker, fill| {
            let id = ids.start + u32::try_from(maker).expect("a handful of makers");
            ledger.trade(id, fill.qty, fill.value);
        });
        if told {
            return;
        }
        if !bought.0.is_zero() || !bought.1.is_zero() {
            let weights = self.state.makers.iter().map(|maker| maker.bid);
            self.scratch.weights.clear();
            self.scratch.weights.extend(weights);
            share_out(&mut self.state.ledger, ids.clone(), &self.scratch.weights, bought);
        }
        if !sold.0.is_zero() || !sold.1.is_zero() {
            let weights = self.state.makers.iter().map(|maker| maker.ask);
            self.scratch.weights.clear();
            self.scratch.weights.extend(weights);
            share_out(&mut self.state.ledger, ids, &self.scratch.weights, sold);
        }
    }
}

/// Binary digits of a whole: parts of it are counts of 2⁻³⁰, so that a share is a shift.
const DIGITS: u32 = 30;

/// Gives each account its part of a trade, by weight, rounded down to 2⁻³⁰ of the whole; the rest goes to the last. When
/// all weights are zero, what is left on the book is everybody's in equal parts.
pub(super) fn share_out(ledger: &mut Ledger, ids: Range<AccountId>, weights: &[f64], (qty, value): (Qty, Usd)) {
    #[expect(clippy::cast_precision_loss, reason = "2³⁰ and a handful of makers are exact")]
    let (whole, count) = ((1_i64 << DIGITS) as f64, weights.len() as f64);
    let total: f64 = weights.iter().sum();
    let (mut left, last) = ((qty, value), weights.len() - 1);
    let legs = weights.iter().enumerate().map(|(k, &weight)| {
        if k == last {
            return left;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share is at most one")]
        let part = (whole * if total > 0.0 { weight / total } else { 1.0 / count }) as i64;
        let mine = (Qty::from_raw(share(qty.raw(), part)), Usd::from_raw(share(value.raw(), part)));
        left = (left.0 - mine.0, left.1 - mine.1);
        mine
    });
    ledger.trade_each(ids, legs);
}

/// `amount · part / 2³⁰`, rounded down.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a part of at most 2³⁰ leaves no more than the amount")]
fn share(amount: i64, part: i64) -> i64 {
    debug_assert!((0..=1 << DIGITS).contains(&part), "{part} of 2³⁰ is no share");
    ((i128::from(amount) * i128::from(part)) >> DIGITS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Rounding, mul_div};

    #[test]
    fn a_share_is_the_quotient_rounded_down() {
        for amount in [0, 1, 7, 1_000_003, 92_233_720_368_547, i64::MAX].map(|a| [a, -a]).as_flattened() {
            for part in [0, 1, 3, (1 << 29) - 1, (1 << 30) / 3, (1 << 30) - 1, 1 << 30] {
                assert_eq!(share(*amount, part), mul_div(*amount, part, 1 << 30, Rounding::Floor), "{amount}·{part}");
            }
        }
    }

    #[test]
    fn parts_add_up_exactly_whatever_the_weights() {
        for weights in [[0.3, 0.3, 0.4], [0.0, 0.0, 0.0], [1.0, 0.0, 1e-3]] {
            let mut ledger = Ledger::new(4);
            ledger.trade(3, Qty::from_raw(1_000_003), Usd::from_raw(777));
            share_out(&mut ledger, 0..3, &weights, (Qty::from_raw(-1_000_003), Usd::from_raw(-777)));
            ledger.assert_invariants();
        }
    }
}
