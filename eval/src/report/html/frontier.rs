//! Safety against what it costs: one point for each contender, with the intervals of both.

use plotters::style::text_anchor::{HPos, VPos};

use super::figure::{Axis, Canvas, Figure, Ink, Margins};
use super::labels::{self, Box2};
use super::{typeset, words};
use crate::report::number::{of_unit, without_zeros};
use crate::report::{MetricInfo, Report};
use crate::statistics::Estimate;

/// One contender's place.
struct Mark<'a> {
    name: &'a str,
    ink: Ink,
    x: Estimate,
    y: Estimate,
}

/// Draws `safety` (up the page) against `cost` (across); nothing unless two contenders define
/// both and differ in both.
pub(super) fn chart(report: &Report, safety: &str, cost: &str) -> Option<String> {
    let section = &report.sections[0];
    let (up, across) = (section.row(safety)?, section.row(cost)?);
    let mut marks: Vec<Mark<'_>> = Vec::new();
    for (name, ink) in super::inks(report) {
        let mean = |row: &crate::report::Row| row.summary(name).and_then(|summary| summary.mean);
        let Some((x, y)) = mean(across).zip(mean(up)) else { continue };
        marks.push(Mark { name, ink, x, y });
    }
    let varies = |of: fn(&Mark<'_>) -> f64| marks.iter().any(|mark| (of(mark) - of(&marks[0])).abs() > 0.0);
    if marks.len() < 2 || !varies(|mark| mark.x.value) || !varies(|mark| mark.y.value) {
        return None;
    }
    let axis = |metric: &MetricInfo, of: fn(&Mark<'_>) -> Estimate, arrow: &str| {
        let title = format!("{arrow} {}, {}", words::spoken(metric.name), metric.unit.label());
        Axis::linear(roomy(marks.iter().map(|mark| ends(of(mark)))), 5, &title, |value| {
            typeset(&without_zeros(&of_unit(value, metric.unit)))
        })
    };
    let figure = Figure {
        width: 400,
        height: 290,
        margins: Margins { left: 46, right: 14, top: 30, bottom: 42 },
        x: axis(&across.metric, |mark| mark.x, "→"),
        y: axis(&up.metric, |mark| mark.y, "↑"),
        description: describe(&marks, &up.metric, &across.metric),
    };
    Some(figure.draw(|canvas| paint(canvas, &figure, &marks)))
}

fn paint(canvas: &Canvas<'_>, figure: &Figure, marks: &[Mark<'_>]) {
    let above = (0.0, -f64::from(figure.margins.top));
    canvas.text((figure.x.high, figure.y.high), above, "↙ safer and cheaper", Ink::Muted, (HPos::Right, VPos::Top));
    // The subject last, on top.
    for mark in marks.iter().rev() {
        let ((left, right), (down, up)) = (ends(mark.x), ends(mark.y));
        canvas.line([(left, mark.y.value), (right, mark.y.value)], mark.ink, 1.2);
        canvas.line([(mark.x.value, down), (mark.x.value, up)], mark.ink, 1.2);
        let radius = if mark.ink == Ink::Series(0) { 5.0 } else { 3.5 };
        canvas.point((mark.x.value, mark.y.value), mark.ink, radius);
    }
    let points: Vec<((f64, f64), &str)> =
        marks.iter().map(|mark| (figure.place(mark.x.value, mark.y.value), mark.name)).collect();
    let whiskers = marks.iter().flat_map(|mark| {
        let ((left, right), (down, up)) = (ends(mark.x), ends(mark.y));
        let line = |from: (f64, f64), to: (f64, f64)| {
            Box2::around_line(figure.place(from.0, from.1), figure.place(to.0, to.1))
        };
        [line((left, mark.y.value), (right, mark.y.value)), line((mark.x.value, down), (mark.x.value, up))]
    });
    let whiskers: Vec<Box2> = whiskers.collect();
    for (mark, by) in marks.iter().zip(labels::place(figure, &points, &whiskers)) {
        canvas.text((mark.x.value, mark.y.value), by, mark.name, mark.ink, (HPos::Left, VPos::Center));
    }
}

fn ends(estimate: Estimate) -> (f64, f64) {
    estimate.interval.map_or((estimate.value, estimate.value), |interval| (interval.low, interval.high))
}

/// The hull of some ranges and a twentieth more on either side; from zero where nothing is negative.
fn roomy(ranges: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let hull = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let (low, high) = hull.unwrap_or((0.0, 1.0));
    let room = 0.06 * (high - low);
    let floor = if low >= 0.0 && low < 0.5 * high { 0.0 } else { low - room };
    (floor, high + room)
}

fn describe(marks: &[Mark<'_>], up: &MetricInfo, across: &MetricInfo) -> String {
    let point = |mark: &Mark<'_>| {
        let (y, x) = (of_unit(mark.y.value, up.unit), of_unit(mark.x.value, across.unit));
        format!("{}: {y} and {x}", mark.name)
    };
    let points: Vec<String> = marks.iter().map(point).collect();
    format!("{} against {}. {}.", words::spoken(up.name), words::spoken(across.name), points.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_starts_at_zero_where_nothing_is_far_from_it() {
        assert!(roomy([(1.0, 10.0)].into_iter()).0.abs() < 1e-12);
        assert!(roomy([(-1.0, 10.0)].into_iter()).0 < -1.0);
        let (low, high) = roomy([(90.0, 95.0), (96.0, 100.0)].into_iter());
        assert!((low - 89.4).abs() < 1e-9 && (high - 100.6).abs() < 1e-9);
    }
}
