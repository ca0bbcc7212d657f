//! The macro factor: an equity index, a VIX-like and a DXY-like index and a rate, as a venue would see them.
//!
//! In an episode where macro *leads*, its stress is the crypto market's own regime path, seen some minutes early, and
//! the price loads on the equity index. In any other episode it is an independent path with the same law, and the
//! loading is zero: pure noise. Nothing published ever depends on a price that is still to be drawn.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_DAY, decay};
use super::draw::{Quad, between};
use super::macro_series::{MacroCursor, MacroSeries};
use super::regime::{RegimeLaw, StressPath};
use super::shock::validate_range;
use crate::error::Problems;
use crate::rng::{Counter, normal_quantile};

/// The synthetic macro factor.
///
/// # Reference
/// Daily series of 2017–2026: log VIX has mean ln 17.7, deviation 0.33 and half-life 23 days; its mean by class is 14,
/// 21, 29 and 47. The S&P realises 0.75–0.93 of VIX (1.36 above 35). On the 19 days on which log VIX rose by more than
/// 0.3 it rose by 0.41 and the S&P lost 4.2 %. DXY: deviation 0.05, half-life 200 days. 10-year yield: mean 2.9 %,
/// deviation 1.2, half-life 470 days.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MacroConfig {
    /// Probability that an episode's macro factor leads, in [0, 1].
    pub leads_probability: f64,
    /// By how much, in minutes; drawn from this range within [0, 1440].
    pub lead_minutes: [f64; 2],
    /// Time between two publications, in seconds; at least one tick. Values are held in between.
    pub publish_seconds: f64,
    /// Window of the published equity return, in seconds; at least one publication.
    pub return_seconds: f64,
    /// Long-run level of the VIX-like index, in percent; > 0.
    pub vix_mean: f64,
    /// Stationary deviation of its logarithm without stress; ≥ 0.
    pub vix_deviation: f64,
    /// Half-life of its logarithm, in days; > 0.
    pub vix_half_life_days: f64,
    /// Rise of its logarithm in calm, tense and crisis; each within [0, 3].
    pub vix_gain: [f64; 3],
    /// Time in which half of a new regime's rise has happened, in seconds; ≥ 0.
    pub response_half_life_seconds: f64,
    /// Volatility that the equity index realises, over the VIX-like index; > 0.
    pub realised_over_implied: f64,
    /// Log return of the equity index per unit rise of log VIX in stress; within [-1, 1].
    pub equity_per_vix: f64,
    /// Long-run level of the DXY-like index; > 0.
    pub dxy_mean: f64,
    /// Stationary deviation of its logarithm; ≥ 0.
    pub dxy_deviation: f64,
    /// Half-life of its logarithm, in days; > 0.
    pub dxy_half_life_days: f64,
    /// Long-run rate, in percent.
    pub rate_mean: f64,
    /// Stationary deviation of the rate, in percentage points; ≥ 0.
    pub rate_deviation: f64,
    /// Half-life of the rate, in days; > 0. The rate is published once a day and held.
    pub rate_half_life_days: f64,
}

impl Default for MacroConfig {
    fn default() -> Self {
        Self {
            leads_probability: 0.5,
            lead_minutes: [10.0, 60.0],
            publish_seconds: 60.0,
            return_seconds: 3_600.0,
            vix_mean: 17.7,
            vix_deviation: 0.33,
            vix_half_life_days: 23.0,
            vix_gain: [0.0, 0.41, 0.96],
            response_half_life_seconds: 300.0,
            realised_over_implied: 0.8,
            equity_per_vix: -0.10,
            dxy_mean: 99.0,
            dxy_deviation: 0.05,
            dxy_half_life_days: 200.0,
            rate_mean: 2.9,
            rate_deviation: 1.2,
            rate_half_life_days: 470.0,
        }
    }
}

