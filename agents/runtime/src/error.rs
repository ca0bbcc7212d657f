//! What can go wrong: bytes that are no policy, and inputs that no policy may act on.

use core::fmt;

/// Why bytes are not a policy, or not its conformance vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes end inside the field that starts at `position`.
    Truncated {
        /// Offset of the field, in bytes.
        position: usize,
    },
    /// The bytes do not start with the format's magic.
    Magic,
    /// The schema version is none that is read here.
    Version {
        /// The version found.
        found: u16,
    },
    /// The header's length is not the number of bytes.
    Length {
        /// Length by the header.
        header: u32,
        /// Number of bytes given.
        bytes: usize,
    },
    /// The checksum at the end does not belong to the bytes before it.
    Checksum {
        /// Checksum by the file.
        stored: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// Bytes are left over between the last section and the checksum.
    Excess {
        /// Offset of the first of them.
        position: usize,
    },
    /// A list that must have an entry is empty.
    Empty {
        /// Which list.
        list: &'static str,
    },
    /// A text is empty or not UTF-8.
    Text {
        /// Offset of the text, in bytes.
        position: usize,
    },
    /// Two entries of a list have one name.
    Duplicate {
        /// Which list.
        list: &'static str,
        /// Index of the second of them.
        index: usize,
    },
    /// A number that must be finite is not, or one that must be positive is not.
    Number {
        /// Offset of the number or of the block that holds it, in bytes.
        position: usize,
    },
    /// A byte that names one of a few choices names none of them.
    Choice {
        /// Which choice.
        field: &'static str,
        /// The byte found.
        found: u8,
    },
    /// A list that this build knows by heart has other entries.
    List {
        /// Which list.
        list: &'static str,
        /// Index of the first that differs.
        index: usize,
    },
    /// A layer does not fit to what stands before or behind it.
    Shape {
        /// Index of the layer.
        layer: usize,
        /// Width that it should have on that side.
        expected: usize,
        /// Width that it has.
        found: usize,
    },
    /// A parameter's numbers contradict each other: see [`crate::format`] for what must hold.
    Bounds {
        /// Index of the parameter.
        parameter: usize,
    },
    /// A shield cannot promise what it is for: see [`crate::format`] for what must hold.
    Shield {
        /// What of it is wrong.
        field: &'static str,
    },
    /// A list does not have the hash that the header says.
    Hash {
        /// Which list.
        list: &'static str,
        /// Hash by the header.
        stored: u64,
        /// Hash of the list.
        computed: u64,
    },
    /// Something does not fit into the width that the format gives it.
    TooLarge {
        /// What it is.
        field: &'static str,
        /// Its size.
        size: usize,
    },
    /// Vectors were made for another policy.
    OtherPolicy {
        /// Checksum of the policy that they were made for.
        expected: u32,
        /// Checksum of the policy at hand.
        found: u32,
    },
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { position } => write!(f, "the bytes end inside the field at offset {position}"),
            Self::Magic => write!(f, "the bytes do not start with the magic of this format"),
            Self::Version { found } => {
                write!(f, "schema version {found} is none that this build reads: {:?}", crate::format::VERSIONS)
            }
            Self::Length { header, bytes } => write!(f, "the header says {header} bytes, there are {bytes}"),
            Self::Checksum { stored, computed } => {
                write!(f, "the checksum is {stored:08x}, the bytes have {computed:08x}")
            }
            Self::Excess { position } => write!(f, "bytes are left over from offset {position}"),
            Self::Empty { list } => write!(f, "the list of {list} is empty"),
            Self::Text { position } => write!(f, "the text at offset {position} is empty or not UTF-8"),
            Self::Duplicate { list, index } => write!(f, "entry {index} of the {list} repeats a name"),
            Self::Number { position } => {
                write!(f, "a number at or after offset {position} is not finite, or not positive where it must be")
            }
            Self::Choice { field, found } => write!(f, "{found} names no {field}"),
            Self::List { list, index } => write!(f, "entry {index} of the {list} is none that this build computes"),
            Self::Shape { layer, expected, found } => {
                write!(f, "layer {layer} has width {found} where {expected} is needed")
            }
            Self::Bounds { parameter } => write!(f, "the bounds of parameter {parameter} contradict each other"),
            Self::Shield { field } => write!(f, "the shield's {field} is not what it must be"),
            Self::Hash { list, stored, computed } => {
                write!(f, "the hash of the {list} is {stored:016x}, the list has {computed:016x}")
            }
            Self::TooLarge { field, size } => write!(f, "{field} of size {size} does not fit into the format"),
            Self::OtherPolicy { expected, found } => {
                write!(f, "the vectors belong to policy {expected:08x}, this one is {found:08x}")
            }
        }
    }
}

impl core::error::Error for FormatError {}

/// Why a policy did not act: the engine then runs with [`crate::Policy::fallback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActError {
    /// A buffer has the wrong length.
    Length {
        /// Which buffer.
        buffer: &'static str,
        /// Length that it should have; for scratch, at least.
        expected: usize,
        /// Length that it has.
        found: usize,
    },
    /// An entry of the observation is missing, that is NaN, or infinite.
    Observation {
        /// Index of the entry.
        index: usize,
    },
    /// The network overflowed: an entry of its output is not finite.
    Overflow {
        /// Index of the entry.
        index: usize,
    },
    /// A bar's number is not finite, not positive where it must be, or contradicts another: see [`crate::bars::Tape::push`].
    Bar {
        /// Which number.
        field: &'static str,
    },
    /// An entry of an action is not in `[-1, 1]`.
    Action {
        /// Index of the entry.
        index: usize,
    },
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length { buffer, expected, found } => {
                write!(f, "the {buffer} has {found} entries, {expected} are needed")
            }
            Self::Observation { index } => write!(f, "entry {index} of the observation is not finite"),
            Self::Overflow { index } => write!(f, "entry {index} of the network's output is not finite"),
            Self::Bar { field } => write!(f, "the bar's {field} is not what a bar can have"),
            Self::Action { index } => write!(f, "entry {index} of the action is not in [-1, 1]"),
        }
    }
}

impl core::error::Error for ActError {}
