//! What a tick costs. Run with `cargo test --release -p seawall-env -- --ignored --nocapture cost_of_a_tick`.

use std::hint::black_box;
use std::sync::Arc;

use super::{bars, model, shipped};
use crate::rng::SeedTree;
use crate::units::Price;
use crate::world::{
    Clock, Mark, MarkConfig, MarkModel, Model, Oracle, OracleConfig, OracleModel, ReplaySeries, ReplayStart, World,
    WorldConfig, WorldModel,
};

const TICKS: u64 = 4_000_000;
/// Short enough that most chunks run without being interrupted, long enough to hold every periodic part.
const CHUNK: u64 = 20_000;

/// Prints the median over chunks, which a busy machine disturbs least.
#[expect(clippy::disallowed_types, clippy::print_stdout, reason = "a measurement, run by hand")]
#[expect(clippy::cast_precision_loss, reason = "a measurement")]
fn report(name: &str, mut tick: impl FnMut(u64)) {
    let mut chunks: Vec<f64> = (0..TICKS / CHUNK)
        .map(|chunk| {
            let start = std::time::Instant::now();
            for t in 1..=CHUNK {
                tick(chunk * CHUNK + t);
            }
            start.elapsed().as_nanos() as f64 / CHUNK as f64
        })
        .collect();
    chunks.sort_by(f64::total_cmp);
    println!("{name:<24} {:6.1} ns per tick, fastest chunk {:6.1}", chunks[chunks.len() / 2], chunks[0]);
}

fn world(name: &str, model: &WorldModel) {
    let mut world = World::new(model, SeedTree::new(1));
    report(name, |tick| {
        black_box(world.tick(model, tick));
    });
}

#[test]
#[ignore = "a measurement: run it in release"]
fn cost_of_a_tick() {
    for kind in [Model::Gbm, Model::GarchT, Model::HestonJump, Model::RegimeHawkes] {
        let config = WorldConfig { model: kind, ..WorldConfig::default() };
        world(&format!("{kind:?}"), &model(&config, 1.0, TICKS));
    }
    world("RegimeHawkes, crash day", &model(&shipped("crash_day"), 1.0, TICKS));
    let series = Arc::new(ReplaySeries::new(vec![bars(TICKS / 60 + 2, 1e-3, 3)], 60_000).unwrap());
    let clock = Clock { tick_seconds: 1.0, ticks: TICKS };
    let replay = WorldModel::replay(&WorldConfig::default(), clock, series, ReplayStart::Random, None).unwrap();
    world("replay of minute bars", &replay);
    let oracle_model = OracleModel::new(&OracleConfig::default(), clock);
    let mark_model = MarkModel::new(&MarkConfig::default(), clock);
    let price = Price::from_f64(60_000.0);
    let mut oracle = Oracle::new(&oracle_model, SeedTree::new(1), price);
    let mut mark = Mark::new(price);
    report("oracle and mark", |tick| {
        let reading = oracle.tick(&oracle_model, tick, price);
        black_box(mark.tick(&mark_model, reading.price, price, price));
        black_box(mark.guard(&mark_model, reading));
    });
}