impl MacroConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.leads_probability"), self.leads_probability, 0.0, 1.0);
        validate_range(&format!("{path}.lead_minutes"), self.lead_minutes, 0.0, 1_440.0, problems);
        problems.range(format!("{path}.publish_seconds"), self.publish_seconds, 1e-3, SECONDS_PER_DAY);
        problems.range(format!("{path}.return_seconds"), self.return_seconds, self.publish_seconds, 1e7);
        problems.range(format!("{path}.vix_mean"), self.vix_mean, 0.1, 1_000.0);
        problems.range(format!("{path}.vix_deviation"), self.vix_deviation, 0.0, 3.0);
        problems.range(format!("{path}.vix_half_life_days"), self.vix_half_life_days, 1e-3, 1e6);
        for (i, gain) in self.vix_gain.into_iter().enumerate() {
            problems.range(format!("{path}.vix_gain[{i}]"), gain, 0.0, 3.0);
        }
        problems.range(format!("{path}.response_half_life_seconds"), self.response_half_life_seconds, 0.0, 1e9);
        problems.range(format!("{path}.realised_over_implied"), self.realised_over_implied, 1e-3, 10.0);
        problems.range(format!("{path}.equity_per_vix"), self.equity_per_vix, -1.0, 1.0);
        problems.range(format!("{path}.dxy_mean"), self.dxy_mean, 0.1, 1e4);
        problems.range(format!("{path}.dxy_deviation"), self.dxy_deviation, 0.0, 1.0);
        problems.range(format!("{path}.dxy_half_life_days"), self.dxy_half_life_days, 1e-3, 1e6);
        problems.range(format!("{path}.rate_mean"), self.rate_mean, -100.0, 1_000.0);
        problems.range(format!("{path}.rate_deviation"), self.rate_deviation, 0.0, 100.0);
        problems.range(format!("{path}.rate_half_life_days"), self.rate_half_life_days, 1e-3, 1e6);
    }
}

/// The last published macro values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Macro {
    /// Equity index, 1 at reset.
    pub equity_index: f64,
    /// Its log return over the configured window, or since the previous row of a replayed series.
    pub equity_return: f64,
    /// VIX-like index, in percent a year.
    pub vix: f64,
    /// DXY-like index.
    pub dxy: f64,
    /// Rate, in percent a year.
    pub rate: f64,
    /// Stress index: 0 with VIX at its long-run level, 1 with VIX at twice that.
    pub stress: f64,
}

/// Stress as a function of what is published.
pub(super) fn stress(vix: f64, vix_mean: f64) -> f64 {
    libm::log2(vix / vix_mean)
}

/// Mean reversion from one publication to the next.
#[derive(Clone, Copy, Debug)]
struct Reversion {
    memory: f64,
    innovation: f64,
    deviation: f64,
}

impl Reversion {
    fn new(step_seconds: f64, half_life_days: f64, deviation: f64) -> Self {
        let memory = decay(step_seconds, half_life_days * SECONDS_PER_DAY);
        Self { memory, innovation: deviation * (1.0 - memory * memory).sqrt(), deviation }
    }

    fn advance(&self, state: f64, u: f64) -> f64 {
        self.memory * state + self.innovation * normal_quantile(u)
    }
}

/// The factor, ready to run.
#[derive(Clone, Debug)]
pub(super) struct MacroLaw {
    config: MacroConfig,
    clock: Clock,
    publish_ticks: u64,
    day_ticks: u64,
    history: usize,
    vix: Reversion,
    dxy: Reversion,
    rate: Reversion,
    response: f64,
    /// Equity deviation per tick, per unit of the VIX-like index.
    sigma_per_vix: f64,
}

