//! Who takes the other side of a slice: the execution slot on the state of the market.

use super::ledger::AccountId;
use super::settlement::share_out;
use super::state::{Case, Lot};
use super::{Abroad, Market};
use crate::book::Book;
use crate::liquidation::{Auction, Limit, Route, scaled_part};
use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

impl Market {
    /// Closes `slice` (with the sign of the position), or puts it up for auction.
    pub(super) fn execute(&mut self, case: &mut Case, slice: Qty, abroad: &mut Abroad<'_>) {
        match self.state.rules.route {
            Route::Book { keepers, internalised } => {
                let rest = slice - self.internalise(case.id, slice, internalised);
                let taken = if keepers { self.offer_to_keepers(case, rest, 0.0) } else { Qty::ZERO };
                self.sell_within_limit(case.id, rest - taken);
            }
            Route::Routed { .. } => {
                let limit = self.limit_price(case.id, !slice.is_negative());
                self.sell_on_books(case.id, slice, limit, abroad);
            }
            Route::Immediate { all_or_none } => self.sell_at_once(case.id, slice, all_or_none),
            Route::Keepers => {
                self.offer_to_keepers(case, slice, 0.0);
            }
            Route::Pool => self.pool_takes(case.id, slice),
            Route::OpposingSide => self.system_takes(case.id, slice),
            Route::Dutch(_) | Route::Jit { .. } => {
                case.lot = Some(Lot { qty: slice, since: self.state.tick, top: self.state.prices.mark });
                if matches!(self.state.rules.route, Route::Dutch(_)) {
                    self.note_auction_opened(case.id);
                }
                self.auction(case);
            }
        }
    }

    fn sell_within_limit(&mut self, id: AccountId, rest: Qty) {
        if !rest.is_zero() {
            let limit = self.limit_price(id, !rest.is_negative());
            self.sell_on_book(id, rest, limit);
        }
    }

    /// Worst price for closing an account's position.
    fn limit_price(&self, id: AccountId, long: bool) -> Option<Price> {
        let mark = self.state.prices.mark.as_f64();
        let away = |width: f64| Some(Price::from_f64(mark * if long { 1.0 - width } else { 1.0 + width }));
        match self.state.rules.limit {
            Limit::Unlimited => None,
            Limit::Band(width) => away(width),
            Limit::Bankruptcy => Some(self.bankruptcy_price(id)),
            Limit::Fillable(adjustment, spread) => {
                let now = self.measure(id);
                away(Limit::concession(adjustment, spread, now.ratio(), now.rate))
            }
        }
    }

    /// Price at which the account's equity is zero, rounded against filling beyond it.
    pub(super) fn bankruptcy_price(&self, id: AccountId) -> Price {
        let ledger = &self.state.ledger;
        let (qty, cash) = (ledger.qty(id), ledger.cash(id) - ledger.funding_due(id));
        let (value, rounding) = if qty.is_negative() { (cash, Rounding::Floor) } else { (-cash, Rounding::Ceil) };
        Price::from_raw(mul_div(value.raw(), Qty::SCALE, qty.abs().raw(), rounding).max(1))
    }

    /// Closes `slice` on the book, and books its cost and fee.
    pub(super) fn sell_on_book(&mut self, id: AccountId, slice: Qty, limit: Option<Price>) {
        let fill = self.trade_at(id, -slice, limit, true);
        self.book_cost(id, -fill.qty, -fill.value);
    }

