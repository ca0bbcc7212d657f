//! When the venue does not trade as usual: scripted outages, and a circuit breaker.
//!
//! Quotes, oracle, mark price and funding go on in either: makers keep their quotes current, as in the post-only mode
//! that venues reopen in. Not here: deposits and withdrawals, which the market knows only as traders' own top-ups.

mod breaker;

pub use breaker::{Breaker, BreakerConfig, BreakerModel, Phase};

use serde::{Deserialize, Serialize};

use crate::rng::{Purpose, SeedTree};
use crate::world::{Clock, WindowConfig};

/// What the venue lets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trading {
    /// Every order.
    #[default]
    Open,
    /// Orders that reduce a position, no further than to zero.
    ReduceOnly,
    /// Nothing: no trade, no liquidation.
    Halted,
}

/// Outages of one episode and the breaker's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Halts {
    outages: Vec<[u64; 2]>,
    breaker: Breaker,
    trading: Trading,
}

const STREAM_OUTAGES: u64 = 0;

impl Halts {
    /// The outages that an episode draws; the breaker's reference is `price`.
    #[must_use]
    pub fn new(outages: &[WindowConfig], clock: Clock, seeds: SeedTree, price: f64) -> Self {
        let counter = seeds.counter(Purpose::Incidents, STREAM_OUTAGES);
        let outages = (0_u64..).zip(outages).map(|(i, outage)| outage.draw(clock, counter.uniform2(i, 0))).collect();
        Self { outages, breaker: Breaker::new(price), trading: Trading::Open }
    }

    /// Draws anew what the ticks before `now` have not shown of the outages.
    pub(crate) fn redraw(&mut self, outages: &[WindowConfig], clock: Clock, seeds: SeedTree, now: u64) {
        let counter = seeds.counter(Purpose::Incidents, STREAM_OUTAGES);
        for ((i, outage), window) in (0_u64..).zip(outages).zip(&mut self.outages) {
            *window = outage.redraw(clock, *window, now, counter.uniform2(i, 0));
        }
    }

    /// Decides what this tick lets through, at the book's `mid`.
    pub fn tick(&mut self, breaker: &BreakerModel, tick: u64, mid: f64) {
        let is_out = self.outages.iter().any(|&[start, end]| (start..end).contains(&tick));
        self.breaker.tick(breaker, mid);
        self.trading = if is_out { Trading::Halted } else { self.breaker.phase().trading() };
    }

    /// What the venue lets through now.
    #[must_use]
    pub const fn trading(&self) -> Trading {
        self.trading
    }

    /// The breaker's phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.breaker.phase()
    }

    /// First tick of each scripted outage and first tick after it.
    #[must_use]
    pub fn outages(&self) -> &[[u64; 2]] {
        &self.outages
    }
}