impl MacroLaw {
    #[expect(clippy::cast_precision_loss, reason = "a publication has far fewer than 2^52 ticks")]
    pub(super) fn new(config: &MacroConfig, clock: Clock) -> Self {
        let publish_ticks = clock.ticks_in(config.publish_seconds).max(1);
        let step = publish_ticks as f64 * clock.tick_seconds;
        let history = clock.ticks_in(config.return_seconds).div_ceil(publish_ticks).max(1);
        Self {
            config: *config,
            clock,
            publish_ticks,
            day_ticks: clock.ticks_in(SECONDS_PER_DAY).max(1),
            history: usize::try_from(history).expect("validated: fewer than 1e10 publications"),
            vix: Reversion::new(step, config.vix_half_life_days, config.vix_deviation),
            dxy: Reversion::new(step, config.dxy_half_life_days, config.dxy_deviation),
            rate: Reversion::new(SECONDS_PER_DAY, config.rate_half_life_days, config.rate_deviation),
            response: decay(step, config.response_half_life_seconds),
            sigma_per_vix: config.realised_over_implied / (100.0 * clock.ticks_per_year().sqrt()),
        }
    }

    /// Whether an episode's macro factor leads, and by how many ticks.
    pub(super) fn draw_lead(&self, counter: Counter) -> (bool, u64) {
        let [leads, minutes] = counter.uniform2(0, SLOT_LEAD);
        let ticks = self.clock.ticks_in(60.0 * between(minutes, self.config.lead_minutes));
        (leads < self.config.leads_probability, ticks)
    }

    /// Deviation of the equity index per tick at a level of the VIX-like index.
    fn sigma(&self, vix: f64) -> f64 {
        self.sigma_per_vix * vix
    }
}

const SLOT_NOISE: u64 = 0;
const SLOT_PUBLISH: u64 = 1;
const SLOT_START: u64 = 2;
const SLOT_LEAD: u64 = 3;

/// Synthetic state: what is latent, beside what is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Synthetic {
    counter: Counter,
    stress: StressPath,
    lead_ticks: u64,
    /// Equity noise: a quad serves four ticks.
    quad: Quad,
    /// Ticks since the last publication whose equity noise nobody asked for.
    skipped: u64,
    next_publication: u64,
    next_day: u64,
    equity: f64,
    sigma: f64,
    rise: f64,
    vix: f64,
    dxy: f64,
    rate: f64,
    past: Vec<f64>,
    slot: usize,
}

/// What a macro factor runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct MacroLaws<'a> {
    pub(super) law: &'a MacroLaw,
    pub(super) regimes: &'a RegimeLaw,
    pub(super) series: Option<&'a MacroSeries>,
}

/// Where macro values come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum MacroState {
    Synthetic(Synthetic),
    Replayed(MacroCursor),
}

impl Synthetic {
    pub(super) fn new(
        law: &MacroLaw,
        regimes: &RegimeLaw,
        counter: Counter,
        mut stress: StressPath,
        lead_ticks: u64,
    ) -> Self {
        let [vix, dxy, rate, _] = counter.uniform4(0, SLOT_START).map(normal_quantile);
        // An episode that starts in stress starts with VIX already up.
        let rise = law.config.vix_gain[stress.at(regimes, lead_ticks).index()];
        Self {
            counter,
            stress,
            lead_ticks,
            quad: Quad::EMPTY,
            skipped: 0,
            next_publication: law.publish_ticks,
            next_day: law.day_ticks,
            equity: 0.0,
            sigma: 0.0,
            rise,
            vix: law.vix.deviation * vix,
            dxy: law.dxy.deviation * dxy,
            rate: law.rate.deviation * rate,
            past: vec![0.0; law.history],
            slot: 0,
        }
    }

    /// Draws what follows anew, on the stress path that `path` makes of the present one and its last tick.
    pub(super) fn redraw(
        &mut self,
        law: &MacroLaw,
        counter: Counter,
        path: impl FnOnce(&StressPath, u64) -> StressPath,
    ) {
        (self.counter, self.quad) = (counter, Quad::EMPTY);
        let asked = self.next_publication - law.publish_ticks + self.lead_ticks;
        self.stress = path(&self.stress, asked);
    }

