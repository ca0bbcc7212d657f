use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use seawall_env::units::Price;
use tempfile::NamedTempFile;

use super::fault::{Fault, FaultKind};
use super::time::TimeUnit;
use super::*;

const HEADER: &str = "ts_ms,open,high,low,close,volume_base\n";

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn read_with(text: &str, window: &Window, gaps: Gaps) -> Result<Series, CandleError> {
    read(file(text.as_bytes()).path(), window, gaps)
}

fn read_text(text: &str) -> Result<Series, CandleError> {
    read_with(text, &Window::default(), Gaps::Error)
}

/// A minute bar that is sound, at minute `k` of 2020-03-12.
fn bar(k: i64) -> String {
    format!("{},100,101,99,100.5,2\n", minute(k))
}

fn minute(k: i64) -> i64 {
    1_583_971_200_000 + 60_000 * k
}

fn bars(minutes: impl IntoIterator<Item = i64>) -> String {
    minutes.into_iter().fold(HEADER.to_owned(), |text, k| text + &bar(k))
}

fn faults(text: &str) -> Vec<Fault> {
    match read_text(text) {
        Err(CandleError::Rows { faults, .. }) => faults.all,
        other => panic!("{other:?}"),
    }
}

fn price(text: &str) -> Price {
    Price::from_raw(decimal::parse(text, 6).unwrap())
}

#[test]
fn layouts_of_other_people_give_the_same_bars() {
    let expected = [
        Bar {
            open_time_ms: minute(0),
            open: price("7938.05"),
            high: price("7939"),
            low: price("7930.000001"),
            close: price("7931.5"),
            volume: 12.5,
        },
        Bar {
            open_time_ms: minute(1),
            open: price("7931.5"),
            high: price("7931.5"),
            low: price("7900"),
            close: price("7900"),
            volume: 0.0,
        },
    ];
    let klines = "1583971200000,7938.05000000,7939.00000000,7930.00000100,7931.50000000,12.5,1583971259999,1,2,3,4,0\n\
                  1583971260000,7931.5,7931.5,7900,7900,0,1583971319999,1,2,3,4,0\n";
    let microseconds =
        klines.replace("1583971200000,", "1583971200000000,").replace("1583971260000,", "1583971260000000,");
    let named = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    for (text, unit, reversed) in [
        (klines.to_owned(), TimeUnit::Milliseconds, false),
        (microseconds, TimeUnit::Microseconds, false),
        (format!("{named}{klines}"), TimeUnit::Milliseconds, false),
        (
            "timestamp,open,high,low,close,volume\r\n1583971200,7938.05,7939,7930.000001,7931.5,12.5\r\n\
             1583971260,7931.5,7931.5,7900,7900,0\r\n"
                .to_owned(),
            TimeUnit::Seconds,
            false,
        ),
        (
            "\u{feff}Date;Open;High;Low;Close;Volume\n2020-03-12 00:00:00;7938.05;7939;7930.000001;7931.5;12.5\n\
             2020-03-12 00:01:00;7931.5;7931.5;7900;7900;0\n"
                .to_owned(),
            TimeUnit::Iso,
            false,
        ),
        (
            "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n\
             1583971260000,2020-03-12 00:01:00,BTC/USD,7931.5,7931.5,7900,7900,0,0\n\
             1583971200000,2020-03-12 00:00:00,BTC/USD,7938.05,7939,7930.000001,7931.5,12.5,99222\n"
                .to_owned(),
            TimeUnit::Milliseconds,
            true,
        ),
    ] {
        let series = read_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(series.segments, [expected.to_vec()], "{text}");
        assert_eq!(series.bar_ms, 60_000);
        assert_eq!((series.report.units.first(), series.report.reversed), (Some(&unit), reversed), "{text}");
    }
}

#[test]
fn what_was_decided_is_reported_in_words() {
    let text = "https://example.org\nunix,open,high,low,close,Volume BTC,Volume USD\n\
                1583971320,1,1,1,1,0,5\n1583971200,1,1,1,1,3,5\n1583971140,1,1,1,1,3,5\n";
    let series = read_with(text, &Window::default(), Gaps::Hold).unwrap();
    assert_eq!(
        series.report.lines(),
        [
            "3 bars of 1m from 2020-03-11T23:59:00Z to 2020-03-12T00:02:00Z (times in seconds, volume from `Volume BTC`)",
            "skipped the remark `https://example.org`",
            "the file runs from newest to oldest; turned round",
            "1 bars without volume",
            "1 gaps, 1 missing bars: held at the last close",
        ]
    );
}

