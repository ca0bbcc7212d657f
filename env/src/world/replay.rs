//! Historical bars as a source of the reference price.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bridge;
use super::clock::Clock;
use crate::error::{Error, Problems};
use crate::rng::Counter;
use crate::units::Price;

/// One candle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Its start, in milliseconds since 1970 UTC.
    pub open_time_ms: i64,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Coins traded.
    pub volume: f64,
}

/// Bars without a gap between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// The bars, in order of time.
    pub bars: Vec<Bar>,
}

/// A checked history: what its caller made of gaps stands in the segments.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplaySeries {
    segments: Vec<Segment>,
    bar_ms: i64,
}

impl ReplaySeries {
    /// Checks and takes the segments, of bars that last `bar_ms` milliseconds.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every bar whose prices are impossible, or that does not follow its predecessor.
    pub fn new(segments: Vec<Segment>, bar_ms: i64) -> Result<Self, Error> {
        let mut problems = Problems::default();
        problems.require(bar_ms > 0, "replay.bar_ms", bar_ms, "positive");
        problems.require(segments.iter().any(|s| !s.bars.is_empty()), "replay.segments", 0, "at least one bar");
        for (s, segment) in segments.iter().enumerate() {
            for (b, bar) in segment.bars.iter().enumerate() {
                let field = |field: &str| format!("replay.segments[{s}].bars[{b}].{field}");
                problems.require(bar.low > Price::ZERO, field("low"), bar.low, "positive");
                problems.require(
                    bar.low <= bar.open && bar.open <= bar.high,
                    field("open"),
                    bar.open,
                    "between low and high",
                );
                problems.require(
                    bar.low <= bar.close && bar.close <= bar.high,
                    field("close"),
                    bar.close,
                    "between low and high",
                );
                problems.range(field("volume"), bar.volume, 0.0, f64::MAX);
                let follows = b == 0 || segment.bars[b - 1].open_time_ms + bar_ms == bar.open_time_ms;
                problems.require(follows, field("open_time_ms"), bar.open_time_ms, "one bar after its predecessor");
            }
        }
        problems.into_result()?;
        Ok(Self { segments, bar_ms })
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Milliseconds in a bar.
    #[must_use]
    pub const fn bar_ms(&self) -> i64 {
        self.bar_ms
    }
}

/// Where in the history an episode starts; always at the start of a bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayStart {
    /// Drawn at reset: every bar with a whole episode behind it in its segment is equally likely.
    #[default]
    Random,
    /// The bar that opens at this moment, in milliseconds since 1970 UTC.
    At(i64),
}

/// A history with a clock: ticks of bars, and where an episode may start.
#[derive(Clone, Debug)]
pub(super) struct ReplayLaw {
    series: Arc<ReplaySeries>,
    pub(super) tick_ms: i64,
    ticks_per_bar: u64,
    /// Possible starts, as (segment, first bar, number of bars).
    starts: Vec<(usize, usize, usize)>,
}

/// Fewest ticks in a bar: open, both extremes and close need one each.
const TICKS_PER_BAR_MIN: u64 = 4;

impl ReplayLaw {
    /// `known_from_ms` is the first moment of which macro values are known, if they are replayed too.
    pub(super) fn new(
        series: Arc<ReplaySeries>,
        start: ReplayStart,
        clock: Clock,
        known_from_ms: i64,
    ) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let (tick_ms, ticks_per_bar) = ticks_per_bar(&series, clock, &mut problems);
        problems.into_result()?;
        let needed = usize::try_from(clock.ticks / ticks_per_bar + 1).expect("an episode fits in memory");
        let mut starts = Vec::new();
        for (index, segment) in series.segments.iter().enumerate() {
            let fits = segment.bars.len().saturating_sub(needed - 1);
            let known = segment.bars.partition_point(|bar| bar.open_time_ms < known_from_ms);
            match start {
                ReplayStart::Random if known < fits => starts.push((index, known, fits - known)),
                ReplayStart::Random => {}
                ReplayStart::At(time) => {
                    let found = segment.bars.binary_search_by_key(&time, |bar| bar.open_time_ms);
                    starts.extend(found.ok().filter(|b| (known..fits).contains(b)).map(|b| (index, b, 1)));
                }
            }
        }
        let mut problems = Problems::default();
        let bound = format!("a bar with {needed} bars from it on without a gap, and macro rows known by then");
        problems.require(!starts.is_empty(), "replay.start", format!("{start:?}"), &bound);
        problems.into_result()?;
        Ok(Self { series, tick_ms, ticks_per_bar, starts })
    }

    /// Bars before the start of an episode in its segment, and from it on.
    fn split(&self, cursor: &Replay) -> (&[Bar], &[Bar]) {
        self.series.segments[cursor.segment].bars.split_at(cursor.first)
    }
}