    /// The equity index's standard normal of a tick.
    #[inline]
    fn noise(&mut self, tick: u64) -> f64 {
        let lane = usize::from(tick.to_le_bytes()[0] & 3);
        normal_quantile(self.quad.at(self.counter, tick >> 2, SLOT_NOISE)[lane])
    }

    /// Advances one tick; the equity index's normal is drawn only if the price loads on it.
    #[inline]
    fn advance(&mut self, law: &MacroLaw, regimes: &RegimeLaw, tick: u64, loads: bool, published: &mut Macro) -> f64 {
        let normal = if loads { self.noise(tick) } else { 0.0 };
        if loads {
            self.equity += self.sigma * (normal - 0.5 * self.sigma);
        } else {
            self.skipped += 1;
        }
        if tick >= self.next_publication {
            self.next_publication += law.publish_ticks;
            self.update(law, regimes, tick);
            self.publish(law, published);
        }
        if tick >= self.next_day {
            self.next_day += law.day_ticks;
            self.rate = law.rate.advance(self.rate, self.counter.uniform4(tick, SLOT_PUBLISH)[2]);
            published.rate = law.config.rate_mean + self.rate;
        }
        normal
    }

    #[expect(clippy::cast_precision_loss, reason = "a publication has far fewer than 2^52 ticks")]
    fn update(&mut self, law: &MacroLaw, regimes: &RegimeLaw, tick: u64) {
        let [vix, dxy, _, equity] = self.counter.uniform4(tick, SLOT_PUBLISH);
        if self.skipped > 0 {
            // One normal for all the ticks that had none: the same law as their sum.
            let ticks = self.skipped as f64;
            self.equity += self.sigma * (ticks.sqrt() * normal_quantile(equity) - 0.5 * self.sigma * ticks);
            self.skipped = 0;
        }
        self.vix = law.vix.advance(self.vix, vix);
        self.dxy = law.dxy.advance(self.dxy, dxy);
        let regime = self.stress.at(regimes, tick.saturating_add(self.lead_ticks));
        let target = law.config.vix_gain[regime.index()];
        let rise = target + law.response * (self.rise - target);
        self.equity += law.config.equity_per_vix * (rise - self.rise);
        self.rise = rise;
    }

    fn publish(&mut self, law: &MacroLaw, published: &mut Macro) {
        let vix = law.config.vix_mean * libm::exp(self.vix + self.rise);
        self.sigma = law.sigma(vix);
        published.equity_index = libm::exp(self.equity);
        published.equity_return = self.equity - self.past[self.slot];
        self.past[self.slot] = self.equity;
        self.slot = (self.slot + 1) % self.past.len();
        published.vix = vix;
        published.dxy = law.config.dxy_mean * libm::exp(self.dxy);
        published.stress = stress(vix, law.config.vix_mean);
    }
}

impl MacroState {
    /// The values known at reset.
    pub(super) fn first(&mut self, law: &MacroLaw, series: Option<&MacroSeries>) -> Macro {
        let mut published = Macro::default();
        match self {
            Self::Synthetic(state) => {
                published.rate = law.config.rate_mean + state.rate;
                state.publish(law, &mut published);
            }
            Self::Replayed(cursor) => cursor.advance(series, 0, law.config.vix_mean, &mut published),
        }
        published
    }

    /// Advances one tick and returns the equity index's standard normal if the price loads on it, or zero.
    #[inline]
    pub(super) fn advance(&mut self, laws: MacroLaws<'_>, tick: u64, loads: bool, published: &mut Macro) -> f64 {
        let MacroLaws { law, regimes, series } = laws;
        match self {
            Self::Synthetic(state) => state.advance(law, regimes, tick, loads, published),
            Self::Replayed(cursor) => {
                cursor.advance(series, tick, law.config.vix_mean, published);
                0.0
            }
        }
    }
}
