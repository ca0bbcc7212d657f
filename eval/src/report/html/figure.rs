//! One chart: axes, and marks in the page's colours.
//!
//! Coordinates are whole numbers in `plotters`, so a chart is drawn ten times as large as it is shown. Colours are
//! placeholders that become variables of the style sheet at the end: the same chart serves light and dark.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::number::without_zeros;

/// Units of a drawing in one pixel of the page.
const SCALE: i32 = 10;
/// Size of every text, in pixels of the page at full width.
pub(super) const TEXT: f64 = 11.5;
/// Contenders with a colour of their own; later ones share the last.
pub(super) const SERIES: usize = 8;

/// A colour by its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// Of a contender, by its place in the report; the subject is first.
    Series(usize),
    /// Of text.
    Text,
    /// Of text that stands back.
    Muted,
    /// Of lines that carry no data.
    Rule,
}

impl Ink {
    /// Name of the variable in the style sheet.
    pub(super) fn variable(self) -> String {
        match self {
            Self::Series(place) => format!("--s{}", place.min(SERIES - 1)),
            Self::Text => "--ink".into(),
            Self::Muted => "--muted".into(),
            Self::Rule => "--rule".into(),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        (0..SERIES).map(Self::Series).chain([Self::Text, Self::Muted, Self::Rule])
    }

    /// Stand-in: a colour that no chart shows.
    fn colour(self) -> RGBColor {
        let place = match self {
            Self::Series(place) => place.min(SERIES - 1),
            Self::Text => SERIES,
            Self::Muted => SERIES + 1,
            Self::Rule => SERIES + 2,
        };
        RGBColor(1, 0, u8::try_from(place).expect("a handful of colours"))
    }
}

/// One axis: its bounds, what stands at its ticks, and what it shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<(f64, String)>,
    pub(super) title: String,
}

impl Axis {
    /// An axis over `[low, high]` with some `count` ticks at round values, printed by `text`.
    ///
    /// # Panics
    /// If the bounds are not finite.
    pub(super) fn linear(bounds: (f64, f64), count: usize, title: &str, text: impl Fn(f64) -> String) -> Self {
        let (low, high) = widened(bounds);
        let ticks = round_values(low, high, count).into_iter().map(|value| (value, text(value))).collect();
        Self { low, high, ticks, title: title.into() }
    }

    /// An axis from zero to a number of seconds, with ticks at round values of the unit that fits.
    pub(super) fn time(seconds: f64, title: &str) -> Self {
        let (unit, name) = [(3_600.0, "hours"), (60.0, "minutes")]
            .into_iter()
            .find(|(unit, _)| seconds >= 1.5 * unit)
            .unwrap_or((1.0, "seconds"));
        let (low, high) = widened((0.0, seconds));
        let ticks = round_values(low / unit, high / unit, 5);
        let text = |value: f64| without_zeros(&format!("{value:.3}"));
        let ticks = ticks.into_iter().map(|value| (value * unit, text(value))).collect();
        Self { low, high, ticks, title: format!("{title}, {name}") }
    }

    /// An axis of decades: bounds and positions are logarithms to base ten, and every whole one has a tick.
    pub(super) fn decades(bounds: (f64, f64), title: &str, text: impl Fn(i32) -> String) -> Self {
        let (low, high) = widened(bounds);
        let ticks = (-12..=12).filter(|k| (low - 1e-9..=high + 1e-9).contains(&f64::from(*k)));
        Self { low, high, ticks: ticks.map(|k| (f64::from(k), text(k))).collect(), title: title.into() }
    }
}

/// Bounds with room between them.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    assert!(low.is_finite() && high.is_finite(), "an axis from {low} to {high}");
    if high > low { (low, high) } else { (low - 0.5, low + 0.5) }
}

/// Multiples of 1, 2 or 5 times a power of ten in `[low, high]`, about `count` of them.
pub(super) fn round_values(low: f64, high: f64, count: usize) -> Vec<f64> {
    let raw = (high - low) / crate::statistics::real(count.max(1));
    let power = libm::pow(10.0, libm::floor(libm::log10(raw)));
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= 0.999 * raw);
    let step = step.unwrap_or(10.0 * power);
    let first = libm::ceil(low / step - 1e-9);
    let at = (0..100).map(|k| (first + f64::from(k)) * step).take_while(|value| *value <= high + 1e-9 * step);
    // Adding zero turns minus zero into zero.
    at.map(|value| value + 0.0).collect()
}

/// What surrounds the plotting area, in pixels of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Margins {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
}

/// A chart to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) margins: Margins,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// What it shows, for those who do not see it.
    pub(super) description: String,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Where marks go, in the units of the axes.
