//! Paired permutation test: under no difference, each pair might as well have been the other way round.

use rand_chacha::rand_core::Rng;
use seawall_env::{Purpose, SeedTree};

use crate::statistics::real;
use crate::statistics::resample::Level;

/// Result of a sign-flip test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignFlip {
    /// Two-sided p-value of the mean difference.
    pub p: f64,
    /// Smallest p-value that a test of this size could have given.
    pub smallest: f64,
    /// Whether all sign patterns were enumerated.
    pub exact: bool,
}

/// Tests whether paired differences are symmetric about zero, by their mean.
///
/// All `2^n` patterns of signs are enumerated if they are no more than `flips + 1`; else `flips` are drawn, and the
/// observed pattern counts as one of them, so that the p-value is never zero and never too small.
///
/// # Panics
/// If `differences` is empty or not finite, or `flips` is zero.
///
/// # Reference
/// Phipson & Smyth 2010, "Permutation p-values should never be zero" (arXiv:1603.05766).
#[must_use]
pub fn sign_flip(differences: &[f64], flips: usize, seeds: SeedTree) -> SignFlip {
    assert!(!differences.is_empty() && flips > 0, "a permutation test needs differences and flips");
    assert!(differences.iter().all(|value| value.is_finite()), "a permutation test needs finite differences");
    let observed = differences.iter().sum::<f64>().abs();
    // The same sum in another order of signs differs by rounding, and is a tie.
    let magnitude: f64 = differences.iter().map(|value| value.abs()).sum();
    let reached = observed - 1e-12 * magnitude;
    let small = u32::try_from(differences.len()).ok().and_then(|n| 1_usize.checked_shl(n)).filter(|n| *n <= flips + 1);
    if let Some(patterns) = small {
        let count = (0..patterns).filter(|pattern| flipped(differences, [*pattern as u64]).abs() >= reached).count();
        return SignFlip { p: real(count) / real(patterns), smallest: (2.0 / real(patterns)).min(1.0), exact: true };
    }
    let mut rng = seeds.stream(Purpose::Bootstrap, Level::Signs.index(0));
    let count = (0..flips).filter(|_| {
        let words = std::iter::repeat_with(|| rng.next_u64());
        flipped(differences, words).abs() >= reached
    });
    let p = real(count.count() + 1) / real(flips + 1);
    SignFlip { p, smallest: 1.0 / real(flips + 1), exact: false }
}

/// Sum of the differences, negated where the words, lowest bit first, have a one.
fn flipped(differences: &[f64], words: impl IntoIterator<Item = u64>) -> f64 {
    let sum = |chunk: &[f64], word: u64| {
        let signed = (0..).zip(chunk).map(|(bit, value)| f64::from_bits(value.to_bits() ^ (word >> bit & 1) << 63));
        signed.sum::<f64>()
    };
    differences.chunks(64).zip(words).map(|(chunk, word)| sum(chunk, word)).sum()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the hand-worked values are exact")]
mod tests {
    use super::*;

    #[test]
    fn three_differences_of_one_sign_give_a_quarter() {
        // Of the eight patterns only +++ and --- reach a mean of 2 in magnitude.
        let test = sign_flip(&[1.0, 2.0, 3.0], 100, SeedTree::new(0));
        assert_eq!(test, SignFlip { p: 0.25, smallest: 0.25, exact: true });
    }

    #[test]
    fn differences_of_zero_are_no_evidence() {
        assert_eq!(sign_flip(&[0.0; 5], 100, SeedTree::new(0)).p, 1.0);
        assert_eq!(sign_flip(&[0.0; 50], 100, SeedTree::new(0)).p, 1.0);
    }

    #[test]
    fn drawn_patterns_estimate_the_enumerated_share() {
        let differences = [0.9, -0.2, 0.4, 1.3, -0.6, 0.7, 0.1, -0.3, 0.8, 0.2, -0.1, 0.5];
        let exact = sign_flip(&differences, 5_000, SeedTree::new(0));
        let drawn = sign_flip(&differences, 4_000, SeedTree::new(3));
        assert!(exact.exact && !drawn.exact);
        // Four standard errors of a share near 0.1 from 4,000 draws.
        assert!((exact.p - drawn.p).abs() < 4.0 * (exact.p * (1.0 - exact.p) / 4_000.0).sqrt(), "{exact:?} {drawn:?}");
        assert_eq!(drawn, sign_flip(&differences, 4_000, SeedTree::new(3)));
    }

    #[test]
    fn more_than_one_word_of_signs_is_flipped() {
        // 130 equal differences: the mean survives only if all signs agree, which 999 draws do not bring.
        assert_eq!(sign_flip(&[1.0; 130], 999, SeedTree::new(0)).p, 0.001);
        // Differences that alternate about zero are as likely as anything.
        let balanced: Vec<f64> = (0..130).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        assert_eq!(sign_flip(&balanced, 999, SeedTree::new(0)).p, 1.0);
    }
}
