//! Where direct labels go: beside their points, off each other, inside the chart.

use super::figure::{Figure, TEXT};

/// Mean advance of a character over its height, for the sans-serif faces of browsers.
const ADVANCE: f64 = 0.6;

/// A rectangle on the page, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Box2 {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Box2 {
    /// A thin box around a horizontal or vertical line between two points on the page.
    pub(super) const fn around_line(from: (f64, f64), to: (f64, f64)) -> Self {
        Self {
            left: from.0.min(to.0) - 1.0,
            top: from.1.min(to.1) - 1.0,
            right: from.0.max(to.0) + 1.0,
            bottom: from.1.max(to.1) + 1.0,
        }
    }

    fn overlap(&self, other: &Self) -> f64 {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across.max(0.0) * down.max(0.0)
    }

    fn area(&self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// Chooses for each labelled point, in pixels, the offset of its label's left middle from the point.
///
/// Greedy, in order: each label takes the nearest of its candidate places that covers least of labels placed before,
/// of any point, of the lines in `strokes`, and of what lies outside the figure.
pub(super) fn place(figure: &Figure, labels: &[((f64, f64), &str)], strokes: &[Box2]) -> Vec<(f64, f64)> {
    let frame = Box2 {
        left: f64::from(figure.margins.left) + 3.0,
        top: f64::from(figure.margins.top),
        right: f64::from(figure.width),
        bottom: f64::from(figure.height - figure.margins.bottom) - 2.0,
    };
    let discs: Vec<Box2> = labels.iter().map(|((x, y), _)| around(*x, *y, 5.0)).collect();
    let mut taken: Vec<Box2> = Vec::new();
    let mut offsets = Vec::new();
    for ((x, y), text) in labels {
        let cost = |by: &(f64, f64)| {
            let own = extent(x + by.0, y + by.1, text);
            let outside = own.area() - own.overlap(&frame);
            let covered: f64 = taken.iter().chain(&discs).map(|other| own.overlap(other)).sum();
            let crossed: f64 = strokes.iter().map(|stroke| own.overlap(stroke)).sum();
            4.0 * outside + 2.0 * covered + crossed
        };
        let candidates = candidates(text);
        // The first of equals: nearer places come first.
        let best = candidates.iter().map(|by| (cost(by), by)).reduce(|a, b| if b.0 < a.0 { b } else { a });
        let (_, by) = best.expect("there are candidates");
        taken.push(extent(x + by.0, y + by.1, text));
        offsets.push(*by);
    }
    offsets
}

/// Offsets to try: right, left, then above and below at growing distance.
fn candidates(text: &str) -> Vec<(f64, f64)> {
    let width = width(text);
    let mut found = vec![(8.0, 0.0), (-8.0 - width, 0.0)];
    for down in [-13.0, 13.0, -26.0, 26.0, -39.0, 39.0, -52.0, 52.0] {
        found.extend([(6.0, down), (-0.5 * width, down), (-6.0 - width, down), (24.0, down)]);
    }
    found
}

fn width(text: &str) -> f64 {
    ADVANCE * TEXT * crate::statistics::real(text.chars().count())
}

fn extent(left: f64, middle: f64, text: &str) -> Box2 {
    Box2 { left, top: middle - 0.6 * TEXT, right: left + width(text), bottom: middle + 0.6 * TEXT }
}

const fn around(x: f64, y: f64, reach: f64) -> Box2 {
    Box2 { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Axis, Margins};
    use super::*;

    fn figure() -> Figure {
        let axis = Axis::linear((0.0, 1.0), 2, "", |value| value.to_string());
        Figure {
            width: 300,
            height: 200,
            margins: Margins { left: 10, right: 10, top: 10, bottom: 10 },
            x: axis.clone(),
            y: axis,
            description: String::new(),
        }
    }

    #[test]
    fn labels_of_one_place_do_not_cover_each_other() {
        let labels = [((150.0, 100.0), "first"), ((150.0, 100.0), "second"), ((152.0, 101.0), "third")];
        let offsets = place(&figure(), &labels, &[]);
        let boxes: Vec<Box2> =
            labels.iter().zip(&offsets).map(|(((x, y), text), by)| extent(x + by.0, y + by.1, text)).collect();
        for (index, one) in boxes.iter().enumerate() {
            for other in &boxes[index + 1..] {
                assert!(one.overlap(other) < 1e-9, "{boxes:?}");
            }
        }
    }

    #[test]
    fn a_label_at_the_right_edge_turns_to_the_left() {
        let offsets = place(&figure(), &[((285.0, 100.0), "a long name")], &[]);
        assert!(offsets[0].0 < -50.0, "{offsets:?}");
    }

    #[test]
    fn a_label_keeps_off_a_line_through_its_point() {
        let stroke = Box2::around_line((50.0, 100.0), (250.0, 100.0));
        let offsets = place(&figure(), &[((150.0, 100.0), "name")], &[stroke]);
        let own = extent(150.0 + offsets[0].0, 100.0 + offsets[0].1, "name");
        assert!(own.overlap(&stroke) < 1e-9, "{offsets:?}");
    }
}
