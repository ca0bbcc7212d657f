//! The binary format of a policy, and the views of its parts.
//!
//! Little-endian throughout, no padding: a reader needs no alignment and no allocation. A *text* is a `u16` length
//! in bytes and as many bytes of UTF-8, at least one.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | 8 bytes | magic, `SEAWALL\0` |
//! | 8 | `u16` | schema version: 1, and 1 more with a memory, and 2 more with a shield |
//! | 10 | `u16` | `D`, entries of the observation |
//! | 12 | `u16` | `L`, layers |
//! | 14 | `u16` | `A`, parameters, which is also the number of entries of the action |
//! | 16 | `u32` | length of everything in bytes, header and checksum included |
//! | 20 | `f32` | clip, positive |
//! | 24 | `u64` | observation hash: FNV-1a of the `D` names as they stand below, lengths included |
//! | 32 | `u64` | action hash: FNV-1a of the `A` parameters as they stand below, all fields included |
//! | 40 | `D` × text | names of the observation's entries, distinct |
//! | | `D` × `f32` | mean of each entry |
//! | | `D` × `f32` | inverse deviation of each entry, positive |
//! | | 2 × layer | in versions 2 and 4: the memory of `H` units, from what is observed (`D` inputs) and from its state (`H` inputs), both with `3 H` outputs and activation 0 |
//! | | `L` × layer | `u16` inputs, `u16` outputs, `u8` activation (0 identity, 1 tanh, 2 max(0, x)), weights as `f32` in `[inputs, outputs]` row-major, biases as `f32` |
//! | | `A` × parameter | text name (distinct), text unit, `u8` scale (0 linear, 1 logarithmic), `u8` group (0 fast, 1 slow), `f64` low, high, neutral, `max_change` |
//! | | 16 × `u16` | in versions 3 and 4: entries of the observation that the shield reads: fund, its inventory, what is in liquidation, 3 volatilities, 4 amounts of longs, 4 of shorts, 2 levels of triggers |
//! | | 5 × `u16` | in versions 3 and 4: entries of the action that it reads or holds: 2 triggers, multipliers of the initial and the maintenance margin, the internalised share |
//! | | 7 × `f64` | in versions 3 and 4: its constants: quantile `z`, horizon `T`, impact `I`, reference volatility `v`, fund `F`, floors of the initial and the maintenance margin |
//! | length − 4 | `u32` | CRC-32/ISO-HDLC of everything before it |
//!
//! All numbers are finite. The first layer has `D` inputs, or `H` behind a memory, every other as many as its predecessor has outputs, the
//! last has `A` outputs. Of a parameter: `low < high`, both positive if the scale is logarithmic,
//! `low <= neutral <= high`, and `0 < max_change <= 2`. Of a shield: entries are there; `z`, `I` not negative, `T`, `v`, `F`
//! positive; floors within their parameter's bounds and not above its neutral value; the share a fast parameter from 0 to 1, with
//! neutral value 0 and free to change by 2.
//!
//! # What it computes
//! 1. `x = clamp((observation − mean) · inverse deviation, −clip, clip)`, in `f32`.
//! 2. With a memory, both its layers' sums as in 3 and [`crate::gru::Gru`]'s next state, which takes the place of `x` and
//!    is kept for the next decision; an episode starts with zeros.
//! 3. Per layer `y[j] = activation(bias[j] + Σ x[i] · weight[i, j])`, in `f32`, summed in the order of `i`, each
//!    product rounded before it is added.
//! 4. `action = clamp(y, −1, 1)`: the box that the policy was trained in.
//! 5. With a shield, its projection below.
//! 6. `share = (action + 1) / 2`; the parameter's value is `low + share · (high − low)` if its scale is linear and
//!    `low · exp(share · log(high / low))` if it is logarithmic, in `f64`.
//!
//! Observations that are not finite have no action: the engine runs with every parameter's neutral value.
//!
//! # How the shield projects
//! In `f64` unless it says otherwise, on the observation as it came, before step 1, and with `max` and `min` that pass over
//! what is not a number. `e(x) = sign(x) · expm1(|x|)` undoes the features' logarithm.
//! 1. Where the initial, and then the maintenance margin's multiplier decodes to less than `floor · (1 − 1e-6)`, its entry becomes the
//!    least `f32` that decodes to the floor or more.
//! 2. If a trigger's entry is now above its observed level `+ 1e-6` (in `f32`), nothing may be internalised: `most = 0`, and go to 6.
//! 3. `E = e(fund)`, `Q = |e(inventory)| · max(E, 0.01) · F`, `σ = max(0, 2^volatility)` over the three,
//!    `X = max over the sides of Σ 0.1 · max(e(amount), 0)`, summed in their order, `+ 0.01 · max(e(in liquidation), 0)`.
//! 4. `k = z · (σ · v / √31557600) · √(T / 3) + 0.5 · I`, the capital that a dollar of inventory takes.
//! 5. `room = max(E · F / k − Q, 0)`; `most = 0` without room, 1 if `X <= room`, and `room / X` otherwise.
//! 6. The share's entry becomes the lesser of itself and the greatest `f32` that decodes to `most` or less.
//!
//! The least and the greatest `f32` are found from `2 · share(value) − 1`, `share` the inverse of step 6 above, held in
//! `[-1, 1]` and rounded to `f32`, by going up or down one number at a time. The projection of a projection is itself. An engine
//! that also limits steps does so afterwards: the share may always change by all of it, and a multiplier that starts at the
//! neutral value stays above its floor.