    /// An immediate order; the backstop takes over whatever is left of the account if it did not fill.
    fn sell_at_once(&mut self, id: AccountId, slice: Qty, all_or_none: bool) {
        let before = self.state.ledger.qty(id);
        let limit = self.limit_price(id, !slice.is_negative());
        let mid = self.state.book.mid();
        let away = |price: Price| price.as_f64() / mid - 1.0;
        let distance = limit.map(|price| if slice.is_negative() { away(price) } else { -away(price) });
        if !all_or_none || self.would_fill(slice, distance) {
            self.sell_on_book(id, slice, limit);
        }
        let left = self.measure(id);
        if before - left.qty != slice && !left.qty.is_zero() {
            self.fund_takes(id, left.equity, left.notional);
        }
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

    /// Lets the backstop take its share at mark, as far as its inventory limit goes.
    fn internalise(&mut self, id: AccountId, slice: Qty, share: f64) -> Qty {
        let Some((_, max_leverage)) = self.state.rules.backstop.takes_over() else { return Qty::ZERO };
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
        self.state.ledger.trade(self.taker(), qty, value);
        self.book_cost(id, qty, value);
        qty
    }

    /// All makers as one pool take a slice at mark, in equal parts.
    fn pool_takes(&mut self, id: AccountId, slice: Qty) {
        let value = slice.value(self.state.prices.mark);
        self.state.ledger.trade(id, -slice, -value);
        self.give_to_pool(slice, value);
        self.book_cost(id, slice, value);
    }

    pub(super) fn give_to_pool(&mut self, qty: Qty, value: Usd) {
        self.scratch.weights.clear();
        self.scratch.weights.resize(self.fixed.maker_count(), 1.0);
        share_out(&mut self.state.ledger, self.fixed.makers_ids(), &self.scratch.weights, (qty, value));
    }

    /// The system takes a slice at mark; the fund holds it until the tick's end, when the other side is scaled down.
    fn system_takes(&mut self, id: AccountId, slice: Qty) {
        let value = slice.value(self.state.prices.mark);
        self.state.ledger.trade(id, -slice, -value);
        self.state.ledger.trade(self.fixed.fund, slice, value);
        self.scratch.transit += slice;
        self.scratch.transit_notional += slice.notional(self.state.prices.mark);
        self.book_cost(id, slice, value);
    }

    /// Scales every position of the other side down by what the system took in this tick, at mark: Percolator's A.
    ///
    /// Positions sum to zero, so the other side is never smaller than what the system holds.
    pub(super) fn scale_down(&mut self) {
        let transit = std::mem::take(&mut self.scratch.transit);
        let notional = std::mem::take(&mut self.scratch.transit_notional);
        if transit.is_zero() {
            return;
        }
        let (mark, sign) = (self.state.prices.mark, transit.signum());
        let opposes = |qty: Qty| qty.signum() == -sign;
        let others = (0..self.fixed.fund).map(|id| self.state.ledger.qty(id)).filter(|qty| opposes(*qty));
        let whole: i64 = others.map(|qty| qty.abs().raw()).sum();
        let (mut before, mut closed, mut fills) = (0, Usd::ZERO, 0);
        for id in 0..self.fixed.fund {
            let held = self.state.ledger.qty(id);
            if !opposes(held) {
                continue;
            }
            let after = before + held.abs().raw();
            let part = Qty::from_raw(scaled_part(transit.abs().raw().min(whole), before, after, whole));
            before = after;
            if part.is_zero() {
                continue;
            }
            let qty = if sign < 0 { -part } else { part };
            let value = qty.value(mark);
            self.state.ledger.trade(self.fixed.fund, -qty, -value);
            self.state.ledger.trade(id, qty, value);
            closed += part.notional(mark);
            fills += 1;
            self.touched(id);
        }
        // Each part is rounded down, and so was each slice that it comes from.
        self.note_deleveraged(closed.min(notional), fills);
    }

    /// Notes what was closed against accounts that did not ask for it.
    pub(super) fn note_deleveraged(&mut self, notional: Usd, fills: u64) {
        if notional > Usd::ZERO {
            self.state.outcome.deleveraged += notional;
            self.state.outcome.deleveraged_accounts += fills;
            self.state.outcome.first_deleveraging.get_or_insert(self.state.tick);
        }
    }

    /// One tick of an auction of a lot.
    pub(super) fn auction(&mut self, case: &mut Case) {
        let Some(mut lot) = case.lot.take() else { return };
        let held = self.state.ledger.qty(case.id);
        let size = lot.qty.abs().min(held.abs());
        lot.qty = if held.is_negative() { -size } else { size };
        let elapsed = self.seconds_since(lot.since);
        match self.state.rules.route {
            Route::Dutch(auction) => {
                if auction.is_over(elapsed) {
                    lot = Lot { since: self.state.tick, top: self.state.prices.mark, ..lot };
                    self.note_auction_ended(case.id, true);
                }
                let discount = self.auction_discount(&auction, &lot);
                lot.qty -= self.offer_to_keepers(case, lot.qty, discount);
                if lot.qty.is_zero() {
                    self.note_auction_ended(case.id, false);
                }
            }
            Route::Jit { seconds, start, end } => {
                let done = (elapsed / seconds).min(1.0);
                lot.qty -= self.offer_to_makers(case.id, lot.qty, start + (end - start) * done);
                if elapsed >= seconds {
                    self.sell_within_limit(case.id, lot.qty);
                    return;
                }
            }
            // The rules changed under a running auction: the lot is withdrawn.
            Route::Book { .. }
            | Route::Immediate { .. }
            | Route::Keepers
            | Route::Pool
            | Route::OpposingSide
            | Route::Routed { .. } => return,
        }
        case.lot = (!lot.qty.is_zero()).then_some(lot);
    }

    /// Discount to mark at which an auction stands: negative while its price is better than mark.
    fn auction_discount(&self, auction: &Auction, lot: &Lot) -> f64 {
        let multiple = auction.start * auction.factor(self.seconds_since(lot.since));
        let (top, mark) = (lot.top.as_f64(), self.state.prices.mark.as_f64());
        if lot.qty.is_negative() { top / multiple / mark - 1.0 } else { 1.0 - top * multiple / mark }
    }

    /// Makers who quote take what they have room for, if `distance` from mark is worth their spread and inventory.
    fn offer_to_makers(&mut self, id: AccountId, slice: Qty, distance: f64) -> Qty {
        let (mark, mut left) = (self.state.prices.mark.as_f64(), slice);
        let long = !slice.is_negative();
        let price = Price::from_f64(mark * if long { 1.0 - distance } else { 1.0 + distance });
        for (m, maker) in self.fixed.makers_ids().enumerate() {
            if left.is_zero() {
                break;
            }
            let quoted = if long { self.state.makers[m].bid } else { self.state.makers[m].ask };
            let held = self.state.ledger.qty(maker).as_f64() * mark / self.fixed.maker_limit;
            let along = if long { held } else { -held };
            if distance < self.state.book.half_spread() * (1.0 + along.max(0.0)) {
                continue;
            }
            let room = (1.0 - along).max(0.0) * quoted * self.fixed.maker_limit / mark;
            let size = Qty::from_f64(room).min(left.abs());
            let qty = if long { size } else { -size };
            if qty.is_zero() {
                continue;
            }
            let value = qty.value(price);
            self.state.ledger.trade(id, -qty, -value);
            self.state.ledger.trade(maker, qty, value);
            self.book_cost(id, qty, value);
            left -= qty;
        }
        slice - left
    }
}
