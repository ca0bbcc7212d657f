//! Returns as distributions: truncated targets and the quantile loss.

/// Sorts the target quantiles of all critics, `[critics · count]`, and leaves all but the highest.
///
/// # Reference
/// Kuznetsov et al. 2020 (arXiv:2005.04269), eqs. 9–10.
pub(super) fn truncate(pooled: &mut Vec<f32>, dropped: usize) {
    pooled.sort_by(f32::total_cmp);
    pooled.truncate(pooled.len() - dropped);
}

/// Quantile regression of one critic's quantiles to targets by the Huber loss with threshold 1, averaged over all
/// pairs; writes its gradient and returns it. Quantile `m` of `M` stands at `(2 m + 1) / 2 M`.
///
/// # Reference
/// Dabney et al. 2018 (arXiv:1710.10044), eqs. 9–10.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "gradients are single precision")]
pub(super) fn loss(quantiles: &[f32], targets: &[f64], scale: f64, gradient: &mut [f32]) -> f64 {
    let count = quantiles.len() as f64;
    let share = 1.0 / (count * targets.len() as f64);
    let mut sum = 0.0;
    for ((m, quantile), gradient) in quantiles.iter().enumerate().zip(gradient) {
        let level = (m as f64 + 0.5) / count;
        let mut slope = 0.0;
        for target in targets {
            let error = target - f64::from(*quantile);
            let weight = if error < 0.0 { 1.0 - level } else { level };
            let size = error.abs();
            sum += weight * if size <= 1.0 { 0.5 * error * error } else { size - 0.5 };
            slope -= weight * error.clamp(-1.0, 1.0);
        }
        *gradient = (scale * share * slope) as f32;
    }
    share * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_quantiles_of_all_critics_are_dropped() {
        let mut pooled = vec![3.0, 9.0, 1.0, 2.0, 8.0, -4.0];
        truncate(&mut pooled, 2);
        assert_eq!(pooled, [-4.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn the_loss_of_two_quantiles_against_two_targets() {
        // Levels 1/4 and 3/4. Errors of quantile 0: 0.5 and 3 (weights 1/4): 0.125 and 2.5, so 0.65625.
        // Of quantile 1 at 2: −1.5 (weight 1/4, Huber 1) and 1 (weight 3/4, Huber 0.5): 0.25 + 0.375.
        // Mean of four: (0.65625 + 0.625) / 4. Slopes: −(0.5 + 1)/4 and 1/4 − 3/4, each over 4.
        let mut gradient = [0.0; 2];
        let value = loss(&[0.0, 2.0], &[0.5, 3.0], 1.0, &mut gradient);
        assert!((value - 1.28125 / 4.0).abs() < 1e-12, "{value}");
        for (g, expected) in gradient.iter().zip([-1.5 / 16.0, -0.5 / 4.0]) {
            assert!((f64::from(*g) - expected).abs() < 1e-7, "{gradient:?}");
        }
    }

    #[test]
    fn regression_finds_the_quantiles_of_the_targets() {
        // Targets 0.00, 0.01, …, 0.99 in a range where the Huber loss is quadratic would give expectiles, so they are
        // a hundred times as wide: levels 1/6, 1/2 and 5/6 of the uniform on [0, 99].
        let targets: Vec<f64> = (0..100).map(f64::from).collect();
        let mut quantiles = [0.0_f32; 3];
        let mut gradient = [0.0; 3];
        for _ in 0..20_000 {
            loss(&quantiles, &targets, 1.0, &mut gradient);
            for (quantile, g) in quantiles.iter_mut().zip(gradient) {
                *quantile -= 3.0 * g;
            }
        }
        for (quantile, expected) in quantiles.iter().zip([16.5, 49.5, 82.5]) {
            assert!((quantile - expected).abs() < 1.0, "{quantiles:?}");
        }
    }
}
