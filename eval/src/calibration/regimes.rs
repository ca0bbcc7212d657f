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
    /// Mean of the logarithm of a block's variance, and deviation of its innovations.
    pub emission: [f64; 2],
}

/// The fitted chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Regimes {
    /// The regimes.
    pub regimes: [RegimeFit; REGIMES],
    /// Probability of each regime in each block, given all blocks, by run.
    pub posterior: Vec<Vec<[f64; REGIMES]>>,
    /// Correlation of neighbouring log variances within a regime.
    pub memory: f64,
    /// Log likelihood, less its constant.
    pub log_likelihood: f64,
    /// Passes of the algorithm.
    pub passes: usize,
}

/// Passes after which the algorithm stops, converged or not.
const PASSES: usize = 500;
/// Smallest deviation of an emission: keeps a regime from collapsing onto one block.
const DEVIATION_MIN: f64 = 0.05;
/// Largest memory: at one, a regime has no level.
const MEMORY_MAX: f64 = 0.98;

#[derive(Clone, Debug)]
struct Model {
    memory: f64,
    means: [f64; REGIMES],
    deviations: [f64; REGIMES],
    steps: [[f64; REGIMES]; REGIMES],
    start: [f64; REGIMES],
}

/// Fits the chain to runs of blocks without a hole; nothing below 60 blocks, or if they do not vary.
///
/// Given the regimes, log variances are a first-order autoregression about the regime's mean: `xₜ - μₛₜ = φ (xₜ₋₁ - μₛₜ₋₁) + σₛₜ e`.
/// Without `φ`, the slow swings of volatility within a regime would pass for visits to another. Fitted by expectation
/// conditional maximisation. Volatilities are means of the variance with jumps over blocks, weighted by the posterior, with
/// Newey–West errors. A probability `p` of staying turns into an exponential stay of `-1 / ln p` blocks. Errors of stays and
/// steps are those of as many observed visits as the posterior expects: a lower bound, for visits are not observed.
///
/// # Reference
/// Hamilton 1989, "A new approach to the economic analysis of nonstationary time series and the business cycle", eq. 2.4;
/// Meng & Rubin 1993 for the algorithm. Log realised variances are close to Gaussian: Andersen, Bollerslev, Diebold & Labys
/// 2001, "The distribution of realized exchange rate volatility".
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
        memory: 0.2,
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
        model = maximise(&model, runs, &expected);
    };
    let (model, expected) = in_order(&model, expected);
    let regimes = std::array::from_fn(|regime| describe(regime, &model, &expected, runs));
    Some(Regimes {
        regimes,
        memory: model.memory,
        log_likelihood: expected.log_likelihood,
        passes,
        posterior: expected.posterior,
    })
}

type Square = [[f64; REGIMES]; REGIMES];

struct Expected {
    posterior: Vec<Vec<[f64; REGIMES]>>,
    /// Probability of each pair of regimes in a block and the next, by run.
    pairs: Vec<Vec<Square>>,
    log_likelihood: f64,
}