#[test]
fn gzip_is_recognised_by_its_bytes_and_a_cut_one_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bars(0..500).as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let whole = read(file(&bytes).path(), &Window::default(), Gaps::Error).unwrap();
    assert_eq!(whole.segments[0].len(), 500);
    let cut = read(file(&bytes[..bytes.len() / 2]).path(), &Window::default(), Gaps::Error);
    assert!(matches!(cut, Err(CandleError::Read { .. })), "{cut:?}");
}

#[test]
fn every_kind_of_bad_cell_is_named_with_line_column_value_and_bound() {
    let stamp = minute(1);
    for (cells, column, kind) in [
        (format!("{stamp},abc,101,99,100,2"), "open", FaultKind::NotANumber),
        (format!("{stamp},NaN,101,99,100,2"), "open", FaultKind::NotANumber),
        (format!("{stamp},100,101,0,100,2"), "low", FaultKind::NotPositive),
        (format!("{stamp},100,101,-99,100,2"), "low", FaultKind::NotPositive),
        (format!("{stamp},100,101,-0.00000001,100,2"), "low", FaultKind::NotPositive),
        (format!("{stamp},100,101,99,0.00002345,2"), "close", FaultKind::TooFine),
        (format!("{stamp},100,1e15,99,100,2"), "high", FaultKind::TooLarge),
        (format!("{stamp},100,101,99,100,-2"), "volume_base", FaultKind::Negative),
        (format!("{stamp},100,101,99,100,inf"), "volume_base", FaultKind::NotANumber),
        (format!("{stamp},100,101,99,100,"), "volume_base", FaultKind::Empty),
        (format!("{stamp},100,,99,100,2"), "high", FaultKind::Empty),
        (format!("{stamp},100,101,100.5,101,2"), "low", FaultKind::LowAboveBody { limit: "100".into() }),
        (format!("{stamp},100,100.5,99,101,2"), "high", FaultKind::HighBelowBody { limit: "101".into() }),
        ("17,100,101,99,100,2".to_owned(), "ts_ms", FaultKind::NotATime),
        (",100,101,99,100,2".to_owned(), "ts_ms", FaultKind::Empty),
        ("1583971260000001,100,101,99,100,2".to_owned(), "ts_ms", FaultKind::SubMillisecond),
        (format!("{stamp},100,101,99,100"), "the row", FaultKind::Cells { expected: 6 }),
    ] {
        let text = format!("{HEADER}{}{cells}\n{}{}", bar(0), bar(2), bar(3));
        let found = faults(&text);
        assert_eq!(found.len(), 1, "{cells}: {found:?}");
        assert_eq!((found[0].line, found[0].column.as_str(), &found[0].kind), (3, column, &kind), "{cells}");
    }
}

#[test]
fn every_kind_of_bad_step_in_time_is_named() {
    let at = |line, kind| (line, kind);
    for (minutes, expected) in [
        (vec![0, 1, 1, 2], at(4, FaultKind::Duplicate { line: 3 })),
        (vec![0, 1, 2, 1, 3], at(5, FaultKind::OutOfOrder { line: 4, descending: false })),
        (vec![0, 1, 2, 5, 6], at(5, FaultKind::Gap { line: 4, missing: 2, bar_ms: 60_000 })),
        (vec![6, 5, 2, 1, 0], at(4, FaultKind::Gap { line: 3, missing: 2, bar_ms: 60_000 })),
        (vec![4, 3, 3, 2, 1], at(4, FaultKind::Duplicate { line: 3 })),
    ] {
        let found = faults(&bars(minutes.clone()));
        assert_eq!(found.len(), 1, "{minutes:?}: {found:?}");
        assert_eq!((found[0].line, found[0].kind.clone()), expected, "{minutes:?}");
    }
    let off_grid = format!("{}{},1,1,1,1,1\n{}", bars(0..3), minute(3) + 1_000, bar(4));
    let lines: Vec<u64> = faults(&off_grid).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [5, 6]);
}

