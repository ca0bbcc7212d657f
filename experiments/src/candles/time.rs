//! The time column: which unit a stamp is in, and the date or number that a window is cut at.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::decimal;

/// 2000-01-01 and 2100-01-01 UTC in seconds: a stamp outside is a row number, a price or a mistake.
const SECONDS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// How a file writes its times. The four numeric ranges do not overlap, so magnitude alone tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeUnit {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Microseconds since 1970.
    Microseconds,
    /// Nanoseconds since 1970.
    Nanoseconds,
    /// ISO 8601; without an offset it is UTC.
    Iso,
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
            Self::Iso => "ISO 8601",
        })
    }
}

/// Why a text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeError {
    /// Neither a number of a known unit between 2000 and 2100 nor ISO 8601.
    Unknown,
    /// It has a part below a millisecond.
    SubMillisecond,
}

/// Reads a time of any accepted form as milliseconds since 1970, UTC.
pub(crate) fn parse(text: &str) -> Result<(i64, TimeUnit), TimeError> {
    // Data frames write integers that once met a missing value as `1583971200.0`.
    if let Ok(number) = decimal::parse(text, 0) {
        return from_number(number);
    }
    let nanoseconds = iso_nanoseconds(text).ok_or(TimeError::Unknown)?;
    let milliseconds = i64::try_from(nanoseconds.div_euclid(1_000_000)).map_err(|_| TimeError::Unknown)?;
    if nanoseconds.rem_euclid(1_000_000) != 0 {
        return Err(TimeError::SubMillisecond);
    }
    if SECONDS.contains(&milliseconds.div_euclid(1_000)) {
        Ok((milliseconds, TimeUnit::Iso))
    } else {
        Err(TimeError::Unknown)
    }
}

fn from_number(number: i64) -> Result<(i64, TimeUnit), TimeError> {
    for (unit, per_second) in [
        (TimeUnit::Seconds, 1),
        (TimeUnit::Milliseconds, 1_000),
        (TimeUnit::Microseconds, 1_000_000),
        (TimeUnit::Nanoseconds, 1_000_000_000),
    ] {
        if !SECONDS.contains(&number.div_euclid(per_second)) {
            continue;
        }
        if per_second == 1 {
            return Ok((number * 1_000, unit));
        }
        let per_millisecond = per_second / 1_000;
        if number.rem_euclid(per_millisecond) != 0 {
            return Err(TimeError::SubMillisecond);
        }
        return Ok((number.div_euclid(per_millisecond), unit));
    }
    Err(TimeError::Unknown)
}

fn iso_nanoseconds(text: &str) -> Option<i128> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp.as_nanosecond());
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0))).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_nanosecond())
}

/// Prints milliseconds since 1970 as `2020-03-12T10:00:00Z`.
pub(crate) fn show(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map_or_else(|_| format!("{milliseconds} ms"), |stamp| stamp.to_string())
}

/// Prints a duration in the largest unit that divides it: `5m`, `1h`, `90s`.
pub(crate) fn show_duration(milliseconds: i64) -> String {
    for (size, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if milliseconds != 0 && milliseconds % size == 0 {
            return format!("{}{name}", milliseconds / size);
        }
    }
    format!("{milliseconds}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: i64 = 1_583_971_200_000; // 2020-03-12T00:00:00Z

    #[test]
    fn every_accepted_form_of_one_moment_agrees() {
        for (text, unit) in [
            ("1583971200", TimeUnit::Seconds),
            ("1583971200.0", TimeUnit::Seconds),
            ("1583971200000", TimeUnit::Milliseconds),
            ("1583971200000000", TimeUnit::Microseconds),
            ("1583971200000000000", TimeUnit::Nanoseconds),
            ("2020-03-12", TimeUnit::Iso),
            ("2020-03-12 00:00:00", TimeUnit::Iso),
            ("2020-03-12T00:00", TimeUnit::Iso),
            ("2020-03-12T00:00:00Z", TimeUnit::Iso),
            ("2020-03-12T01:00:00+01:00", TimeUnit::Iso),
            ("2020-03-12 00:00:00+00:00", TimeUnit::Iso),
        ] {
            assert_eq!(parse(text), Ok((MIDNIGHT, unit)), "{text}");
        }
    }

    #[test]
    fn row_numbers_prices_and_fractions_are_no_times() {
        for text in
            ["0", "17", "45000.5", "-1583971200", "1.58397E+12x", "12/03/2020", "", "2020-03-12 04-PM", "1999-12-31"]
        {
            assert_eq!(parse(text), Err(TimeError::Unknown), "{text}");
        }
        assert_eq!(parse("1583971200000001"), Err(TimeError::SubMillisecond));
        assert_eq!(parse("2020-03-12T00:00:00.0001Z"), Err(TimeError::SubMillisecond));
    }

    #[test]
    fn durations_print_in_the_largest_unit() {
        assert_eq!(show_duration(300_000), "5m");
        assert_eq!(show_duration(3_600_000), "1h");
        assert_eq!(show_duration(90_000), "90s");
        assert_eq!(show_duration(1_500), "1500ms");
        assert_eq!(show(MIDNIGHT), "2020-03-12T00:00:00Z");
    }
}
