//! What follows from a scenario once and for all: account numbers, tables, constants.

use std::ops::Range;

use super::desk_setup::DeskRules;
use super::ledger::AccountId;
use super::stablecoin::StablecoinRules;
use crate::halts::BreakerModel;
use crate::margin::MarginSchedule;
use crate::participants::activity::ActivityLaw;
use crate::participants::adversaries::ACCOUNTS;
use crate::participants::makers::Maker;
use crate::rng::{Purpose, SeedTree};
use crate::scenario::Scenario;
use crate::units::Usd;
use crate::world::{MarkModel, OracleModel, SECONDS_PER_YEAR, WorldModel};

/// Constants of a market. Accounts are numbered traders (adversaries last among them), makers, arbitrageurs, keepers, the
/// option desk's, fund, vault.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) traders: u32,
    /// Traders that are no adversaries.
    ordinary: u32,
    makers: u32,
    arbitrageurs: u32,
    keepers: u32,
    pub(super) fund: AccountId,
    /// Account of a backstop vault; empty where the venue has none.
    pub(super) vault: AccountId,
    pub(super) schedule: MarginSchedule,
    pub(super) world: WorldModel,
    pub(super) oracle: OracleModel,
    pub(super) mark: MarkModel,
    pub(super) breaker: BreakerModel,
    /// Long-run volatility per root second.
    pub(super) reference_sigma: f64,
    /// Highest leverage of the table.
    pub(super) max_leverage: f64,
    /// Initial margin that a typical position of the population locks: one over ten.
    pub(super) typical_margin: f64,
    /// Lowest maintenance rate of the table.
    pub(super) maintenance: f64,
    /// Seconds in a tick.
    pub(super) seconds: f64,
    /// Inventory limit of one maker, in dollars.
    pub(super) maker_limit: f64,
    /// Position limit of one arbitrageur, in dollars.
    pub(super) arbitrage_limit: f64,
    /// Inventory limit of one keeper, in dollars.
    pub(super) keeper_limit: f64,
    /// Actions per tick in calm, cumulated over classes.
    pub(super) action_rate: Vec<f64>,
    /// What excites traders.
    pub(super) activity: ActivityLaw,
    /// Ticks between two funding payments.
    pub(super) funding_ticks: u64,
    /// One over the number of makers.
    pub(super) maker_share: f64,
    /// What a maker takes back of its size between two looks.
    pub(super) maker_recovery: f64,
    /// Share of a gap to other venues that makers close in a tick, and other venues of theirs to the market's price.
    pub(super) coupling: f64,
    /// What is left of home's passing impact on other venues after a tick.
    pub(super) spill_decay: f64,
    /// Share of home's displacement that becomes permanent in a tick, if home is the whole market.
    pub(super) settle: f64,
    /// Option desk, where there is one.
    pub(super) desk: Option<DeskRules>,
    /// Stablecoin, where accounts post one.
    pub(super) stablecoin: Option<StablecoinRules>,
}

