//! Scripted shocks: how a scenario writes a crash, a flash crash, a spike of volatility or a drought of liquidity.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::draw::{between, between_ticks};
use super::regime::{Regime, Window};
use crate::error::Problems;
use crate::rng::Counter;

/// How a shock's return unfolds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShockShape {
    /// Along the profile, a little every tick.
    #[default]
    Ramp,
    /// Along the profile, in equally spaced jumps.
    Steps,
}

/// When a shock starts, drawn from a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShockStart {
    /// Share of the episode, within [0, 1].
    Fraction([f64; 2]),
    /// Seconds from reset; ≥ 0.
    Seconds([f64; 2]),
}

/// Depth that makers withdraw for reasons of their own: a multiplier on what they quote, from 1 down to `floor` and back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiquidityConfig {
    /// Lowest multiplier, drawn from this range within (0, 1].
    pub floor: [f64; 2],
    /// Time from the shock's start to the floor, in seconds; ≥ 0. The way is linear.
    pub fall_seconds: f64,
    /// Time at the floor, in seconds; ≥ 0.
    pub hold_seconds: f64,
    /// Time in which half of the missing depth returns, in seconds; > 0.
    pub recovery_half_life_seconds: f64,
}

impl Default for LiquidityConfig {
    fn default() -> Self {
        Self { floor: [1.0, 1.0], fall_seconds: 0.0, hold_seconds: 0.0, recovery_half_life_seconds: 3_600.0 }
    }
}

/// One scripted shock. Ranges are drawn uniformly at reset; equal bounds fix the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShockConfig {
    /// Start: its first effect is one tick later.
    pub start: ShockStart,
    /// Total log return at the end of the shock, within [-3, 3].
    pub log_return: [f64; 2],
    /// Time that it takes, in seconds; > 0, at least one tick.
    pub duration_seconds: [f64; 2],
    /// Whether it ramps or jumps.
    pub shape: ShockShape,
    /// Number of jumps of the shape `steps`, in [1, 10000].
    pub steps: u32,
    /// Knots `[share of the time, share of the return]`, from `[0, 0]` to `[1, 1]`, with increasing times.
    pub profile: Vec<[f64; 2]>,
    /// Share of the return that is taken back afterwards, within [0, 1].
    pub recovery_share: [f64; 2],
    /// Time in which half of that share is back, in seconds; > 0.
    pub recovery_half_life_seconds: f64,
    /// Multiplier of the diffusion's volatility while the shock lasts, in (0, 100].
    pub volatility: f64,
    /// Time in which the multiplier's distance from 1 halves afterwards, in seconds; > 0.
    pub volatility_half_life_seconds: f64,
    /// Regime that the shock enforces, unless it is worse already.
    pub regime: Option<Regime>,
    /// How long, from the shock's start, in seconds; ≥ 0.
    pub regime_seconds: f64,
    /// What it does to the depth of makers.
    pub liquidity: LiquidityConfig,
}

impl Default for ShockConfig {
    fn default() -> Self {
        Self {
            start: ShockStart::Fraction([0.5, 0.5]),
            log_return: [0.0, 0.0],
            duration_seconds: [600.0, 600.0],
            shape: ShockShape::Ramp,
            steps: 10,
            profile: vec![[0.0, 0.0], [1.0, 1.0]],
            recovery_share: [0.0, 0.0],
            recovery_half_life_seconds: 3_600.0,
            volatility: 1.0,
            volatility_half_life_seconds: 3_600.0,
            regime: None,
            regime_seconds: 0.0,
            liquidity: LiquidityConfig::default(),
        }
    }
}

