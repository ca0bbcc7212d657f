//! Arbitrageurs buy where an asset is cheap and sell where it is dear, with money of their own on each venue.
//!
//! A position is limited by the equity on its own venue. Prices that move against one leg take money there and give
//! it elsewhere; it comes back by transfer, which takes its time. Until then the arbitrageur is full, and a basis can
//! open.

use serde::{Deserialize, Serialize};

use super::Economy;
use super::config::VENUES_MAX;
use crate::book::{Book, Side};
use crate::market::{AccountId, Market};
use crate::units::{Qty, Usd};

/// Share of its part in all of its money below which a venue is sent more.
const POOR: f64 = 0.5;
/// Smallest transfer, and smallest open leg worth an order, in dollars.
const LEAST: f64 = 1_000.0;

/// Money on its way between two venues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Transfer {
    /// Tick of its arrival.
    due: u64,
    /// Instrument whose market it arrives at.
    to: usize,
    id: AccountId,
    amount: Usd,
}

/// One arbitrageur's view of one asset.
struct Desk {
    /// Instruments by venue, and how many.
    at: [usize; VENUES_MAX],
    /// Account by venue.
    ids: [AccountId; VENUES_MAX],
    venues: usize,
}

impl Economy {
    /// Arrivals, then every arbitrageur that looks in this tick.
    pub(super) fn arbitrage(&mut self) {
        if self.structure.venues == 1 {
            return;
        }
        self.receive();
        let tick = self.state.tick;
        let config = &self.structure.arbitrage;
        let (count, latency) = (config.count, u64::from(config.latency));
        for asset in 0..self.structure.assets {
            for k in (0..count).filter(|&k| (tick + u64::from(k)).is_multiple_of(latency)) {
                let desk = self.desk(asset, k);
                self.look(&desk);
                self.rebalance_cash(&desk);
            }
        }
    }

    fn desk(&self, asset: usize, k: u32) -> Desk {
        let mut desk = Desk { at: [0; VENUES_MAX], ids: [0; VENUES_MAX], venues: self.structure.venues };
        for venue in 0..desk.venues {
            desk.at[venue] = self.structure.at(venue, asset);
            desk.ids[venue] = self.markets[desk.at[venue]].arbitrageurs().start + k;
        }
        desk
    }

    fn receive(&mut self) {
        let tick = self.state.tick;
        let due = |transfer: &Transfer| transfer.due <= tick;
        // Transfers are sent in order and all take the same time, so the first are the first to arrive.
        while self.state.transfers.first().is_some_and(due) {
            let Transfer { to, id, amount, .. } = self.state.transfers.remove(0);
            self.move_money(to, id, amount);
        }
    }

    fn look(&mut self, desk: &Desk) {
        let trading = |venue: &usize| self.markets[desk.at[*venue]].is_trading();
        let mid = |venue: usize| self.markets[desk.at[venue]].state().book.mid();
        let open = || (0..desk.venues).filter(trading);
        let by_price = |a: &usize, b: &usize| mid(*a).total_cmp(&mid(*b)).then(a.cmp(b));
        let (Some(cheap), Some(dear)) = (open().min_by(by_price), open().max_by(by_price)) else { return };
        if cheap == dear {
            return;
        }
        let gap = mid(dear) / mid(cheap) - 1.0;
        let half_spread = |venue: usize| self.markets[desk.at[venue]].state().book.half_spread();
        let cost = half_spread(cheap) + half_spread(dear) + self.structure.fees[cheap] + self.structure.fees[dear];
        if gap > self.structure.arbitrage.band_bp * 1e-4 + cost {
            self.trade_pair(desk, [cheap, dear], gap);
        } else {
            self.carry_back(desk);
        }
    }

    /// Position, in dollars at mid.
    fn position(&self, desk: &Desk, venue: usize) -> f64 {
        let state = self.markets[desk.at[venue]].state();
        state.ledger.qty(desk.ids[venue]).as_f64() * state.book.mid()
    }

    fn equity_at(&self, desk: &Desk, venue: usize) -> f64 {
        self.markets[desk.at[venue]].equity_at_mark(desk.ids[venue]).as_f64()
    }

    /// Sells dear and buys cheap, as far as both books within half the gap and the money on both venues go.
    fn trade_pair(&mut self, desk: &Desk, [cheap, dear]: [usize; 2], gap: f64) {
        let book = |venue: usize| &self.markets[desk.at[venue]].state().book;
        let depth = book(cheap).depth(Side::Buy, 0.5 * gap).min(book(dear).depth(Side::Sell, 0.5 * gap));
        let mid = book(cheap).mid();
        let room = |venue: usize, side: Side| self.markets[desk.at[venue]].arbitrage_room(desk.ids[venue], side);
        let room = room(cheap, Side::Buy).min(room(dear, Side::Sell)) / mid;
        let coins = (self.structure.arbitrage.aggression * depth).min(room);
        let qty = Qty::from_f64(coins.max(0.0));
        if qty.is_zero() {
            return;
        }
        let sold = self.markets[desk.at[dear]].arbitrage_leg(desk.ids[dear], -qty);
        if !sold.qty.is_zero() {
            self.markets[desk.at[cheap]].arbitrage_leg(desk.ids[cheap], -sold.qty);
        }
    }

