//! Liquidation: who is short of margin, how much of it is closed now, and by whom.

use super::Market;
use super::indexing::position_of;
use super::ledger::AccountId;
use super::state::Case;
use crate::book::{Book, Side};
use crate::liquidation::{Backstop, Limit, SizeRule};
use crate::margin::theory::{Restoration, restoration};
use crate::margin::{Direction, Lane};
use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

/// Capacity that may be saved up while nobody needs it, in seconds.
const SAVED_SECONDS: f64 = 10.0;
/// Distance from mid within which depth counts for capacity: 5 %, where quotes stay when makers leave.
const CAPACITY_DEPTH: f64 = 0.05;
/// Smallest slice worth an order, in dollars.
const LEAST_SLICE: f64 = 10.0;
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
struct Measure {
    qty: Qty,
    notional: Usd,
    equity: Usd,
    maintenance: Usd,
    /// Equity over notional at which liquidation ends.
    target: f64,
}

impl Market {
    pub(super) fn liquidate(&mut self) {
        if self.state.rules.off {
            return;
        }
        self.find_triggered();
        if self.state.queue.is_empty() {
            return;
        }
        self.grant_capacity();
        let mut kept = 0;
        for at in 0..self.state.queue.len() {
            let mut case = self.state.queue[at];
            if self.work(&mut case) == Progress::Open {
                self.state.queue[kept] = case;
                kept += 1;
            } else {
                self.state.in_liquidation[case.id as usize] = false;
                self.touched(case.id);
            }
        }
        self.state.queue.truncate(kept);
    }

    fn find_triggered(&mut self) {
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
        let state = &mut self.state;
        self.fixed.unindex(&mut state.index, id);
        state.in_liquidation[id as usize] = true;
        state.queue.push(Case { id, since: state.tick, last_slice: None });
        state.outcome.liquidated_accounts += 1;
        state.outcome.first_liquidation.get_or_insert(state.tick);
    }

    /// Adds this tick's capacity, in coins.
    fn grant_capacity(&mut self) {
        let pace = self.state.rules.pace;
        let book = &self.state.book;
        let per_second = match (pace.depth_per_second, pace.dollars_per_second) {
            (Some(share), _) => {
                share * 0.5 * (book.depth(Side::Sell, CAPACITY_DEPTH) + book.depth(Side::Buy, CAPACITY_DEPTH))
            }
            (None, Some(dollars)) => dollars / book.mid(),
            (None, None) => f64::INFINITY,
        };
        let saved = self.state.allowance.min(per_second * SAVED_SECONDS);
        self.state.allowance = if per_second.is_finite() { saved + per_second * self.fixed.seconds } else { f64::MAX };
    }

    fn measure(&self, id: AccountId) -> Measure {
        let mark = self.state.prices.mark;
        let position = position_of(&self.state.ledger, id);
        let notional = position.notional(mark);
        let equity = self.state.ledger.equity(id, mark);
        let maintenance = self.fixed.schedule.maintenance(notional, self.state.adjustment(1.0));
        let ratio = maintenance.as_f64() / notional.as_f64().max(1e-6);
        let target = match self.state.rules.size {
            SizeRule::Restore { buffer, .. } => ratio * (1.0 + buffer),
            SizeRule::Share { .. } => ratio,
        };
        Measure { qty: position.qty, notional, equity, maintenance, target }
    }

    fn work(&mut self, case: &mut Case) -> Progress {
        let id = case.id;
        if self.state.ledger.qty(id).is_zero() {
            return self.close_case(id);
        }
        let now = self.measure(id);
        let taken_below = match self.state.rules.backstop {
            Backstop::TakeOver { below, .. } => Usd::from_f64(below * now.maintenance.as_f64()),
            Backstop::PayOnly => Usd::ZERO,
        };
        if now.equity <= taken_below {
            if self.fall_back(id, now.equity, now.notional) {
                return self.close_case(id);
            }
            // Nobody took it: it goes to the market at any price, as fast as capacity allows while the fund can pay
            // for the wait, and at once when it cannot.
            // Winners may have taken a part of it.
            let left = self.measure(id);
            let slice = if self.fund_can_pay(id, left.equity) { self.within_capacity(&left, 1.0) } else { left.qty };
            self.sell_on_book(id, slice, None);
            return if self.state.ledger.qty(id).is_zero() { self.close_case(id) } else { Progress::Open };
        }
        let ratio = now.equity.as_f64() / now.notional.as_f64();
        if ratio >= now.target * SLACK && now.equity >= now.maintenance {
            return Progress::Closed;
        }
        if !self.is_due(case) {
            return Progress::Open;
        }
        let slice = self.slice(&now, ratio);
        if slice.is_zero() {
            return Progress::Open;
        }
        case.last_slice = Some(self.state.tick);
        self.execute(case, slice);
        if self.state.ledger.qty(id).is_zero() { self.close_case(id) } else { Progress::Open }
    }

    /// Whether the wait since the last slice is over.
    fn is_due(&self, case: &Case) -> bool {
        let Some(last) = case.last_slice else { return true };
        #[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
        let waited = (self.state.tick - last) as f64 * self.fixed.seconds;
        waited >= self.state.rules.pace.delay
    }