/// Milliseconds in a tick, and ticks in a bar; both positive even when a problem is recorded.
#[expect(clippy::cast_possible_truncation, reason = "saturates, and the result is compared with its origin")]
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a tick are few")]
fn ticks_per_bar(series: &ReplaySeries, clock: Clock, problems: &mut Problems) -> (i64, u64) {
    let exact = clock.tick_seconds * 1_000.0;
    let tick_ms = (libm::round(exact) as i64).max(1);
    let whole = (exact - tick_ms as f64).abs() < 1e-6;
    problems.require(whole, "clock.tick_seconds", clock.tick_seconds, "whole milliseconds when bars are replayed");
    let ticks = u64::try_from(series.bar_ms / tick_ms).unwrap_or(0);
    let divides = series.bar_ms % tick_ms == 0 && ticks >= TICKS_PER_BAR_MIN;
    problems.require(
        divides,
        "clock.tick_seconds",
        clock.tick_seconds,
        &format!("a whole share, at most a quarter, of a bar of {} ms", series.bar_ms),
    );
    (tick_ms, ticks.max(1))
}

/// Position in the history; the prices of the current bar are filled in when it begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replay {
    counter: Counter,
    segment: usize,
    first: usize,
    /// Prices of one bar, and the tick that they begin with.
    #[serde(skip)]
    path: Vec<i64>,
    #[serde(skip)]
    filled_from: u64,
}

/// The path is a pure function of the rest.
impl PartialEq for Replay {
    fn eq(&self, other: &Self) -> bool {
        (self.counter, self.segment, self.first) == (other.counter, other.segment, other.first)
    }
}

impl Replay {
    /// Draws a start with the uniform `u`.
    pub(super) fn new(law: &ReplayLaw, counter: Counter, u: f64) -> Self {
        let total: usize = law.starts.iter().map(|(_, _, count)| count).sum();
        let mut left = nth(u, total);
        let mut chosen = (law.starts[0].0, law.starts[0].1);
        for &(segment, first, count) in &law.starts {
            if left < count {
                chosen = (segment, first + left);
                break;
            }
            left -= count;
        }
        let path = Vec::with_capacity(usize::try_from(law.ticks_per_bar).expect("a bar fits in memory"));
        Self { counter, segment: chosen.0, first: chosen.1, path, filled_from: 0 }
    }

    /// When the episode starts, in milliseconds since 1970 UTC.
    pub(super) fn start_ms(&self, law: &ReplayLaw) -> i64 {
        law.split(self).1[0].open_time_ms
    }

    /// Variance per tick over the day before the start, by its bars' ranges; nothing if the segment starts here.
    ///
    /// # Reference
    /// Parkinson 1980: the squared log range over `4 ln 2`.
    #[expect(clippy::cast_precision_loss, reason = "a day has few bars and a bar few ticks")]
    pub(super) fn variance_before(&self, law: &ReplayLaw) -> Option<f64> {
        let before = law.split(self).0;
        let day = usize::try_from((86_400_000 / law.series.bar_ms).max(1)).expect("a day has few bars");
        let bars = &before[before.len().saturating_sub(day)..];
        let squares = bars.iter().map(|bar| {
            let range = libm::log(bar.high.as_f64() / bar.low.as_f64());
            range * range / (4.0 * std::f64::consts::LN_2)
        });
        let sum: f64 = squares.sum();
        // Bars without any move say nothing about volatility.
        (sum > 0.0).then(|| sum / (bars.len() as f64 * law.ticks_per_bar as f64))
    }

    /// The price at a tick of the episode.
    ///
    /// # Panics
    /// If the history ends before the tick.
    #[inline]
    pub(super) fn price(&mut self, law: &ReplayLaw, tick: u64) -> Price {
        if let Some(price) = self.held(tick) {
            return price;
        }
        self.fill(law, tick);
        self.held(tick).expect("the bar of this tick was just filled")
    }

    fn held(&self, tick: u64) -> Option<Price> {
        let offset = usize::try_from(tick.checked_sub(self.filled_from)?).ok()?;
        self.path.get(offset).map(|&raw| Price::from_raw(raw))
    }

    fn fill(&mut self, law: &ReplayLaw, tick: u64) {
        let bar = tick / law.ticks_per_bar;
        let Some(candle) = usize::try_from(bar).ok().and_then(|index| law.split(self).1.get(index)) else {
            panic!("the history ends before bar {bar} of the episode");
        };
        let ticks = usize::try_from(law.ticks_per_bar).expect("a bar fits in memory");
        bridge::fill(&mut self.path, candle, ticks, self.counter);
        self.filled_from = bar * law.ticks_per_bar;
    }

    /// Whether the position exists in this history.
    pub(super) fn fits(&self, law: &ReplayLaw) -> bool {
        law.series.segments.get(self.segment).is_some_and(|segment| self.first < segment.bars.len())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "0 ≤ u < 1, and a history has fewer than 2^52 bars"
)]
fn nth(u: f64, count: usize) -> usize {
    ((u * count as f64) as usize).min(count - 1)
}
