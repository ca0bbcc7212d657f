//! A crash day held against 10 October 2025, a shock against Compound, and self-excitation of liquidations.

use seawall_env::SeedTree;
use seawall_env::market::Site;

use super::row::Row;
use super::simulate::{Recording, record_all};
use crate::calibration::hawkes::branching_from_counts;
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, mean, percentile, real};

/// Core of the crash of 10 October 2025: 40 minutes from 20:50 UTC.
const CORE_SECONDS: f64 = 2_400.0;
/// The burst that was recorded fill by fill on Hyperliquid: 21:15 to 21:27 UTC.
const BURST_SECONDS: f64 = 720.0;
/// Windows in which liquidations are counted: in the burst, and in calm.
const CRASH_WINDOW: f64 = 6.0;
const CALM_WINDOW: f64 = 600.0;
/// Bootstrap replicates over seeds.
const REPLICATES: usize = 1_000;

/// A number for each episode in which it is defined, its mean, and an interval over seeds.
pub(super) fn over_seeds(
    recordings: &[Recording],
    number: impl Fn(&Recording) -> Option<f64>,
) -> (Option<f64>, Option<[f64; 2]>) {
    let values: Vec<f64> = recordings.iter().filter_map(number).filter(|value| value.is_finite()).collect();
    if values.is_empty() {
        return (None, None);
    }
    if values.len() < 4 {
        return (Some(mean(&values)), None);
    }
    let resamples = Resamples::draw(SeedTree::new(0), Level::Cells, &[values.len()], REPLICATES);
    let drawn = |times: &[u32]| {
        let sum: f64 = values.iter().zip(times).map(|(value, times)| value * f64::from(*times)).sum();
        sum / real(values.len())
    };
    let distribution: Vec<f64> = resamples.iter().map(drawn).collect();
    (Some(mean(&values)), percentile(&distribution, 0.95).map(|(low, high)| [low, high]))
}

/// Rows of the crash day: time profile, auto-deleveraging, prices, depth, open interest, self-excitation.
#[must_use]
pub fn crash_day(site: &Site, seeds: &[u64]) -> Vec<Row> {
    let recordings = record_all(site, seeds);
    let row = |id: &str, title: &str, low: f64, high: f64, source: &str, number: &dyn Fn(&Recording) -> Option<f64>| {
        let (value, interval) = over_seeds(&recordings, number);
        Row::new(id, title, [Some(low), Some(high)], source).measured(value, interval)
    };
    let total = |recording: &Recording| recording.outcome.liquidated.as_f64();
    let core = |recording: &Recording| recording.densest(&recording.liquidated, CORE_SECONDS).0;
    let some = |numerator: f64, denominator: f64| (denominator > 0.0).then(|| numerator / denominator);
    let first = |recording: &Recording| {
        let [from, to] = burst(recording);
        let of = |series: &[f64]| series[from..to].iter().position(|value| *value > 0.0);
        let seconds = real(of(&recording.deleveraged)?) - real(of(&recording.liquidated)?);
        Some(seconds * recording.tick_seconds)
    };
    let in_burst = |recording: &Recording, series: &[f64]| -> f64 {
        let [from, to] = burst(recording);
        series[from..to].iter().sum()
    };
    let low = |recording: &Recording| {
        Some(recording.outcome.mark_low.as_f64() / recording.outcome.price_start.as_f64() - 1.0)
    };
    const AMBERDATA: &str = "10 Oct 2025: 6.93 of 9.89 bn in 40 min, peak minute 3.2 (Amberdata)";
    const REPLAY: &str = "10 Oct 2025 on Hyperliquid (HyperReplay)";
    let deleveraged = recordings.iter().filter(|r| r.outcome.first_deleveraging.is_some()).count();
    vec![
        row("V4", "share of a day's liquidations within its densest 40 min", 0.6, 0.9, AMBERDATA, &|r| {
            some(core(r), total(r))
        }),
        row("V4b", "densest minute over that core", 0.30, 0.50, AMBERDATA, &|r| {
            some(r.densest(&r.liquidated, 60.0).0, core(r))
        }),
        row(
            "V5",
            "seconds from the first liquidation of the burst to its first deleveraging",
            30.0,
            120.0,
            REPLAY,
            &first,
        )
        .noted(format!("deleveraging happened in {deleveraged} of {} episodes", recordings.len())),
        row("V5b", "deleveraged over liquidated value in the burst", 0.30, 0.45, REPLAY, &|r| {
            some(in_burst(r, &r.deleveraged), in_burst(r, &r.liquidated))
        }),
        row("V6", "lowest mark over the price at reset, less one", -0.16, -0.13, "BTC on 10 Oct 2025", &low),
        row("V7", "lowest depth within 1 % over that at reset", 0.0, 0.15, "-90 % and more (FTI, Amberdata)", &|r| {
            Some(r.outcome.depth_low)
        }),
        row(
            "V7b",
            "depth an hour after its low over that at reset",
            0.0,
            0.7,
            "30 % short a month later (CoinDesk Research)",
            &recovered,
        ),
        row("V7c", "open interest lost", 0.15, 0.35, "BTC -19 %, four coins -34 % (Coin Metrics)", &|r| {
            Some(1.0 - r.interest_left)
        }),
        row(
            "V15",
            "branching ratio of forced orders in the burst, 6 s windows",
            0.9,
            1.0,
            "0.96 to 0.98 from fills per second (HyperReplay)",
            &branching_in_burst,
        )
        .noted("one order for each account and second; the source counts fills, of which an order has several"),
    ]
}