impl ShockConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let mut pair = |field: &str, range: [f64; 2], low: f64, high: f64| {
            validate_range(&format!("{path}.{field}"), range, low, high, problems);
        };
        match self.start {
            ShockStart::Fraction(range) => pair("start.fraction", range, 0.0, 1.0),
            ShockStart::Seconds(range) => pair("start.seconds", range, 0.0, 1e9),
        }
        pair("log_return", self.log_return, -3.0, 3.0);
        pair("duration_seconds", self.duration_seconds, 1e-3, 1e9);
        pair("recovery_share", self.recovery_share, 0.0, 1.0);
        pair("liquidity.floor", self.liquidity.floor, 1e-6, 1.0);
        let steps = (1..=10_000).contains(&self.steps);
        problems.require(steps, format!("{path}.steps"), self.steps, "in [1, 10000]");
        problems.require(
            is_profile(&self.profile),
            format!("{path}.profile"),
            format!("{:?}", self.profile),
            "knots from [0, 0] to [1, 1] with increasing times",
        );
        problems.range(format!("{path}.recovery_half_life_seconds"), self.recovery_half_life_seconds, 1e-3, 1e12);
        problems.range(format!("{path}.volatility"), self.volatility, 1e-3, 100.0);
        problems.range(format!("{path}.volatility_half_life_seconds"), self.volatility_half_life_seconds, 1e-3, 1e12);
        problems.range(format!("{path}.regime_seconds"), self.regime_seconds, 0.0, 1e9);
        let LiquidityConfig { fall_seconds, hold_seconds, recovery_half_life_seconds, .. } = self.liquidity;
        problems.range(format!("{path}.liquidity.fall_seconds"), fall_seconds, 0.0, 1e9);
        problems.range(format!("{path}.liquidity.hold_seconds"), hold_seconds, 0.0, 1e9);
        problems.range(format!("{path}.liquidity.recovery_half_life_seconds"), recovery_half_life_seconds, 1e-3, 1e12);
    }
}

/// Records a range that is not ordered or leaves `[low, high]`.
pub(crate) fn validate_range(field: &str, range: [f64; 2], low: f64, high: f64, problems: &mut Problems) {
    let [a, b] = range;
    let holds = low <= a && a <= b && b <= high;
    problems.require(holds, field, format!("[{a}, {b}]"), &format!("an ordered range within [{low}, {high}]"));
}

fn is_profile(knots: &[[f64; 2]]) -> bool {
    let ends =
        |knot: Option<&[f64; 2]>, value: f64| knot.is_some_and(|k| k.iter().all(|x| x.total_cmp(&value).is_eq()));
    ends(knots.first(), 0.0)
        && ends(knots.last(), 1.0)
        && knots.windows(2).all(|w| w[0][0] < w[1][0])
        && knots.iter().all(|k| k[1].is_finite() && k[1].abs() <= 10.0)
}

/// A shock, ready to run.
#[derive(Clone, Debug)]
pub(super) struct ShockLaw {
    config: ShockConfig,
    clock: Clock,
    recovery: f64,
    calming: f64,
    refill: f64,
    fall_ticks: f64,
    hold_ticks: f64,
}

impl ShockLaw {
    #[expect(clippy::cast_precision_loss, reason = "durations have far fewer than 2^52 ticks")]
    pub(super) fn new(config: &ShockConfig, clock: Clock) -> Self {
        Self {
            clock,
            recovery: clock.decay(config.recovery_half_life_seconds),
            calming: clock.decay(config.volatility_half_life_seconds),
            refill: clock.decay(config.liquidity.recovery_half_life_seconds),
            fall_ticks: clock.ticks_in(config.liquidity.fall_seconds) as f64,
            hold_ticks: clock.ticks_in(config.liquidity.hold_seconds) as f64,
            config: config.clone(),
        }
    }

    /// Share of the return that has happened at a share of the time.
    fn progress(&self, time: f64) -> f64 {
        let time = match self.config.shape {
            ShockShape::Ramp => time,
            ShockShape::Steps => libm::floor(time * f64::from(self.config.steps)) / f64::from(self.config.steps),
        };
        let knots = &self.config.profile;
        let next = knots.partition_point(|knot| knot[0] <= time).clamp(1, knots.len() - 1);
        let ([t0, r0], [t1, r1]) = (knots[next - 1], knots[next]);
        r0 + (r1 - r0) * ((time - t0) / (t1 - t0))
    }
}

/// What the shocks of a tick add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effect {
    /// Added to the log price.
    pub(super) log: f64,
    /// Multiplies volatility.
    pub(super) volatility: f64,
    /// Multiplies makers' depth.
    pub(super) liquidity: f64,
    /// Whether a step fell into the tick.
    pub(super) jumped: bool,
}

impl Effect {
    pub(super) const NONE: Self = Self { log: 0.0, volatility: 1.0, liquidity: 1.0, jumped: false };
}

/// A drawn shock and how far it has faded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Shock {
    start: u64,
    end: u64,
    log_return: f64,
    recovery_share: f64,
    floor: f64,
    /// Shares that are left of the part to recover, of the excess volatility and of the missing depth.
    recovering: f64,
    excess: f64,
    missing: f64,
    progress: f64,
}

