//! A forecaster of volatility and ruin as an engine runs it: bars in, features of a policy's observation out.
//!
//! # The format
//! Little-endian, no padding, texts and layers as in [`crate::format`].
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | 8 bytes | magic, `SEAWPRE\0` |
//! | 8 | `u16` | version, 1 |
//! | 10 | `u16` | `M`, members of the ensemble |
//! | 12 | `u16` | `L`, layers of a member, besides its straight way |
//! | 14 | `u16` | `D`, inputs: those of [`crate::bars::INPUTS`] |
//! | 16 | `u32` | length of everything in bytes |
//! | 20 | `u32` | length of a bar, in milliseconds, positive |
//! | 24 | 3 × `u16` | horizons in bars: [`HORIZONS`] |
//! | 30 | 4 × `u16` | leverages of the risk buckets: [`LEVERAGES`] |
//! | 38 | `D` × text | names of the inputs |
//! | | 3 × `f64` | reference variance of each horizon, positive |
//! | | `D` × `f32` | mean of each input |
//! | | `D` × `f32` | scale of each input, positive |
//! | | `M` × (`L` + 1) × layer | each member's layers, tangents between them, then the straight way from the inputs to the outputs; `5 × 3` outputs, without activation |
//! | length − 4 | `u32` | CRC-32/ISO-HDLC of everything before it |
//!
//! # What it computes
//! 1. `x = (input − mean) · scale` in `f32`, of the inputs of [`crate::bars::Window::inputs`] rounded to `f32`; zeros before the first
//!    bar has closed, which stand for the average moment.
//! 2. Each member's layers and its straight way as in [`crate::format`], added in `f64`: per horizon the logarithm `f` of the
//!    variance, and for falls and rises the place `m` and the logarithm `r` of the steepness of the law of excursions.
//! 3. Means over the members, in their order: the variance `eᶠ`, and the probability `1 / (1 + exp(-eʳ (m − ln d)))` that the log
//!    price moves by `d` or more, `d = −ln(1 − 1/L)` for longs of leverage `L` and `ln(1 + 1/L)` for shorts.
//! 4. Outputs, rounded to `f32`: `½ log₂(variance / reference)` of each horizon, and of each bucket within the longest horizon
//!    `log₁₀(max(p, 10⁻⁶)) / 3 + 1`, so that 0 is one in a thousand and 1 is certain.

use crate::bars::{INPUTS, Window};
use crate::checksum::Crc32;
use crate::error::{ActError, FormatError};
use crate::format::{Activation, LayerView, TRAILER, frame};
use crate::network::Layer;
use crate::policy::affine;
use crate::reader::Reader;
use crate::write::{short, write_layer, write_numbers, write_text};

/// First bytes of a predictor.
pub const MAGIC: [u8; 8] = *b"SEAWPRE\0";
/// Version that is read and written here.
pub const VERSION: u16 = 1;
/// Horizons of forecasts, in bars.
pub const HORIZONS: [usize; 3] = [3, 12, 48];
/// Leverages of the accounts whose ruin is forecast.
pub const LEVERAGES: [u32; 4] = [10, 20, 50, 100];
/// Longs of each leverage, then shorts.
pub const BUCKETS: usize = 2 * LEVERAGES.len();
/// What a network says of one horizon.
pub const LAW: usize = 5;
/// Outputs of a network.
const LAWS: usize = LAW * HORIZONS.len();
/// Features that a predictor adds to an observation.
pub const OUTPUTS: usize = HORIZONS.len() + BUCKETS;
/// Their names, in order.
pub const OUTPUT_NAMES: [&str; OUTPUTS] = [
    "predicted_volatility_short",
    "predicted_volatility_medium",
    "predicted_volatility_long",
    "ruin_long_10x",
    "ruin_long_20x",
    "ruin_long_50x",
    "ruin_long_100x",
    "ruin_short_10x",
    "ruin_short_20x",
    "ruin_short_50x",
    "ruin_short_100x",
];
/// Least probability that is told apart from none.
const RUIN_MIN: f64 = 1e-6;
const BAR_AT: usize = 20;
const NAMES_AT: usize = 38;

