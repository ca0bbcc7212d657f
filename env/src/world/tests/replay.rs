//! Replayed bars: exact where the history speaks, plausible where it does not.

use std::sync::Arc;

use proptest::prelude::*;

use super::{bars, model, returns, run};
use crate::rng::{Counter, SeedTree};
use crate::units::Price;
use crate::world::replay::{Replay, ReplayLaw};
use crate::world::{
    Bar, Clock, Model, Outside, Regime, ReplaySeries, ReplayStart, Segment, ShockConfig, World, WorldConfig,
    WorldModel, bridge,
};

fn bar(open: i64, high: i64, low: i64, close: i64) -> Bar {
    let [open, high, low, close] = [open, high, low, close].map(Price::from_raw);
    Bar { open_time_ms: 1_600_000_000_000, open, high, low, close, volume: 0.0 }
}

fn replay(config: &WorldConfig, segments: Vec<Segment>, clock: Clock, start: ReplayStart) -> WorldModel {
    let series = Arc::new(ReplaySeries::new(segments, 60_000).unwrap());
    WorldModel::replay(config, clock, series, start, None).unwrap()
}

proptest! {
    /// Open, high, low and close of any bar, at any number of ticks from four on, to the last digit.
    #[test]
    fn bars_are_honoured_exactly(
        prices in proptest::array::uniform4(1_i64..200_000_000_000),
        narrow in any::<bool>(),
        order in 0_usize..4,
        ticks in 4_usize..400,
        seed in any::<u64>(),
    ) {
        let mut sorted = prices;
        if narrow {
            // A few raw units wide, where rounding would show first.
            for price in &mut sorted[1..] {
                *price = prices[0] + *price % 3;
            }
        }
        sorted.sort_unstable();
        let [low, a, b, high] = sorted;
        // Open and close inside, or at an extreme.
        let (open, close) = [(a, b), (b, a), (low, high), (high, high)][order];
        let mut path = Vec::new();
        bridge::fill(&mut path, &bar(open, high, low, close), ticks, Counter::new(seed));
        prop_assert_eq!(path.len(), ticks);
        prop_assert_eq!(path[0], open);
        prop_assert_eq!(path[ticks - 1], close);
        prop_assert_eq!(path.iter().copied().max(), Some(high));
        prop_assert_eq!(path.iter().copied().min(), Some(low));
    }
}

#[test]
fn a_replayed_world_passes_through_every_bar_of_the_history() {
    let history = bars(100, 2e-3, 4);
    for (tick_seconds, per_bar) in [(0.5, 120), (1.0, 60), (15.0, 4)] {
        let clock = Clock { tick_seconds, ticks: 100 * per_bar as u64 - 1 };
        let path = run(&replay(&WorldConfig::default(), vec![history.clone()], clock, ReplayStart::Random), 5);
        for (bar, ticks) in history.bars.iter().zip(path.chunks(per_bar)) {
            let prices: Vec<Price> = ticks.iter().map(Outside::price).collect();
            assert_eq!(prices[0], bar.open);
            assert_eq!(prices[per_bar - 1], bar.close);
            assert_eq!(prices.iter().max(), Some(&bar.high));
            assert_eq!(prices.iter().min(), Some(&bar.low));
        }
    }
}

#[test]
fn prices_do_not_depend_on_the_order_in_which_they_are_asked_for() {
    let clock = Clock { tick_seconds: 1.0, ticks: 2_000 };
    let series = Arc::new(ReplaySeries::new(vec![bars(40, 1e-3, 2)], 60_000).unwrap());
    let law = ReplayLaw::new(series, ReplayStart::At(60_000), clock, i64::MIN).unwrap();
    let mut forwards = Replay::new(&law, Counter::new(1), 0.5);
    let mut anyhow = forwards.clone();
    let expected: Vec<Price> = (0..2_000).map(|tick| forwards.price(&law, tick)).collect();
    for i in 0..2_000_u64 {
        // 1,237 is coprime to 2,000: every tick once, in no order.
        let tick = i * 1_237 % 2_000;
        assert_eq!(anyhow.price(&law, tick), expected[usize::try_from(tick).unwrap()]);
    }
}

#[test]
fn ticks_inside_bars_have_the_volatility_of_the_market_that_made_the_bars() {
    // Bars of a geometric Brownian motion at one-second resolution, replayed and measured again at that resolution.
    let config = WorldConfig { model: Model::Gbm, ..WorldConfig::default() };
    let truth = run(&model(&config, 1.0, 600 * 300 - 1), 13);
    let history = truth.chunks(300).zip(0_i64..).map(|(ticks, i)| {
        let prices: Vec<Price> = ticks.iter().map(Outside::price).collect();
        Bar {
            open_time_ms: i * 300_000,
            open: prices[0],
            high: *prices.iter().max().unwrap(),
            low: *prices.iter().min().unwrap(),
            close: prices[299],
            volume: 1.0,
        }
    });
    let series = Arc::new(ReplaySeries::new(vec![Segment { bars: history.collect() }], 300_000).unwrap());
    let clock = Clock { tick_seconds: 1.0, ticks: 600 * 300 - 1 };
    let model = WorldModel::replay(&config, clock, series, ReplayStart::Random, None).unwrap();
    let path = run(&model, 2);
    let squares = |path: &[Outside]| returns(path, 1).iter().map(|r| r * r).sum::<f64>();
    let ratio = squares(&path) / squares(&truth);
    // A range seen at 300 moments is 4 % short of the continuous one, its square 7 %.
    assert!((0.85..1.1).contains(&ratio), "{ratio}");
    // So is the trailing volatility, which starts from the calm regime's and forgets it.
    let last = path[path.len() - 1].volatility;
    assert!((last / truth[0].volatility - 1.0).abs() < 0.2, "{last}");
}

