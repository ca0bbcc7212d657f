//! Standard output, for results: what a pipe reads.

use std::io::{self, Write};

/// Prints a text and ends its line.
///
/// # Errors
/// If nobody reads any more, or the disk behind a redirection is full.
pub(crate) fn show(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a sentence beside the results; that nobody reads it is no failure.
pub(crate) fn remark(sentence: &str) {
    let _ = writeln!(io::stderr().lock(), "{sentence}");
}
