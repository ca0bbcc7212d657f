//! Moments at which everybody forecasts, with what was known and what came of it.

use seawall_runtime::bars::INPUTS;

use super::feature::{FEATURES, LOOKBACK, features, inputs};
use super::history::History;
use super::target::Outcome;
use super::{BAR_MS, HORIZONS};
use crate::calibration::variance::realised;

/// Bars between two moments: of five minutes, a quarter hour.
const EVERY: usize = 3;
const DAY_MS: i64 = 86_400_000;

/// One moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Which history.
    pub history: usize,
    /// The bar at whose close the forecast is made.
    pub at: usize,
    /// UTC day, counted from 1970.
    pub day: i64,
    /// What is known.
    pub features: Vec<f64>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a set's moments are, and so what can be known at them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Frame {
    /// Moments with a day of bars of [`BAR_MS`] behind them, and a calendar.
    Days,
    /// Moments of episodes, from their first bar on: what an engine's predictor meets in training, whose clock says nothing.
    Episodes {
        /// Length of a bar, in milliseconds.
        bar_ms: i64,
        /// Variance of a bar before there is one, for rivals that need a start.
        variance: f64,
    },
}

impl Frame {
    /// Episodes of bars like these, which start at their mean square return.
    #[must_use]
    pub fn of_episodes(bar_ms: i64, histories: &[History]) -> Self {
        let squares: f64 = histories.iter().map(|history| realised(&history.returns)).sum();
        let bars = histories.iter().map(History::len).sum::<usize>().max(1);
        Self::Episodes { bar_ms, variance: squares / crate::statistics::real(bars) }
    }

    /// Length of a bar, in milliseconds.
    #[must_use]
    pub const fn bar_ms(self) -> i64 {
        match self {
            Self::Days => BAR_MS,
            Self::Episodes { bar_ms, .. } => bar_ms,
        }
    }

    /// Names of what is known at a moment, in order.
    #[must_use]
    pub const fn features(self) -> &'static [&'static str] {
        match self {
            Self::Days => &FEATURES,
            Self::Episodes { .. } => &INPUTS,
        }
    }

    /// What is independent of one another, in a word.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Episodes { .. } => "episodes",
        }
    }

    /// Names of the horizons.
    #[must_use]
    pub fn horizon_names(self) -> [String; HORIZONS.len()] {
        HORIZONS.map(|bars| {
            let seconds = self.bar_ms().unsigned_abs() * bars as u64 / 1_000;
            match seconds {
                s if s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
                s if s.is_multiple_of(60) => format!("{} min", s / 60),
                s => format!("{s} s"),
            }
        })
    }

    fn known(self, history: &History, at: usize) -> Vec<f64> {
        match self {
            Self::Days => features(history, at).to_vec(),
            Self::Episodes { .. } => inputs(history, at).to_vec(),
        }
    }

    const fn first(self) -> usize {
        match self {
            Self::Days => LOOKBACK - 1,
            Self::Episodes { .. } => 0,
        }
    }
}

/// Histories, and moments in them in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// What moments are.
    pub frame: Frame,
    /// Runs of bars.
    pub histories: Vec<History>,
    /// Moments, by history.
    pub examples: Vec<Example>,
}

impl Set {
    /// Every quarter hour of some histories that has a day before it and the longest horizon after it.
    #[must_use]
    pub fn new(histories: Vec<History>) -> Self {
        Self::framed(Frame::Days, histories)
    }

    /// Every third bar of some histories, from the first that the frame allows, that has the longest horizon after it.
    ///
    /// # Panics
    /// If a history's bars are not of the frame's length.
    #[must_use]
    pub fn framed(frame: Frame, histories: Vec<History>) -> Self {
        let mut examples = Vec::new();
        for (place, history) in histories.iter().enumerate() {
            assert_eq!(history.bar_ms, frame.bar_ms(), "bars of the frame's length");
            for at in (frame.first()..history.len()).step_by(EVERY) {
                let Some(outcome) = Outcome::after(history, at) else { break };
                let day = history.closes_ms(at).div_euclid(DAY_MS);
                examples.push(Example { history: place, at, day, features: frame.known(history, at), outcome });
            }
        }
        Self { frame, histories, examples }
    }

    /// Places of the examples before the last `share` of each history, and of those in it. Examples whose outcome reaches
    /// into the last share are in neither, so that what is judged on it was not fitted on it. Of episodes, the last are the last
    /// share as a whole.
    ///
    /// # Panics
    /// If the share is not in (0, 1).
    #[must_use]
    pub fn cut(&self, share: f64) -> [Vec<usize>; 2] {
        assert!(share > 0.0 && share < 1.0, "a share of {share}");
        let longest = HORIZONS.into_iter().max().unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
        let border_of = |length: usize| ((1.0 - share) * crate::statistics::real(length)) as usize;
        if matches!(self.frame, Frame::Episodes { .. }) {
            let border = border_of(self.histories.len());
            let (early, late) = (0..self.examples.len()).partition(|place| self.examples[*place].history < border);
            return [early, late];
        }
        let [mut early, mut late] = [Vec::new(), Vec::new()];
        for (place, example) in self.examples.iter().enumerate() {
            let border = border_of(self.histories[example.history].len());
            if example.at >= border {
                late.push(place);
            } else if example.at + longest < border {
                early.push(place);
            }
        }
        [early, late]
    }

