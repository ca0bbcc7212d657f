//! Real series beside candles: funding, marks, depth, open interest, liquidations, trades, macro, margin brackets.
//!
//! A file is told by the names of its columns, and checked like candles: every fault at once with line, column and value.
//! Candles themselves go to [`crate::candles`]. Nothing is resampled or filled here, and an empty cell stays empty.

mod shape;
mod table;

use std::path::Path;

use seawall_env::world::Bar;

use crate::candles::{self, CandleError, Gaps, Window};
pub(crate) use shape::Kind;
pub(crate) use table::Table;

/// One file, read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Dataset {
    /// Name of the file, without its folder.
    pub(crate) source: String,
    /// What is in it.
    pub(crate) content: Content,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bars with volume.
    Candles(candles::Series),
    /// Anything else.
    Table(Table),
}

/// Reads a file of any known layout, inside `window`.
///
/// # Errors
/// [`CandleError`], naming every fault of the file at once, or what its columns are if they are of no known layout.
pub(crate) fn read(path: &Path, window: &Window, gaps: Gaps) -> Result<Dataset, CandleError> {
    let source =
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let content = match table::open(path)? {
        Some(rows) => Content::Table(rows.read(window, gaps)?),
        None => Content::Candles(candles::read(path, window, gaps)?),
    };
    Ok(Dataset { source, content })
}

impl Dataset {
    /// Runs of bars, if these are candles.
    pub(crate) fn bars(&self) -> Option<(&[Vec<Bar>], i64)> {
        match &self.content {
            Content::Candles(series) => Some((&series.segments, series.bar_ms)),
            Content::Table(_) => None,
        }
    }

    /// The table, if it is of that kind.
    pub(crate) fn table(&self, kind: Kind) -> Option<&Table> {
        match &self.content {
            Content::Table(table) if table.kind == kind => Some(table),
            _ => None,
        }
    }

    /// What it is and what was found, in a sentence.
    pub(crate) fn summary(&self) -> String {
        match &self.content {
            Content::Candles(series) => format!("{}: {}", self.source, series.report.lines().join("; ")),
            Content::Table(table) => format!("{}: {}", self.source, table.summary()),
        }
    }
}

#[cfg(test)]
mod tests;
