//! An account of the option desk as portfolio margin sees it, and the desk's greeks.
//!
//! Options are settled at every mark, so an account's cash holds all that they have earned: for the scan, which values
//! what is held, their value is taken off the cash again.

use super::desk::Desk;
use super::desk_setup::{DeskRules, formula};
use super::indexing::position_of;
use super::ledger::Ledger;
use super::{DeskOutcome, Market};
use crate::margin::portfolio::{
    Account, Assessment, AssetMark, Drift, ExitCosts, OptionHolding, OptionSeries, Perp, Plan, RiskTable, Scratch,
    Step, Unwinder, VenueExposure,
};
use crate::units::{Price, Qty, Usd, div_floor};

/// Working memory of scans: holds nothing between ticks.
#[derive(Clone, Debug, Default)]
pub(super) struct Bench {
    table: RiskTable,
    terms: Vec<OptionSeries>,
    volatilities: Vec<f64>,
    options: Vec<OptionHolding>,
    scan: Scratch,
    unwinder: Unwinder,
    /// By series: how far gains can have drifted since accounts were assessed.
    pub(super) drifts: Vec<Drift>,
}

impl Bench {
    /// Values every series in every scenario at a price, with the venue's cumulative funding.
    pub(super) fn refresh(
        &mut self,
        rules: &DeskRules,
        desk: &Desk,
        (mark, funding): (Price, Price),
        now_seconds: u64,
    ) {
        self.terms.clear();
        self.terms.extend(desk.series.iter().map(|listed| listed.terms));
        self.volatilities.clear();
        let price = mark.as_f64();
        self.volatilities
            .extend(desk.series.iter().map(|listed| rules.volatility(&listed.terms, price, &desk.level, now_seconds)));
        let one = [Price::from_raw(Price::SCALE)];
        let listed = (self.terms.as_slice(), self.volatilities.as_slice());
        self.table.refresh(&rules.margin, &[AssetMark { price: mark, funding }], &one, listed, now_seconds);
    }

    /// The perpetual of an account with the options' value off its cash; holdings go to `options`.
    fn account(&mut self, desk: &Desk, ledger: &Ledger, account: usize) -> Perp {
        self.options.clear();
        let mut value = 0_i128;
        for (series, &qty) in desk.held(account).iter().enumerate() {
            if !qty.is_zero() {
                self.options.push(OptionHolding { series, qty });
                value += i128::from(qty.raw()) * i128::from(self.table.series()[series].price.raw());
            }
        }
        let mut position = position_of(ledger, desk.id(account));
        position.cash -= Usd::from_raw(div_floor(value, Qty::SCALE));
        Perp { asset: 0, position }
    }

    /// Assesses an account at the last refresh. Its equity is that of the ledger.
    pub(super) fn assess(&mut self, rules: &DeskRules, desk: &Desk, ledger: &Ledger, account: usize) -> Assessment {
        let perp = [self.account(desk, ledger, account)];
        rules.margin.assess(
            &Account { perps: &perp, options: &self.options, collateral: &[] },
            &self.table,
            &mut self.scan,
        )
    }

    /// Assesses an account as if it held `perp` coins more of the perpetual and these options on top, all at their marks.
    pub(super) fn assess_with(
        &mut self,
        rules: &DeskRules,
        desk: &Desk,
        ledger: &Ledger,
        (account, perp, legs): (usize, Qty, &[(usize, Qty)]),
    ) -> Assessment {
        let mut position = self.account(desk, ledger, account);
        let mark = self.table.asset(0).0;
        position.position.qty += perp;
        position.position.cash -= perp.value(mark.price - mark.funding + position.position.funding);
        for &(series, qty) in legs {
            match self.options.iter_mut().find(|holding| holding.series == series) {
                Some(holding) => holding.qty += qty,
                None => self.options.push(OptionHolding { series, qty }),
            }
            position.position.cash -= qty.value(self.table.series()[series].price);
        }
        let perps = [position];
        let account = Account { perps: &perps, options: &self.options, collateral: &[] };
        rules.margin.assess(&account, &self.table, &mut self.scan)
    }

    /// Plans an account's liquidation at the last refresh; the steps name series, not holdings.
    pub(super) fn plan(
        &mut self,
        rules: &DeskRules,
        desk: &Desk,
        (ledger, account): (&Ledger, usize),
        costs: &ExitCosts<'_>,
    ) -> (Plan, Vec<Step>) {
        let perp = [self.account(desk, ledger, account)];
        let holder = Account { perps: &perp, options: &self.options, collateral: &[] };
        let plan = self.unwinder.plan(&rules.margin, &self.table, &holder, costs);
        let named = |step: &Step| match *step {
            Step::Hedge { .. } => *step,
            Step::Close { holding, qty, hedge } => Step::Close { holding: self.options[holding].series, qty, hedge },
        };
        let steps = self.unwinder.steps().iter().map(named).collect();
        (plan, steps)
    }
}

