//! What follows from a scenario with several assets or venues once and for all.

use std::sync::Arc;

use super::config::{LinksConfig, instrument};
use crate::liquidation::Pipeline;
use crate::liquidation::presets::Preset;
use crate::market::{Site, Streams};
use crate::participants::arbitrageurs::ArbitrageConfig;
use crate::rng::{Purpose, SeedTree};
use crate::scenario::Scenario;
use crate::world::{FollowerLaw, WorldModel};

/// Assets, venues and what ties them. Instruments are numbered venue by venue, home first, assets in the scenario's
/// order.
#[derive(Debug)]
pub(crate) struct Structure {
    pub(super) assets: usize,
    pub(super) venues: usize,
    pub(super) sites: Vec<Site>,
    /// Laws of the second asset and those after it.
    pub(super) followers: Vec<FollowerLaw>,
    pub(super) world: WorldModel,
    pub(super) links: LinksConfig,
    pub(super) arbitrage: ArbitrageConfig,
    /// Taker fee by venue, as a fraction.
    pub(super) fees: Vec<f64>,
    pub(super) transfer_ticks: u64,
    /// Ticks between two samples of correlation.
    pub(super) sample_ticks: u64,
    pub(super) seconds: f64,
    /// Deficit that closes the home venue, over its open interest.
    pub(super) failure: f64,
}

/// Seconds between two samples of correlation: within them books have settled (Epps 1979).
pub(super) const SAMPLE_SECONDS: f64 = 60.0;

impl Structure {
    pub(crate) fn new(scenario: &Scenario, pipeline: Pipeline, world: WorldModel) -> Self {
        let mut sites = Vec::new();
        for venue in std::iter::once(None).chain(scenario.venues.iter().map(Some)) {
            let rules = venue.map_or(pipeline, |venue| {
                Preset::shipped(&venue.preset).expect("validated: a shipped preset").pipeline
            });
            for asset in &scenario.assets {
                sites.push(Site::new(Arc::new(instrument(scenario, asset, venue)), rules));
            }
        }
        let clock = scenario.world_clock();
        let followers = scenario.assets.iter().skip(1).map(|asset| FollowerLaw {
            initial_log: libm::log(asset.initial_price),
            volatility: asset.volatility,
            shock: asset.shock,
            correlation: asset.correlation,
        });
        let assets = scenario.assets.len();
        Self {
            assets,
            venues: scenario.venues.len() + 1,
            followers: followers.collect(),
            world,
            links: scenario.links,
            arbitrage: scenario.arbitrage.clone(),
            fees: sites.iter().step_by(assets).map(|site| site.scenario().venue.taker_fee_bp * 1e-4).collect(),
            transfer_ticks: clock.ticks_in(scenario.links.transfer_seconds),
            sample_ticks: clock.ticks_in(SAMPLE_SECONDS).max(1),
            seconds: clock.tick_seconds,
            failure: scenario.venue.failure,
            sites,
        }
    }

    /// Number of an instrument.
    pub(super) const fn at(&self, venue: usize, asset: usize) -> usize {
        venue * self.assets + asset
    }

    /// Streams of an instrument; the first one has the episode's own, as a market by itself.
    pub(super) fn streams(&self, seeds: SeedTree, number: usize) -> Streams {
        let of = |number: usize| {
            if number == 0 { seeds } else { SeedTree::new(seeds.seed(Purpose::Instrument, number as u64)) }
        };
        let first = number - number % self.assets;
        let overlap = (self.assets > 1).then_some(self.links.overlap);
        Streams { own: of(number), venue: of(first), overlap }
    }

    /// Assets of the economy.
    pub(crate) const fn assets(&self) -> usize {
        self.assets
    }

    /// Venues of the economy, home included.
    pub(crate) const fn venues(&self) -> usize {
        self.venues
    }
}
