//! The book itself: what a message does.

use serde::{Deserialize, Serialize};

use super::event::{CancelReason, Event, Reject, Request};
use super::fee::Fees;
use super::grid::{Grid, Lots, Tick};
use super::ladder::{Ladder, NO_ASK, NO_BID};
use super::matching::Taker;
use super::message::{AccountId, Kind, NewOrder, OrderId, TimeInForce};
use super::position::Positions;
use super::slab::{NIL, Order, Slab};
use crate::book::Side;
use crate::error::{Error, Problems};
use crate::units::{Price, Qty};

/// What a book trades, and at what fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderBookConfig {
    /// Distance of two prices. > 0; 0.1 dollars (BTCUSDT perpetual on Binance).
    pub tick_size: Price,
    /// Smallest size. > 0, and `lot_size · tick_size` a whole number of micro-dollars; 0.001 coins (likewise).
    pub lot_size: Qty,
    /// Number of prices: `tick_size · 1 ..= tick_size · ticks`. In [1, 2²⁴); 2²¹, which is 209,715.2 dollars.
    pub ticks: u32,
    /// Fees.
    pub fees: Fees,
    /// Resting orders that need no further memory. At most 2²⁴; 1,024.
    pub orders: u32,
}

impl Default for OrderBookConfig {
    fn default() -> Self {
        Self {
            tick_size: Price::from_raw(100_000),
            lot_size: Qty::from_raw(100_000),
            ticks: 1 << 21,
            fees: Fees::default(),
            orders: 1_024,
        }
    }
}

impl OrderBookConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        self.grid(path, problems);
    }

    fn grid(&self, path: &str, problems: &mut Problems) -> Option<Grid> {
        self.fees.validate(&format!("{path}.fees"), problems);
        problems.require(self.orders <= 1 << 24, format!("{path}.orders"), self.orders, "at most 2^24");
        Grid::new(self.tick_size, self.lot_size, self.ticks, path, problems)
    }
}

/// A price-time-priority book. The rules stand in the [module](super).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderBook {
    pub(super) grid: Grid,
    pub(super) fees: Fees,
    pub(super) ladder: Ladder,
    pub(super) slab: Slab,
}