    /// Places of the examples of each day, by history: what a bootstrap resamples. Episodes are resampled as they are.
    ///
    /// # Panics
    /// Never: a history is begun before its days.
    #[must_use]
    pub fn days(&self) -> Vec<Vec<Vec<usize>>> {
        if matches!(self.frame, Frame::Episodes { .. }) {
            let mut episodes = vec![Vec::new(); self.histories.len()];
            self.examples.iter().enumerate().for_each(|(place, example)| episodes[example.history].push(place));
            episodes.retain(|places| !places.is_empty());
            return vec![episodes];
        }
        let mut days: Vec<Vec<Vec<usize>>> = Vec::new();
        let mut before: Option<(usize, i64)> = None;
        for (place, example) in self.examples.iter().enumerate() {
            let is_new_history = before.is_none_or(|(history, _)| history != example.history);
            if is_new_history {
                days.push(Vec::new());
            }
            let history = days.last_mut().expect("a history was begun");
            if is_new_history || before.is_none_or(|(_, day)| day != example.day) {
                history.push(Vec::new());
            }
            history.last_mut().expect("a day was begun").push(place);
            before = Some((example.history, example.day));
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::bars;
    use super::*;

    #[test]
    fn moments_are_a_quarter_apart_with_a_day_behind_and_the_horizons_before_them() {
        let closes: Vec<f64> = (0..1_000_u16).map(|k| 100.0 + f64::from(k % 7)).collect();
        let set = Set::new(vec![History::new("a", &bars(&closes)), History::new("b", &bars(&closes[..500]))]);
        let of = |history: usize| set.examples.iter().filter(move |e| e.history == history).map(|e| e.at);
        assert_eq!(of(0).next(), Some(287));
        // 951 is the last bar with 48 after it; 950 is 287 plus a multiple of three.
        assert_eq!((of(0).next_back(), of(1).next_back()), (Some(950), Some(449)));
        // Bar 287 closes at midnight: the second day begins there, and bar 575 closes at the next.
        let days = set.days();
        let sizes: Vec<Vec<usize>> = days.iter().map(|h| h.iter().map(Vec::len).collect()).collect();
        assert_eq!(sizes, vec![vec![96, 96, 30], vec![55]]);
        let [early, late] = set.cut(0.2);
        assert!(early.iter().all(|i| set.examples[*i].at + 48 < [800, 400][set.examples[*i].history]));
        assert!(late.iter().all(|i| set.examples[*i].at >= [800, 400][set.examples[*i].history]));
        assert!(early.len() + late.len() < set.examples.len(), "some reach across");
    }

    #[test]
    fn moments_of_episodes_begin_with_the_first_bar_and_episodes_are_units() {
        let closes: Vec<f64> = (0..120_u16).map(|k| 100.0 + f64::from(k % 7)).collect();
        let episode = |k: usize| History::new(&format!("{k}"), &bars(&closes[k..]));
        let histories: Vec<History> = (0..10).map(episode).collect();
        let frame = Frame::of_episodes(BAR_MS, &histories);
        let set = Set::framed(frame, histories);
        let of = |history: usize| set.examples.iter().filter(move |e| e.history == history).map(|e| e.at);
        // 71 is the last of 120 bars with 48 after it, 69 the last multiple of three up to it.
        assert_eq!((of(0).next(), of(0).next_back()), (Some(0), Some(69)));
        // One bar of 288: ln(1/288); and the same names as the engine's.
        assert!((set.examples[0].features[15] + libm::log(288.0)).abs() < 1e-12);
        assert_eq!(frame.features().len(), set.examples[0].features.len());
        let days = set.days();
        assert_eq!((days.len(), days[0].len()), (1, 10));
        let [early, late] = set.cut(0.2);
        assert!(early.iter().all(|i| set.examples[*i].history < 8));
        assert!(late.iter().all(|i| set.examples[*i].history >= 8));
        assert_eq!(early.len() + late.len(), set.examples.len());
        assert_eq!(frame.horizon_names(), ["15 min", "1 h", "4 h"]);
        let minute = Frame::Episodes { bar_ms: 60_000, variance: 1e-8 };
        assert_eq!(minute.horizon_names(), ["3 min", "12 min", "48 min"]);
    }
}