impl Shock {
    /// Draws shock number `index` of an episode.
    pub(super) fn new(law: &ShockLaw, counter: Counter, index: u64) -> Self {
        let config = &law.config;
        let [start, log_return, duration, recovery] = counter.uniform4(index, 0);
        let [floor, ..] = counter.uniform4(index, 1);
        let start = match config.start {
            ShockStart::Fraction(range) => law.clock.tick_at(between(start, range)),
            ShockStart::Seconds(range) => law.clock.ticks_in(between(start, range)),
        };
        let duration = law.clock.ticks_in(between(duration, config.duration_seconds)).max(1);
        Self {
            start,
            end: start + duration,
            log_return: between(log_return, config.log_return),
            recovery_share: between(recovery, config.recovery_share),
            floor: between(floor, config.liquidity.floor),
            recovering: 1.0,
            excess: 1.0,
            missing: 1.0,
            progress: 0.0,
        }
    }

    /// Draws anew what `tick`, the last one, has not shown: a shock that has begun keeps its start and its drought, one that
    /// has ended its return. How far it has come in between is told by [`Shock::log_at`], before and after.
    pub(super) fn redraw(&mut self, law: &ShockLaw, counter: Counter, index: u64, tick: u64) {
        let config = &law.config;
        let [start, log_return, duration, recovery] = counter.uniform4(index, 0);
        if self.start > tick {
            let [earliest, latest] = match config.start {
                ShockStart::Fraction(range) => range.map(|share| law.clock.tick_at(share)),
                ShockStart::Seconds(range) => range.map(|seconds| law.clock.ticks_in(seconds)),
            };
            self.start = between_ticks(start, [earliest.max(tick + 1), latest.max(tick + 1)]);
            self.floor = between(counter.uniform4(index, 1)[0], config.liquidity.floor);
        }
        self.recovery_share = between(recovery, config.recovery_share);
        // One that the horizon of its law has caught up with ends in the next tick.
        if self.end > tick {
            let least = (tick + 1).saturating_sub(self.start).max(1);
            let range = config.duration_seconds.map(|seconds| law.clock.ticks_in(seconds).max(least));
            self.end = self.start + between_ticks(duration, range);
            self.log_return = between(log_return, config.log_return);
            self.progress = if tick > self.start { law.progress(self.share_at(tick)) } else { 0.0 };
        }
    }

    /// Log return at `tick`, the last one.
    pub(super) fn log_at(&self, law: &ShockLaw, tick: u64) -> f64 {
        if tick <= self.start {
            0.0
        } else if tick < self.end {
            self.log_return * law.progress(self.share_at(tick))
        } else {
            self.log_return - self.log_return * self.recovery_share * (1.0 - self.recovering)
        }
    }

    /// Share of its time that has passed at `tick`, which it has not ended by.
    #[expect(clippy::cast_precision_loss, reason = "durations have far fewer than 2^52 ticks")]
    fn share_at(&self, tick: u64) -> f64 {
        (tick - self.start) as f64 / (self.end - self.start) as f64
    }

    /// The regime that the shock enforces, if it started at `start`.
    pub(super) fn window(law: &ShockLaw, start: u64) -> Option<Window> {
        let regime = law.config.regime?;
        Some(Window { start, end: start + law.clock.ticks_in(law.config.regime_seconds), regime })
    }

    pub(super) const fn start(&self) -> u64 {
        self.start
    }

    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    pub(super) const fn log_return(&self) -> f64 {
        self.log_return
    }