impl Fixed {
    pub(super) fn new(scenario: &Scenario, world: WorldModel) -> Self {
        let clock = world.clock();
        let config = &scenario.traders;
        let seconds = scenario.clock.tick_seconds;
        let mut total = 0.0;
        let action_rate = config
            .classes
            .iter()
            .map(|class| {
                total += class.share * f64::from(config.accounts) * class.rate * seconds / 3_600.0;
                total
            })
            .collect();
        let reference_sigma = scenario.venue.reference_volatility / SECONDS_PER_YEAR.sqrt();
        let interest = config.open_interest;
        let adversaries = ACCOUNTS * u32::try_from(scenario.adversaries.len()).expect("a handful of adversaries");
        let traders = config.accounts + adversaries;
        let (makers, arbitrageurs, keepers) = (scenario.makers.count, scenario.arbitrage.count, scenario.keepers.count);
        let first = &scenario.margin.tiers[0];
        let desk_first = traders + makers + arbitrageurs + keepers;
        let fund = desk_first + scenario.options.as_ref().map_or(0, DeskRules::accounts);
        Self {
            traders,
            ordinary: config.accounts,
            makers,
            arbitrageurs,
            keepers,
            fund,
            vault: fund + 1,
            stablecoin: scenario.stablecoin.as_ref().map(StablecoinRules::new),
            desk: scenario.options.as_ref().map(|options| DeskRules::new(options, clock, desk_first)),
            schedule: MarginSchedule::new(&scenario.margin),
            oracle: OracleModel::new(&scenario.oracle, clock),
            mark: MarkModel::new(&scenario.mark, clock),
            breaker: BreakerModel::new(&scenario.venue.breaker, clock),
            world,
            reference_sigma,
            max_leverage: first.max_leverage,
            typical_margin: 0.1,
            maintenance: first.maintenance,
            seconds,
            maker_limit: scenario.makers.capital * scenario.makers.inventory_limit * interest,
            arbitrage_limit: scenario.arbitrage.capacity * interest,
            keeper_limit: scenario.keepers.capital * scenario.keepers.leverage * interest,
            action_rate,
            activity: ActivityLaw::new(config.activity, reference_sigma, seconds),
            funding_ticks: clock.ticks_in(scenario.funding.interval).max(1),
            maker_share: 1.0 / f64::from(makers),
            maker_recovery: scenario.makers.recovery(seconds * f64::from(scenario.makers.count)),
            coupling: 1.0 - libm::pow(1.0 - scenario.makers.coupling, seconds),
            settle: 1.0 - libm::exp2(-seconds / scenario.book.latent_half_life),
            spill_decay: libm::exp2(-seconds / scenario.venue.impact_half_life),
        }
    }

    /// Actions per tick in calm.
    pub(super) fn actions(&self) -> f64 {
        self.action_rate.last().copied().unwrap_or(0.0)
    }

    pub(super) const fn accounts(&self) -> usize {
        self.vault as usize + 1
    }

    /// Accounts that can be in liquidation, and whoever is numbered among them.
    pub(super) const fn liquidable(&self) -> usize {
        if self.desk.is_some() { self.fund as usize } else { self.traders as usize }
    }

    pub(super) const fn is_adversary(&self, id: AccountId) -> bool {
        self.ordinary <= id && id < self.traders
    }

    /// Bait and hand of the `n`-th adversary.
    pub(super) fn adversary(&self, n: usize) -> [AccountId; 2] {
        let bait = self.ordinary + ACCOUNTS * u32::try_from(n).expect("a handful of adversaries");
        [bait, bait + 1]
    }

    pub(super) const fn maker_count(&self) -> usize {
        self.makers as usize
    }

    pub(super) const fn makers_ids(&self) -> Range<AccountId> {
        self.traders..self.traders + self.makers
    }

    pub(super) const fn arbitrageurs(&self) -> Range<AccountId> {
        let first = self.traders + self.makers;
        first..first + self.arbitrageurs
    }

    pub(super) const fn keepers(&self) -> Range<AccountId> {
        let first = self.traders + self.makers + self.arbitrageurs;
        first..first + self.keepers
    }

    /// Insurance fund and vault.
    pub(super) const fn backstops(&self) -> Range<AccountId> {
        self.fund..self.vault + 1
    }

    /// Makers that quote in full, each with its own nerve.
    pub(super) fn makers(&self, scenario: &Scenario, seeds: SeedTree) -> Vec<Maker> {
        let counter = seeds.counter(Purpose::Makers, 0);
        let capital = Usd::from_f64(scenario.makers.capital * scenario.traders.open_interest).as_f64();
        (0..u64::from(self.makers))
            .map(|m| {
                let [u, _] = counter.uniform2(0, m);
                Maker::new(capital, scenario.makers.exit_volatility * (0.75 + 0.5 * u))
            })
            .collect()
    }
}
