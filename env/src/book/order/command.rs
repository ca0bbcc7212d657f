//! Bytes into messages: what a fuzzer calls.

use super::grid::{Lots, Tick};
use super::message::{AccountId, Kind, NewOrder, SelfTrade, TimeInForce};
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
    /// ```
    /// use seawall_env::book::order::Command;
    /// assert_eq!(Command::from_bytes(&[0; 20]).count(), 3);
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(Self::BYTES).map(|chunk| {
            let mut bytes = [0; Self::BYTES];
            bytes.copy_from_slice(chunk);
            Self::decode(bytes)
        })
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
