//! How often it gets how bad: the share of episodes beyond each value, on a logarithmic axis.

use plotters::style::text_anchor::{HPos, VPos};

use super::figure::{Axis, Figure, Ink, Margins};
use super::labels::{self, Box2};
use super::study::Study;
use super::{typeset, words};
use crate::metric::{Direction, metric};
use crate::report::number::{significant, without_zeros};
use crate::statistics::real;

/// One contender's curve: value and share of episodes beyond it, as corners of a staircase.
struct Curve<'a> {
    name: &'a str,
    ink: Ink,
    corners: Vec<(f64, f64)>,
}

/// Draws the complementary distribution of a metric's bad end for every contender; nothing if nobody has any.
///
/// A return is turned into a loss, so that the bad end is always on the right.
pub(super) fn chart(study: &Study, name: &str) -> Option<String> {
    let metric = metric(name)?;
    let sign = if metric.direction == Direction::Higher { -1.0 } else { 1.0 };
    let mut curves = Vec::new();
    let mut fewest = 1.0_f64;
    for (contender, ink) in super::inks(&study.report) {
        let values = study.episodes.of(contender, name);
        let values: Vec<f64> = values.into_iter().flatten().map(|value| sign * value).collect();
        if values.is_empty() {
            continue;
        }
        fewest = fewest.min(1.0 / real(values.len()));
        curves.push(Curve { name: contender, ink, corners: staircase(&values) });
    }
    let ends = curves.iter().flat_map(|curve| curve.corners.iter().map(|corner| corner.0));
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if curves.is_empty() || high <= low {
        return None;
    }
    let low = if low >= 0.0 { 0.0 } else { low };
    let what = if sign < 0.0 { format!("minus {}", words::spoken(name)) } else { words::spoken(name) };
    let unit = if sign < 0.0 { String::new() } else { format!(", {}", metric.unit.label()) };
    let floor = libm::log10(fewest);
    let figure = Figure {
        width: 400,
        height: 280,
        margins: Margins { left: 46, right: 18, top: 30, bottom: 42 },
        x: Axis::linear((low, high + 0.04 * (high - low)), 5, &format!("→ {what}{unit}"), |x| {
            typeset(&without_zeros(&significant(x)))
        }),
        y: Axis::decades((floor, 0.0), "↑ share of episodes beyond, log", percent),
        description: format!("Share of episodes whose {what} exceeds each value, by contender."),
    };
    let height = |share: f64| libm::log10(share.max(fewest));
    Some(figure.draw(|canvas| {
        for curve in curves.iter().rev() {
            let width = if curve.ink == Ink::Series(0) { 2.4 } else { 1.4 };
            canvas.line(curve.corners.iter().map(|(x, share)| (*x, height(*share))), curve.ink, width);
        }
        // Where each curve ends: its worst episode.
        let ends: Vec<(f64, f64)> =
            curves.iter().map(|curve| curve.corners.last().map_or((low, 0.0), |end| (end.0, height(end.1)))).collect();
        let points: Vec<((f64, f64), &str)> =
            curves.iter().zip(&ends).map(|(curve, end)| (figure.place(end.0, end.1), curve.name)).collect();
        let steps = curves.iter().flat_map(|curve| curve.corners.windows(2)).map(|pair| {
            let at = |corner: (f64, f64)| figure.place(corner.0, height(corner.1));
            Box2::around_line(at(pair[0]), at(pair[1]))
        });
        let steps: Vec<Box2> = steps.collect();
        for ((curve, end), by) in curves.iter().zip(&ends).zip(labels::place(&figure, &points, &steps)) {
            canvas.text(*end, by, curve.name, curve.ink, (HPos::Left, VPos::Center));
        }
    }))
}

/// Corners of the share of values beyond each of them: `(x, P(X > x))` from the smallest value to the last but one
/// step, where one value is left.
fn staircase(values: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let total = real(sorted.len());
    let mut corners = Vec::new();
    let mut share = 1.0;
    for (place, value) in sorted.iter().enumerate() {
        let is_last_of_equals = sorted.get(place + 1).is_none_or(|next| next > value);
        if !is_last_of_equals {
            continue;
        }
        corners.push((*value, share));
        share = real(sorted.len() - place - 1) / total;
        if share > 0.0 {
            corners.push((*value, share));
        }
    }
    corners
}

fn percent(power: i32) -> String {
    match power {
        0 => "100 %".into(),
        -1 => "10 %".into(),
        -2 => "1 %".into(),
        below => format!("{} %", libm::pow(10.0, f64::from(below + 2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_staircase_counts_what_lies_beyond() {
        // Of 0, 0, 1, 5: half exceed 0, a quarter exceeds 1, none exceeds 5, where the curve ends at a quarter.
        let corners = staircase(&[5.0, 0.0, 1.0, 0.0]);
        assert_eq!(corners, [(0.0, 1.0), (0.0, 0.5), (1.0, 0.5), (1.0, 0.25), (5.0, 0.25)]);
        assert_eq!(staircase(&[3.0]), [(3.0, 1.0)]);
    }

    #[test]
    fn decades_print_as_percentages() {
        assert_eq!([0, -1, -2, -3].map(percent), ["100 %", "10 %", "1 %", "0.1 %"]);
    }
}
