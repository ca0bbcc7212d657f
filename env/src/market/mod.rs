//! The home venue: one linear perpetual, everybody who trades it, and a fixed sequence of stages per tick.
//!
//! | stage | file |
//! |---|---|
//! | prices outside move | `outside` |
//! | makers requote, the book refreshes | `quotes` |
//! | the venue's outages and circuit breaker | `gate` |
//! | traders act | `flow` |
//! | arbitrageurs act | `arbitrage` |
//! | adversaries act | `schemes` |
//! | the option desk, where there is one: hedges, orders, marks | `option_flow`, `options` |
//! | traders withdraw what they do not need, where they do and may | `withdraw` |
//! | mark price, signals, funding; the stablecoin's peg | `marks`, `stablecoin` |
//! | margin calls, and when nobody needs one | `calls`, `watch` |
//! | liquidation: triggers and cases | `liquidate` |
//! | close size, throttle, execution, over other venues too | `slices`, `capacity`, `execute`, `keepers`, `routed` |
//! | the same for portfolio-margined accounts, hedge first | `portfolios` |
//! | backstop, loss allocation, the backstop's own inventory | `waterfall`, `deleverage`, `share_losses`, `unwind` |
//! | makers' fills are settled, totals recorded | `settlement`, `record` |

mod arbitrage;
mod calls;
mod capacity;
mod deleverage;
mod desk;
mod desk_setup;
mod events;
mod execute;
mod flow;
mod gate;
mod indexing;
mod joined;
mod keepers;
mod ledger;
mod liquidate;
mod marks;
mod option_flow;
mod options;
mod outside;
mod portfolio;
mod portfolios;
mod quotes;
mod record;
mod redraw;
mod routed;
mod schemes;
mod settlement;
mod setup;
mod share_losses;
mod signals;
mod slices;
mod spare;
mod stablecoin;
mod state;
#[cfg(test)]
mod tests;
mod unwind;
mod watch;
mod waterfall;
mod withdraw;

use std::ops::Range;
use std::sync::Arc;

pub use desk::{Desk, DeskOutcome};
pub use events::{AuctionRun, Concession, Events, Taken, Takeover};
pub(crate) use joined::Debt;
pub use ledger::{AccountId, Ledger};
pub use portfolio::Holders;
pub(crate) use routed::Abroad;
pub use share_losses::Claims;
pub use signals::Signals;
pub use spare::Spared;
pub use stablecoin::{Stablecoin, StablecoinOutcome};
pub(crate) use state::Streams;
pub use state::{Prices, State};
pub use withdraw::WithdrawalOutcome;

use crate::action::Controls;
use crate::book::{Book, Side};
use crate::economy::Structure;
use crate::error::Error;
use crate::liquidation::Pipeline;
use crate::margin::{Adjustment, MarginSchedule, TriggerIndex};
use crate::outcome::Outcome;
use crate::scenario::Scenario;
use crate::units::{Price, Qty, Usd};
use crate::world::{World, WorldModel};
use setup::Fixed;
use watch::{Terms, Watch};

/// Most lines of margin: 32 rows and the flat line.
pub const MARGIN_LINES_MAX: usize = 33;

/// A market: its configuration, what follows from it, and its state.
#[derive(Clone, Debug)]
pub struct Market {
    scenario: Arc<Scenario>,
    pipeline: Pipeline,
    fixed: Arc<Fixed>,
    state: State,
    /// Working memory: holds nothing between ticks.
    scratch: Scratch,
}

/// Where markets open: a scenario, the venue's rules, and what follows from them, shared by every episode.
#[derive(Clone, Debug)]
pub struct Site {
    scenario: Arc<Scenario>,
    pipeline: Pipeline,
    fixed: Arc<Fixed>,
    economy: Option<Arc<Structure>>,
}

