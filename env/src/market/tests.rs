//! Single stages of a market set up by hand, where black-box tests cannot reach.

use std::sync::Arc;

use super::indexing::position_of;
use super::{Abroad, AccountId, Market, Site};

mod allocation;
mod backstop;
mod depeg;
mod desk;
mod events;
mod execution;
mod pacing;
mod percolator;
mod ratio;
mod schemes;
mod sizes;
mod spare;
mod withdraw;

use crate::action::Controls;
use crate::liquidation::{Pipeline, presets};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::units::{Price, Qty, Usd};

fn market(id: &str, preset: &str) -> Market {
    let mut scenario = Scenario::shipped(id).unwrap();
    scenario.traders.accounts = 256;
    // Funding would settle in between; its own invariant is tested elsewhere.
    scenario.funding.interval = 86_400.0;
    Site::new(Arc::new(scenario), presets::by_name(preset).unwrap()).open(3)
}

/// A calm market under `legacy_full` with some slots replaced, and no liquidation fee.
fn venue(change: impl FnOnce(&mut Pipeline)) -> Market {
    let mut scenario = Scenario::shipped("calm").unwrap();
    scenario.traders.accounts = 256;
    scenario.funding.interval = 86_400.0;
    scenario.venue.liquidation_fee_bp = 0.0;
    let mut pipeline = presets::by_name("legacy_full").unwrap();
    change(&mut pipeline);
    Site::new(Arc::new(scenario), pipeline).open(3)
}

fn usd(dollars: f64) -> Usd {
    Usd::from_f64(dollars)
}

impl Market {
    /// Gives a flat trader a position against the makers (negative is short), with equity of this share of maintenance.
    fn distressed(&mut self, notional: f64, health: f64) -> AccountId {
        let id = (0..self.fixed.traders).find(|&id| self.state.ledger.qty(id).is_zero()).unwrap();
        let mark = self.state.prices.mark;
        let qty = Qty::from_f64(notional / mark.as_f64());
        let value = qty.value(mark);
        self.state.ledger.trade(id, qty, value);
        self.give_to_pool(-qty, -value);
        let maintenance = self.measure(id).maintenance;
        self.endow(id, usd(health * maintenance.as_f64()));
        id
    }

    /// Liquidates for one tick in which nothing else happens.
    fn pass(&mut self) {
        self.liquidate(&mut Abroad::default());
        self.settle_makers();
        self.state.tick += 1;
        self.state.ledger.assert_invariants();
    }

    fn held(&self, id: AccountId) -> f64 {
        self.state.ledger.qty(id).notional(self.state.prices.mark).as_f64()
    }

    fn cash_of_all(&self) -> Vec<Usd> {
        (0..=self.fixed.vault).map(|id| self.state.ledger.cash(id)).collect()
    }

    fn largest_long(&self) -> AccountId {
        (0..self.fixed.traders).max_by_key(|&id| self.state.ledger.qty(id)).unwrap()
    }

    fn positions(&self) -> Vec<Qty> {
        (0..=self.fixed.fund).map(|id| self.state.ledger.qty(id)).collect()
    }

    /// Gives an account this equity at mark.
    fn endow(&mut self, id: AccountId, equity: Usd) {
        let missing = equity - self.state.ledger.equity(id, self.state.prices.mark);
        self.state.ledger.deposit(id, missing);
        self.touched(id);
    }

    /// Puts every short that is not in `spared` at a loss.
    fn turn_shorts_into_losers(&mut self, spared: &[AccountId]) {
        let entry = Price::from_raw(self.state.prices.mark.raw() / 2);
        for id in (0..self.fixed.fund).filter(|id| !spared.contains(id)) {
            if self.state.ledger.qty(id).is_negative() {
                self.state.ledger.backdate(id, entry);
            }
        }
    }

    fn assert_bad_debt_adds_up(&self) {
        let Outcome { bad_debt, covered_by_fund, haircut, socialised, written_off, .. } = *self.outcome();
        assert_eq!(bad_debt, covered_by_fund + haircut + socialised + written_off, "M8");
        self.state.ledger.assert_invariants();
    }
}

#[test]
fn deleveraging_only_reduces_winners_and_never_flips_them() {
    // M6, for the queue and for all winners in proportion.
    for preset in ["legacy_full", "seawall"] {
        let mut market = market("calm", preset);
        let victim = market.largest_long();
        let equity = Usd::from_f64(-5_000.0);
        market.endow(market.fixed.fund, Usd::ZERO);
        market.endow(victim, equity);
        let before = market.positions();
        let notional = before[victim as usize].notional(market.state.prices.mark);
        assert!(market.fall_back(victim, equity, notional), "{preset}: winners can carry it");
        let after = market.positions();
        let closed = before[victim as usize];
        let mut given_up = Qty::ZERO;
        for (id, (before, after)) in before.iter().zip(&after).enumerate() {
            if id != victim as usize {
                assert!(after.abs() <= before.abs(), "{preset}: account {id} grew");
                assert!(after.is_zero() || after.signum() == before.signum(), "{preset}: account {id} flipped");
                given_up += before.abs() - after.abs();
            }
        }
        assert_eq!(given_up, closed);
        assert_eq!(market.outcome().haircut, -equity);
        assert_eq!(market.state.ledger.cash(victim), Usd::ZERO, "closed at the bankruptcy price");
        market.assert_bad_debt_adds_up();
    }
}

#[test]
fn winners_come_after_a_fund_that_can_pay() {
    // M5.
    let mut market = market("calm", "legacy_full");
    let victim = market.largest_long();
    let equity = Usd::from_f64(-5_000.0);
    market.endow(victim, equity);
    market.endow(market.fixed.fund, Usd::from_f64(1e9));
    let before = market.positions();
    let notional = before[victim as usize].notional(market.state.prices.mark);
    assert!(!market.fall_back(victim, equity, notional));
    assert_eq!(market.positions(), before);
}

