//! Portfolio-margined accounts: who is short of margin, without scanning everybody, and their liquidation.
//!
//! Hedge first: the delta is traded away in the perpetual on the home book, then options are closed against option makers,
//! in small steps until the account is above its liquidation end. Whoever has nothing left is closed out, and what is
//! missing goes through the waterfall of every other account: backstop, winners in the perpetual, nobody. An option is
//! closed against makers at their price and against nobody else: there is no auto-deleveraging of options.
//!
//! # Reference
//! Deribit, "Auto liquidation" (docs of 2016 to 2018: futures first, then options, towards a neutral delta, 10 to 200
//! contracts and one option a step, 20 to 25 steps a second) and support article 25944769313309; what is left under
//! water is paid by its insurance fund, and beyond that by winners ("Insurance").

use std::sync::Arc;

use super::Market;
use super::desk::{Assessed, Desk, PortfolioCase, lots};
use super::desk_setup::DeskRules;
use super::ledger::AccountId;
use crate::book::{Book, Fill, Side};
use crate::margin::portfolio::{Assessment, ExitCosts, Since, Step};
use crate::units::{Price, Qty, Rate, Usd};

/// Worst price of a forced hedge, relative to mark: 5 %.
const HEDGE_LIMIT: f64 = 0.05;
/// Ticks between two checks, in debug builds, that no account was missed.
#[cfg(debug_assertions)]
const CHECK_EVERY: u64 = if cfg!(test) { 1 } else { 8 };

/// What became of a case in this tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Open,
    Closed,
}

impl Market {
    pub(super) fn liquidate_portfolios(&mut self) {
        if self.state.rules.off || !self.is_mark_trusted() {
            return;
        }
        let Some(mut desk) = self.state.desk.take() else { return };
        let fixed = Arc::clone(&self.fixed);
        let rules = fixed.desk.as_ref().expect("a market with a desk has its rules");
        if desk.marked.0 == self.state.tick {
            self.find_breaches(rules, &mut desk);
        }
        if !desk.cases.is_empty() {
            self.work_cases(rules, &mut desk);
        }
        self.state.desk = Some(desk);
    }

    /// Scans everybody if somebody may be short of maintenance; nobody if nobody can be.
    fn find_breaches(&mut self, rules: &DeskRules, desk: &mut Desk) {
        let (price, now) = (self.state.prices.mark.as_f64(), self.desk_seconds());
        let drifts = &mut self.scratch.bench.drifts;
        drifts.clear();
        drifts.extend(desk.series.iter().map(|listed| {
            let point = rules.margin.point(&listed.terms, price, listed.volatility, now);
            rules.margin.drift(0, &listed.assessed, &point)
        }));
        let is_close = (0..desk.customers.len()).any(|account| !self.is_safe(rules, desk, account));
        if is_close {
            self.scan_everybody(rules, desk);
        }
        #[cfg(debug_assertions)]
        if !is_close && self.state.tick.is_multiple_of(CHECK_EVERY) {
            self.assert_nobody_was_missed(rules, desk);
        }
    }

    /// Whether an account meets maintenance whatever a scan would find.
    fn is_safe(&self, rules: &DeskRules, desk: &Desk, account: usize) -> bool {
        let (id, ledger) = (desk.id(account), &self.state.ledger);
        if self.state.in_liquidation[id as usize] {
            return true;
        }
        let equity = ledger.equity(id, self.state.prices.mark);
        let held = desk.held(account);
        if ledger.qty(id).is_zero() && held.iter().all(|qty| qty.is_zero()) {
            return !equity.is_negative();
        }
        let Some(Assessed { scan, floor, perpetual }) = desk.customers[account].assessed else { return false };
        let mut since = Since { scan, floor, perpetual_then: perpetual, ..Since::default() };
        since.perpetual = ledger.qty(id).as_f64();
        for (qty, drift) in held.iter().zip(&self.scratch.bench.drifts) {
            let coins = qty.as_f64();
            since.drift.gain += coins.abs() * drift.gain;
            since.drift.delta += coins.abs() * drift.delta;
            since.short += (-coins).max(0.0);
        }
        let prices = [desk.assessed_at, self.state.prices.mark.as_f64()];
        equity.as_f64() > rules.margin.maintenance_at_most(0, &since, prices)
    }

