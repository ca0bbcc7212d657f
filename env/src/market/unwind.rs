//! The backstop leaves its inventory: on the book at a pace, in slices, or to keepers.

use super::Market;
use super::ledger::AccountId;
use crate::book::{Book, Side};
use crate::liquidation::{Disposal, Unwind};
use crate::units::Qty;

/// Worst price at which the fund leaves its inventory, relative to mark: 3 %.
const FUND_LIMIT: f64 = 0.03;
/// Pace where the rule names none: half the depth within 1 % per minute.
const FUND_PACE: f64 = 0.5;

impl Market {
    /// Fund and vault leave a part of their inventory.
    pub(super) fn unwind_fund(&mut self) {
        for id in self.fixed.backstops() {
            let qty = self.state.ledger.qty(id);
            if qty.is_zero() {
                continue;
            }
            match self.state.rules.backstop.unwind().unwrap_or(Unwind::Pace(FUND_PACE)) {
                Unwind::Pace(pace) => self.unwind_at_pace(id, qty, pace),
                Unwind::Disposal(disposal) => self.dispose(id, qty, &disposal),
                Unwind::Storefront { discount_bp } => self.sell_to_keepers(id, qty, discount_bp * 1e-4),
            }
        }
    }

    fn unwind_at_pace(&mut self, id: AccountId, qty: Qty, pace: f64) {
        let depth = self.state.book.depth(Side::of(-qty), 0.01);
        let size = Qty::from_f64(depth * pace * self.fixed.seconds / 60.0).min(qty.abs());
        let part = if qty.is_negative() { -size } else { size };
        if !part.is_zero() {
            self.trade(id, -part, Some(FUND_LIMIT), true);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day in ticks at most")]
    fn dispose(&mut self, id: AccountId, qty: Qty, disposal: &Disposal) {
        let every = libm::round(disposal.seconds / self.fixed.seconds).max(1.0) as u64;
        if !self.state.tick.is_multiple_of(every) {
            return;
        }
        let distance = disposal.distance_bp * 1e-4;
        let book = self.state.book.depth(Side::of(-qty), distance);
        let size = Qty::from_f64(disposal.slice(qty.abs().as_f64(), book)).min(qty.abs());
        let part = if qty.is_negative() { -size } else { size };
        if !part.is_zero() {
            self.trade(id, -part, Some(distance.min(0.99)), true);
        }
    }
}
