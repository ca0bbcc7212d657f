use std::fmt::Write;
use std::path::Path;

use super::Place;

/// Bars of five minutes whose volatility doubles every other week; closes are a fixed sequence of turns.
fn bars(count: i64) -> String {
    let mut text = "ts_ms,open,high,low,close,volume_base\n".to_owned();
    let (mut price, mut state) = (50_000.0_f64, 12_345_u32);
    for k in 0..count {
        let mut sum = 0.0;
        for _ in 0..6 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += f64::from(state >> 16) / 65_536.0 - 0.5;
        }
        let size = if k / 4_032 % 2 == 0 { 1e-3 } else { 3e-3 };
        let open = price;
        price *= 1.0 + size * sum;
        let (high, low) = (open.max(price) * (1.0 + 0.3 * size), open.min(price) * (1.0 - 0.3 * size));
        let time = 1_704_067_200_000 + 300_000 * k;
        writeln!(text, "{time},{open:.2},{high:.2},{low:.2},{price:.2},{:.3}", 10.0 + 100.0 * sum.abs()).unwrap();
    }
    text
}

#[test]
fn a_fitted_scenario_is_one_and_names_its_sources() {
    let place = Place::new();
    place.write("bars.csv", &bars(16_128));
    let mut funding = "ts_ms,funding_rate\n".to_owned();
    let rates = ["0.0001", "0.00013", "0.00007", "0.0001", "-0.00002", "0.00016"];
    for (k, rate) in (0_i64..168).zip(rates.iter().cycle()) {
        writeln!(funding, "{},{rate}", 1_704_067_200_000 + 28_800_000 * k).unwrap();
    }
    place.write("funding.csv", &funding);
    let ran = place.run(&["calibrate", "bars.csv", "funding.csv", "--out", "fit.toml", "--all-windows"]).ends_with(0);
    assert!(ran.out.contains("world.regimes.calm.volatility") && ran.out.contains("world.garch.alpha"), "{}", ran.out);
    assert!(ran.err.contains("for calibration: covid-2020-03"), "{}", ran.err);
    let text = place.read("fit.toml");
    assert!(text.contains("interest = 0.0001") && text.contains("; bars.csv, 2024-01-01 to 2024-02-25"), "{text}");
    place.run(&["scenarios", "check", "fit.toml"]).ends_with(0);
    let json: serde_json::Value = serde_json::from_str(&place.read("fit.calibration.json")).unwrap();
    let estimate =
        |name: &str| json["estimates"].as_array().unwrap().iter().find(|e| e["name"] == name).cloned().unwrap();
    let [calm, tense] =
        ["calm", "tense"].map(|r| estimate(&format!("world.regimes.{r}.volatility"))["value"].as_f64().unwrap());
    // A sum of six uniforms has deviation √½; 105,120 bars a year: 23 % and 69 %.
    assert!((calm / 0.23 - 1.0).abs() < 0.1 && tense > 1.5 * calm, "{calm} {tense}");
    // The same files give the same bytes.
    place
        .run(&[
            "--quiet",
            "calibrate",
            "bars.csv",
            "funding.csv",
            "--out",
            "again.toml",
            "--id",
            "fit",
            "--all-windows",
        ])
        .ends_with(0);
    assert_eq!(place.read("again.toml"), text);
}

#[test]
fn validation_windows_are_cut_out_unless_asked_for() {
    let place = Place::new();
    // The list keeps 5 to 26 April 2024 for validation; these bars run through January and February 2024 and are not in it.
    place.write("bars.csv", &bars(16_128));
    let ran = place.run(&["calibrate", "bars.csv", "--out", "fit.toml"]).ends_with(0);
    assert!(!ran.err.contains("cut out"), "{}", ran.err);
    // 10^10 ms later: from the end of April 2024, over a weekend that the list keeps.
    place.write("later.csv", &bars(16_128).replace("\n170", "\n171"));
    let ran = place.run(&["calibrate", "later.csv", "--out", "later.toml"]).ends_with(0);
    assert!(ran.err.contains("bars of validation windows cut out"), "{}", ran.err);
}

