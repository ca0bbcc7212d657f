//! How much of a position is closed now: the close-size slot on the state of the market.

use super::Market;
use super::liquidate::Measure;
use super::state::Case;
use crate::book::{Book, Side};
use crate::liquidation::{SizeRule, Then, Toxic, block_size, health, ramp_allowance, remaining, urgency};
use crate::margin::theory::{Restoration, restoration};
use crate::units::{Qty, Usd};

/// Smallest step down between tiers, in dollars.
const LEAST_STEP: f64 = 10.0;
/// Time over which the cost of a schedule's rate is measured, in seconds.
const COST_SECONDS: f64 = 60.0;

impl Market {
    /// Signed size to close now, or none while the account has to wait.
    pub(super) fn next_slice(&mut self, case: &Case, now: &Measure, ratio: f64) -> Option<Qty> {
        let waiting = self.is_waiting(case, now);
        let mut whole = now.notional.as_f64() <= self.state.rules.size.full_below();
        if let SizeRule::Share { then, .. } = self.state.rules.size {
            let rest = then.closes_all(case.slices, waiting);
            if waiting && !(rest && then == Then::RestDuringWait) {
                return None;
            }
            whole |= rest;
        } else if waiting || self.is_halted_as_toxic(case, now, ratio) {
            return None;
        }
        let share = if whole { 1.0 } else { self.share(case, now, ratio) };
        // The backstop may have taken the account over.
        if self.state.ledger.qty(case.id).is_zero() {
            return Some(Qty::ZERO);
        }
        Some(self.within_capacity(now, share))
    }

    /// Share of the position that the rule closes.
    fn share(&mut self, case: &Case, now: &Measure, ratio: f64) -> f64 {
        let notional = now.notional.as_f64();
        match self.state.rules.size {
            SizeRule::Share { share, full_under_health, .. } => {
                if full_under_health > 0.0 && health(ratio, now.rate) <= full_under_health { 1.0 } else { share }
            }
            SizeRule::Block { share, least, most } => block_size(notional, share, least, most) / notional,
            SizeRule::Ramp { initial, seconds, full_shortage, .. } => {
                self.ramp_share(case, now, ratio, [initial, seconds, full_shortage])
            }
            SizeRule::TierStep => {
                // A position that stands on a cap up to rounding goes on to the next one.
                let below = self.fixed.schedule.cap_below(now.notional - Usd::from_f64(LEAST_STEP));
                if below.is_zero() { 1.0 } else { (now.notional - below).as_f64() / notional }
            }
            SizeRule::Restore { toxic, .. } => self.restoring_share(case, now, ratio, toxic),
            SizeRule::Schedule { horizon, risk_aversion } => self.scheduled_share(case, now, horizon, risk_aversion),
            SizeRule::Depth { share, distance, .. } => {
                let coins = now.qty.abs().as_f64();
                (share * self.state.book.depth(Side::of(-now.qty), distance) / coins).min(1.0)
            }
            SizeRule::UntilToxic { share, .. } => share,
        }
    }

    /// Whether the rule closes nothing of an account because it has no more left than closing would cost it (T1).
    fn is_halted_as_toxic(&self, case: &Case, now: &Measure, ratio: f64) -> bool {
        let SizeRule::UntilToxic { .. } = self.state.rules.size else { return false };
        let bonus = self.state.rules.bonus.offered(self.seconds_since(case.since), ratio, now.notional.as_f64());
        ratio <= bonus + self.scenario.venue.liquidation_fee_bp * 1e-4
    }

    fn restoring_share(&mut self, case: &Case, now: &Measure, ratio: f64, toxic: Toxic) -> f64 {
        let coins = now.qty.abs().as_f64();
        let reachable = coins.min(self.state.allowance.max(0.0)).max(1e-9);
        let cost =
            self.state.book.impact(Side::of(-now.qty), reachable) + self.scenario.venue.liquidation_fee_bp * 1e-4;
        match restoration(ratio, now.target, cost.min(1.0)) {
            Restoration::Met => 0.0,
            Restoration::Close(share) => share,
            Restoration::Toxic => {
                if toxic == Toxic::HandOver {
                    self.fund_takes(case.id, now.equity, now.notional);
                }
                1.0
            }
        }
    }

    /// Drift: as much as frees the part of the shortage that time allows, at what the liquidator and the fund take.
    fn ramp_share(&self, case: &Case, now: &Measure, ratio: f64, [initial, seconds, full]: [f64; 3]) -> f64 {
        let notional = now.notional.as_f64();
        let shortage = (now.target - ratio) * notional;
        let waited = self.seconds_since(case.since);
        let fees =
            self.state.rules.bonus.offered(waited, ratio, notional) + self.scenario.venue.liquidation_fee_bp * 1e-4;
        // Nothing that is closed at more than it frees restores anything.
        let freed_per_dollar = now.target - fees;
        if ratio <= 0.0 || freed_per_dollar <= 0.0 {
            return 1.0;
        }
        let closed = (case.start.abs() - now.qty.abs()).notional(self.state.prices.mark).as_f64();
        let freed = closed * freed_per_dollar;
        let allowed =
            if shortage <= full { shortage } else { ramp_allowance(shortage, freed, initial, waited, seconds) };
        (allowed / (notional * freed_per_dollar)).clamp(0.0, 1.0)
    }

    /// Almgren and Chriss, with the market's volatility and the book's cost of their own rate.
    fn scheduled_share(&self, case: &Case, now: &Measure, horizon: f64, risk_aversion: f64) -> f64 {
        let (start, held) = (case.start.abs().as_f64(), now.qty.abs().as_f64());
        let span = horizon.min(COST_SECONDS);
        let coins = start * span / horizon;
        let dollars_per_second = coins * self.state.prices.mark.as_f64() / span;
        let cost = self.state.book.impact(Side::of(-now.qty), coins) / dollars_per_second.max(1e-9);
        let urgency = urgency(self.state.signals.sigma_medium(), risk_aversion, cost);
        // Where the schedule stands at the end of this tick.
        let elapsed = self.seconds_since(case.since) + self.fixed.seconds;
        (1.0 - start * remaining(urgency, horizon, elapsed) / held).clamp(0.0, 1.0)
    }

    /// Seconds since a tick.
    pub(super) fn seconds_since(&self, tick: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
        let ticks = (self.state.tick - tick) as f64;
        ticks * self.fixed.seconds
    }

    /// Whether an order of `slice` would fill at `distance` from mid.
    pub(super) fn would_fill(&self, slice: Qty, distance: Option<f64>) -> bool {
        distance.is_none_or(|distance| {
            distance > 0.0 && self.state.book.depth(Side::of(-slice), distance) >= slice.abs().as_f64()
        })
    }

    /// Net equity of a range of accounts, for signals.
    pub(super) fn equity_of(&self, ids: std::ops::Range<super::AccountId>) -> Usd {
        ids.map(|id| self.state.ledger.equity(id, self.state.prices.mark)).sum()
    }
}
