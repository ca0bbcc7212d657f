//! Numbers as reports print them. Machine files hold full precision instead.

use crate::metric::Unit;
use crate::statistics::Estimate;

/// A value of a metric: basis points and percentages to one decimal, anything else to three significant digits.
pub(super) fn of_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::OpenInterestBp | Unit::PriceBp | Unit::Percent => decimals(value, 1),
        Unit::Reward | Unit::Ratio | Unit::Count | Unit::Ticks => significant(value),
    }
}

/// `value [low, high]`, or the value alone if it has no interval.
pub(super) fn estimate(estimate: &Estimate, unit: Unit) -> String {
    let value = of_unit(estimate.value, unit);
    let ends = |low, high| format!("{value} [{}, {}]", of_unit(low, unit), of_unit(high, unit));
    estimate.interval.map_or_else(|| value.clone(), |interval| ends(interval.low, interval.high))
}

/// Three significant digits, thousands separated; very small magnitudes in powers of ten.
pub(super) fn significant(value: f64) -> String {
    let scientific = format!("{value:.2e}");
    let (_, exponent) = scientific.split_once('e').expect("scientific notation has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a whole number");
    match exponent {
        ..-4 => scientific,
        -4..2 => decimals(value, usize::try_from(2 - exponent).expect("at most six decimals")),
        _ => decimals(scientific.parse().expect("printed as a number"), 0),
    }
}

/// A share as a percentage with one decimal.
pub(super) fn percentage(share: f64) -> String {
    decimals(100.0 * share, 1)
}

/// Fixed decimals, thousands separated; never a negative zero.
pub(super) fn decimals(value: f64, decimals: usize) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, part) = plain.split_once('.').map_or((plain.as_str(), ""), |(whole, part)| (whole, part));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let zero = plain.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if value < 0.0 && !zero { "-" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{part}")
}

/// A setting as it was given, without trailing zeros.
pub(super) fn short(value: f64, places: usize) -> String {
    without_zeros(&decimals(value, places))
}

/// A decimal without zeros that say nothing.
pub(super) fn without_zeros(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_significant_digits_whatever_the_magnitude() {
        for (value, text) in [
            (0.0, "0.00"),
            (1.0, "1.00"),
            (9.996, "10.0"),
            (-12.345, "-12.3"),
            (123.4, "123"),
            (-1_234_567.0, "-1,230,000"),
            (0.012_34, "0.0123"),
            (0.000_123_4, "0.000123"),
            (-0.000_012_34, "-1.23e-5"),
        ] {
            assert_eq!(significant(value), text);
        }
    }

    #[test]
    fn thousands_are_separated_and_zero_has_no_sign() {
        assert_eq!(decimals(-1_234.56, 1), "-1,234.6");
        assert_eq!(decimals(999.96, 1), "1,000.0");
        assert_eq!(decimals(-0.04, 1), "0.0");
        assert_eq!(percentage(0.1234), "12.3");
    }
}