impl OrderBook {
    /// An empty book.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every field of `config` that is out of its bounds.
    pub fn new(config: &OrderBookConfig) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let (Some(grid), true) = (config.grid("book", &mut problems), problems.0.is_empty()) else {
            return Err(Error::Invalid(problems));
        };
        let slab = Slab::with_capacity(config.orders as usize);
        Ok(Self { grid, fees: config.fees, ladder: Ladder::new(config.ticks), slab })
    }

    /// Prices and sizes of this book.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Enters an order. Appends what happened to `events`, and returns the order's name.
    ///
    /// # Errors
    /// [`Reject`], which is also in `events`.
    #[inline]
    pub fn submit<P: Positions>(
        &mut self,
        order: NewOrder,
        positions: &mut P,
        events: &mut Vec<Event>,
    ) -> Result<OrderId, Reject> {
        let NewOrder { account, side, lots, kind, self_trade, reduce_only } = order;
        let (limit, left) = match self.admit(&order, positions) {
            Ok(admitted) => admitted,
            Err(reason) => {
                events.push(Event::Rejected { request: Request::New(account), reason });
                return Err(reason);
            }
        };
        let id = self.slab.take();
        let (shown, rests, post_only) = match kind {
            Kind::Market => (None, false, false),
            Kind::Limit { tick, life } => {
                let post_only = life == TimeInForce::PostOnly;
                (Some(tick), post_only || life == TimeInForce::GoodTillCancel, post_only)
            }
        };
        events.push(Event::Accepted { order: id, account, side, limit: shown, lots });
        let mut taker = Taker { id, account, side, limit, left: lots.0, self_trade, reduce_only, post_only };
        taker.trim(left, events);
        self.sweep(&mut taker, positions, events);
        self.settle(&taker, rests, events);
        Ok(id)
    }

    /// Takes a resting order out of the book, and returns what was left of it.
    ///
    /// # Errors
    /// [`Reject::UnknownOrder`], which is also in `events`.
    #[inline]
    pub fn cancel(&mut self, id: OrderId, events: &mut Vec<Event>) -> Result<Lots, Reject> {
        let Some(slot) = self.slab.find(id) else {
            return refuse(Request::Cancel(id), Reject::UnknownOrder, events);
        };
        let Order { account, lots, .. } = self.unlink(slot);
        self.slab.release(slot);
        let lots = Lots(lots);
        events.push(Event::Cancelled { order: id, account, lots, reason: CancelReason::Requested });
        events.push(Event::Done { order: id, account });
        Ok(lots)
    }

    /// Takes every resting order of an account out of the book: bids first, the best price first, at one price the
    /// oldest first. Takes time with the number of all resting orders: the engine keeps no list by account.
    ///
    /// # Panics
    /// Never: it cancels what it has just found.
    pub fn cancel_all(&mut self, account: AccountId, events: &mut Vec<Event>) {
        for (side, end) in [(Side::Buy, NO_BID), (Side::Sell, NO_ASK)] {
            let mut tick = if side == Side::Buy { self.ladder.best_bid } else { self.ladder.best_ask };
            while tick != end {
                let at = self.ladder.locate(tick);
                // Before the level may be gone.
                let next_tick = match side {
                    Side::Buy => self.ladder.next_below(tick, at),
                    Side::Sell => self.ladder.next_above(tick, at),
                };
                let mut slot = self.ladder.levels[at as usize].head;
                while slot != NIL {
                    let Order { next, generation, account: owner, .. } = self.slab.orders[slot as usize];
                    if owner == account {
                        self.cancel(OrderId::new(slot, generation), events).expect("it rests");
                    }
                    slot = next;
                }
                tick = next_tick;
            }
        }
    }

    /// Gives a resting order a new price and a new size: what is left of it afterwards, not what it was at first.
    ///
    /// At its old price and not larger it keeps its rank. Otherwise it enters anew under its old name, by the rules
    /// of its time in force, and may trade.
    ///
    /// # Errors
    /// [`Reject`], which is also in `events`; the order then stands as before.
    pub fn amend<P: Positions>(
        &mut self,
        id: OrderId,
        tick: Tick,
        lots: Lots,
        positions: &mut P,
        events: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let request = Request::Amend(id);
        let Some(slot) = self.slab.find(id) else {
            return refuse(request, Reject::UnknownOrder, events);
        };
        let old = self.slab.orders[slot as usize];
        let life = if old.post_only { TimeInForce::PostOnly } else { TimeInForce::GoodTillCancel };
        let kind = Kind::Limit { tick, life };
        let Order { account, side, self_trade, reduce_only, post_only, .. } = old;
        if let Err(reason) = self.in_range(lots, kind) {
            return refuse(request, reason, events);
        }
        if tick.0 == old.tick && lots.0 <= old.lots {
            let at = self.ladder.locate(old.tick);
            self.ladder.levels[at as usize].lots -= old.lots - lots.0;
            self.slab.orders[slot as usize].lots = lots.0;
            events.push(Event::Amended { order: id, tick, lots, kept_rank: true });
            return Ok(());
        }
        let order = NewOrder { account, side, lots, kind, self_trade, reduce_only };
        let (limit, left) = match self.admit(&order, positions) {
            Ok(admitted) => admitted,
            Err(reason) => return refuse(request, reason, events),
        };
        self.unlink(slot);
        events.push(Event::Amended { order: id, tick, lots, kept_rank: false });
        let mut taker = Taker { id, account, side, limit, left: lots.0, self_trade, reduce_only, post_only };
        taker.trim(left, events);
        self.sweep(&mut taker, positions, events);
        self.settle(&taker, true, events);
        Ok(())
    }

    #[inline]
    fn in_range(&self, lots: Lots, kind: Kind) -> Result<(), Reject> {
        if lots.0 == 0 || lots > self.grid.lots_max() {
            return Err(Reject::SizeOutOfRange);
        }
        match kind {
            Kind::Limit { tick, .. } if tick.0 == 0 || tick > self.grid.tick_max() => Err(Reject::PriceOutOfRange),
            _ => Ok(()),
        }
    }

    /// The worst tick and the lots that an order may trade, unless it is refused.
    #[inline]
    fn admit<P: Positions>(&self, order: &NewOrder, positions: &P) -> Result<(u32, u64), Reject> {
        self.in_range(order.lots, order.kind)?;
        let mut left = order.lots.0;
        if order.reduce_only {
            left = left.min(positions.reducible(order.account, order.side).0);
            if left == 0 {
                return Err(Reject::NothingToReduce);
            }
        }
        let Kind::Limit { tick: Tick(limit), life } = order.kind else {
            let worst = if order.side == Side::Buy { self.grid.tick_max().0 } else { 1 };
            return Ok((worst, left));
        };
        match life {
            TimeInForce::PostOnly if self.ladder.opposite_within(order.side, limit).is_some() => Err(Reject::WouldTake),
            TimeInForce::FillOrKill if left < order.lots.0 || !self.fills(order, limit) => Err(Reject::Unfillable),
            _ => Ok((limit, left)),
        }
    }

    /// After its trades an order rests, or ends.
    #[inline]
    fn settle(&mut self, taker: &Taker, rests: bool, events: &mut Vec<Event>) {
        let &Taker { id, account, left, .. } = taker;
        if left > 0 && rests {
            self.rest(taker);
            return;
        }
        if left > 0 {
            let lots = Lots(left);
            events.push(Event::Cancelled { order: id, account, lots, reason: CancelReason::Unfilled });
        }
        self.slab.release(id.slot());
        events.push(Event::Done { order: id, account });
    }

    #[inline]
    fn rest(&mut self, taker: &Taker) {
        let slot = taker.id.slot();
        let at = self.ladder.occupy(taker.side, taker.limit);
        let level = &mut self.ladder.levels[at as usize];
        let prev = level.tail;
        level.tail = slot;
        level.lots += taker.left;
        if prev == NIL {
            level.head = slot;
        } else {
            self.slab.orders[prev as usize].next = slot;
        }
        self.slab.orders[slot as usize] = Order {
            lots: taker.left,
            next: NIL,
            prev,
            tick: taker.limit,
            account: taker.account,
            generation: taker.id.generation(),
            side: taker.side,
            self_trade: taker.self_trade,
            post_only: taker.post_only,
            reduce_only: taker.reduce_only,
        };
    }

    /// Takes an order out of its level; its place stays taken.
    #[inline]
    fn unlink(&mut self, slot: u32) -> Order {
        let order = self.slab.orders[slot as usize];
        let at = self.ladder.locate(order.tick);
        let level = &mut self.ladder.levels[at as usize];
        level.lots -= order.lots;
        if order.prev == NIL {
            level.head = order.next;
        } else {
            self.slab.orders[order.prev as usize].next = order.next;
        }
        if order.next == NIL {
            level.tail = order.prev;
        } else {
            self.slab.orders[order.next as usize].prev = order.prev;
        }
        if level.head == NIL {
            self.ladder.vacate(order.tick, at);
        }
        order
    }
}

#[cold]
fn refuse<T>(request: Request, reason: Reject, events: &mut Vec<Event>) -> Result<T, Reject> {
    events.push(Event::Rejected { request, reason });
    Err(reason)
}
