//! Delimited text, plain or already decompressed.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::CandleError;
use super::check::Collector;
use super::layout::{self, Layout};

/// Feeds every row of `input` to `collector`.
///
/// # Errors
/// [`CandleError::Read`] if the bytes end early or are not text, [`CandleError::Columns`] if the first row tells
/// nothing.
pub(crate) fn read(path: &Path, input: impl Read, mut collector: Collector) -> Result<Collector, CandleError> {
    let failed = |source| CandleError::Read { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(1 << 16, input);
    let delimiter = delimiter(input.fill_buf().map_err(failed)?);
    let mut rows = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(input);
    let mut row = StringRecord::new();
    while rows.read_record(&mut row).map_err(|error| failed(unreadable(error)))? {
        let line = row.position().map_or(0, csv::Position::line);
        if collector.has_layout() {
            collector.push(line, &row);
            continue;
        }
        if layout::is_comment(&row) {
            collector.skip_comment(&row.iter().collect::<Vec<_>>().join(","));
            continue;
        }
        let layout =
            Layout::detect(&row).map_err(|reason| CandleError::Columns { path: path.to_owned(), line, reason })?;
        let is_data = !layout.has_header;
        collector.set_layout(layout, "line");
        if is_data {
            collector.push(line, &row);
        }
    }
    Ok(collector)
}

/// The most frequent of comma, semicolon and tab at the beginning.
pub(crate) fn delimiter(beginning: &[u8]) -> u8 {
    let count = |wanted: u8| beginning.iter().filter(|byte| **byte == wanted).count();
    // `max_by_key` keeps the last of equals, so that the comma wins a tie.
    b"\t;,".iter().copied().max_by_key(|byte| count(*byte)).unwrap_or(b',')
}

pub(crate) fn unreadable(error: csv::Error) -> io::Error {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        ErrorKind::Io(source) => source,
        ErrorKind::Utf8 { .. } => {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not text in UTF-8"))
        }
        other => io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {other:?}")),
    }
}
