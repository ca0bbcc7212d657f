//! What can be asked of the engine.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::grid::{Lots, Tick};
use crate::book::Side;

/// Whose order it is. The caller numbers its accounts; the engine only compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub u32);

/// Name of an accepted order, given by the engine and never given twice.
///
/// It is a place in the engine's slab and the number of the order's generation there, so that finding an order
/// takes one comparison and an order that is gone is never mistaken for its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(NonZeroU64);

impl OrderId {
    /// The order behind a number that was written down.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Option<Self> {
        match NonZeroU64::new(raw) {
            Some(raw) => Some(Self(raw)),
            None => None,
        }
    }

    /// As a number, to be written down.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(super) fn new(slot: u32, generation: u32) -> Self {
        let raw = u64::from(generation) << 32 | u64::from(slot);
        Self(NonZeroU64::new(raw).expect("generations start at one"))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the slot")]
    pub(super) const fn slot(self) -> u32 {
        self.0.get() as u32
    }

    #[inline]
    pub(super) const fn generation(self) -> u32 {
        (self.0.get() >> 32) as u32
    }
}

/// How long a limit order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeInForce {
    /// What does not trade at once rests until it is cancelled.
    GoodTillCancel,
    /// Rests, or is rejected if any of it would trade at once.
    PostOnly,
    /// What does not trade at once is cancelled.
    ImmediateOrCancel,
    /// Trades in full at once, or is rejected.
    ///
    /// Resting reduce-only orders do not count towards its full size: what they may trade depends on the fills
    /// before them. The account's own orders do not count either, unless self-trades are allowed.
    FillOrKill,
}

/// At which price an order trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// At any price; what finds nobody is cancelled.
    Market,
    /// At `tick` or better.
    Limit {
        /// Worst price.
        tick: Tick,
        /// What happens to the part that does not trade at once.
        life: TimeInForce,
    },
}

/// What happens when an order meets another of its own account. The incoming order decides.
///
/// # Reference
/// Coinbase Exchange, "Self-trade prevention" (dc, cn, co, cb); Binance futures, `selfTradePreventionMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfTrade {
    /// What is left of the incoming order is cancelled.
    #[default]
    CancelNewest,
    /// The resting order is cancelled, and the incoming one goes on.
    CancelOldest,
    /// Both are cancelled.
    CancelBoth,
    /// Both shrink by the smaller of the two, without a trade.
    DecrementAndCancel,
    /// They trade.
    Allow,
}

/// An order as its account sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    /// Whose it is.
    pub account: AccountId,
    /// Which side it takes.
    pub side: Side,
    /// Its size.
    pub lots: Lots,
    /// Its price.
    pub kind: Kind,
    /// What happens when it meets the account's own.
    pub self_trade: SelfTrade,
    /// Whether it may only make the account's position smaller.
    pub reduce_only: bool,
}

impl NewOrder {
    /// An order that takes what there is.
    #[must_use]
    pub const fn market(account: AccountId, side: Side, lots: Lots) -> Self {
        Self { account, side, lots, kind: Kind::Market, self_trade: SelfTrade::CancelNewest, reduce_only: false }
    }

    /// An order that trades at `tick` or better and rests until it is cancelled.
    #[must_use]
    pub const fn limit(account: AccountId, side: Side, tick: Tick, lots: Lots) -> Self {
        let kind = Kind::Limit { tick, life: TimeInForce::GoodTillCancel };
        Self { account, side, lots, kind, self_trade: SelfTrade::CancelNewest, reduce_only: false }
    }

    /// The same with another time in force; a market order has none and stays as it is.
    #[must_use]
    pub const fn with_life(mut self, life: TimeInForce) -> Self {
        if let Kind::Limit { tick, .. } = self.kind {
            self.kind = Kind::Limit { tick, life };
        }
        self
    }

    /// The same with another self-trade prevention.
    #[must_use]
    pub const fn with_self_trade(mut self, self_trade: SelfTrade) -> Self {
        self.self_trade = self_trade;
        self
    }

    /// The same, reduce-only.
    #[must_use]
    pub const fn reducing(mut self) -> Self {
        self.reduce_only = true;
        self
    }
}
