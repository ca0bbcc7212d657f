//! A study's effects with their intervals, one below the other: a drawing that stands by itself or in a page.

use plotters::style::text_anchor::{HPos, VPos};

use super::figure::{Axis, Figure, Ink, Margins, TEXT};
use super::typeset;
use crate::metric::Direction;
use crate::report::effect::Effect;
use crate::report::{Finding, MetricInfo, number};

/// Distance between two rows, in pixels.
const ROW: i32 = 26;
/// Width of a letter of the charts' text on average, in pixels.
const LETTER: f64 = 0.56 * TEXT;
/// Room for the numbers to the right of the plot, in pixels.
const NUMBERS: i32 = 190;
/// The variables that charts are drawn in, as the page's style sheet has them.
const STYLE: &str = "<style>svg{--ink:#1d1d1b;--muted:#66655f;--rule:#e3e2dc;--s0:#0a58a6;--s1:#b45a00;\
background:#fdfdfb;font-family:system-ui,sans-serif}\
@media (prefers-color-scheme:dark){svg{--ink:#e9e7e1;--muted:#a09e96;--rule:#302f2c;--s0:#74b4f5;--s1:#eda24f;\
background:#151514}}</style>";

/// Draws effects on one metric as an `svg` element in the page's colours.
///
/// Blue is better and orange worse where the interval leaves zero out; what the corrected test confirms has a thick line.
///
/// # Panics
/// With more than 2³¹ effects.
#[must_use]
pub fn forest(title: &str, metric: &MetricInfo, effects: &[Effect]) -> String {
    let drawn: Vec<&Effect> = effects.iter().filter(|effect| effect.estimate.is_some()).collect();
    let longest = drawn.iter().map(|effect| effect.name.chars().count()).max().unwrap_or(0);
    let left = (crate::statistics::real(longest) * LETTER + 16.0).clamp(80.0, 320.0);
    let rows = i32::try_from(drawn.len().max(1)).expect("a study has few effects");
    let margins = Margins { left: pixels(left), right: NUMBERS, top: 42, bottom: 46 };
    let ends = drawn.iter().filter_map(|effect| effect.estimate).flat_map(|estimate| {
        let (low, high) = estimate.interval.map_or((estimate.value, estimate.value), |i| (i.low, i.high));
        [low, high]
    });
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let room = if high > low { 0.05 * (high - low) } else { 1.0 };
    let direction = match metric.direction {
        Direction::Higher => "better to the right",
        Direction::Lower => "better to the left",
        Direction::Neutral => "neither way is better",
    };
    let named = format!("effect on {}, {}; {direction}", metric.name.replace('_', " "), metric.unit.label());
    let names = (0..rows).zip(&drawn).map(|(row, effect)| (f64::from(-row), effect.name.clone()));
    let figure = Figure {
        width: 860,
        height: margins.top + margins.bottom + ROW * rows,
        margins,
        x: Axis::linear((low - room, high + room), 6, &named, |value| typeset(&number::short(value, 6))),
        y: Axis { low: 0.5 - f64::from(rows), high: 0.5, ticks: names.collect(), title: String::new() },
        description: format!("{title}: {} effects with intervals, {named}", drawn.len()),
    };
    figure.draw(|canvas| {
        canvas.line([(0.0, figure.y.low), (0.0, figure.y.high)], Ink::Muted, 1.0);
        let corner = (10.0 - f64::from(margins.left), 10.0 - f64::from(margins.top));
        canvas.text((figure.x.low, figure.y.high), corner, title, Ink::Text, (HPos::Left, VPos::Top));
        for (row, effect) in (0..rows).zip(&drawn) {
            let (at, estimate) = (f64::from(-row), effect.estimate.expect("only estimates are drawn"));
            let (ink, width) = look(effect.finding);
            if let Some(interval) = estimate.interval {
                canvas.line([(interval.low, at), (interval.high, at)], ink, width);
            }
            canvas.point((estimate.value, at), ink, 3.5);
            let text = typeset(&number::estimate(&estimate, metric.unit));
            canvas.text((figure.x.high, at), (12.0, 0.0), &text, Ink::Text, (HPos::Left, VPos::Center));
        }
    })
}

/// As [`forest`], as a file of its own.
#[must_use]
pub fn forest_file(title: &str, metric: &MetricInfo, effects: &[Effect]) -> String {
    let svg = forest(title, metric, effects);
    let named = svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    named.replacen('>', &format!(">{STYLE}"), 1) + "\n"
}

fn look(finding: Option<Finding>) -> (Ink, f64) {
    match finding {
        Some(Finding::Better) => (Ink::Series(0), 3.0),
        Some(Finding::Ahead) => (Ink::Series(0), 1.5),
        Some(Finding::Behind) => (Ink::Series(1), 1.5),
        Some(Finding::Worse) => (Ink::Series(1), 3.0),
        Some(Finding::Undecided) | None => (Ink::Muted, 1.5),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
fn pixels(value: f64) -> i32 {
    libm::round(value) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::metric;
    use crate::statistics::{Estimate, Interval, Method};

    fn effect(name: &str, value: f64, finding: Finding) -> Effect {
        let interval = Some(Interval { low: value - 1.0, high: value + 1.0, method: Method::TwoLevel });
        let estimate = Some(Estimate { value, interval });
        Effect { name: name.into(), cells: 4, estimate, test: None, finding: Some(finding) }
    }

    #[test]
    fn every_effect_has_a_row_its_numbers_and_the_colour_of_its_finding() {
        let info = MetricInfo::of(metric("return").unwrap());
        let effects = [effect("no <delay>", -5.0, Finding::Worse), effect("gen3", 2.0, Finding::Ahead)];
        let svg = forest_file("smoke", &info, &effects);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "), "{svg}");
        for part in
            ["no &lt;delay&gt;", "gen3", "−5.00 [−6.00, −4.00]", "better to the right", "var(--s0)", "var(--s1)"]
        {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 2);
        // Nothing to draw is still a drawing.
        let none = Effect { estimate: None, ..effect("x", 0.0, Finding::Undecided) };
        assert_eq!(forest("smoke", &info, &[none]).matches("<circle").count(), 0);
    }
}
