//! Historical candles: from other people's files to checked bars with integer prices.
//!
//! Accepted layouts, as CSV (also `;` or tab), gzipped CSV or Parquet, told apart by their first bytes:
//!
//! | layout | columns |
//! |---|---|
//! | Binance klines | 12 columns with or without header |
//! | plain | `timestamp,open,high,low,close,volume` with or without header |
//! | with named volume | `ts_ms,open,high,low,close,volume_base` or `volume_usd` |
//! | `CryptoDataDownload` | a comment line, then `unix,date,symbol,open,high,low,close,Volume …`, newest first |
//!
//! Any other order of columns works if a header names them. A time is the *open* of its bar. A strictly descending
//! file is accepted, turned round and reported; anything in between is an error. Rows outside the window are not
//! examined, so a hole elsewhere in a long file does no harm.
//!
//! What is deliberately not here: resampling, filling with anything but the last close, and guessing.

mod check;
mod columnar;
mod decimal;
pub(crate) mod fault;
mod layout;
pub(crate) mod text;
pub(crate) mod time;
mod window;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use seawall_env::world::{Bar, ReplaySeries, Segment};

pub(crate) use self::check::{Gaps, Report};
use self::fault::Faults;
pub(crate) use self::window::{Window, parse_end};

/// A file's bars, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// Length of a bar in milliseconds.
    pub(crate) bar_ms: i64,
    /// Runs of bars without a gap, in the order of time; one unless the file was split.
    pub(crate) segments: Vec<Vec<Bar>>,
    /// What was found and decided.
    pub(crate) report: Report,
}

impl Series {
    /// The bars as the market replays them.
    ///
    /// # Errors
    /// Whatever the market finds wrong; nothing, unless the checks here and there disagree.
    pub(crate) fn into_replay(self) -> Result<ReplaySeries, seawall_env::Error> {
        ReplaySeries::new(self.segments.into_iter().map(|bars| Segment { bars }).collect(), self.bar_ms)
    }
}

/// Why a file of candles was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CandleError {
    /// The file cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is of a kind that is not read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found and what to do.
        reason: String,
    },
    /// The columns cannot be told.
    #[error("{}: cannot tell the columns from line {line}: {reason}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// Where the header was looked for.
        line: u64,
        /// What is missing or doubled.
        reason: String,
    },
    /// Rows are wrong; all of them are listed.
    #[error("{}: {faults}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The faults.
        faults: Faults,
    },
    /// Fewer than two bars are left.
    #[error("{}: {rows} bars {window}; at least 2 are needed{hint}", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// Bars inside the window.
        rows: usize,
        /// The window, in words.
        window: String,
        /// The span of the file, in words, when the window missed it.
        hint: String,
    },
}

/// Reads and checks the bars of `path` inside `window`.
///
/// # Errors
/// [`CandleError`], naming every fault of the file at once.
pub(crate) fn read(path: &Path, window: &Window, gaps: Gaps) -> Result<Series, CandleError> {
    let failed = |source| CandleError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0_u8; 4];
    let length = read_up_to(&mut file, &mut magic).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let collector = check::Collector::new(path, *window);
    let collector = match &magic[..length] {
        b"PAR1" => columnar::read(path, file, collector)?,
        b"PK\x03\x04" => return Err(unreadable(path, "a zip archive: unpack it and name the file inside")),
        b"ARRO" => return Err(unreadable(path, "a Feather (Arrow) file: save it as Parquet or CSV")),
        [0x1f, 0x8b, ..] => text::read(path, flate2::read::MultiGzDecoder::new(file), collector)?,
        [] => return Err(unreadable(path, "an empty file")),
        _ => text::read(path, file, collector)?,
    };
    collector.finish(gaps)
}

fn unreadable(path: &Path, reason: &str) -> CandleError {
    CandleError::Unreadable { path: path.to_owned(), reason: reason.to_owned() }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
