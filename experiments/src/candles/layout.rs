//! Which column holds what.

use csv::StringRecord;

/// Indices of the six columns that are used, and the names to report faults by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Time, open, high, low, close, volume.
    pub(crate) columns: [usize; 6],
    /// The same columns as the file spells them.
    pub(crate) names: [String; 6],
    /// Cells of a row.
    pub(crate) width: usize,
    /// Whether the row that decided was a header.
    pub(crate) has_header: bool,
}

/// Accepted spellings, best first, after [`normalised`].
const TIME: [&str; 14] = [
    "ts_ms",
    "open_time",
    "open_time_ms",
    "opentime",
    "unix",
    "unix_timestamp",
    "timestamp",
    "timestamp_ms",
    "ts",
    "time",
    "datetime",
    "date",
    "t",
    "__index_level_0__",
];
const OPEN: [&str; 2] = ["open", "o"];
const HIGH: [&str; 2] = ["high", "h"];
const LOW: [&str; 2] = ["low", "l"];
const CLOSE: [&str; 2] = ["close", "c"];
const VOLUME: [&str; 4] = ["volume_base", "volume", "vol", "v"];

/// Names of the twelve columns of a Binance kline, whose files came without header until 2025.
const KLINE: [&str; 12] = [
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
];
const PLAIN: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

impl Layout {
    /// Reads the layout from the first row: a header, or numbers in one of the two well-known orders.
    ///
    /// # Errors
    /// A sentence that says which column is missing or doubled.
    pub(crate) fn detect(first: &StringRecord) -> Result<Self, String> {
        if first.iter().any(is_price) {
            let names: &[&str] = match first.len() {
                12 => &KLINE,
                6 => &PLAIN,
                width => {
                    return Err(format!("{width} columns without a header; 6 (plain) or 12 (Binance klines) would do"));
                }
            };
            return Self::from_names(names.iter().copied(), false);
        }
        Self::from_names(first.iter(), true)
    }

    /// Finds the six columns by name.
    ///
    /// # Errors
    /// A sentence that says which column is missing or doubled.
    pub(crate) fn from_names<'a>(names: impl Iterator<Item = &'a str>, has_header: bool) -> Result<Self, String> {
        let raw: Vec<&str> = names.map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
        let normal: Vec<String> = raw.iter().map(|name| normalised(name)).collect();
        let mut missing = Vec::new();
        let mut columns = [0; 6];
        for (column, (wanted, spellings)) in columns.iter_mut().zip([
            ("time", &TIME[..]),
            ("open", &OPEN),
            ("high", &HIGH),
            ("low", &LOW),
            ("close", &CLOSE),
            ("volume", &VOLUME),
        ]) {
            let by_name = spellings.iter().find_map(|spelling| normal.iter().position(|name| name == spelling));
            // `Volume BTC`, then `Volume USD`: the first is the base coin by that site's convention. Alone, either will do.
            let by_prefix = || normal.iter().position(|name| wanted == "volume" && name.starts_with("volume"));
            match by_name.or_else(by_prefix) {
                None => missing.push(wanted),
                Some(at) if normal.iter().skip(at + 1).any(|name| *name == normal[at]) => {
                    return Err(format!("the column `{}` stands there twice", raw[at]));
                }
                Some(at) => *column = at,
            }
        }
        if !missing.is_empty() {
            return Err(format!("no column for {}; found {}", missing.join(", "), raw.join(", ")));
        }
        let names = columns.map(|at| raw[at].to_owned());
        Ok(Self { columns, names, width: raw.len(), has_header })
    }
}

/// Whether a row is a site's remark above the header and not a row of cells.
pub(crate) fn is_comment(row: &StringRecord) -> bool {
    let first = row.get(0).unwrap_or_default().trim_start_matches('\u{feff}').trim();
    first.starts_with('#') || first.starts_with("http://") || first.starts_with("https://")
}

fn normalised(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

fn is_price(cell: &str) -> bool {
    cell.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(row: &str) -> Result<Layout, String> {
        Layout::detect(&StringRecord::from(row.split(',').collect::<Vec<_>>()))
    }

    #[test]
    fn known_layouts_are_told_apart() {
        for (row, columns, has_header) in [
            ("ts_ms,open,high,low,close,volume_usd", [0, 1, 2, 3, 4, 5], true),
            ("\u{feff}Timestamp,Open,High,Low,Close,Volume", [0, 1, 2, 3, 4, 5], true),
            ("1583971200000,1,2,1,2,3,1583971259999,5,6,7,8,0", [0, 1, 2, 3, 4, 5], false),
            ("2020-03-12,1,2,1,2,3", [0, 1, 2, 3, 4, 5], false),
            ("unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount", [0, 3, 4, 5, 6, 7], true),
            ("volume,close,low,high,open,date", [5, 4, 3, 2, 1, 0], true),
        ] {
            let layout = detect(row).unwrap();
            assert_eq!((layout.columns, layout.has_header), (columns, has_header), "{row}");
        }
        assert_eq!(
            detect("unix,date,symbol,open,high,low,close,Volume BTC,Volume USD").unwrap().names[5],
            "Volume BTC"
        );
    }

    #[test]
    fn missing_and_doubled_columns_are_named() {
        assert_eq!(
            detect("ts_ms,open,high,close").unwrap_err(),
            "no column for low, volume; found ts_ms, open, high, close"
        );
        assert_eq!(detect("date,open,open,high,low,close,volume").unwrap_err(), "the column `open` stands there twice");
        assert!(detect("1583971200,1,2,1,2").unwrap_err().starts_with("5 columns without a header"));
    }
}
