//! Calm, tense and crisis: a hidden Markov chain behind the volatility of blocks of returns.

use serde::{Deserialize, Serialize};

use super::{Fitted, long_run};
use crate::statistics::real;

/// Regimes, in rising order of volatility.
pub const REGIMES: usize = 3;

/// What one block of returns says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Logarithm of its variance without jumps.
    pub log_variance: f64,
    /// Its variance with jumps, annualised.
    pub variance: f64,
}

/// One regime, as `env` is configured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegimeFit {
    /// Annualised standard deviation of returns, jumps included.
    pub volatility: Fitted,
    /// Mean stay, in blocks.
    pub stay: Fitted,
    /// Where it goes next, zero for itself.
    pub next: [Fitted; REGIMES],
    /// Share of blocks spent in it.
    pub share: f64,
    /// Mean and deviation of the logarithm of a block's variance.
    pub emission: [f64; 2],
}

/// The fitted chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Regimes {
    /// The regimes.
    pub regimes: [RegimeFit; REGIMES],
    /// Probability of each regime in each block, given all blocks, by run.
    pub posterior: Vec<Vec<[f64; REGIMES]>>,
    /// Log likelihood.
    pub log_likelihood: f64,
    /// Passes of the algorithm.
    pub passes: usize,
}

/// Passes after which the algorithm stops, converged or not.
const PASSES: usize = 500;
/// Smallest deviation of an emission: keeps a regime from collapsing onto one block.
const DEVIATION_MIN: f64 = 0.05;

#[derive(Clone, Debug)]
struct Model {
    means: [f64; REGIMES],
    deviations: [f64; REGIMES],
    steps: [[f64; REGIMES]; REGIMES],
    start: [f64; REGIMES],
}

/// Fits the chain to runs of blocks without a hole; nothing below 60 blocks, or if they do not vary.
///
/// Log variances are Gaussian given the regime (Andersen et al. 2001 find that on exchange rates); the chain is fitted by
/// expectation maximisation from thirds of the sorted sample. Volatilities are means of the variance with jumps over blocks, weighted by
/// the posterior, with Newey–West errors. A stay `p` turns into an exponential one, `-1 / ln p` blocks. Errors of stays and
/// steps are those of as many observed visits as the posterior expects: a lower bound, for visits are not observed.
///
/// # Reference
/// Baum et al. 1970; Hamilton 1989. Andersen, Bollerslev, Diebold & Labys 2001, "The distribution of realized exchange rate
/// volatility".
#[must_use]
pub fn fit(runs: &[Vec<Block>]) -> Option<Regimes> {
    let blocks: usize = runs.iter().map(Vec::len).sum();
    let mut sorted: Vec<f64> = runs.iter().flatten().map(|block| block.log_variance).collect();
    if blocks < 60 || sorted.iter().any(|x| !x.is_finite()) {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let spread = sorted[blocks * 9 / 10] - sorted[blocks / 10];
    if spread <= 0.0 {
        return None;
    }
    let mut model = Model {
        means: [sorted[blocks / 4], sorted[blocks * 3 / 4], sorted[blocks * 39 / 40]],
        deviations: [0.25 * spread; REGIMES],
        steps: std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 0.94 } else { 0.03 })),
        start: [1.0 / 3.0; REGIMES],
    };
    let mut last = f64::NEG_INFINITY;
    let mut passes = 0;
    let expected = loop {
        let expected = expect(&model, runs);
        passes += 1;
        let gained = expected.log_likelihood - last;
        if passes == PASSES || gained < 1e-6 * real(blocks) {
            break expected;
        }
        last = expected.log_likelihood;
        model = maximise(runs, &expected);
    };
    let (model, expected) = in_order(&model, expected);
    let regimes = std::array::from_fn(|regime| describe(regime, &model, &expected, runs));
    Some(Regimes { regimes, log_likelihood: expected.log_likelihood, passes, posterior: expected.posterior })
}

struct Expected {
    posterior: Vec<Vec<[f64; REGIMES]>>,
    /// Expected steps from regime to regime.
    steps: [[f64; REGIMES]; REGIMES],
    log_likelihood: f64,
}

