//! Which real windows are for fitting and which for judging: a list in `configs/windows.toml`, embedded.

use std::fmt::Write as _;

use seawall_env::world::Bar;
use serde::Deserialize;

use crate::candles::parse_end;

/// What a window may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    /// Parameters may be fitted on it.
    Calibration,
    /// It only judges.
    Validation,
}

/// What happened in a window: which scenario stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Nothing.
    Calm,
    /// Volatile weeks.
    Tense,
    /// A crash among them.
    Crash,
}

/// A named window of a real series.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) id: String,
    pub(crate) asset: String,
    pub(crate) kind: Kind,
    #[serde(rename = "use")]
    pub(crate) purpose: Use,
    /// File below the folder of data.
    pub(crate) file: String,
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    window: Vec<Window>,
}

impl Window {
    /// First moment and first moment after, in milliseconds since 1970.
    ///
    /// # Panics
    /// If the embedded list has no dates; a test reads it.
    pub(crate) fn span_ms(&self) -> [i64; 2] {
        [&self.from, &self.to].map(|end| parse_end(end).expect("the embedded list has dates"))
    }
}

/// Every window, in the order of the list.
///
/// # Panics
/// If the embedded list is not one; a test reads it.
pub(crate) fn all() -> Vec<Window> {
    let list: List = toml::from_str(include_str!("../../configs/windows.toml")).expect("the embedded list is valid");
    list.window
}

/// Spans of the windows that must not be fitted on.
pub(crate) fn held_out() -> Vec<[i64; 2]> {
    all().iter().filter(|window| window.purpose == Use::Validation).map(Window::span_ms).collect()
}

/// The list in words, one line for each use.
pub(crate) fn describe() -> String {
    let mut text = String::new();
    for (purpose, name) in [(Use::Calibration, "for calibration"), (Use::Validation, "for validation")] {
        let ids: Vec<String> = all().into_iter().filter(|w| w.purpose == purpose).map(|w| w.id).collect();
        let _ = writeln!(text, "{name}: {}", ids.join(", "));
    }
    text.trim_end().to_owned()
}

/// Runs of bars without those that open in one of the spans, cut there; and how many those were.
pub(crate) fn cut(runs: &[Vec<Bar>], spans: &[[i64; 2]]) -> (Vec<Vec<Bar>>, usize) {
    let is_out = |bar: &Bar| spans.iter().any(|[from, to]| (*from..*to).contains(&bar.open_time_ms));
    let mut kept: Vec<Vec<Bar>> = Vec::new();
    let mut dropped = 0;
    for run in runs {
        for part in run.chunk_by(|a, b| is_out(a) == is_out(b)) {
            if is_out(&part[0]) {
                dropped += part.len();
            } else {
                kept.push(part.to_vec());
            }
        }
    }
    (kept, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_env::units::Price;

    #[test]
    fn the_list_halves_the_windows_and_no_two_of_different_use_overlap() {
        let windows = all();
        let calibration: Vec<[i64; 2]> =
            windows.iter().filter(|w| w.purpose == Use::Calibration).map(Window::span_ms).collect();
        let validation = held_out();
        assert!(calibration.len().abs_diff(validation.len()) <= 1, "half and half");
        for [from, to] in &calibration {
            assert!(from < to && validation.iter().all(|[f, t]| to <= f || t <= from), "{from} to {to}");
        }
        for kind in [Kind::Calm, Kind::Tense, Kind::Crash] {
            for purpose in [Use::Calibration, Use::Validation] {
                assert!(windows.iter().any(|w| w.kind == kind && w.purpose == purpose), "{kind:?} for {purpose:?}");
            }
        }
        assert!(describe().starts_with("for calibration: covid-2020-03, "));
    }

    #[test]
    fn bars_of_a_held_out_span_are_cut_away() {
        let bar = |open_time_ms| {
            let price = Price::from_f64(1.0);
            Bar { open_time_ms, open: price, high: price, low: price, close: price, volume: 1.0 }
        };
        let run: Vec<Bar> = (0..10).map(bar).collect();
        let (kept, dropped) = cut(&[run], &[[3, 5], [9, 20]]);
        let opens: Vec<Vec<i64>> = kept.iter().map(|run| run.iter().map(|b| b.open_time_ms).collect()).collect();
        assert_eq!(opens, vec![vec![0, 1, 2], vec![5, 6, 7, 8]]);
        assert_eq!(dropped, 3);
    }
}
