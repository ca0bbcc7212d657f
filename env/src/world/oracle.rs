//! The oracle: what the venue is told about the outside price, how late, and when not at all.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_DAY};
use super::draw::exponential;
use super::window::WindowConfig;
use crate::error::Problems;
use crate::rng::{Counter, Purpose, SeedTree, normal_quantile};
use crate::units::Price;

/// A window in which the oracle publishes, but seldom: a congested chain, or feeds that have dropped out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowdownConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Length in seconds; ≥ 0.
    pub seconds: [f64; 2],
    /// Shortest time between two publications, whatever the price does, in seconds, in [0, 86400].
    pub interval_seconds: f64,
}

impl SlowdownConfig {
    /// When it is.
    #[must_use]
    pub const fn window(&self) -> WindowConfig {
        WindowConfig { start_fraction: self.start_fraction, seconds: self.seconds }
    }
}

/// How the oracle publishes.
///
/// # Reference
/// Thresholds of 0.1–0.5 % and heartbeats of 1–60 s are usual. Noise: venues differ by 1–2 basis points in calm (standard
/// deviation of 5-minute cross-venue bases); a median over several differs by less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OracleConfig {
    /// Time from an outside price to its earliest publication, in seconds, in [0, 600].
    pub latency_seconds: f64,
    /// Longest time without a publication, in seconds, in (0, 86400].
    pub heartbeat_seconds: f64,
    /// Move that is published at once, in basis points, in [0, 10000].
    pub deviation_bp: f64,
    /// Standard deviation of a publication's error, in basis points, in [0, 1000].
    pub noise_bp: f64,
    /// Random outages per day; ≥ 0.
    pub outages_per_day: f64,
    /// Mean length of a random outage, in seconds; > 0.
    pub outage_mean_seconds: f64,
    /// Scripted outages: no publication at all.
    pub outages: Vec<WindowConfig>,
    /// Scripted slowdowns.
    pub slowdowns: Vec<SlowdownConfig>,
}

impl Default for OracleConfig {
    fn default() -> Self {
        Self {
            latency_seconds: 1.0,
            heartbeat_seconds: 3.0,
            deviation_bp: 10.0,
            noise_bp: 0.5,
            outages_per_day: 0.0,
            outage_mean_seconds: 600.0,
            outages: Vec::new(),
            slowdowns: Vec::new(),
        }
    }
}

impl OracleConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.latency_seconds"), self.latency_seconds, 0.0, 600.0);
        problems.range(format!("{path}.heartbeat_seconds"), self.heartbeat_seconds, 1e-3, SECONDS_PER_DAY);
        problems.range(format!("{path}.deviation_bp"), self.deviation_bp, 0.0, 10_000.0);
        problems.range(format!("{path}.noise_bp"), self.noise_bp, 0.0, 1_000.0);
        problems.range(format!("{path}.outages_per_day"), self.outages_per_day, 0.0, 1e4);
        problems.range(format!("{path}.outage_mean_seconds"), self.outage_mean_seconds, 1e-3, 1e9);
        for (i, outage) in self.outages.iter().enumerate() {
            outage.validate(&format!("{path}.outages[{i}]"), problems);
        }
        for (i, slowdown) in self.slowdowns.iter().enumerate() {
            let path = format!("{path}.slowdowns[{i}]");
            slowdown.window().validate(&path, problems);
            problems.range(format!("{path}.interval_seconds"), slowdown.interval_seconds, 0.0, SECONDS_PER_DAY);
        }
    }
}

/// The oracle, ready to run.
#[derive(Clone, Debug)]
pub struct OracleModel {
    clock: Clock,
    latency: usize,
    heartbeat: u64,
    deviation: f64,
    noise: f64,
    gap_ticks: f64,
    outage_ticks: f64,
    outages: Vec<WindowConfig>,
    slowdowns: Vec<SlowdownConfig>,
}

