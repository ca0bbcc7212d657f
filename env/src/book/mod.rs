//! Where orders meet liquidity.
//!
//! [`DepthBook`] is the fast one: makers' quotes summed on a relative grid. [`order`] is a matching engine with
//! price-time priority, and [`QuotedBook`] makers' quotes in it. The automated market maker of the specification is not
//! here yet.

mod depth;
pub mod order;
mod quoted;

pub use depth::{DepthBook, DepthConfig, Quotes};
pub use quoted::{QuotedBook, QuotedConfig};

use serde::{Deserialize, Serialize};

use crate::units::{Price, Qty, Usd};

/// Which side of the market an order takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Takes asks; size is positive.
    Buy,
    /// Takes bids; size is negative.
    Sell,
}

impl Side {
    /// The side that changes a position by `qty`.
    #[must_use]
    pub const fn of(qty: Qty) -> Self {
        if qty.is_negative() { Self::Sell } else { Self::Buy }
    }

    /// +1 for a buy, -1 for a sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The side that such an order meets.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// What an aggressive order got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Signed size: positive for a buy.
    pub qty: Qty,
    /// Signed value that the taker pays: positive for a buy. Both sides book this one integer.
    pub value: Usd,
}

/// Liquidity that an aggressive order can take.
pub trait Book {
    /// Takes up to `qty` (signed), at prices no worse than `limit`, and returns what was filled.
    fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill;

    /// Price halfway between buying and selling the book's reference size.
    fn mid(&self) -> f64;

    /// Half the distance between buying and selling the reference size, over mid.
    fn half_spread(&self) -> f64;

    /// Coins offered on `side`'s opposite within a relative distance of mid: what such an order could take.
    fn depth(&self, side: Side, distance: f64) -> f64;

    /// Volume-weighted price of taking `coins`, over mid, less one: the cost of an immediate exit as a fraction.
    fn impact(&self, side: Side, coins: f64) -> f64;
}
