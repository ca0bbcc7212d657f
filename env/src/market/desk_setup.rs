//! How the option desk starts: what is listed, who holds what, and with how much money.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::desk::{Customer, Desk, Listed, lots, ticks};
use super::ledger::AccountId;
use super::portfolio::Bench;
use super::settlement::share_out;
use super::setup::Fixed;
use super::state::State;
use crate::margin::options::{Black76, Level, OptionKind};
use crate::margin::portfolio::{OptionSeries, PortfolioMargin, ScanPoint};
use crate::participants::traders::pareto;
use crate::rng::{Purpose, SeedTree, open_unit};
use crate::scenario::{OptionsConfig, Scenario};
use crate::units::{Price, Qty, Usd};
use crate::world::Clock;

/// Least money of a customer at reset, in dollars.
const LEAST: f64 = 1_000.0;

/// What follows from an option desk's configuration once and for all.
#[derive(Debug)]
pub(super) struct DeskRules {
    pub(super) config: OptionsConfig,
    pub(super) margin: PortfolioMargin,
    pub(super) first: AccountId,
    pub(super) mark_ticks: u64,
    pub(super) step_ticks: u64,
    /// Between two looks at a delta: customers', option makers'.
    pub(super) hedge_ticks: [u64; 2],
}

impl DeskRules {
    /// Rules of a desk whose first customer has the number `first`.
    pub(super) fn new(config: &OptionsConfig, clock: Clock, first: AccountId) -> Self {
        let ticks = |seconds: f64| clock.ticks_in(seconds).max(1);
        Self {
            margin: PortfolioMargin::new(&config.margin.portfolio()),
            first,
            mark_ticks: ticks(config.mark_seconds),
            step_ticks: ticks(config.step_seconds),
            hedge_ticks: [ticks(config.customers.hedge_seconds), ticks(config.makers.hedge_seconds)],
            config: config.clone(),
        }
    }

    /// Accounts of a desk: customers and option makers.
    pub(super) const fn accounts(config: &OptionsConfig) -> u32 {
        config.customers.accounts + config.makers.count
    }

    /// Everything that is listed around a price.
    fn list(&self, price: f64, level: &Level) -> Vec<Listed> {
        let mut rows = Vec::new();
        for &hours in &self.config.expiry_hours {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a year in seconds")]
            let expiry_seconds = libm::round(hours * 3_600.0).max(1.0) as u64;
            for &strike in &self.config.strikes {
                for kind in [OptionKind::Put, OptionKind::Call] {
                    if kind.sign() * (strike - 1.0) >= 0.0 {
                        let terms = OptionSeries { asset: 0, kind, strike: ticks(price * strike), expiry_seconds };
                        rows.push(self.listed(terms, price, level));
                    }
                }
            }
        }
        rows
    }

    fn listed(&self, terms: OptionSeries, price: f64, level: &Level) -> Listed {
        let volatility = self.volatility(&terms, price, level, 0);
        let market = formula(&terms, price, volatility, 0);
        Listed {
            terms,
            mark: ticks(market.price(terms.kind)),
            volatility,
            delta: market.greeks(terms.kind).delta,
            has_expired: false,
            assessed: ScanPoint::default(),
        }
    }

    /// Volatility of a series at a price of the underlying.
    pub(super) fn volatility(&self, terms: &OptionSeries, price: f64, level: &Level, now_seconds: u64) -> f64 {
        level.at(&self.config.surface, libm::log(terms.strike.as_f64() / price), terms.years(now_seconds))
    }
}

/// Black's formula for a series; the perpetual's mark is its forward, and nothing is discounted.
pub(super) fn formula(terms: &OptionSeries, price: f64, volatility: f64, now_seconds: u64) -> Black76 {
    let (strike, years) = (terms.strike.as_f64(), terms.years(now_seconds));
    Black76 { forward: price, strike, years, volatility, rate: 0.0 }
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    open_unit(rng.next_u64())
}

/// A customer as it is drawn.
struct Drawn {
    customer: Customer,
    expiry: f64,
    cushion: f64,
}

