//! Marks between which nobody is called and nobody is short of margin: a tick that stays there asks no lane.
//!
//! Thresholds move with mark, funding and rates, keys only when an account acts. So while funding and rates stand and no
//! account comes to lie above the next key of its lane, everything that calls and liquidation could find out lies outside
//! a range of marks. It follows from the state, which holds nothing of it: with or without, every result is the same.

use super::Market;
use crate::margin::{Adjustment, Direction, Lane, threshold};
use crate::units::{Price, Rate};

/// Half width of the widest range, relative to mark: less than half of what lets a lane's accounts be called again.
const WIDEST: f64 = 0.002;
/// Rates beyond this have thresholds that hardly move with the mark, or the wrong way.
const STEEPEST: f64 = 0.9;
/// Edges are computed in floats and drawn in by this share and [`UNITS`]: a thousand times what rounding can do.
const SLACK: f64 = 1e-9;
/// As [`SLACK`], in units of price.
const UNITS: f64 = 16.0;

/// What rates and thresholds follow from besides the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    maintenance: u64,
    floor: u64,
    funding: Price,
}

/// A range of marks, and the terms that it holds for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    terms: Terms,
    adjustment: Adjustment,
    /// Open range of marks, in units of price.
    low: i64,
    high: i64,
    /// Lowest and highest mark that calls have been booked for.
    lowest: Price,
    highest: Price,
}

impl Watch {
    /// Whether a mark lies in the range.
    #[inline]
    pub(super) const fn covers(&self, mark: Price) -> bool {
        self.low < mark.raw() && mark.raw() < self.high
    }

    /// Whether these are the terms of the range.
    #[inline]
    pub(super) fn holds(&self, terms: Terms) -> bool {
        self.terms == terms
    }
}

/// Edges that come closer, lane by lane, in units of price.
struct Edges {
    low: f64,
    high: f64,
    funding: f64,
}

impl Edges {
    /// Keeps out the marks at which a lane's threshold falls below `key`.
    fn above(&mut self, direction: Direction, rate: f64, key: f64) {
        match direction {
            Direction::Long => self.low = self.low.max(drawn_in((key + self.funding) / (1.0 - rate), 1.0)),
            Direction::Short => self.high = self.high.min(drawn_in((self.funding - key) / (1.0 + rate), -1.0)),
        }
    }

    /// Keeps out the marks at which a lane's threshold rises above `key`.
    fn below(&mut self, direction: Direction, rate: f64, key: f64) {
        match direction {
            Direction::Long => self.high = self.high.min(drawn_in((key + self.funding) / (1.0 - rate), -1.0)),
            Direction::Short => self.low = self.low.max(drawn_in((self.funding - key) / (1.0 + rate), 1.0)),
        }
    }
}

fn drawn_in(edge: f64, inwards: f64) -> f64 {
    edge + inwards * (edge.abs() * SLACK + UNITS)
}

#[expect(clippy::cast_precision_loss, reason = "edges have slack")]
const fn units(price: Price) -> f64 {
    price.raw() as f64
}

impl Market {
    /// Whether everybody is on the safe side of call and trigger at the current mark, by what the watch knows.
    #[inline]
    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet_at(self.state.prices.mark)
    }

    #[inline]
    pub(super) fn margin_terms(&self) -> Terms {
        let state = &self.state;
        Terms {
            maintenance: state.controls.maintenance_margin_multiplier.to_bits(),
            floor: state.floor().to_bits(),
            funding: state.ledger.funding(),
        }
    }

    /// Books a new lowest or highest mark of a quiet range: nobody is called, but what has been called follows the mark.
    #[inline]
    pub(super) fn follow_mark(&mut self) {
        let mark = self.state.prices.mark;
        if let Some(watch) = &mut self.scratch.watch {
            let direction = if mark < watch.lowest {
                watch.lowest = mark;
                Direction::Long
            } else if mark > watch.highest {
                watch.highest = mark;
                Direction::Short
            } else {
                return;
            };
            let adjustment = watch.adjustment;
            self.lower_called(direction, adjustment);
        }
    }

    fn lower_called(&mut self, direction: Direction, adjustment: Adjustment) {
        for line in 0..self.fixed.schedule.flat_line() {
            let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
            let threshold = self.lane_threshold(lane, self.call_rate(line, adjustment));
            let called = &mut self.state.called[2 * line + direction.index()];
            *called = threshold.min(*called);
        }
    }

    /// Looks for the range around the mark, once calls have been sent at it. Terms that moved in this tick may move in the
    /// next one too, so they have to stand for a tick before it is worth the look.
    pub(super) fn keep_watch(&mut self) {
        let terms = self.margin_terms();
        let stood = self.scratch.terms.replace(terms) == Some(terms);
        self.scratch.watch = if stood { self.range(terms) } else { None };
    }

    #[expect(clippy::cast_possible_truncation, reason = "edges lie within a share of the mark")]
    fn range(&mut self, terms: Terms) -> Option<Watch> {
        let mark = self.state.prices.mark;
        let adjustment = self.state.adjustment(1.0);
        let at = units(mark);
        let mut edges = Edges { low: at * (1.0 - WIDEST), high: at * (1.0 + WIDEST), funding: units(terms.funding) };
        // A lane is called again once its threshold has risen by a share of the mark.
        let again = super::calls::AGAIN * edges.low - UNITS;
        if again < 4.0 * WIDEST * at {
            return None;
        }
        self.state.index.rest();
        for line in 0..self.fixed.schedule.lines() {
            let (trigger, call) = (self.fixed.schedule.rate(line, adjustment), self.call_rate(line, adjustment));
            if trigger.max(call).as_f64() > STEEPEST {
                return None;
            }
            for direction in Direction::BOTH {
                let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
                let mut alarm = self.state.index.bound(lane);
                if let Some(key) = alarm {
                    edges.above(direction, trigger.as_f64(), units(key));
                }
                if line < self.fixed.schedule.flat_line() {
                    let called = self.state.called[2 * line + direction.index()];
                    edges.below(direction, call.as_f64(), units(called) + again);
                    alarm = self.state.index.highest_up_to(lane, called);
                    if let Some(key) = alarm {
                        edges.above(direction, call.as_f64(), units(key));
                    }
                }
                self.state.index.watch(lane, alarm);
            }
        }
        let (low, high) = (edges.low as i64, edges.high as i64);
        Some(Watch { terms, adjustment, low, high, lowest: mark, highest: mark })
    }

    /// Rate at which a line's accounts are called.
    pub(super) fn call_rate(&self, line: usize, adjustment: Adjustment) -> Rate {
        let rate = self.fixed.schedule.rate(line, adjustment);
        let call = Rate::from_f64(self.scenario.traders.margin_call - 1.0);
        rate + Rate::from_raw(rate.raw() / 1_000 * (call.raw() / 1_000_000))
    }

    /// Lanes of the index with the threshold that a rate gives them at mark.
    pub(super) fn lane_threshold(&self, lane: Lane, rate: Rate) -> Price {
        threshold(rate, lane.direction, self.state.prices.mark, self.state.ledger.funding())
    }
}