#[test]
fn all_faults_come_at_once_in_the_order_of_lines() {
    let text = format!("{HEADER}{}{},100,99,101,100,-1\n{},x,101,99,100,1\n{}", bar(0), minute(1), minute(1), bar(2));
    let found = faults(&text);
    let places: Vec<(u64, &str)> = found.iter().map(|fault| (fault.line, fault.column.as_str())).collect();
    assert_eq!(places, [(3, "volume_base"), (3, "low"), (3, "high"), (4, "open"), (4, "ts_ms")]);
    let message = read_text(&text).unwrap_err().to_string();
    let tail = message.split_once(": ").unwrap().1;
    assert_eq!(
        tail,
        "5 problems in 4 rows\n  \
         line 3, volume_base = -1: must be at least 0\n  \
         line 3, low = 101: must be at most the lower of open and close, 100\n  \
         line 3, high = 99: must be at least the higher of open and close, 100\n  \
         line 4, open = x: must be a decimal number\n  \
         line 4, ts_ms = 2020-03-12T00:01:00Z: must be a new time: it repeats line 3"
    );
}

#[test]
fn a_hopeless_file_prints_twenty_faults_and_counts_the_rest() {
    let text = (0..1_000).fold(HEADER.to_owned(), |text, k| text + &format!("{},0,1,1,1,1\n", minute(k)));
    let message = read_text(&text).unwrap_err().to_string();
    assert_eq!(message.lines().count(), 22);
    assert!(message.ends_with("and 980 more"), "{message}");
    assert!(message.contains("1000 problems in 1000 rows"), "{message}");
}

