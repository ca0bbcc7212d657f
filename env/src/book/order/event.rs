//! What the engine reports.

use serde::{Deserialize, Serialize};

use super::grid::{Lots, Tick};
use super::message::{AccountId, OrderId};
use crate::book::Side;
use crate::units::Usd;

/// One match of an incoming order (taker) with a resting one (maker), at the maker's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// The resting order.
    pub maker: OrderId,
    /// The incoming order.
    pub taker: OrderId,
    /// Account of the resting order.
    pub maker_account: AccountId,
    /// Account of the incoming order.
    pub taker_account: AccountId,
    /// Side of the incoming order.
    pub taker_side: Side,
    /// Price.
    pub tick: Tick,
    /// Size.
    pub lots: Lots,
    /// What the maker's account pays; negative is a rebate.
    pub maker_fee: Usd,
    /// What the taker's account pays; negative is a rebate.
    pub taker_fee: Usd,
}

/// Why lots left the book without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// Its account asked.
    Requested,
    /// A market or immediate-or-cancel order found nobody for the rest.
    Unfilled,
    /// It met an order of its own account.
    SelfTrade,
    /// It would have increased or flipped the account's position.
    ReduceOnly,
}

/// Why a message was refused. A refused message changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Reject {
    /// The size is zero or larger than [`super::Grid::lots_max`].
    #[error("the size is not between one lot and the largest order")]
    SizeOutOfRange,
    /// The price is zero or higher than [`super::Grid::tick_max`].
    #[error("the price is not between one tick and the highest price")]
    PriceOutOfRange,
    /// A post-only order would trade at once.
    #[error("a post-only order would trade at once")]
    WouldTake,
    /// A fill-or-kill order does not trade in full.
    #[error("a fill-or-kill order cannot be filled")]
    Unfillable,
    /// A reduce-only order has no position to reduce.
    #[error("a reduce-only order has no position to reduce")]
    NothingToReduce,
    /// There is no such resting order: it never was, or it is done.
    #[error("no such order rests in the book")]
    UnknownOrder,
}

/// Which message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// A new order of this account.
    New(AccountId),
    /// To cancel this order.
    Cancel(OrderId),
    /// To amend this order.
    Amend(OrderId),
}

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A new order has a name. It rests if no [`Event::Done`] follows in the same call.
    Accepted {
        /// Its name.
        order: OrderId,
        /// Whose it is.
        account: AccountId,
        /// Which side it takes.
        side: Side,
        /// Its limit; none for a market order.
        limit: Option<Tick>,
        /// Its size.
        lots: Lots,
    },
    /// A message was refused.
    Rejected {
        /// Which message.
        request: Request,
        /// Why.
        reason: Reject,
    },
    /// A resting order has a new price or size.
    Amended {
        /// Its name, which stays.
        order: OrderId,
        /// Its limit.
        tick: Tick,
        /// What is left of it.
        lots: Lots,
        /// Whether it kept its rank.
        kept_rank: bool,
    },
    /// Two orders traded.
    Trade(Trade),
    /// Part of an order, or all of it, left without a trade.
    Cancelled {
        /// Its name.
        order: OrderId,
        /// Whose it is.
        account: AccountId,
        /// How much left.
        lots: Lots,
        /// Why.
        reason: CancelReason,
    },
    /// Nothing is left of an order. Its name is not used again.
    Done {
        /// Its name.
        order: OrderId,
        /// Whose it was.
        account: AccountId,
    },
}