#[test]
fn the_regime_follows_the_trailing_volatility() {
    let mut history = bars(60, 4e-4, 1);
    // 0.04 % a minute is 29 % a year; 0.4 % is 290 %.
    let mut open = history.bars[59].close;
    for (i, mut bar) in bars(120, 4e-3, 2).bars.into_iter().enumerate() {
        let ratio = open.as_f64() / bar.open.as_f64();
        let scale = |price: Price| Price::from_f64(price.as_f64() * ratio);
        bar = Bar {
            open_time_ms: i64::try_from(60 + i).unwrap() * 60_000,
            open,
            high: scale(bar.high).max(open),
            low: scale(bar.low).min(open),
            close: scale(bar.close),
            volume: 1.0,
        };
        bar.high = bar.high.max(bar.close);
        bar.low = bar.low.min(bar.close);
        open = bar.close;
        history.bars.push(bar);
    }
    let clock = Clock { tick_seconds: 1.0, ticks: 180 * 60 - 1 };
    let path = run(&replay(&WorldConfig::default(), vec![history], clock, ReplayStart::Random), 1);
    assert!(path[..3_600].iter().all(|outside| outside.regime == Regime::Calm));
    assert!(path[9_000..].iter().all(|outside| outside.regime == Regime::Crisis));
}

#[test]
fn shocks_add_to_the_history() {
    let clock = Clock { tick_seconds: 1.0, ticks: 3_000 };
    let mut config = WorldConfig::default();
    let plain = run(&replay(&config, vec![bars(60, 1e-3, 1)], clock, ReplayStart::At(0)), 4);
    config.shocks = vec![ShockConfig { log_return: [-0.2, -0.2], ..ShockConfig::default() }];
    let shocked = run(&replay(&config, vec![bars(60, 1e-3, 1)], clock, ReplayStart::At(0)), 4);
    assert_eq!(plain[..=1_500], shocked[..=1_500]);
    assert!((shocked[2_100].fundamental_log - plain[2_100].fundamental_log + 0.2).abs() < 1e-12);
}

#[test]
fn starts_are_drawn_from_every_segment_that_holds_an_episode() {
    let late = |segment: Segment, offset: i64| Segment {
        bars: segment.bars.into_iter().map(|bar| Bar { open_time_ms: bar.open_time_ms + offset, ..bar }).collect(),
    };
    // Segments of 20, 5 and 12 bars; an episode of 600 seconds needs 11 of them, the last for its last tick.
    let segments = vec![bars(20, 1e-3, 1), late(bars(5, 1e-3, 2), 10_000_000), late(bars(12, 1e-3, 3), 20_000_000)];
    let clock = Clock { tick_seconds: 1.0, ticks: 600 };
    let model = replay(&WorldConfig::default(), segments, clock, ReplayStart::Random);
    let mut starts: Vec<i64> =
        (0..400).map(|seed| World::new(&model, SeedTree::new(seed)).start_ms(&model).unwrap()).collect();
    starts.sort_unstable();
    starts.dedup();
    let expected: Vec<i64> = (0..10).map(|b| b * 60_000).chain([20_000_000, 20_060_000]).collect();
    assert_eq!(starts, expected);
    let _ = run(&model, 1);
}

#[test]
fn histories_that_cannot_be_replayed_are_refused_with_reasons() {
    let mut segment = bars(5, 1e-3, 1);
    segment.bars[1].high = Price::from_f64(1.0);
    segment.bars[3].open_time_ms += 1;
    let error = ReplaySeries::new(vec![segment], 60_000).unwrap_err().to_string();
    for field in ["segments[0].bars[1].open", "segments[0].bars[3].open_time_ms", "segments[0].bars[4].open_time_ms"] {
        assert!(error.contains(field), "{error}");
    }
    let series = Arc::new(ReplaySeries::new(vec![bars(5, 1e-3, 1)], 60_000).unwrap());
    let refuse = |tick_seconds: f64, ticks: u64, start: ReplayStart| {
        let clock = Clock { tick_seconds, ticks };
        WorldModel::replay(&WorldConfig::default(), clock, Arc::clone(&series), start, None).unwrap_err().to_string()
    };
    assert!(refuse(7.0, 10, ReplayStart::Random).contains("clock.tick_seconds"), "7 s do not divide a minute");
    assert!(refuse(20.0, 10, ReplayStart::Random).contains("at most a quarter"), "three ticks cannot hold four prices");
    assert!(refuse(1.0, 300, ReplayStart::Random).contains("replay.start"), "tick 300 is in the sixth bar");
    assert!(refuse(1.0, 10, ReplayStart::At(30_000)).contains("replay.start"), "no bar opens then");
}
