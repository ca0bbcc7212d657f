//! How the engine asks about positions.

use std::collections::BTreeMap;

use super::event::Trade;
use super::grid::Lots;
use super::message::AccountId;
use crate::book::Side;

/// The positions behind the orders, kept by the caller.
///
/// A reduce-only order is a promise about a position that moves while the order rests: by other orders, by
/// liquidation, by somebody else's bankruptcy. So it is checked when it trades, against the position of that
/// instant, and whatever exceeds it is cancelled there ([`super::CancelReason::ReduceOnly`]). Until then it counts
/// in the depth of its level. A cap given at entry could not do this.
///
/// `()` is nobody's position: every reduce-only order is rejected.
pub trait Positions {
    /// Lots that `account` can trade on `side` before its position is closed: zero unless that side reduces it.
    fn reducible(&self, account: AccountId, side: Side) -> Lots;

    /// Books a trade. Called before the engine looks at the next resting order.
    fn apply(&mut self, trade: &Trade);
}

impl Positions for () {
    #[inline]
    fn reducible(&self, _: AccountId, _: Side) -> Lots {
        Lots(0)
    }

    #[inline]
    fn apply(&mut self, _: &Trade) {}
}

/// Net positions and nothing else, in lots: the smallest honest [`Positions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetPositions(BTreeMap<AccountId, i64>);

impl NetPositions {
    /// Signed position of an account; positive is long.
    #[must_use]
    pub fn lots(&self, account: AccountId) -> i64 {
        self.0.get(&account).copied().unwrap_or(0)
    }

    /// Changes a position from outside the book.
    ///
    /// # Panics
    /// If the position exceeds 64 bits.
    pub fn shift(&mut self, account: AccountId, lots: i64) {
        let position = self.0.entry(account).or_default();
        *position = position.checked_add(lots).expect("position overflow");
    }
}

impl Positions for NetPositions {
    fn reducible(&self, account: AccountId, side: Side) -> Lots {
        let position = self.lots(account);
        Lots(if position.signum() == -side.sign() { position.unsigned_abs() } else { 0 })
    }

    fn apply(&mut self, trade: &Trade) {
        let lots = i64::try_from(trade.lots.0).expect("an order fits 32 bits") * trade.taker_side.sign();
        self.shift(trade.taker_account, lots);
        self.shift(trade.maker_account, -lots);
    }
}
