//! Vectors that a port of the predictor replays: one sequence of bars, and what is forecast after each.
//!
//! Little-endian, no padding, beside the predictor's own file.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | 8 bytes | magic, `SEAWPVC\0` |
//! | 8 | `u16` | version, 1 |
//! | 10 | `u16` | `F`, outputs |
//! | 12 | `u32` | `N`, bars |
//! | 16 | `u32` | length of everything in bytes |
//! | 20 | `u32` | checksum of the predictor, its last four bytes |
//! | 24 | `f64` | price at which the first bar opens |
//! | 32 | `F` × `f32` | outputs before the first bar |
//! | | `N` × vector | high, low, close, volume as `f64`, then `F` × `f32`, the outputs after that bar |
//! | length − 4 | `u32` | CRC-32/ISO-HDLC of everything before it |
//!
//! A replay compares bits.

use crate::bars::{Bar, TAPE, Tape};
use crate::checksum::Crc32;
use crate::conformance::ReplayError;
use crate::error::FormatError;
use crate::format::{TRAILER, frame};
use crate::predictor::{OUTPUTS, Predictor};
use crate::reader::Reader;

/// First bytes of a predictor's vectors.
pub const MAGIC: [u8; 8] = *b"SEAWPVC\0";
const VERSION: u16 = 1;
const HEADER: usize = 24;

/// Runs a predictor over its vectors and compares every bit; returns the number of bars.
///
/// # Shapes
/// `scratch` has at least [`Predictor::scratch_len`] entries; what it holds does not matter.
///
/// # Errors
/// [`ReplayError`], for the first difference.
pub fn replay<B: AsRef<[u8]>>(
    predictor: &Predictor<B>,
    vectors: &[u8],
    scratch: &mut [f32],
) -> Result<usize, ReplayError> {
    let (body, ..) = frame(vectors, MAGIC, &[VERSION], 16)?;
    let mut reader = Reader::at(body, 10);
    let (outputs, count, _length) = (usize::from(reader.u16()?), reader.u32()?, reader.u32()?);
    let (expected, found) = (reader.u32()?, predictor.checksum());
    if expected != found || outputs != OUTPUTS {
        return Err(FormatError::OtherPolicy { expected, found }.into());
    }
    let mut tape = [0.0; TAPE];
    Tape::open(&mut tape, reader.f64()?).map_err(ReplayError::Buffer)?;
    let count = count as usize;
    for vector in 0..=count {
        if vector > 0 {
            let bar = Bar { high: reader.f64()?, low: reader.f64()?, close: reader.f64()?, volume: reader.f64()? };
            Tape::push(&mut tape, &bar).map_err(ReplayError::Buffer)?;
        }
        let found = forecast(predictor, &tape, scratch)?;
        for (entry, (word, found)) in reader.words(OUTPUTS)?.iter().zip(found).enumerate() {
            let expected = f32::from_le_bytes(*word);
            if expected.to_bits() != found.to_bits() {
                return Err(ReplayError::Output { vector, entry, expected, found });
            }
        }
    }
    if reader.position() != body.len() {
        return Err(FormatError::Excess { position: reader.position() }.into());
    }
    Ok(count)
}

/// Writes vectors for bars, part by part, with what the predictor makes of them.
///
/// # Errors
/// [`ReplayError::Format`] with [`FormatError::TooLarge`] if there are too many bars, [`ReplayError::Buffer`] if the scratch is
/// too short, a bar is none, or an output is not finite.
pub fn write<B: AsRef<[u8]>>(
    predictor: &Predictor<B>,
    (open, bars): (f64, &[Bar]),
    scratch: &mut [f32],
    mut sink: impl FnMut(&[u8]),
) -> Result<(), ReplayError> {
    let too_large = FormatError::TooLarge { field: "the list of vectors", size: bars.len() };
    let row = size_of::<f32>() * OUTPUTS;
    let length = HEADER + 8 + row + bars.len() * (32 + row) + TRAILER;
    let [count, length] = [bars.len(), length].map(u32::try_from).map(|size| size.map_err(|_| too_large));
    let mut crc = Crc32::new();
    let mut checked = |bytes: &[u8]| {
        crc.update(bytes);
        sink(bytes);
    };
    checked(&MAGIC);
    checked(&VERSION.to_le_bytes());
    checked(&u16::try_from(OUTPUTS).map_err(|_| too_large)?.to_le_bytes());
    checked(&count?.to_le_bytes());
    checked(&length?.to_le_bytes());
    checked(&predictor.checksum().to_le_bytes());
    checked(&open.to_le_bytes());
    let mut tape = [0.0; TAPE];
    Tape::open(&mut tape, open).map_err(ReplayError::Buffer)?;
    forecast(predictor, &tape, scratch)?.iter().for_each(|x| checked(&x.to_le_bytes()));
    for bar in bars {
        Tape::push(&mut tape, bar).map_err(ReplayError::Buffer)?;
        [bar.high, bar.low, bar.close, bar.volume].iter().for_each(|x| checked(&x.to_le_bytes()));
        forecast(predictor, &tape, scratch)?.iter().for_each(|x| checked(&x.to_le_bytes()));
    }
    sink(&crc.finish().to_le_bytes());
    Ok(())
}

fn forecast<B: AsRef<[u8]>>(
    predictor: &Predictor<B>,
    tape: &[f64],
    scratch: &mut [f32],
) -> Result<[f32; OUTPUTS], ReplayError> {
    let window = Tape::window(tape).map_err(ReplayError::Buffer)?;
    predictor.forecast(window.as_ref(), scratch).map_err(ReplayError::Buffer)
}
