use std::io::Write;
use std::path::PathBuf;

use super::*;

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn read_all(path: &Path) -> Result<Dataset, CandleError> {
    read(path, &Window::default(), Gaps::Split)
}

#[test]
fn a_table_is_told_by_its_columns_and_cut_at_holes() {
    let folder = tempfile::tempdir().unwrap();
    let text = "ts_ms,funding_rate\n1624982400000,1e-4\n1625011200000,-2e-5\n1625040000000,0\n1625126400000,3e-4\n";
    let funding = read_all(&file(&folder, "f.csv", text)).unwrap();
    let table = funding.table(Kind::Funding).unwrap();
    assert_eq!(table.step_ms, 28_800_000);
    assert_eq!(table.runs("funding_rate").unwrap(), vec![vec![1e-4, -2e-5, 0.0], vec![3e-4]]);
    assert!(funding.summary().contains("4 rows of funding rates") && funding.summary().contains("1 holes"));
    let refused = read(&file(&folder, "g.csv", text), &Window::default(), Gaps::Error).unwrap_err().to_string();
    assert!(
        refused.contains("line 5, ts_ms = 2021-07-01T08:00:00Z") && refused.contains("2 bars are missing"),
        "{refused}"
    );
}

#[test]
fn candles_stay_candles_and_marks_are_bars_without_volume() {
    let folder = tempfile::tempdir().unwrap();
    let bar = "1624982400000,1,2,1,2";
    let candles =
        file(&folder, "c.csv", &format!("ts_ms,open,high,low,close,volume_base\n{bar},5\n1624982700000,2,2,2,2,0\n"));
    assert!(read_all(&candles).unwrap().bars().is_some());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(format!("ts_ms,open,high,low,close\n{bar}\n").as_bytes()).unwrap();
    let marks = folder.path().join("m.csv.gz");
    std::fs::write(&marks, gz.finish().unwrap()).unwrap();
    assert!(read_all(&marks).unwrap().table(Kind::Marks).is_some());
}

#[test]
fn every_fault_of_a_table_is_listed_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = "ts_ms,btc_long_liq_usd,btc_short_liq_usd\n1731528000000,-1,2\n1731542400000,x,\n1731542400000,1,1\nnoon,1,1\n1731556800000,1\n";
    let error = read_all(&file(&folder, "l.csv", text)).unwrap_err().to_string();
    for expected in [
        "5 rows",
        "line 2, btc_long_liq_usd = -1: must be at least 0",
        "line 3, btc_long_liq_usd = x: must be a decimal number",
        "line 3, btc_short_liq_usd = (empty): must be present",
        "line 4, ts_ms = 2024-11-14T00:00:00Z: must be a new time",
        "line 5, ts_ms = noon: must be a time",
        "line 6, the row = 2 cells",
    ] {
        assert!(error.contains(expected), "{expected} is missing from {error}");
    }
}

#[test]
fn a_foreign_file_is_refused_by_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_all(&file(&folder, "x.csv", "name,colour\nann,red\n")).unwrap_err().to_string();
    assert!(error.contains("no column for time, open, high, low, close, volume; found name, colour"), "{error}");
}
