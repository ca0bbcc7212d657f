//! Claims about whole worlds.

mod causality;
mod cost;
mod replay;
mod statistics;

use super::{Bar, Clock, Outside, Segment, World, WorldConfig, WorldModel};
use crate::rng::{Counter, SeedTree, normal_quantile};
use crate::scenario::Scenario;
use crate::units::Price;

/// The world of a shipped scenario.
fn shipped(id: &str) -> WorldConfig {
    Scenario::shipped(id).unwrap().world
}

/// The outside world of an episode at every tick, from 0.
fn run(model: &WorldModel, seed: u64) -> Vec<Outside> {
    let mut world = World::new(model, SeedTree::new(seed));
    (0..=model.clock().ticks).map(|tick| *world.tick(model, tick)).collect()
}

/// Log returns over every `step` ticks.
fn returns(path: &[Outside], step: usize) -> Vec<f64> {
    path.windows(step + 1).step_by(step).map(|w| w[step].fundamental_log - w[0].fundamental_log).collect()
}

/// Minute bars of a random walk whose deviation per bar is given, with wicks of its own.
fn bars(count: u64, deviation: f64, seed: u64) -> Segment {
    let counter = Counter::new(seed);
    let mut open = 40_000.0;
    let bars = (0..count).map(|i| {
        let [z, up, down, _] = counter.uniform4(i, 0).map(normal_quantile);
        let close = open * libm::exp(deviation * z);
        let high = open.max(close) * libm::exp(0.7 * deviation * up.abs());
        let low = open.min(close) * libm::exp(-0.7 * deviation * down.abs());
        let [o, h, l, c] = [open, high, low, close].map(Price::from_f64);
        open = close;
        Bar { open_time_ms: i64::try_from(i).unwrap() * 60_000, open: o, high: h, low: l, close: c, volume: 1.0 }
    });
    Segment { bars: bars.collect() }
}

fn model(config: &WorldConfig, tick_seconds: f64, ticks: u64) -> WorldModel {
    WorldModel::new(config, Clock { tick_seconds, ticks })
}
