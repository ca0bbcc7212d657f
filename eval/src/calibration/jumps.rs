//! Which returns are jumps, how large they are, and how they cluster.

use serde::{Deserialize, Serialize};

use super::hawkes::{self, Hawkes, Run};
use super::variance::bipower;
use super::{Fitted, tails};
use crate::statistics::{quantile, real};

/// A jump counts from this many local standard deviations on.
pub const THRESHOLD: f64 = 8.0;

/// One return that is a jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// Run that it falls into.
    pub run: usize,
    /// Its place in the run.
    pub index: usize,
    /// The log return, signed.
    pub size: f64,
}

/// Finds returns beyond `threshold` local standard deviations; the local variance is the bipower variation of the `window`
/// returns before. The first `window` returns of a run are not judged.
///
/// # Reference
/// Lee & Mykland 2008, "Jumps in financial markets", with a fixed threshold in place of its Gumbel quantile: at 8 a
/// Gaussian return passes once in 10^15.
#[must_use]
pub fn detect(runs: &[&[f64]], window: usize, threshold: f64) -> Vec<Jump> {
    let mut found = Vec::new();
    for (run, returns) in runs.iter().enumerate() {
        for (index, size) in returns.iter().copied().enumerate().skip(window) {
            // The bipower variation of a window with a jump in it contains its two products, and is robust enough.
            let local = bipower(&returns[index - window..index]) / real(window);
            if size * size > threshold * threshold * local && local > 0.0 {
                found.push(Jump { run, index, size });
            }
        }
    }
    found
}

/// What jumps look like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Jumps {
    /// Arrival, per day and in days; nothing with too few jumps.
    pub arrival: Option<Hawkes>,
    /// Jumps per day, triggered ones included.
    pub per_day: Fitted,
    /// Share that goes down.
    pub down_share: Fitted,
    /// Smallest size, in daily standard deviations: their lower decile, for below it detection is patchy.
    pub minimum: Fitted,
    /// Exponent of the sizes above one and a half times what the threshold lets pass on an average day: below that, only
    /// jumps on quieter days are seen. Nothing if fewer than ten are larger.
    pub tail_exponent: Option<Fitted>,
    /// Largest size, in daily standard deviations.
    pub largest: Fitted,
}

/// Describes jumps in runs of `lengths` returns, `bars_per_day` of them a day. `daily` is a day's standard deviation around
/// each jump: the unit of sizes. Nothing below twelve jumps.
///
/// # Panics
/// If `daily` is not one number for each jump.
#[must_use]
pub fn describe(found: &[Jump], daily: &[f64], lengths: &[usize], bars_per_day: f64) -> Option<Jumps> {
    assert_eq!(found.len(), daily.len(), "one unit for each jump");
    let n = found.len();
    if n < 12 {
        return None;
    }
    let days: f64 = lengths.iter().map(|length| real(*length) / bars_per_day).sum();
    let runs: Vec<Run> = lengths
        .iter()
        .enumerate()
        .filter(|(_, length)| **length > 0)
        .map(|(run, length)| {
            let times = found.iter().filter(|jump| jump.run == run);
            Run {
                times: times.map(|jump| (real(jump.index) + 0.5) / bars_per_day).collect(),
                length: real(*length) / bars_per_day,
            }
        })
        .collect();
    let sizes: Vec<f64> = found.iter().zip(daily).map(|(jump, unit)| jump.size.abs() / unit).collect();
    let down = real(found.iter().filter(|jump| jump.size < 0.0).count()) / real(n);
    let minimum = quantile(&sizes, 0.1);
    // Spacing between two quantiles a tenth apart gives the density that a quantile's error needs.
    let density = 0.1 / (quantile(&sizes, 0.15) - quantile(&sizes, 0.05)).max(1e-9);
    Some(Jumps {
        arrival: hawkes::fit(&runs),
        per_day: Fitted::new(real(n) / days, real(n).sqrt() / days, n),
        down_share: Fitted::new(down, (down * (1.0 - down) / real(n)).sqrt(), n),
        minimum: Fitted::new(minimum, (0.09 / real(n)).sqrt() / density, n),
        tail_exponent: tails::exponent_above(&sizes, 1.5 * THRESHOLD / bars_per_day.sqrt()),
        largest: Fitted::bare(sizes.iter().copied().fold(0.0, f64::max), n),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::normals;

    #[test]
    fn planted_jumps_are_found_and_nothing_else() {
        let mut returns = normals(5_000, 3);
        for (index, size) in [(1_000, 15.0), (1_001, -14.0), (3_333, -40.0)] {
            returns[index] = size;
        }
        returns[10] = 90.0;
        let found = detect(&[&returns], 288, THRESHOLD);
        let places: Vec<usize> = found.iter().map(|jump| jump.index).collect();
        // The one in the first window is not judged.
        assert_eq!(places, vec![1_000, 1_001, 3_333]);
    }

    #[test]
    fn jumps_are_counted_per_day_and_measured_in_daily_deviations() {
        let jump = |i: usize| Jump { run: 0, index: 100 * i, size: if i.is_multiple_of(4) { -0.01 } else { 0.02 } };
        let found: Vec<Jump> = (0..40).map(jump).collect();
        let jumps = describe(&found, &[0.02; 40], &[5_760], 288.0).unwrap();
        assert!((jumps.per_day.value - 2.0).abs() < 1e-12 && (jumps.down_share.value - 0.25).abs() < 1e-12);
        assert!((jumps.minimum.value - 0.5).abs() < 1e-12 && (jumps.largest.value - 1.0).abs() < 1e-12);
        assert_eq!(describe(&found[..5], &[0.02; 5], &[5_760], 288.0), None);
    }
}