impl OracleModel {
    /// Prepares a validated configuration.
    ///
    /// # Panics
    /// If the configuration does not pass [`OracleConfig::validate`].
    #[must_use]
    pub fn new(config: &OracleConfig, clock: Clock) -> Self {
        Self {
            clock,
            latency: usize::try_from(clock.ticks_in(config.latency_seconds)).expect("validated: a short latency"),
            heartbeat: clock.ticks_in(config.heartbeat_seconds).max(1),
            deviation: config.deviation_bp * 1e-4,
            noise: config.noise_bp * 1e-4,
            gap_ticks: SECONDS_PER_DAY / config.outages_per_day / clock.tick_seconds,
            outage_ticks: config.outage_mean_seconds / clock.tick_seconds,
            outages: config.outages.clone(),
            slowdowns: config.slowdowns.clone(),
        }
    }
}

/// What the venue knows of the outside price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Last published price.
    pub price: Price,
    /// Tick at which that price was seen outside.
    pub seen_at: u64,
    /// Age of that price, in seconds: latency, and what has passed since.
    pub age_seconds: f64,
    /// Whether it was published in this tick.
    pub is_new: bool,
}

const SLOT_NOISE: u64 = 0;
const STREAM_OUTAGES: u64 = 1;
/// Slots in the stream of outages; random ones have slot 0.
const SLOT_SCRIPTED: u64 = 1;
const SLOT_SLOWDOWN: u64 = 2;

/// State of the oracle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Oracle {
    counter: Counter,
    outage_counter: Counter,
    tick: u64,
    /// Prices on their way; the next one replaces the oldest, at `slot`.
    queue: Vec<Price>,
    slot: usize,
    published_at: u64,
    reading: Reading,
    /// Random outage that is next or now.
    outage: u64,
    dark: [u64; 2],
    scripted: Vec<[u64; 2]>,
    /// Slowdowns, and the fewest ticks between two publications in each.
    slow: Vec<([u64; 2], u64)>,
}

impl Oracle {
    /// An oracle that has published `price` at tick 0.
    #[must_use]
    pub fn new(model: &OracleModel, seeds: SeedTree, price: Price) -> Self {
        let outage_counter = seeds.counter(Purpose::Oracle, STREAM_OUTAGES);
        let scripted = (0_u64..)
            .zip(&model.outages)
            .map(|(i, outage)| outage.draw(model.clock, outage_counter.uniform2(i, SLOT_SCRIPTED)));
        let slow = (0_u64..).zip(&model.slowdowns).map(|(i, slowdown)| {
            let window = slowdown.window().draw(model.clock, outage_counter.uniform2(i, SLOT_SLOWDOWN));
            (window, model.clock.ticks_in(slowdown.interval_seconds))
        });
        let mut oracle = Self {
            counter: seeds.counter(Purpose::Oracle, 0),
            outage_counter,
            tick: 0,
            queue: vec![price; model.latency + 1],
            slot: 0,
            published_at: 0,
            reading: Reading { price, seen_at: 0, age_seconds: 0.0, is_new: true },
            outage: 0,
            dark: [0, 0],
            scripted: scripted.collect(),
            slow: slow.collect(),
        };
        oracle.draw_outage(model, 0);
        oracle
    }

    /// Draws its errors and what is left of its outages anew.
    pub(crate) fn redraw(&mut self, model: &OracleModel, seeds: SeedTree) {
        let draws = seeds.counter(Purpose::Oracle, STREAM_OUTAGES);
        (self.counter, self.outage_counter) = (seeds.counter(Purpose::Oracle, 0), draws);
        let [gap, length] = draws.uniform2(self.outage - 1, 0);
        if self.dark[0] > self.tick {
            self.dark[0] = self.tick.saturating_add(whole(exponential(gap, model.gap_ticks)));
            self.dark[1] = self.dark[0];
        } else {
            self.dark[1] = self.tick;
        }
        self.dark[1] = self.dark[1].saturating_add(whole(exponential(length, model.outage_ticks)));
        let now = self.tick + 1;
        for ((i, outage), window) in (0_u64..).zip(&model.outages).zip(&mut self.scripted) {
            *window = outage.redraw(model.clock, *window, now, draws.uniform2(i, SLOT_SCRIPTED));
        }
        for ((i, slowdown), (window, _)) in (0_u64..).zip(&model.slowdowns).zip(&mut self.slow) {
            *window = slowdown.window().redraw(model.clock, *window, now, draws.uniform2(i, SLOT_SLOWDOWN));
        }
    }

