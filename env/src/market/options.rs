//! The desk is marked: volatility moves, variation is settled, what has expired is paid off.

use super::Market;
use super::desk::{Desk, ticks};
use super::desk_setup::{DeskRules, formula};
use crate::units::Price;
use crate::world::SECONDS_PER_YEAR;

impl Market {
    /// Marks the desk where its time has come or the price has moved far enough.
    pub(super) fn mark_options(&mut self) {
        let Some(mut desk) = self.state.desk.take() else { return };
        let fixed = std::sync::Arc::clone(&self.fixed);
        let rules = fixed.desk.as_ref().expect("a market with a desk has its rules");
        if self.are_marks_due(rules, &desk) {
            self.revalue(rules, &mut desk);
        }
        self.state.desk = Some(desk);
    }

    fn are_marks_due(&self, rules: &DeskRules, desk: &Desk) -> bool {
        let (tick, price) = desk.marked;
        let moved = (self.state.prices.mark.as_f64() / price - 1.0).abs();
        self.state.tick >= tick + rules.mark_ticks || moved > 1e-4 * rules.config.mark_move_bp
    }

    fn revalue(&mut self, rules: &DeskRules, desk: &mut Desk) {
        let (price, now) = (self.state.prices.mark.as_f64(), self.desk_seconds());
        let realised = self.state.signals.variance_medium * SECONDS_PER_YEAR;
        desk.level.step(&rules.config.surface, price, realised, self.seconds_since(desk.marked.0));
        for series in 0..desk.series.len() {
            let terms = desk.series[series].terms;
            if desk.series[series].has_expired {
                continue;
            }
            if terms.expiry_seconds <= now {
                let payoff = terms.kind.payoff(self.state.prices.oracle, terms.strike.as_f64());
                desk.settle(series, ticks(payoff), &mut self.state.ledger);
                desk.expire(series);
                continue;
            }
            let volatility = rules.volatility(&terms, price, &desk.level, now);
            let market = formula(&terms, price, volatility, now);
            let mark: Price = ticks(market.price(terms.kind));
            desk.settle(series, mark, &mut self.state.ledger);
            desk.series[series].volatility = volatility;
            desk.series[series].delta = market.greeks(terms.kind).delta;
        }
        desk.marked = (self.state.tick, price);
        desk.outcome.marks += 1;
    }
}
