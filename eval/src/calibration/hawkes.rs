//! Self-excitation of events: a Hawkes process with an exponential kernel, by maximum likelihood.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::Fitted;
use super::minimise::{minimise, standard_errors};
use crate::statistics::real;

/// Events of one run without a hole.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Times since the run's start, rising.
    pub times: Vec<f64>,
    /// Length of the run, in the same unit.
    pub length: f64,
}

/// The fitted process, in the unit of the times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hawkes {
    /// Events per unit of time that no event triggered.
    pub base: Fitted,
    /// Mean number of events that one event triggers directly.
    pub branching: Fitted,
    /// Time in which excitation halves.
    pub half_life: Fitted,
    /// Gain in log likelihood over a Poisson process.
    pub gain: f64,
}

/// Fits the intensity `μ + n δ Σ exp(-δ (t - tᵢ))`; nothing below 20 events, or if the search fails.
///
/// # Panics
/// If a run's length is not positive.
///
/// # Reference
/// Ozaki 1979, "Maximum likelihood estimation of Hawkes' self-exciting point processes"; runs add up, each from no
/// excitation.
#[must_use]
pub fn fit(runs: &[Run]) -> Option<Hawkes> {
    assert!(runs.iter().all(|run| run.length > 0.0), "a run lasts");
    let n: usize = runs.iter().map(|run| run.times.len()).sum();
    let length: f64 = runs.iter().map(|run| run.length).sum();
    if n < 20 {
        return None;
    }
    let rate = real(n) / length;
    let natural = |point: &[f64]| {
        let branching = 1.0 / (1.0 + libm::exp(-point[1]));
        vec![rate * libm::exp(point[0]), branching, LN_2 * libm::exp(-point[2])]
    };
    let cost = |point: &[f64]| -> f64 {
        let values = natural(point);
        runs.iter().map(|run| negative_log_likelihood(run, values[0], values[1], LN_2 / values[2])).sum()
    };
    // Excitation starts within a tenth of the mean distance of two events.
    let best = minimise(&[-0.4, -0.7, libm::log(10.0 * rate)], 0.7, &cost)?;
    let errors = standard_errors(&best, &cost, &natural);
    let values = natural(&best);
    let fitted = |index: usize| Fitted { value: values[index], standard_error: errors.as_ref().map(|e| e[index]), n };
    let poisson = real(n) * (libm::log(rate) - 1.0);
    Some(Hawkes { base: fitted(0), branching: fitted(1), half_life: fitted(2), gain: -cost(&best) - poisson })
}

fn negative_log_likelihood(run: &Run, base: f64, branching: f64, decay: f64) -> f64 {
    let (mut excitation, mut last, mut logs, mut spent) = (0.0, 0.0, 0.0, 0.0);
    for time in &run.times {
        excitation *= libm::exp(-decay * (time - last));
        logs += libm::log(base + branching * decay * excitation);
        excitation += 1.0;
        last = *time;
        spent += -libm::expm1(-decay * (run.length - time));
    }
    base * run.length + branching * spent - logs
}

/// Branching ratio from the spread of counts in equal windows, `1 - √(mean / variance)`; nothing below ten windows or
/// without events. Below zero if counts vary less than a Poisson process's.
///
/// # Reference
/// Hardiman & Bouchaud 2014 (arXiv:1403.5227), equation 3. Windows must be long against the memory, and trends count as
/// excitation: the result is an upper bound.
#[must_use]
pub fn branching_from_counts(counts: &[f64]) -> Option<f64> {
    let n = real(counts.len());
    let mean = counts.iter().sum::<f64>() / n.max(1.0);
    let variance = counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    (counts.len() >= 10 && mean > 0.0 && variance > 0.0).then(|| 1.0 - (mean / variance).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::Draws;

    /// Families by branching: immigrants, their children and so on, each child an exponential time after its parent.
    fn simulate(base: f64, branching: f64, half_life: f64, length: f64, seed: u64) -> Run {
        let mut draws = Draws::new(seed);
        let mut exponential = || draws.exponential();
        let (mut times, mut at) = (Vec::new(), 0.0);
        loop {
            at += exponential() / base;
            if at >= length {
                break;
            }
            times.push(at);
        }
        let mut next = 0;
        while next < times.len() {
            // As many children as exponential steps fit into the branching ratio.
            let mut room = exponential();
            while room < branching {
                let child = times[next] + exponential() * half_life / LN_2;
                if child < length {
                    times.push(child);
                }
                room += exponential();
            }
            next += 1;
        }
        times.sort_by(f64::total_cmp);
        Run { times, length }
    }

    #[test]
    fn parameters_of_simulated_families_are_recovered() {
        for (base, branching, half_life, seed) in [(0.3, 0.325, 0.2, 1), (1.0, 0.7, 0.05, 2)] {
            let runs =
                [simulate(base, branching, half_life, 4_000.0, seed), simulate(base, branching, half_life, 900.0, 9)];
            let fit = fit(&runs).unwrap();
            let within =
                |fitted: Fitted, truth: f64| (fitted.value - truth).abs() < 4.0 * fitted.standard_error.unwrap();
            assert!(within(fit.base, base), "{fit:?}");
            assert!(within(fit.branching, branching), "{fit:?}");
            assert!(within(fit.half_life, half_life), "{fit:?}");
            assert!(fit.gain > 10.0 && fit.branching.standard_error.unwrap() < 0.1, "{fit:?}");
        }
    }

    #[test]
    fn counts_of_families_spread_as_the_branching_ratio_says() {
        let run = simulate(2.0, 0.5, 0.1, 20_000.0, 4);
        let mut counts = vec![0.0; 1_000];
        for time in &run.times {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a window's number")]
            let window = (time / 20.0) as usize;
            counts[window] += 1.0;
        }
        let estimate = branching_from_counts(&counts).unwrap();
        assert!((estimate - 0.5).abs() < 0.06, "{estimate}");
        assert_eq!(branching_from_counts(&[0.0; 20]), None);
    }

    #[test]
    fn few_events_are_not_fitted() {
        assert!(fit(&[Run { times: vec![1.0, 2.0], length: 3.0 }]).is_none());
    }
}
