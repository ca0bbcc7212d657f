//! What the bars up to a moment say of the next ones: the inputs of a [`crate::Predictor`].
//!
//! A [`Tape`] holds the last [`LOOKBACK`] bars of an engine as logarithms, in numbers that the engine keeps; [`Window`] is the
//! view that features are computed from, in training as in engines. Spans are in bars, so that a feature means the same at
//! any length of bar. Near the beginning of a tape spans are as long as what there is. Calendars are deliberately not here:
//! an engine's clock may be anything.

use core::f64::consts::LN_2;

use crate::error::ActError;

/// Bars that features look back on at most.
pub const LOOKBACK: usize = 288;
/// Bars of the spans that features are computed over.
pub const SPANS: [usize; 4] = [3, 12, 48, LOOKBACK];
/// Variance of a bar that stands still, so that it has a logarithm: a tenth of a basis point, squared.
const STILL: f64 = 1e-10;

/// Number of features of a [`Window`].
pub const WINDOW_FEATURES: usize = 15;
/// What a row of inputs holds, in order: features of a window, and how much of the longest span there is, as a logarithm.
pub const INPUTS: [&str; WINDOW_FEATURES + 1] = [
    "log_rv_3",
    "log_rv_12",
    "log_rv_48",
    "log_rv_288",
    "log_range_3",
    "log_range_12",
    "log_range_48",
    "log_jump_48",
    "log_jump_288",
    "down_share_12",
    "down_share_288",
    "trend_12",
    "trend_48",
    "trend_288",
    "log_volume_12_over_288",
    "log_history",
];

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Volume, in any unit that stays the same.
    pub volume: f64,
}

/// Bars up to a moment, the latest last; slices of one length.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Log returns from close to close.
    pub returns: &'a [f64],
    /// Logarithms of highs.
    pub high: &'a [f64],
    /// Logarithms of lows.
    pub low: &'a [f64],
    /// Volume.
    pub volume: &'a [f64],
}

impl Window<'_> {
    /// Features of the moment, in the order of [`INPUTS`].
    ///
    /// Logarithms of mean squared returns of a bar, of mean squared ranges (Parkinson 1980), and of realised variance over its
    /// jump-free part (Barndorff-Nielsen & Shephard 2004); the share of falls in realised variance (Barndorff-Nielsen, Kinnebrock
    /// & Shephard 2010), less a half; returns over their own realised deviation; volume of the last span against the longest.
    ///
    /// # Panics
    /// If there is no bar, or the slices differ in length.
    #[must_use]
    pub fn features(&self) -> [f64; WINDOW_FEATURES] {
        let bars = self.returns.len();
        assert!(bars > 0, "a window has a bar");
        let [quarter, hour, half_watch, day] = SPANS.map(|span| if span < bars { span } else { bars });
        let recent = |span: usize| &self.returns[bars - span..];
        let log_mean = |sum: f64, span: usize| libm::log(sum / real(span) + STILL);
        let rv = [quarter, hour, half_watch, day].map(|span| log_mean(realised(recent(span)), span));
        let range = [quarter, hour, half_watch].map(|span| {
            let pairs = self.high[bars - span..].iter().zip(&self.low[bars - span..]);
            let squares = pairs.map(|(high, low)| (high - low) * (high - low)).sum::<f64>();
            log_mean(squares / (4.0 * LN_2), span)
        });
        let jump = [(half_watch, rv[2]), (day, rv[3])].map(|(span, rv)| rv - log_mean(bipower(recent(span)), span));
        let down = [hour, day].map(|span| {
            let falls: f64 = recent(span).iter().filter(|r| **r < 0.0).map(|r| r * r).sum();
            let all = realised(recent(span));
            if all > 0.0 { falls / all - 0.5 } else { 0.0 }
        });
        let trend = [hour, half_watch, day].map(|span| {
            let variance = realised(recent(span)) + STILL * real(span);
            recent(span).iter().sum::<f64>() / libm::sqrt(variance)
        });
        let volume = |span: usize| self.volume[bars - span..].iter().sum::<f64>() / real(span);
        // A span without any volume says nothing of its last part.
        let turnover = if volume(day) > 0.0 { libm::log((volume(hour) / volume(day)).max(1e-3)) } else { 0.0 };
        let mut row = [0.0; WINDOW_FEATURES];
        let groups: [&[f64]; 6] = [&rv, &range, &jump, &down, &trend, &[turnover]];
        for (entry, value) in row.iter_mut().zip(groups.into_iter().flatten()) {
            *entry = *value;
        }
        row
    }

    /// Inputs of the moment, in the order of [`INPUTS`].
    ///
    /// # Panics
    /// As [`Window::features`].
    #[must_use]
    pub fn inputs(&self) -> [f64; INPUTS.len()] {
        let mut row = [0.0; INPUTS.len()];
        row[..WINDOW_FEATURES].copy_from_slice(&self.features());
        let bars = if self.returns.len() < LOOKBACK { self.returns.len() } else { LOOKBACK };
        row[WINDOW_FEATURES] = libm::log(real(bars) / real(LOOKBACK));
        row
    }
}