pub(super) struct Canvas<'a> {
    area: Area<'a>,
}

impl Figure {
    /// Draws the axes, then what `paint` adds, and returns an `svg` element.
    pub(super) fn draw(&self, paint: impl FnOnce(&Canvas<'_>)) -> String {
        let mut svg = String::new();
        let size = [self.width, self.height].map(|side| u32::try_from(side * SCALE).expect("a positive size"));
        {
            let root = SVGBackend::with_string(&mut svg, (size[0], size[1])).into_drawing_area();
            let canvas = Canvas { area: root.apply_coord_spec(self.coordinates()) };
            self.axes(&canvas, &root);
            paint(&canvas);
            root.present().expect("a string takes everything");
        }
        self.finish(&svg)
    }

    /// Place of a point on the page, in pixels.
    pub(super) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let share = |axis: &Axis, value: f64| (value - axis.low) / (axis.high - axis.low);
        let Margins { left, right, top, bottom } = self.margins;
        let (wide, high) = (f64::from(self.width - left - right), f64::from(self.height - top - bottom));
        (f64::from(left) + share(&self.x, x) * wide, f64::from(top) + (1.0 - share(&self.y, y)) * high)
    }

    fn coordinates(&self) -> Cartesian2d<RangedCoordf64, RangedCoordf64> {
        let Margins { left, right, top, bottom } = self.margins;
        let across = left * SCALE..(self.width - right) * SCALE;
        let up = (self.height - bottom) * SCALE..top * SCALE;
        Cartesian2d::new(self.x.low..self.x.high, self.y.low..self.y.high, (across, up))
    }

    fn axes(&self, canvas: &Canvas<'_>, root: &DrawingArea<SVGBackend<'_>, Shift>) {
        let (x, y) = (&self.x, &self.y);
        for (value, text) in &y.ticks {
            canvas.line([(x.low, *value), (x.high, *value)], Ink::Rule, 1.0);
            canvas.text((x.low, *value), (-6.0, 0.0), text, Ink::Muted, (HPos::Right, VPos::Center));
        }
        for (value, text) in &x.ticks {
            let (at, floor) = self.place(*value, y.low);
            let ends = [floor, floor + 4.0].map(|down| (scaled(at), scaled(down)));
            let style = Ink::Muted.colour().stroke_width(10);
            root.draw(&PathElement::new(ends.to_vec(), style)).expect("a string takes everything");
            canvas.text((*value, y.low), (0.0, 7.0), text, Ink::Muted, (HPos::Center, VPos::Top));
        }
        canvas.line([(x.low, y.low), (x.high, y.low)], Ink::Muted, 1.0);
        let top = f64::from(self.margins.top);
        canvas.text(
            (x.low, y.high),
            (-f64::from(self.margins.left), -top),
            &y.title,
            Ink::Text,
            (HPos::Left, VPos::Top),
        );
        let below = f64::from(self.margins.bottom) - 2.0;
        canvas.text((x.high, y.low), (0.0, below), &x.title, Ink::Text, (HPos::Right, VPos::Bottom));
    }

    /// Replaces stand-in colours, and the head by one that scales and says what it shows.
    fn finish(&self, svg: &str) -> String {
        let body = svg.split_once('>').map_or("", |(_, body)| body);
        let mut body =
            body.replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "").replace(">\n", ">");
        for ink in Ink::all() {
            let RGBColor(red, green, blue) = ink.colour();
            // With its quotes: those of a text are escaped, so nobody's name is taken for a colour.
            let stand_in = format!("=\"#{red:02X}{green:02X}{blue:02X}\"");
            body = body.replace(&stand_in, &format!("=\"var({})\"", ink.variable()));
        }
        let (width, height) = (self.width * SCALE, self.height * SCALE);
        let label = escape(&self.description);
        format!("<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">{body}")
    }
}

