//! Vectors that a port of this crate replays: observations, and what the policy makes of them.
//!
//! Little-endian, no padding, beside the policy's own file.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | 8 bytes | magic, `SEAWVEC\0` |
//! | 8 | `u16` | version, that of the policy |
//! | 10 | `u16` | `D`, entries of the observation |
//! | 12 | `u16` | `A`, entries of the action |
//! | 14 | `u16` | `N`, vectors |
//! | 16 | `u32` | length of everything in bytes |
//! | 20 | `u32` | checksum of the policy, its last four bytes |
//! | 24 | `N` × vector | `u8` outcome (0 acted, 1 refused, 2 more where the state starts anew, 4 more where the shield changed the action), observation `D` × `f32`, action `A` × `f32`, values `A` × `f64` |
//! | length − 4 | `u32` | CRC-32/ISO-HDLC of everything before it |
//!
//! A refused vector has an observation that is not finite: its action is all zeros and without meaning, its values
//! are the fallback. Vectors of a policy with memory are sequences: what it remembers goes on from one to the next, a
//! refusal included, until one starts anew from zeros. Here a replay compares bits. A port whose `exp` or summation differs compares with a tolerance.

use core::fmt;

use crate::checksum::Crc32;
use crate::error::{ActError, FormatError};
use crate::format::{TRAILER, frame};
use crate::policy::Policy;
use crate::reader::Reader;

/// First bytes of a file of vectors.
pub const MAGIC: [u8; 8] = *b"SEAWVEC\0";
/// Vectors of one sequence, where there is a memory.
pub const SEQUENCE: usize = 16;
/// Added to the outcome of a vector before which the state starts anew.
const ANEW: u8 = 2;
/// Added to the outcome of a vector whose action the shield changed.
const HELD: u8 = 4;
const HEADER: usize = 24;

/// What a replay went through without a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Vectors on which the policy acted.
    pub acted: usize,
    /// Vectors that the policy refused, as it should.
    pub refused: usize,
    /// Of those on which it acted, those whose action the shield changed.
    pub held: usize,
}

/// Where a policy differs from its vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReplayError {
    /// The bytes are not vectors, or not this policy's.
    Format(FormatError),
    /// A buffer is too short.
    Buffer(ActError),
    /// The policy refused to act, or acted where it should have refused.
    Outcome {
        /// Index of the vector.
        vector: usize,
        /// Why it refused, if it did.
        refusal: Option<ActError>,
    },
    /// The shield changed an action and should not have, or did not where it should.
    Held {
        /// Index of the vector.
        vector: usize,
        /// Whether it did.
        is_held: bool,
    },
    /// An entry of the action has other bits.
    Action {
        /// Index of the vector.
        vector: usize,
        /// Index of the entry.
        entry: usize,
        /// What the vector says.
        expected: f32,
        /// What the policy says.
        found: f32,
    },
    /// An output of a predictor has other bits.
    Output {
        /// Bars before it.
        vector: usize,
        /// Index of the output.
        entry: usize,
        /// What the vector says.
        expected: f32,
        /// What the predictor says.
        found: f32,
    },
    /// A decoded value has other bits.
    Value {
        /// Index of the vector.
        vector: usize,
        /// Index of the parameter.
        entry: usize,
        /// What the vector says.
        expected: f64,
        /// What the policy says.
        found: f64,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Format(error) => error.fmt(f),
            Self::Buffer(error) => error.fmt(f),
            Self::Outcome { vector, refusal: Some(error) } => write!(f, "vector {vector} was refused: {error}"),
            Self::Outcome { vector, refusal: None } => write!(f, "vector {vector} should have been refused"),
            Self::Held { vector, is_held: true } => write!(f, "the shield should have left vector {vector} alone"),
            Self::Held { vector, is_held: false } => write!(f, "the shield should have changed vector {vector}"),
            Self::Action { vector, entry, expected, found } => {
                write!(f, "vector {vector}, entry {entry} of the action: {found} instead of {expected}")
            }
            Self::Output { vector, entry, expected, found } => {
                write!(f, "after {vector} bars, output {entry} of the predictor: {found} instead of {expected}")
            }
            Self::Value { vector, entry, expected, found } => {
                write!(f, "vector {vector}, parameter {entry}: {found} instead of {expected}")
            }
        }
    }
}