#[test]
fn gaps_are_held_or_split_only_on_request() {
    let text = bars([0, 1, 2, 5, 6]);
    assert!(
        read_text(&text)
            .unwrap_err()
            .to_string()
            .contains("2 bars are missing (accept with --gaps hold or --gaps split)")
    );
    let held = read_with(&text, &Window::default(), Gaps::Hold).unwrap();
    let times: Vec<i64> = held.segments[0].iter().map(|candle| candle.open_time_ms).collect();
    assert_eq!(times, (0..7).map(minute).collect::<Vec<_>>());
    let filled = held.segments[0][3];
    let flat = [filled.open, filled.high, filled.low, filled.close];
    assert_eq!((flat, filled.volume), ([price("100.5"); 4], 0.0));
    assert_eq!(held.report.gaps, [(minute(2), 2)]);
    let split = read_with(&text, &Window::default(), Gaps::Split).unwrap();
    assert_eq!(split.segments.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn a_file_that_leaves_its_grid_can_only_be_split() {
    // An outage after which bars open at other seconds, and a return to the old grid: two cuts.
    let odd = |k: i64| format!("{},1,1,1,1,1\n", minute(k) + 14_789);
    let text = bars([0, 1]) + &odd(4) + &odd(5) + &bar(6) + &bar(7) + &bar(8);
    for gaps in [Gaps::Error, Gaps::Hold] {
        let message = read_with(&text, &Window::default(), gaps).unwrap_err().to_string();
        assert!(
            message.contains("line 4, ts_ms = 2020-03-12T00:04:14.789Z: must be a whole number of 1m bars"),
            "{message}"
        );
    }
    let split = read_with(&text, &Window::default(), Gaps::Split).unwrap();
    assert_eq!(split.segments.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 3]);
    assert_eq!(split.report.gaps, [(minute(1), 2), (minute(5) + 14_789, 0)]);
    split.into_replay().unwrap();
}

#[test]
fn accepting_gaps_accepts_nothing_else() {
    for gaps in [Gaps::Hold, Gaps::Split] {
        let refused = read_with(&bars([0, 1, 1, 2]), &Window::default(), gaps);
        assert!(matches!(refused, Err(CandleError::Rows { .. })), "{refused:?}");
    }
}

#[test]
fn a_file_is_not_filled_with_more_than_it_holds() {
    let refused = read_with(&bars([0, 1, 2, 500_000]), &Window::default(), Gaps::Hold).unwrap_err().to_string();
    assert!(refused.contains("499997 held bars would outnumber those read"), "{refused}");
}

#[test]
fn a_window_ignores_what_lies_outside_it() {
    let text = bars([0, 1, 9, 10, 11, 12, 40]);
    let window = Window { from_ms: Some(minute(9)), to_ms: Some(minute(12)) };
    let series = read_with(&text, &window, Gaps::Error).unwrap();
    assert_eq!(series.report.span_ms, (minute(9), minute(11)));
    let missed = Window { from_ms: Some(minute(100)), to_ms: None };
    let message = read_with(&text, &missed, Gaps::Error).unwrap_err().to_string();
    assert!(
        message.ends_with(
            "0 bars from 2020-03-12T01:40:00Z; at least 2 are needed; \
             the file runs from 2020-03-12T00:00:00Z to 2020-03-12T00:40:00Z"
        ),
        "{message}"
    );
}

#[test]
fn files_of_another_kind_are_refused_with_advice() {
    for (bytes, advice) in [
        (&b""[..], "an empty file"),
        (b"PK\x03\x04rest", "unpack it"),
        (b"ARROW1\0\0", "save it as Parquet or CSV"),
        (b"PAR1 and then nothing sensible", "Parquet"),
        (b"x,y,z\n1,2,3\n", "no column for time, open, high, low, close, volume; found x, y, z"),
        (b"\xff\xfe\x00,\x00\n1,2\n", "UTF-8"),
        (b"ts_ms,open,high,low,close,volume\n", "0 bars in the file; at least 2 are needed"),
    ] {
        let message = read(file(bytes).path(), &Window::default(), Gaps::Error).unwrap_err().to_string();
        assert!(message.contains(advice), "{message}");
    }
    let absent = read(Path::new("no-such-file.csv"), &Window::default(), Gaps::Error);
    assert!(matches!(absent, Err(CandleError::Read { .. })), "{absent:?}");
}

/// Writes three minute bars as Parquet; `time` is the physical type and annotation of the time column.
fn parquet_file(time: &str, per_millisecond: i64, codec: Codec, low: f64) -> NamedTempFile {
    let schema = format!(
        "message candles {{ {time}; REQUIRED DOUBLE open; REQUIRED DOUBLE high; REQUIRED DOUBLE low;
         REQUIRED BYTE_ARRAY close (UTF8); REQUIRED DOUBLE volume; }}"
    );
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
    let file = NamedTempFile::new().unwrap();
    let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let times: Vec<i64> = (0..3).map(|k| minute(k) * per_millisecond).collect();
    column.typed::<Int64Type>().write_batch(&times, None, None).unwrap();
    column.close().unwrap();
    for values in [[7938.05, 7931.5, 7931.5], [7939.0; 3], [low; 3]] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    let closes = ["7931.50", "7931.5", "7900"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&closes, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[1.0, 2.0, 3.0], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn parquet_of_every_time_unit_and_codec_is_read_exactly() {
    for (time, per_millisecond, codec) in [
        ("REQUIRED INT64 open_time", 1, Codec::UNCOMPRESSED),
        ("REQUIRED INT64 timestamp (TIMESTAMP(MILLIS,true))", 1, Codec::SNAPPY),
        ("REQUIRED INT64 date (TIMESTAMP(MICROS,true))", 1_000, Codec::ZSTD(ZstdLevel::default())),
        (
            "REQUIRED INT64 datetime (TIMESTAMP(NANOS,true))",
            1_000_000,
            Codec::GZIP(parquet::basic::GzipLevel::default()),
        ),
    ] {
        let file = parquet_file(time, per_millisecond, codec, 7899.1);
        let series =
            read(file.path(), &Window::default(), Gaps::Error).unwrap_or_else(|error| panic!("{time}: {error}"));
        let candle = series.segments[0][0];
        assert_eq!(
            (candle.open_time_ms, candle.open, candle.low),
            (minute(0), price("7938.05"), price("7899.1")),
            "{time}"
        );
        assert_eq!(series.segments[0][2].close, price("7900"));
    }
}

#[test]
fn a_fault_in_parquet_names_its_row() {
    let file = parquet_file("REQUIRED INT64 open_time", 1, Codec::UNCOMPRESSED, 7935.0);
    let message = read(file.path(), &Window::default(), Gaps::Error).unwrap_err().to_string();
    assert!(message.contains("row 3, low = 7935: must be at most the lower of open and close, 7900"), "{message}");
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn recorded_prices_are_read_without_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/prices");
    let Ok(files) = std::fs::read_dir(&folder) else {
        return eprintln!("skipped: ../shared/data/prices is not there");
    };
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        let series = read(&path, &Window::default(), Gaps::Split).unwrap_or_else(|error| panic!("{error}"));
        let bars: usize = series.segments.iter().map(Vec::len).sum();
        assert_eq!(bars, series.report.rows, "{}", path.display());
        assert_eq!(series.segments.len(), series.report.gaps.len() + 1, "{}", path.display());
        let per_bar = if path.to_string_lossy().contains("_1h") { 3_600_000 } else { series.bar_ms };
        assert_eq!(series.bar_ms, per_bar, "{}", path.display());
        series.into_replay().unwrap();
        count += 1;
    }
    assert!(count > 0, "no file in ../shared/data/prices");
}
