//! A forecaster of volatility and ruin as part of what a policy sees.
//!
//! [`Foresight`] is an [`Instrument`]: it makes bars of what is traded and lets [`seawall_runtime::Predictor`] forecast after
//! each, the same code over the same bytes in training, judgement and engines. [`BarRecorder`] keeps the bars themselves: what a
//! predictor is trained on is what it will read. [`write_vectors`] and [`verify`] are for what is exported. How a predictor is trained, and how good it is,
//! is deliberately not here.

mod maker;
mod recorder;
mod vectors;

use std::sync::Arc;

use seawall_env::spaces::Feature;
use seawall_env::{Instrument, Print, Problems};
use seawall_runtime::Predictor;
use seawall_runtime::bars::{TAPE, Tape};
use seawall_runtime::predictor::{OUTPUT_NAMES, OUTPUTS};

use self::maker::{BarMaker, MAKER};
pub use self::recorder::BarRecorder;
pub(crate) use self::vectors::BARS_MIN;
pub use self::vectors::{verify, write_vectors};
use crate::error::Error;

/// Group of the features, for masks and ablations.
pub const GROUP: &str = "predictor";

const fn feature(place: usize, unit: &'static str, meaning: &'static str) -> Feature {
    Feature { name: OUTPUT_NAMES[place], unit, group: GROUP, meaning }
}

/// What a predictor adds to the observation, in order. Horizons are 3, 12 and 48 bars of the predictor's file.
pub const FEATURES: [Feature; OUTPUTS] = [
    feature(0, "1", "predicted volatility over 3 bars over its level in the predictor's training; log2"),
    feature(1, "1", "predicted volatility over 12 bars over its level in the predictor's training; log2"),
    feature(2, "1", "predicted volatility over 48 bars over its level in the predictor's training; log2"),
    feature(3, "3 decades", "probability that a long of 10 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(4, "3 decades", "probability that a long of 20 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(5, "3 decades", "probability that a long of 50 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(6, "3 decades", "probability that a long of 100 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(7, "3 decades", "probability that a short of 10 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(8, "3 decades", "probability that a short of 20 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(9, "3 decades", "probability that a short of 50 times leverage is bankrupt within 48 bars; log10, plus 3"),
    feature(
        10,
        "3 decades",
        "probability that a short of 100 times leverage is bankrupt within 48 bars; log10, plus 3",
    ),
];

/// A predictor that reads what is traded.
///
/// # Shapes
/// Its memory is the bar under way, then a [`Tape`], then the last forecast `[OUTPUTS]`: between two bars it stands.
#[derive(Clone, Debug)]
pub struct Foresight {
    predictor: Predictor<Arc<[u8]>>,
}

impl Foresight {
    /// Parses a predictor's file.
    ///
    /// # Errors
    /// [`Error::Predictor`] if the bytes are none.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        Ok(Self { predictor: Predictor::parse(bytes.into()).map_err(Error::Predictor)? })
    }

    /// The parsed predictor.
    #[must_use]
    pub const fn runtime(&self) -> &Predictor<Arc<[u8]>> {
        &self.predictor
    }

    /// The tape within what an environment remembers.
    ///
    /// # Panics
    /// If the memory is none of this instrument's.
    #[must_use]
    pub fn tape(memory: &[f64]) -> &[f64] {
        &memory[MAKER..MAKER + TAPE]
    }

    /// Records it if bars are not whole ticks of the market that is named.
    pub fn validate(&self, path: &str, (market, tick_seconds): (&str, f64), problems: &mut Problems) {
        let bar_ms = self.predictor.bar_ms();
        let is_whole = maker::ticks(bar_ms, tick_seconds).is_some();
        let bound = format!("a predictor over whole ticks of {tick_seconds} s, as {market} has them");
        problems.require(is_whole, path, format!("bars of {bar_ms} ms"), &bound);
    }

    /// Forecasts from the tape and keeps what comes out.
    ///
    /// # Panics
    /// If a forecast is not finite: inputs are logarithms with floors, so the predictor is broken.
    fn forecast(&self, tape: &[f64], out: &mut [f64]) {
        let window = Tape::window(tape).expect("a tape of its own length");
        let mut scratch = vec![0.0; self.predictor.scratch_len()];
        match self.predictor.forecast(window.as_ref(), &mut scratch) {
            Ok(outputs) => out.iter_mut().zip(outputs).for_each(|(slot, value)| *slot = f64::from(value)),
            Err(error) => panic!("M12: a forecast: {error}"),
        }
    }
}

impl Instrument for Foresight {
    fn features(&self) -> &[Feature] {
        &FEATURES
    }

    fn memory_len(&self) -> usize {
        MAKER + TAPE + OUTPUTS
    }

    fn open(&self, mid: f64, memory: &mut [f64]) {
        let (maker, rest) = memory.split_at_mut(MAKER);
        let (tape, out) = rest.split_at_mut(TAPE);
        BarMaker::open(mid, maker);
        Tape::open(tape, mid).expect("a mid is a price");
        self.forecast(tape, out);
    }

    fn tick(&self, print: &Print, memory: &mut [f64]) {
        let (maker, rest) = memory.split_at_mut(MAKER);
        let (tape, out) = rest.split_at_mut(TAPE);
        if let Some(bar) = BarMaker::tick(self.predictor.bar_ms(), print, maker) {
            Tape::push(tape, &bar).expect("mids make bars");
            self.forecast(tape, out);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "they were single precision")]
    fn observe(&self, memory: &[f64], out: &mut [f32]) {
        let last = &memory[MAKER + TAPE..];
        out.iter_mut().zip(last).for_each(|(slot, value)| *slot = *value as f32);
    }
}
