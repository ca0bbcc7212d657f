//! Message streams that a matching engine is measured with: the same for every engine, from a seed.
//!
//! Zero intelligence: limit orders arrive at a random distance from a centre that walks, market orders take, and
//! resting orders are cancelled at a rate proportional to their number, so that the book settles at a size of its
//! own. Because the centre walks, some limit orders trade on arrival and some rest far behind it.
//!
//! Every order has an account of its own, and nothing is reduce-only: an engine without self-trade prevention then
//! makes the same trades, which is what a comparison has to assert.
//!
//! # Reference
//! Smith, Farmer, Gillemot & Krishnamurthy 2003, "Statistical theory of the continuous double auction", §2.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::engine::{OrderBook, OrderBookConfig};
use super::event::Event;
use super::grid::{Lots, Tick};
use super::message::{AccountId, NewOrder, OrderId};
use crate::book::Side;
use crate::rng::{Purpose, SeedTree};

/// One message. Limit orders are numbered from zero in the order of their arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// An order that trades at `tick` or better and rests.
    Limit {
        /// Its side.
        side: Side,
        /// Its price.
        tick: Tick,
        /// Its size.
        lots: Lots,
    },
    /// An order that takes what there is.
    Market {
        /// Its side.
        side: Side,
        /// Its size.
        lots: Lots,
    },
    /// Takes a limit order out that rests.
    Cancel {
        /// Its number.
        order: u32,
    },
}

/// Parameters of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Name, for tables.
    pub name: &'static str,
    /// Number of messages.
    pub messages: u32,
    /// Limit orders arrive within this many ticks of the centre, evenly.
    pub width: u32,
    /// Resting orders at which half of the messages that are no market orders are cancellations.
    pub resting: u32,
    /// Market orders among 1,000 messages.
    pub market_permille: u32,
    /// Messages between two steps of the centre, of one tick up or down.
    pub centre_every: u32,
    /// Largest market order; limit orders are of 1 to 100 lots.
    pub market_lots_max: u32,
}

/// A liquid book: some 120 orders on some 45 prices, and a trade for every eighth message.
pub const SHALLOW: Stream = Stream {
    name: "shallow",
    messages: 1_000_000,
    width: 24,
    resting: 146,
    market_permille: 61,
    centre_every: 200,
    market_lots_max: 100,
};

/// A deep book: some 19,000 orders on some 1,400 prices, and a trade for every eleventh message.
pub const DEEP: Stream = Stream {
    name: "deep",
    messages: 2_000_000,
    width: 750,
    resting: 20_000,
    market_permille: 46,
    centre_every: 200,
    market_lots_max: 100,
};

/// Price that the centre starts from.
const CENTRE: u32 = 30_000;
const LIMIT_LOTS_MAX: u32 = 100;

/// The book that streams are made for: 2¹⁶ prices.
///
/// # Panics
/// Never: the configuration is valid.
#[must_use]
pub fn book() -> OrderBook {
    let config = OrderBookConfig { ticks: 1 << 16, ..OrderBookConfig::default() };
    OrderBook::new(&config).expect("the default grid with fewer prices is valid")
}

impl Stream {
    /// The messages of a seed, and the book as they leave it.
    ///
    /// The generator follows an [`OrderBook`] to know which orders rest, so that every cancellation finds its order.
    #[must_use]
    pub fn generate(&self, seed: u64) -> (Vec<Message>, OrderBook) {
        let mut rng = SeedTree::new(seed).stream(Purpose::Workload, 0);
        let mut replay = Replay::new(book());
        let mut live = Live::default();
        let mut centre = CENTRE;
        let messages = (0..self.messages)
            .map(|number| {
                if number % self.centre_every == 0 {
                    centre = if below(&mut rng, 2) == 0 { centre - 1 } else { centre + 1 };
                }
                let message = self.draw(&mut rng, centre, &live.orders);
                if matches!(message, Message::Limit { .. }) {
                    live.enter(replay.limits());
                }
                for event in replay.apply(message) {
                    if let Event::Done { account, .. } = event {
                        live.leave(account.0);
                    }
                }
                message
            })
            .collect();
        (messages, replay.book)
    }

    fn draw(&self, rng: &mut ChaCha8Rng, centre: u32, live: &[u32]) -> Message {
        let side = if below(rng, 2) == 0 { Side::Buy } else { Side::Sell };
        if below(rng, 1_000) < self.market_permille {
            return Message::Market { side, lots: Lots(1 + u64::from(below(rng, self.market_lots_max))) };
        }
        let resting = u32::try_from(live.len()).expect("fewer orders than messages");
        if below(rng, 2 * self.resting) < resting {
            return Message::Cancel { order: live[below(rng, resting) as usize] };
        }
        let distance = below(rng, self.width);
        let tick = if side == Side::Buy { centre - distance } else { centre + 1 + distance };
        Message::Limit { side, tick: Tick(tick), lots: Lots(1 + u64::from(below(rng, LIMIT_LOTS_MAX))) }
    }
}

