//! Where orders meet liquidity.
//!
//! [`DepthBook`] is the fast one: makers' quotes summed on a relative grid. [`order`] is a matching engine with
//! price-time priority, and [`QuotedBook`] makers' quotes in it; under both, one latent book of signed flow moves makers'
//! fair price. [`AmmBook`] is an automated market maker, whose price only trades move. A scenario names one of the three
//! for its [`HomeBook`].

mod amm;
mod config;
mod depth;
mod fair;
mod home;
mod latent;
pub mod order;
mod quoted;

pub use amm::{AmmBook, AmmConfig, Curve};
pub use config::{BookConfig, BookKind};
pub use depth::DepthBook;
pub use home::{HomeBook, Orders};
pub use quoted::QuotedBook;

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

/// Width of a level of relative distance: 2 bp.
const LEVEL: f64 = 2e-4;

#[expect(clippy::cast_possible_truncation, reason = "book densities are single precision: behaviour, not money")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// What makers do to the book in one tick.
#[derive(Clone, Copy, Debug)]
pub struct Quotes {
    /// Price on other venues, in dollars: what everybody sees at once.
    pub outside: f64,
    /// Share of the gap to other venues that makers close in this tick, in [0, 1].
    pub pull: f64,
    /// Gap to other venues that makers want, relative: they lean against their inventory.
    pub lean: f64,
    /// Half the quoted spread, relative.
    pub half_spread: f64,
    /// Quoting on the bid and on the ask, relative to full.
    pub liquidity: [f64; 2],
    /// Latent book relative to full.
    pub latent: f64,
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

    /// Coins that an order of `side` finds at prices no worse than `limit`.
    fn reachable(&self, side: Side, limit: Price) -> f64;

    /// Volume-weighted price of taking `coins`, over mid, less one: the cost of an immediate exit as a fraction.
    fn impact(&self, side: Side, coins: f64) -> f64;
}
