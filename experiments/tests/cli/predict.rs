use std::fmt::Write;
use std::path::Path;

use super::{Place, files};

/// The binary without data: a network is trained on the market's own bars, everybody is judged, every number is written, and
/// the file of the network scores again as it did, on another number of threads.
#[test]
fn a_predictor_is_trained_judged_written_and_read_back_to_the_bit() {
    let place = Place::new();
    let ran = place.run(&["--quiet", "predict", "--quick", "--threads", "1", "--out", "first"]).ends_with(0);
    let names = [
        "buckets.csv",
        "calibration-15min.svg",
        "calibration-1h.svg",
        "calibration-4h.svg",
        "calibration.csv",
        "losses.csv",
        "predict.json",
        "predict.md",
        "predictor.json",
    ];
    assert_eq!(files(place.path("first")), names);
    let losses = place.read("first/losses.csv");
    for forecaster in ["network", "constant", "ewma_daily", "ewma", "garch_t", "har", "har_x"] {
        assert!(ran.out.contains(forecaster), "{forecaster}: {}", ran.out);
        // Three horizons by four losses.
        assert_eq!(losses.lines().filter(|line| line.starts_with(&format!("{forecaster},"))).count(), 12, "{losses}");
    }
    assert!(place.read("first/predict.md").contains("](calibration-1h.svg)"));
    let again =
        ["--quiet", "predict", "--quick", "--threads", "2", "--out", "second", "--predictor", "first/predictor.json"];
    place.run(&again).ends_with(0);
    for name in ["losses.csv", "buckets.csv", "calibration.csv", "predictor.json"] {
        assert_eq!(place.read(&format!("first/{name}")), place.read(&format!("second/{name}")), "{name}");
    }
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let place = Place::new();
    let ran = place.run(&["predict", "--data", "nowhere", "--out", "out"]).ends_with(2);
    assert!(ran.err.contains("--data nowhere: no such folder"), "{}", ran.err);
    place.write("empty/readme.txt", "nothing");
    let ran = place.run(&["predict", "--data", "empty", "--out", "out"]).ends_with(2);
    assert!(ran.err.contains("no window for calibration is there") && ran.err.contains("covid-2020-03"), "{}", ran.err);
    // A file of the list with a bad row, and its time inside the window.
    let mut bars = "ts_ms,open,high,low,close,volume_base\n".to_owned();
    for k in 0..4 {
        let low = if k == 2 { 200 } else { 99 };
        writeln!(bars, "{},100,101,{low},100,1", 1_583_366_400_000_i64 + 3_600_000 * k).unwrap();
    }
    place.write("bad/prices/binance_um_btcusdt_1h.csv.gz", &bars);
    let ran = place.run(&["predict", "--data", "bad", "--out", "out"]).ends_with(2);
    assert!(ran.err.contains("line 4") && ran.err.contains("low"), "{}", ran.err);
    place.write("p.json", "{\"schema\": \"other\"}");
    let ran = place.run(&["predict", "--predictor", "p.json", "--out", "out"]).ends_with(2);
    assert!(ran.err.contains("p.json is no predictor"), "{}", ran.err);
    assert!(!place.path("out").exists());
}

/// Real series beside the repository, where a developer has them: windows of coarser bars are left out by name.
#[test]
fn real_windows_are_split_as_the_list_says() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.is_dir() {
        return;
    }
    let place = Place::new();
    let path = data.display().to_string();
    let ran = place.run(&["predict", "--quick", "--data", &path, "--out", "out"]).ends_with(0);
    for window in ["covid-2020-03", "carry-2024-08", "flash-2024-12"] {
        assert!(ran.err.contains(&format!("left out: {window}")), "{window}: {}", ran.err);
    }
    let json: serde_json::Value = serde_json::from_str(&place.read("out/predict.json")).unwrap();
    let names = |half: &str| {
        json["origin"][half].as_array().unwrap().iter().map(|x| x.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (calibration, validation) = (names("calibration"), names("validation"));
    assert!(calibration.contains(&"celsius-2022-06".to_owned()) && validation.contains(&"luna-2022-05".to_owned()));
    assert!(calibration.iter().all(|window| !validation.contains(window)));
}