impl Site {
    /// A site of a validated scenario in its own synthetic world.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, pipeline: Pipeline) -> Self {
        let world = WorldModel::new(&scenario.world, scenario.world_clock());
        Self::in_world(scenario, pipeline, world)
    }

    /// A site of a validated scenario in a given world, such as a replayed one.
    ///
    /// # Panics
    /// If the world was prepared for another clock, or is replayed and the scenario has several assets or venues.
    #[must_use]
    pub fn in_world(scenario: Arc<Scenario>, pipeline: Pipeline, world: WorldModel) -> Self {
        assert_eq!(world.clock(), scenario.world_clock(), "the world keeps the scenario's clock");
        let economy = scenario.is_economy().then(|| {
            assert!(!world.is_replayed(), "a history knows one asset on one venue");
            Arc::new(Structure::new(&scenario, pipeline, world.clone()))
        });
        let fixed = Arc::new(Fixed::new(&scenario, world));
        Self { scenario, pipeline, fixed, economy }
    }

    /// The structure of a scenario with several assets or venues.
    pub(crate) const fn economy(&self) -> Option<&Arc<Structure>> {
        self.economy.as_ref()
    }

    /// The scenario.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Whether its price follows a history.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.fixed.world.is_replayed()
    }

    /// A market at the start of the episode that `seed` names.
    ///
    /// # Panics
    /// If the scenario has several assets or venues: no one market plays it.
    #[must_use]
    pub fn open(&self, seed: u64) -> Market {
        assert!(self.economy.is_none(), "several assets or venues are an economy");
        self.open_at(Streams::alone(seed))
    }

    /// A market at the start of an episode with these streams.
    pub(crate) fn open_at(&self, streams: Streams) -> Market {
        let (scenario, fixed) = (Arc::clone(&self.scenario), Arc::clone(&self.fixed));
        let state = State::new(&scenario, &fixed, &self.pipeline, streams);
        Market { scenario, pipeline: self.pipeline, fixed, state, scratch: Scratch::default() }
    }
}

/// Whose turn it is among participants that look once in `latency` ticks, each with its number: number `k` looks when
/// `tick + k` is a multiple of the latency.
fn on_turn(ids: Range<AccountId>, tick: u64, latency: u32) -> impl Iterator<Item = (u64, AccountId)> {
    let (latency, count) = (u64::from(latency), u64::from(ids.end - ids.start));
    let since = tick % latency;
    let first = if since == 0 { 0 } else { latency - since };
    let turns = std::iter::successors(Some(first), move |k| Some(k + latency)).take_while(move |&k| k < count);
    turns.map(move |k| (k, ids.start + u32::try_from(k).expect("a number below a u32 count")))
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    ids: Vec<u32>,
    weights: Vec<f64>,
    ranking: Vec<(f64, u32)>,
    profits: Vec<Usd>,
    bids: Vec<(f64, u64, AccountId)>,
    /// Tick and winning direction that `ranking` was made for.
    ranked: Option<(u64, i64)>,
    /// Margin multiplier, contribution and the probability of an opening that follows from them.
    entry: Option<([f64; 2], f64)>,
    /// Marks at which nobody is called or short, for the present state.
    watch: Option<Watch>,
    /// Terms of margin at the last call.
    terms: Option<Terms>,
    /// What the system took in this tick and the other side has not yet been scaled down by.
    transit: Qty,
    transit_notional: Usd,
    /// What the other markets of an economy mean for this one in this tick.
    joined: joined::Joined,
    /// What owners came to owe in this tick, where others collect it.
    debts: Vec<Debt>,
    /// Tick whose capacity has been granted.
    granted: Option<u64>,
    bench: portfolio::Bench,
    /// What is listened for, whatever the state: it changes no result.
    witness: spare::Witness,
    /// Single events, if anybody asked to hear of them: they change no result either.
    events: Option<Box<Events>>,
}

impl Scratch {
    /// Drops what was worked out for another state.
    fn forget(&mut self) {
        (self.ranked, self.granted, self.watch) = (None, None, None);
        self.witness.forget();
        if let Some(events) = &mut self.events {
            events.forget();
        }
    }
}

impl Market {
    /// Starts the episode that `seed` names.
    pub fn reset(&mut self, seed: u64) {
        self.reset_at(Streams::alone(seed));
    }

    /// As [`Site::open_at`], in place.
    pub(crate) fn reset_at(&mut self, streams: Streams) {
        // A queue that has grown once need not grow again.
        let mut queue = std::mem::take(&mut self.state.queue);
        queue.clear();
        self.state = State::new(&self.scenario, &self.fixed, &self.pipeline, streams);
        self.state.queue = queue;
        self.scratch.forget();
    }

    /// Sets the controlled parameters from here on.
    pub fn set_controls(&mut self, controls: Controls) {
        self.state.controls = controls;
        self.state.rules = self.pipeline.resolve(&controls);
    }

    /// Advances one tick.
    pub fn tick(&mut self) {
        self.move_outside();
        self.open_trading();
        self.arbitrage();
        self.close_trading();
        self.settle_risk(&mut Abroad::default());
    }

