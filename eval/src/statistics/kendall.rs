//! How far two rankings agree.

/// Kendall's τ-b of pairs: concordant less discordant pairs of observations, over the geometric mean of those that are not
/// tied on either side. Nothing if a side does not vary.
///
/// # Reference
/// Kendall 1938 and 1945 (ties).
#[must_use]
pub fn kendall(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mut agreement, mut untied) = (0.0, [0.0; 2]);
    for (at, a) in pairs.iter().enumerate() {
        for b in &pairs[at + 1..] {
            let signs = [sign(a.0, b.0), sign(a.1, b.1)];
            agreement += signs[0] * signs[1];
            untied.iter_mut().zip(signs).for_each(|(sum, sign)| *sum += sign.abs());
        }
    }
    let scale = (untied[0] * untied[1]).sqrt();
    (scale > 0.0).then(|| agreement / scale)
}

fn sign(a: f64, b: f64) -> f64 {
    f64::from(i8::from(a < b) - i8::from(b < a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_by_hand() {
        // Of six pairs of observations one is in the other order: (5 - 1) / 6.
        let one_swap = [(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0)];
        assert!((kendall(&one_swap).unwrap() - 4.0 / 6.0).abs() < 1e-12);
        let reversed = [(1.0, 9.0), (2.0, 5.0), (3.0, 1.0)];
        assert!((kendall(&reversed).unwrap() + 1.0).abs() < 1e-12);
        // One tie on the left: two concordant pairs over √(2 · 3).
        let tied = [(1.0, 1.0), (1.0, 2.0), (2.0, 3.0)];
        assert!((kendall(&tied).unwrap() - 2.0 / 6.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(kendall(&[(1.0, 1.0), (1.0, 2.0)]), None);
    }
}