use crate::checksum::{crc32, fnv64};
use crate::error::FormatError;
use crate::network::tanh;
use crate::reader::Reader;
use crate::shield::Shield;

pub use crate::reader::Word;

/// First bytes of a policy.
pub const MAGIC: [u8; 8] = *b"SEAWALL\0";
/// Schema version of a policy without memory.
pub const VERSION: u16 = 1;
/// Schema version of a policy with memory.
pub const VERSION_WITH_MEMORY: u16 = 2;
/// Schema version of a policy behind a shield.
pub const VERSION_WITH_SHIELD: u16 = 3;
/// Schema version of a policy with both.
pub const VERSION_WITH_BOTH: u16 = 4;
/// All of them.
pub(crate) const VERSIONS: [u16; 4] = [VERSION, VERSION_WITH_MEMORY, VERSION_WITH_SHIELD, VERSION_WITH_BOTH];
/// Bytes before the first name.
pub const HEADER: usize = 40;
/// Bytes behind the last parameter.
pub const TRAILER: usize = 4;

/// What follows a layer's sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// The hyperbolic tangent of [`crate::network::tanh`].
    Tanh,
    /// The larger of zero and the sum.
    Relu,
}

impl Activation {
    /// Applies it to every value.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Tanh => values.iter_mut().for_each(|value| *value = tanh(*value)),
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        }
    }
}

/// How the interval `[-1, 1]` maps onto a parameter's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear,
    /// Equal steps are equal ratios.
    Log,
}

impl Scale {
    /// Value of an action between two bounds.
    pub(crate) fn decode(self, low: f64, high: f64, action: f32) -> f64 {
        let share = f64::midpoint(f64::from(action), 1.0);
        match self {
            Self::Linear => low + share * (high - low),
            Self::Log => low * libm::exp(share * libm::log(high / low)),
        }
    }

    /// The inverse of [`Scale::decode`], to single precision.
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub(crate) fn encode(self, low: f64, high: f64, value: f64) -> f32 {
        let share = match self {
            Self::Linear => (value - low) / (high - low),
            Self::Log => libm::log(value / low) / libm::log(high / low),
        };
        (2.0 * share - 1.0).clamp(-1.0, 1.0) as f32
    }
}

/// Which clock a parameter moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Takes effect at every decision.
    Fast,
    /// Takes effect once per slow interval.
    Slow,
}

/// One controlled parameter of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Name.
    pub name: &'a str,
    /// Unit of the decoded value.
    pub unit: &'a str,
    /// Way from the action's interval to the bounds.
    pub scale: Scale,
    /// Clock that it moves on.
    pub group: Group,
    /// Decoded value at -1.
    pub low: f64,
    /// Decoded value at +1.
    pub high: f64,
    /// Value to run with when there is no action.
    pub neutral: f64,
    /// Largest change in one update, in units of the action (2 is the whole range).
    pub max_change: f64,
}

impl Parameter<'_> {
    /// Decodes an entry of an action; `None` unless it is in `[-1, 1]`.
    #[must_use]
    pub fn decode(&self, action: f32) -> Option<f64> {
        (-1.0..=1.0).contains(&action).then(|| self.scale.decode(self.low, self.high, action))
    }

    pub(crate) fn read<'a>(reader: &mut Reader<'a>) -> Result<Parameter<'a>, FormatError> {
        let (name, unit) = (reader.text()?, reader.text()?);
        let scale = match reader.u8()? {
            0 => Scale::Linear,
            1 => Scale::Log,
            found => return Err(FormatError::Choice { field: "scale", found }),
        };
        let group = match reader.u8()? {
            0 => Group::Fast,
            1 => Group::Slow,
            found => return Err(FormatError::Choice { field: "group", found }),
        };
        let (low, high, neutral, max_change) = (reader.f64()?, reader.f64()?, reader.f64()?, reader.f64()?);
        Ok(Parameter { name, unit, scale, group, low, high, neutral, max_change })
    }

    fn is_sound(&self) -> bool {
        let floor_is_sound = match self.scale {
            Scale::Linear => self.low.is_finite(),
            Scale::Log => self.low > 0.0,
        };
        floor_is_sound
            && self.low < self.high
            && self.high.is_finite()
            && (self.low..=self.high).contains(&self.neutral)
            && self.max_change > 0.0
            && self.max_change <= 2.0
    }
}

