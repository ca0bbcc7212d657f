//! The market's clock, and the conversions between ticks, seconds and years.

use serde::{Deserialize, Serialize};

/// Seconds in a year of 365 days: the basis of every annualised figure in this crate.
pub const SECONDS_PER_YEAR: f64 = 31_536_000.0;

/// Seconds in a day.
pub const SECONDS_PER_DAY: f64 = 86_400.0;

/// Length of a tick and of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds in one tick.
    pub tick_seconds: f64,
    /// Ticks in one episode.
    pub ticks: u64,
}

impl Clock {
    /// Whole ticks nearest to a duration.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates: a duration beyond the end of time"
    )]
    pub fn ticks_in(self, seconds: f64) -> u64 {
        libm::round(seconds / self.tick_seconds) as u64
    }

    /// The tick at a share of the episode.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an episode has far fewer than 2^52 ticks")]
    pub fn tick_at(self, share: f64) -> u64 {
        self.ticks_in(share * self.ticks as f64 * self.tick_seconds)
    }

    /// Ticks in a year, as a ratio.
    #[must_use]
    pub fn ticks_per_year(self) -> f64 {
        SECONDS_PER_YEAR / self.tick_seconds
    }

    /// Factor by which something with this half-life shrinks in one tick; a half-life of zero forgets at once.
    #[must_use]
    pub fn decay(self, half_life_seconds: f64) -> f64 {
        decay(self.tick_seconds, half_life_seconds)
    }
}

/// Factor by which something with a half-life shrinks over `seconds`.
pub(super) fn decay(seconds: f64, half_life_seconds: f64) -> f64 {
    if half_life_seconds > 0.0 { libm::exp2(-seconds / half_life_seconds) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_round_to_whole_ticks() {
        let clock = Clock { tick_seconds: 0.2, ticks: 1_000 };
        assert_eq!(clock.ticks_in(0.35), 2);
        assert_eq!(clock.tick_at(0.25), 250);
    }

    #[test]
    fn half_of_it_is_left_after_one_half_life() {
        let clock = Clock { tick_seconds: 2.0, ticks: 1 };
        let left = (0..300).fold(1.0, |left, _| left * clock.decay(600.0));
        assert!((left - 0.5).abs() < 1e-12, "{left}");
    }
}
