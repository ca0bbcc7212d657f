//! Bytes into messages: what a fuzzer calls.

use super::engine::OrderBook;
use super::event::Event;
use super::grid::{Lots, Tick};
use super::message::{AccountId, Kind, NewOrder, OrderId, SelfTrade, TimeInForce};
use super::position::NetPositions;
use crate::book::Side;

/// One step of an order stream that was made of bytes.
///
/// Orders are named by their place in the list of accepted orders, counted backwards and around, so that every
/// command means something in every state. Accounts, prices and sizes are few, so that orders meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Enter an order.
    Submit(NewOrder),
    /// Cancel an order.
    Cancel {
        /// Which: zero is the last that was accepted.
        back: u32,
    },
    /// Cancel every order of an account.
    CancelAll {
        /// Whose.
        account: AccountId,
    },
    /// Amend an order.
    Amend {
        /// Which: zero is the last that was accepted.
        back: u32,
        /// New price.
        tick: Tick,
        /// New size.
        lots: Lots,
    },
    /// Change a position from outside the book.
    Shift {
        /// Whose.
        account: AccountId,
        /// By how much.
        lots: i64,
    },
}

impl Command {
    /// Bytes of one command.
    pub const BYTES: usize = 6;
    /// Number of prices that a book needs for these commands; some name a higher one.
    pub const TICKS: u32 = 1 + 31 * SPACING;

    /// Every sequence of bytes is a stream of commands; what is left at the end is no command.
    ///
    /// The body of a fuzz target:
    /// ```
    /// use seawall_env::book::order::{Command, NetPositions, OrderBook, OrderBookConfig};
    ///
    /// fn target(bytes: &[u8]) {
    ///     let config = OrderBookConfig { ticks: Command::TICKS, ..OrderBookConfig::default() };
    ///     let mut book = OrderBook::new(&config).expect("a valid configuration");
    ///     let (mut positions, mut accepted, mut events) = (NetPositions::default(), Vec::new(), Vec::new());
    ///     for command in Command::from_bytes(bytes) {
    ///         events.clear();
    ///         command.run(&mut book, &mut positions, &mut accepted, &mut events);
    ///         book.assert_consistent();
    ///     }
    /// }
    /// target(b"every byte means something");
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(Self::BYTES).map(|chunk| {
            let mut bytes = [0; Self::BYTES];
            bytes.copy_from_slice(chunk);
            Self::decode(bytes)
        })
    }

    /// Does the command in a book whose accepted orders are `accepted`, oldest first.
    pub fn run(
        self,
        book: &mut OrderBook,
        positions: &mut NetPositions,
        accepted: &mut Vec<OrderId>,
        events: &mut Vec<Event>,
    ) {
        // A refusal is an event like others.
        match self {
            Self::Submit(order) => accepted.extend(book.submit(order, positions, events)),
            Self::Cancel { back } => {
                if let Some(index) = Self::index(back, accepted.len()) {
                    let _ = book.cancel(accepted[index], events);
                }
            }
            Self::CancelAll { account } => book.cancel_all(account, events),
            Self::Amend { back, tick, lots } => {
                if let Some(index) = Self::index(back, accepted.len()) {
                    let _ = book.amend(accepted[index], tick, lots, positions, events);
                }
            }
            Self::Shift { account, lots } => positions.shift(account, lots),
        }
    }

    /// Place of the order that `back` names among so many accepted ones; none if there is none.
    #[must_use]
    pub const fn index(back: u32, accepted: usize) -> Option<usize> {
        match accepted.checked_sub(1) {
            Some(last) => Some(last - back as usize % accepted),
            None => None,
        }
    }

    /// The command that six bytes mean: what, flags, account, price, size, order.
    #[must_use]
    pub fn decode(bytes: [u8; Self::BYTES]) -> Self {
        let [what, flags, account, price, size, back] = bytes;
        let account = AccountId(u32::from(account % 5));
        // The ends of the byte are wrong input; in between 32 prices over three pages.
        let tick = match price {
            0xff => Tick(0),
            0xfe => Tick(Self::TICKS + 1),
            price => Tick(1 + u32::from(price % 32) * SPACING),
        };
        let lots = if size == 0xff { Lots(0) } else { Lots(1 + u64::from(size % 16)) };
        let side = if flags & 1 == 0 { Side::Buy } else { Side::Sell };
        let kind = match what % 16 {
            0..=5 => Kind::Limit { tick, life: TimeInForce::GoodTillCancel },
            6 => Kind::Limit { tick, life: TimeInForce::PostOnly },
            7 => Kind::Limit { tick, life: TimeInForce::ImmediateOrCancel },
            8 | 9 => Kind::Limit { tick, life: TimeInForce::FillOrKill },
            10 => Kind::Market,
            11 | 12 => return Self::Cancel { back: u32::from(back) },
            13 | 14 => return Self::Amend { back: u32::from(back), tick, lots },
            _ if flags >= 0xe0 => return Self::CancelAll { account },
            _ => return Self::Shift { account, lots: i64::from(size % 16) * side.sign() },
        };
        let self_trade = match (flags >> 1) % 5 {
            0 => SelfTrade::CancelNewest,
            1 => SelfTrade::CancelOldest,
            2 => SelfTrade::CancelBoth,
            3 => SelfTrade::DecrementAndCancel,
            _ => SelfTrade::Allow,
        };
        Self::Submit(NewOrder { account, side, lots, kind, self_trade, reduce_only: flags >= 0xc0 })
    }
}

/// Ticks between two prices, so that 32 of them lie in three pages of the ladder.
const SPACING: u32 = 37;
