//! Memory of volatility within a regime: how much of it fades over minutes, hours and half a day.

use std::f64::consts::LN_2;
use std::ops::Range;

use super::{Fitted, jackknife};
use crate::statistics::real;

/// One bar of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Logarithm of high over low, itself in logarithms; nothing for a bar that did not move.
    pub log_range: Option<f64>,
    /// Bar of the day, from zero.
    pub slot: usize,
    /// Regime that it most likely lies in.
    pub regime: usize,
}

/// Blocks left out in turn for standard errors.
const BLOCKS: usize = 20;
/// Longest lag, in half-lives of the slowest component.
const REACH: f64 = 3.0;

/// Fits the stationary deviations of independent components of log-volatility whose half-lives (in bars) are given, in
/// the order of `half_lives`; nothing without enough bars for the longest lag.
///
/// The log range of a bar is log-volatility plus noise that has no memory, so its autocovariance at lag `k > 0` is
/// `Σ dᵢ² ρᵢᵏ`, times a factor for the averaging within a bar; the `dᵢ²` follow by least squares under `dᵢ² ≥ 0`. Means by
/// regime and by bar of the day are taken out first: levels belong to the regimes, and the market has no seasons.
///
/// # Reference
/// Alizadeh, Brandt & Diebold 2002, "Range-based estimation of stochastic volatility models": the log range of a diffusion
/// is close to Gaussian with deviation 0.29, a quarter of that of the log absolute return.
#[must_use]
pub fn fit(runs: &[&[Bar]], half_lives: &[f64]) -> Option<Vec<Fitted>> {
    let series = adjusted(runs)?;
    let slowest = half_lives.iter().copied().fold(1.0, f64::max);
    let lags = lags(REACH * slowest);
    let n: usize = series.iter().map(Vec::len).sum();
    if half_lives.is_empty() || series.iter().map(Vec::len).max()? <= *lags.last()? * 2 {
        return None;
    }
    let basis: Vec<Vec<f64>> = lags
        .iter()
        .map(|lag| {
            half_lives
                .iter()
                .map(|half_life| {
                    let rate = LN_2 / half_life;
                    let averaged = libm::sinh(0.5 * rate) / (0.5 * rate);
                    averaged * averaged * libm::exp(-rate * real(*lag))
                })
                .collect()
        })
        .collect();
    let deviations = |out: &Range<usize>| {
        let covariances: Option<Vec<f64>> = lags.iter().map(|lag| autocovariance(&series, *lag, out)).collect();
        Some(nonnegative(&basis, &covariances?).iter().map(|x| x.sqrt()).collect::<Vec<f64>>())
    };
    (0..half_lives.len()).map(|i| jackknife::by_blocks(n, BLOCKS, |out| Some(deviations(out)?[i]))).collect()
}

/// Log ranges less the means of their regime and of their bar of the day.
fn adjusted(runs: &[&[Bar]]) -> Option<Vec<Vec<Option<f64>>>> {
    let bars = || runs.iter().copied().flatten();
    let slots = bars().map(|bar| bar.slot).max()? + 1;
    let regimes = bars().map(|bar| bar.regime).max()? + 1;
    let means = |count: usize, key: &dyn Fn(&Bar) -> usize, value: &dyn Fn(&Bar) -> Option<f64>| {
        let mut sums = vec![(0.0, 0.0); count];
        for bar in bars() {
            if let Some(x) = value(bar) {
                let sum = &mut sums[key(bar)];
                *sum = (sum.0 + x, sum.1 + 1.0);
            }
        }
        sums.into_iter().map(|(sum, n): (f64, f64)| sum / n.max(1.0)).collect::<Vec<f64>>()
    };
    let level = means(regimes, &|bar| bar.regime, &|bar| bar.log_range);
    let within = |bar: &Bar| bar.log_range.map(|x| x - level[bar.regime]);
    let season = means(slots, &|bar| bar.slot, &within);
    Some(runs.iter().map(|run| run.iter().map(|bar| within(bar).map(|x| x - season[bar.slot])).collect()).collect())
}

/// One to `longest`, each about a quarter longer than the last.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lags are a few thousand")]
fn lags(longest: f64) -> Vec<usize> {
    let mut lags = vec![1_usize];
    while let Some(last) = lags.last().copied().filter(|last| real(*last) * 1.25 < longest) {
        lags.push((last + 1).max((real(last) * 1.25) as usize));
    }
    lags
}

/// Mean product of neighbours at `lag` within runs, leaving out pairs that start in `out`.
fn autocovariance(series: &[Vec<Option<f64>>], lag: usize, out: &Range<usize>) -> Option<f64> {
    let (mut sum, mut n, mut offset) = (0.0, 0_usize, 0);
    for run in series {
        for (i, pair) in run.iter().zip(run.iter().skip(lag)).enumerate() {
            if let ((Some(a), Some(b)), false) = (pair, out.contains(&(offset + i))) {
                sum += a * b;
                n += 1;
            }
        }
        offset += run.len();
    }
    (n > 0).then(|| sum / real(n))
}

