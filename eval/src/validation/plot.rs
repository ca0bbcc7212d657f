//! Rows against their targets as one drawing: every target stretched to the same band, so that rows of different units share
//! an axis.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::row::{Row, Verdict};

/// Pixels of a row, of the labels, of the drawing, and around it.
const LINE: i32 = 22;
const LABELS: i32 = 330;
const WIDTH: i32 = 900;
const EDGE: i32 = 30;
/// Widths of the target shown on either side of it; what lies beyond stands at the edge.
const BEYOND: f64 = 2.0;

const TARGET: RGBColor = RGBColor(0xD9, 0xE6, 0xF2);
const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const PASS: RGBColor = RGBColor(0x1F, 0x6F, 0xB4);
const FAIL: RGBColor = RGBColor(0xC4, 0x3C, 0x2E);

/// Draws the rows that have a number and a target of two ends, as an SVG; nothing if there are none. The shaded band is the
/// target of each row, the disc its number, the line its interval; a number beyond the drawing is an open disc at its edge.
///
/// # Panics
/// Never: a string takes everything that is drawn.
#[must_use]
pub fn against_targets(rows: &[Row]) -> Option<String> {
    let placed: Vec<(&Row, [f64; 3])> = rows.iter().filter_map(|row| Some((row, places(row)?))).collect();
    if placed.is_empty() {
        return None;
    }
    let height = LINE * i32::try_from(placed.len()).expect("a table of rows") + 2 * EDGE;
    let mut svg = String::new();
    {
        let size = [WIDTH, height].map(|side| u32::try_from(side).expect("a positive size"));
        let root = SVGBackend::with_string(&mut svg, (size[0], size[1])).into_drawing_area();
        let band = [across(0.0), across(1.0)];
        let shade = Rectangle::new([(band[0], EDGE), (band[1], height - EDGE)], TARGET.filled());
        root.draw(&shade).expect("a string takes everything");
        text(&root, ((band[0] + band[1]) / 2, EDGE / 2), "target", HPos::Center);
        for (line, (row, places)) in (0..).zip(&placed) {
            draw_row(&root, row, *places, EDGE + LINE * line + LINE / 2);
        }
        root.present().expect("a string takes everything");
    }
    Some(svg)
}

/// Low end of the interval, number and high end, in widths of the target from its low end.
fn places(row: &Row) -> Option<[f64; 3]> {
    let ([Some(low), Some(high)], Some(value), None) = (row.target, row.value, &row.skipped) else { return None };
    let [from, to] = row.interval.unwrap_or([value; 2]);
    (high > low && value.is_finite()).then(|| [from, value, to].map(|x| (x - low) / (high - low)))
}

/// Pixel of a place; beyond the drawing, its edge.
#[expect(clippy::cast_possible_truncation, reason = "pixels of a drawing")]
fn across(place: f64) -> i32 {
    let share = (place.clamp(-BEYOND, 1.0 + BEYOND) + BEYOND) / (1.0 + 2.0 * BEYOND);
    LABELS + libm::round(share * f64::from(WIDTH - LABELS - EDGE)) as i32
}

fn draw_row(root: &DrawingArea<SVGBackend<'_>, Shift>, row: &Row, places: [f64; 3], y: i32) {
    let colour = if row.verdict() == Verdict::Pass { PASS } else { FAIL };
    let [from, at, to] = places.map(across);
    let line = PathElement::new(vec![(from, y), (to, y)], colour.stroke_width(2));
    root.draw(&line).expect("a string takes everything");
    let is_inside = (-BEYOND..=1.0 + BEYOND).contains(&places[1]);
    let style = if is_inside { colour.filled() } else { colour.stroke_width(2) };
    root.draw(&Circle::new((at, y), 4, style)).expect("a string takes everything");
    let mut label: String = format!("{} {}", row.id, row.title).chars().take(54).collect();
    if label.len() < row.id.len() + row.title.len() + 1 {
        label.push('…');
    }
    text(root, (LABELS - 12, y), &label, HPos::Right);
}

fn text(root: &DrawingArea<SVGBackend<'_>, Shift>, at: (i32, i32), text: &str, anchor: HPos) {
    // plotters divides by 1.24, to match sizes of its bitmap fonts.
    let style = TextStyle::from(("sans-serif", 1.24 * 11.5).into_font()).color(&INK);
    let element = Text::new(text.to_owned(), at, style.pos(Pos::new(anchor, VPos::Center)));
    root.draw(&element).expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_where_its_target_says() {
        let row = |value: f64| {
            Row::new("F1", "x < y", [Some(2.0), Some(4.0)], "").measured(Some(value), Some([value - 1.0, value + 1.0]))
        };
        // The middle of the target is the middle of the axis: 330 + (900 - 330 - 30) / 2. One more is half a target on:
        // a fifth of the axis is a target, 108 pixels.
        let svg = against_targets(&[row(3.0)]).unwrap();
        assert!(svg.contains("cx=\"600\" cy=\"41\"") && svg.contains("546,41 654,41"), "{svg}");
        assert!(svg.contains("x &lt; y"), "{svg}");
        // Far out it stands at the edge, open.
        let far = against_targets(&[row(30.0)]).unwrap();
        assert!(far.contains("cx=\"870\"") && far.contains("fill=\"none\""), "{far}");
    }

    #[test]
    fn rows_without_a_number_or_a_closed_target_are_left_out() {
        let open = Row::new("a", "", [Some(1.0), None], "").measured(Some(1.0), None);
        let skipped = Row::new("b", "", [Some(1.0), Some(2.0)], "").skip("no data");
        assert_eq!(against_targets(&[open, skipped]), None);
    }
}
