//! Moments at which everybody forecasts, with what was known and what came of it.

use super::HORIZONS;
use super::feature::{FEATURES, LOOKBACK, features};
use super::history::History;
use super::target::Outcome;

/// Bars between two moments: a quarter hour.
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
    pub features: [f64; FEATURES.len()],
    /// What came of it.
    pub outcome: Outcome,
}

/// Histories, and moments in them in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Set {
    /// Runs of bars.
    pub histories: Vec<History>,
    /// Moments, by history.
    pub examples: Vec<Example>,
}

impl Set {
    /// Every quarter hour of some histories that has a day before it and the longest horizon after it.
    #[must_use]
    pub fn new(histories: Vec<History>) -> Self {
        let mut examples = Vec::new();
        for (place, history) in histories.iter().enumerate() {
            for at in (LOOKBACK - 1..history.len()).step_by(EVERY) {
                let Some(outcome) = Outcome::after(history, at) else { break };
                let day = history.closes_ms(at).div_euclid(DAY_MS);
                examples.push(Example { history: place, at, day, features: features(history, at), outcome });
            }
        }
        Self { histories, examples }
    }

    /// Places of the examples before the last `share` of each history, and of those in it. Examples whose outcome reaches
    /// into the last share are in neither, so that what is judged on it was not fitted on it.
    ///
    /// # Panics
    /// If the share is not in (0, 1).
    #[must_use]
    pub fn cut(&self, share: f64) -> [Vec<usize>; 2] {
        assert!(share > 0.0 && share < 1.0, "a share of {share}");
        let longest = HORIZONS.into_iter().max().unwrap_or(0);
        let [mut early, mut late] = [Vec::new(), Vec::new()];
        for (place, example) in self.examples.iter().enumerate() {
            let length = self.histories[example.history].len();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the history")]
            let border = ((1.0 - share) * crate::statistics::real(length)) as usize;
            if example.at >= border {
                late.push(place);
            } else if example.at + longest < border {
                early.push(place);
            }
        }
        [early, late]
    }

    /// Places of the examples of each day, by history: what a bootstrap resamples.
    ///
    /// # Panics
    /// Never: a history is begun before its days.
    #[must_use]
    pub fn days(&self) -> Vec<Vec<Vec<usize>>> {
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
}
