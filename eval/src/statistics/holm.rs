//! Correction for having compared more than once.

use crate::statistics::real;

/// Holm-adjusted p-values, in the order given.
///
/// The family-wise error stays below a level if exactly the comparisons with an adjusted value below it are
/// claimed, whatever the dependence among them.
///
/// # Reference
/// Holm 1979, "A simple sequentially rejective multiple test procedure".
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]).then(a.cmp(b)));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut floor: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        floor = floor.max((real(p_values.len() - rank) * p_values[place]).min(1.0));
        adjusted[place] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smaller_p_values_are_multiplied_by_more_and_order_is_kept() {
        // Sorted: 0.01·3 = 0.03, 0.03·2 = 0.06, 0.04·1 = 0.04 raised to 0.06.
        assert_eq!(holm(&[0.04, 0.01, 0.03]), vec![0.06, 0.03, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), vec![1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