/// One layer as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a> {
    /// What follows the sums.
    pub activation: Activation,
    /// Weights, `[inputs, outputs]` row-major.
    pub weight: &'a [Word],
    /// Biases, `[outputs]`.
    pub bias: &'a [Word],
}

impl<'a> LayerView<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, FormatError> {
        let (inputs, outputs) = (usize::from(reader.u16()?), usize::from(reader.u16()?));
        let activation = match reader.u8()? {
            0 => Activation::Identity,
            1 => Activation::Tanh,
            2 => Activation::Relu,
            found => return Err(FormatError::Choice { field: "activation", found }),
        };
        let position = reader.position();
        let weights = inputs.checked_mul(outputs).ok_or(FormatError::Truncated { position })?;
        Ok(Self { activation, weight: reader.words(weights)?, bias: reader.words(outputs)? })
    }

    /// Width of the layer's output.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// Where the parts of a checked policy are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) version: u16,
    pub(crate) observation: usize,
    pub(crate) layers: usize,
    pub(crate) parameters: usize,
    pub(crate) clip: f32,
    pub(crate) observation_hash: u64,
    pub(crate) action_hash: u64,
    pub(crate) checksum: u32,
    pub(crate) statistics_at: usize,
    /// Units of the memory, `H`; none if zero.
    pub(crate) memory: usize,
    /// Where the memory is, if there is one.
    pub(crate) memory_at: usize,
    pub(crate) layers_at: usize,
    pub(crate) parameters_at: usize,
    /// Where the shield is, if there is one.
    pub(crate) shield_at: Option<usize>,
    /// Width of the widest layer's output.
    pub(crate) widest: usize,
}

impl Layout {
    /// Checks everything that the module's documentation promises.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let (body, checksum, version) = frame(bytes, MAGIC, &VERSIONS, 16)?;
        let mut reader = Reader::at(body, 10);
        let [observation, layers, parameters] = [reader.u16()?, reader.u16()?, reader.u16()?].map(usize::from);
        let _length = reader.u32()?;
        let clip = reader.f32()?;
        if !(clip.is_finite() && clip > 0.0) {
            return Err(FormatError::Number { position: 20 });
        }
        let (observation_hash, action_hash) = (reader.u64()?, reader.u64()?);
        for (list, count) in [("observation entries", observation), ("layers", layers), ("parameters", parameters)] {
            if count == 0 {
                return Err(FormatError::Empty { list });
            }
        }

        distinct(reader, "observation entries", observation, Reader::text)?;
        for _ in 0..observation {
            reader.text()?;
        }
        let statistics_at = reader.position();
        check_hash("observation", observation_hash, &body[HEADER..statistics_at])?;
        check_numbers(&mut reader, observation, f32::is_finite)?;
        check_numbers(&mut reader, observation, |number| number.is_finite() && number > 0.0)?;

        let memory_at = reader.position();
        let has_memory = [VERSION_WITH_MEMORY, VERSION_WITH_BOTH].contains(&version);
        let memory = if has_memory { check_memory(&mut reader, observation)? } else { 0 };
        let layers_at = reader.position();
        let input = if memory == 0 { observation } else { memory };
        let widest = check_layers(&mut reader, input, layers, parameters)?;

        let parameters_at = reader.position();
        distinct(reader, "parameters", parameters, |reader| Parameter::read(reader).map(|found| found.name))?;
        for parameter in 0..parameters {
            if !Parameter::read(&mut reader)?.is_sound() {
                return Err(FormatError::Bounds { parameter });
            }
        }
        check_hash("parameters", action_hash, &body[parameters_at..reader.position()])?;
        let shield_at = (version >= VERSION_WITH_SHIELD).then(|| reader.position());
        if shield_at.is_some() {
            check_shield(&mut reader, Reader::at(body, parameters_at), observation, parameters)?;
        }
        if reader.position() != body.len() {
            return Err(FormatError::Excess { position: reader.position() });
        }
        Ok(Self {
            version,
            observation,
            layers,
            parameters,
            clip,
            observation_hash,
            action_hash,
            checksum,
            statistics_at,
            memory,
            memory_at,
            layers_at,
            parameters_at,
            shield_at,
            widest,
        })
    }
}

