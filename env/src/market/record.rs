//! Totals of the episode, kept tick by tick.

use super::Market;
use crate::units::{Price, Usd};

/// Distance of mark from fundamental that the reward tolerates: 30 bp, what a tense day has without any liquidation.
const TOLERATED: f64 = 3e-3;
/// Ticks between two looks at depth, which is a walk over levels.
const DEPTH_EVERY: u64 = 10;

impl Market {
    pub(super) fn record(&mut self) {
        let depth_due = self.state.tick.is_multiple_of(DEPTH_EVERY);
        let fund = self.fund_at_exit_cost();
        let state = &mut self.state;
        let outcome = &mut state.outcome;
        outcome.ticks = state.tick + 1;
        let (mark, fundamental) = (state.prices.mark, state.prices.fundamental);
        let gap = (mark.as_f64() / fundamental - 1.0).abs();
        outcome.deviation_max_bp = outcome.deviation_max_bp.max(1e4 * gap);
        state.tally.deviation_sum_bp += 1e4 * gap;
        if gap > TOLERATED {
            let interest = state.ledger.open_interest().notional(mark).as_f64();
            let share = interest / outcome.reference_open_interest.as_f64();
            state.excess_deviation_hours += (gap - TOLERATED) * share * self.fixed.seconds / 3_600.0;
        }
        outcome.mark_low = outcome.mark_low.min(mark);
        outcome.mark_high = outcome.mark_high.max(mark);
        let fundamental = Price::from_f64(fundamental);
        outcome.fundamental_low = outcome.fundamental_low.min(fundamental);
        outcome.fundamental_high = outcome.fundamental_high.max(fundamental);
        outcome.fund_end = fund;
        outcome.fund_low = outcome.fund_low.min(fund);
        outcome.stressed_ticks += u64::from(!state.queue.is_empty());
        if depth_due {
            let [[bids, asks]] = state.book.depths_of_both([0.01]);
            let depth = 0.5 * (asks + bids);
            outcome.depth_low = outcome.depth_low.min(depth / state.depth_reference);
        }
    }

    /// Notes notional that left a liquidated account.
    pub(super) fn note_liquidated(&mut self, notional: Usd) {
        let seconds = self.fixed.seconds;
        let state = &mut self.state;
        state.outcome.liquidated += notional;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "minutes of an episode"
        )]
        let minute = (state.tick as f64 * seconds / 60.0) as u64;
        if minute != state.tally.minute {
            state.tally.minute = minute;
            state.tally.minute_liquidated = Usd::ZERO;
        }
        state.tally.minute_liquidated += notional;
        state.outcome.peak_minute = state.outcome.peak_minute.max(state.tally.minute_liquidated);
    }

    /// Updates what is averaged over decisions, and the means over ticks.
    #[expect(clippy::cast_precision_loss, reason = "counts of an episode")]
    pub(crate) fn record_decision(&mut self) {
        let margin = self.margin_multiplier();
        let interest = self.open_interest();
        let keeper_profit = self.keeper_profit();
        let state = &mut self.state;
        state.outcome.keeper_profit = keeper_profit;
        state.outcome.decisions += 1;
        state.tally.interest_sum += interest.as_f64();
        state.tally.margin_sum += margin;
        let outcome = &mut state.outcome;
        let (decisions, ticks) = (outcome.decisions as f64, outcome.ticks.max(1) as f64);
        outcome.open_interest_mean = Usd::from_f64(state.tally.interest_sum / decisions);
        outcome.open_interest_end = interest;
        outcome.margin_mean = state.tally.margin_sum / decisions;
        outcome.margin_peak = outcome.margin_peak.max(margin);
        outcome.margin_trough = outcome.margin_trough.min(margin);
        outcome.deviation_mean_bp = state.tally.deviation_sum_bp / ticks;
    }
}
