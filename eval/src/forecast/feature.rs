//! What the bars up to a moment say of the next hours.

use core::f64::consts::{LN_2, PI};

use super::history::History;
use crate::calibration::variance::{bipower, realised};

/// Bars of a day, which every moment has behind it.
pub const LOOKBACK: usize = 288;
/// Bars of a quarter hour, an hour, four hours and a day.
const SPANS: [usize; 4] = [3, 12, 48, LOOKBACK];
/// Variance of a bar that stands still, so that it has a logarithm: a tenth of a basis point, squared.
const STILL: f64 = 1e-10;

/// What a row of features holds, in order. The first four are what a HAR regression reads.
pub const FEATURES: [&str; 19] = [
    "log_rv_15m",
    "log_rv_1h",
    "log_rv_4h",
    "log_rv_1d",
    "log_range_15m",
    "log_range_1h",
    "log_range_4h",
    "log_jump_4h",
    "log_jump_1d",
    "down_share_1h",
    "down_share_1d",
    "trend_1h",
    "trend_4h",
    "trend_1d",
    "log_volume_1h_over_1d",
    "sin_day",
    "cos_day",
    "sin_week",
    "cos_week",
];
/// Features that are logarithms of realised variance, per bar.
pub const REALISED: usize = SPANS.len();

/// Features at the close of bar `at`, in the order of [`FEATURES`].
///
/// Logarithms of mean squared returns of a bar, of mean squared ranges (Parkinson 1980), and of realised variance over its
/// jump-free part (Barndorff-Nielsen & Shephard 2004); the share of falls in realised variance (Barndorff-Nielsen, Kinnebrock
/// & Shephard 2010), less a half; returns over their own realised deviation; volume against its day; clock and calendar.
///
/// # Panics
/// If fewer than [`LOOKBACK`] bars end at `at`.
#[must_use]
pub fn features(history: &History, at: usize) -> [f64; FEATURES.len()] {
    assert!(at + 1 >= LOOKBACK, "a day of bars before the moment");
    let recent = |span: usize| &history.returns[at + 1 - span..=at];
    let log_mean = |sum: f64, span: usize| libm::log(sum / crate::statistics::real(span) + STILL);
    let [quarter, hour, half_watch, day] = SPANS;
    let rv = SPANS.map(|span| log_mean(realised(recent(span)), span));
    let range = [quarter, hour, half_watch].map(|span| {
        let squares = (at + 1 - span..=at).map(|k| (history.high[k] - history.low[k]).powi(2)).sum::<f64>();
        log_mean(squares / (4.0 * LN_2), span)
    });
    let jump = [(half_watch, rv[2]), (day, rv[3])].map(|(span, rv)| rv - log_mean(bipower(recent(span)), span));
    let down = [hour, day].map(|span| {
        let falls: f64 = recent(span).iter().filter(|r| **r < 0.0).map(|r| r * r).sum();
        let all = realised(recent(span));
        if all > 0.0 { falls / all - 0.5 } else { 0.0 }
    });
    let trend = [hour, half_watch, day].map(|span| {
        let variance = realised(recent(span)) + STILL * crate::statistics::real(span);
        recent(span).iter().sum::<f64>() / variance.sqrt()
    });
    let volume = |span: usize| history.volume[at + 1 - span..=at].iter().sum::<f64>() / crate::statistics::real(span);
    // A day without any volume says nothing of its last hour.
    let turnover = if volume(day) > 0.0 { libm::log((volume(hour) / volume(day)).max(1e-3)) } else { 0.0 };
    let [of_day, of_week] = [86_400_000, 7 * 86_400_000].map(|period| phase(history.closes_ms(at), period));
    let mut row = [0.0; FEATURES.len()];
    let groups: [&[f64]; 8] = [
        &rv,
        &range,
        &jump,
        &down,
        &trend,
        &[turnover],
        &[libm::sin(of_day), libm::cos(of_day)],
        &[libm::sin(of_week), libm::cos(of_week)],
    ];
    for (entry, value) in row.iter_mut().zip(groups.into_iter().flatten()) {
        *entry = *value;
    }
    row
}

/// Angle of a moment within a period, in radians.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a week")]
fn phase(ms: i64, period_ms: i64) -> f64 {
    2.0 * PI * ms.rem_euclid(period_ms) as f64 / period_ms as f64
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::bars;
    use super::*;

    /// A day of alternating moves of ten basis points and then an hour of fifty, all of them falls.
    fn history() -> History {
        let mut closes = vec![10_000.0];
        for k in 0..600 {
            let step: f64 = if k >= 575 {
                -5e-3
            } else if k % 2 == 0 {
                1e-3
            } else {
                -1e-3
            };
            closes.push(closes[k] * libm::exp(step));
        }
        History::new("x", &bars(&closes))
    }

    fn value(row: &[f64], name: &str) -> f64 {
        row[FEATURES.iter().position(|feature| *feature == name).unwrap()]
    }

    #[test]
    fn features_are_those_of_a_path_worked_by_hand() {
        // Bar 587 ends twelve falls (bars 576 to 587) after 276 alternating ones.
        let row = features(&history(), 587);
        let close = |name: &str, expected: f64| {
            assert!((value(&row, name) - expected).abs() < 1e-4, "{name}: {} against {expected}", value(&row, name));
        };
        close("log_rv_1h", libm::log(25e-6 + STILL));
        close("log_rv_4h", libm::log((12.0 * 25e-6 + 36.0 * 1e-6) / 48.0 + STILL));
        close("log_rv_1d", libm::log((12.0 * 25e-6 + 276.0 * 1e-6) / 288.0 + STILL));
        // Bars without wicks: the range is the return.
        close("log_range_1h", libm::log(25e-6 / (4.0 * LN_2) + STILL));
        close("down_share_1h", 0.5);
        close("down_share_1d", (300.0 + 138.0) / 576.0 - 0.5);
        close("trend_1h", -12.0_f64.sqrt());
        close("log_volume_1h_over_1d", 0.0);
        // It closes 588 bars of five minutes after midnight: 12 bars into the third day, an hour of 24.
        close("sin_day", libm::sin(2.0 * PI / 24.0));
    }

    #[test]
    fn nothing_after_the_moment_is_seen() {
        let (early, mut late) = (history(), history());
        for k in 401..late.len() {
            (late.returns[k], late.high[k], late.low[k], late.volume[k]) = (9.0, 99.0, -99.0, 1e9);
        }
        assert_eq!(features(&early, 400).map(f64::to_bits), features(&late, 400).map(f64::to_bits));
    }

    #[test]
    fn a_market_that_stands_still_has_finite_features() {
        let history = History::new("x", &bars(&[100.0; 300]));
        assert!(features(&history, 290).iter().all(|x| x.is_finite()));
    }
}
