//! Named worlds, from calm to drought, for scenario files to start from.

use super::config::WorldConfig;
use super::regime::{InitialRegime, Regime, RegimesConfig};
use super::shock::{LiquidityConfig, ShockConfig, ShockStart};

/// A preset's name and how to build it.
pub type Preset = (&'static str, fn() -> WorldConfig);

/// Every preset, mildest first.
pub const PRESETS: [Preset; 6] = [
    ("calm", WorldConfig::calm),
    ("tense", WorldConfig::tense),
    ("volatility_spike", WorldConfig::volatility_spike),
    ("flash_crash", WorldConfig::flash_crash),
    ("crash_day", WorldConfig::crash_day),
    ("slow_drought", WorldConfig::slow_drought),
];

impl WorldConfig {
    fn starting(initial: InitialRegime, shocks: Vec<ShockConfig>) -> Self {
        Self { regimes: RegimesConfig { initial, ..RegimesConfig::default() }, shocks, ..Self::default() }
    }

    /// An ordinary day.
    #[must_use]
    pub fn calm() -> Self {
        Self::starting(InitialRegime::Calm, Vec::new())
    }

    /// A tense day: volatility twice the ordinary, and a one-in-ten way into crisis.
    #[must_use]
    pub fn tense() -> Self {
        Self::starting(InitialRegime::Tense, Vec::new())
    }

    /// Volatility trebles for half an hour without a direction of its own.
    #[must_use]
    pub fn volatility_spike() -> Self {
        let spike = ShockConfig {
            start: ShockStart::Fraction([0.2, 0.5]),
            log_return: [-0.03, 0.03],
            duration_seconds: [1_200.0, 2_400.0],
            volatility: 3.0,
            volatility_half_life_seconds: 3_600.0,
            regime: Some(Regime::Tense),
            regime_seconds: 7_200.0,
            ..ShockConfig::default()
        };
        Self::starting(InitialRegime::Calm, vec![spike])
    }

    /// A tenth of the price in three minutes, four fifths of it back in half an hour.
    ///
    /// # Reference
    /// BTC on 4 December 2021 (−21 % within an hour), 17 August 2023 (−10.6 % in one 5-minute bar) and 3 January 2024
    /// (−6.1 % in one).
    #[must_use]
    pub fn flash_crash() -> Self {
        let crash = ShockConfig {
            start: ShockStart::Fraction([0.2, 0.6]),
            log_return: [-0.13, -0.08],
            duration_seconds: [150.0, 210.0],
            profile: vec![[0.0, 0.0], [0.3, 0.15], [0.8, 0.9], [1.0, 1.0]],
            recovery_share: [0.80, 0.90],
            // 0.85 · (1 − 2^(−1800 / 440)) = 0.80.
            recovery_half_life_seconds: 440.0,
            volatility: 2.0,
            volatility_half_life_seconds: 1_800.0,
            regime: Some(Regime::Tense),
            regime_seconds: 3_600.0,
            liquidity: LiquidityConfig {
                floor: [0.2, 0.5],
                fall_seconds: 120.0,
                hold_seconds: 120.0,
                recovery_half_life_seconds: 900.0,
            },
            ..ShockConfig::default()
        };
        Self::starting(InitialRegime::Calm, vec![crash])
    }

    /// A tenth (8–12 %) in 40 minutes, seven tenths of it within twelve, two fifths back in the hours after. The
    /// venues' own liquidations take the price to 14 % and more.
    ///
    /// # Reference
    /// BTC on 10 October 2025: −13…−16 % in a core of 40 minutes that began at 20:50 UTC, low at 21:20; and 12 March 2020
    /// (7,353 to 5,678 dollars in 45 minutes). Depth fell by half to nine tenths.
    #[must_use]
    pub fn crash_day() -> Self {
        let crash = ShockConfig {
            start: ShockStart::Fraction([0.2, 0.5]),
            log_return: [-0.13, -0.08],
            duration_seconds: [2_100.0, 2_700.0],
            profile: vec![[0.0, 0.0], [0.5, 0.2], [0.8, 0.9], [1.0, 1.0]],
            recovery_share: [0.3, 0.5],
            recovery_half_life_seconds: 2_700.0,
            volatility: 1.5,
            volatility_half_life_seconds: 10_800.0,
            regime: Some(Regime::Crisis),
            regime_seconds: 21_600.0,
            liquidity: LiquidityConfig {
                floor: [0.2, 0.5],
                fall_seconds: 1_500.0,
                hold_seconds: 1_800.0,
                recovery_half_life_seconds: 21_600.0,
            },
            ..ShockConfig::default()
        };
        Self::starting(InitialRegime::Calm, vec![crash])
    }

    /// Makers leave within an hour and do not come back; the price slides.
    ///
    /// # Reference
    /// November 2022: depth within 2 % fell by 40–50 %, and the gap lasted 16 months. Compressed into an episode of
    /// hours.
    #[must_use]
    pub fn slow_drought() -> Self {
        let drought = ShockConfig {
            start: ShockStart::Fraction([0.05, 0.2]),
            log_return: [-0.10, -0.04],
            duration_seconds: [7_200.0, 10_800.0],
            regime: Some(Regime::Tense),
            regime_seconds: 1e6,
            liquidity: LiquidityConfig {
                floor: [0.3, 0.6],
                fall_seconds: 3_600.0,
                hold_seconds: 0.0,
                recovery_half_life_seconds: 2_592_000.0,
            },
            ..ShockConfig::default()
        };
        Self::starting(InitialRegime::Tense, vec![drought])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problems;
    use crate::rng::SeedTree;
    use crate::world::{Clock, World, WorldModel};

    /// The path of a preset whose noise is a tenth, in seconds, and when its shock starts and ends.
    fn unfold(preset: WorldConfig, seed: u64) -> (Vec<f64>, usize, usize) {
        let quiet = WorldConfig { volatility_scale: [0.1, 0.1], ..preset };
        let model = WorldModel::new(&quiet, Clock { tick_seconds: 1.0, ticks: 14_400 });
        let mut world = World::new(&model, SeedTree::new(seed));
        let shock = world.shocks().next().unwrap();
        let path = (0..=14_400).map(|tick| world.tick(&model, tick).fundamental_log).collect();
        (path, usize::try_from(shock.start).unwrap(), usize::try_from(shock.end).unwrap())
    }

    #[test]
    fn a_crash_day_loses_most_of_it_within_a_quarter_of_an_hour() {
        for seed in 0..20 {
            let (path, start, end) = unfold(WorldConfig::crash_day(), seed);
            let total = path[end] - path[start];
            assert!((-0.15..-0.06).contains(&total), "{total}");
            assert!((2_100..=2_700).contains(&(end - start)));
            let steepest = (start..end).map(|t| path[(t + 810).min(end)] - path[t]).fold(0.0, f64::min);
            assert!(steepest / total > 0.6, "{steepest} of {total}");
        }
    }

    #[test]
    fn a_flash_crash_is_mostly_over_after_half_an_hour() {
        for seed in 0..20 {
            let (path, start, end) = unfold(WorldConfig::flash_crash(), seed);
            let total = path[end] - path[start];
            assert!((-0.14..-0.07).contains(&total) && (150..=210).contains(&(end - start)), "{total}");
            let back = 1.0 - (path[end + 1_800] - path[start]) / total;
            assert!((0.65..0.95).contains(&back), "{back}");
        }
    }

    #[test]
    fn every_preset_is_valid_and_named_once() {
        for (name, preset) in PRESETS {
            let mut problems = Problems::default();
            preset().validate(name, &mut problems);
            assert_eq!(problems, Problems::default());
            assert_eq!(PRESETS.iter().filter(|(other, _)| *other == name).count(), 1);
        }
    }
}