    /// Inside the band a leg without its other is closed, and pairs go back a little at a time.
    fn carry_back(&mut self, desk: &Desk) {
        let trading = |venue: &usize| self.markets[desk.at[*venue]].is_trading();
        let position = |venue: usize| self.position(desk, venue);
        let largest = |sign: f64| {
            let by = |a: &usize, b: &usize| (sign * position(*a)).total_cmp(&(sign * position(*b))).then(b.cmp(a));
            (0..desk.venues).filter(trading).max_by(by).map(|venue| (venue, (sign * position(venue)).max(0.0)))
        };
        let (Some((long, held_long)), Some((short, held_short))) = (largest(1.0), largest(-1.0)) else { return };
        let net = (0..desk.venues).map(position).sum::<f64>();
        let mid = self.markets[desk.at[long]].state().book.mid();
        if net.abs() > LEAST {
            let (venue, held) = if net > 0.0 { (long, held_long) } else { (short, held_short) };
            let coins = Qty::from_f64(net.abs().min(held) / mid);
            let qty = if net > 0.0 { -coins } else { coins };
            if !qty.is_zero() {
                self.markets[desk.at[venue]].arbitrage_leg(desk.ids[venue], qty);
            }
            return;
        }
        let config = &self.structure.arbitrage;
        let share = (self.structure.seconds * f64::from(config.latency) / config.unwind).min(1.0);
        let qty = Qty::from_f64(held_long.min(held_short) * share / mid);
        if qty.is_zero() {
            return;
        }
        let sold = self.markets[desk.at[long]].arbitrage_leg(desk.ids[long], -qty);
        if !sold.qty.is_zero() {
            self.markets[desk.at[short]].arbitrage_leg(desk.ids[short], -sold.qty);
        }
    }

    /// Sends money to the venue that is shortest of it, from the one that has most beyond its part and its positions.
    fn rebalance_cash(&mut self, desk: &Desk) {
        let mut spare = [0.0; VENUES_MAX];
        let mut part = [0.0; VENUES_MAX];
        let mut equity = [0.0; VENUES_MAX];
        let (mut all, mut endowed) = (0.0, 0.0);
        for venue in 0..desk.venues {
            equity[venue] = self.equity_at(desk, venue);
            part[venue] = self.markets[desk.at[venue]].arbitrage_limit();
            all += equity[venue];
            endowed += part[venue];
        }
        for venue in 0..desk.venues {
            part[venue] *= all.max(0.0) / endowed.max(1.0);
            spare[venue] = equity[venue] - part[venue].max(self.position(desk, venue).abs());
        }
        let most = |values: &[f64; VENUES_MAX]| {
            (0..desk.venues).max_by(|a, b| values[*a].total_cmp(&values[*b]).then(b.cmp(a))).expect("venues")
        };
        let mut missing = [0.0; VENUES_MAX];
        for venue in 0..desk.venues {
            missing[venue] = if equity[venue] < POOR * part[venue] { part[venue] - equity[venue] } else { 0.0 };
        }
        let (to, from) = (most(&missing), most(&spare));
        let amount = Usd::from_f64(missing[to].min(spare[from]).max(0.0));
        let (target, id) = (desk.at[to], desk.ids[to]);
        let under_way = self.state.transfers.iter().any(|other| other.to == target && other.id == id);
        if amount.as_f64() < LEAST || under_way {
            return;
        }
        self.move_money(desk.at[from], desk.ids[from], -amount);
        let due = self.state.tick + self.structure.transfer_ticks;
        self.state.transfers.push(Transfer { due, to: target, id, amount });
    }

    /// Money on its way between venues.
    #[must_use]
    pub fn in_transit(&self) -> Usd {
        self.state.transfers.iter().map(|transfer| transfer.amount).sum()
    }

    /// Dollars that all arbitrageurs on all venues were endowed with.
    #[must_use]
    pub fn arbitrage_endowment(&self) -> f64 {
        let of = |market: &Market| market.arbitrage_limit() * f64::from(self.structure.arbitrage.count);
        self.markets.iter().map(of).sum()
    }

    /// Share of arbitrageurs' money that their positions use: the largest over venues.
    #[must_use]
    pub fn arbitrage_use(&self) -> f64 {
        let structure = &self.structure;
        let of = |venue: usize| {
            let (mut used, mut money) = (0.0, 0.0);
            for market in &self.markets[structure.at(venue, 0)..structure.at(venue + 1, 0)] {
                let mark = market.state().prices.mark;
                for id in market.arbitrageurs() {
                    used += market.state().ledger.qty(id).notional(mark).as_f64();
                    money += market.equity_at_mark(id).as_f64();
                }
            }
            used / money.max(1.0)
        };
        (0..structure.venues).map(of).fold(0.0, f64::max)
    }
}