    /// The last reading.
    #[must_use]
    pub const fn reading(&self) -> Reading {
        self.reading
    }

    /// Whether the oracle is silent at the current tick.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.is_within(self.dark) || self.scripted.iter().any(|&window| self.is_within(window))
    }

    fn is_within(&self, [start, end]: [u64; 2]) -> bool {
        (start..end).contains(&self.tick)
    }

    /// Fewest ticks between two publications now.
    fn interval(&self) -> u64 {
        let now = self.slow.iter().filter(|(window, _)| self.is_within(*window));
        now.map(|&(_, ticks)| ticks).max().unwrap_or(0)
    }

    /// Takes the outside price of `tick` and returns what the venue now knows.
    ///
    /// # Panics
    /// If `tick` does not follow the last one.
    #[expect(clippy::cast_precision_loss, reason = "ages are far below 2^52 ticks")]
    pub fn tick(&mut self, model: &OracleModel, tick: u64, outside: Price) -> Reading {
        assert_eq!(tick, self.tick + 1, "ticks of an oracle are consecutive");
        self.tick = tick;
        self.queue[self.slot] = outside;
        self.slot += 1;
        if self.slot == self.queue.len() {
            self.slot = 0;
        }
        // The oldest entry is the price seen `latency` ticks ago, or at reset.
        let seen = self.queue[self.slot];
        if tick >= self.dark[1] {
            self.draw_outage(model, tick);
        }
        let last = self.reading.price.as_f64();
        let moved = (seen.as_f64() - last).abs() >= model.deviation * last;
        let waited = tick - self.published_at;
        self.reading.is_new = (moved || waited >= model.heartbeat) && waited >= self.interval() && !self.is_dark();
        if self.reading.is_new {
            let error = model.noise * normal_quantile(self.counter.uniform2(tick, SLOT_NOISE)[0]);
            self.reading.price = Price::from_f64(seen.as_f64() * (1.0 + error));
            self.reading.seen_at = tick.saturating_sub(model.latency as u64);
            self.published_at = tick;
        }
        self.reading.age_seconds = (tick - self.reading.seen_at) as f64 * model.clock.tick_seconds;
        self.reading
    }

    fn draw_outage(&mut self, model: &OracleModel, after: u64) {
        let [gap, length] = self.outage_counter.uniform2(self.outage, 0);
        let start = after.saturating_add(whole(exponential(gap, model.gap_ticks)));
        self.dark = [start, start.saturating_add(whole(exponential(length, model.outage_ticks)))];
        self.outage += 1;
    }
}

