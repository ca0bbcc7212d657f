//! Several assets on several venues: one [`Market`] for each instrument, over one world.
//!
//! The *home* venue is the one under control: its instruments share one set of parameters and one insurance fund, and
//! owners may margin their positions in all of them together. Other venues run presets of their own, on books and
//! with levered accounts of their own, so that a cascade there moves prices here through what makers and the oracle
//! see, and through arbitrageurs.
//!
//! | part | file |
//! |---|---|
//! | configuration, and what follows from it | `config`, `structure` |
//! | the world moves, and each venue sees the others | `prices` |
//! | cross-venue arbitrage | `arbitrage` |
//! | cross margin | `cross` |
//! | a venue's one insurance fund | `fund` |
//! | a venue that routes its liquidations over the others' books | `market::routed` |
//! | totals of the home venue | `totals` |
//! | how prices move together | `correlation` |
//!
//! Not here: options, adversaries, and replayed histories, which know one asset.

mod arbitrage;
mod config;
mod correlation;
mod cross;
mod fund;
mod prices;
mod structure;
#[cfg(test)]
mod tests;
mod totals;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use config::validate;
pub use config::{ASSETS_MAX, AssetConfig, ExternalVenueConfig, LinksConfig, VENUES_MAX};
pub(crate) use structure::Structure;

use crate::action::Controls;
use crate::book::Book;
use crate::error::Error;
use crate::market::{Abroad, AccountId, Market, Site, State};
use crate::outcome::Outcome;
use crate::rng::{Counter, SeedTree};
use crate::units::Usd;
use crate::world::{Follower, World};
use arbitrage::Transfer;
use correlation::Comovement;
use structure::SAMPLE_SECONDS;
use totals::Tally;

/// An economy: its markets, and what lies between them.
#[derive(Clone, Debug)]
pub struct Economy {
    structure: Arc<Structure>,
    /// By instrument: venue by venue, home first.
    markets: Vec<Market>,
    state: Between,
    /// Working memory: holds nothing between ticks.
    scratch: Scratch,
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    ids: Vec<AccountId>,
    fired: Vec<AccountId>,
}

/// What changes between the markets.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Between {
    tick: u64,
    world: World,
    followers: Vec<Follower>,
    /// Depth by instrument when last looked at, in coins.
    depths: Vec<f64>,
    transfers: Vec<Transfer>,
    owners: Counter,
    comovement: Comovement,
    /// Money moved between home sub-accounts of cross-margined owners.
    shared_out: Usd,
    /// What home's liquidations traded on other venues, at the prices there.
    routed: Usd,
    /// Sum of what was moved into ledgers and out of them: minus what is on its way.
    moved: Usd,
    tally: Tally,
    /// Totals of the home venue, as of the last decision.
    outcome: Outcome,
}

/// Everything about an economy that changes: what a snapshot holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EconomyState {
    markets: Vec<State>,
    between: Between,
}

impl Economy {
    /// The economy of a structure at the start of the episode that `seed` names.
    pub(crate) fn open(structure: &Arc<Structure>, seed: u64) -> Self {
        let seeds = SeedTree::new(seed);
        let mut markets = Vec::with_capacity(structure.sites.len());
        for (number, site) in structure.sites.iter().enumerate() {
            markets.push(site.open_at(structure.streams(seeds, number)));
        }
        let state = Between::new(structure, &markets, seeds);
        let mut this = Self { structure: Arc::clone(structure), markets, state, scratch: Scratch::default() };
        this.start_totals();
        this
    }

    /// The economy of a site at the start of the episode that `seed` names; none where the site is of one market.
    #[must_use]
    pub fn on(site: &Site, seed: u64) -> Option<Self> {
        site.economy().map(|structure| Self::open(structure, seed))
    }

    /// Starts the episode that `seed` names.
    pub fn reset(&mut self, seed: u64) {
        let seeds = SeedTree::new(seed);
        for (number, market) in self.markets.iter_mut().enumerate() {
            market.reset_at(self.structure.streams(seeds, number));
        }
        self.state = Between::new(&self.structure, &self.markets, seeds);
        self.start_totals();
    }

    /// Continues as the episode that `seed` names would, from the next tick on: as [`Market::redraw`], for all markets and
    /// the world that they share.
    pub(crate) fn redraw(&mut self, seed: u64) {
        let (structure, seeds) = (Arc::clone(&self.structure), SeedTree::new(seed));
        for (number, market) in self.markets.iter_mut().enumerate() {
            market.redraw(structure.streams(seeds, number));
        }
        let Between { world, followers, .. } = &mut self.state;
        world.redraw(&structure.world, seeds);
        for ((asset, law), follower) in (1..).zip(&structure.followers).zip(followers) {
            follower.redraw(law, world, seeds, asset);
        }
    }

    /// Sets the controlled parameters of the home venue from here on.
    pub fn set_controls(&mut self, controls: Controls) {
        for market in &mut self.markets[..self.structure.assets] {
            market.set_controls(controls);
        }
    }

    /// Advances one tick: everybody trades, then every venue settles its risk.
    pub fn tick(&mut self) {
        self.trade();
        for venue in 0..self.structure.venues {
            self.watch_owners(venue);
            self.settle_risk(venue);
        }
        self.state.tick += 1;
        if self.state.tick.is_multiple_of(self.structure.sample_ticks) {
            let home = &self.markets[..self.structure.assets];
            self.state.comovement.sample(home.iter().map(|market| market.state().book.mid()));
        }
        self.record();
    }