    /// Advances to `tick`, the one after the last, and adds to the effect of other shocks.
    #[inline]
    pub(super) fn advance(&mut self, law: &ShockLaw, tick: u64, effect: &mut Effect) {
        if tick > self.start {
            self.unfold(law, tick, effect);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "durations have far fewer than 2^52 ticks")]
    fn unfold(&mut self, law: &ShockLaw, tick: u64, effect: &mut Effect) {
        let elapsed = (tick - self.start) as f64;
        if tick < self.end {
            let progress = law.progress(elapsed / (self.end - self.start) as f64);
            effect.jumped |= law.config.shape == ShockShape::Steps && progress.total_cmp(&self.progress).is_ne();
            self.progress = progress;
            effect.log += self.log_return * progress;
        } else {
            if tick == self.end {
                effect.jumped |= law.config.shape == ShockShape::Steps;
            } else {
                self.recovering *= law.recovery;
                self.excess *= law.calming;
            }
            effect.log += self.log_return - self.log_return * self.recovery_share * (1.0 - self.recovering);
        }
        effect.volatility *= 1.0 + (law.config.volatility - 1.0) * self.excess;
        if elapsed <= law.fall_ticks {
            effect.liquidity *= 1.0 - (1.0 - self.floor) * elapsed / law.fall_ticks;
        } else {
            if elapsed > law.fall_ticks + law.hold_ticks {
                self.missing *= law.refill;
            }
            effect.liquidity *= 1.0 - (1.0 - self.floor) * self.missing;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_seconds: 1.0, ticks: 10_000 };

    fn run(config: &ShockConfig, ticks: u64) -> (Shock, Vec<Effect>) {
        let mut problems = Problems::default();
        config.validate("shock", &mut problems);
        assert_eq!(problems, Problems::default());
        let law = ShockLaw::new(config, CLOCK);
        let drawn = Shock::new(&law, Counter::new(8), 0);
        let mut shock = drawn;
        let effects = (0..=ticks).map(|tick| {
            let mut effect = Effect::NONE;
            shock.advance(&law, tick, &mut effect);
            effect
        });
        (drawn, effects.collect())
    }

    #[test]
    fn the_total_return_is_exact_for_both_shapes_and_half_comes_back_in_a_half_life() {
        for shape in [ShockShape::Ramp, ShockShape::Steps] {
            let config = ShockConfig {
                start: ShockStart::Seconds([100.0, 300.0]),
                log_return: [-0.2, -0.1],
                duration_seconds: [500.0, 700.0],
                shape,
                steps: 7,
                profile: vec![[0.0, 0.0], [0.6, 0.2], [0.9, 0.9], [1.0, 1.0]],
                recovery_share: [0.6, 0.6],
                recovery_half_life_seconds: 50.0,
                ..ShockConfig::default()
            };
            let (shock, effects) = run(&config, 2_000);
            let at = |tick: u64| effects[usize::try_from(tick).unwrap()];
            assert!((100..=300).contains(&shock.start) && (500..=700).contains(&(shock.end - shock.start)));
            assert_eq!(at(shock.start).log.to_bits(), 0.0_f64.to_bits());
            assert_eq!(at(shock.end).log.to_bits(), shock.log_return.to_bits());
            assert!((at(shock.end + 50).log - 0.7 * shock.log_return).abs() < 1e-12);
            let steps = effects.iter().filter(|effect| effect.jumped).count();
            assert_eq!(steps, if shape == ShockShape::Steps { 7 } else { 0 });
        }
    }

    #[test]
    fn liquidity_falls_holds_and_returns() {
        let liquidity = LiquidityConfig {
            floor: [0.2, 0.2],
            fall_seconds: 100.0,
            hold_seconds: 50.0,
            recovery_half_life_seconds: 200.0,
        };
        let config = ShockConfig {
            start: ShockStart::Fraction([0.01, 0.01]),
            liquidity,
            volatility: 3.0,
            ..ShockConfig::default()
        };
        let (shock, effects) = run(&config, 5_000);
        assert_eq!(shock.start, 100);
        for (tick, expected) in [(100, 1.0), (150, 0.6), (200, 0.2), (250, 0.2), (450, 0.6), (5_000, 1.0)] {
            assert!((effects[tick].liquidity - expected).abs() < 1e-6, "{tick}: {}", effects[tick].liquidity);
        }
        // Three times the volatility until tick 700, and twice after one half-life.
        assert!((effects[700].volatility - 3.0).abs() < 1e-12);
        assert!((effects[700 + 3_600].volatility - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_late_start_a_reversed_range_and_a_bent_profile_are_refused() {
        let config = ShockConfig {
            start: ShockStart::Fraction([0.5, 1.5]),
            log_return: [0.1, -0.1],
            profile: vec![[0.0, 0.0], [0.5, 0.9], [0.5, 1.0]],
            ..ShockConfig::default()
        };
        let mut problems = Problems::default();
        config.validate("world.shocks[0]", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["world.shocks[0].start.fraction", "world.shocks[0].log_return", "world.shocks[0].profile"]);
    }
}
