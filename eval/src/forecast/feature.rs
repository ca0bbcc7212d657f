//! What the bars up to a moment say of the next hours.

use core::f64::consts::PI;

use seawall_runtime::bars::{INPUTS, SPANS, WINDOW_FEATURES, Window};

use super::history::History;

/// Bars of a day, which every moment has behind it where moments are those of days.
pub const LOOKBACK: usize = seawall_runtime::bars::LOOKBACK;

/// What a row of a day's features holds, in order: those of the runtime's window, under their names at bars of five minutes, and
/// clock and calendar. The first four are what a HAR regression reads.
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

/// Features at the close of bar `at`, in the order of [`FEATURES`]: those of [`Window::features`], then clock and calendar.
///
/// # Panics
/// If fewer than [`LOOKBACK`] bars end at `at`.
#[must_use]
pub fn features(history: &History, at: usize) -> [f64; FEATURES.len()] {
    assert!(at + 1 >= LOOKBACK, "a day of bars before the moment");
    let [of_day, of_week] = [86_400_000, 7 * 86_400_000].map(|period| phase(history.closes_ms(at), period));
    let mut row = [0.0; FEATURES.len()];
    row[..WINDOW_FEATURES].copy_from_slice(&window(history, at).features());
    let calendar = [libm::sin(of_day), libm::cos(of_day), libm::sin(of_week), libm::cos(of_week)];
    row[WINDOW_FEATURES..].copy_from_slice(&calendar);
    row
}

/// What an engine's predictor reads at the close of bar `at`, however short the history is, in the order of [`INPUTS`].
#[must_use]
pub fn inputs(history: &History, at: usize) -> [f64; INPUTS.len()] {
    window(history, at).inputs()
}

/// The last [`LOOKBACK`] bars up to `at`, or as many as there are.
fn window(history: &History, at: usize) -> Window<'_> {
    let span = (at + 1).saturating_sub(LOOKBACK)..at + 1;
    Window {
        returns: &history.returns[span.clone()],
        high: &history.high[span.clone()],
        low: &history.low[span.clone()],
        volume: &history.volume[span],
    }
}

/// Angle of a moment within a period, in radians.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a week")]
fn phase(ms: i64, period_ms: i64) -> f64 {
    2.0 * PI * ms.rem_euclid(period_ms) as f64 / period_ms as f64
}

#[cfg(test)]
mod tests {
    use core::f64::consts::LN_2;

    use super::super::target::tests::bars;
    use super::*;

    /// Variance of a bar that stands still: a tenth of a basis point, squared.
    const STILL: f64 = 1e-10;

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
