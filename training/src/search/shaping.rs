//! From scores to what strategies weigh by: order, and ranks.

/// Indices of `scores` from the best to the worst; equal scores in the order of their indices.
///
/// # Panics
/// If a score is not finite.
pub(crate) fn best_first(scores: &[f64]) -> Vec<usize> {
    assert!(scores.iter().all(|score| score.is_finite()), "a score is not finite: {scores:?}");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Minus zero and zero are one score: `total_cmp` would tell them apart.
    order.sort_by(|a, b| (scores[*b] + 0.0).total_cmp(&(scores[*a] + 0.0)));
    order
}

/// Ranks spread evenly over `[-0.5, 0.5]`, the best last; equal scores share the mean of their ranks.
///
/// # Reference
/// Salimans et al. 2017 (arXiv:1703.03864), §2: fitness shaping makes the update blind to monotone transformations. That
/// ties share a rank is ours: otherwise a plateau would have a gradient.
#[expect(clippy::cast_precision_loss, reason = "a population is small")]
pub(crate) fn centred_ranks(scores: &[f64]) -> Vec<f64> {
    let order = best_first(scores);
    let last = (scores.len() - 1).max(1) as f64;
    let mut ranks = vec![0.0; scores.len()];
    let mut at = 0;
    while at < order.len() {
        let score = scores[order[at]];
        let ties = order[at..].iter().take_while(|index| scores[**index].total_cmp(&score).is_eq()).count();
        let place = at as f64 + 0.5 * (ties - 1) as f64;
        for &index in &order[at..at + ties] {
            ranks[index] = 0.5 - place / last;
        }
        at += ties;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first_and_ties_keep_their_order() {
        assert_eq!(best_first(&[1.0, 3.0, -2.0, 3.0]), [1, 3, 0, 2]);
        assert_eq!(best_first(&[-0.0, 0.0]), [0, 1]);
    }

    #[test]
    fn ranks_are_even_and_ties_share_theirs() {
        assert_eq!(centred_ranks(&[10.0, -1e9, 11.0]), [0.0, -0.5, 0.5]);
        // Places 0, 1.5, 1.5, 3 of 0..3.
        assert_eq!(centred_ranks(&[2.0, 5.0, 2.0, 1.0]), [0.0, 0.5, 0.0, -0.5]);
        assert_eq!(centred_ranks(&[7.0]), [0.5]);
        assert_eq!(centred_ranks(&[7.0, 7.0]), [0.0, 0.0]);
    }
}
