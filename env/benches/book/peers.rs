//! Three engines behind one face.

use bourse_book::types::Side as BourseSide;
use lobster::{OrderEvent, OrderType, Side as LobsterSide};
use seawall_env::book::Side;
use seawall_env::book::order::Event;
use seawall_env::book::order::streams::{Message, Replay, book};

/// A trade as every engine can tell it: number of the resting order, price in ticks, lots.
pub(crate) type Fill = (u32, u32, u64);

/// Trades and lots that a run has made, so that its work cannot be optimised away and can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) fills: u64,
    pub(crate) lots: u64,
}

pub(crate) trait Engine {
    const NAME: &'static str;

    /// Empty, with room for a stream of `messages`.
    fn new(messages: usize) -> Self;

    /// Does a message, and tells its trades.
    fn apply(&mut self, message: Message, tell: impl FnMut(Fill));
}

pub(crate) struct Ours(Replay);

impl Engine for Ours {
    const NAME: &'static str = "seawall";

    fn new(messages: usize) -> Self {
        Self(Replay::new(book()).with_capacity(messages))
    }

    #[inline]
    fn apply(&mut self, message: Message, mut tell: impl FnMut(Fill)) {
        for event in self.0.apply(message) {
            if let Event::Trade(trade) = event {
                tell((trade.maker_account.0, trade.tick.0, trade.lots.0));
            }
        }
    }
}

pub(crate) struct Bourse {
    book: bourse_book::OrderBook,
    time: u64,
    names: Vec<usize>,
    told: usize,
    limits: u32,
}

impl Engine for Bourse {
    const NAME: &'static str = "bourse-book 0.4.0";

    fn new(messages: usize) -> Self {
        let book = bourse_book::OrderBook::new(0, 1, true);
        Self { book, time: 0, names: Vec::with_capacity(messages), told: 0, limits: 0 }
    }

    #[inline]
    fn apply(&mut self, message: Message, mut tell: impl FnMut(Fill)) {
        // Two orders of one price and time overwrite each other there, so every message has its own time.
        self.time += 1;
        self.book.set_time(self.time);
        match message {
            Message::Limit { side, tick, lots } => {
                let id = self.book.create_and_place_order(bourse_side(side), small(lots.0), self.limits, Some(tick.0));
                self.names.push(id.expect("every price is a multiple of one tick"));
                self.limits += 1;
            }
            Message::Market { side, lots } => {
                let id = self.book.create_and_place_order(bourse_side(side), small(lots.0), u32::MAX, None);
                id.expect("a market order has no price");
            }
            Message::Cancel { order } => self.book.cancel_order(self.names[order as usize]),
        }
        let trades = self.book.get_trades();
        for trade in &trades[self.told..] {
            let maker = self.book.order(trade.passive_order_id).trader_id;
            tell((maker, trade.price, u64::from(trade.vol)));
        }
        self.told = trades.len();
    }
}

fn bourse_side(side: Side) -> BourseSide {
    match side {
        Side::Buy => BourseSide::Bid,
        Side::Sell => BourseSide::Ask,
    }
}

pub(crate) struct Lobster {
    book: lobster::OrderBook,
    limits: u32,
}

impl Engine for Lobster {
    const NAME: &'static str = "lobster 0.7.0";

    fn new(_: usize) -> Self {
        Self { book: lobster::OrderBook::new(32_768, 16, false), limits: 0 }
    }

    #[inline]
    fn apply(&mut self, message: Message, mut tell: impl FnMut(Fill)) {
        let order = match message {
            Message::Limit { side, tick, lots } => {
                let id = u128::from(self.limits);
                self.limits += 1;
                OrderType::Limit { id, side: lobster_side(side), qty: lots.0, price: u64::from(tick.0) }
            }
            Message::Market { side, lots } => {
                OrderType::Market { id: u128::MAX, side: lobster_side(side), qty: lots.0 }
            }
            Message::Cancel { order } => OrderType::Cancel { id: u128::from(order) },
        };
        let (OrderEvent::Filled { fills, .. } | OrderEvent::PartiallyFilled { fills, .. }) = self.book.execute(order)
        else {
            return;
        };
        for fill in fills {
            let maker = u32::try_from(fill.order_2).expect("limit orders are numbered");
            tell((maker, u32::try_from(fill.price).expect("a tick"), fill.qty));
        }
    }
}

fn lobster_side(side: Side) -> LobsterSide {
    match side {
        Side::Buy => LobsterSide::Bid,
        Side::Sell => LobsterSide::Ask,
    }
}

fn small(lots: u64) -> u32 {
    u32::try_from(lots).expect("a stream's orders are small")
}
