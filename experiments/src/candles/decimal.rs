//! Decimal text to an integer count of a decimal unit, exactly: no float stands between a file and a price.

/// Why a text is not a count of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalError {
    /// It is not a decimal number.
    NotANumber,
    /// It has digits below the unit.
    TooFine,
    /// It does not fit in 64 bits.
    TooLarge,
}

/// Reads `text` as a count of `10^-places`.
///
/// Accepts a sign, a point and an exponent, as spreadsheets and data frames write them; trailing zeros below the
/// unit are fine, other digits there are an error and not rounded.
pub(crate) fn parse(text: &str, places: u32) -> Result<i64, DecimalError> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return Err(DecimalError::NotANumber);
    }
    let mut magnitude: i128 = 0;
    let mut zeros_behind = 0_u32;
    for digit in whole.bytes().chain(part.bytes()) {
        if !digit.is_ascii_digit() {
            return Err(DecimalError::NotANumber);
        }
        if digit == b'0' {
            zeros_behind += 1;
            continue;
        }
        // Zeros are multiplied in only once a digit follows, so that any number of trailing ones is harmless.
        magnitude = shift(magnitude, zeros_behind + 1)? + i128::from(digit - b'0');
        zeros_behind = 0;
    }
    if magnitude == 0 {
        return Ok(0);
    }
    let fraction = i64::try_from(part.len()).map_err(|_| DecimalError::TooLarge)?;
    let power = i64::from(exponent) + i64::from(places) + i64::from(zeros_behind) - fraction;
    if power < 0 {
        return Err(DecimalError::TooFine);
    }
    let power = u32::try_from(power).map_err(|_| DecimalError::TooLarge)?;
    let magnitude = shift(magnitude, power)?;
    i64::try_from(if negative { -magnitude } else { magnitude }).map_err(|_| DecimalError::TooLarge)
}

fn exponent(text: &str) -> Result<i32, DecimalError> {
    let value: i32 = text.parse().map_err(|_| DecimalError::NotANumber)?;
    if value.abs() > 100 { Err(DecimalError::NotANumber) } else { Ok(value) }
}

fn shift(value: i128, power: u32) -> Result<i128, DecimalError> {
    if value == 0 {
        return Ok(0);
    }
    10_i128.checked_pow(power).and_then(|ten| value.checked_mul(ten)).ok_or(DecimalError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        use DecimalError::{NotANumber, TooFine, TooLarge};
        for (text, expected) in [
            ("4261.48", Ok(4_261_480_000)),
            ("4261.48000000", Ok(4_261_480_000)),
            ("0.000001", Ok(1)),
            ("1e-05", Ok(10)),
            ("1.25E+3", Ok(1_250_000_000)),
            (".5", Ok(500_000)),
            ("7.", Ok(7_000_000)),
            ("-0.1", Ok(-100_000)),
            ("+2", Ok(2_000_000)),
            ("0", Ok(0)),
            ("000.000000000000", Ok(0)),
            ("9223372036854.775807", Ok(i64::MAX)),
            ("9223372036854.775808", Err(TooLarge)),
            ("1e40", Err(TooLarge)),
            ("1000000000000000000000000000000000000000000", Err(TooLarge)),
            ("0.0000001", Err(TooFine)),
            ("0.00002345", Err(TooFine)),
            ("", Err(NotANumber)),
            (".", Err(NotANumber)),
            ("-", Err(NotANumber)),
            ("1.2.3", Err(NotANumber)),
            ("1,5", Err(NotANumber)),
            ("NaN", Err(NotANumber)),
            ("inf", Err(NotANumber)),
            ("1e", Err(NotANumber)),
            ("1e999999", Err(NotANumber)),
            ("0x10", Err(NotANumber)),
            ("--1", Err(NotANumber)),
        ] {
            assert_eq!(parse(text, 6), expected, "{text}");
        }
    }

    #[test]
    fn no_float_stands_between_text_and_unit() {
        // 9007199254.740993 has no double: the nearest is …992.
        assert_eq!(parse("9007199254.740993", 6), Ok(9_007_199_254_740_993));
    }
}
