//! The market's own world, seen through bars as a file would hold them, and fitted: its parameters come back.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

use seawall_env::SeedTree;
use seawall_env::units::Price;
use seawall_env::world::{Bar, Clock, Model, World, WorldConfig, WorldModel};
use seawall_eval::calibration::Fitted;
use seawall_eval::calibration::world::{Series, WorldFit, fit};

const BAR_SECONDS: f64 = 300.0;

/// Bars of `days` days of a world with ticks of `tick_seconds`, cut in two by a hole of a day.
fn bars(config: &WorldConfig, tick_seconds: f64, days: u64, seed: u64) -> Vec<Vec<Bar>> {
    let clock = Clock { tick_seconds, ticks: days * Clock { tick_seconds, ticks: 0 }.ticks_in(86_400.0) };
    let model = WorldModel::new(config, clock);
    let mut world = World::new(&model, SeedTree::new(seed));
    let per_bar = clock.ticks_in(BAR_SECONDS);
    let mut all = Vec::new();
    let mut last = world.tick(&model, 0).price();
    for bar in 0..clock.ticks / per_bar {
        let (open, mut high, mut low) = (last, last, last);
        for tick in bar * per_bar + 1..=(bar + 1) * per_bar {
            last = Price::from_f64(world.tick(&model, tick).fundamental);
            (high, low) = (high.max(last), low.min(last));
        }
        let open_time_ms = 300_000 * i64::try_from(bar).unwrap();
        all.push(Bar { open_time_ms, open, high, low, close: last, volume: 1.0 });
    }
    let cut = all.len() / 3;
    let rest = all.split_off(cut + 288);
    all.truncate(cut);
    vec![all, rest]
}

fn fitted(config: &WorldConfig, tick_seconds: f64, days: u64, seed: u64) -> WorldFit {
    fit(Series { runs: &bars(config, tick_seconds, days, seed), bar_ms: 300_000 })
}

/// Within four standard errors and a bias that the test has to justify.
fn assert_near(name: &str, fitted: Fitted, truth: f64, bias: f64) {
    let error = fitted.standard_error.unwrap_or_else(|| panic!("{name} has no standard error"));
    let miss = (fitted.value - truth).abs();
    assert!(miss < 4.0 * error + bias, "{name}: {} +- {error} for {truth}", fitted.value);
}

#[test]
fn the_default_worlds_regimes_jumps_and_memory_come_back() {
    let config = WorldConfig::default();
    let fit = fitted(&config, 10.0, 1_200, 7);
    let regimes = fit.regimes.unwrap();
    for ((name, found), truth) in ["calm", "tense", "crisis"].iter().zip(regimes.regimes).zip(config.regimes.all()) {
        // Blocks of four hours that straddle a change, and the half-day component of volatility, blur the border.
        assert_near(&format!("{name} volatility"), found.volatility, truth.volatility, 0.12 * truth.volatility);
        assert_near(
            &format!("{name} stay"),
            found.stay.scaled(fit.block_hours),
            truth.mean_hours,
            0.4 * truth.mean_hours,
        );
    }
    let jumps = fit.jumps.unwrap();
    assert_near("down share", jumps.down_share, config.jumps.down_share, 0.0);
    // Sizes are measured with the noise of a bar, and small jumps pass below the threshold in volatile hours.
    assert_near("minimum", jumps.minimum, config.jumps.minimum, 0.15 * config.jumps.minimum);
    assert_near("tail", jumps.tail_exponent.unwrap(), config.jumps.tail_exponent, 0.2);
    let rates = fit.jumps_by_regime.map(Option::unwrap);
    assert_near("calm jumps", rates[0], config.regimes.calm.jumps_per_day, 0.08);
    assert_near("tense jumps", rates[1], config.regimes.tense.jumps_per_day, 0.08);
    let memory = fit.memory.unwrap();
    for ((_, found), truth) in memory.iter().zip(&config.clustering.factors) {
        // The logarithm of an average is not the average of logarithms.
        assert_near(
            &format!("memory of {} s", truth.half_life_seconds),
            found.unwrap(),
            truth.deviation,
            0.1 * truth.deviation,
        );
    }
}

#[test]
fn the_garch_worlds_parameters_come_back() {
    let mut config = WorldConfig { model: Model::GarchT, ..WorldConfig::default() };
    (config.garch.alpha, config.garch.beta, config.garch.degrees_of_freedom) = (0.10, 0.87, 5.0);
    // A tick a step: the innovations are exactly Student-t.
    let fit = fitted(&config, BAR_SECONDS, 200, 3);
    let garch = fit.garch.unwrap();
    assert_near("alpha", garch.alpha, 0.10, 0.0);
    assert_near("beta", garch.beta, 0.87, 0.0);
    assert_near("degrees of freedom", garch.degrees_of_freedom, 5.0, 0.0);
    assert_near("volatility", fit.volatility.unwrap(), config.garch.volatility, 0.02);
}