#[test]
fn every_bad_file_is_named_and_nothing_is_written() {
    let place = Place::new();
    place.write("f.csv", "ts_ms,funding_rate\n1704067200000,x\n");
    place.write("s.csv", "name,colour\nann,red\n");
    let ran = place.run(&["calibrate", "f.csv", "s.csv", "--out", "fit.toml"]).ends_with(2);
    assert!(
        ran.err.contains("f.csv") && ran.err.contains("line 2, funding_rate = x: must be a decimal number"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("s.csv: cannot tell the columns"), "{}", ran.err);
    assert!(!place.path("fit.toml").exists() && !place.path("fit.calibration.json").exists());
    let ran = place.run(&["calibrate", "f.csv", "--out", "fit.toml", "--gaps", "hold"]).ends_with(2);
    assert!(ran.err.contains("use split or error"), "{}", ran.err);
}

/// Depth of the spot market was laid over open interest of the perpetual: a book a tenth as deep as it is.
#[test]
fn spot_depth_is_not_scaled_by_open_interest() {
    let place = Place::new();
    place.write("bars.csv", &bars(4_032));
    let depth = |market: &str| {
        let names =
            ["bids_usd", "bids_quantity", "asks_usd", "asks_quantity"].map(|name| format!("{market}_btc_{name}"));
        let mut text = format!("{},ts_ms\n", names.join(","));
        for k in 0..120_i64 {
            let usd = 9_000_000 + 10_000 * (k % 7);
            writeln!(text, "{usd},180,{usd},180,{}", 1_704_067_200_000 + 14_400_000 * k).unwrap();
        }
        text
    };
    let mut interest = "ts_ms,price,binance,cme\n".to_owned();
    for k in 0..120_i64 {
        writeln!(interest, "{},50000,1000000000,500000000", 1_704_067_200_000 + 14_400_000 * k).unwrap();
    }
    place.write("interest.csv", &interest);
    for (market, is_scaled) in [("fut", true), ("spot", false)] {
        place.write("depth.csv", &depth(market));
        let arguments = ["calibrate", "bars.csv", "interest.csv", "depth.csv", "--out", "fit.toml", "--all-windows"];
        let ran = place.run(&arguments).ends_with(0);
        assert_eq!(place.read("fit.toml").contains("depth_1pct"), is_scaled, "{market}: {}", ran.out);
        assert_eq!(ran.out.contains("spot_btc is depth of the spot market"), !is_scaled, "{market}: {}", ran.out);
    }
}

/// Real series beside the repository, where a developer has them.
#[test]
fn every_layout_of_the_recorded_data_is_read() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.is_dir() {
        return;
    }
    let place = Place::new();
    let files: Vec<String> = [
        "prices/binance_um_btcusdt_1m_2023.csv.gz",
        "funding/bybit_linear_btcusdt_funding_8h.csv.gz",
        "marks/bybit_linear_btcusdt_mark_1h.csv.gz",
        "derivs_4h/book_depth_4h.csv.gz",
        "derivs_4h/open_interest_by_exchange_btc_4h.csv.gz",
        "derivs_4h/liquidations_binance_4h.csv.gz",
        "derivs_4h/venue_snapshots_daily.csv.gz",
        "liquidations/aave_v1_ethereum_liquidations_2020_2023.csv.gz",
        "liquidations/hyperliquid_liquidations_2023.csv.gz",
        "lob/binance_um_btcusdt_depth_1s_20240808.csv.gz",
        "lob/binance_um_btcusdt_book20_1s_20240808.csv.gz",
        "lob/binance_um_btcusdt_trades_20240808.csv.gz",
        "macro/macro_daily.csv.gz",
        "macro/deribit_btc_dvol_daily.csv.gz",
        "margin/binance_um_leverage_tiers_2024_10.csv.gz",
        "positions/hyperliquid_trades_by_user_2023.csv.gz",
    ]
    .map(|name| data.join(name).display().to_string())
    .to_vec();
    let mut arguments = vec!["calibrate", "--out", "btc.toml", "--all-windows"];
    arguments.extend(files.iter().map(String::as_str));
    place.run(&arguments).ends_with(0);
    place.run(&["scenarios", "check", "btc.toml"]).ends_with(0);
}
