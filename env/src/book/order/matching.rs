//! An incoming order meets resting ones.

use super::engine::OrderBook;
use super::event::{CancelReason, Event, Trade};
use super::grid::{Lots, Tick};
use super::message::{AccountId, NewOrder, OrderId, SelfTrade};
use super::position::Positions;
use super::slab::NIL;
use crate::book::Side;

/// An accepted order while it trades.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    pub(super) id: OrderId,
    pub(super) account: AccountId,
    pub(super) side: Side,
    /// Worst tick.
    pub(super) limit: u32,
    /// Lots that are still wanted.
    pub(super) left: u64,
    pub(super) self_trade: SelfTrade,
    pub(super) reduce_only: bool,
    pub(super) post_only: bool,
}

impl Taker {
    /// Cancels what exceeds the position that a reduce-only order reduces.
    #[inline]
    pub(super) fn trim(&mut self, cap: u64, events: &mut Vec<Event>) {
        if self.left > cap {
            let excess = self.left - cap;
            self.left = cap;
            events.push(cancelled(self.id, self.account, excess, CancelReason::ReduceOnly));
        }
    }

    /// Shrinks by `lots`, because it met its own account.
    fn shrink(&mut self, lots: u64, events: &mut Vec<Event>) {
        self.left -= lots;
        events.push(cancelled(self.id, self.account, lots, CancelReason::SelfTrade));
    }
}

impl OrderBook {
    /// Trades until nothing is left, the limit is reached or self-trade prevention ends it.
    #[inline]
    pub(super) fn sweep<P: Positions>(&mut self, taker: &mut Taker, positions: &mut P, events: &mut Vec<Event>) {
        while taker.left > 0
            && let Some(tick) = self.ladder.opposite_within(taker.side, taker.limit)
        {
            self.sweep_level(tick, taker, positions, events);
        }
    }

    fn sweep_level<P: Positions>(&mut self, tick: u32, taker: &mut Taker, positions: &mut P, events: &mut Vec<Event>) {
        let at = self.ladder.locate(tick);
        let level = &mut self.ladder.levels[at as usize];
        let maker_side = taker.side.opposite();
        let mut slot = level.head;
        while slot != NIL && taker.left > 0 {
            let maker = &mut self.slab.orders[slot as usize];
            let (id, account) = (OrderId::new(slot, maker.generation), maker.account);
            let before = maker.lots;
            if account == taker.account && taker.self_trade != SelfTrade::Allow {
                maker.lots -= avoid(id, before, taker, events);
            } else {
                if maker.reduce_only {
                    let cap = positions.reducible(account, maker_side).0;
                    if cap < maker.lots {
                        events.push(cancelled(id, account, maker.lots - cap, CancelReason::ReduceOnly));
                        maker.lots = cap;
                    }
                }
                let lots = maker.lots.min(taker.left);
                if lots > 0 {
                    maker.lots -= lots;
                    taker.left -= lots;
                    let (tick, lots) = (Tick(tick), Lots(lots));
                    let (maker_fee, taker_fee) = self.fees.of(self.grid.value(tick, lots));
                    let trade = Trade {
                        maker: id,
                        taker: taker.id,
                        maker_account: account,
                        taker_account: taker.account,
                        taker_side: taker.side,
                        tick,
                        lots,
                        maker_fee,
                        taker_fee,
                    };
                    positions.apply(&trade);
                    events.push(Event::Trade(trade));
                }
            }
            level.lots -= before - maker.lots;
            if maker.lots > 0 {
                break;
            }
            let next = maker.next;
            self.slab.release(slot);
            events.push(Event::Done { order: id, account });
            slot = next;
        }
        level.head = slot;
        if slot == NIL {
            level.tail = NIL;
            self.ladder.vacate(tick, at);
        } else {
            self.slab.orders[slot as usize].prev = NIL;
        }
    }

    /// Whether an order would trade in full at once; see [`super::TimeInForce::FillOrKill`] for what counts.
    pub(super) fn fills(&self, order: &NewOrder, limit: u32) -> bool {
        let mut wanted = order.lots.0;
        for (tick, _) in self.levels(order.side.opposite()) {
            let within = match order.side {
                Side::Buy => tick.0 <= limit,
                Side::Sell => tick.0 >= limit,
            };
            if !within {
                return false;
            }
            for resting in self.queue(tick) {
                if resting.account == order.account && order.self_trade != SelfTrade::Allow {
                    if order.self_trade == SelfTrade::CancelOldest {
                        continue;
                    }
                    return false;
                }
                if resting.reduce_only {
                    continue;
                }
                if resting.lots.0 >= wanted {
                    return true;
                }
                wanted -= resting.lots.0;
            }
        }
        false
    }
}

/// Prevents a self-trade with a resting order of `lots`: shrinks the taker, returns what the maker loses.
#[cold]
fn avoid(maker: OrderId, lots: u64, taker: &mut Taker, events: &mut Vec<Event>) -> u64 {
    let (maker_loses, taker_loses) = match taker.self_trade {
        SelfTrade::CancelNewest => (0, taker.left),
        SelfTrade::CancelOldest => (lots, 0),
        SelfTrade::CancelBoth => (lots, taker.left),
        SelfTrade::DecrementAndCancel => (lots.min(taker.left), lots.min(taker.left)),
        SelfTrade::Allow => unreachable!("an allowed self-trade is not prevented"),
    };
    if maker_loses > 0 {
        events.push(cancelled(maker, taker.account, maker_loses, CancelReason::SelfTrade));
    }
    if taker_loses > 0 {
        taker.shrink(taker_loses, events);
    }
    maker_loses
}

#[inline]
fn cancelled(order: OrderId, account: AccountId, lots: u64, reason: CancelReason) -> Event {
    Event::Cancelled { order, account, lots: Lots(lots), reason }
}
