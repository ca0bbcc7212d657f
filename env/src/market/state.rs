//! Everything about a market that changes: what a snapshot holds.

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::ledger::Ledger;
use super::setup::Fixed;
use super::signals::Signals;
use super::stablecoin::Stablecoin;
use super::withdraw::Withdrawals;
use crate::action::Controls;
use crate::book::{Book, HomeBook, Side};
use crate::halts::Halts;
use crate::liquidation::{Pipeline, Rules};
use crate::margin::TriggerIndex;
use crate::outcome::Outcome;
use crate::participants::adversaries::{Adversary, AdversaryConfig};
use crate::participants::keepers::Absence;
use crate::participants::makers::Maker;
use crate::participants::population::{Standing, Traders, Views};
use crate::rng::{Counter, Purpose, SeedTree};
use crate::scenario::Scenario;
use crate::units::{Price, Qty, Rate, Usd};
use crate::world::{Mark, Oracle, Outside, World};

/// Counter-based streams of the hot path, by owner.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) traders: Counter,
    pub(super) calls: Counter,
    pub(super) keepers: Counter,
    pub(super) allocation: Counter,
}

impl Counters {
    pub(super) fn new(seeds: SeedTree) -> Self {
        Self {
            traders: seeds.counter(Purpose::Traders, 0),
            calls: seeds.counter(Purpose::Traders, 1),
            keepers: seeds.counter(Purpose::Keepers, 0),
            allocation: seeds.counter(Purpose::Allocation, 0),
        }
    }
}

/// Prices of the home venue and around it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Prices {
    /// Fundamental price, in dollars: what the world says, whatever this venue does.
    pub fundamental: f64,
    /// Price on other venues, in dollars: the fundamental and home's share of impact on it.
    pub outside: f64,
    /// Home's impact on other venues, as a log price.
    pub spill: f64,
    /// Oracle price, in dollars.
    pub oracle: f64,
    /// Age of the oracle price, in seconds.
    pub oracle_age: f64,
    /// Mark price: what margin is measured at.
    pub mark: Price,
    /// Price of the last trade on the home book, in dollars.
    pub last: f64,
}

/// What makers have traded in this tick and not yet booked.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// Coins that makers bought (positive), and what they paid.
    pub(super) bought: (Qty, Usd),
    /// Coins that makers sold (negative), and what they paid (negative).
    pub(super) sold: (Qty, Usd),
}

/// One account in liquidation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) id: u32,
    /// Tick at which it entered.
    pub(super) since: u64,
    /// Tick of its last slice.
    pub(super) last_slice: Option<u64>,
    /// Slices so far.
    pub(super) slices: u32,
    /// Position at which it entered.
    pub(super) start: Qty,
    /// Equity over notional before its last slice.
    pub(super) ratio: f64,
    /// What is up for auction.
    pub(super) lot: Option<Lot>,
}

/// A slice that is up for auction.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Lot {
    /// What is left of it, with the sign of the position.
    pub(super) qty: Qty,
    /// Tick at which the auction started, or started again.
    pub(super) since: u64,
    /// Mark price then.
    pub(super) top: Price,
}

impl Case {
    /// A case that enters with a position.
    pub(super) const fn new(id: u32, tick: u64, start: Qty) -> Self {
        Self { id, since: tick, last_slice: None, slices: 0, start, ratio: 0.0, lot: None }
    }

    /// Notes a slice.
    pub(super) const fn sliced(&mut self, tick: u64, ratio: f64) {
        self.last_slice = Some(tick);
        self.slices += 1;
        self.ratio = ratio;
    }
}

/// Highest equity of the backstop in each eighth of its limits' window.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Peaks {
    pub(super) highest: [Usd; 8],
    /// Number of the running eighth, from one.
    pub(super) eighth: u64,
}

/// Running sums behind the outcome.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) deviation_sum_bp: f64,
    pub(super) interest_sum: f64,
    pub(super) margin_sum: f64,
    pub(super) minute: u64,
    pub(super) minute_liquidated: Usd,
}

/// Where a market's luck comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    /// Its own.
    pub(crate) own: SeedTree,
    /// That of its venue: outages, keepers' absences, and which way owners look.
    pub(crate) venue: SeedTree,
    /// Share of positions that point the way their owner looks; none where an owner has one position.
    pub(crate) overlap: Option<f64>,
}