/// Whole ticks of a waiting time, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at an outage that never comes")]
fn whole(ticks: f64) -> u64 {
    (ticks as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_seconds: 0.5, ticks: 100_000 };

    fn ramp(tick: u64) -> Price {
        Price::from_raw(60_000_000_000 + i64::try_from(tick).unwrap() * 1_000_000)
    }

    #[test]
    fn a_publication_is_as_late_as_the_latency_and_never_ahead() {
        let config = OracleConfig {
            latency_seconds: 2.0,
            heartbeat_seconds: 5.0,
            deviation_bp: 1e4,
            noise_bp: 0.0,
            ..OracleConfig::default()
        };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(1), ramp(0));
        let mut published = Vec::new();
        for tick in 1..100 {
            let reading = oracle.tick(&model, tick, ramp(tick));
            if reading.is_new {
                published.push(tick);
                assert_eq!(reading.price, ramp(tick.saturating_sub(4)));
                assert!((reading.age_seconds - 2.0).abs() < 1e-12);
            }
        }
        assert_eq!(published, (1..10).map(|k| 10 * k).collect::<Vec<u64>>());
    }

    #[test]
    fn a_move_beyond_the_threshold_is_published_before_the_heartbeat() {
        let config = OracleConfig {
            latency_seconds: 0.0,
            heartbeat_seconds: 1_000.0,
            deviation_bp: 10.0,
            noise_bp: 0.0,
            ..OracleConfig::default()
        };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(1), ramp(0));
        // 10 bp of 60,000 are 60 dollars, one dollar a tick.
        let first = (1..100).find(|&tick| oracle.tick(&model, tick, ramp(tick)).is_new);
        assert_eq!(first, Some(60));
    }

    #[test]
    fn an_outage_freezes_the_price_and_ages_it() {
        let outages = vec![WindowConfig { start_fraction: [0.001, 0.001], seconds: [50.0, 50.0] }];
        let config = OracleConfig {
            latency_seconds: 0.0,
            heartbeat_seconds: 0.5,
            noise_bp: 0.0,
            outages,
            ..OracleConfig::default()
        };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(1), ramp(0));
        for tick in 1..=300 {
            let reading = oracle.tick(&model, tick, ramp(tick));
            let dark = (100..200).contains(&tick);
            assert_eq!(oracle.is_dark(), dark);
            assert_eq!(reading.price, if dark { ramp(99) } else { ramp(tick) }, "tick {tick}");
            if tick == 199 {
                assert!((reading.age_seconds - 50.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_slowdown_publishes_at_its_interval_however_far_the_price_moves() {
        let slowdowns =
            vec![SlowdownConfig { start_fraction: [0.001, 0.001], seconds: [50.0, 50.0], interval_seconds: 20.0 }];
        let config = OracleConfig {
            latency_seconds: 0.0,
            heartbeat_seconds: 0.5,
            deviation_bp: 0.0,
            slowdowns,
            ..OracleConfig::default()
        };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(1), ramp(0));
        let silent: Vec<u64> = (1..=300).filter(|&tick| !oracle.tick(&model, tick, ramp(tick)).is_new).collect();
        // Ticks 100 to 199 are slow; 40 ticks after 99, 139 and 179 come 139 and 179, and at 200 it is over.
        let expected: Vec<u64> = (100..200).filter(|tick| ![139, 179].contains(tick)).collect();
        assert_eq!(silent, expected);
    }

    #[test]
    fn random_outages_take_the_share_of_time_that_the_config_says() {
        let config = OracleConfig { outages_per_day: 40.0, outage_mean_seconds: 216.0, ..OracleConfig::default() };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(6), ramp(0));
        let mut dark = 0_u32;
        for tick in 1..=4_000_000 {
            let _ = oracle.tick(&model, tick, ramp(0));
            dark += u32::from(oracle.is_dark());
        }
        // A cycle lasts 2,160 s of light and 216 s of darkness: one eleventh is dark, over about 840 cycles.
        assert!((f64::from(dark) / 4e6 - 1.0 / 11.0).abs() < 0.015, "{dark}");
    }

    #[test]
    fn a_saved_oracle_continues_bit_for_bit() {
        let config = OracleConfig { outages_per_day: 400.0, ..OracleConfig::default() };
        let model = OracleModel::new(&config, CLOCK);
        let mut oracle = Oracle::new(&model, SeedTree::new(2), ramp(0));
        for tick in 1..500 {
            let _ = oracle.tick(&model, tick, ramp(tick));
        }
        let mut copy: Oracle = postcard::from_bytes(&postcard::to_stdvec(&oracle).unwrap()).unwrap();
        for tick in 500..5_000 {
            assert_eq!(oracle.tick(&model, tick, ramp(tick)), copy.tick(&model, tick, ramp(tick)));
        }
    }
}
