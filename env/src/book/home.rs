//! The home book: one of three kinds, behind one interface.

use serde::{Deserialize, Serialize};

use super::fair::FairPrice;
use super::{AmmBook, Book, BookConfig, BookKind, DepthBook, Fill, LEVEL, QuotedBook, Quotes, Side};
use crate::units::{Price, Qty};

/// The book that a market trades on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HomeBook {
    /// Makers' quotes summed on a relative grid.
    Depth(Box<DepthBook>),
    /// Makers' limit orders in a matching engine, around the same fair price.
    Order(Box<Orders>),
    /// A pool of makers' liquidity that only trades move.
    Amm(Box<AmmBook>),
}

/// Makers' limit orders, and the latent book that moves their fair price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    book: QuotedBook,
    fair: FairPrice,
}

impl HomeBook {
    /// A full book of `makers` makers around `price` dollars, for ticks of `seconds`.
    #[must_use]
    pub fn new(config: &BookConfig, makers: u32, price: f64, seconds: f64) -> Self {
        match config.kind {
            BookKind::Depth => Self::Depth(Box::new(DepthBook::new(config, price, seconds))),
            BookKind::Order => Self::Order(Box::new(Orders {
                book: QuotedBook::new(config, makers, price, seconds),
                fair: FairPrice::new(config, price, seconds),
            })),
            BookKind::Amm => Self::Amm(Box::new(AmmBook::new(config, price, seconds))),
        }
    }

    /// Which of the three it is.
    #[must_use]
    pub const fn kind(&self) -> BookKind {
        match self {
            Self::Depth(_) => BookKind::Depth,
            Self::Order(_) => BookKind::Order,
            Self::Amm(_) => BookKind::Amm,
        }
    }

    /// Memory of a depth book in bytes; the others' is not counted.
    pub(crate) fn bytes(&self) -> usize {
        if let Self::Depth(book) = self { book.bytes() } else { 0 }
    }

    /// Lets makers move their fair price and replenish their quotes: once a tick.
    pub fn refresh(&mut self, quotes: Quotes) {
        match self {
            Self::Depth(book) => book.refresh(quotes),
            Self::Order(orders) => {
                orders.fair.tick(&quotes);
                let latent = LEVEL * orders.fair.to_latent();
                orders.book.refresh(orders.fair.price(), quotes.half_spread, quotes.liquidity, latent);
            }
            Self::Amm(book) => book.refresh(&quotes),
        }
    }

    /// As [`Book::depth`], at some rising distances at once.
    #[must_use]
    pub fn depths<const N: usize>(&self, side: Side, distances: [f64; N]) -> [f64; N] {
        match self {
            Self::Depth(book) => book.depths(side, distances),
            Self::Order(_) | Self::Amm(_) => distances.map(|distance| self.depth(side, distance)),
        }
    }

    /// Distance from makers' fair price up to the latent book's, relative; a pool has none.
    #[must_use]
    pub(crate) fn latent_gap(&self) -> f64 {
        match self {
            Self::Depth(book) => LEVEL * book.to_latent(),
            Self::Order(orders) => LEVEL * orders.fair.to_latent(),
            Self::Amm(_) => 0.0,
        }
    }

    /// As [`Book::depth`] of bids and asks, at some rising distances at once.
    #[must_use]
    pub fn depths_of_both<const N: usize>(&self, distances: [f64; N]) -> [[f64; 2]; N] {
        match self {
            Self::Depth(book) => book.depths_of_both(distances),
            Self::Order(_) | Self::Amm(_) => {
                distances.map(|distance| [Side::Sell, Side::Buy].map(|side| self.depth(side, distance)))
            }
        }
    }

    /// No order costs more than this share of its value, however large; infinite where the book does not know.
    pub(crate) fn worst_impact(&self) -> f64 {
        if let Self::Depth(book) = self { book.worst_impact() } else { f64::INFINITY }
    }

    /// Hands over what each maker has traded since the last time, where the book knows: a sum of quotes or a pool does not.
    /// False if nobody was told.
    pub fn settle(&mut self, book: impl FnMut(usize, Fill)) -> bool {
        match self {
            Self::Depth(_) | Self::Amm(_) => false,
            Self::Order(orders) => {
                orders.book.settle(book);
                true
            }
        }
    }
}

impl Book for HomeBook {
    #[inline]
    fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill {
        match self {
            Self::Depth(book) => book.take(qty, limit),
            Self::Order(orders) => {
                let Orders { book, fair } = &mut **orders;
                let mut last = None;
                book.take_told(qty, limit, |fill| {
                    let paid = fill.value.as_f64() / fill.qty.as_f64();
                    let level = (paid / fair.price() - 1.0) / LEVEL;
                    fair.trade_between(last.unwrap_or(level), level, fill.qty.as_f64());
                    last = Some(level);
                })
            }
            Self::Amm(book) => book.take(qty, limit),
        }
    }

    #[inline]
    fn mid(&self) -> f64 {
        match self {
            Self::Depth(book) => book.mid(),
            Self::Order(orders) => orders.book.mid(),
            Self::Amm(book) => book.mid(),
        }
    }

    #[inline]
    fn half_spread(&self) -> f64 {
        match self {
            Self::Depth(book) => book.half_spread(),
            Self::Order(orders) => orders.book.half_spread(),
            Self::Amm(book) => book.half_spread(),
        }
    }

    #[inline]
    fn depth(&self, side: Side, distance: f64) -> f64 {
        match self {
            Self::Depth(book) => book.depth(side, distance),
            Self::Order(orders) => orders.book.depth(side, distance),
            Self::Amm(book) => book.depth(side, distance),
        }
    }

    fn reachable(&self, side: Side, limit: Price) -> f64 {
        match self {
            Self::Depth(book) => book.reachable(side, limit),
            Self::Order(orders) => orders.book.reachable(side, limit),
            Self::Amm(book) => book.reachable(side, limit),
        }
    }

    #[inline]
    fn impact(&self, side: Side, coins: f64) -> f64 {
        match self {
            Self::Depth(book) => book.impact(side, coins),
            Self::Order(orders) => orders.book.impact(side, coins),
            Self::Amm(book) => book.impact(side, coins),
        }
    }
}