/// Least squares under non-negativity: the best of all subsets of components, each solved and refused if negative.
fn nonnegative(basis: &[Vec<f64>], target: &[f64]) -> Vec<f64> {
    let count = basis[0].len();
    let loss = |x: &[f64]| -> f64 {
        basis
            .iter()
            .zip(target)
            .map(|(row, y)| {
                let miss = row.iter().zip(x).map(|(a, b)| a * b).sum::<f64>() - y;
                miss * miss
            })
            .sum()
    };
    let mut best = vec![0.0; count];
    for subset in 1..1_usize << count {
        let chosen: Vec<usize> = (0..count).filter(|i| subset >> i & 1 == 1).collect();
        let Some(solved) = solve(basis, target, &chosen) else { continue };
        let mut x = vec![0.0; count];
        chosen.iter().zip(&solved).for_each(|(i, value)| x[*i] = *value);
        if solved.iter().all(|value| *value >= 0.0) && loss(&x) < loss(&best) {
            best = x;
        }
    }
    best
}

/// Normal equations of some components, by elimination.
fn solve(basis: &[Vec<f64>], target: &[f64], chosen: &[usize]) -> Option<Vec<f64>> {
    let n = chosen.len();
    let mut rows: Vec<Vec<f64>> = chosen
        .iter()
        .map(|i| {
            let dot = |other: &dyn Fn(usize) -> f64| (0..basis.len()).map(|t| basis[t][*i] * other(t)).sum::<f64>();
            let mut row: Vec<f64> = chosen.iter().map(|j| dot(&|t| basis[t][*j])).collect();
            row.push(dot(&|t| target[t]));
            row
        })
        .collect();
    for k in 0..n {
        let pivot = (k..n).max_by(|a, b| rows[*a][k].abs().total_cmp(&rows[*b][k].abs()))?;
        rows.swap(k, pivot);
        if rows[k][k].abs() < 1e-12 {
            return None;
        }
        let pivot = rows[k].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != k) {
            let factor = row[k] / pivot[k];
            row.iter_mut().zip(&pivot).skip(k).for_each(|(x, p)| *x -= factor * p);
        }
    }
    Some((0..n).map(|k| rows[k][n] / rows[k][k]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::{autoregression as simulate, normals};

    #[test]
    fn deviations_of_simulated_components_are_recovered() {
        // Two components on bars of their own clock: averaging within a bar is left to the world's test.
        let n = 60_000;
        let memory = |half_life: f64| libm::exp2(-1.0 / half_life);
        let (fast, slow, noise) = (simulate(memory(12.0), n, 1), simulate(memory(144.0), n, 2), normals(n, 3));
        let bars: Vec<Bar> = (0..n)
            .map(|t| {
                let regime = usize::from(t % 20_000 > 15_000);
                let level = if regime == 1 { 0.7 } else { 0.0 };
                let season = 0.3 * libm::sin(real(t % 288) / 288.0 * std::f64::consts::TAU);
                let log_range = level + season + 0.35 * fast[t] + 0.2 * slow[t] + 0.29 * noise[t];
                Bar { log_range: (t % 97 > 0).then_some(log_range), slot: t % 288, regime }
            })
            .collect();
        let fit = fit(&[&bars[..40_000], &bars[40_000..]], &[12.0, 144.0]).unwrap();
        for (fitted, truth) in fit.iter().zip([0.35, 0.2]) {
            let error = fitted.standard_error.unwrap();
            assert!((fitted.value - truth).abs() < 4.0 * error && error < 0.05, "{fit:?}");
        }
    }

    #[test]
    fn a_component_that_is_not_there_comes_out_as_zero() {
        let path = simulate(0.9, 20_000, 4);
        let bars: Vec<Bar> = path.iter().map(|x| Bar { log_range: Some(0.3 * x), slot: 0, regime: 0 }).collect();
        // Half-life of 0.9 per bar is 6.6 bars.
        let fit = fit(&[&bars], &[6.6, 200.0]).unwrap();
        assert!((fit[0].value - 0.3).abs() < 0.03 && fit[1].value < 0.06, "{fit:?}");
    }

    #[test]
    fn negative_solutions_are_refused() {
        let basis = vec![vec![1.0, 0.5], vec![0.5, 1.0]];
        // Unconstrained: (2, -1). The best non-negative one is (1.2, 0): (1·1.5 + 0.5·0)/1.25.
        let x = nonnegative(&basis, &[1.5, 0.0]);
        assert!((x[0] - 1.2).abs() < 1e-9 && x[1].abs() < 1e-12, "{x:?}");
    }
}