/// Checks magic, version, length (a `u32` at `length_at`) and checksum; returns what stands before the checksum, the
/// checksum, and which of the versions it is.
pub(crate) fn frame<'a>(
    bytes: &'a [u8],
    magic: [u8; 8],
    versions: &[u16],
    length_at: usize,
) -> Result<(&'a [u8], u32, u16), FormatError> {
    let mut reader = Reader::at(bytes, 0);
    if reader.array()? != magic {
        return Err(FormatError::Magic);
    }
    let found = reader.u16()?;
    if !versions.contains(&found) {
        return Err(FormatError::Version { found });
    }
    let version = found;
    let header = Reader::at(bytes, length_at).u32()?;
    if usize::try_from(header) != Ok(bytes.len()) {
        return Err(FormatError::Length { header, bytes: bytes.len() });
    }
    let Some((body, trailer)) = bytes.split_last_chunk::<TRAILER>() else {
        return Err(FormatError::Truncated { position: 0 });
    };
    let (stored, computed) = (u32::from_le_bytes(*trailer), crc32(body));
    if stored == computed { Ok((body, stored, version)) } else { Err(FormatError::Checksum { stored, computed }) }
}

fn check_numbers(reader: &mut Reader<'_>, count: usize, is_sound: impl Fn(f32) -> bool) -> Result<(), FormatError> {
    let position = reader.position();
    let are_sound = reader.words(count)?.iter().all(|word| is_sound(f32::from_le_bytes(*word)));
    if are_sound { Ok(()) } else { Err(FormatError::Number { position }) }
}

fn check_hash(list: &'static str, stored: u64, bytes: &[u8]) -> Result<(), FormatError> {
    let computed = fnv64(bytes);
    if stored == computed { Ok(()) } else { Err(FormatError::Hash { list, stored, computed }) }
}

/// A memory has two layers with three sums for each unit; returns its units.
fn check_memory(reader: &mut Reader<'_>, observation: usize) -> Result<usize, FormatError> {
    let position = reader.position();
    let [input, state] = [LayerView::read(reader)?, LayerView::read(reader)?];
    let units = state.outputs() / 3;
    if units == 0 {
        return Err(FormatError::Empty { list: "units of the memory" });
    }
    let inputs = |view: &LayerView<'_>| view.weight.len() / view.outputs().max(1);
    for (layer, view, expected) in [(0, &input, observation), (1, &state, units)] {
        if view.outputs() != 3 * units {
            return Err(FormatError::Shape { layer, expected: 3 * units, found: view.outputs() });
        }
        if inputs(view) != expected {
            return Err(FormatError::Shape { layer, expected, found: inputs(view) });
        }
        if view.activation != Activation::Identity {
            return Err(FormatError::Choice { field: "activation of the memory", found: 1 });
        }
        if !view.weight.iter().chain(view.bias).all(|word| f32::from_le_bytes(*word).is_finite()) {
            return Err(FormatError::Number { position });
        }
    }
    Ok(units)
}

/// The parameter with an index, of so many that begin at a reader.
pub(crate) fn nth_parameter(mut reader: Reader<'_>, count: usize, index: usize) -> Option<Parameter<'_>> {
    (0..count).map_while(|_| Parameter::read(&mut reader).ok()).nth(index)
}

fn check_shield(
    reader: &mut Reader<'_>,
    parameters_at: Reader<'_>,
    observation: usize,
    parameters: usize,
) -> Result<(), FormatError> {
    let parameter = |index| nth_parameter(parameters_at, parameters, index);
    Shield::read_from(reader, parameter)?.check(observation, parameter)
}

/// Widths must chain from the observation to the parameters; returns the widest output.
fn check_layers(reader: &mut Reader<'_>, input: usize, layers: usize, parameters: usize) -> Result<usize, FormatError> {
    let (mut width, mut widest) = (input, 0);
    for layer in 0..layers {
        let found = usize::from({ *reader }.u16()?);
        if found != width {
            return Err(FormatError::Shape { layer, expected: width, found });
        }
        let position = reader.position();
        let view = LayerView::read(reader)?;
        if !view.weight.iter().chain(view.bias).all(|word| f32::from_le_bytes(*word).is_finite()) {
            return Err(FormatError::Number { position });
        }
        width = view.outputs();
        if width == 0 {
            return Err(FormatError::Empty { list: "outputs of a layer" });
        }
        widest = widest.max(width);
    }
    if width == parameters {
        Ok(widest)
    } else {
        Err(FormatError::Shape { layer: layers - 1, expected: parameters, found: width })
    }
}

/// Compares every name with those before it: quadratic, but lists are short and nothing can be allocated.
fn distinct<'a>(
    start: Reader<'a>,
    list: &'static str,
    count: usize,
    name: impl Fn(&mut Reader<'a>) -> Result<&'a str, FormatError>,
) -> Result<(), FormatError> {
    let mut reader = start;
    for index in 0..count {
        let this = name(&mut reader)?;
        let mut before = start;
        for _ in 0..index {
            if name(&mut before)? == this {
                return Err(FormatError::Duplicate { list, index });
            }
        }
    }
    Ok(())
}