impl Streams {
    /// Of a market by itself.
    pub(crate) const fn alone(seed: u64) -> Self {
        let own = SeedTree::new(seed);
        Self { own, venue: own, overlap: None }
    }
}

/// Everything about a market that changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// Ticks since reset.
    pub tick: u64,
    /// Controlled parameters in force.
    pub controls: Controls,
    /// Rules in force.
    pub rules: Rules,
    /// Positions and balances.
    pub ledger: Ledger,
    /// The home book.
    pub book: HomeBook,
    /// Prices.
    pub prices: Prices,
    /// Moving averages.
    pub signals: Signals,
    /// What the world last said.
    pub outside: Outside,
    /// Outages of the venue and its circuit breaker.
    pub halts: Halts,
    /// Totals for the outcome.
    pub outcome: Outcome,
    /// Makers' quoting.
    pub makers: Vec<Maker>,
    /// Makers' summed quoting on bid and ask, relative to full.
    pub liquidity: [f64; 2],
    /// Depth within 1 % at reset, in coins, mean of both sides.
    pub depth_reference: f64,
    /// Deviation beyond tolerance, in relative hours weighted by open interest.
    pub excess_deviation_hours: f64,
    /// Keepers' money at reset.
    pub(super) keeper_start: Usd,
    /// Gas that keepers paid.
    pub(super) keeper_gas: Usd,
    pub(super) absences: Vec<Absence>,
    pub(super) adversaries: Vec<Adversary>,
    pub(super) world: World,
    pub(super) oracle: Oracle,
    pub(super) mark: Mark,
    pub(super) traders: Traders,
    pub(super) index: TriggerIndex,
    pub(super) queue: Vec<Case>,
    /// Whether an account is in liquidation, by account.
    pub(super) in_liquidation: Vec<bool>,
    /// Forced volume that the throttle still lets through, in coins.
    pub(super) allowance: f64,
    /// Number of the window that the allowance belongs to, from one.
    pub(super) window: u64,
    pub(super) peaks: Peaks,
    /// Threshold up to which margin calls have been sent, by lane.
    pub(super) called: Vec<Price>,
    pub(super) pending: Pending,
    pub(super) tally: Tally,
    pub(super) counters: Counters,
    /// Option desk, where there is one.
    pub(super) desk: Option<Box<Desk>>,
    /// Coins that accounts posted, where they may.
    pub(super) stablecoin: Option<Box<Stablecoin>>,
    /// Withdrawals, where there are any.
    pub(super) withdrawals: Option<Withdrawals>,
}

impl State {
    pub(super) fn new(scenario: &Scenario, fixed: &Fixed, pipeline: &Pipeline, streams: Streams) -> Self {
        let Streams { own: seeds, venue, overlap } = streams;
        let world = World::new(&fixed.world, seeds);
        let outside = *world.outside();
        let start = outside.fundamental;
        let mut rng = seeds.stream(Purpose::Population, 0);
        let views = overlap.map(|overlap| Views {
            owners: venue.counter(Purpose::Owners, 1),
            own: seeds.counter(Purpose::Owners, 2),
            overlap,
        });
        let limits = [fixed.max_leverage, fixed.maintenance];
        let (mut traders, standing) = Traders::draw_with(&scenario.traders, limits, views.as_ref(), &mut rng);
        for capital in scenario.adversaries.iter().flat_map(AdversaryConfig::capital) {
            traders.enlist(capital * scenario.traders.open_interest);
        }
        let controls = Controls::default();
        let mark = Price::from_f64(start);
        let mut state = Self {
            tick: 0,
            controls,
            rules: pipeline.resolve(&controls),
            ledger: Ledger::new(fixed.accounts()),
            book: HomeBook::new(&scenario.book, scenario.makers.count, start, scenario.clock.tick_seconds),
            prices: Prices {
                fundamental: start,
                outside: start,
                spill: 0.0,
                oracle: start,
                oracle_age: 0.0,
                mark,
                last: start,
            },
            signals: Signals::new(start, fixed.reference_sigma, scenario.clock.tick_seconds),
            outside,
            halts: Halts::new(&scenario.venue.outages, scenario.world_clock(), venue, start),
            outcome: Outcome::default(),
            makers: fixed.makers(scenario, seeds),
            liquidity: [1.0, 1.0],
            depth_reference: 0.0,
            excess_deviation_hours: 0.0,
            keeper_start: Usd::ZERO,
            keeper_gas: Usd::ZERO,
            adversaries: (0..)
                .zip(&scenario.adversaries)
                .map(|(n, config)| Adversary::draw(config, n, scenario.world_clock(), seeds))
                .collect(),
            absences: scenario.keepers.absences(scenario.world_clock(), venue),
            world,
            oracle: Oracle::new(&fixed.oracle, seeds, mark),
            mark: Mark::new(mark),
            traders,
            index: fixed.index(start),
            queue: Vec::new(),
            in_liquidation: vec![false; fixed.liquidable()],
            allowance: 0.0,
            window: 0,
            peaks: Peaks::default(),
            called: vec![Price::from_raw(i64::MAX); fixed.lanes()],
            pending: Pending::default(),
            tally: Tally::default(),
            counters: Counters::new(seeds),
            desk: None,
            stablecoin: None,
            withdrawals: scenario.withdrawals.map(|_| Withdrawals::new(seeds)),
        };
        state.open(scenario, fixed, &standing, seeds);
        state
    }

