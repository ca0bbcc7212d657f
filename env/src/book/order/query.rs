//! What the book looks like, without changing it.

use super::engine::OrderBook;
use super::grid::{Lots, Tick};
use super::ladder::{NO_ASK, NO_BID};
use super::message::{AccountId, OrderId};
use super::slab::NIL;
use crate::book::Side;

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its name.
    pub order: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Which side it takes.
    pub side: Side,
    /// Its price.
    pub tick: Tick,
    /// What is left of it.
    pub lots: Lots,
    /// Whether it may only make the account's position smaller.
    pub reduce_only: bool,
}

impl OrderBook {
    /// Highest price at which somebody buys.
    #[inline]
    #[must_use]
    pub fn best_bid(&self) -> Option<Tick> {
        (self.ladder.best_bid != NO_BID).then_some(Tick(self.ladder.best_bid))
    }

    /// Lowest price at which somebody sells.
    #[inline]
    #[must_use]
    pub fn best_ask(&self) -> Option<Tick> {
        (self.ladder.best_ask != NO_ASK).then_some(Tick(self.ladder.best_ask))
    }

    /// Lots that rest at a price; a reduce-only order counts in full.
    #[must_use]
    pub fn lots_at(&self, tick: Tick) -> Lots {
        Lots(self.ladder.find(tick.0).map_or(0, |at| self.ladder.levels[at as usize].lots))
    }

    /// Prices with resting orders of `side`, best first, and the lots there.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Tick, Lots)> {
        let mut tick = match side {
            Side::Buy => self.ladder.best_bid,
            Side::Sell => self.ladder.best_ask,
        };
        std::iter::from_fn(move || {
            if tick == NO_BID || tick == NO_ASK {
                return None;
            }
            let (here, at) = (tick, self.ladder.locate(tick));
            tick = match side {
                Side::Buy => self.ladder.next_below(tick, at),
                Side::Sell => self.ladder.next_above(tick, at),
            };
            Some((Tick(here), Lots(self.ladder.levels[at as usize].lots)))
        })
    }

    /// Orders that rest at a price, oldest first.
    pub fn queue(&self, tick: Tick) -> impl Iterator<Item = Resting> {
        let head = self.ladder.find(tick.0).map_or(NIL, |at| self.ladder.levels[at as usize].head);
        self.slab.chain(head).map(|slot| self.resting(slot))
    }

    /// A resting order, unless it is done.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<Resting> {
        self.slab.find(id).map(|slot| self.resting(slot))
    }

    fn resting(&self, slot: u32) -> Resting {
        let order = &self.slab.orders[slot as usize];
        Resting {
            order: OrderId::new(slot, order.generation),
            account: order.account,
            side: order.side,
            tick: Tick(order.tick),
            lots: Lots(order.lots),
            reduce_only: order.reduce_only,
        }
    }

    /// Checks the whole book, for tests and after a restore. Takes time with the number of orders and pages.
    ///
    /// # Panics
    /// If the book is crossed, a queue and its level disagree, a level and its bitmap disagree, or a place of the
    /// slab is neither in a queue nor vacant nor retired.
    pub fn assert_consistent(&self) {
        assert!(self.ladder.best_bid < self.ladder.best_ask, "the book is crossed");
        let mut resting = 0;
        let mut occupied = 0;
        for side in [Side::Buy, Side::Sell] {
            for (tick, lots) in self.levels(side) {
                occupied += 1;
                let at = self.ladder.find(tick.0).expect("an occupied level has a page");
                let level = self.ladder.levels[at as usize];
                let (mut sum, mut prev) = (0, NIL);
                for slot in self.slab.chain(level.head) {
                    let order = &self.slab.orders[slot as usize];
                    assert!(order.lots > 0, "an order of nothing rests at {tick:?}");
                    assert_eq!((order.side, order.tick), (side, tick.0), "an order stands in a foreign queue");
                    assert_eq!(order.prev, prev, "the queue at {tick:?} is not linked backwards");
                    resting += 1;
                    sum += order.lots;
                    prev = slot;
                }
                assert_eq!(level.tail, prev, "the queue at {tick:?} does not end at its tail");
                assert!(prev != NIL, "an occupied level without an order at {tick:?}");
                assert_eq!(lots, Lots(sum), "the level at {tick:?} does not sum up");
            }
        }
        let filled = self.ladder.levels.iter().filter(|level| level.head != NIL).count();
        assert_eq!(filled, occupied, "a level is not in the bitmap");
        let retired = self.slab.orders.iter().filter(|o| o.lots == 0 && o.generation == u32::MAX).count();
        assert_eq!(resting + self.slab.vacancies() + retired, self.slab.orders.len(), "a place is lost");
    }
}
