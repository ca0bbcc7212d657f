//! Weights and rates of the tutorial's table 1, from dimension and population.

/// Recombination weights and learning rates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rates {
    /// By rank, the best first; those of the better half sum to one, the others are negative or zero.
    pub(super) weights: Vec<f64>,
    /// Number of positive weights.
    pub(super) parents: usize,
    /// Variance-effective number of parents.
    pub(super) effective: f64,
    /// Decay of the path of the step size, and its damping.
    pub(super) c_sigma: f64,
    pub(super) d_sigma: f64,
    /// Decay of the path of the covariance, and the rates of its rank-one and rank-μ updates.
    pub(super) c_path: f64,
    pub(super) c_one: f64,
    pub(super) c_mu: f64,
    /// Mean length of a standard normal vector.
    pub(super) length: f64,
}

impl Rates {
    /// # Reference
    /// Tutorial, table 1 (eq. 48–58); the mean length is eq. 32's approximation.
    #[expect(clippy::cast_precision_loss, reason = "dimensions and populations are small")]
    pub(super) fn new(dimension: usize, population: usize, is_active: bool) -> Self {
        let n = dimension as f64;
        let half = f64::midpoint(population as f64, 1.0);
        let raw: Vec<f64> = (1..=population).map(|rank| libm::log(half) - libm::log(rank as f64)).collect();
        let parents = population / 2;
        let effective = effective(&raw[..parents]);
        let worse = effective_of_rest(&raw[parents..]);

        let c_sigma = (effective + 2.0) / (n + effective + 5.0);
        let d_sigma = 1.0 + 2.0 * (((effective - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_path = (4.0 + effective / n) / (n + 4.0 + 2.0 * effective / n);
        let c_one = 2.0 / ((n + 1.3) * (n + 1.3) + effective);
        let c_mu =
            (2.0 * (0.25 + effective + 1.0 / effective - 2.0) / ((n + 2.0) * (n + 2.0) + effective)).min(1.0 - c_one);

        let positive: f64 = raw.iter().filter(|weight| **weight > 0.0).sum();
        let negative: f64 = raw.iter().filter(|weight| **weight < 0.0).map(|weight| -weight).sum();
        // The three bounds of eq. 50–52; a generation that small has no rank-μ update and needs none.
        let scale = if is_active && c_mu > 0.0 {
            (1.0 + c_one / c_mu)
                .min(1.0 + 2.0 * worse / (effective + 2.0))
                .min((1.0 - c_one - c_mu) / (n * c_mu))
                .max(0.0)
        } else {
            0.0
        };
        let weights =
            raw.iter().map(|weight| if *weight > 0.0 { weight / positive } else { scale * weight / negative });
        Self {
            weights: weights.collect(),
            parents,
            effective,
            c_sigma,
            d_sigma,
            c_path,
            c_one,
            c_mu,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

/// Square of the sum over the sum of squares.
fn effective(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    sum * sum / weights.iter().map(|weight| weight * weight).sum::<f64>()
}

/// As [`effective`]; zero where there is nothing but zeros.
fn effective_of_rest(weights: &[f64]) -> f64 {
    if weights.iter().all(|weight| *weight >= 0.0) { 0.0 } else { effective(weights) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-4, "{a} against {b}");
    }

    #[test]
    fn ten_dimensions_have_the_rates_of_the_formulas() {
        // By hand from the tutorial's table, n = 10, λ = 10: w' = ln 5.5 − ln i.
        let rates = Rates::new(10, 10, true);
        close(rates.weights[..5].iter().sum(), 1.0);
        close(rates.weights[0], 1.704_75 / 3.736_26);
        close(rates.effective, 3.167_30);
        close(rates.c_sigma, 0.284_43);
        close(rates.d_sigma, 1.284_43);
        close(rates.c_path, 0.294_99);
        close(rates.c_one, 2.0 / (127.69 + 3.167_30));
        close(rates.c_mu, 2.0 * (0.25 + 3.167_30 + 0.315_73 - 2.0) / (144.0 + 3.167_30));
        assert_eq!(rates.parents, 5);
        assert!(rates.weights.is_sorted_by(|a, b| a >= b) && rates.weights[9] < 0.0);
        // E‖N(0, I)‖ = √2 Γ(11/2)/Γ(5) = 3.0843.
        assert!((rates.length - 3.084_3).abs() < 1e-3);
    }

    #[test]
    fn without_the_active_update_no_weight_is_negative() {
        let rates = Rates::new(4, 8, false);
        assert!(rates.weights.iter().all(|weight| *weight >= 0.0));
    }
}