impl Canvas<'_> {
    /// A line through points.
    pub(super) fn line(&self, points: impl IntoIterator<Item = (f64, f64)>, ink: Ink, width: f64) {
        let style = ink.colour().stroke_width(thickness(width));
        let path = PathElement::new(points.into_iter().collect::<Vec<_>>(), style);
        self.area.draw(&path).expect("a string takes everything");
    }

    /// A line that stands back.
    pub(super) fn faint(&self, points: impl IntoIterator<Item = (f64, f64)>, ink: Ink) {
        let style = ink.colour().mix(0.35).stroke_width(thickness(1.0));
        let path = PathElement::new(points.into_iter().collect::<Vec<_>>(), style);
        self.area.draw(&path).expect("a string takes everything");
    }

    /// The area between two lines over the same places.
    pub(super) fn band(&self, lower: &[(f64, f64)], upper: &[(f64, f64)], ink: Ink) {
        let outline: Vec<(f64, f64)> = lower.iter().chain(upper.iter().rev()).copied().collect();
        let shape = Polygon::new(outline, ink.colour().mix(0.16).filled());
        self.area.draw(&shape).expect("a string takes everything");
    }

    /// A disc.
    pub(super) fn point(&self, at: (f64, f64), ink: Ink, radius: f64) {
        let disc = Circle::new(at, thickness(radius), ink.colour().filled());
        self.area.draw(&disc).expect("a string takes everything");
    }

    /// A text at a distance, in pixels of the page, from a point.
    pub(super) fn text(&self, at: (f64, f64), by: (f64, f64), text: &str, ink: Ink, anchor: (HPos, VPos)) {
        // plotters divides by 1.24, to match sizes of its bitmap fonts.
        let size = 1.24 * TEXT * f64::from(SCALE);
        let colour = ink.colour();
        let style = TextStyle::from(("sans-serif", size).into_font()).color(&colour);
        let style = style.pos(Pos::new(anchor.0, anchor.1));
        let element = EmptyElement::at(at) + Text::new(text.to_owned(), (scaled(by.0), scaled(by.1)), style);
        self.area.draw(&element).expect("a string takes everything");
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
fn scaled(pixels: f64) -> i32 {
    libm::round(pixels * f64::from(SCALE)) as i32
}

fn thickness(pixels: f64) -> u32 {
    u32::try_from(scaled(pixels)).expect("a positive width")
}

/// Text as it stands inside an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure {
            width: 200,
            height: 100,
            margins: Margins { left: 40, right: 10, top: 20, bottom: 30 },
            x: Axis::linear((0.0, 10.0), 5, "time", |value| format!("{value}")),
            y: Axis::linear((-1.0, 1.0), 4, "a <b> & \"c\"", |value| format!("{value:.1}")),
            description: "shows \"it\" <now>".into(),
        }
    }

    #[test]
    fn a_mark_stands_where_the_axes_say() {
        // 40 pixels to the left of the plot, 150 across it: 5 of 10 is at 115. Zero is halfway up 50 below 20: 45.
        let figure = figure();
        assert_eq!(figure.place(5.0, 0.0), (115.0, 45.0));
        let svg = figure.draw(|canvas| canvas.point((5.0, 0.0), Ink::Series(0), 3.0));
        assert!(svg.contains("cx=\"1150\" cy=\"450\" r=\"30\""), "{svg}");
        assert!(svg.starts_with("<svg class=\"chart\" viewBox=\"0 0 2000 1000\""), "{svg}");
    }

    #[test]
    fn colours_are_variables_and_texts_are_escaped() {
        let figure = figure();
        let svg = figure.draw(|canvas| {
            canvas.line([(0.0, 0.0), (1.0, 1.0)], Ink::Series(99), 1.5);
            canvas.text((0.0, 0.0), (0.0, 0.0), "=\"#010000\" </svg><script>", Ink::Text, (HPos::Left, VPos::Top));
        });
        assert!(svg.contains("var(--s7)") && svg.contains("var(--ink)") && !svg.contains("=\"#0100"), "{svg}");
        assert!(svg.contains("=&quot;#010000&quot; &lt;/svg&gt;&lt;script&gt;"), "{svg}");
        assert!(svg.contains("aria-label=\"shows &quot;it&quot; &lt;now&gt;\""), "{svg}");
        assert_eq!(svg.matches("</svg>").count(), 1);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(round_values(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(round_values(-137.0, 12.0, 4), [-100.0, -50.0, 0.0]);
        assert_eq!(round_values(0.0, 3e6, 3), [0.0, 1e6, 2e6, 3e6]);
        // A single value still has an axis.
        let axis = Axis::linear((3.0, 3.0), 2, "", |value| value.to_string());
        assert_eq!((axis.low, axis.high), (2.5, 3.5));
        let axis = Axis::time(400.0, "wall time");
        let ticks: Vec<(f64, &str)> = axis.ticks.iter().map(|(at, text)| (*at, text.as_str())).collect();
        assert_eq!(ticks, [(0.0, "0"), (120.0, "2"), (240.0, "4"), (360.0, "6")]);
        assert_eq!(axis.title, "wall time, minutes");
        let axis = Axis::decades((-2.3, 0.0), "", |k| k.to_string());
        assert_eq!(axis.ticks.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [-2.0, -1.0, 0.0]);
    }
}