    /// Books the standing positions against the makers and endows everybody else.
    fn open(&mut self, scenario: &Scenario, fixed: &Fixed, standing: &[Standing], seeds: SeedTree) {
        let mark = self.prices.mark;
        let price = mark.as_f64();
        let mut against = (Qty::ZERO, Usd::ZERO);
        for position in standing {
            let qty = Qty::from_f64(position.notional / price);
            if qty.is_zero() {
                continue;
            }
            let value = qty.value(mark);
            self.ledger.deposit(position.id, Usd::from_f64(position.equity));
            self.ledger.trade(position.id, qty, value);
            self.ledger.backdate(position.id, Price::from_f64(price * position.entry));
            against = (against.0 - qty, against.1 - value);
        }
        for id in 0..fixed.traders {
            if self.ledger.cash(id).is_zero() {
                self.ledger.deposit(id, Usd::from_f64(f64::from(self.traders.wealth[id as usize])));
            }
        }
        for (ids, share) in [
            (fixed.makers_ids(), scenario.makers.capital),
            (fixed.arbitrageurs(), scenario.arbitrage.capacity),
            (fixed.keepers(), scenario.keepers.capital),
            (fixed.fund..fixed.fund + 1, scenario.venue.fund),
        ] {
            for id in ids {
                self.ledger.deposit(id, Usd::from_f64(share * scenario.traders.open_interest));
            }
        }
        if let Some(share) = self.rules.backstop.vault_share() {
            let all = self.ledger.cash(fixed.fund);
            self.ledger.transfer(fixed.fund, fixed.vault, all.share(Rate::from_f64(share)));
        }
        super::settlement::share_out(&mut self.ledger, fixed.makers_ids(), &vec![1.0; fixed.maker_count()], against);
        self.open_desk(scenario, fixed, seeds);
        self.post_stablecoins(scenario, fixed, seeds);
        for id in 0..fixed.traders {
            fixed.reindex(&self.ledger, &mut self.index, id, Rate::from_raw(Rate::SCALE));
        }
        self.ledger.assert_invariants();
        self.keeper_start = fixed.keepers().map(|id| self.ledger.cash(id)).sum();
        let interest = self.ledger.open_interest().notional(mark);
        let fund = self.ledger.equity(fixed.fund, mark) + self.ledger.equity(fixed.vault, mark);
        self.depth_reference = 0.5 * (self.book.depth(Side::Buy, 0.01) + self.book.depth(Side::Sell, 0.01));
        self.outcome = Outcome {
            reference_open_interest: interest,
            fund_start: fund,
            fund_low: fund,
            fund_end: fund,
            price_start: mark,
            mark_low: mark,
            mark_high: mark,
            fundamental_low: mark,
            fundamental_high: mark,
            open_interest_mean: interest,
            open_interest_end: interest,
            margin_mean: 1.0,
            margin_peak: 1.0,
            margin_trough: 1.0,
            depth_low: 1.0,
            ..Outcome::default()
        };
    }
}
