//! Learning curves: every training seed, and how well their mean is known.

use plotters::style::text_anchor::{HPos, VPos};
use seawall_env::SeedTree;

use super::figure::{Axis, Figure, Ink, Margins};
use super::study::{Curve, CurvePoint};
use super::{typeset, words};
use crate::report::Settings;
use crate::report::number::{significant, without_zeros};
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, Sample, mean, percentile};

/// Fewest training seeds that a band is drawn for: of two, a bootstrap knows three means.
pub(super) const BAND_MIN: usize = 3;

/// What is learned against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// Decisions over all environments.
    Decisions,
    /// Wall time of training.
    Wall,
}

impl Against {
    const fn of(self, point: &CurvePoint) -> f64 {
        match self {
            Self::Decisions => point.decisions,
            Self::Wall => point.wall_seconds,
        }
    }
}

/// The mean over training seeds where all of them have a value.
#[derive(Debug, Default, PartialEq)]
struct Middle {
    mean: Vec<(f64, f64)>,
    low: Vec<(f64, f64)>,
    high: Vec<(f64, f64)>,
}

/// Draws the curves; nothing if no seed has two points.
pub(super) fn chart(curves: &[Curve], against: Against, settings: &Settings) -> Option<String> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    if !curves.iter().any(|curve| curve.points.len() > 1) {
        return None;
    }
    let bounds = |of: &dyn Fn(&CurvePoint) -> f64| {
        points().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (low, high) = bounds(&|point| point.value);
    let room = 0.05 * (high - low);
    let right = bounds(&|point| against.of(point)).1;
    let x = match against {
        Against::Decisions => Axis::linear((0.0, right), 5, "→ decisions, all environments", words::short_count),
        Against::Wall => Axis::time(right, "→ wall time of training"),
    };
    let middle = middle(curves, against, settings);
    let figure = Figure {
        width: 400,
        height: 270,
        margins: Margins { left: 46, right: 18, top: 30, bottom: 42 },
        x,
        y: Axis::linear((low - room, high + room), 5, "↑ return, training episodes", |y| {
            typeset(&without_zeros(&significant(y)))
        }),
        description: format!("Return of training episodes, {}.", words::counted(curves.len(), "training seed")),
    };
    Some(figure.draw(|canvas| {
        let ink = Ink::Series(0);
        if !middle.low.is_empty() {
            canvas.band(&middle.low, &middle.high, ink);
        }
        for curve in curves {
            let line = curve.points.iter().map(|point| (against.of(point), point.value));
            if curves.len() == 1 { canvas.line(line, ink, 2.0) } else { canvas.faint(line, ink) }
        }
        if curves.len() > 1 {
            canvas.line(middle.mean.iter().copied(), ink, 2.4);
        }
        let name = if curves.len() > 1 { "thick: mean; thin: each training seed" } else { "one training seed" };
        let above = (0.0, -f64::from(figure.margins.top));
        canvas.text((figure.x.high, figure.y.high), above, name, ink, (HPos::Right, VPos::Top));
    }))
}

/// Mean over seeds by iteration, with the percentile interval of a bootstrap over seeds where there are enough.
fn middle(curves: &[Curve], against: Against, settings: &Settings) -> Middle {
    let mut middle = Middle::default();
    let Some(first) = curves.first() else { return middle };
    let seeds = SeedTree::new(settings.seed);
    let plan =
        (curves.len() >= BAND_MIN).then(|| Resamples::draw(seeds, Level::Runs, &[curves.len()], settings.resamples));
    for point in &first.points {
        let at = |curve: &Curve| curve.points.iter().find(|other| other.iteration == point.iteration).copied();
        let Some(all) = curves.iter().map(at).collect::<Option<Vec<CurvePoint>>>() else { continue };
        let values: Vec<f64> = all.iter().map(|point| point.value).collect();
        let x = mean(&all.iter().map(|point| against.of(point)).collect::<Vec<_>>());
        middle.mean.push((x, mean(&values)));
        let Some(plan) = &plan else { continue };
        let sample = Sample::complete(&values);
        let means: Vec<f64> = plan.iter().filter_map(|times| sample.mean(times)).collect();
        if let Some((low, high)) = percentile(&means, settings.confidence) {
            middle.low.push((x, low));
            middle.high.push((x, high));
        }
    }
    middle
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(seed: u64, values: &[(usize, f64)]) -> Curve {
        let point = |(iteration, value): &(usize, f64)| CurvePoint {
            iteration: *iteration,
            decisions: 100.0 * crate::statistics::real(*iteration),
            wall_seconds: 2.0 * crate::statistics::real(*iteration),
            value: *value,
        };
        Curve { seed, points: values.iter().map(point).collect() }
    }

    #[test]
    fn the_mean_is_taken_where_every_seed_has_a_value() {
        let curves = [curve(1, &[(1, -4.0), (2, -2.0), (4, 0.0)]), curve(2, &[(1, -2.0), (3, 1.0), (4, 2.0)])];
        let found = middle(&curves, Against::Decisions, &Settings::default());
        assert_eq!(found.mean, [(100.0, -3.0), (400.0, 1.0)]);
        assert!(found.low.is_empty(), "two seeds give no band");
    }

    #[test]
    fn a_band_holds_the_mean_and_no_more_than_the_seeds_reach() {
        let curves = [curve(1, &[(1, 0.0)]), curve(2, &[(1, 1.0)]), curve(3, &[(1, 5.0)])];
        let found = middle(&curves, Against::Wall, &Settings::default());
        let (low, high) = (found.low[0].1, found.high[0].1);
        assert_eq!(found.mean, [(2.0, 2.0)]);
        assert!((0.0..2.0).contains(&low) && high > 2.0 && high <= 5.0, "{low} {high}");
    }

    #[test]
    fn one_point_is_no_curve() {
        assert_eq!(chart(&[curve(1, &[(1, 0.0)])], Against::Decisions, &Settings::default()), None);
        let svg = chart(&[curve(1, &[(1, 0.0), (2, 1.0)])], Against::Wall, &Settings::default());
        assert!(svg.is_some_and(|svg| svg.contains("one training seed")));
    }
}