    /// Makers requote and traders act: the stages before arbitrage, which an economy does for all its markets.
    pub(crate) fn open_trading(&mut self) {
        self.refresh_quotes();
        self.watch_halts();
        self.trade_flow();
    }

    /// The stages from arbitrage to the mark price.
    pub(crate) fn close_trading(&mut self) {
        self.scheme();
        self.trade_options();
        self.withdraw();
        self.settle_makers();
        self.move_marks();
        self.move_peg();
        self.mark_options();
    }

    /// The stages from the mark price on; `abroad` is where a venue that routes may trade too.
    pub(crate) fn settle_risk(&mut self, abroad: &mut Abroad<'_>) {
        if !self.is_halted() {
            self.call_margin();
            self.liquidate(abroad);
            self.liquidate_portfolios();
            self.unwind_fund();
            self.unwind_keepers();
            self.settle_makers();
        }
        self.follow_spared();
        self.record();
        self.state.tick += 1;
        #[cfg(debug_assertions)]
        if self.state.tick.is_multiple_of(64) {
            self.state.ledger.assert_invariants();
            if let Some(desk) = &self.state.desk {
                desk.assert_invariants();
            }
        }
    }

    /// Whether nobody would be called or fall short of margin at a mark, as far as is known without asking anybody. False
    /// says nothing: a tick at that mark looks for itself.
    #[inline]
    #[must_use]
    pub fn is_quiet_at(&self, mark: Price) -> bool {
        let marks = self.scratch.watch.as_ref();
        marks.is_some_and(|watch| {
            watch.covers(mark) && !self.state.index.is_alarmed() && watch.holds(self.margin_terms())
        })
    }