/// Logarithmic distance of the price at which an account of each bucket has no equity left.
///
/// A linear contract opened at `P₀` with margin `P₀ / L` a coin has equity `P₀ / L ± (P - P₀)`: it is gone at
/// `P₀ (1 ∓ 1 / L)`, fees, funding and slippage aside.
#[must_use]
pub fn distances() -> [f64; BUCKETS] {
    core::array::from_fn(|bucket| {
        let share = 1.0 / f64::from(LEVERAGES[bucket % LEVERAGES.len()]);
        if bucket < LEVERAGES.len() { -libm::log1p(-share) } else { libm::log1p(share) }
    })
}

/// Probability that the excursion to one side is at least `exp(log_distance)`, by what a network says of one horizon.
#[must_use]
pub fn beyond(law: &[f64], side: usize, log_distance: f64) -> f64 {
    logistic(libm::exp(law[2 + 2 * side]) * (law[1 + 2 * side] - log_distance))
}

/// `1 / (1 + e⁻ᶻ)`, without overflow.
#[must_use]
pub fn logistic(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + libm::exp(-z))
    } else {
        let e = libm::exp(z);
        e / (1.0 + e)
    }
}

/// The features of forecasts: variances over their references, and probabilities of ruin within the longest horizon.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
pub fn outputs(
    variance: &[f64; HORIZONS.len()],
    reference: &[f64; HORIZONS.len()],
    ruin: &[f64; BUCKETS],
) -> [f32; OUTPUTS] {
    core::array::from_fn(|k| match k.checked_sub(HORIZONS.len()) {
        None => (0.5 * libm::log2(variance[k] / reference[k])) as f32,
        Some(bucket) => (libm::log10(ruin[bucket].max(RUIN_MIN)) / 3.0 + 1.0) as f32,
    })
}

/// A predictor over its bytes: `&'static [u8]` in an engine, anything that owns them elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Predictor<B> {
    bytes: B,
    members: usize,
    layers: usize,
    bar_ms: u32,
    reference: [f64; HORIZONS.len()],
    checksum: u32,
    statistics_at: usize,
    networks_at: usize,
    widest: usize,
}

impl<B: AsRef<[u8]>> Predictor<B> {
    /// Checks `bytes` completely: after this, nothing about them can fail.
    ///
    /// # Errors
    /// [`FormatError`] if the bytes are not a predictor in the format of [`crate::predictor`], or its inputs, horizons or
    /// leverages are none that this build computes.
    pub fn parse(bytes: B) -> Result<Self, FormatError> {
        let (body, checksum, _) = frame(bytes.as_ref(), MAGIC, &[VERSION], 16)?;
        let mut reader = Reader::at(body, 10);
        let [members, layers, inputs] = [reader.u16()?, reader.u16()?, reader.u16()?].map(usize::from);
        for (list, count) in [("members", members), ("layers", layers)] {
            if count == 0 {
                return Err(FormatError::Empty { list });
            }
        }
        let mut reader = Reader::at(body, BAR_AT);
        let bar_ms = reader.u32()?;
        if bar_ms == 0 {
            return Err(FormatError::Number { position: BAR_AT });
        }
        for (index, bars) in HORIZONS.into_iter().enumerate() {
            known("horizons", index, usize::from(reader.u16()?) == bars)?;
        }
        for (index, leverage) in LEVERAGES.into_iter().enumerate() {
            known("leverages", index, u32::from(reader.u16()?) == leverage)?;
        }
        known("inputs", INPUTS.len(), inputs == INPUTS.len())?;
        for (index, name) in INPUTS.into_iter().enumerate() {
            known("inputs", index, reader.text()? == name)?;
        }
        let position = reader.position();
        let reference = [reader.f64()?, reader.f64()?, reader.f64()?];
        if !reference.iter().all(|x| x.is_finite() && *x > 0.0) {
            return Err(FormatError::Number { position });
        }
        let statistics_at = reader.position();
        check_numbers(&mut reader, inputs, |_| true)?;
        check_numbers(&mut reader, inputs, |scale| scale > 0.0)?;
        let networks_at = reader.position();
        let mut widest = 0;
        for _ in 0..members {
            widest = check_member(&mut reader, layers)?.max(widest);
        }
        if reader.position() != body.len() {
            return Err(FormatError::Excess { position: reader.position() });
        }
        Ok(Self { members, layers, bar_ms, reference, checksum, statistics_at, networks_at, widest, bytes })
    }

    /// Length of a bar, in milliseconds.
    #[must_use]
    pub const fn bar_ms(&self) -> u32 {
        self.bar_ms
    }

