//! The part of a file that is wanted.

use std::fmt;

use super::time;

/// Bars that open at or after `from` and before `to`; an absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// First moment, milliseconds since 1970, UTC.
    pub(crate) from_ms: Option<i64>,
    /// First moment after the window.
    pub(crate) to_ms: Option<i64>,
}

impl Window {
    /// Whether a bar that opens at `open_time_ms` lies inside.
    pub(crate) fn contains(&self, open_time_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| open_time_ms >= from) && self.to_ms.is_none_or(|to| open_time_ms < to)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from_ms, self.to_ms) {
            (None, None) => f.write_str("in the file"),
            (Some(from), None) => write!(f, "from {}", time::show(from)),
            (None, Some(to)) => write!(f, "before {}", time::show(to)),
            (Some(from), Some(to)) => write!(f, "from {} to {}", time::show(from), time::show(to)),
        }
    }
}

/// Reads an end of a window as an argument: a UTC date, an ISO 8601 time, or a number since 1970.
pub(crate) fn parse_end(text: &str) -> Result<i64, String> {
    time::parse(text)
        .map(|(milliseconds, _)| milliseconds)
        .map_err(|_| "expected a UTC date such as 2020-03-12, an ISO 8601 time, or milliseconds since 1970".to_owned())
}