#[test]
fn a_partly_deleveraged_account_sells_only_what_is_left() {
    // Cause: the size to sell was measured before winners took their part, so the account ended on the other side.
    let mut market = market("calm", "legacy_full");
    let victim = market.largest_long();
    market.endow(market.fixed.fund, Usd::ZERO);
    market.endow(victim, Usd::from_f64(-5_000.0));
    let size = market.state.ledger.qty(victim);
    // One winner, and a small one.
    let shorts = |market: &Market, id: &AccountId| market.state.ledger.qty(*id).is_negative();
    let winner = (0..market.fixed.traders)
        .filter(|id| shorts(&market, id))
        .max_by_key(|&id| market.state.ledger.qty(id))
        .unwrap();
    market.turn_shorts_into_losers(&[winner]);
    let entry = Price::from_raw(2 * market.state.prices.mark.raw());
    market.state.ledger.backdate(winner, entry);
    let taken = market.state.ledger.qty(winner).abs();
    assert!(!taken.is_zero() && taken < size);
    market.liquidate(&mut Abroad::default());
    market.settle_makers();
    assert!(market.state.ledger.qty(winner).is_zero(), "the winner was closed");
    assert!(!market.state.ledger.qty(victim).is_negative(), "the account ended short");
    market.assert_bad_debt_adds_up();
}

#[test]
fn without_winners_nothing_is_deleveraged() {
    let mut market = market("calm", "legacy_full");
    let victim = market.largest_long();
    let equity = Usd::from_f64(-5_000.0);
    market.endow(market.fixed.fund, Usd::ZERO);
    market.endow(victim, equity);
    market.turn_shorts_into_losers(&[]);
    let notional = market.state.ledger.qty(victim).notional(market.state.prices.mark);
    assert!(!market.fall_back(victim, equity, notional));
    assert_eq!((market.outcome().first_deleveraging, market.outcome().deleveraged), (None, Usd::ZERO));
    market.assert_bad_debt_adds_up();
}

#[test]
fn a_deficit_is_paid_by_the_fund_first_then_by_winners_within_their_profit() {
    // M5.
    let fund_money = Usd::from_f64(1_000.0);
    for (deficit, from_winners) in [(Usd::from_f64(400.0), Usd::ZERO), (Usd::from_f64(2_500.0), Usd::from_f64(1_500.0))]
    {
        let mut market = market("calm", "legacy_full");
        let mark = market.state.prices.mark;
        let (fund, flat) =
            (market.fixed.fund, (0..market.fixed.traders).find(|&id| market.state.ledger.qty(id).is_zero()));
        let flat = flat.unwrap();
        market.endow(fund, fund_money);
        market.endow(flat, -deficit);
        let equities =
            |market: &Market| -> Vec<Usd> { (0..fund).map(|id| market.state.ledger.equity(id, mark)).collect() };
        let before = equities(&market);
        market.cover_deficit(flat, 1);
        assert_eq!(market.outcome().covered_by_fund, deficit - from_winners);
        assert_eq!(market.outcome().socialised, from_winners);
        assert_eq!(market.outcome().written_off, Usd::ZERO);
        assert_eq!(market.state.ledger.equity(fund, mark), fund_money - (deficit - from_winners));
        for (id, (before, after)) in (0..fund).zip(before.iter().zip(equities(&market))) {
            if id != flat {
                let qty = market.state.ledger.qty(id);
                let profit = qty.value(mark) - qty.value(market.state.ledger.entry(id));
                let paid = *before - after;
                assert!(paid >= Usd::ZERO && paid <= profit.positive_part(), "account {id} paid {paid} of {profit}");
            }
        }
        market.assert_bad_debt_adds_up();
    }
}

#[test]
fn a_deficit_beyond_all_profits_is_written_off() {
    let mut market = market("calm", "legacy_full");
    let flat = (0..market.fixed.traders).find(|&id| market.state.ledger.qty(id).is_zero()).unwrap();
    market.endow(market.fixed.fund, Usd::ZERO);
    market.endow(flat, Usd::from_f64(-1e9));
    market.cover_deficit(flat, 1);
    assert!(market.outcome().written_off > Usd::ZERO && market.outcome().socialised > Usd::ZERO);
    assert_eq!(-market.state.ledger.deficit(), market.outcome().written_off);
    market.assert_bad_debt_adds_up();
}

#[test]
fn the_index_finds_everybody_who_is_short_of_margin() {
    let mut market = market("crash_day", "seawall");
    let mut found = 0;
    for tick in 0..9_000_u32 {
        if tick.is_multiple_of(300) {
            let preemption = 50.0 * f64::from(tick / 300 % 5);
            market.set_controls(Controls { preemption, ..Controls::default() });
        }
        let before = *market.outcome();
        market.tick();
        let after = market.outcome();
        found += after.liquidated_accounts - before.liquidated_accounts;
        if (after.deleveraged, after.socialised) != (before.deleveraged, before.socialised) {
            // Winners paid after the search; theirs is the next tick.
            continue;
        }
        let (mark, funding) = (market.state.prices.mark, market.state.ledger.funding());
        let adjustment = market.state.adjustment(1.0);
        for id in 0..market.fixed.traders {
            let position = position_of(&market.state.ledger, id);
            if !position.qty.is_zero() && !market.state.in_liquidation[id as usize] {
                let short = market.schedule().is_short(&position, mark, funding, adjustment);
                assert!(!short, "account {id} is short of margin at tick {tick} and was not found");
            }
        }
    }
    assert!(found > 10, "only {found} accounts were ever short");
}
