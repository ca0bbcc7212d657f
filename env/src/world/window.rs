//! Stretches of an episode in which something is the matter: outages of the oracle or the venue, absences.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::draw::{between, between_ticks};
use super::shock::validate_range;
use crate::error::Problems;

/// A scripted window. Ranges are drawn uniformly at reset; equal bounds fix the value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Length in seconds; ≥ 0.
    pub seconds: [f64; 2],
}

impl WindowConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        validate_range(&format!("{path}.start_fraction"), self.start_fraction, 0.0, 1.0, problems);
        validate_range(&format!("{path}.seconds"), self.seconds, 0.0, 1e9, problems);
    }

    /// First tick of the window and first tick after it, from two uniform draws.
    #[must_use]
    pub fn draw(&self, clock: Clock, [start, length]: [f64; 2]) -> [u64; 2] {
        let start = clock.tick_at(between(start, self.start_fraction));
        [start, start + clock.ticks_in(between(length, self.seconds))]
    }

    /// Draws anew what the ticks before `now` have not shown of a `drawn` window: its end once it has begun, nothing once
    /// it is over.
    #[must_use]
    pub fn redraw(&self, clock: Clock, drawn: [u64; 2], now: u64, [start, length]: [f64; 2]) -> [u64; 2] {
        let [begun, end] = drawn;
        if begun < now && end < now {
            return drawn;
        }
        let from = if begun < now {
            begun
        } else {
            between_ticks(start, self.start_fraction.map(|share| clock.tick_at(share).max(now)))
        };
        let least = now.saturating_sub(from);
        [from, from + between_ticks(length, self.seconds.map(|seconds| clock.ticks_in(seconds).max(least)))]
    }
}