impl core::error::Error for ReplayError {}

impl From<FormatError> for ReplayError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

/// Entries of single precision that [`replay`] and [`write()`] need as scratch.
#[must_use]
pub fn scratch_len<B: AsRef<[u8]>>(policy: &Policy<B>) -> usize {
    policy.observation_len() + policy.action_len() + policy.state_len() + policy.scratch_len()
}

/// Runs a policy over its vectors and compares every bit.
///
/// # Shapes
/// `scratch` has at least [`scratch_len`] entries, `values` is `[A]`; what they hold does not matter.
///
/// # Errors
/// [`ReplayError`], for the first difference.
pub fn replay<B: AsRef<[u8]>>(
    policy: &Policy<B>,
    vectors: &[u8],
    scratch: &mut [f32],
    values: &mut [f64],
) -> Result<Report, ReplayError> {
    let mut buffers = Buffers::new(policy, scratch, values).map_err(ReplayError::Buffer)?;
    let (body, ..) = frame(vectors, MAGIC, &[policy.version()], 16)?;
    let mut reader = Reader::at(body, 10);
    let [inputs, outputs, count] = [reader.u16()?, reader.u16()?, reader.u16()?].map(usize::from);
    let _length = reader.u32()?;
    let (expected, found) = (reader.u32()?, policy.checksum());
    if expected != found || inputs != policy.observation_len() || outputs != policy.action_len() {
        return Err(FormatError::OtherPolicy { expected, found }.into());
    }
    let mut report = Report::default();
    for vector in 0..count {
        let outcome = reader.u8()?;
        let (is_refused, is_anew) = (outcome & 1 == 1, outcome & ANEW == ANEW);
        if outcome > (1 | ANEW | HELD) || is_anew != buffers.is_anew(vector) {
            return Err(FormatError::Choice { field: "outcome", found: outcome }.into());
        }
        for (entry, word) in buffers.observation.iter_mut().zip(reader.words(inputs)?) {
            *entry = f32::from_le_bytes(*word);
        }
        let actions = reader.words(outputs)?;
        let found = buffers.run(policy, vector);
        if found.is_err() != is_refused {
            return Err(ReplayError::Outcome { vector, refusal: found.err() });
        }
        for (entry, (word, found)) in actions.iter().zip(&*buffers.action).enumerate() {
            let (expected, found) = (f32::from_le_bytes(*word), *found);
            if expected.to_bits() != found.to_bits() {
                return Err(ReplayError::Action { vector, entry, expected, found });
            }
        }
        for (entry, found) in buffers.values.iter().copied().enumerate() {
            let expected = reader.f64()?;
            if expected.to_bits() != found.to_bits() {
                return Err(ReplayError::Value { vector, entry, expected, found });
            }
        }
        // After the numbers, which say more.
        let is_held = found == Ok(true);
        if is_held != (outcome & HELD == HELD) {
            return Err(ReplayError::Held { vector, is_held });
        }
        *(if is_refused { &mut report.refused } else { &mut report.acted }) += 1;
        report.held += usize::from(is_held);
    }
    if reader.position() != body.len() {
        return Err(FormatError::Excess { position: reader.position() }.into());
    }
    Ok(report)
}