    /// Checksum of the file: names it in its conformance vectors.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Variance of each horizon that its forecasts stand over.
    #[must_use]
    pub const fn reference(&self) -> &[f64; HORIZONS.len()] {
        &self.reference
    }

    /// The bytes that were parsed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Entries of the scratch buffer that [`Predictor::forecast`] needs.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        INPUTS.len() + 2 * self.widest + LAWS
    }

    /// Forecasts from the bars up to now, in the order of [`OUTPUT_NAMES`]; those of the average moment without any.
    ///
    /// The same bars give the same bits on every machine.
    ///
    /// # Shapes
    /// `scratch` has at least [`Predictor::scratch_len`] entries, whose values do not matter.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Overflow`] if an output is not finite.
    pub fn forecast(&self, window: Option<&Window<'_>>, scratch: &mut [f32]) -> Result<[f32; OUTPUTS], ActError> {
        let (expected, found) = (self.scratch_len(), scratch.len());
        let Some(scratch) = scratch.get_mut(..expected) else {
            return Err(ActError::Length { buffer: "scratch", expected, found });
        };
        let (input, rest) = scratch.split_at_mut(INPUTS.len());
        self.standardise(window, input);
        let distances = distances().map(libm::log);
        let longest = LAW * (HORIZONS.len() - 1);
        let (mut variance, mut ruin) = ([0.0; HORIZONS.len()], [0.0; BUCKETS]);
        let mut reader = Reader::at(self.bytes.as_ref(), self.networks_at);
        for _ in 0..self.members {
            let laws = self.member(&mut reader, input, rest);
            for (sum, law) in variance.iter_mut().zip(laws.chunks_exact(LAW)) {
                *sum += libm::exp(law[0]);
            }
            for (bucket, (sum, distance)) in ruin.iter_mut().zip(distances).enumerate() {
                *sum += beyond(&laws[longest..], bucket / LEVERAGES.len(), distance);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful of members")]
        let members = self.members as f64;
        let outputs = outputs(&variance.map(|sum| sum / members), &self.reference, &ruin.map(|sum| sum / members));
        match outputs.iter().position(|x| !x.is_finite()) {
            Some(index) => Err(ActError::Overflow { index }),
            None => Ok(outputs),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
    fn standardise(&self, window: Option<&Window<'_>>, input: &mut [f32]) {
        let Some(window) = window else {
            input.fill(0.0);
            return;
        };
        let mut reader = Reader::at(self.bytes.as_ref(), self.statistics_at);
        let (mean, scale) = (checked(reader.words(INPUTS.len())), checked(reader.words(INPUTS.len())));
        for ((x, raw), (mean, scale)) in input.iter_mut().zip(window.inputs()).zip(mean.iter().zip(scale)) {
            *x = (raw as f32 - f32::from_le_bytes(*mean)) * f32::from_le_bytes(*scale);
        }
    }

    /// What the next member says of all horizons.
    fn member(&self, reader: &mut Reader<'_>, input: &[f32], scratch: &mut [f32]) -> [f64; LAWS] {
        let (hidden, end) = scratch.split_at_mut(2 * self.widest);
        let (mut source, mut target) = hidden.split_at_mut(self.widest);
        let mut width = 0;
        for index in 0..self.layers {
            let layer = checked(LayerView::read(reader));
            let from: &[f32] = if index == 0 { input } else { &source[..width] };
            width = layer.outputs();
            affine(&layer, from, &mut target[..width]);
            layer.activation.apply(&mut target[..width]);
            core::mem::swap(&mut source, &mut target);
        }
        affine(&checked(LayerView::read(reader)), input, end);
        core::array::from_fn(|k| f64::from(source[k]) + f64::from(end[k]))
    }
}

/// What goes into a file.
#[derive(Clone, Copy, Debug)]
pub struct PredictorContents<'a> {
    /// Length of a bar, in milliseconds.
    pub bar_ms: u32,
    /// Reference variance of each horizon.
    pub reference: [f64; HORIZONS.len()],
    /// Mean of each input, `[D]`.
    pub mean: &'a [f32],
    /// Scale of each input, `[D]`.
    pub scale: &'a [f32],
    /// Each member's layers, and its straight way last; members of as many layers.
    pub members: &'a [&'a [Layer<'a>]],
}

/// Hands the file's bytes to `sink`, part by part; parse what was written.
///
/// # Errors
/// [`FormatError::TooLarge`] if a count or a width needs more than 16 bits or the file more than 32.
///
/// # Panics
/// If there is no member, or the weights of a layer are not `[inputs, outputs]`.
pub fn write_predictor(contents: &PredictorContents<'_>, mut sink: impl FnMut(&[u8])) -> Result<(), FormatError> {
    let mut length = NAMES_AT + TRAILER;
    write_body(contents, &mut |bytes: &[u8]| length += bytes.len())?;
    let layers = contents.members.first().expect("an ensemble has a member").len().saturating_sub(1);
    let mut crc = Crc32::new();
    let mut checked = |bytes: &[u8]| {
        crc.update(bytes);
        sink(bytes);
    };
    let too_large = FormatError::TooLarge { field: "the file", size: length };
    checked(&MAGIC);
    checked(&VERSION.to_le_bytes());
    checked(&short("the ensemble", contents.members.len())?);
    checked(&short("the list of layers", layers)?);
    checked(&short("the inputs", contents.mean.len())?);
    checked(&u32::try_from(length).map_err(|_| too_large)?.to_le_bytes());
    checked(&contents.bar_ms.to_le_bytes());
    for horizon in HORIZONS {
        checked(&short("a horizon", horizon)?);
    }
    for leverage in LEVERAGES {
        checked(&short("a leverage", leverage as usize)?);
    }
    write_body(contents, &mut checked)?;
    sink(&crc.finish().to_le_bytes());
    Ok(())
}

fn write_body(contents: &PredictorContents<'_>, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    INPUTS.iter().try_for_each(|name| write_text(name, sink))?;
    contents.reference.iter().for_each(|variance| sink(&variance.to_le_bytes()));
    write_numbers(contents.mean, sink);
    write_numbers(contents.scale, sink);
    for member in contents.members {
        for (index, layer) in member.iter().enumerate() {
            let is_hidden = index + 2 < member.len();
            write_layer(layer, if is_hidden { Activation::Tanh } else { Activation::Identity }, sink)?;
        }
    }
    Ok(())
}

fn known(list: &'static str, index: usize, is_known: bool) -> Result<(), FormatError> {
    if is_known { Ok(()) } else { Err(FormatError::List { list, index }) }
}

/// One member's layers and its straight way; returns the width of the widest layer.
fn check_member(reader: &mut Reader<'_>, layers: usize) -> Result<usize, FormatError> {
    let (mut width, mut widest) = (INPUTS.len(), 0);
    for layer in 0..=layers {
        let is_straight = layer == layers;
        if is_straight {
            width = INPUTS.len();
        }
        let position = reader.position();
        let view = LayerView::read(reader)?;
        let expected = if layer + 1 < layers { Activation::Tanh } else { Activation::Identity };
        if view.activation != expected {
            return Err(FormatError::Choice { field: "activation of a predictor here", found: view.activation as u8 });
        }
        let outputs = view.outputs();
        if outputs == 0 {
            return Err(FormatError::Empty { list: "outputs" });
        }
        let found = view.weight.len() / outputs;
        if found != width {
            return Err(FormatError::Shape { layer, expected: width, found });
        }
        let is_finite = |word: &[u8; 4]| f32::from_le_bytes(*word).is_finite();
        if !view.weight.iter().chain(view.bias).all(is_finite) {
            return Err(FormatError::Number { position });
        }
        if layer + 1 >= layers && outputs != LAWS {
            return Err(FormatError::Shape { layer, expected: LAWS, found: outputs });
        }
        width = outputs;
        widest = widest.max(outputs);
    }
    Ok(widest)
}

fn check_numbers(reader: &mut Reader<'_>, count: usize, is_sound: impl Fn(f32) -> bool) -> Result<(), FormatError> {
    let position = reader.position();
    let numbers = reader.words(count)?.iter().map(|word| f32::from_le_bytes(*word));
    let mut numbers = numbers;
    if numbers.all(|x| x.is_finite() && is_sound(x)) { Ok(()) } else { Err(FormatError::Number { position }) }
}

/// What was readable when the bytes were parsed still is.
fn checked<T>(read: Result<T, FormatError>) -> T {
    read.expect("the bytes were checked when they were parsed")
}
