//! Traders act: who, how often, which way, how large; and how any order reaches the book and the ledger.

use super::Market;
use super::ledger::AccountId;
use crate::book::{Book, Fill, Side};
use crate::participants::traders::{View, long_probability, poisson};
use crate::units::{Price, Qty, Rate, Usd};

/// Most actions in one tick.
const MOST: u32 = 24;
/// Worst price that a trader accepts who is in no hurry, relative to mark: 7 bp, between the taker fee of one trade and
/// that of a round trip (4.5 and 9 bp). Nobody pays more for haste than for the trade, so orders are as large as what is
/// shown near the price, as real ones are (Bouchaud, Farmer & Lillo 2009, arXiv:0809.0822, section 4). What does not fill
/// is left for the next action, so large positions come and go in pieces.
const TRADER_LIMIT: f64 = 7e-4;
/// Probability that a flat trader opens on neutral terms when it acts.
const ENTRY: f64 = 0.75;
/// Smallest position worth opening, in dollars.
const LEAST_OPENING: f64 = 10.0;
/// Share of margin that a trader uses when it opens.
const CUSHION: f64 = 0.95;

impl Market {
    pub(super) fn trade_flow(&mut self) {
        let tick = self.state.tick;
        let total = self.fixed.actions();
        let expected = self.state.activity.expect(&self.fixed.activity, self.state.book.mid(), total);
        let draws = self.state.counters.traders;
        let [u, _] = draws.uniform2(tick, 0);
        let actions = poisson(expected, u, MOST);
        self.state.activity.note(&self.fixed.activity, actions);
        for event in 0..actions {
            let [who, member, action, side] = draws.uniform4(tick, 1 + u64::from(event));
            let at = self.fixed.action_rate.partition_point(|&rate| rate < who * total);
            let class = at.min(self.fixed.action_rate.len() - 1);
            let first = self.state.traders.first[class];
            let count = self.state.traders.first[class + 1] - first;
            self.act(first + scaled(member, count), class, action, side);
        }
    }

    fn act(&mut self, id: AccountId, class: usize, action: f64, side: f64) {
        let i = id as usize;
        if self.state.in_liquidation[i] || u64::from(self.state.traders.asleep_until[i]) > self.state.tick {
            return;
        }
        let view = self.view();
        let class = &self.scenario.traders.classes[class];
        let long = long_probability(class, &view);
        let qty = self.state.ledger.qty(id);
        if !qty.is_zero() {
            // A holder leaves sooner when its own view has turned.
            let against = if qty.is_negative() { long } else { 1.0 - long };
            if action < class.exit * 2.0 * against {
                self.trade(id, -qty, Some(TRADER_LIMIT), false);
            }
            return;
        }
        let (comes, would_come) = (action < self.entry_probability(), action < ENTRY);
        if !comes && !would_come {
            return;
        }
        let (neutral, offered) = self.opening(id);
        let notional = if comes && self.admits_openings() && self.is_below_cap(offered) { offered } else { 0.0 };
        // What neutral margin, no cap and no contribution would have brought, and what came.
        self.state.outcome.turned_away += Usd::from_f64(if would_come { neutral } else { 0.0 } - notional);
        if notional >= LEAST_OPENING {
            self.open(id, notional, if side < long { Side::Buy } else { Side::Sell });
        }
    }

    /// Probability that a flat trader opens: falls with margin and with what the venue adds to fees.
    fn entry_probability(&mut self) -> f64 {
        let terms = [self.margin_multiplier(), self.state.controls.fund_contribution];
        if let Some((known, probability)) = self.scratch.entry
            && known.map(f64::to_bits) == terms.map(f64::to_bits)
        {
            return probability;
        }
        let config = &self.scenario.traders;
        let [multiplier, contribution] = terms;
        let margin = libm::pow(multiplier, -config.margin_elasticity);
        let fee = libm::exp(-config.fee_elasticity * contribution);
        let probability = (ENTRY * margin * fee).min(1.0);
        self.scratch.entry = Some((terms, probability));
        probability
    }

    fn is_below_cap(&self, notional: f64) -> bool {
        let cap = self.state.controls.open_interest_cap * self.state.outcome.reference_open_interest.as_f64();
        self.open_interest().as_f64() + notional <= cap
    }

    /// Money that a trader would open with: what it has, or a fresh deposit once that is nearly gone.
    fn stake(&self, id: AccountId) -> f64 {
        let wealth = f64::from(self.state.traders.wealth[id as usize]);
        let cash = self.state.ledger.cash(id).as_f64();
        if cash < 0.25 * wealth { wealth } else { cash.min(1.5 * wealth) }
    }

