//! Fundamental prices of further assets: the first asset's noise and jumps, as far as the regime correlates them, and
//! their own.
//!
//! Asset `k` moves by `scale · σ (ρ z₀ + √(1 − ρ²) z_k)`: a one-factor model, so two followers correlate by the
//! product of their `ρ`. Regimes, macro factor, scripted shocks and the clustering of volatility `σ` are everybody's:
//! clusters of its own would take an asset's correlation below `ρ`. A jump of the first asset reaches a follower `ρ`
//! times as large, and the follower's own jumps are thinned by `1 − ρ²`, so that the variance that jumps make up
//! stays what the laws say.

use serde::{Deserialize, Serialize};

use super::draw::Quad;
use super::model::{SourceLaw, WorldModel};
use super::process::{Noise, Process};
use super::state::{Outside, World};
use crate::rng::{Counter, Purpose, SeedTree, normal_quantile};

/// How one asset follows the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FollowerLaw {
    /// Logarithm of the price at reset.
    pub initial_log: f64,
    /// Volatility over the first asset's.
    pub volatility: f64,
    /// Scripted log returns over the first asset's.
    pub shock: f64,
    /// Correlation of returns with the first asset, by regime. In [0, 1].
    pub correlation: [f64; 3],
}

/// State of one asset's fundamental price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follower {
    tick: u64,
    counter: Counter,
    quad: Quad,
    process: Process,
    /// Log price without scripted shocks.
    log: f64,
    outside: Outside,
}

impl Follower {
    /// Asset number `asset` of the episode that `seeds` names, at tick 0 of its world.
    ///
    /// # Panics
    /// If the first asset's price is replayed: a history says nothing about another asset's noise.
    #[must_use]
    pub fn new(law: &FollowerLaw, model: &WorldModel, world: &World, seeds: SeedTree, asset: u64) -> Self {
        let SourceLaw::Process { law: process, .. } = &model.source else {
            panic!("a replayed price has no followers")
        };
        let counter = seeds.counter(Purpose::Assets, asset);
        let leader = *world.outside();
        let outside = Outside {
            fundamental_log: law.initial_log,
            fundamental: libm::exp(law.initial_log),
            volatility: law.volatility * leader.volatility,
            ..leader
        };
        let process = Process::new(process, counter);
        Self { tick: 0, counter, quad: Quad::EMPTY, process, log: law.initial_log, outside }
    }

    /// The world at the last tick, with this asset's price.
    #[must_use]
    pub const fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Draws what follows anew, behind a `world` that has just been redrawn.
    pub(crate) fn redraw(&mut self, law: &FollowerLaw, world: &World, seeds: SeedTree, asset: u64) {
        (self.counter, self.quad) = (seeds.counter(Purpose::Assets, asset), Quad::EMPTY);
        self.log = self.outside.fundamental_log - law.shock * world.driver().shock;
    }

    /// Advances to the tick that the first asset's `world` has just reached.
    ///
    /// # Panics
    /// If the first asset's price is replayed.
    pub fn tick(&mut self, law: &FollowerLaw, model: &WorldModel, world: &World) -> &Outside {
        /// Slot of the draws that every tick makes, as in the first asset's stream.
        const SLOT_TICK: u64 = 0;
        let SourceLaw::Process { law: process, .. } = &model.source else {
            panic!("a replayed price has no followers")
        };
        self.tick += 1;
        let (leader, driver) = (world.outside(), world.driver());
        let uniforms = self.quad.at(self.counter, self.tick >> 1, SLOT_TICK);
        let [own, event] = if self.tick & 1 == 0 { [uniforms[0], uniforms[1]] } else { [uniforms[2], uniforms[3]] };
        let rho = law.correlation[leader.regime.index()];
        let alone = 1.0 - rho * rho;
        let noise = Noise {
            regime: leader.regime,
            normal: rho * driver.normal + alone.sqrt() * normal_quantile(own),
            event,
            own_jumps: alone,
            volatility: driver.volatility,
        };
        let step = self.process.advance(process, self.counter, self.tick, noise);
        // Of its own process only jumps count.
        let jump = step.log - step.sigma * noise.normal;
        let scale = law.volatility * driver.scale;
        let sigma = scale * driver.sigma;
        self.log += scale * (driver.sigma * noise.normal + rho * driver.jump + jump) - 0.5 * sigma * sigma;
        self.outside = Outside {
            fundamental_log: self.log + law.shock * driver.shock,
            fundamental: libm::exp(self.log + law.shock * driver.shock),
            volatility: sigma * model.per_root_second,
            jumped: step.jumped || leader.jumped,
            ..*leader
        };
        &self.outside
    }
}