/// Forward and backward through every run.
fn expect(model: &Model, runs: &[Vec<Block>]) -> Expected {
    let mut expected =
        Expected { posterior: Vec::with_capacity(runs.len()), steps: [[0.0; REGIMES]; REGIMES], log_likelihood: 0.0 };
    for run in runs {
        let densities: Vec<[f64; REGIMES]> = run.iter().map(|block| densities(model, block.log_variance)).collect();
        let (mut forward, mut scales) = (Vec::with_capacity(run.len()), Vec::with_capacity(run.len()));
        let mut prior = model.start;
        for density in &densities {
            let mut alpha: [f64; REGIMES] = std::array::from_fn(|i| prior[i] * density[i]);
            let scale: f64 = alpha.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            alpha = alpha.map(|a| a / scale);
            prior = std::array::from_fn(|j| (0..REGIMES).map(|i| alpha[i] * model.steps[i][j]).sum());
            expected.log_likelihood += libm::log(scale);
            forward.push(alpha);
            scales.push(scale);
        }
        let mut beta = [1.0; REGIMES];
        let mut posterior = vec![[0.0; REGIMES]; run.len()];
        for t in (0..run.len()).rev() {
            posterior[t] = std::array::from_fn(|i| forward[t][i] * beta[i]);
            if t == 0 {
                break;
            }
            let ahead: [f64; REGIMES] = std::array::from_fn(|j| densities[t][j] * beta[j] / scales[t]);
            for i in 0..REGIMES {
                for j in 0..REGIMES {
                    expected.steps[i][j] += forward[t - 1][i] * model.steps[i][j] * ahead[j];
                }
            }
            beta = std::array::from_fn(|i| (0..REGIMES).map(|j| model.steps[i][j] * ahead[j]).sum());
        }
        expected.posterior.push(posterior);
    }
    expected
}

fn densities(model: &Model, x: f64) -> [f64; REGIMES] {
    std::array::from_fn(|i| {
        let z = (x - model.means[i]) / model.deviations[i];
        libm::exp(-0.5 * z * z) / model.deviations[i] + 1e-12
    })
}

fn maximise(runs: &[Vec<Block>], expected: &Expected) -> Model {
    let weighted = || runs.iter().flatten().map(|block| block.log_variance).zip(expected.posterior.iter().flatten());
    let weights: [f64; REGIMES] = std::array::from_fn(|i| weighted().map(|(_, w)| w[i]).sum::<f64>().max(1e-9));
    let means: [f64; REGIMES] =
        std::array::from_fn(|i| weighted().map(|(x, w)| w[i] * x).sum::<f64>() / weights[i]);
    let deviations = std::array::from_fn(|i| {
        let variance = weighted().map(|(x, w)| w[i] * (x - means[i]) * (x - means[i])).sum::<f64>() / weights[i];
        variance.sqrt().max(DEVIATION_MIN)
    });
    let total: f64 = weights.iter().sum();
    let steps = expected.steps.map(|row| {
        let sum: f64 = row.iter().sum::<f64>().max(1e-9);
        row.map(|n| n / sum)
    });
    Model { means, deviations, steps, start: weights.map(|w| w / total) }
}

/// Renumbers the regimes by rising mean.
fn in_order(model: &Model, expected: Expected) -> (Model, Expected) {
    let mut order: [usize; REGIMES] = std::array::from_fn(|i| i);
    order.sort_by(|a, b| model.means[*a].total_cmp(&model.means[*b]));
    let pick = |row: [f64; REGIMES]| order.map(|i| row[i]);
    let square = |rows: [[f64; REGIMES]; REGIMES]| order.map(|i| pick(rows[i]));
    let sorted = Model {
        means: pick(model.means),
        deviations: pick(model.deviations),
        steps: square(model.steps),
        start: pick(model.start),
    };
    let posterior = expected.posterior.into_iter().map(|run| run.into_iter().map(pick).collect()).collect();
    (sorted, Expected { posterior, steps: square(expected.steps), log_likelihood: expected.log_likelihood })
}

