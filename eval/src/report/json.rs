//! The report for machines: everything, at full precision.

use crate::report::Report;

/// Reads a report back.
///
/// # Errors
/// If the text is no report of this version: the first thing that is not as it should be, with its line.
pub fn parse(text: &str) -> Result<Report, serde_json::Error> {
    serde_json::from_str(text)
}

/// Renders the whole report as indented JSON. Floats are the shortest decimals that read back as the same bits.
///
/// # Panics
/// Never: a report holds no map with keys that are not strings, and no number that JSON lacks.
#[must_use]
pub fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).expect("a report is plain data")
}
