//! A matching engine with price-time priority: [`OrderBook`].
//!
//! Orders go in as messages ([`NewOrder`], cancel, amend); what happened comes out as [`Event`]s in a buffer that the
//! caller owns. Prices are integer [`Tick`]s and sizes integer [`Lots`]; [`Grid`] converts to and from
//! [`crate::units`] at the edge, and is chosen so that the value of every trade is a whole number of micro-dollars:
//! fees are the only division, and it rounds up, against the payer.
//!
//! ```
//! use seawall_env::book::Side;
//! use seawall_env::book::order::{AccountId, Event, Lots, NewOrder, OrderBook, OrderBookConfig, Tick};
//!
//! let mut book = OrderBook::new(&OrderBookConfig::default())?;
//! let mut events = Vec::new();
//! book.submit(NewOrder::limit(AccountId(1), Side::Sell, Tick(600_000), Lots(5)), &mut (), &mut events)?;
//! book.submit(NewOrder::market(AccountId(2), Side::Buy, Lots(2)), &mut (), &mut events)?;
//! let trades = events.iter().filter(|event| matches!(event, Event::Trade(_))).count();
//! assert_eq!((trades, book.lots_at(Tick(600_000))), (1, Lots(3)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//! - The better price trades first, at one price the older order. A trade is at the resting order's price.
//! - An order that shrinks in place keeps its rank; a new price or a larger size goes to the back of its level, and
//!   may trade on the way.
//! - Every accepted order ends with exactly one [`Event::Done`], after its last trade or cancellation.
//! - A rejected message changes nothing.
//! - An account never trades with itself unless its incoming order says [`SelfTrade::Allow`].
//! - A reduce-only order never increases or flips a position: see [`Positions`].
//!
//! # Structure
//! Price levels stand in pages of 512 ticks that are opened where orders rest, with a bitmap of occupied ticks.
//! Orders stand in a slab and form a doubly linked queue per level. Because the book is never crossed, one ladder
//! serves both sides: an occupied tick at or below the best bid is a bid. Nothing is allocated once the pages, the
//! slab and the caller's buffer have grown to what the flow needs.
//!
//! Deliberately not here: auctions, stop and iceberg orders, pegs, pro-rata matching, latency.

mod command;
mod engine;
mod event;
mod fee;
mod grid;
mod ladder;
mod matching;
mod message;
mod position;
mod query;
mod slab;
pub mod streams;

pub use command::Command;
pub use engine::{OrderBook, OrderBookConfig};
pub use event::{CancelReason, Event, Reject, Request, Trade};
pub use fee::Fees;
pub use grid::{Grid, Lots, Tick};
pub use message::{AccountId, Kind, NewOrder, OrderId, SelfTrade, TimeInForce};
pub use position::{NetPositions, Positions};
pub use query::Resting;