/// Forward and backward through every run.
fn expect(model: &Model, runs: &[Vec<Block>]) -> Expected {
    let mut expected = Expected { posterior: Vec::new(), pairs: Vec::new(), log_likelihood: 0.0 };
    for run in runs {
        // What a step from one block to the next is worth, by pair of regimes, over the sum of all that the past allows.
        let mut steps: Vec<Square> = Vec::with_capacity(run.len());
        let start: [f64; REGIMES] = std::array::from_fn(|i| model.start[i] * model.first(run[0].log_variance, i));
        let total: f64 = start.iter().sum();
        expected.log_likelihood += libm::log(total);
        let mut forward = vec![start.map(|a| a / total)];
        for pair in run.windows(2) {
            let before = forward[forward.len() - 1];
            let joint: Square = std::array::from_fn(|i| {
                std::array::from_fn(|j| {
                    model.steps[i][j] * model.density([pair[0].log_variance, pair[1].log_variance], i, j)
                })
            });
            let after: [f64; REGIMES] =
                std::array::from_fn(|j| (0..REGIMES).map(|i| before[i] * joint[i][j]).sum::<f64>());
            let total: f64 = after.iter().sum();
            expected.log_likelihood += libm::log(total);
            forward.push(after.map(|a| a / total));
            steps.push(joint.map(|row| row.map(|x| x / total)));
        }
        let mut ahead = [1.0; REGIMES];
        let mut posterior = vec![[0.0; REGIMES]; run.len()];
        let mut pairs = vec![[[0.0; REGIMES]; REGIMES]; steps.len()];
        for t in (0..run.len()).rev() {
            posterior[t] = std::array::from_fn(|i| forward[t][i] * ahead[i]);
            if t > 0 {
                let step = &steps[t - 1];
                pairs[t - 1] =
                    std::array::from_fn(|i| std::array::from_fn(|j| forward[t - 1][i] * step[i][j] * ahead[j]));
                ahead = std::array::from_fn(|i| (0..REGIMES).map(|j| step[i][j] * ahead[j]).sum());
            }
        }
        expected.posterior.push(posterior);
        expected.pairs.push(pairs);
    }
    expected
}

impl Model {
    /// Density of a block given the block before and both regimes.
    fn density(&self, [before, now]: [f64; 2], i: usize, j: usize) -> f64 {
        gauss(now - self.means[j] - self.memory * (before - self.means[i]), self.deviations[j])
    }

    /// Density of a run's first block.
    fn first(&self, x: f64, i: usize) -> f64 {
        gauss(x - self.means[i], self.deviations[i] / (1.0 - self.memory * self.memory).sqrt())
    }
}

/// Keeps an impossible block possible.
fn gauss(x: f64, deviation: f64) -> f64 {
    libm::exp(-0.5 * (x / deviation) * (x / deviation)) / deviation + 1e-12
}

/// One block and the next, in two regimes, with how likely that is.
struct Weighted {
    before: f64,
    now: f64,
    i: usize,
    j: usize,
    weight: f64,
}

fn maximise(model: &Model, runs: &[Vec<Block>], expected: &Expected) -> Model {
    let mut all = Vec::new();
    let mut counts = [[1e-9; REGIMES]; REGIMES];
    for (run, pairs) in runs.iter().zip(&expected.pairs) {
        for (blocks, pair) in run.windows(2).zip(pairs) {
            for i in 0..REGIMES {
                for j in 0..REGIMES {
                    counts[i][j] += pair[i][j];
                    let (before, now) = (blocks[0].log_variance, blocks[1].log_variance);
                    all.push(Weighted { before, now, i, j, weight: pair[i][j] });
                }
            }
        }
    }
    let mut next = model.clone();
    next.means = means(&next, &all);
    let (mut over, mut under) = (0.0, 0.0);
    for w in &all {
        let precision = w.weight / (next.deviations[w.j] * next.deviations[w.j]);
        over += precision * (w.before - next.means[w.i]) * (w.now - next.means[w.j]);
        under += precision * (w.before - next.means[w.i]) * (w.before - next.means[w.i]);
    }
    next.memory = (over / under.max(1e-12)).clamp(-MEMORY_MAX, MEMORY_MAX);
    let (mut squares, mut weights) = ([0.0; REGIMES], [1e-9; REGIMES]);
    for w in &all {
        let miss = w.now - next.means[w.j] - next.memory * (w.before - next.means[w.i]);
        squares[w.j] += w.weight * miss * miss;
        weights[w.j] += w.weight;
    }
    next.deviations = std::array::from_fn(|j| (squares[j] / weights[j]).sqrt().max(DEVIATION_MIN));
    let total: f64 = weights.iter().sum();
    next.start = weights.map(|w| w / total);
    next.steps = counts.map(|row| {
        let sum: f64 = row.iter().sum();
        row.map(|n| n / sum)
    });
    next
}

