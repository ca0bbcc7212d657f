//! Differences with their intervals, one below the other on a common axis: positions for the style sheet to draw.

use super::figure::round_values;
use crate::statistics::Estimate;

/// The common axis of some estimates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

/// Where an interval, its estimate and zero stand, in percent of the axis from the left.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Whisker {
    pub(super) left: String,
    pub(super) width: String,
    pub(super) dot: String,
    pub(super) zero: String,
}

/// A number on the axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) text: String,
}

impl Scale {
    /// An axis that holds all of them and zero, with a little room.
    pub(super) fn holding<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> Self {
        let ends = estimates.into_iter().flat_map(|estimate| {
            let interval = estimate.interval.map_or([estimate.value; 2], |interval| [interval.low, interval.high]);
            [estimate.value, interval[0], interval[1]]
        });
        let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        let room = if high > low { 0.04 * (high - low) } else { 1.0 };
        Self { low: low - room, high: high + room }
    }

    fn percent(self, value: f64) -> f64 {
        100.0 * (value - self.low) / (self.high - self.low)
    }

    /// Positions of an estimate.
    pub(super) fn whisker(self, estimate: &Estimate) -> Whisker {
        let (low, high) = estimate.interval.map_or((estimate.value, estimate.value), |i| (i.low, i.high));
        Whisker {
            left: position(self.percent(low)),
            width: position(self.percent(high) - self.percent(low)),
            dot: position(self.percent(estimate.value)),
            zero: position(self.percent(0.0)),
        }
    }

    /// Numbers below the axis.
    pub(super) fn ticks(self, count: usize, text: impl Fn(f64) -> String) -> Vec<Tick> {
        let values = round_values(self.low, self.high, count);
        values.into_iter().map(|value| Tick { at: position(self.percent(value)), text: text(value) }).collect()
    }
}

fn position(percent: f64) -> String {
    format!("{percent:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::{Interval, Method};

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, interval: Some(Interval { low, high, method: Method::Bca }) }
    }

    #[test]
    fn positions_are_shares_of_the_common_axis() {
        // From -10 to 40 with 4 % of 50 on either side: the axis is [-12, 42], 54 long.
        let all = [estimate(20.0, 10.0, 40.0), estimate(-5.0, -10.0, -1.0)];
        let whisker = Scale::holding(&all).whisker(&all[0]);
        let expected = |value: f64| format!("{:.2}", 100.0 * (value + 12.0) / 54.0);
        assert_eq!((whisker.left, whisker.dot, whisker.zero), (expected(10.0), expected(20.0), expected(0.0)));
        assert_eq!(whisker.width, format!("{:.2}", 100.0 * 30.0 / 54.0));
    }

    #[test]
    fn zero_is_always_on_the_axis() {
        let far = [estimate(20.0, 10.0, 40.0)];
        let zero: f64 = Scale::holding(&far).whisker(&far[0]).zero.parse().unwrap();
        assert!((0.0..10.0).contains(&zero));
        let none = Scale::holding(&[]);
        assert_eq!(none.ticks(2, |value| value.to_string()).len(), 3);
        let bare = Estimate { value: 3.0, interval: None };
        assert_eq!(Scale::holding([&bare]).whisker(&bare).width, "0.00");
    }
}
