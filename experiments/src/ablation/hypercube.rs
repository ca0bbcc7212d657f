//! A Latin hypercube: samples of which each range's slices hold one each, and what main effects are estimated by.
//!
//! # Reference
//! McKay, Beckman & Conover 1979, "A comparison of three methods for selecting values of input variables in the analysis of
//! output from a computer code", Technometrics 21, §2; here a sample stands in the middle of its slice.

use seawall_env::{Purpose, SeedTree};

/// Places of the samples in `[0, 1]`: `[samples][dimensions]`.
#[expect(clippy::cast_precision_loss, reason = "samples are few")]
pub(crate) fn places(samples: usize, dimensions: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut places = vec![vec![0.0; dimensions]; samples];
    for dimension in 0..dimensions {
        let draw = |last: usize| SeedTree::new(seed).seed(Purpose::Search, (dimension as u64) << 20 | last as u64);
        let mut order: Vec<usize> = (0..samples).collect();
        for last in (1..samples).rev() {
            // Of 64 bits and a few samples, the bias is below 1e-17.
            let chosen = usize::try_from(draw(last) % (last as u64 + 1)).expect("at most the last place");
            order.swap(last, chosen);
        }
        for (sample, slice) in places.iter_mut().zip(order) {
            sample[dimension] = (slice as f64 + 0.5) / samples as f64;
        }
    }
    places
}

/// For each dimension the weights with which samples' means add up to its slope, by least squares with an intercept.
///
/// Nothing if the samples cannot tell the dimensions apart.
pub(crate) fn slopes(places: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let dimensions = places.first()?.len();
    let rows: Vec<Vec<f64>> =
        places.iter().map(|place| std::iter::once(1.0).chain(place.iter().copied()).collect()).collect();
    let product = |one: usize, other: usize| rows.iter().map(|row| row[one] * row[other]).sum::<f64>();
    // [X'X | X'], reduced to [1 | (X'X)⁻¹X'].
    let mut matrix: Vec<Vec<f64>> = (0..=dimensions)
        .map(|one| (0..=dimensions).map(|other| product(one, other)).chain(rows.iter().map(|row| row[one])).collect())
        .collect();
    for pivot in 0..=dimensions {
        let best = (pivot..=dimensions).max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))?;
        matrix.swap(pivot, best);
        if matrix[pivot][pivot].abs() < 1e-9 {
            return None;
        }
        let scale = matrix[pivot][pivot];
        matrix[pivot].iter_mut().for_each(|entry| *entry /= scale);
        let row = matrix[pivot].clone();
        for other in (0..=dimensions).filter(|other| *other != pivot) {
            let factor = matrix[other][pivot];
            matrix[other].iter_mut().zip(&row).for_each(|(entry, own)| *entry -= factor * own);
        }
    }
    Some(matrix.into_iter().skip(1).map(|row| row[dimensions + 1..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slice_of_every_range_holds_one_sample_and_the_seed_decides_which() {
        let places = places(7, 3, 5);
        for dimension in 0..3 {
            let mut found: Vec<f64> = places.iter().map(|place| place[dimension]).collect();
            found.sort_by(f64::total_cmp);
            let expected: Vec<f64> = (0..7).map(|slice| (f64::from(slice) + 0.5) / 7.0).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(places, super::places(7, 3, 5));
        assert_ne!(places, super::places(7, 3, 6));
    }

    #[test]
    fn slopes_recover_a_plane() {
        let places = places(9, 2, 1);
        let values: Vec<f64> = places.iter().map(|place| 4.0 - 3.0 * place[0] + 0.5 * place[1]).collect();
        let slopes = slopes(&places).unwrap();
        for (weights, slope) in slopes.iter().zip([-3.0, 0.5]) {
            let found: f64 = weights.iter().zip(&values).map(|(weight, value)| weight * value).sum();
            assert!((found - slope).abs() < 1e-12, "{found}");
        }
        let same = vec![vec![0.5, 0.5]; 4];
        assert_eq!(super::slopes(&same), None);
    }
}
