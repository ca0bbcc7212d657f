//! The engine and the reference side by side, fed with the same commands.

use std::collections::{BTreeMap, BTreeSet};

use seawall_env::book::Side;
use seawall_env::book::order::{
    AccountId, Command, Event, Fees, Lots, NetPositions, OrderBook, OrderBookConfig, OrderId, Positions, Request, Trade,
};
use seawall_env::units::Rate;

use crate::reference::Reference;

pub(crate) fn config() -> OrderBookConfig {
    // A rebate for makers: its rounding goes the other way.
    let fees = Fees { maker: Rate::from_raw(-50_000), taker: Rate::from_raw(500_000) };
    OrderBookConfig { ticks: Command::TICKS, orders: 0, fees, ..OrderBookConfig::default() }
}

/// Both books, side by side.
pub(crate) struct Pair {
    pub(crate) book: OrderBook,
    positions: NetPositions,
    reference: Reference,
    /// Accepted orders, oldest first; the reference calls the first one 1.
    names: Vec<OrderId>,
    /// The same, by the engine's name.
    numbers: BTreeMap<OrderId, u64>,
    /// Lots that an order still has, as told by events alone.
    outstanding: BTreeMap<OrderId, u64>,
    /// Every reduce-only order that was accepted.
    reducing: BTreeSet<OrderId>,
    events: Vec<Event>,
    expected: Vec<Event>,
    /// Trades so far, so that a stream that tests nothing shows.
    pub(crate) trades: u64,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self {
            book: OrderBook::new(&config()).expect("valid"),
            positions: NetPositions::default(),
            reference: Reference::new(&config()),
            names: Vec::new(),
            numbers: BTreeMap::new(),
            outstanding: BTreeMap::new(),
            reducing: BTreeSet::new(),
            events: Vec::new(),
            expected: Vec::new(),
            trades: 0,
        }
    }

    /// Does a command in both books, and compares what they tell.
    pub(crate) fn run(&mut self, command: Command) {
        let mut before = self.positions.clone();
        self.events.clear();
        self.expected.clear();
        command.run(&mut self.book, &mut self.positions, &mut self.names, &mut self.events);
        match command {
            Command::Submit(order) => {
                self.reference.submit(order, &mut self.expected);
                self.name_the_new(order.reduce_only);
            }
            Command::Cancel { back } => {
                if let Some(id) = self.numbered(back) {
                    self.reference.cancel(id, &mut self.expected);
                }
            }
            Command::CancelAll { account } => self.reference.cancel_all(account, &mut self.expected),
            Command::Amend { back, tick, lots } => {
                if let Some(id) = self.numbered(back) {
                    self.reference.amend(id, tick, lots, &mut self.expected);
                }
            }
            Command::Shift { account, lots } => {
                before.shift(account, lots);
                *self.reference.positions.entry(account).or_default() += lots;
            }
        }
        let renamed: Vec<_> = self.events.iter().map(|&event| self.rename(event)).collect();
        assert_eq!(renamed, self.expected, "{command:?}");
        self.follow_lots();
        self.follow_positions(before);
    }

    /// Remembers the number of an order that the engine has just accepted.
    fn name_the_new(&mut self, reduce_only: bool) {
        let known = self.numbers.len();
        for &id in &self.names[known..] {
            assert_eq!(self.numbers.insert(id, count(&self.names)), None, "a name was given twice");
            if reduce_only {
                self.reducing.insert(id);
            }
        }
    }

    /// The reference's name of an accepted order.
    fn numbered(&self, back: u32) -> Option<OrderId> {
        let index = Command::index(back, self.names.len())?;
        Some(number(count(&self.names[..=index])))
    }

    /// The same event with the reference's names.
    fn rename(&self, event: Event) -> Event {
        let name = |id: OrderId| number(self.numbers[&id]);
        match event {
            Event::Accepted { order, account, side, limit, lots } => {
                Event::Accepted { order: name(order), account, side, limit, lots }
            }
            Event::Amended { order, tick, lots, kept_rank } => {
                Event::Amended { order: name(order), tick, lots, kept_rank }
            }
            Event::Trade(mut trade) => {
                (trade.maker, trade.taker) = (name(trade.maker), name(trade.taker));
                Event::Trade(trade)
            }
            Event::Cancelled { order, account, lots, reason } => {
                Event::Cancelled { order: name(order), account, lots, reason }
            }
            Event::Done { order, account } => Event::Done { order: name(order), account },
            Event::Rejected { request, reason } => {
                let request = match request {
                    Request::New(account) => Request::New(account),
                    Request::Cancel(id) => Request::Cancel(name(id)),
                    Request::Amend(id) => Request::Amend(name(id)),
                };
                Event::Rejected { request, reason }
            }
        }
    }

    /// Follows every lot through the events, without looking into the book.
    fn follow_lots(&mut self) {
        for event in &self.events {
            let mut less = |order: OrderId, lots: Lots| {
                let left = self.outstanding.get_mut(&order).expect("an order that ended trades on");
                *left = left.checked_sub(lots.0).expect("an order traded more than it had");
            };
            match *event {
                Event::Accepted { order, lots, .. } | Event::Amended { order, lots, .. } => {
                    self.outstanding.insert(order, lots.0);
                }
                Event::Trade(Trade { maker, taker, lots, .. }) => {
                    less(maker, lots);
                    less(taker, lots);
                    self.trades += 1;
                }
                Event::Cancelled { order, lots, .. } => less(order, lots),
                Event::Done { order, .. } => {
                    assert_eq!(self.outstanding.remove(&order), Some(0), "{order:?} ended with a rest");
                }
                Event::Rejected { .. } => {}
            }
        }
    }

    /// Follows positions through the events: a reduce-only order never increases one and never flips it.
    fn follow_positions(&mut self, mut positions: NetPositions) {
        for event in &self.events {
            let Event::Trade(trade) = event else { continue };
            let side = trade.taker_side;
            for (order, account, side) in
                [(trade.maker, trade.maker_account, side.opposite()), (trade.taker, trade.taker_account, side)]
            {
                if self.reducing.contains(&order) && trade.maker_account != trade.taker_account {
                    assert!(positions.reducible(account, side) >= trade.lots, "{order:?} did not only reduce");
                }
            }
            positions.apply(trade);
        }
        assert_eq!(positions, self.positions, "the engine booked other trades than it told");
    }

    /// The two books are equal, order by order, and the engine's is sound.
    pub(crate) fn assert_equal(&self) {
        self.book.assert_consistent();
        let mut engine = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            for (tick, _) in self.book.levels(side) {
                let queue = self.book.queue(tick);
                engine.extend(queue.map(|r| (r.side == Side::Sell, r.tick, self.numbers[&r.order], r.lots)));
            }
        }
        let mut expected: Vec<_> = (self.reference.resting.iter())
            .map(|r| (r.order.side == Side::Sell, r.tick, r.id.raw(), r.order.lots))
            .collect();
        // Stable: one price keeps its order of arrival.
        expected.sort_by_key(|&(ask, tick, ..)| {
            let tick = i64::from(tick.0);
            (ask, if ask { tick } else { -tick })
        });
        assert_eq!(engine, expected);
        let outstanding: u64 = self.outstanding.values().sum();
        let resting: u64 = engine.iter().map(|&(.., Lots(lots))| lots).sum();
        assert_eq!(resting, outstanding, "lots were made or lost");
        for account in (0..5).map(AccountId) {
            let expected = self.reference.positions.get(&account).copied().unwrap_or(0);
            assert_eq!(self.positions.lots(account), expected);
        }
    }
}

fn count<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).expect("a list fits the memory")
}

/// The reference's name of the n-th order.
fn number(number: u64) -> OrderId {
    OrderId::from_raw(number).expect("numbers start at one")
}