    fn scan_everybody(&mut self, rules: &DeskRules, desk: &mut Desk) {
        let (mark, now) = (self.state.prices.mark, self.desk_seconds());
        let bench = &mut self.scratch.bench;
        bench.refresh(rules, desk, (mark, self.state.ledger.funding()), now);
        desk.outcome.scans += 1;
        desk.assessed_at = mark.as_f64();
        for listed in &mut desk.series {
            listed.assessed = rules.margin.point(&listed.terms, mark.as_f64(), listed.volatility, now);
        }
        for account in 0..desk.customers.len() {
            let id = desk.id(account);
            if self.state.in_liquidation[id as usize] {
                continue;
            }
            let found = self.scratch.bench.assess(rules, desk, &self.state.ledger, account);
            desk.customers[account].assessed = Some(Assessed {
                scan: found.scan.as_f64(),
                floor: found.floor.as_f64(),
                perpetual: self.state.ledger.qty(id).as_f64(),
            });
            if found.equity < found.levels.maintenance {
                self.enter_portfolio(desk, account);
            }
        }
    }

    #[cfg(debug_assertions)]
    fn assert_nobody_was_missed(&mut self, rules: &DeskRules, desk: &Desk) {
        let funding = self.state.ledger.funding();
        let (mark, now) = (self.state.prices.mark, self.desk_seconds());
        self.scratch.bench.refresh(rules, desk, (mark, funding), now);
        for account in 0..desk.customers.len() {
            if !self.state.in_liquidation[desk.id(account) as usize] {
                let found = self.scratch.bench.assess(rules, desk, &self.state.ledger, account);
                assert!(
                    found.equity >= found.levels.maintenance,
                    "account {account} of the desk was missed: {found:?}"
                );
            }
        }
    }

    fn enter_portfolio(&mut self, desk: &mut Desk, account: usize) {
        let id = desk.id(account);
        self.sell_collateral(id);
        let tick = self.state.tick;
        let delta = desk.delta(account) + self.state.ledger.qty(id).as_f64();
        self.state.in_liquidation[id as usize] = true;
        self.state.outcome.liquidated_accounts += 1;
        self.state.outcome.first_liquidation.get_or_insert(tick);
        desk.outcome.liquidated_accounts += 1;
        let other = if delta < 0.0 { 1 } else { -1 };
        desk.cases.push(PortfolioCase { customer: account, since: tick, last_step: None, other });
    }

    fn work_cases(&mut self, rules: &DeskRules, desk: &mut Desk) {
        self.grant_capacity();
        let mut cases = std::mem::take(&mut desk.cases);
        cases.retain_mut(|case| {
            if self.work_case(rules, desk, case) == Progress::Open {
                return true;
            }
            self.state.in_liquidation[desk.id(case.customer) as usize] = false;
            desk.customers[case.customer].assessed = None;
            false
        });
        desk.cases = cases;
    }

    fn work_case(&mut self, rules: &DeskRules, desk: &mut Desk, case: &mut PortfolioCase) -> Progress {
        let (mark, now) = (self.state.prices.mark, self.desk_seconds());
        self.scratch.bench.refresh(rules, desk, (mark, self.state.ledger.funding()), now);
        let found = self.scratch.bench.assess(rules, desk, &self.state.ledger, case.customer);
        if found.equity <= Usd::ZERO {
            return self.close_out(rules, desk, case);
        }
        if found.equity >= found.levels.liquidation_end {
            desk.outcome.restored_accounts += 1;
            return Progress::Closed;
        }
        if case.last_step.is_some_and(|last| self.state.tick < last + rules.step_ticks) {
            return Progress::Open;
        }
        case.last_step = Some(self.state.tick);
        self.take_step(rules, desk, case, &found)
    }

    /// Takes the first step of a plan made now; closes out what no plan improves.
    fn take_step(&mut self, rules: &DeskRules, desk: &mut Desk, case: &PortfolioCase, found: &Assessment) -> Progress {
        let account = case.customer;
        let (perps, options) = self.exit_costs(rules, desk, account);
        let costs = ExitCosts { perps: &[perps], options: &options };
        let (plan, steps) = self.scratch.bench.plan(rules, desk, (&self.state.ledger, account), &costs);
        assert_eq!(plan.before.levels, found.levels, "a plan starts from what was found");
        for step in &steps {
            let has_traded = match *step {
                Step::Hedge { qty, .. } => self.hedge(rules, desk, account, qty),
                // The hedge that goes with it is found anew by the next plan, whose first step it is.
                Step::Close { holding, qty, .. } => self.unwind_option(rules, desk, (account, holding), qty),
            };
            if has_traded {
                return Progress::Open;
            }
        }
        if steps.is_empty() { self.close_out(rules, desk, case) } else { Progress::Open }
    }

    /// Dollars per coin that leaving an account's delta and each of its options costs.
    fn exit_costs(&self, rules: &DeskRules, desk: &Desk, account: usize) -> (Price, Vec<Price>) {
        let price = self.state.prices.mark.as_f64();
        let delta = desk.delta(account) + self.state.ledger.qty(desk.id(account)).as_f64();
        let side = if delta > 0.0 { Side::Sell } else { Side::Buy };
        let within = self.hedge_room(rules, side).min(delta.abs());
        let impact = self.state.book.impact(side, within.max(1e-6)).max(0.0);
        let perpetual = Price::from_f64(price * (impact + 1e-4 * self.scenario.venue.liquidation_fee_bp));
        let options = desk.held(account).iter().enumerate().map(|(series, &qty)| {
            let part = lots(qty.as_f64() * rules.config.step_share, qty);
            self.option_spread(rules, desk, series, part)
        });
        (perpetual, options.collect())
    }