    /// The world moves and everybody trades, up to the mark prices.
    fn trade(&mut self) {
        self.move_world();
        self.markets.iter_mut().for_each(Market::open_trading);
        if self.structure.venues == 1 {
            // Nobody else's book to trade against: arbitrage ties home to the price outside, as in a market on its own.
            self.markets.iter_mut().for_each(Market::arbitrage);
        } else {
            self.arbitrage();
        }
        self.markets.iter_mut().for_each(Market::close_trading);
    }

    /// Every instrument of a venue liquidates, with the venue's whole fund behind it.
    fn settle_risk(&mut self, venue: usize) {
        for asset in 0..self.structure.assets {
            self.pool_fund(venue, asset);
            self.settle_instrument(venue, asset);
            self.collect_debts(venue, asset);
        }
    }

    /// One instrument liquidates, on other venues' books too where its venue routes.
    fn settle_instrument(&mut self, venue: usize, asset: usize) {
        let mut abroad = Abroad::default();
        let mut here = None;
        for (other, market) in self.markets.iter_mut().skip(asset).step_by(self.structure.assets).enumerate() {
            if other == venue {
                here = Some(market);
            } else {
                abroad.add(market);
            }
        }
        here.expect("an instrument of the venue").settle_risk(&mut abroad);
        if venue == 0 {
            self.state.routed += abroad.routed();
        }
    }

    /// Moves money into (positive) or out of an account of one instrument's ledger, on its way from or to another.
    fn move_money(&mut self, instrument: usize, id: AccountId, amount: Usd) {
        self.markets[instrument].fund_account(id, amount);
        self.state.moved += amount;
    }

    /// Asserts M1, M2 and M9 in every ledger, and M1 over all of them: what was moved between ledgers has arrived, or
    /// is on its way.
    ///
    /// # Panics
    /// If one of them is broken.
    pub fn assert_invariants(&self) {
        self.markets.iter().for_each(|market| market.state().ledger.assert_invariants());
        assert_eq!(self.state.moved + self.in_transit(), Usd::ZERO, "M1: money appeared or vanished between ledgers");
    }

    /// The home venue's markets, by asset.
    #[must_use]
    pub fn home(&self) -> &[Market] {
        &self.markets[..self.structure.assets]
    }

    /// All markets, venue by venue, home first.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// Number of assets.
    #[must_use]
    pub fn assets(&self) -> usize {
        self.structure.assets()
    }

    /// Number of venues, home included.
    #[must_use]
    pub fn venues(&self) -> usize {
        self.structure.venues()
    }

    /// The market of one asset on one venue.
    #[must_use]
    pub fn market(&self, venue: usize, asset: usize) -> &Market {
        &self.markets[self.structure.at(venue, asset)]
    }

    /// Totals of the home venue in the episode so far, as of the last decision.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.state.outcome
    }

    /// Mean correlation over pairs of home's mid prices: one-minute returns, half-life half an hour.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        self.state.comovement.mean()
    }

    /// Money moved so far between home sub-accounts of cross-margined owners.
    #[must_use]
    pub const fn shared_out(&self) -> Usd {
        self.state.shared_out
    }

    /// What home's liquidations have traded on other venues, at the prices there.
    #[must_use]
    pub const fn routed(&self) -> Usd {
        self.state.routed
    }

    /// Everything that changes.
    #[must_use]
    pub fn save(&self) -> EconomyState {
        EconomyState {
            markets: self.markets.iter().map(|market| market.state().clone()).collect(),
            between: self.state.clone(),
        }
    }

    /// Replaces the state by one taken from an economy of the same configuration; on an error nothing is changed.
    ///
    /// # Errors
    /// [`Error::SnapshotMismatch`] if the numbers of instruments, the populations or the kinds of book differ.
    pub fn restore(&mut self, state: EconomyState) -> Result<(), Error> {
        let EconomyState { markets, between } = state;
        let fits =
            between.world.fits(&self.structure.world) && between.followers.len() == self.structure.followers.len();
        if markets.len() != self.markets.len() || !fits {
            return Err(Error::SnapshotMismatch {
                field: "instruments",
                expected: self.markets.len().to_string(),
                found: markets.len().to_string(),
            });
        }
        let mut restored = self.markets.clone();
        for (market, state) in restored.iter_mut().zip(markets) {
            market.restore(state)?;
        }
        self.markets = restored;
        self.state = between;
        Ok(())
    }
}

impl Between {
    fn new(structure: &Structure, markets: &[Market], seeds: SeedTree) -> Self {
        let world = World::new(&structure.world, seeds);
        let followers: Vec<Follower> = (1..)
            .zip(&structure.followers)
            .map(|(asset, law)| Follower::new(law, &structure.world, &world, seeds, asset))
            .collect();
        let home = &markets[..structure.assets];
        let mids: Vec<f64> = home.iter().map(|market| market.state().book.mid()).collect();
        let sigmas: Vec<f64> = home.iter().map(Market::reference_sigma).collect();
        // Nobody has seen anything yet: what is usual in a calm market.
        let with_first: Vec<f64> =
            std::iter::once(1.0).chain(structure.followers.iter().map(|law| law.correlation[0])).collect();
        Self {
            tick: 0,
            world,
            followers,
            depths: markets.iter().map(|market| market.state().depth_reference).collect(),
            transfers: Vec::new(),
            owners: Economy::owners(seeds),
            comovement: Comovement::new(&mids, &sigmas, &with_first, SAMPLE_SECONDS),
            shared_out: Usd::ZERO,
            routed: Usd::ZERO,
            moved: Usd::ZERO,
            tally: Tally::default(),
            outcome: Outcome::default(),
        }
    }
}