    /// Memory of the state in bytes, spare capacity included; what a matching engine or a pool holds is not counted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let state = &self.state;
        let traders = state.traders.bytes() + state.in_liquidation.capacity();
        let queue = state.queue.capacity() * size_of::<state::Case>();
        size_of::<State>() + state.ledger.bytes() + state.index.bytes() + traders + queue + state.book.bytes()
    }

    /// The market's configuration.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The venue's rules.
    #[must_use]
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Everything that changes.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Margin tiers in force.
    #[must_use]
    pub fn schedule(&self) -> &MarginSchedule {
        &self.fixed.schedule
    }

    /// Totals of the episode so far.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.state.outcome
    }

    /// Replaces the state by one taken from a market of the same configuration.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`] if the populations, the kinds of book, the desks or the stablecoins differ.
    pub fn restore(&mut self, state: State) -> Result<(), Error> {
        let (expected, found) = (self.fixed.accounts(), state.ledger.len());
        if expected != found {
            return Err(Error::SnapshotMismatch {
                field: "accounts",
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
        let (expected, found) = (self.state.book.kind(), state.book.kind());
        if expected != found {
            return Err(Error::SnapshotMismatch {
                field: "a book of kind",
                expected: format!("{expected:?}"),
                found: format!("{found:?}"),
            });
        }
        let (expected, found) = (self.state.desk.is_some(), state.desk.is_some());
        if expected != found {
            return Err(Error::SnapshotMismatch {
                field: "an option desk",
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
        let (expected, found) = (self.state.stablecoin.is_some(), state.stablecoin.is_some());
        if expected != found {
            return Err(Error::SnapshotMismatch {
                field: "a stablecoin",
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
        self.state = state;
        self.scratch.forget();
        Ok(())
    }

    /// Accounts in liquidation in the order in which they entered, each with its position at entry and now.
    pub fn forced_cases(&self) -> impl Iterator<Item = (AccountId, [Qty; 2])> + '_ {
        self.state.queue.iter().map(|case| (case.id, [case.start, self.state.ledger.qty(case.id)]))
    }

    /// Number of traders: their accounts come first.
    #[must_use]
    pub fn traders(&self) -> AccountId {
        self.fixed.traders
    }

    /// Open interest at mark.
    #[must_use]
    pub fn open_interest(&self) -> Usd {
        self.state.ledger.open_interest().notional(self.state.prices.mark)
    }

    /// Equity of insurance fund and vault with their inventory marked at what leaving it would fetch.
    #[must_use]
    pub fn fund_at_exit_cost(&self) -> Usd {
        self.fixed.backstops().map(|id| self.at_exit_cost(id)).sum()
    }

    fn at_exit_cost(&self, id: AccountId) -> Usd {
        let ledger = &self.state.ledger;
        let qty = ledger.qty(id);
        if qty.is_zero() {
            return ledger.cash(id);
        }
        let equity = ledger.equity(id, self.state.prices.mark);
        let side = Side::of(-qty);
        let impact = self.state.book.impact(side, qty.abs().as_f64());
        equity - Usd::from_f64(impact * qty.notional(self.state.prices.mark).as_f64())
    }

    /// Distance of mark from fundamental beyond a tolerance, summed over hours and weighted by open interest over
    /// its reference; the tolerance is the market's own, so that the sum is kept and not recomputed.
    #[must_use]
    pub const fn excess_deviation_hours(&self) -> f64 {
        self.state.excess_deviation_hours
    }

    /// Hours in one decision.
    #[must_use]
    pub fn decision_hours(&self) -> f64 {
        self.scenario.clock.tick_seconds * f64::from(self.scenario.clock.ticks_per_decision) / 3_600.0
    }

    /// Multiplier on initial margin in force, volatility and macro scaling included.
    #[must_use]
    pub fn margin_multiplier(&self) -> f64 {
        let controls = &self.state.controls;
        let volatility = (self.state.signals.stress_slow(self.fixed.reference_sigma) - 1.0).max(0.0);
        let macro_stress = self.state.outside.macro_factor.stress.max(0.0);
        let scale = (1.0 + controls.volatility_sensitivity * volatility.min(4.0))
            * (1.0 + controls.macro_sensitivity * macro_stress.min(4.0));
        (controls.initial_margin_multiplier * scale).min(20.0)
    }

    /// Ten-minute volatility of the home price, relative.
    #[must_use]
    pub fn sigma_ten_minutes(&self) -> f64 {
        self.state.signals.sigma_medium() * (600.0_f64).sqrt()
    }

    /// The world outside, latent parts included.
    pub(crate) const fn world(&self) -> &World {
        &self.state.world
    }

    /// Long-run volatility per root second.
    #[must_use]
    pub fn reference_sigma(&self) -> f64 {
        self.fixed.reference_sigma
    }

    /// Seconds in a tick.
    #[must_use]
    pub fn tick_seconds(&self) -> f64 {
        self.fixed.seconds
    }

    /// Number of makers.
    #[must_use]
    pub fn maker_count(&self) -> f64 {
        f64::from(self.scenario.makers.count)
    }

    /// Equity of insurance fund and vault at mark.
    #[must_use]
    pub fn fund_equity(&self) -> Usd {
        self.equity_of(self.fixed.backstops())
    }

    /// Signed value of their positions at mark.
    #[must_use]
    pub fn fund_inventory(&self) -> Usd {
        self.fixed.backstops().map(|id| self.state.ledger.qty(id).value(self.state.prices.mark)).sum()
    }

    /// Signed inventories of keepers and of makers over their limits.
    #[must_use]
    pub fn inventories(&self) -> [f64; 2] {
        let (ledger, mark) = (&self.state.ledger, self.state.prices.mark);
        let load = |ids: Range<AccountId>, limit: f64| {
            let count = f64::from(ids.end - ids.start);
            let held: Usd = ids.map(|id| ledger.qty(id).value(mark)).sum();
            held.as_f64() / (limit * count).max(1.0)
        };
        [load(self.fixed.keepers(), self.fixed.keeper_limit), load(self.fixed.makers_ids(), self.fixed.maker_limit)]
    }

    /// Notional of all accounts in liquidation.
    #[must_use]
    pub fn in_liquidation(&self) -> Usd {
        let (ledger, mark) = (&self.state.ledger, self.state.prices.mark);
        self.state.queue.iter().map(|case| ledger.qty(case.id).notional(mark)).sum()
    }

    /// Trigger index of the traders' positions.
    #[must_use]
    pub const fn index(&self) -> &TriggerIndex {
        &self.state.index
    }

    /// What the controls do to the maintenance table now.
    #[must_use]
    pub fn adjustment(&self) -> Adjustment {
        self.state.adjustment(self.margin_multiplier())
    }

    /// Capital locked by initial margin above its neutral level, at mark.
    #[must_use]
    pub fn margin_locked(&self) -> f64 {
        (self.margin_multiplier() - 1.0) * self.fixed.typical_margin * self.open_interest().as_f64()
    }

    /// Whether losses that no fund covered have closed the venue.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let outcome = self.outcome();
        let lost = outcome.socialised + outcome.haircut + outcome.written_off;
        lost.as_f64() > self.scenario.venue.failure * outcome.reference_open_interest.as_f64()
    }
}