impl State {
    /// Opens the desk, if the scenario has one: positions against option makers, hedges and underlyings against the makers
    /// of the home book, all at mark, and money by what the scan asks.
    pub(super) fn open_desk(&mut self, scenario: &Scenario, fixed: &Fixed, seeds: SeedTree) {
        let Some(rules) = &fixed.desk else { return };
        let mark = self.prices.mark;
        let price = mark.as_f64();
        let level = Level::new(&rules.config.surface, price);
        let draws = seeds.counter(Purpose::Options, 1);
        let makers = rules.config.makers.count as usize;
        let mut desk = Desk::new(rules.first, makers, rules.list(price, &level), level, draws);
        desk.marked = (0, price);
        let interest = scenario.traders.open_interest;
        let drawn = draw(&rules.config, interest / price, &mut seeds.stream(Purpose::Options, 0));
        desk.admit(drawn.iter().map(|drawn| drawn.customer).collect());
        for (account, drawn) in drawn.iter().enumerate() {
            write_legs(&mut desk, rules, account, drawn, mark);
        }
        self.buy_underlyings(&desk, fixed, mark);
        let mut bench = Bench::default();
        bench.refresh(rules, &desk, (mark, self.ledger.funding()), 0);
        for (account, drawn) in drawn.iter().enumerate() {
            let needed = bench.assess(rules, &desk, &self.ledger, account).levels.initial.as_f64();
            self.ledger.deposit(desk.id(account), Usd::from_f64((drawn.cushion * needed).max(LEAST)));
        }
        for maker in desk.customers.len()..desk.len() {
            self.ledger.deposit(desk.id(maker), Usd::from_f64(rules.config.makers.capital * interest));
        }
        desk.assert_invariants();
        self.desk = Some(Box::new(desk));
    }

    /// Gives everybody on the desk the perpetual that its style holds, hedgers and option makers what hedges them.
    fn buy_underlyings(&mut self, desk: &Desk, fixed: &Fixed, mark: Price) {
        let mut against = (Qty::ZERO, Usd::ZERO);
        for account in 0..desk.len() {
            let customer = desk.customers.get(account);
            let hedge =
                if customer.is_none_or(|customer| customer.style.hedges()) { -desk.delta(account) } else { 0.0 };
            let held = customer.map_or(0, |customer| customer.size.raw() * customer.style.perpetual());
            let qty = Qty::from_f64(hedge) + Qty::from_raw(held);
            if qty.is_zero() {
                continue;
            }
            let value = qty.value(mark);
            self.ledger.trade(desk.id(account), qty, value);
            against = (against.0 - qty, against.1 - value);
        }
        share_out(&mut self.ledger, fixed.makers_ids(), &vec![1.0; fixed.maker_count()], against);
    }
}

/// Draws the population of a desk whose positions are a share of `interest` coins.
fn draw(config: &OptionsConfig, interest: f64, rng: &mut ChaCha8Rng) -> Vec<Drawn> {
    let customers = &config.customers;
    let count = f64::from(customers.accounts);
    let rows: Vec<_> = (0..customers.accounts)
        .map(|account| {
            let style = customers.style((f64::from(account) + 0.5) / count);
            let size = pareto(uniform(rng), customers.size_tail, customers.size_range);
            let [expiry, cushion] = [uniform(rng), uniform(rng)];
            let [low, high] = customers.cushion;
            (style, size, expiry, low + (high - low) * cushion)
        })
        .collect();
    let legs = |style: crate::participants::option_customers::Style| style.legs().len();
    #[expect(clippy::cast_precision_loss, reason = "two legs at most")]
    let total: f64 = rows.iter().map(|(style, size, ..)| size * legs(*style) as f64).sum();
    let scale = customers.notional * interest / total;
    let most = Qty::from_f64(1e9);
    rows.into_iter()
        .map(|(style, size, expiry, cushion)| {
            let customer = Customer { style, size: lots(size * scale, most), assessed: None };
            Drawn { customer, expiry, cushion }
        })
        .collect()
}

fn write_legs(desk: &mut Desk, rules: &DeskRules, account: usize, drawn: &Drawn, mark: Price) {
    for (series, qty) in desk.legs(&drawn.customer, rules.config.customers.width, drawn.expiry, mark) {
        let maker = desk.maker_for(series, qty);
        desk.trade(series, account, maker, qty);
    }
}

impl Desk {
    /// What a customer would trade to take up its style: series and coins, at an expiry that a uniform draw chooses. Empty
    /// where a leg is not listed any more.
    pub(super) fn legs(&self, customer: &Customer, width: f64, draw: f64, mark: Price) -> Vec<(usize, Qty)> {
        let expiries = self.expiries();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a handful of expiries"
        )]
        let chosen = ((draw * expiries.len() as f64) as usize).min(expiries.len().saturating_sub(1));
        let Some(&expiry) = expiries.get(chosen) else { return Vec::new() };
        let leg = |&(kind, widths, coins): &(OptionKind, f64, i64)| {
            let strike = Price::from_f64(mark.as_f64() * (1.0 + widths * width));
            let series = self.nearest(kind, expiry, strike)?;
            Some((series, Qty::from_raw(customer.size.raw() * coins)))
        };
        customer.style.legs().iter().map(leg).collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}
