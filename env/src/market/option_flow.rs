//! The desk trades: hedgers leave their delta on the home book, customers open and close.

use std::sync::Arc;

use super::Market;
use super::desk::{Desk, exact, ticks};
use super::desk_setup::{DeskRules, formula};
use crate::participants::option_makers::Quoted;
use crate::participants::traders::poisson;
use crate::units::{Price, Qty, Usd};

/// Most actions of customers in one tick.
const MOST: u32 = 8;
/// Worst price of a hedge, relative to mark: 1 %. What does not fill is left for the next look.
const HEDGE_LIMIT: f64 = 0.01;
/// Smallest hedge worth an order, in dollars.
const LEAST_HEDGE: f64 = 100.0;

impl Market {
    pub(super) fn trade_options(&mut self) {
        let Some(mut desk) = self.state.desk.take() else { return };
        if !self.is_halted() {
            let fixed = Arc::clone(&self.fixed);
            let rules = fixed.desk.as_ref().expect("a market with a desk has its rules");
            self.hedge_deltas(rules, &mut desk);
            self.serve_customers(rules, &mut desk);
        }
        self.state.desk = Some(desk);
    }

    /// Everybody who hedges looks at his delta once in a while, each at his own time.
    fn hedge_deltas(&mut self, rules: &DeskRules, desk: &mut Desk) {
        let price = self.state.prices.mark.as_f64();
        for account in 0..desk.len() {
            let customer = desk.customers.get(account);
            let (every, band) = match customer {
                Some(customer) if !customer.style.hedges() => continue,
                Some(_) => (rules.hedge_ticks[0], rules.config.customers.hedge_band),
                None => (rules.hedge_ticks[1], rules.config.makers.hedge_band),
            };
            let id = desk.id(account);
            if !(self.state.tick + account as u64).is_multiple_of(every) || self.state.in_liquidation[id as usize] {
                continue;
            }
            let delta = desk.delta(account) + self.state.ledger.qty(id).as_f64();
            if delta.abs() > band * desk.gross(account) && delta.abs() * price >= LEAST_HEDGE {
                let fill = self.trade(id, Qty::from_f64(-delta), Some(HEDGE_LIMIT), false);
                desk.outcome.hedging_volume += fill.value.abs();
            }
        }
    }

    fn serve_customers(&mut self, rules: &DeskRules, desk: &mut Desk) {
        let customers = &rules.config.customers;
        let mean = customers.rate * f64::from(customers.accounts) * self.fixed.seconds / 3_600.0;
        let [u, _] = desk.draws.uniform2(self.state.tick, 0);
        for event in 0..poisson(mean, u, MOST) {
            let [who, action, expiry, _] = desk.draws.uniform4(self.state.tick, 1 + u64::from(event));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a u32 count")]
            let account = ((who * f64::from(customers.accounts)) as usize).min(desk.customers.len() - 1);
            if self.state.in_liquidation[desk.id(account) as usize] {
                continue;
            }
            if desk.held(account).iter().any(|qty| !qty.is_zero()) {
                if action < customers.exit {
                    self.leave_options(rules, desk, account);
                }
            } else if self.admits_openings() {
                self.open_options(rules, desk, account, expiry);
            }
        }
    }

    /// What half the spread of option makers comes to for an order, in ticks of dollars per coin.
    pub(super) fn option_spread(&self, rules: &DeskRules, desk: &Desk, series: usize, qty: Qty) -> Price {
        let listed = &desk.series[series];
        let price = self.state.prices.mark.as_f64();
        let greeks = formula(&listed.terms, price, listed.volatility, self.desk_seconds()).greeks(listed.terms.kind);
        let order = Quoted {
            vega: 0.01 * greeks.vega,
            coins: qty.abs().as_f64(),
            price,
            stress: self.state.signals.stress_fast(self.fixed.reference_sigma),
            interest: self.scenario.traders.open_interest,
        };
        ticks(rules.config.makers.half_spread(&order))
    }

    /// Trades `qty` of a series with an option maker, at the mark; the customer pays `spread` per coin to it.
    pub(super) fn trade_option(
        &mut self,
        desk: &mut Desk,
        account: usize,
        (series, qty): (usize, Qty),
        spread: Price,
    ) -> Usd {
        let maker = desk.maker_for(series, qty);
        desk.trade(series, account, maker, qty);
        let paid = exact(qty.abs(), spread);
        self.state.ledger.transfer(desk.id(account), desk.id(maker), paid);
        paid
    }

    /// Closes everything that a customer holds.
    fn leave_options(&mut self, rules: &DeskRules, desk: &mut Desk, account: usize) {
        for series in 0..desk.series.len() {
            let qty = desk.held(account)[series];
            if !qty.is_zero() {
                let spread = self.option_spread(rules, desk, series, qty);
                let paid = self.trade_option(desk, account, (series, -qty), spread);
                desk.outcome.spread_paid += paid;
            }
        }
        let id = desk.id(account);
        let perpetual = self.state.ledger.qty(id);
        if !perpetual.is_zero() {
            self.trade(id, -perpetual, Some(HEDGE_LIMIT), false);
        }
    }

    /// Takes up a customer's style, if its equity after costs meets initial margin by the scan with all of it.
    fn open_options(&mut self, rules: &DeskRules, desk: &mut Desk, account: usize, expiry: f64) {
        let customer = desk.customers[account];
        let mark = self.state.prices.mark;
        let legs = desk.legs(&customer, rules.config.customers.width, expiry, mark);
        if legs.is_empty() || customer.size.is_zero() {
            return;
        }
        let id = desk.id(account);
        let wanted = Qty::from_raw(customer.size.raw() * customer.style.perpetual());
        let underlying = wanted - self.state.ledger.qty(id);
        let now = self.desk_seconds();
        let bench = &mut self.scratch.bench;
        bench.refresh(rules, desk, (mark, self.state.ledger.funding()), now);
        let after = bench.assess_with(rules, desk, &self.state.ledger, (account, underlying, &legs));
        let costs: Usd =
            legs.iter().map(|&(series, qty)| exact(qty.abs(), self.option_spread(rules, desk, series, qty))).sum();
        if after.equity - costs < after.levels.initial {
            desk.outcome.refused += 1;
            return;
        }
        if !underlying.is_zero() {
            let fill = self.trade(id, underlying, Some(HEDGE_LIMIT), false);
            if fill.qty != underlying {
                // What a call is written on has to be there first.
                return;
            }
        }
        for &(series, qty) in &legs {
            let spread = self.option_spread(rules, desk, series, qty);
            let paid = self.trade_option(desk, account, (series, qty), spread);
            desk.outcome.spread_paid += paid;
        }
    }
}
