//! Where orders live: 32 bytes each, reused last in, first out, so that a busy book stays in the cache.

use serde::{Deserialize, Serialize};

use super::message::{AccountId, OrderId, SelfTrade};
use crate::book::Side;

/// No order.
pub(super) const NIL: u32 = u32::MAX;

/// A resting order, or a vacant place with `lots == 0`, whose `next` is the next vacant place.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) lots: u64,
    pub(super) next: u32,
    pub(super) prev: u32,
    pub(super) tick: u32,
    pub(super) account: AccountId,
    /// Of the order that is here or, in a vacant place, will be.
    pub(super) generation: u32,
    pub(super) side: Side,
    pub(super) self_trade: SelfTrade,
    pub(super) post_only: bool,
    pub(super) reduce_only: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slab {
    pub(super) orders: Vec<Order>,
    vacant: u32,
}

impl Slab {
    pub(super) fn with_capacity(orders: usize) -> Self {
        Self { orders: Vec::with_capacity(orders), vacant: NIL }
    }

    /// Takes a vacant place and the name of the order that will stand there.
    #[inline]
    pub(super) fn take(&mut self) -> OrderId {
        if self.vacant == NIL {
            self.grow();
        }
        let slot = self.vacant;
        let place = &self.orders[slot as usize];
        self.vacant = place.next;
        OrderId::new(slot, place.generation)
    }

    #[cold]
    fn grow(&mut self) {
        let slot = u32::try_from(self.orders.len()).ok().filter(|&slot| slot != NIL).expect("2³² orders rest");
        self.orders.push(Order {
            lots: 0,
            next: NIL,
            prev: NIL,
            tick: 0,
            account: AccountId(0),
            generation: 1,
            side: Side::Buy,
            self_trade: SelfTrade::CancelNewest,
            post_only: false,
            reduce_only: false,
        });
        self.vacant = slot;
    }

    /// Gives a place back. Its next order has another name; a place that has run out of names is left empty.
    #[inline]
    pub(super) fn release(&mut self, slot: u32) {
        let place = &mut self.orders[slot as usize];
        place.lots = 0;
        if place.generation == u32::MAX {
            return;
        }
        place.generation += 1;
        place.next = self.vacant;
        self.vacant = slot;
    }

    /// Place of a resting order.
    #[inline]
    pub(super) fn find(&self, id: OrderId) -> Option<u32> {
        let order = self.orders.get(id.slot() as usize)?;
        (order.generation == id.generation() && order.lots > 0).then_some(id.slot())
    }

    /// Places from `head` on, by what comes next.
    pub(super) fn chain(&self, head: u32) -> impl Iterator<Item = u32> {
        let some = |slot: u32| Some(slot).filter(|&slot| slot != NIL);
        std::iter::successors(some(head), move |&slot| some(self.orders[slot as usize].next))
    }

    /// Vacant places that can be taken without growing.
    pub(super) fn vacancies(&self) -> usize {
        self.chain(self.vacant).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_thirty_two_bytes() {
        assert_eq!(size_of::<Order>(), 32);
    }

    #[test]
    fn a_name_is_not_given_twice() {
        let mut slab = Slab::with_capacity(0);
        let first = slab.take();
        slab.release(first.slot());
        let second = slab.take();
        assert_eq!(first.slot(), second.slot());
        assert_ne!(first, second);

        // The last name of a place: after it the place stays empty.
        slab.orders[second.slot() as usize].generation = u32::MAX;
        slab.release(second.slot());
        assert_ne!(slab.take().slot(), second.slot());
    }
}
