//! How two quantities move together, by ranks: a link that outliers cannot fake.

use super::{Fitted, jackknife};
use crate::statistics::{correlation, real};

/// Blocks left out in turn for the standard error.
const BLOCKS: usize = 20;

/// Spearman's rank correlation of pairs in order of time, with a delete-a-block standard error; nothing if a side does
/// not vary.
///
/// # Reference
/// Spearman 1904; ties share their mean rank.
#[must_use]
pub fn spearman(pairs: &[(f64, f64)]) -> Option<Fitted> {
    jackknife::by_blocks(pairs.len(), BLOCKS, |out| {
        let kept = || pairs.iter().enumerate().filter(|(i, _)| !out.contains(i)).map(|(_, pair)| *pair);
        let (x, y): (Vec<f64>, Vec<f64>) = kept().unzip();
        let ranked: Vec<(f64, f64)> = ranks(&x).into_iter().zip(ranks(&y)).collect();
        correlation(&ranked)
    })
}

/// Rank of each value, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        let shared = real(first) + 0.5 * real(tied.len() - 1);
        for place in tied {
            ranks[*place] = shared;
        }
        first += tied.len();
    }
    ranks
}

/// Pearson correlation with its asymptotic error `(1 - ρ²) / √(n - 1)`; nothing below four pairs.
///
/// # Reference
/// Fisher 1915.
#[must_use]
pub fn pearson(pairs: &[(f64, f64)]) -> Option<Fitted> {
    let rho = correlation(pairs)?;
    (pairs.len() >= 4).then(|| Fitted::new(rho, (1.0 - rho * rho) / real(pairs.len() - 1).sqrt(), pairs.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::normals;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), vec![2.5, 0.0, 2.5, 1.0]);
    }

    #[test]
    fn the_correlation_of_a_bivariate_normal_is_recovered() {
        let (x, e) = (normals(8_000, 1), normals(8_000, 2));
        let pairs: Vec<(f64, f64)> = x.iter().zip(&e).map(|(x, e)| (*x, 0.6 * x + 0.8 * e)).collect();
        let linear = pearson(&pairs).unwrap();
        assert!((linear.value - 0.6).abs() < 4.0 * linear.standard_error.unwrap(), "{linear:?}");
        // Of a bivariate normal, ranks correlate by 6/π · asin(ρ/2).
        let expected = 6.0 / std::f64::consts::PI * libm::asin(0.3);
        let ranked = spearman(&pairs).unwrap();
        assert!((ranked.value - expected).abs() < 4.0 * ranked.standard_error.unwrap(), "{ranked:?}");
    }
}