    /// Dollars of notional that a trader would open at neutral margin, and that it can open at margin in force.
    fn opening(&self, id: AccountId) -> (f64, f64) {
        let (stake, wish) = (self.stake(id), f64::from(self.state.traders.leverage[id as usize]));
        let (mark, interest, schedule) = (self.state.prices.mark, self.open_interest(), &self.fixed.schedule);
        let wanted = Qty::from_f64(stake * wish / mark.as_f64());
        let at = |multiplier: f64| {
            let adjustment = self.state.adjustment(multiplier);
            let rate = schedule.initial_rate(wanted, wanted.notional(mark), interest, adjustment).as_f64();
            (stake * wish.min(CUSHION / rate)).min(schedule.notional_max().as_f64())
        };
        (at(1.0), at(self.margin_multiplier()))
    }

    fn open(&mut self, id: AccountId, notional: f64, side: Side) {
        let (stake, cash) = (self.stake(id), self.state.ledger.cash(id).as_f64());
        if stake > cash {
            self.state.ledger.deposit(id, Usd::from_f64(stake - cash));
        }
        let qty = Qty::from_f64(notional / self.state.prices.mark.as_f64());
        self.trade(id, if side == Side::Buy { qty } else { -qty }, Some(TRADER_LIMIT), false);
    }

    fn view(&self) -> View {
        let (signals, prices) = (&self.state.signals, &self.state.prices);
        let unit = self.sigma_ten_minutes().max(1e-6);
        View {
            trend: (signals.average_fast / signals.average_slow - 1.0) / unit,
            value: (prices.fundamental / signals.mid - 1.0) / unit,
            flow: signals.imbalance(),
            premium_bp: 1e4 * signals.premium,
        }
    }

    /// Sends an order of an account to the book and books what it got; `within` is its worst price relative to mark.
    ///
    /// Forced orders pay no taker fee: they pay the liquidation fee instead.
    pub(super) fn trade(&mut self, id: AccountId, qty: Qty, within: Option<f64>, forced: bool) -> Fill {
        let limit = within.map(|within| {
            let sign = if qty.is_negative() { -1.0 } else { 1.0 };
            Price::from_f64(self.state.prices.mark.as_f64() * (1.0 + sign * within))
        });
        self.trade_at(id, qty, limit, forced)
    }

    /// As [`Market::trade`], with an absolute worst price.
    pub(super) fn trade_at(&mut self, id: AccountId, qty: Qty, limit: Option<Price>, forced: bool) -> Fill {
        let qty = self.admitted(id, qty);
        let fill = self.take(qty, limit);
        if fill.qty.is_zero() {
            return fill;
        }
        if forced {
            self.state.ledger.trade(id, fill.qty, fill.value);
            self.state.outcome.forced_volume += fill.value.abs();
        } else {
            self.book_willing(id, fill);
        }
        self.note_order(fill.value, forced);
        self.touched(id);
        fill
    }

    /// Takes from the book: makers' side of it is noted, the taker's is the caller's to book.
    pub(super) fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill {
        if qty.is_zero() {
            return Fill::default();
        }
        let fill = self.state.book.take(qty, limit);
        if !fill.qty.is_zero() {
            self.owe_makers(fill);
            self.state.signals.trade(fill.value.as_f64());
            self.state.prices.last = fill.value.as_f64() / fill.qty.as_f64();
        }
        fill
    }

    /// Books a trade that nobody forced on its taker, fees and all; says what it paid beyond the price.
    pub(super) fn book_willing(&mut self, id: AccountId, fill: Fill) -> Usd {
        let notional = fill.value.abs();
        let [fee, contribution] = self.charged_rates().map(|rate| notional.share_ceil(rate));
        let state = &mut self.state;
        state.ledger.trade(id, fill.qty, fill.value);
        state.outcome.natural_volume += notional;
        state.ledger.charge(id, fee);
        state.outcome.fees += fee;
        state.ledger.transfer(id, self.fixed.fund, contribution);
        fee + contribution
    }

    /// Taker fee and contribution to the fund on a trade that nobody forced.
    pub(super) fn charged_rates(&self) -> [Rate; 2] {
        [self.scenario.venue.taker_fee_bp, self.state.controls.fund_contribution].map(|bp| Rate::from_f64(bp * 1e-4))
    }
}

/// Member number for a uniform draw.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a u32 count")]
fn scaled(u: f64, count: u32) -> u32 {
    ((u * f64::from(count)) as u32).min(count.saturating_sub(1))
}
