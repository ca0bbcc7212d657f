//! Tables and numbers on a terminal.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

/// Lays out rows under a header; the first column is text, all others are numbers and stand to the right.
pub(crate) fn table<H: AsRef<str>>(header: &[H], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().map(AsRef::as_ref));
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Lays out rows of text under a header.
pub(crate) fn text_table<H: AsRef<str>>(header: &[H], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().map(AsRef::as_ref));
    table.add_rows(rows);
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A number with three significant digits and thousands separators, without exponent from a millionth to a billion.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e12).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let digits = if magnitude == 0.0 { 0.0 } else { libm::floor(libm::log10(magnitude)) };
    let decimals = [(2.0, 0), (1.0, 1), (0.0, 2), (-1.0, 3), (-2.0, 4), (-3.0, 5), (-4.0, 6), (-5.0, 7)]
        .into_iter()
        .find(|(bound, _)| digits >= *bound)
        .map_or(8, |(_, decimals)| decimals);
    let text = format!("{value:.decimals$}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let grouped = thousands(whole);
    if part.is_empty() { grouped } else { format!("{grouped}.{part}") }
}

/// `mean [low, high]`.
pub(crate) fn interval(mean: f64, low: f64, high: f64) -> String {
    format!("{} [{}, {}]", number(mean), number(low), number(high))
}

fn thousands(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits_and_separators() {
        for (value, text) in [
            (0.0, "0.00"),
            (1_234_567.0, "1,234,567"),
            (-1_234.5, "-1,234"),
            (123.4, "123"),
            (12.34, "12.3"),
            (-1.236, "-1.24"),
            (0.012_345, "0.0123"),
            (0.000_001_234, "0.00000123"),
            (3e-9, "3.00e-9"),
            (4e13, "4.00e13"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(interval(1.0, -2.0, 1_500.0), "1.00 [-2.00, 1,500]");
    }

    #[test]
    fn figures_stand_to_the_right_of_names() {
        let text = table(&["policy", "return"], [vec!["gen1".into(), "-1.5".into()], vec!["ppo".into(), "10".into()]]);
        assert!(text.lines().any(|line| line.ends_with("    10")), "{text}");
    }
}
