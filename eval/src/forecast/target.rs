//! What came of a moment: the variance that was realised, and how far the price went against either side.

use super::history::History;
use super::{BUCKETS, HORIZONS, distances, side};
use crate::calibration::variance::realised;

/// What happened within each horizon after a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Realised variance: the sum of squared returns of bars.
    pub variance: [f64; HORIZONS.len()],
    /// Furthest fall and furthest rise of the log price, by highs and lows; neither is negative.
    pub excursion: [[f64; 2]; HORIZONS.len()],
}

impl Outcome {
    /// What followed the close of bar `at`; nothing if the history ends before the longest horizon.
    #[must_use]
    pub fn after(history: &History, at: usize) -> Option<Self> {
        let longest = HORIZONS.into_iter().max()?;
        (at + longest < history.len()).then(|| {
            let ahead = HORIZONS.map(|bars| at + 1..at + 1 + bars);
            let start = history.close[at];
            let lowest = |bars: core::ops::Range<usize>| history.low[bars].iter().copied().fold(start, f64::min);
            let highest = |bars: core::ops::Range<usize>| history.high[bars].iter().copied().fold(start, f64::max);
            Self {
                variance: ahead.clone().map(|bars| realised(&history.returns[bars])),
                excursion: ahead.map(|bars| [start - lowest(bars.clone()), highest(bars) - start]),
            }
        })
    }

    /// Whether an account of each bucket is bankrupt within a horizon.
    #[must_use]
    pub fn ruined(&self, horizon: usize) -> [bool; BUCKETS] {
        let distances = distances();
        core::array::from_fn(|bucket| self.excursion[horizon][side(bucket)] >= distances[bucket])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::forecast::BAR_MS;
    use seawall_env::units::Price;
    use seawall_env::world::Bar;

    /// Bars whose closes are given; highs and lows are those of open and close.
    pub(in crate::forecast) fn bars(closes: &[f64]) -> Vec<Bar> {
        let bar = |k: usize| {
            let [open, close] = [closes[k.saturating_sub(1)], closes[k]].map(Price::from_f64);
            let open_time_ms = BAR_MS * i64::try_from(k).unwrap();
            Bar { open_time_ms, open, high: open.max(close), low: open.min(close), close, volume: 1.0 }
        };
        (0..closes.len()).map(bar).collect()
    }

    #[test]
    fn a_wick_ruins_and_a_close_that_came_back_does_not_heal() {
        let mut closes = vec![100.0; 60];
        closes[12] = 100.4;
        let mut all = bars(&closes);
        // Six bars after bar 5, within the hour and not within a quarter: a wick 1.5 % below and 0.9 % above.
        all[11].low = Price::from_f64(98.5);
        all[11].high = Price::from_f64(100.9);
        let history = History::new("x", &all);
        let outcome = Outcome::after(&history, 5).unwrap();
        assert_eq!(outcome.ruined(0), [false; BUCKETS]);
        // Longs at 100 are bankrupt 1 % below, shorts 1 % above, which 0.9 % is not.
        assert_eq!(outcome.ruined(1), [false, false, false, true, false, false, false, false]);
        // Up by 0.4 % and down again in the second bar that follows: both count within an hour.
        assert!((outcome.variance[1] - 2.0 * libm::log(1.004).powi(2)).abs() < 1e-12);
        assert!(outcome.variance[0] == 0.0 && outcome.excursion[0].iter().all(|x| *x == 0.0));
        assert_eq!(Outcome::after(&history, 12), None, "four hours after bar 12 are not over at bar 59");
        assert!(Outcome::after(&history, 11).is_some());
    }
}
