//! Who may know what, and when: no look-ahead, no shared luck, and snapshots that continue.

use std::sync::Arc;

use proptest::prelude::*;

use super::{bars, model, run, shipped};
use crate::rng::SeedTree;
use crate::scenario::Scenario;
use crate::world::{
    Clock, MacroRow, MacroSeries, Model, Outside, ReplaySeries, ReplayStart, ShockConfig, ShockStart, World,
    WorldConfig, WorldModel,
};

fn replayed(segment: super::Segment, macro_series: Option<Arc<MacroSeries>>) -> WorldModel {
    let series = Arc::new(ReplaySeries::new(vec![segment], 60_000).unwrap());
    let clock = Clock { tick_seconds: 1.0, ticks: 3_000 };
    WorldModel::replay(&WorldConfig::default(), clock, series, ReplayStart::At(0), macro_series).unwrap()
}

fn bits(outside: &Outside) -> Vec<u8> {
    postcard::to_stdvec(outside).unwrap()
}

#[test]
fn a_snapshot_continues_bit_for_bit() {
    let mut models: Vec<WorldModel> = [Model::Gbm, Model::GarchT, Model::HestonJump, Model::RegimeHawkes]
        .map(|kind| model(&WorldConfig { model: kind, ..WorldConfig::default() }, 1.0, 20_000))
        .into();
    models.extend(Scenario::all_shipped().iter().map(|scenario| model(&scenario.world, 1.0, 20_000)));
    models.push(replayed(bars(60, 1e-3, 1), None));
    for model in &models {
        let mut world = World::new(model, SeedTree::new(21));
        let end = model.clock().ticks;
        for tick in 1..end / 2 + 17 {
            let _ = world.tick(model, tick);
        }
        let bytes = postcard::to_stdvec(&world).unwrap();
        let mut restored: World = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(world, restored);
        assert!(restored.fits(model));
        for tick in end / 2 + 17..=end {
            assert_eq!(bits(world.tick(model, tick)), bits(restored.tick(model, tick)), "tick {tick}");
        }
    }
}

#[test]
fn a_snapshot_of_another_model_does_not_fit() {
    let gbm = model(&WorldConfig { model: Model::Gbm, ..WorldConfig::default() }, 1.0, 100);
    let crash = model(&shipped("crash_day"), 1.0, 100);
    let replay = replayed(bars(60, 1e-3, 1), None);
    let world = World::new(&crash, SeedTree::new(1));
    assert!(world.fits(&crash));
    assert!(!world.fits(&gbm) && !world.fits(&replay) && !world.fits(&model(&shipped("calm"), 1.0, 100)));
}

#[test]
fn an_episode_is_its_seed() {
    let crash = model(&shipped("crash_day"), 1.0, 10_000);
    assert_eq!(run(&crash, 1), run(&crash, 1));
    assert_ne!(run(&crash, 1), run(&crash, 2));
}

#[test]
fn a_longer_episode_begins_like_a_shorter_one() {
    let mut config = shipped("crash_day");
    config.shocks[0].start = ShockStart::Seconds([500.0, 3_000.0]);
    // A decoy is placed anywhere in the episode, so its place depends on the episode's length, but on nothing drawn.
    config.macro_factor.leads_probability = 1.0;
    let (short, long) = (model(&config, 1.0, 5_000), model(&config, 1.0, 20_000));
    for seed in 0..5 {
        assert_eq!(run(&short, seed)[..], run(&long, seed)[..=5_000]);
    }
}

#[test]
fn a_shock_changes_nothing_but_what_it_says() {
    let plain = shipped("calm");
    let mut shocked = plain.clone();
    shocked.shocks = vec![ShockConfig { log_return: [-0.1, -0.1], ..ShockConfig::default() }];
    let [plain, shocked] = [plain, shocked].map(|config| run(&model(&config, 1.0, 4_000), 6));
    for (tick, (a, b)) in plain.iter().zip(&shocked).enumerate() {
        let progress = ((f64::from(u32::try_from(tick).unwrap()) - 2_000.0) / 600.0).clamp(0.0, 1.0);
        assert!((b.fundamental_log - a.fundamental_log + 0.1 * progress).abs() < 1e-12, "tick {tick}");
        assert_eq!(a.macro_factor, b.macro_factor);
        assert_eq!(a.volatility.to_bits(), b.volatility.to_bits());
    }
}