/// Depth an hour after its lowest point.
fn recovered(recording: &Recording) -> Option<f64> {
    let lowest = recording.depth.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?.0;
    let hour = 3_600.0 / recording.depth_seconds();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looks in an hour")]
    let later = lowest + hour as usize;
    recording.depth.get(later).copied()
}

fn counts(series: &[f64], width: usize) -> Vec<f64> {
    series.chunks_exact(width.max(1)).map(|chunk| chunk.iter().sum()).collect()
}

/// The twelve minutes in which most value is liquidated.
fn burst(recording: &Recording) -> [usize; 2] {
    let (_, start) = recording.densest(&recording.liquidated, BURST_SECONDS);
    [start, (start + recording.ticks(BURST_SECONDS)).min(recording.liquidated.len())]
}

fn branching_in_burst(recording: &Recording) -> Option<f64> {
    let [from, to] = burst(recording);
    branching_from_counts(&counts(&recording.reduced[from..to], recording.ticks(CRASH_WINDOW)))
}

/// Self-excitation of liquidations on quiet days: counts in ten-minute windows, day by day, for days differ and that is no
/// excitation.
#[must_use]
pub fn calm_branching(recordings: &[Recording]) -> Row {
    let of_day =
        |recording: &Recording| branching_from_counts(&counts(&recording.entered, recording.ticks(CALM_WINDOW)));
    let (value, interval) = over_seeds(recordings, of_day);
    let entered: f64 = recordings.iter().flat_map(|recording| recording.entered.iter()).sum();
    Row::new(
        "V15b",
        "branching ratio of liquidations in calm, 10 min windows, mean over days",
        [None, Some(0.6)],
        "method-dependent (Filimonov & Sornette 2012)",
    )
    .measured(value, interval)
    .noted(format!("{entered} liquidations"))
}

/// How fast positions that a sudden fall of 3 % makes liquidatable are taken: `site` has that shock at `start` of its horizon.
///
/// Taken at once means within a minute, of all that is liquidated in the half hour from the shock. Liquidations that the
/// same seed has without the shock are not subtracted: in calm there are hardly any.
#[must_use]
pub fn sudden_fall(site: &Site, start: f64, seeds: &[u64]) -> Row {
    let recordings = record_all(site, seeds);
    let number = |recording: &Recording| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of an episode")]
        let from = (start * real(recording.liquidated.len())) as usize;
        let sum = |seconds: f64| -> f64 {
            let to = (from + recording.ticks(seconds)).min(recording.liquidated.len());
            recording.liquidated[from..to].iter().sum()
        };
        let half_hour = sum(1_800.0);
        (half_hour > 0.0).then(|| sum(60.0) / half_hour)
    };
    let (value, interval) = over_seeds(&recordings, number);
    Row::new(
        "V3",
        "share of what a fall of 3 % makes liquidatable that is taken within a minute, legacy_full",
        [Some(0.7), Some(1.0)],
        "Perez et al. 2021 (arXiv:2009.13235): over 70 % taken at once",
    )
    .measured(value, interval)
}

/// What can be measured of a recorded calm market beside returns.
#[must_use]
pub fn calm_market(recordings: &[Recording]) -> Vec<Row> {
    let spread = |recording: &Recording| Some(2e4 * mean(&recording.half_spread));
    let inside = |recording: &Recording| {
        let within = recording.basis.iter().filter(|basis| basis.abs() < 1e-3).count();
        Some(real(within) / real(recording.basis.len()))
    };
    let (spread, spread_interval) = over_seeds(recordings, spread);
    let (basis, basis_interval) = over_seeds(recordings, inside);
    vec![
        Row::new(
            "F12",
            "spread of the reference size, bp",
            [Some(0.1), Some(1.5)],
            "major pair 0.1 to 1 bp at the touch; 50,000 dollars here",
        )
        .measured(spread, spread_interval)
        .optional(),
        Row::new(
            "F17",
            "share of time with a basis below 10 bp",
            [Some(0.9), Some(1.0)],
            "mostly inside the trading cost band",
        )
        .measured(basis, basis_interval),
    ]
}
