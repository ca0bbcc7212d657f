//! Liquidation: who is short of margin, and what becomes of each in a tick. How much is in `slices`, how fast in
//! `capacity`, by whom in `execute`, and what stands behind it in `waterfall`.

use super::indexing::position_of;
use super::ledger::AccountId;
use super::state::Case;
use super::{Abroad, Market};
use crate::liquidation::Route;
use crate::margin::{Direction, Lane};
use crate::units::{Qty, Usd};

/// Slack on the ratio at which an account leaves liquidation: restoring is exact only up to the cost estimate.
const SLACK: f64 = 0.98;

/// What became of a case in this tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Open,
    Closed,
}

/// An account in liquidation, measured at mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) qty: Qty,
    pub(super) notional: Usd,
    pub(super) equity: Usd,
    pub(super) maintenance: Usd,
    /// Maintenance over notional.
    pub(super) rate: f64,
    /// Equity over notional at which liquidation ends.
    pub(super) target: f64,
}

impl Measure {
    /// Equity over notional.
    pub(super) fn ratio(&self) -> f64 {
        self.equity.as_f64() / self.notional.as_f64()
    }
}

impl Market {
    pub(super) fn liquidate(&mut self, abroad: &mut Abroad<'_>) {
        if self.state.rules.off {
            return;
        }
        self.watch_backstop();
        if !self.is_mark_trusted() {
            return;
        }
        self.relieve_pool();
        self.find_triggered();
        if self.state.queue.is_empty() {
            return;
        }
        self.grant_capacity();
        let mut kept = 0;
        for at in 0..self.state.queue.len() {
            let mut case = self.state.queue[at];
            if self.work(&mut case, abroad) == Progress::Open {
                self.state.queue[kept] = case;
                kept += 1;
            } else {
                self.state.in_liquidation[case.id as usize] = false;
                self.touched(case.id);
            }
        }
        self.state.queue.truncate(kept);
        self.scale_down();
    }

    pub(super) fn is_mark_trusted(&self) -> bool {
        let prices = &self.state.prices;
        let guard = self.state.rules.guard;
        guard.is_none_or(|guard| guard.passes(prices.mark.as_f64(), prices.oracle, prices.oracle_age))
    }

    fn find_triggered(&mut self) {
        if self.is_quiet() {
            return;
        }
        let adjustment = self.state.adjustment(1.0);
        let funding = self.state.ledger.funding();
        for line in 0..self.fixed.schedule.lines() {
            let rate = self.fixed.schedule.rate(line, adjustment);
            for direction in Direction::BOTH {
                let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
                let threshold = self.lane_threshold(lane, rate);
                self.scratch.ids.clear();
                self.state.index.crossed(lane, threshold, &mut self.scratch.ids);
                for at in 0..self.scratch.ids.len() {
                    let entry = self.scratch.ids[at];
                    let id = if entry < self.fixed.traders { entry } else { entry - self.fixed.traders };
                    let position = position_of(&self.state.ledger, id);
                    let mark = self.state.prices.mark;
                    if !self.state.in_liquidation[id as usize]
                        && self.fixed.schedule.is_short(&position, mark, funding, adjustment)
                    {
                        self.enter(id);
                    }
                }
            }
        }
    }

    fn enter(&mut self, id: AccountId) {
        if self.lets_be(id) {
            self.fixed.unindex(&mut self.state.index, id);
            self.state.in_liquidation[id as usize] = true;
            return;
        }
        self.sell_collateral(id);
        let state = &mut self.state;
        self.fixed.unindex(&mut state.index, id);
        state.in_liquidation[id as usize] = true;
        state.queue.push(Case::new(id, state.tick, state.ledger.qty(id)));
        state.outcome.liquidated_accounts += 1;
        state.outcome.first_liquidation.get_or_insert(state.tick);
    }

    pub(super) fn measure(&self, id: AccountId) -> Measure {
        let mark = self.state.prices.mark;
        let position = position_of(&self.state.ledger, id);
        let notional = position.notional(mark);
        let equity = self.state.ledger.equity(id, mark);
        let maintenance = self.fixed.schedule.maintenance(notional, self.state.adjustment(1.0));
        let rate = maintenance.as_f64() / notional.as_f64().max(1e-6);
        let target = self.state.rules.size.target(rate);
        Measure { qty: position.qty, notional, equity, maintenance, rate, target }
    }

    fn work(&mut self, case: &mut Case, abroad: &mut Abroad<'_>) -> Progress {
        let id = case.id;
        if self.state.ledger.qty(id).is_zero() {
            return self.close_case(case);
        }
        let now = self.measure(id);
        let route = self.state.rules.route;
        let below = self.state.rules.backstop.takes_over().map_or(0.0, |(below, _)| below);
        if now.equity <= Usd::from_f64(below * now.maintenance.as_f64()) {
            if self.fall_back(id, now.equity, now.notional) {
                return self.close_case(case);
            }
            if route.has_book() {
                return self.sell_whatever_is_left(case, abroad);
            }
        }
        let ratio = now.ratio();
        let sold_already = matches!(route, Route::Dutch(_)) && case.lot.is_some();
        if !sold_already && ratio >= now.target * SLACK && now.equity >= now.maintenance {
            return Progress::Closed;
        }
        if case.lot.is_none() {
            let Some(slice) = self.next_slice(case, &now, ratio) else { return Progress::Open };
            if slice.is_zero() {
                return self.progress(case);
            }
            case.sliced(self.state.tick, ratio);
            self.execute(case, slice, abroad);
        } else {
            self.auction(case);
        }
        self.progress(case)
    }

    /// Nobody took a bankrupt account over: it goes to the market at any price, as fast as capacity allows while the
    /// backstop can pay for the wait, and at once when it cannot.
    fn sell_whatever_is_left(&mut self, case: &mut Case, abroad: &mut Abroad<'_>) -> Progress {
        let id = case.id;
        case.lot = None;
        // Winners may have taken a part of it.
        let left = self.measure(id);
        let slice = if self.fund_can_pay(id, left.equity) { self.within_capacity(&left, 1.0) } else { left.qty };
        self.sell_on_books(id, slice, None, abroad);
        self.progress(case)
    }

    fn progress(&mut self, case: &Case) -> Progress {
        if self.state.ledger.qty(case.id).is_zero() { self.close_case(case) } else { Progress::Open }
    }

    /// Ends a case: whatever is missing on a closed account is a deficit.
    fn close_case(&mut self, case: &Case) -> Progress {
        if self.state.ledger.qty(case.id).is_zero() {
            self.settle_deficit(case.id, -case.start.signum());
            self.put_to_sleep(case.id);
        }
        Progress::Closed
    }

    /// A trader that lost its position stays away for a while.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "ticks of an episode"
    )]
    fn put_to_sleep(&mut self, id: AccountId) {
        let [_, u] = self.state.counters.calls.uniform2(self.state.tick, u64::from(id));
        let seconds = -3_600.0 * self.scenario.traders.return_hours * libm::log(u);
        let until = self.state.tick as f64 + seconds / self.fixed.seconds;
        self.state.traders.asleep_until[id as usize] = until.min(4e9) as u32;
    }
}