/// Writes vectors for `observations`, part by part, with what the policy makes of them.
///
/// # Shapes
/// `observations` is row-major `[N, D]`; `scratch` and `values` as for [`replay`].
///
/// # Errors
/// [`ReplayError::Format`] with [`FormatError::TooLarge`] if there are more than 65,535 vectors, and
/// [`ReplayError::Buffer`] if a buffer is too short or `observations` is not whole rows; nothing has reached the sink then.
pub fn write<B: AsRef<[u8]>>(
    policy: &Policy<B>,
    observations: &[f32],
    scratch: &mut [f32],
    values: &mut [f64],
    mut sink: impl FnMut(&[u8]),
) -> Result<(), ReplayError> {
    let mut buffers = Buffers::new(policy, scratch, values).map_err(ReplayError::Buffer)?;
    let (inputs, outputs) = (policy.observation_len(), policy.action_len());
    let rows = observations.chunks_exact(inputs);
    if !rows.remainder().is_empty() {
        let (buffer, found) = ("last observation", rows.remainder().len());
        return Err(ReplayError::Buffer(ActError::Length { buffer, expected: inputs, found }));
    }
    let count = rows.len();
    let too_large = FormatError::TooLarge { field: "the list of vectors", size: count };
    let narrow = |size: usize| u16::try_from(size).map(u16::to_le_bytes).map_err(|_| too_large);
    let length = HEADER + TRAILER + count * (1 + 4 * inputs + 12 * outputs);
    let length = u32::try_from(length).map_err(|_| too_large)?;

    let mut crc = Crc32::new();
    let mut checked = |bytes: &[u8]| {
        crc.update(bytes);
        sink(bytes);
    };
    let sizes = [narrow(inputs)?, narrow(outputs)?, narrow(count)?];
    checked(&MAGIC);
    checked(&policy.version().to_le_bytes());
    sizes.iter().for_each(|size| checked(size));
    checked(&length.to_le_bytes());
    checked(&policy.checksum().to_le_bytes());
    for (vector, row) in rows.enumerate() {
        buffers.observation.copy_from_slice(row);
        let outcome = buffers.run(policy, vector);
        let anew = if buffers.is_anew(vector) { ANEW } else { 0 };
        let held = if outcome == Ok(true) { HELD } else { 0 };
        checked(&[u8::from(outcome.is_err()) + anew + held]);
        row.iter().for_each(|entry| checked(&entry.to_le_bytes()));
        buffers.action.iter().for_each(|entry| checked(&entry.to_le_bytes()));
        buffers.values.iter().for_each(|value| checked(&value.to_le_bytes()));
    }
    sink(&crc.finish().to_le_bytes());
    Ok(())
}

/// One observation and what comes of it.
struct Buffers<'a> {
    observation: &'a mut [f32],
    action: &'a mut [f32],
    state: &'a mut [f32],
    scratch: &'a mut [f32],
    values: &'a mut [f64],
}

impl<'a> Buffers<'a> {
    fn new<B: AsRef<[u8]>>(
        policy: &Policy<B>,
        scratch: &'a mut [f32],
        values: &'a mut [f64],
    ) -> Result<Self, ActError> {
        let (expected, found) = (scratch_len(policy), scratch.len());
        if found < expected {
            return Err(ActError::Length { buffer: "scratch", expected, found });
        }
        if values.len() != policy.action_len() {
            let (expected, found) = (policy.action_len(), values.len());
            return Err(ActError::Length { buffer: "values", expected, found });
        }
        let (observation, scratch) = scratch.split_at_mut(policy.observation_len());
        let (action, scratch) = scratch.split_at_mut(policy.action_len());
        let (state, scratch) = scratch.split_at_mut(policy.state_len());
        Ok(Self { observation, action, state, scratch, values })
    }

    /// Whether the state starts anew before a vector.
    const fn is_anew(&self, vector: usize) -> bool {
        !self.state.is_empty() && vector.is_multiple_of(SEQUENCE)
    }

    /// Acts and decodes as an engine would, and says whether the shield changed the action; on a refusal zeros and fallback.
    fn run<B: AsRef<[u8]>>(&mut self, policy: &Policy<B>, vector: usize) -> Result<bool, ActError> {
        if self.is_anew(vector) {
            self.state.fill(0.0);
        }
        let outcome = policy
            .step(self.observation, self.state, self.scratch, self.action)
            .and_then(|is_held| policy.decode(self.action, self.values).map(|()| is_held));
        if outcome.is_err() {
            self.action.fill(0.0);
            policy.fallback(self.values).expect("the buffer was measured");
        }
        outcome
    }
}