#[test]
fn published_values_are_held_between_publications() {
    let path = run(&model(&shipped("tense"), 30.0, 3 * 2_880), 2);
    let mut days = 0;
    for (tick, pair) in path.windows(2).enumerate().map(|(tick, pair)| (tick + 1, pair)) {
        let [before, after] = [pair[0].macro_factor, pair[1].macro_factor];
        if tick % 2 != 0 {
            assert_eq!(before, after, "tick {tick} is no publication");
        }
        assert!(tick % 2_880 == 0 || before.rate.total_cmp(&after.rate).is_eq(), "the rate moved at tick {tick}");
        days += u32::from(before.rate.total_cmp(&after.rate).is_ne());
    }
    assert_eq!(days, 3);
}

#[test]
#[should_panic(expected = "ticks of a world are consecutive")]
fn a_world_does_not_skip_ticks() {
    let model = model(&shipped("calm"), 1.0, 10);
    let _ = World::new(&model, SeedTree::new(1)).tick(&model, 2);
}

#[test]
fn macro_rows_hold_from_the_moment_they_are_known() {
    let row = |known_from_ms: i64, vix: f64| MacroRow {
        known_from_ms,
        equity: 4_000.0 * vix / 20.0,
        vix,
        dxy: 100.0,
        rate: 4.0,
    };
    let rows = vec![row(-1_000, 20.0), row(600_500, 25.0), row(1_200_000, 40.0)];
    let series = Arc::new(MacroSeries::new(rows.clone()).unwrap());
    let path = run(&replayed(bars(60, 1e-3, 1), Some(series)), 1);
    for (tick, vix) in [(0, 20.0), (600, 20.0), (601, 25.0), (1_199, 25.0), (1_200, 40.0), (3_000, 40.0)] {
        assert!((path[tick].macro_factor.vix - vix).abs() < 1e-12, "tick {tick}");
        assert!((path[tick].macro_factor.equity_index - vix / 20.0).abs() < 1e-12, "tick {tick}");
    }
    assert!((path[601].macro_factor.equity_return - libm::log(1.25)).abs() < 1e-12);
    // Nobody knew anything before the first row.
    let late = Arc::new(MacroSeries::new(rows[1..].to_vec()).unwrap());
    let history = Arc::new(ReplaySeries::new(vec![bars(60, 1e-3, 1)], 60_000).unwrap());
    let clock = Clock { tick_seconds: 1.0, ticks: 3_000 };
    let refused = WorldModel::replay(&WorldConfig::default(), clock, history, ReplayStart::At(0), Some(late));
    assert!(refused.unwrap_err().to_string().contains("replay.start"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens after a bar, the world up to its end is the same.
    #[test]
    fn replay_does_not_look_ahead(changed in 1_usize..55, other in 2_u64..1_000) {
        let history = bars(60, 1e-3, 1);
        let mut altered = history.clone();
        let mut open = altered.bars[changed].open;
        for (bar, source) in altered.bars.iter_mut().zip(bars(60, 5e-3, other).bars).skip(changed) {
            let time = bar.open_time_ms;
            *bar = source;
            (bar.open_time_ms, bar.open) = (time, open);
            bar.high = bar.high.max(open);
            bar.low = bar.low.min(open);
            open = bar.close;
        }
        let (a, b) = (run(&replayed(history, None), 3), run(&replayed(altered, None), 3));
        let known = (changed * 60).min(3_000);
        prop_assert_eq!(&a[..known], &b[..known]);
        prop_assert!(changed * 60 + 60 > 3_000 || a != b);
    }
}
