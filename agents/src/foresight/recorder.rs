//! The bars of an episode, kept: what a predictor is trained on.

use seawall_env::spaces::Feature;
use seawall_env::{Instrument, Print};
use seawall_runtime::bars::Bar;

use super::maker::{BarMaker, MAKER};

/// Numbers of a kept bar.
const BAR: usize = 4;

/// An instrument that adds nothing to the observation and keeps every bar.
#[derive(Clone, Copy, Debug)]
pub struct BarRecorder {
    bar_ms: u32,
    bars_max: usize,
}

impl BarRecorder {
    /// Keeps bars of `bar_ms`, the first `bars_max` of an episode.
    #[must_use]
    pub const fn new(bar_ms: u32, bars_max: usize) -> Self {
        Self { bar_ms, bars_max }
    }

    /// Where the first bar of an episode opened, and its bars, from what the environment remembers.
    ///
    /// # Panics
    /// If the memory is not a recorder's.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of bars")]
    pub fn bars(memory: &[f64]) -> (f64, Vec<Bar>) {
        let (open, count, kept) = (memory[MAKER], memory[MAKER + 1] as usize, &memory[MAKER + 2..]);
        let bar = |row: &[f64]| Bar { high: row[0], low: row[1], close: row[2], volume: row[3] };
        (open, kept.chunks_exact(BAR).take(count).map(bar).collect())
    }
}

impl Instrument for BarRecorder {
    fn features(&self) -> &[Feature] {
        &[]
    }

    fn memory_len(&self) -> usize {
        MAKER + 2 + BAR * self.bars_max
    }

    fn open(&self, mid: f64, memory: &mut [f64]) {
        memory.fill(0.0);
        BarMaker::open(mid, &mut memory[..MAKER]);
        memory[MAKER] = mid;
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of bars")]
    fn tick(&self, print: &Print, memory: &mut [f64]) {
        let (maker, kept) = memory.split_at_mut(MAKER);
        let Some(bar) = BarMaker::tick(self.bar_ms, print, maker) else { return };
        let at = kept[1] as usize;
        if at < self.bars_max {
            kept[2 + BAR * at..][..BAR].copy_from_slice(&[bar.high, bar.low, bar.close, bar.volume]);
            kept[1] += 1.0;
        }
    }

    fn observe(&self, _memory: &[f64], _out: &mut [f32]) {}
}
