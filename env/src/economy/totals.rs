//! Totals of the home venue over its instruments, in exact money.

use serde::{Deserialize, Serialize};

use super::Economy;
use crate::market::Market;
use crate::outcome::Outcome;
use crate::units::Usd;

/// What has to be watched tick by tick because parts do not add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    fund_start: Usd,
    fund_low: Usd,
    minute: u64,
    /// Liquidated until the last tick, until the running minute began, and at most in one minute.
    liquidated: Usd,
    before_minute: Usd,
    peak_minute: Usd,
    stressed_ticks: u64,
}

/// The sum of an amount over markets.
fn sum(markets: &[Market], of: impl Fn(&Outcome) -> Usd) -> Usd {
    markets.iter().map(|market| of(market.outcome())).sum()
}

/// The mean of a figure over markets, by open interest at reset.
fn mean(markets: &[Market], of: impl Fn(&Outcome) -> f64) -> f64 {
    let weight = |market: &Market| market.outcome().reference_open_interest.as_f64();
    let total: f64 = markets.iter().map(weight).sum();
    markets.iter().map(|market| of(market.outcome()) * weight(market)).sum::<f64>() / total.max(1.0)
}

impl Economy {
    /// Totals at reset; every market's limits on the fund's payments count from the whole of it.
    pub(super) fn start_totals(&mut self) {
        for venue in 0..self.structure.venues {
            let first = self.structure.at(venue, 0);
            let markets = &mut self.markets[first..first + self.structure.assets];
            let start = markets.iter().map(Market::fund_equity).sum();
            markets.iter_mut().for_each(|market| market.begin_fund_at(start));
        }
        let start = self.fund_at_exit_cost();
        self.state.tally = Tally { fund_start: start, fund_low: start, ..Tally::default() };
        self.state.outcome = self.total();
    }

    /// Equity of home's insurance fund and vault with their inventory marked at what leaving it would fetch.
    #[must_use]
    pub fn fund_at_exit_cost(&self) -> Usd {
        self.home().iter().map(Market::fund_at_exit_cost).sum()
    }

    /// Distance of home's marks from the fundamental prices beyond a tolerance, by open interest at reset.
    #[must_use]
    pub fn excess_deviation_hours(&self) -> f64 {
        let weight = |market: &Market| market.outcome().reference_open_interest.as_f64();
        let total: f64 = self.home().iter().map(weight).sum();
        self.home().iter().map(|market| market.excess_deviation_hours() * weight(market)).sum::<f64>() / total.max(1.0)
    }

    /// Whether losses that no fund covered have closed the home venue.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let home = self.home();
        let lost = sum(home, |outcome| outcome.socialised + outcome.haircut + outcome.written_off);
        let reference = sum(home, |outcome| outcome.reference_open_interest);
        lost.as_f64() > self.structure.failure * reference.as_f64()
    }

    /// Once a tick.
    pub(super) fn record(&mut self) {
        let fund = self.fund_at_exit_cost();
        let home = &self.markets[..self.structure.assets];
        let liquidated = sum(home, |outcome| outcome.liquidated);
        let stressed = home.iter().any(|market| market.liquidating().next().is_some());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "minutes of an episode"
        )]
        let minute = ((self.state.tick - 1) as f64 * self.structure.seconds / 60.0) as u64;
        let tally = &mut self.state.tally;
        tally.fund_low = tally.fund_low.min(fund);
        tally.stressed_ticks += u64::from(stressed);
        if minute != tally.minute {
            tally.minute = minute;
            tally.before_minute = tally.liquidated;
        }
        tally.liquidated = liquidated;
        tally.peak_minute = tally.peak_minute.max(liquidated - tally.before_minute);
    }

    /// Updates what is averaged over decisions, and the totals.
    pub(crate) fn record_decision(&mut self) {
        self.markets.iter_mut().for_each(Market::record_decision);
        self.state.outcome = self.total();
    }

    /// The home venue as one: money is summed, prices are the first asset's, extremes are the worst of any asset, and
    /// means are weighted by open interest at reset.
    fn total(&self) -> Outcome {
        let home = self.home();
        let first = home[0].outcome();
        let tally = &self.state.tally;
        let count = |of: fn(&Outcome) -> u64| home.iter().map(|market| of(market.outcome())).sum();
        let earliest = |of: fn(&Outcome) -> Option<u64>| home.iter().filter_map(|market| of(market.outcome())).min();
        let most = |of: fn(&Outcome) -> f64| home.iter().map(|market| of(market.outcome())).fold(0.0, f64::max);
        let least = |of: fn(&Outcome) -> f64| home.iter().map(|market| of(market.outcome())).fold(f64::MAX, f64::min);
        Outcome {
            reference_open_interest: sum(home, |o| o.reference_open_interest),
            bad_debt: sum(home, |o| o.bad_debt),
            covered_by_fund: sum(home, |o| o.covered_by_fund),
            socialised: sum(home, |o| o.socialised),
            haircut: sum(home, |o| o.haircut),
            written_off: sum(home, |o| o.written_off),
            deleveraged: sum(home, |o| o.deleveraged),
            deleveraged_accounts: count(|o| o.deleveraged_accounts),
            liquidated: sum(home, |o| o.liquidated),
            liquidated_accounts: count(|o| o.liquidated_accounts),
            liquidation_cost: sum(home, |o| o.liquidation_cost),
            forced_volume: sum(home, |o| o.forced_volume),
            natural_volume: sum(home, |o| o.natural_volume),
            fees: sum(home, |o| o.fees),
            turned_away: sum(home, |o| o.turned_away),
            fund_start: tally.fund_start,
            fund_low: tally.fund_low,
            fund_end: self.fund_at_exit_cost(),
            keeper_profit: sum(home, |o| o.keeper_profit),
            deviation_max_bp: most(|o| o.deviation_max_bp),
            deviation_mean_bp: mean(home, |o| o.deviation_mean_bp),
            open_interest_mean: sum(home, |o| o.open_interest_mean),
            open_interest_end: sum(home, |o| o.open_interest_end),
            margin_mean: mean(home, |o| o.margin_mean),
            margin_peak: most(|o| o.margin_peak),
            margin_trough: least(|o| o.margin_trough),
            depth_low: least(|o| o.depth_low),
            peak_minute: tally.peak_minute,
            first_liquidation: earliest(|o| o.first_liquidation),
            first_deleveraging: earliest(|o| o.first_deleveraging),
            stressed_ticks: tally.stressed_ticks,
            ..*first
        }
    }
}