    /// Coins that a step may hedge: a share of the book, within the venue's capacity.
    fn hedge_room(&self, rules: &DeskRules, side: Side) -> f64 {
        (rules.config.hedge_depth * self.state.book.depth(side, 0.01)).min(self.state.allowance.max(0.0))
    }

    /// Trades a part of a delta away on the home book. False if nothing traded.
    fn hedge(&mut self, rules: &DeskRules, desk: &mut Desk, account: usize, qty: Qty) -> bool {
        let room = Qty::from_f64(self.hedge_room(rules, Side::of(qty)).min(1e9));
        let size = qty.abs().min(room);
        let order = if qty.is_negative() { -size } else { size };
        if order.is_zero() {
            return false;
        }
        let id = desk.id(account);
        let before = self.state.ledger.qty(id).abs();
        let fill = self.trade(id, order, Some(HEDGE_LIMIT), true);
        if fill.qty.is_zero() {
            return false;
        }
        self.state.allowance -= fill.qty.abs().as_f64();
        desk.outcome.hedged += fill.value.abs();
        desk.outcome.first_hedge.get_or_insert(self.state.tick);
        self.book_hedge(id, fill, before);
        true
    }

    /// Books what a forced hedge cost against mark, charges the liquidation fee, and notes what left the position.
    fn book_hedge(&mut self, id: AccountId, fill: Fill, before: Qty) {
        let mark = self.state.prices.mark;
        let fee = fill.qty.notional(mark).share_ceil(Rate::from_f64(self.scenario.venue.liquidation_fee_bp * 1e-4));
        let fee = fee.min(self.state.ledger.equity(id, mark).positive_part());
        self.state.ledger.transfer(id, self.fixed.fund, fee);
        self.state.outcome.liquidation_cost += fill.value - fill.qty.value(mark) + fee;
        let closed = (before - self.state.ledger.qty(id).abs()).positive_part();
        if !closed.is_zero() {
            self.note_liquidated(closed.notional(mark));
        }
    }

    /// Closes a part of an option holding: what the plan asks, in lots, and no more than a step may. False if that is none.
    fn unwind_option(
        &mut self,
        rules: &DeskRules,
        desk: &mut Desk,
        (account, series): (usize, usize),
        qty: Qty,
    ) -> bool {
        let held = desk.held(account)[series];
        let most = lots(held.as_f64() * rules.config.step_share, held).abs().max(lots(0.01, held).abs());
        // Rounded up to lots, for a plan's last step is cut to what is needed.
        let wanted = lots(qty.abs().as_f64() + 0.005, most);
        let size = wanted.min(held.abs());
        if size.is_zero() {
            return false;
        }
        let order = if held.is_negative() { size } else { -size };
        self.close_option(rules, desk, (account, series), order);
        true
    }

    fn close_option(&mut self, rules: &DeskRules, desk: &mut Desk, (account, series): (usize, usize), order: Qty) {
        let spread = self.option_spread(rules, desk, series, order);
        let paid = self.trade_option(desk, account, (series, order), spread);
        desk.outcome.unwind_cost += paid;
        desk.outcome.unwound += order.notional(self.state.prices.mark);
        desk.outcome.first_unwind.get_or_insert(self.state.tick);
        self.state.outcome.liquidation_cost += paid;
    }

    /// Closes everything of an account that has nothing left: options against makers, then the perpetual as any other
    /// account's, by backstop, winners or book; and covers what is missing.
    fn close_out(&mut self, rules: &DeskRules, desk: &mut Desk, case: &PortfolioCase) -> Progress {
        let account = case.customer;
        for series in 0..desk.series.len() {
            let held = desk.held(account)[series];
            if !held.is_zero() {
                self.close_option(rules, desk, (account, series), -held);
            }
        }
        let id = desk.id(account);
        if !self.state.ledger.qty(id).is_zero() {
            let now = self.measure(id);
            if !self.fall_back(id, now.equity, now.notional) {
                let left = self.measure(id);
                let slice =
                    if self.fund_can_pay(id, left.equity) { self.within_capacity(&left, 1.0) } else { left.qty };
                self.sell_on_book(id, slice, None);
            }
        }
        if !self.state.ledger.qty(id).is_zero() {
            return Progress::Open;
        }
        self.cover_deficit(id, case.other);
        Progress::Closed
    }
}
