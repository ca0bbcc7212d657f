//! Writes the format of [`crate::format`]. An engine does not need this; whoever exports a policy does.

use crate::checksum::{Crc32, Fnv64};
use crate::error::FormatError;
use crate::format::{Activation, Group, HEADER, MAGIC, Parameter, Scale, TRAILER, VERSION};
use crate::gru::Gru;
use crate::network::Layer;
use crate::shield::Shield;

/// What goes into a file.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// Names of the observation's entries, `[D]`.
    pub observation: &'a [&'a str],
    /// Mean of each entry, `[D]`.
    pub mean: &'a [f32],
    /// Inverse deviation of each entry, `[D]`.
    pub inverse_deviation: &'a [f32],
    /// Distance from the mean at which entries are clipped, in deviations.
    pub clip: f32,
    /// What the policy remembers by, in front of the layers.
    pub memory: Option<Gru<'a>>,
    /// The network's layers, each with what follows it.
    pub layers: &'a [(Layer<'a>, Activation)],
    /// The parameters, `[A]`.
    pub parameters: &'a [Parameter<'a>],
    /// What its actions are held by; without it and without a memory the file is of version 1.
    pub shield: Option<Shield>,
}

/// Hands the file's bytes to `sink`, part by part.
///
/// This fits every list into its field and does no other check: parse what was written.
///
/// # Errors
/// [`FormatError::TooLarge`] if a count, a width or a text needs more than 16 bits or the file more than 32;
/// nothing has reached the sink then.
///
/// # Panics
/// If the lengths of `observation`, `mean` and `inverse_deviation` differ, or the weights of a layer or of the memory are
/// not `[inputs, outputs]`.
pub fn write(contents: &Contents<'_>, mut sink: impl FnMut(&[u8])) -> Result<(), FormatError> {
    let entries = contents.observation.len();
    assert_eq!(contents.mean.len(), entries, "one mean per entry of the observation");
    assert_eq!(contents.inverse_deviation.len(), entries, "one inverse deviation per entry of the observation");

    let mut length = HEADER + TRAILER;
    write_body(contents, &mut |bytes| length += bytes.len())?;
    let (mut observation_hash, mut action_hash) = (Fnv64::new(), Fnv64::new());
    write_names(contents, &mut |bytes| observation_hash.update(bytes))?;
    write_parameters(contents, &mut |bytes| action_hash.update(bytes))?;

    let version = VERSION + u16::from(contents.memory.is_some()) + 2 * u16::from(contents.shield.is_some());
    let mut header = [0; HEADER];
    let fields: [&[u8]; 9] = [
        &MAGIC,
        &version.to_le_bytes(),
        &short("the observation", entries)?,
        &short("the list of layers", contents.layers.len())?,
        &short("the list of parameters", contents.parameters.len())?,
        &u32::try_from(length).map_err(|_| FormatError::TooLarge { field: "the file", size: length })?.to_le_bytes(),
        &contents.clip.to_le_bytes(),
        &observation_hash.finish().to_le_bytes(),
        &action_hash.finish().to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }

    let mut crc = Crc32::new();
    let mut checked = |bytes: &[u8]| {
        crc.update(bytes);
        sink(bytes);
    };
    checked(&header);
    write_body(contents, &mut checked)?;
    sink(&crc.finish().to_le_bytes());
    Ok(())
}

fn write_body(contents: &Contents<'_>, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    write_names(contents, sink)?;
    write_numbers(contents.mean, sink);
    write_numbers(contents.inverse_deviation, sink);
    if let Some(memory) = &contents.memory {
        write_layer(&memory.input, Activation::Identity, sink)?;
        write_layer(&memory.state, Activation::Identity, sink)?;
    }
    contents.layers.iter().try_for_each(|(layer, activation)| write_layer(layer, *activation, sink))?;
    write_parameters(contents, sink)?;
    contents.shield.as_ref().map_or(Ok(()), |shield| write_shield(shield, sink))
}

fn write_shield(shield: &Shield, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    let places = shield.observed.to_array().into_iter().chain(shield.steered());
    places.map(|place| short("an entry of the shield", place)).try_for_each(|place| place.map(|place| sink(&place)))?;
    shield.constants.to_array().iter().for_each(|constant| sink(&constant.to_le_bytes()));
    Ok(())
}

pub(crate) fn write_layer(
    layer: &Layer<'_>,
    activation: Activation,
    sink: &mut impl FnMut(&[u8]),
) -> Result<(), FormatError> {
    assert!(layer.outputs() > 0, "a layer has outputs");
    assert_eq!(layer.weight.len(), layer.inputs() * layer.outputs(), "weights must be [inputs, outputs]");
    sink(&short("a layer's input", layer.inputs())?);
    sink(&short("a layer's output", layer.outputs())?);
    sink(&[match activation {
        Activation::Identity => 0,
        Activation::Tanh => 1,
        Activation::Relu => 2,
    }]);
    write_numbers(layer.weight, sink);
    write_numbers(layer.bias, sink);
    Ok(())
}

fn write_names(contents: &Contents<'_>, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    contents.observation.iter().try_for_each(|name| write_text(name, sink))
}

fn write_parameters(contents: &Contents<'_>, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    for parameter in contents.parameters {
        write_text(parameter.name, sink)?;
        write_text(parameter.unit, sink)?;
        sink(&[match parameter.scale {
            Scale::Linear => 0,
            Scale::Log => 1,
        }]);
        sink(&[match parameter.group {
            Group::Fast => 0,
            Group::Slow => 1,
        }]);
        for number in [parameter.low, parameter.high, parameter.neutral, parameter.max_change] {
            sink(&number.to_le_bytes());
        }
    }
    Ok(())
}

pub(crate) fn write_text(text: &str, sink: &mut impl FnMut(&[u8])) -> Result<(), FormatError> {
    sink(&short("a text", text.len())?);
    sink(text.as_bytes());
    Ok(())
}

pub(crate) fn write_numbers(numbers: &[f32], sink: &mut impl FnMut(&[u8])) {
    numbers.iter().for_each(|number| sink(&number.to_le_bytes()));
}

pub(crate) fn short(field: &'static str, size: usize) -> Result<[u8; 2], FormatError> {
    u16::try_from(size).map(u16::to_le_bytes).map_err(|_| FormatError::TooLarge { field, size })
}
