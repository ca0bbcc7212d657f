//! What is wrong with a file of candles: every fault with its place, its value and the bound that it broke.

use std::fmt;

use super::time;

/// One cell or row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Line of the text file, or row of the Parquet file, from 1.
    pub(crate) line: u64,
    /// Name of the column as the file spells it.
    pub(crate) column: String,
    /// The offending text.
    pub(crate) value: String,
    /// The bound that it breaks.
    pub(crate) kind: FaultKind,
}

/// The bound that a cell or row breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// The row has another number of cells than the first.
    Cells { expected: usize },
    /// The cell is empty.
    Empty,
    /// Not a decimal number.
    NotANumber,
    /// A price of zero or less.
    NotPositive,
    /// A volume below zero.
    Negative,
    /// A price with digits below a millionth.
    TooFine,
    /// A price that does not fit.
    TooLarge,
    /// Not a time in any accepted form.
    NotATime,
    /// A time with a part below a millisecond.
    SubMillisecond,
    /// The low stands above the open or the close.
    LowAboveBody { limit: String },
    /// The high stands below the open or the close.
    HighBelowBody { limit: String },
    /// The same time as an earlier row.
    Duplicate { line: u64 },
    /// Against the file's direction of time.
    OutOfOrder { line: u64, descending: bool },
    /// Not a whole number of bars after its predecessor.
    OffGrid { line: u64, bar_ms: i64 },
    /// Bars are missing before this one.
    Gap { line: u64, missing: i64, bar_ms: i64 },
    /// More bars would be held than were read.
    HeldOutnumberRead { held: i64 },
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cells { expected } => write!(f, "{expected} cells, like the first row"),
            Self::Empty => f.write_str("present"),
            Self::NotANumber => f.write_str("a decimal number"),
            Self::NotPositive => f.write_str("above 0"),
            Self::Negative => f.write_str("at least 0"),
            Self::TooFine => f.write_str("a multiple of 0.000001"),
            Self::TooLarge => f.write_str("below 9.2e12"),
            Self::NotATime => f.write_str("a time from 2000 to 2099 in s, ms, µs or ns since 1970 or in ISO 8601"),
            Self::SubMillisecond => f.write_str("a whole number of milliseconds"),
            Self::LowAboveBody { limit } => write!(f, "at most the lower of open and close, {limit}"),
            Self::HighBelowBody { limit } => write!(f, "at least the higher of open and close, {limit}"),
            Self::Duplicate { line } => write!(f, "a new time: it repeats line {line}"),
            Self::OutOfOrder { line, descending: false } => write!(f, "later than line {line}: sort the rows by time"),
            Self::OutOfOrder { line, descending: true } => {
                write!(f, "earlier than line {line} in this newest-first file: sort the rows by time")
            }
            Self::OffGrid { line, bar_ms } => {
                write!(
                    f,
                    "a whole number of {} bars from line {line} (accept with --gaps split)",
                    time::show_duration(*bar_ms)
                )
            }
            Self::Gap { line, missing, bar_ms } => write!(
                f,
                "{} after line {line}: {missing} bars are missing (accept with --gaps hold or --gaps split)",
                time::show_duration(*bar_ms)
            ),
            Self::HeldOutnumberRead { held } => {
                write!(f, "a smaller gap: {held} held bars would outnumber those read (use --gaps split or a window)")
            }
        }
    }
}

/// Faults printed in full; the rest is counted.
const SHOWN: usize = 20;

/// Every fault of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// In the order of their lines.
    pub(crate) all: Vec<Fault>,
    /// Rows that were examined.
    pub(crate) rows: usize,
    /// What the file counts: `line` in text, `row` in Parquet.
    pub(crate) counted: &'static str,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.all.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural} in {} rows", self.all.len(), self.rows)?;
        for fault in self.all.iter().take(SHOWN) {
            let Fault { line, column, value, kind } = fault;
            write!(f, "\n  {} {line}, {column} = {value}: must be {kind}", self.counted)?;
        }
        if self.all.len() > SHOWN {
            write!(f, "\n  and {} more", self.all.len() - SHOWN)?;
        }
        Ok(())
    }
}
