//! Prices inside a bar: a random path that honours open, high, low and close exactly.

use super::replay::Bar;
use crate::rng::{Counter, normal_quantile};
use crate::units::Price;

/// Fills `path` with the `ticks` prices of a bar, in raw units.
///
/// The path runs from open through one extreme and the other to close: which comes first and when is drawn as Brownian
/// motion would choose, and a Brownian bridge of the bar's own volatility, folded back at high and low, joins them. The
/// first price is the open, the last the close, the highest the high and the lowest the low, to the last digit.
///
/// # Panics
/// If `ticks` is below four or the bar is impossible.
///
/// # Reference
/// Volatility from the range: Parkinson 1980. Passing a sequence of levels takes Brownian motion the first-passage time
/// of the summed distance `D`, whose density at `T` is proportional to `D exp(−D² / 2σ²T)`: the odds of the two orders.
pub(super) fn fill(path: &mut Vec<i64>, bar: &Bar, ticks: usize, counter: Counter) {
    let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(Price::raw);
    assert!(ticks >= 4, "a bar needs four ticks");
    assert!(low <= open.min(close) && high >= open.max(close), "impossible bar");
    path.clear();
    path.resize(ticks, open);
    if high == low {
        return;
    }
    // The moment names the bar: another episode that meets it under the same seed meets the same path.
    let moment = bar.open_time_ms.cast_unsigned();
    let range = difference(high, low);
    // Parkinson's estimate of the variance of the whole bar.
    let variance = range * range / (4.0 * std::f64::consts::LN_2);
    let [order, first_passage, second_passage, third_passage] = counter.uniform4(moment, 0);
    let high_first = odds(difference(high, open) + range + difference(close, low), variance);
    let low_first = odds(difference(open, low) + range + difference(high, close), variance);
    let (first, second) = if order * (high_first + low_first) < high_first { (high, low) } else { (low, high) };
    let passages = [
        passage(difference(first, open).abs(), first_passage),
        passage(range, second_passage),
        passage(difference(close, second).abs(), third_passage),
    ];
    let [at_first, at_second] = place(passages, ticks, first == open, second == close);
    let step = (variance / count(ticks)).sqrt();
    path[at_first] = first;
    path[at_second] = second;
    path[ticks - 1] = close;
    let fold = Fold { low, high };
    for (from, to) in [(0, at_first), (at_first, at_second), (at_second, ticks - 1)] {
        fold.bridge(path, from, to, step, counter, moment);
    }
}

/// Likelihood of travelling a distance in the time of the bar, up to a factor.
fn odds(distance: f64, variance: f64) -> f64 {
    distance * libm::exp(-distance * distance / (2.0 * variance))
}

/// A first-passage time over a distance, in arbitrary units.
fn passage(distance: f64, u: f64) -> f64 {
    // A half normal: the passage time of Brownian motion is (distance / |Z|)².
    let ratio = distance / normal_quantile(f64::midpoint(1.0, u));
    ratio * ratio
}

/// Ticks of the two extremes: the passage times scaled to the bar, with room for what must lie before and behind.
fn place([a, b, c]: [f64; 3], ticks: usize, first_is_open: bool, second_is_close: bool) -> [usize; 2] {
    let last = ticks - 1;
    let total = a + b + c;
    let latest_second = last - usize::from(!second_is_close);
    let earliest_first = usize::from(!first_is_open);
    let first = nearest(a / total * count(last)).clamp(earliest_first, latest_second - 1);
    let second = nearest((a + b) / total * count(last)).clamp(first + 1, latest_second);
    [first, second]
}

struct Fold {
    low: i64,
    high: i64,
}

impl Fold {
    /// Joins two prices that are set, by a Brownian bridge reflected at both extremes.
    fn bridge(&self, path: &mut [i64], from: usize, to: usize, step: f64, counter: Counter, moment: u64) {
        let end = difference(path[to], self.low);
        let mut height = difference(path[from], self.low);
        let mut uniforms = [0.0; 4];
        for (tick, price) in path.iter_mut().enumerate().take(to).skip(from + 1) {
            let lane = tick % 4;
            if lane == 0 || tick == from + 1 {
                uniforms = counter.uniform4(moment, (tick / 4 + 1) as u64);
            }
            // Steps left from the price before this one.
            let left = count(to - tick + 1);
            height += (end - height) / left + step * ((left - 1.0) / left).sqrt() * normal_quantile(uniforms[lane]);
            *price = self.reflect(height);
        }
    }

    /// The price at a height above the low, folded into the bar.
    #[expect(clippy::cast_possible_truncation, reason = "folded into the bar, whose range is an i64")]
    fn reflect(&self, height: f64) -> i64 {
        let range = difference(self.high, self.low);
        let period = 2.0 * range;
        let within = height - period * libm::floor(height / period);
        self.low + libm::round(within.min(period - within)) as i64
    }
}

#[expect(clippy::cast_precision_loss, reason = "prices stay far below 2^53 raw units")]
fn difference(a: i64, b: i64) -> f64 {
    (a - b) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a bar has few ticks")]
fn count(ticks: usize) -> f64 {
    ticks as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a bar's ticks")]
fn nearest(x: f64) -> usize {
    libm::round(x) as usize
}