    /// Signed size to close now: the rule's share of the position, as far as capacity goes.
    fn slice(&mut self, now: &Measure, ratio: f64) -> Qty {
        let coins = now.qty.abs().as_f64();
        let side = Side::of(-now.qty);
        let share = match self.state.rules.size {
            SizeRule::Share { full_below, .. } | SizeRule::Restore { full_below, .. }
                if now.notional.as_f64() <= full_below =>
            {
                1.0
            }
            SizeRule::Share { share, .. } => share,
            SizeRule::Restore { .. } => {
                let reachable = coins.min(self.state.allowance.max(0.0)).max(1e-9);
                let cost = self.state.book.impact(side, reachable) + self.scenario.venue.liquidation_fee_bp * 1e-4;
                match restoration(ratio, now.target, cost.min(1.0)) {
                    Restoration::Met => 0.0,
                    Restoration::Close(share) => share,
                    Restoration::Toxic => 1.0,
                }
            }
        };
        self.within_capacity(now, share)
    }

    /// A share of the position, as far as capacity goes; signed as the position.
    fn within_capacity(&mut self, now: &Measure, share: f64) -> Qty {
        let wanted = now.qty.abs().as_f64() * share;
        let size = wanted.min(self.state.allowance);
        let price = self.state.prices.mark.as_f64();
        if size * price < LEAST_SLICE && size < wanted {
            return Qty::ZERO;
        }
        let qty = Qty::from_f64(size).min(now.qty.abs());
        // What rounding would leave of a whole position goes with it.
        let qty = if (now.qty.abs() - qty).raw() < 100 { now.qty.abs() } else { qty };
        self.state.allowance -= qty.as_f64();
        if now.qty.is_negative() { -qty } else { qty }
    }

    /// Closes `slice` (with the sign of the position): the fund's share at mark, keepers at a discount, the book.
    fn execute(&mut self, case: &Case, slice: Qty) {
        let id = case.id;
        let internal = self.internalise(id, slice);
        let rest = slice - internal;
        let taken = if self.state.rules.keepers { self.offer_to_keepers(case, rest) } else { Qty::ZERO };
        let rest = rest - taken;
        if !rest.is_zero() {
            let mark = self.state.prices.mark.as_f64();
            let long = !slice.is_negative();
            let limit = match self.state.rules.limit {
                Limit::Unlimited => None,
                Limit::Band(width) => Some(Price::from_f64(mark * if long { 1.0 - width } else { 1.0 + width })),
                Limit::Bankruptcy => Some(self.bankruptcy_price(id)),
            };
            self.sell_on_book(id, rest, limit);
        }
    }

    /// Price at which the account's equity is zero, rounded against filling beyond it.
    fn bankruptcy_price(&self, id: AccountId) -> Price {
        let ledger = &self.state.ledger;
        let (qty, cash) = (ledger.qty(id), ledger.cash(id) - ledger.funding_due(id));
        let (value, rounding) = if qty.is_negative() { (cash, Rounding::Floor) } else { (-cash, Rounding::Ceil) };
        Price::from_raw(mul_div(value.raw(), Qty::SCALE, qty.abs().raw(), rounding).max(1))
    }

    /// Closes `slice` on the book, and books its cost and fee.
    fn sell_on_book(&mut self, id: AccountId, slice: Qty, limit: Option<Price>) {
        let fill = self.trade_at(id, -slice, limit, true);
        self.book_cost(id, -fill.qty, -fill.value);
    }

    /// Books what leaving `closed` coins of position for `proceeds` cost against mark, and charges the fee.
    pub(super) fn book_cost(&mut self, id: AccountId, closed: Qty, proceeds: Usd) {
        if closed.is_zero() {
            return;
        }
        let mark = self.state.prices.mark;
        let notional = closed.notional(mark);
        let slippage = closed.value(mark) - proceeds;
        let fee = notional.share_ceil(Rate::from_f64(self.scenario.venue.liquidation_fee_bp * 1e-4));
        // The fee never makes a deficit: it ends where the account's equity does.
        let fee = fee.min(self.state.ledger.equity(id, mark).positive_part());
        self.state.ledger.transfer(id, self.fixed.fund, fee);
        self.state.outcome.liquidation_cost += slippage + fee;
        self.note_liquidated(notional);
    }

    /// Lets the fund take its share at mark, as far as its inventory limit goes.
    fn internalise(&mut self, id: AccountId, slice: Qty) -> Qty {
        let share = self.state.rules.internalised;
        let Backstop::TakeOver { max_leverage, .. } = self.state.rules.backstop else { return Qty::ZERO };
        if share <= 0.0 {
            return Qty::ZERO;
        }
        let mark = self.state.prices.mark;
        let room = self.fund_room(max_leverage, slice);
        let wanted = (slice.abs().as_f64() * share).min(room);
        let size = Qty::from_f64(wanted.max(0.0)).min(slice.abs());
        let qty = if slice.is_negative() { -size } else { size };
        if qty.is_zero() {
            return qty;
        }
        let value = qty.value(mark);
        self.state.ledger.trade(id, -qty, -value);
        self.state.ledger.trade(self.fixed.fund, qty, value);
        self.book_cost(id, qty, value);
        qty
    }

    /// Coins in the direction of `qty` that the fund can still carry.
    pub(super) fn fund_room(&self, max_leverage: f64, qty: Qty) -> f64 {
        let mark = self.state.prices.mark;
        let held = self.state.ledger.qty(self.fixed.fund).as_f64() * if qty.is_negative() { -1.0 } else { 1.0 };
        let equity = self.state.ledger.equity(self.fixed.fund, mark).positive_part().as_f64();
        equity * max_leverage / mark.as_f64() - held
    }

    /// Ends a case: whatever is missing on a closed account is a deficit.
    fn close_case(&mut self, id: AccountId) -> Progress {
        if self.state.ledger.qty(id).is_zero() {
            self.cover_deficit(id);
            self.put_to_sleep(id);
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