/// Weighted least squares for the means, given memory and deviations: three linear equations.
fn means(model: &Model, all: &[Weighted]) -> [f64; REGIMES] {
    let phi = model.memory;
    let mut rows = [[0.0; REGIMES + 1]; REGIMES];
    for w in all {
        // now - φ before = μⱼ - φ μᵢ + noise.
        let mut x = [0.0; REGIMES];
        x[w.j] += 1.0;
        x[w.i] -= phi;
        let precision = w.weight / (model.deviations[w.j] * model.deviations[w.j]);
        for a in 0..REGIMES {
            for b in 0..REGIMES {
                rows[a][b] += precision * x[a] * x[b];
            }
            rows[a][REGIMES] += precision * x[a] * (w.now - phi * w.before);
        }
    }
    for k in 0..REGIMES {
        // The matrix is positive definite while every regime has weight.
        rows[k][k] += 1e-9;
        let pivot = rows[k];
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(pivot).skip(k).for_each(|(x, p)| *x -= factor * p);
        }
    }
    std::array::from_fn(|k| rows[k][REGIMES] / rows[k][k])
}

/// Renumbers the regimes by rising mean.
fn in_order(model: &Model, expected: Expected) -> (Model, Expected) {
    let mut order: [usize; REGIMES] = std::array::from_fn(|i| i);
    order.sort_by(|a, b| model.means[*a].total_cmp(&model.means[*b]));
    let pick = |row: [f64; REGIMES]| order.map(|i| row[i]);
    let square = |rows: Square| order.map(|i| pick(rows[i]));
    let sorted = Model {
        memory: model.memory,
        means: pick(model.means),
        deviations: pick(model.deviations),
        steps: square(model.steps),
        start: pick(model.start),
    };
    let posterior = expected.posterior.into_iter().map(|run| run.into_iter().map(pick).collect()).collect();
    let pairs = expected.pairs.into_iter().map(|run| run.into_iter().map(square).collect()).collect();
    (sorted, Expected { posterior, pairs, log_likelihood: expected.log_likelihood })
}

fn describe(regime: usize, model: &Model, expected: &Expected, runs: &[Vec<Block>]) -> RegimeFit {
    let blocks: usize = runs.iter().map(Vec::len).sum();
    let pairs = || runs.iter().zip(&expected.posterior);
    let weight: f64 = expected.posterior.iter().flatten().map(|p| p[regime]).sum();
    let total: f64 =
        runs.iter().flatten().zip(expected.posterior.iter().flatten()).map(|(b, p)| p[regime] * b.variance).sum();
    let variance = total / weight.max(1e-9);
    let influence: Vec<Vec<f64>> = pairs()
        .map(|(run, posterior)| run.iter().zip(posterior).map(|(b, p)| p[regime] * (b.variance - variance)).collect())
        .collect();
    let error = long_run::sum_error(&influence, long_run::lags(blocks)) / weight.max(1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an expected count")]
    let n = libm::round(weight) as usize;
    let volatility = variance.sqrt();

    let row: [f64; REGIMES] =
        std::array::from_fn(|to| expected.pairs.iter().flatten().map(|pair| pair[regime][to]).sum());
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
    use crate::calibration::simulated::{Draws, autoregression};

    const VOLATILITY: [f64; 3] = [0.3, 0.7, 1.6];
    const STEPS: [[f64; 3]; 3] = [[0.97, 0.03, 0.0], [0.06, 0.92, 0.02], [0.0, 0.10, 0.90]];

    fn simulate(n: usize, seed: u64) -> Vec<Block> {
        let mut draws = Draws::new(seed + 100);
        let noise = autoregression(0.4, n, seed);
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
        assert!((fit.memory - 0.4).abs() < 0.06, "{}", fit.memory);
        assert_eq!(fit.posterior.len(), 2);
    }

    #[test]
    fn a_sample_that_does_not_vary_has_no_regimes() {
        let flat = vec![Block { log_variance: 1.0, variance: 1.0 }; 100];
        assert!(fit(&[flat]).is_none());
        assert!(fit(&[simulate(50, 1)]).is_none());
    }
}