/// Whose greeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    /// Portfolio-margined customers.
    Customers,
    /// Option makers.
    OptionMakers,
    /// Everybody who trades his delta away: vol sellers and option makers.
    Hedgers,
}

impl Market {
    /// The option desk, if the scenario has one.
    #[must_use]
    pub fn desk(&self) -> Option<&Desk> {
        self.state.desk.as_deref()
    }

    /// Totals of the option desk so far.
    #[must_use]
    pub fn desk_outcome(&self) -> Option<DeskOutcome> {
        self.desk().map(|desk| desk.outcome)
    }

    /// Seconds since reset at the end of this tick.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "ticks of an episode"
    )]
    pub(super) fn desk_seconds(&self) -> u64 {
        ((self.state.tick + 1) as f64 * self.fixed.seconds) as u64
    }

    fn belongs(desk: &Desk, account: usize, holders: Holders) -> bool {
        let customer = desk.customers.get(account);
        match holders {
            Holders::Customers => customer.is_some(),
            Holders::OptionMakers => customer.is_none(),
            Holders::Hedgers => customer.is_none_or(|customer| customer.style.hedges()),
        }
    }

    /// Delta, gamma, vega and theta of a group's options and perpetuals at mark, net and gross.
    #[must_use]
    pub fn portfolio_exposure(&self, holders: Holders) -> VenueExposure {
        let mut total = VenueExposure::default();
        let (Some(desk), Some(rules)) = (self.desk(), &self.fixed.desk) else { return total };
        let (price, now) = (self.state.prices.mark.as_f64(), self.desk_seconds());
        let greeks: Vec<_> = desk
            .series
            .iter()
            .map(|listed| {
                let volatility = rules.volatility(&listed.terms, price, &desk.level, now);
                formula(&listed.terms, price, volatility, now).greeks(listed.terms.kind)
            })
            .collect();
        for account in (0..desk.len()).filter(|&account| Self::belongs(desk, account, holders)) {
            let mut own = crate::margin::portfolio::Exposure {
                delta_coins: self.state.ledger.qty(desk.id(account)).as_f64(),
                ..Default::default()
            };
            for (qty, greeks) in desk.held(account).iter().zip(&greeks) {
                let coins = qty.as_f64();
                own.delta_coins += coins * greeks.delta;
                own.gamma_coins_per_dollar += coins * greeks.gamma;
                own.vega_dollars_per_point += coins * greeks.vega * 0.01;
                own.theta_dollars_per_day += coins * greeks.theta / 365.0;
            }
            total.add(own);
        }
        total
    }

    /// Dollars of the perpetual that hedgers would have to trade if the price moved by a fraction and volatility stayed a
    /// function of moneyness: positive buys. A fall that makes them sell feeds itself, as forced selling does.
    #[must_use]
    pub fn hedging_flow(&self, moved: f64) -> f64 {
        let (Some(desk), Some(rules)) = (self.desk(), &self.fixed.desk) else { return 0.0 };
        let (price, now) = (self.state.prices.mark.as_f64(), self.desk_seconds());
        let mut coins = 0.0;
        for (series, listed) in desk.series.iter().enumerate() {
            let hedgers = (0..desk.len()).filter(|&account| Self::belongs(desk, account, Holders::Hedgers));
            let held: Qty = Qty::from_raw(hedgers.map(|account| desk.held(account)[series].raw()).sum());
            if !held.is_zero() {
                let delta = |price: f64| {
                    let volatility = rules.volatility(&listed.terms, price, &desk.level, now);
                    formula(&listed.terms, price, volatility, now).greeks(listed.terms.kind).delta
                };
                coins -= held.as_f64() * (delta(price * (1.0 + moved)) - delta(price));
            }
        }
        coins * price
    }

    /// Coins per dollar of price that hedging trades the way the price has moved, in the sign of
    /// [`crate::margin::liquidation_gamma`], so that both add up: positive where hedgers are short of gamma and sell into a
    /// fall.
    #[must_use]
    pub fn hedging_gamma(&self) -> f64 {
        -self.portfolio_exposure(Holders::Hedgers).net.gamma_coins_per_dollar
    }
}
