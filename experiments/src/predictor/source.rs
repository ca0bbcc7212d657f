//! Where bars come from: the windows of real series, or the market itself.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rayon::prelude::*;
use seawall_env::liquidation::Preset;
use seawall_env::market::Site;
use seawall_env::scenario::{ClockConfig, Scenario};
use seawall_env::units::Price;
use seawall_env::world::Bar;
use seawall_env::{Purpose, SeedTree};
use seawall_eval::forecast::{BAR_MS, Frame, History, Set, coarsened};
use seawall_eval::validation::simulate::{Recording, record};

use super::Halves;
use crate::calibrator::windows::{Use, Window, all};
use crate::candles::{self, Gaps};
use crate::progress::{SharedProgress, Voice};

/// The scenario that bars are simulated in: regimes, jumps and memory as fitted to real bars.
const SCENARIO: &str = "btc_fitted";
/// The venue that it is played on.
const VENUE: &str = "hyperliquid";
/// Length of a tick and days of an episode there.
const TICK_SECONDS: f64 = 10.0;
const EPISODE_DAYS: u32 = 3;

/// What real series are cut into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Length of a bar, in milliseconds.
    pub(crate) bar_ms: i64,
    /// Bars of an episode; nothing leaves runs whole.
    pub(crate) episode: Option<usize>,
}

impl Cut {
    /// Runs as they are, of the usual bars.
    pub(crate) const WHOLE: Self = Self { bar_ms: BAR_MS, episode: None };

    /// Halves of what was cut.
    pub(crate) fn halves(self, [calibration, validation]: [Vec<History>; 2]) -> Halves {
        let frame = match self.episode {
            None => Frame::Days,
            Some(_) => Frame::of_episodes(self.bar_ms, &calibration),
        };
        Halves { calibration: Set::framed(frame, calibration), validation: Set::framed(frame, validation) }
    }

    fn histories(self, id: &str, bars: &[Bar]) -> Vec<History> {
        let length = self.episode.unwrap_or(bars.len()).max(1);
        bars.chunks(length).map(|bars| History::at_pace(id, bars, self.bar_ms)).collect()
    }
}

/// The windows of a folder of real series, in the halves of the list; and what was left out, in words.
///
/// # Errors
/// If the folder is none, a file is there and wrong, or a half is empty.
pub(crate) fn real(data: &Path, cut: Cut, voice: Voice) -> anyhow::Result<(Halves, Vec<String>)> {
    if !data.is_dir() {
        bail!("--data {}: no such folder", data.display());
    }
    let (mut halves, mut skipped, mut wrong) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
    for window in all() {
        let half = usize::from(window.purpose == Use::Validation);
        match histories(data, &window, cut) {
            Ok(Ok(found)) => halves[half].extend(found),
            Ok(Err(reason)) => skipped.push(format!("{}: {reason}", window.id)),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    skipped.iter().for_each(|sentence| voice.say(&format!("left out: {sentence}")));
    for (half, name) in halves.iter().zip(["calibration", "validation"]) {
        if half.is_empty() {
            bail!("--data {}: no window for {name} is there:\n  {}", data.display(), skipped.join("\n  "));
        }
    }
    Ok((cut.halves(halves), skipped))
}

/// Runs of a window, or why it cannot be used.
fn histories(data: &Path, window: &Window, cut: Cut) -> anyhow::Result<Result<Vec<History>, String>> {
    let path = data.join(&window.file);
    if !path.is_file() {
        return Ok(Err(format!("{} is not in the folder", window.file)));
    }
    let [from, to] = window.span_ms();
    let span = candles::Window { from_ms: Some(from), to_ms: Some(to) };
    let series = candles::read(&path, &span, Gaps::Split)?;
    let mut histories = Vec::new();
    for run in &series.segments {
        let Some(bars) = coarsened(run, series.bar_ms, cut.bar_ms) else {
            let seconds = [series.bar_ms, cut.bar_ms].map(|ms| ms / 1_000);
            return Ok(Err(format!("its bars of {} s do not make bars of {} s", seconds[0], seconds[1])));
        };
        if !bars.is_empty() {
            histories.extend(cut.histories(&window.id, &bars));
        }
    }
    Ok(Ok(histories))
}

/// Bars of the market itself: as many episodes of a few days for either half, on seeds of their own.
///
/// # Errors
/// If the shipped scenario does not take the clock.
pub(crate) fn simulated(seed: u64, episodes: u32, voice: Voice) -> anyhow::Result<Halves> {
    let scenario = Scenario::shipped(SCENARIO).context("reading the shipped scenario")?;
    let clock = ClockConfig {
        tick_seconds: TICK_SECONDS,
        ticks_per_decision: 6,
        decisions: 1_440 * EPISODE_DAYS,
        slow_interval: 60,
    };
    let venue = Preset::shipped(VENUE).context("reading the shipped venue")?;
    let site = Site::new(Arc::new(venue.furnish(Scenario { clock, ..scenario })), venue.pipeline);
    let seeds = SeedTree::new(seed);
    let total = 2 * u64::from(episodes);
    let progress = SharedProgress::new(voice, "episodes", total);
    let play = |episode: u64| {
        let recording = record(&site, seeds.seed(Purpose::Episode, episode));
        progress.at(episode + 1, "played");
        History::new(&format!("episode {}", episode + 1), &bars(&recording))
    };
    let mut histories: Vec<History> = (0..total).into_par_iter().map(play).collect();
    progress.finish();
    let validation = histories.split_off(episodes as usize);
    Ok(Cut::WHOLE.halves([histories, validation]))
}

/// Bars of a recording, by the mid after each tick.
fn bars(recording: &Recording) -> Vec<Bar> {
    let ticks = recording.ticks(300.0);
    let of = |(k, volume): (usize, &[f64])| {
        let mid = &recording.mid[k * ticks..=(k + 1) * ticks];
        let price = |value: f64| Price::from_f64(value);
        let extreme = |pick: fn(f64, f64) -> f64| price(mid.iter().copied().fold(mid[0], pick));
        #[expect(clippy::cast_possible_wrap, reason = "bars of an episode")]
        let open_time_ms = k as i64 * BAR_MS;
        Bar {
            open_time_ms,
            open: price(mid[0]),
            high: extreme(f64::max),
            low: extreme(f64::min),
            close: price(mid[ticks]),
            volume: volume.iter().sum(),
        }
    };
    recording.volume.chunks_exact(ticks).enumerate().map(of).collect()
}

/// What was played, in words.
pub(crate) fn describe(episodes: u32) -> String {
    format!("{episodes} + {episodes} episodes of {EPISODE_DAYS} days of the scenario {SCENARIO}")
}