/// Square root of `2/π`: the mean of an absolute standard normal.
const ABSOLUTE_MEAN: f64 = 0.797_884_560_802_865_4;

/// Sum of squared returns: variance with jumps.
#[must_use]
pub fn realised(returns: &[f64]) -> f64 {
    returns.iter().map(|r| r * r).sum()
}

/// Sum of products of neighbouring absolute returns, scaled: variance without jumps, for a jump has no neighbour of its
/// size. Zero below two returns.
///
/// # Reference
/// Barndorff-Nielsen & Shephard 2004, "Power and bipower variation", equation 5, with the finite-sample factor
/// `n / (n - 1)`.
#[must_use]
pub fn bipower(returns: &[f64]) -> f64 {
    if returns.len() < 2 {
        return 0.0;
    }
    let products: f64 = returns.windows(2).map(|pair| (pair[0] * pair[1]).abs()).sum();
    products / (ABSOLUTE_MEAN * ABSOLUTE_MEAN) * real(returns.len()) / real(returns.len() - 1)
}

#[expect(clippy::cast_precision_loss, reason = "counts of bars")]
const fn real(count: usize) -> f64 {
    count as f64
}

/// The last bars of an engine, in numbers that it keeps.
///
/// # Shapes
/// `[TAPE]`: how many bars there are, the logarithm of the last close, and the last [`LOOKBACK`] returns, highs, lows and
/// volumes, each list from its beginning on, the latest last.
#[derive(Clone, Copy, Debug)]
pub struct Tape;

/// Numbers of a [`Tape`].
pub const TAPE: usize = 2 + 4 * LOOKBACK;

impl Tape {
    /// Forgets everything; the first bar opens at `price`.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Bar`] of the close if the price is not positive and finite.
    pub fn open(tape: &mut [f64], price: f64) -> Result<(), ActError> {
        check(tape)?;
        if !is_price(price) {
            return Err(ActError::Bar { field: "close" });
        }
        tape.fill(0.0);
        tape[1] = libm::log(price);
        Ok(())
    }

    /// Takes in the bar that has closed; on an error the tape is as it was.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Bar`] with the first of high, low, close and volume that is not finite, not positive
    /// (the volume may be zero), or contradicts those before it.
    pub fn push(tape: &mut [f64], bar: &Bar) -> Result<(), ActError> {
        check(tape)?;
        let Bar { high, low, close, volume } = *bar;
        let is_sound = [
            ("high", is_price(high)),
            ("low", is_price(low) && low <= high),
            ("close", is_price(close) && (low..=high).contains(&close)),
            ("volume", volume.is_finite() && volume >= 0.0),
        ];
        if let Some((field, _)) = is_sound.into_iter().find(|(_, is_sound)| !is_sound) {
            return Err(ActError::Bar { field });
        }
        let (count, close) = (bars(tape), libm::log(close));
        let latest = [close - tape[1], libm::log(high), libm::log(low), volume];
        for (list, value) in tape[2..].chunks_exact_mut(LOOKBACK).zip(latest) {
            if count == LOOKBACK {
                list.copy_within(1.., 0);
            }
            list[if count == LOOKBACK { LOOKBACK - 1 } else { count }] = value;
        }
        tape[1] = close;
        tape[0] = real(if count == LOOKBACK { LOOKBACK } else { count + 1 });
        Ok(())
    }

    /// The bars that there are; nothing before the first has closed.
    ///
    /// # Errors
    /// [`ActError::Length`].
    pub fn window(tape: &[f64]) -> Result<Option<Window<'_>>, ActError> {
        check(tape)?;
        let count = bars(tape);
        let list = |k: usize| &tape[2 + k * LOOKBACK..][..count];
        Ok((count > 0).then(|| Window { returns: list(0), high: list(1), low: list(2), volume: list(3) }))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of bars")]
fn bars(tape: &[f64]) -> usize {
    let count = tape[0] as usize;
    if count < LOOKBACK { count } else { LOOKBACK }
}

fn is_price(x: f64) -> bool {
    x.is_finite() && x > 0.0
}

const fn check(tape: &[f64]) -> Result<(), ActError> {
    if tape.len() == TAPE {
        Ok(())
    } else {
        Err(ActError::Length { buffer: "tape", expected: TAPE, found: tape.len() })
    }
}
