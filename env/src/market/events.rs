//! Single events, for whoever asks to hear of them: orders, what deleveraging takes from whom, auctions and how they end,
//! what keepers take over. Validation reads them; totals are in the outcome.
//!
//! Nothing of it is part of a snapshot, and it changes no result.

use super::Market;
use super::ledger::AccountId;
use super::liquidate::Measure;
use crate::units::{Qty, Usd};

/// An order that traded on the home book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What it bought (positive) or sold (negative).
    pub value: Usd,
    /// Whether a liquidation sent it.
    pub forced: bool,
}

/// What one account gave up when another was closed against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concession {
    /// Tick.
    pub tick: u64,
    /// Who gave it up.
    pub winner: AccountId,
    /// Notional that was closed, at mark.
    pub notional: Usd,
    /// What closing at the bankruptcy price gave away against mark; negative where it brought more.
    pub cost: Usd,
    /// Its unrealised profit at mark before, on its whole position.
    pub profit: Usd,
}

/// One run of a falling-price auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuctionRun {
    /// Account whose position was up.
    pub account: AccountId,
    /// Tick at which it started.
    pub start: u64,
    /// Tick at which it ended: the lot was sold, or its time was over and it started again.
    pub end: u64,
    /// Number of the run of the same lot, from zero.
    pub run: u32,
    /// Whether any keeper took any part of it.
    pub had_bid: bool,
}

/// A part of a liquidated position that a keeper took over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takeover {
    /// Tick.
    pub tick: u64,
    /// Account that it came from.
    pub account: AccountId,
    /// Notional at mark.
    pub notional: Usd,
    /// What the keeper paid less than mark, as a share of it.
    pub discount: f64,
    /// Equity over notional of the account before and after; none after where nothing is left.
    pub ratio: [Option<f64>; 2],
}

/// What has happened since it was last cleared, each kind in the order in which it did.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Orders that traded on the home book, of everybody.
    pub orders: Vec<Taken>,
    /// Fills of auto-deleveraging against other accounts.
    pub concessions: Vec<Concession>,
    /// Runs of falling-price auctions that have ended.
    pub auctions: Vec<AuctionRun>,
    /// What keepers took over.
    pub takeovers: Vec<Takeover>,
    /// Runs that go on.
    running: Vec<AuctionRun>,
}

impl Events {
    /// Drops what has been heard; auctions go on.
    pub fn clear(&mut self) {
        self.orders.clear();
        self.concessions.clear();
        self.auctions.clear();
        self.takeovers.clear();
    }

    /// Forgets another episode.
    pub(super) fn forget(&mut self) {
        self.clear();
        self.running.clear();
    }

    fn open(&mut self, account: AccountId, tick: u64) {
        self.running.retain(|run| run.account != account);
        self.running.push(AuctionRun { account, start: tick, end: tick, run: 0, had_bid: false });
    }

    fn bid(&mut self, account: AccountId) {
        if let Some(run) = self.running.iter_mut().find(|run| run.account == account) {
            run.had_bid = true;
        }
    }

    /// Ends a run; `again` starts the next one of the same lot.
    fn end(&mut self, account: AccountId, tick: u64, again: bool) {
        let Some(at) = self.running.iter().position(|run| run.account == account) else { return };
        let ended = AuctionRun { end: tick, ..self.running[at] };
        self.auctions.push(ended);
        if again {
            self.running[at] = AuctionRun { start: tick, end: tick, run: ended.run + 1, had_bid: false, ..ended };
        } else {
            self.running.remove(at);
        }
    }
}

impl Market {
    /// Begins to note single events; memory grows with them until they are cleared.
    pub fn listen(&mut self) {
        self.scratch.events.get_or_insert_default();
    }

    /// What has been noted; nothing unless somebody listens.
    pub fn events_mut(&mut self) -> Option<&mut Events> {
        self.scratch.events.as_deref_mut()
    }

    pub(super) fn note_order(&mut self, value: Usd, forced: bool) {
        if let Some(events) = &mut self.scratch.events {
            events.orders.push(Taken { value, forced });
        }
    }

    /// Notes a fill against a winner that had `profit`, of `qty` coins for which it paid `paid`.
    pub(super) fn note_concession(&mut self, winner: AccountId, profit: Usd, qty: Qty, paid: Usd) {
        let (tick, mark) = (self.state.tick, self.state.prices.mark);
        if let Some(events) = &mut self.scratch.events {
            let cost = paid - qty.value(mark);
            events.concessions.push(Concession { tick, winner, notional: qty.notional(mark), cost, profit });
        }
    }

    pub(super) fn note_auction_opened(&mut self, account: AccountId) {
        let tick = self.state.tick;
        if let Some(events) = &mut self.scratch.events {
            events.open(account, tick);
        }
    }

    /// Notes that a run's time is over and the lot starts again, or that the lot is sold.
    pub(super) fn note_auction_ended(&mut self, account: AccountId, again: bool) {
        let tick = self.state.tick;
        if let Some(events) = &mut self.scratch.events {
            events.end(account, tick, again);
        }
    }

    /// Notes that a keeper took `qty` of an account that stood at `before`.
    pub(super) fn note_takeover(&mut self, account: AccountId, before: Option<Measure>, qty: Qty, discount: f64) {
        let Some(before) = before else { return };
        let (tick, after) = (self.state.tick, self.measure(account));
        let notional = qty.notional(self.state.prices.mark);
        if let Some(events) = &mut self.scratch.events {
            events.bid(account);
            let ratio = [before, after].map(|at| (!at.qty.is_zero()).then(|| at.ratio()));
            events.takeovers.push(Takeover { tick, account, notional, discount, ratio });
        }
    }

    pub(super) const fn is_heard(&self) -> bool {
        self.scratch.events.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_that_ran_out_twice_and_was_sold_is_three_runs() {
        let mut events = Events::default();
        events.open(7, 10);
        events.open(8, 11);
        events.end(7, 20, true);
        events.bid(7);
        events.end(7, 30, true);
        events.bid(7);
        events.end(7, 35, false);
        // Account 8 goes on, and is forgotten when its lot is put up anew.
        events.open(8, 40);
        let runs: Vec<(u64, u64, u32, bool)> =
            events.auctions.iter().map(|run| (run.start, run.end, run.run, run.had_bid)).collect();
        assert_eq!(runs, [(10, 20, 0, false), (20, 30, 1, true), (30, 35, 2, true)]);
        assert_eq!(events.running.len(), 1);
        events.clear();
        assert!(events.auctions.is_empty() && events.running.len() == 1, "auctions go on");
        events.forget();
        assert!(events.running.is_empty());
    }
}
