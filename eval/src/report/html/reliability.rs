//! Calibration curves: how often what was forecast came, on axes of decades, since ruin is rare.

use plotters::style::text_anchor::{HPos, VPos};

use super::figure::{Axis, Figure, Ink, Margins};
use crate::forecast::judge::Curve;
use crate::forecast::score::Bin;

/// Decades from one forecast in ten thousand to certainty.
const DECADES: (f64, f64) = (-4.5, 0.0);
/// The variables that the chart is drawn in: those of the page's style sheet.
const STYLE: &str = "<style>svg{--ink:#1d1d1b;--muted:#66655f;--rule:#e3e2dc;--s0:#0a58a6;--s1:#b45a00;--s2:#00755a;\
--s3:#9a3b85;--s4:#776300;--s5:#b0303a;--s6:#3d7187;--s7:#7c7b74;background:#fdfdfb;font-family:system-ui,sans-serif}\
@media (prefers-color-scheme:dark){svg{--ink:#e9e7e1;--muted:#a09e96;--rule:#302f2c;--s0:#74b4f5;--s1:#eda24f;\
--s2:#45c49e;--s3:#dd94cc;--s4:#cfbb55;--s5:#f48b8b;--s6:#8fbfd3;--s7:#98968f;background:#151514}}</style>";

/// Draws curves of one horizon as an SVG file, the first with its intervals.
///
/// A bin stands at its mean forecast and at its share of events; on the diagonal the two agree. Bins without an event have no
/// place on an axis of decades and are left out.
#[must_use]
pub fn reliability_file(title: &str, curves: &[&Curve]) -> String {
    let axis = |title: &str| {
        Axis::decades(DECADES, title, |k| {
            if k == 0 { "1".to_owned() } else { format!("{}", libm::pow(10.0, f64::from(k))) }
        })
    };
    let figure = Figure {
        width: 640,
        height: 460,
        margins: Margins { left: 60, right: 120, top: 46, bottom: 48 },
        x: axis("forecast probability of ruin"),
        y: axis("share that was ruined"),
        description: format!(
            "{title}: share of ruined accounts over the forecast probability, {} forecasters",
            curves.len()
        ),
    };
    let svg = figure.draw(|canvas| {
        let corner = (0.0, -30.0);
        canvas.text((figure.x.low, figure.y.high), corner, title, Ink::Text, (HPos::Left, VPos::Top));
        canvas.line([(DECADES.0, DECADES.0), (DECADES.1, DECADES.1)], Ink::Muted, 1.0);
        // The first is drawn last, on top of the others.
        for (place, curve) in curves.iter().enumerate().rev() {
            let (ink, width) = (Ink::Series(place), if place == 0 { 2.0 } else { 1.0 });
            let bins: Vec<&Bin> = curve.bins.iter().filter(|bin| bin.events > 0).collect();
            canvas.line(bins.iter().map(|bin| (decade(bin.forecast), decade(bin.observed()))), ink, width);
            for bin in bins {
                canvas.point((decade(bin.forecast), decade(bin.observed())), ink, if place == 0 { 3.5 } else { 2.0 });
                if let (0, Some([low, high])) = (place, bin.interval) {
                    let at = decade(bin.forecast);
                    canvas.line([(at, decade(low)), (at, decade(high))], ink, 1.0);
                }
            }
        }
        for (line, (place, curve)) in (0_u16..).zip(curves.iter().enumerate()) {
            let down = 10.0 + 18.0 * f64::from(line);
            canvas.text(
                (figure.x.high, figure.y.high),
                (12.0, down),
                &curve.forecaster,
                Ink::Series(place),
                (HPos::Left, VPos::Top),
            );
        }
    });
    let named = svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    named.replacen('>', &format!(">{STYLE}"), 1) + "\n"
}

/// Decade of a probability, as far as the axes go.
fn decade(probability: f64) -> f64 {
    libm::log10(probability.max(1e-12)).clamp(DECADES.0, DECADES.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_stand_at_their_decades_and_empty_ones_nowhere() {
        let bin = Bin { n: 1_000, events: 10, forecast: 0.1, interval: Some([0.001, 0.1]) };
        let silent = Bin { n: 500, events: 0, forecast: 0.002, interval: None };
        let curve = |name: &str, bins: &[Bin]| Curve {
            forecaster: name.into(),
            horizon: "1 h".into(),
            bins: bins.to_vec(),
            reliability: 0.0,
        };
        let (first, second) = (curve("a <net>", &[silent, bin]), curve("b", &[bin]));
        let svg = reliability_file("1 h", &[&first, &second]);
        // The plot spans 460 by 366 pixels from (60, 46) over 4.5 decades: 0.1 is at 60 + 460·3.5/4.5, 0.01 at 46 + 366·2/4.5.
        assert_eq!(svg.matches("cx=\"4177\" cy=\"2087\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2, "{svg}");
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
        assert!(svg.contains("a &lt;net&gt;") && svg.contains("var(--s1)"), "{svg}");
    }
}