/// Uniform in `0..bound`, by Lemire's multiplication; its bias of less than 2⁻³² per bound is of no concern here.
fn below(rng: &mut ChaCha8Rng, bound: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(bound)) >> 32) as u32
}

/// Limit orders that rest, in no order of interest, and where each is in that list.
#[derive(Debug, Default)]
struct Live {
    orders: Vec<u32>,
    place: Vec<u32>,
}

/// Not in the list.
const GONE: u32 = u32::MAX;

impl Live {
    fn enter(&mut self, order: u32) {
        self.place.push(u32::try_from(self.orders.len()).expect("fewer orders than messages"));
        self.orders.push(order);
    }

    fn leave(&mut self, order: u32) {
        // Market orders have accounts beyond those of limit orders.
        let Some(place) = self.place.get_mut(order as usize) else { return };
        let place = std::mem::replace(place, GONE);
        assert!(place != GONE, "order {order} ended twice");
        self.orders.swap_remove(place as usize);
        if let Some(&moved) = self.orders.get(place as usize) {
            self.place[moved as usize] = place;
        }
    }
}

/// Account of every market order.
const TAKER: AccountId = AccountId(u32::MAX);

/// Feeds messages to a book, and remembers the names of the orders.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The book.
    pub book: OrderBook,
    names: Vec<Option<OrderId>>,
    events: Vec<Event>,
}

impl Replay {
    /// Begins with this book, which should be empty.
    #[must_use]
    pub fn new(book: OrderBook) -> Self {
        Self { book, names: Vec::new(), events: Vec::with_capacity(256) }
    }

    /// Makes room for the names of so many messages, so that none of them allocates.
    #[must_use]
    pub fn with_capacity(mut self, messages: usize) -> Self {
        self.names.reserve(messages);
        self
    }

    /// Number of the next limit order, which is also its account.
    #[expect(clippy::cast_possible_truncation, reason = "a stream has fewer than 2³² messages")]
    fn limits(&self) -> u32 {
        self.names.len() as u32
    }

    /// Does what a message says, and returns what happened.
    ///
    /// # Panics
    /// If a cancellation names an order that was never sent.
    #[inline]
    pub fn apply(&mut self, message: Message) -> &[Event] {
        self.events.clear();
        // A refusal is an event like others.
        match message {
            Message::Limit { side, tick, lots } => {
                let order = NewOrder::limit(AccountId(self.limits()), side, tick, lots);
                self.names.push(self.book.submit(order, &mut (), &mut self.events).ok());
            }
            Message::Market { side, lots } => {
                let _ = self.book.submit(NewOrder::market(TAKER, side, lots), &mut (), &mut self.events);
            }
            Message::Cancel { order } => {
                if let Some(id) = self.names[order as usize] {
                    let _ = self.book.cancel(id, &mut self.events);
                }
            }
        }
        &self.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_its_seed() {
        let short = Stream { messages: 5_000, ..SHALLOW };
        assert_eq!(short.generate(1).0, short.generate(1).0);
        assert_ne!(short.generate(1).0, short.generate(2).0);
    }

    #[test]
    fn streams_stay_the_same_so_that_figures_compare_across_versions() {
        for (stream, expected) in [(SHALLOW, (6_019, 156_472)), (DEEP, (4_627, 118_561))] {
            let (messages, _) = Stream { messages: 50_000, ..stream }.generate(7);
            let mut replay = Replay::new(book());
            let (mut trades, mut lots) = (0, 0);
            for &message in &messages {
                for event in replay.apply(message) {
                    if let Event::Trade(trade) = event {
                        trades += 1;
                        lots += trade.lots.0;
                    }
                }
            }
            assert_eq!((trades, lots), expected, "{}", stream.name);
        }
    }

    #[test]
    fn streams_are_as_deep_as_they_say() {
        for (stream, messages, orders, levels, trades_permille) in
            [(SHALLOW, 100_000, 90..150, 35..55, 105..135), (DEEP, 300_000, 16_000..21_000, 1_300..1_600, 70..105)]
        {
            let (sent, book) = Stream { messages, ..stream }.generate(7);
            let sides = [Side::Buy, Side::Sell];
            let ticks: Vec<_> = sides.iter().flat_map(|&side| book.levels(side)).collect();
            let resting: usize = ticks.iter().map(|&(tick, _)| book.queue(tick).count()).sum();
            let mut replay = Replay::new(super::book());
            let mut trades = 0;
            for &message in &sent {
                let events = replay.apply(message);
                trades += events.iter().filter(|event| matches!(event, Event::Trade(_))).count();
                assert!(!events.iter().any(|event| matches!(event, Event::Rejected { .. })), "{message:?}");
            }
            let permille = trades * 1_000 / sent.len();
            assert!(orders.contains(&resting), "{}: {resting} orders", stream.name);
            assert!(levels.contains(&ticks.len()), "{}: {} levels", stream.name, ticks.len());
            assert!(trades_permille.contains(&permille), "{}: {permille} trades in 1,000", stream.name);
        }
    }
}
