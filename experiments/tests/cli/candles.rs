use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::Place;

/// Hourly bars that fall by a tenth on the way.
fn hours(count: i64) -> String {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for k in 0..count {
        let price = 8_000 - 800 * k / count;
        let next = 8_000 - 800 * (k + 1) / count;
        let time = 1_583_971_200 + 3_600 * k;
        writeln!(text, "{time},{price},{},{},{next},10", price + 20, next - 20).unwrap();
    }
    text
}

#[test]
fn candles_are_trained_on_judged_on_and_named_in_the_manifest() {
    let place = Place::new();
    place.write("btc.csv", &hours(48));
    let arguments = ["train", "--config", "smoke", "--replay", "btc.csv", "--from", "2020-03-12T06:00", "--out", "run"];
    let ran = place.run(&arguments).ends_with(0);
    let report = "btc.csv: 42 bars of 1h from 2020-03-12T06:00:00Z to 2020-03-13T23:00:00Z (times in seconds, volume from `volume`)";
    assert!(ran.err.contains(report), "{}", ran.err);
    assert!(ran.out.contains("Judged on the history that it was trained on"), "{}", ran.out);
    let manifest: serde_json::Value = serde_json::from_str(&place.read("run/manifest.json")).unwrap();
    assert_eq!(manifest["inputs"][0]["path"], "btc.csv");
    place.run(&["--quiet", "eval", "run", "--replay", "btc.csv", "--to", "2020-03-12T12:00"]).ends_with(0);
    place.run(&["--quiet", "verify", "run/export"]).ends_with(0);
    let planned = place.run(&["plan", "run", "--replay", "btc.csv", "--out", "plan"]).ends_with(2);
    assert!(planned.err.contains("a replayed history has one future"), "{}", planned.err);
    assert!(!place.path("plan").exists());
    // The score belongs to these candles and no others.
    place.write("btc.csv", &hours(48).replace(",10\n", ",11\n"));
    let refused = place.run(&["--quiet", "verify", "run/export"]).ends_with(1);
    assert!(refused.out.contains("belongs to other episodes"), "{}", refused.out);
    let resumed = place.run(&["train", "--resume", "run"]).ends_with(2);
    assert!(resumed.err.contains("btc.csv was changed after the run began"), "{}", resumed.err);
}

#[test]
fn bad_candles_are_refused_with_file_line_column_value_and_bound() {
    let place = Place::new();
    let text = hours(6).replace("1583978400,", "1583974800,").replace(",8020,", ",7000,");
    place.write("bad.csv", &text);
    let ran = place.run(&["train", "--config", "smoke", "--replay", "bad.csv", "--out", "run"]).ends_with(2);
    assert_eq!(
        ran.err,
        "seawall: reading candles: bad.csv: 3 problems in 6 rows\n  \
         line 2, high = 7000: must be at least the higher of open and close, 8000\n  \
         line 4, timestamp = 2020-03-12T01:00:00Z: must be a new time: it repeats line 3\n  \
         line 5, timestamp = 2020-03-12T03:00:00Z: must be 1h after line 3: 1 bars are missing (accept with --gaps hold or --gaps split)\n"
    );
    assert!(!place.path("run").exists());
}

#[test]
fn a_history_shorter_than_an_episode_is_refused() {
    let place = Place::new();
    place.write("short.csv", &hours(3));
    let arguments = ["replay", "--replay", "short.csv", "--rows", "2"];
    let ran = place.run(&arguments).ends_with(2);
    assert!(ran.err.contains("fitting episodes of 14400 ticks into short"), "{}", ran.err);
}

/// Recorded prices beside the repository, where a developer has them.
fn recorded(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/prices").join(name);
    path.is_file().then_some(path)
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn crashes_of_record_can_be_replayed() {
    let place = Place::new();
    for (name, [from, start, to], fall) in [
        ("binance_um_btcusdt_1h.csv.gz", ["2020-03-12", "2020-03-12T08:00", "2020-03-14"], 0.80),
        ("okx_swap_btcusdt_5m_2022.csv.gz", ["2022-11-08", "2022-11-08T14:00", "2022-11-10"], 0.93),
    ] {
        let Some(path) = recorded(name) else {
            eprintln!("skipped: ../shared/data/prices/{name} is not there");
            continue;
        };
        let (path, csv) = (path.to_str().unwrap(), format!("{name}.csv"));
        let clock = "market.clock={ ticks_per_decision = 60, decisions = 240, tick_seconds = 2.0, slow_interval = 60 }";
        let arguments = [
            "--quiet", "replay", "--replay", path, "--from", from, "--to", to, "--start", start, "--policy", "gen1",
            "--set", clock, "--rows", "4", "--csv", &csv,
        ];
        let ran = place.run(&arguments).ends_with(0);
        assert!(ran.out.contains("under gen1 on legacy_full"), "{}", ran.out);
        let text = place.read(&csv);
        let column = text.lines().next().unwrap().split(',').position(|name| name == "fundamental").unwrap();
        let prices: Vec<f64> =
            text.lines().skip(1).map(|line| line.split(',').nth(column).unwrap().parse().unwrap()).collect();
        let low = prices.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(low / prices[0] < fall, "{name}: from {} to {low}", prices[0]);
    }
}
