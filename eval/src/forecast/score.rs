//! Losses of one forecast, and what is read off many of them.

use serde::{Deserialize, Serialize};

use crate::statistics::real;

/// Quasi-likelihood loss of a variance `forecast` where `realised` came: `ln h + σ² / h`, twice a Gaussian's negative log
/// likelihood. Robust to noise in the proxy `σ²`, which may be zero. Lower is better; only differences mean anything.
///
/// # Reference
/// Patton 2011, "Volatility forecast comparison using imperfect volatility proxies", equation 6.
#[must_use]
pub fn qlike(realised: f64, forecast: f64) -> f64 {
    libm::log(forecast) + realised / forecast
}

/// Squared error of a variance, in squared basis points squared.
#[must_use]
pub fn squared_error(realised: f64, forecast: f64) -> f64 {
    let error = 1e8 * (realised - forecast);
    error * error
}

/// Brier score of a probability.
///
/// # Reference
/// Brier 1950, "Verification of forecasts expressed in terms of probability".
#[must_use]
pub fn brier(happened: bool, probability: f64) -> f64 {
    let error = probability - f64::from(u8::from(happened));
    error * error
}

/// Logarithmic score of a probability, in nats: minus the logarithm of what was given to what happened. Infinite where that
/// was nothing.
///
/// # Reference
/// Good 1952, "Rational decisions".
#[must_use]
pub fn log_score(happened: bool, probability: f64) -> f64 {
    if happened { -libm::log(probability) } else { -libm::log1p(-probability) }
}

/// Area under the receiver operating characteristic: the probability that an event had a higher forecast than a non-event,
/// ties counting half. Nothing unless both are there.
///
/// # Reference
/// Hanley & `McNeil` 1982, "The meaning and use of the area under a receiver operating characteristic curve".
#[must_use]
pub fn auc(pairs: &[(bool, f64)]) -> Option<f64> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    let events = sorted.iter().filter(|(happened, _)| *happened).count();
    let others = sorted.len() - events;
    if events == 0 || others == 0 {
        return None;
    }
    let (mut below, mut won) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()) {
        let here = real(tied.iter().filter(|(happened, _)| *happened).count());
        let rest = real(tied.len()) - here;
        won += here * (below + 0.5 * rest);
        below += rest;
    }
    Some(won / (real(events) * real(others)))
}

/// Upper edges of the bins of a calibration curve: half-decades, since ruin is rare.
pub const BIN_EDGES: [f64; 10] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 0.6, 1.0];

/// One bin of a calibration curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Forecasts in it.
    pub n: usize,
    /// Events among what they were made of.
    pub events: usize,
    /// Mean forecast; zero if there is none.
    pub forecast: f64,
    /// 95 % interval of the share of events, by resampling days.
    pub interval: Option<[f64; 2]>,
}

impl Bin {
    /// Share of events.
    #[must_use]
    pub fn observed(&self) -> f64 {
        real(self.events) / real(self.n.max(1))
    }
}

/// Bin of a probability.
#[must_use]
pub fn bin_of(probability: f64) -> usize {
    BIN_EDGES.iter().position(|edge| probability <= *edge).unwrap_or(BIN_EDGES.len() - 1)
}

/// Sorts forecasts into the bins of [`BIN_EDGES`], without intervals.
#[must_use]
pub fn bins(pairs: impl IntoIterator<Item = (bool, f64)>) -> [Bin; BIN_EDGES.len()] {
    let mut bins = [Bin::default(); BIN_EDGES.len()];
    for (happened, probability) in pairs {
        let bin = &mut bins[bin_of(probability)];
        bin.n += 1;
        bin.events += usize::from(happened);
        bin.forecast += probability;
    }
    for bin in &mut bins {
        bin.forecast /= real(bin.n.max(1));
    }
    bins
}

/// Mean squared distance of forecasts from the shares of events in their bins: the part of the Brier score that calibration
/// alone would remove.
///
/// # Reference
/// Murphy 1973, "A new vector partition of the probability score".
#[must_use]
pub fn reliability(bins: &[Bin]) -> f64 {
    let n: usize = bins.iter().map(|bin| bin.n).sum();
    let sum: f64 = bins.iter().map(|bin| real(bin.n) * (bin.forecast - bin.observed()).powi(2)).sum();
    sum / real(n.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_those_worked_by_hand() {
        // ln 2 + 3/2; least where the forecast is the mean of what comes.
        assert!((qlike(3.0, 2.0) - 2.193_147_180_559_945).abs() < 1e-12);
        let mean = |h: f64| 0.5 * (qlike(1.0, h) + qlike(3.0, h));
        assert!(mean(2.0) < mean(1.99) && mean(2.0) < mean(2.01));
        assert!(qlike(0.0, 2.0).is_finite());
        // Deviations of 3 and 2 basis points: variances 9 and 4, an error of 5.
        assert!((squared_error(9e-8, 4e-8) - 25.0).abs() < 1e-9);
        assert!((brier(true, 0.7) - 0.09).abs() < 1e-12 && (brier(false, 0.7) - 0.49).abs() < 1e-12);
        assert!((log_score(true, 0.25) - 1.386_294_361_119_890_6).abs() < 1e-12);
        assert!((log_score(false, 0.25) - 0.287_682_072_451_780_9).abs() < 1e-12);
        assert!(log_score(true, 0.0).is_infinite());
    }

    #[test]
    fn the_area_is_that_of_the_documented_example() {
        // roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) = 0.75 in scikit-learn's documentation: three of four pairs.
        let pairs = [(false, 0.1), (false, 0.4), (true, 0.35), (true, 0.8)];
        assert_eq!(auc(&pairs), Some(0.75));
        // One tie of four pairs counts half: (1 + 1 + 1 + 0.5) / 4.
        assert_eq!(auc(&[(false, 0.1), (false, 0.4), (true, 0.4), (true, 0.8)]), Some(0.875));
        assert_eq!(auc(&[(true, 0.4), (true, 0.4)]), None);
    }

    #[test]
    fn bins_hold_their_edges_and_reliability_is_the_distance_of_shares() {
        let bins = bins([(true, 0.1), (false, 0.05), (false, 0.2), (false, 0.0), (true, 1.0)]);
        assert_eq!((bins[0].n, bins[6].n, bins[7].n, bins[9].n), (1, 2, 1, 1));
        // (0.075 - 0.5)² twice, 0.2² once, nothing from the ends.
        assert!((reliability(&bins) - (2.0 * 0.180_625 + 0.04) / 5.0).abs() < 1e-12);
    }
}