fn describe(regime: usize, model: &Model, expected: &Expected, runs: &[Vec<Block>]) -> RegimeFit {
    let blocks: usize = runs.iter().map(Vec::len).sum();
    let pairs = || runs.iter().zip(&expected.posterior);
    let weight: f64 = expected.posterior.iter().flatten().map(|p| p[regime]).sum();
    let total: f64 = runs.iter().flatten().zip(expected.posterior.iter().flatten()).map(|(b, p)| p[regime] * b.variance).sum();
    let variance = total / weight.max(1e-9);
    let influence: Vec<Vec<f64>> = pairs()
        .map(|(run, posterior)| run.iter().zip(posterior).map(|(b, p)| p[regime] * (b.variance - variance)).collect())
        .collect();
    let error = long_run::sum_error(&influence, long_run::lags(blocks)) / weight.max(1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an expected count")]
    let n = libm::round(weight) as usize;
    let volatility = variance.sqrt();

    let row = expected.steps[regime];
    let steps: f64 = row.iter().sum::<f64>().max(1e-9);
    let leaves = steps - row[regime];
    let p = (row[regime] / steps).clamp(1e-6, 1.0 - 1e-9);
    let log = libm::log(p);
    let stays = Fitted::new(p, (p * (1.0 - p) / steps).sqrt(), n).through(-1.0 / log, 1.0 / (p * log * log));
    let next = std::array::from_fn(|to| {
        let share = if to == regime || leaves <= 0.0 { 0.0 } else { row[to] / leaves };
        Fitted::new(share, (share * (1.0 - share) / leaves.max(1.0)).sqrt(), n)
    });
    RegimeFit {
        volatility: Fitted::new(volatility, 0.5 * error / volatility.max(1e-12), n),
        stay: stays,
        next,
        share: weight / real(blocks),
        emission: [model.means[regime], model.deviations[regime]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::{Draws, normals};

    const VOLATILITY: [f64; 3] = [0.3, 0.7, 1.6];
    const STEPS: [[f64; 3]; 3] = [[0.97, 0.03, 0.0], [0.06, 0.92, 0.02], [0.0, 0.10, 0.90]];

    fn simulate(n: usize, seed: u64) -> Vec<Block> {
        let mut draws = Draws::new(seed + 100);
        let noise = normals(n, seed);
        let mut regime = 0;
        (0..n)
            .map(|t| {
                let mut u = draws.uniform();
                regime = (0..3)
                    .find(|to| {
                        u -= STEPS[regime][*to];
                        u < 0.0
                    })
                    .unwrap_or(regime);
                // Log-normal variance of mean VOLATILITY²: the mean of exp(0.4 z) is exp(0.08).
                let log_variance = 2.0 * libm::log(VOLATILITY[regime]) + 0.4 * noise[t] - 0.08;
                Block { log_variance, variance: libm::exp(log_variance) }
            })
            .collect()
    }

    #[test]
    fn a_simulated_chain_is_recovered() {
        let blocks = simulate(12_000, 2);
        let fit = fit(&[blocks[..5_000].to_vec(), blocks[5_000..].to_vec()]).unwrap();
        for (i, regime) in fit.regimes.iter().enumerate() {
            let within = |fitted: Fitted, truth: f64, extra: f64| {
                (fitted.value - truth).abs() < 4.0 * fitted.standard_error.unwrap() + extra
            };
            // Overlapping emissions bias a little, and the error of a stay is that of observed visits: hence the extra.
            assert!(within(regime.volatility, VOLATILITY[i], 0.03 * VOLATILITY[i]), "{i}: {regime:?}");
            let stay = -1.0 / libm::log(STEPS[i][i]);
            assert!(within(regime.stay, stay, 0.1 * stay), "{i}: {regime:?}");
            for to in (0..3).filter(|to| *to != i) {
                assert!(within(regime.next[to], STEPS[i][to] / (1.0 - STEPS[i][i]), 0.05), "{i} to {to}: {regime:?}");
            }
        }
        assert!((fit.regimes.iter().map(|r| r.share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(fit.posterior.len(), 2);
    }

    #[test]
    fn a_sample_that_does_not_vary_has_no_regimes() {
        let flat = vec![Block { log_variance: 1.0, variance: 1.0 }; 100];
        assert!(fit(&[flat]).is_none());
        assert!(fit(&[simulate(50, 1)]).is_none());
    }
}
