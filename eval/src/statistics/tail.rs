//! Expected shortfall: how bad the worst share of episodes is on average.

use serde::{Deserialize, Serialize};

use crate::statistics::{Sample, real};

/// Which end of a distribution is the bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Small values are bad.
    Low,
    /// Large values are bad.
    High,
}

/// A tail's mean, and how many observations it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// Conditional value at risk.
    pub mean: f64,
    /// Observations that enter it, the last one possibly with a fraction of its weight.
    pub samples: usize,
}

/// Conditional value at risk: mean of the worst `share` of `values`.
///
/// Where `share · n` is not whole, the next value enters with the fraction that is left, so the result is
/// continuous in `share` and coherent as a measure of risk.
///
/// # Panics
/// If `values` is empty or not finite, or `share` is outside `(0, 1]`.
///
/// # Reference
/// Rockafellar & Uryasev 2002, "Conditional value-at-risk for general loss distributions", proposition 8.
#[must_use]
pub fn conditional_value_at_risk(values: &[f64], side: Side, share: f64) -> Tail {
    let sample = Sample::complete(values);
    sample.tail(&sample.once(), side, share).expect("a tail needs a value")
}

impl Sample {
    /// Mean of the worst `share` of what `times` draws, or nothing if it draws nothing.
    ///
    /// # Panics
    /// If `times` has the wrong length or `share` is outside `(0, 1]`.
    #[must_use]
    pub fn tail(&self, times: &[u32], side: Side, share: f64) -> Option<Tail> {
        assert!(share > 0.0 && share <= 1.0, "share {share} is not in (0, 1]");
        let total = self.total(times);
        let weight = share * real(total);
        let (sum, samples) = match side {
            Side::Low => worst(self.drawn(times), weight),
            Side::High => worst(self.drawn(times).rev(), weight),
        };
        (total > 0).then(|| Tail { mean: sum / weight, samples })
    }
}

/// Sum of the first values up to a total weight, and the number of values that took part.
fn worst(drawn: impl Iterator<Item = (f64, usize)>, weight: f64) -> (f64, usize) {
    // A product such as 0.07 · 100 misses its whole number by a rounding error, which is not a sample.
    let rounding = 1e-9 * weight;
    let (mut left, mut sum, mut samples) = (weight, 0.0, 0);
    for (value, times) in drawn {
        if left <= rounding {
            break;
        }
        let taken = left.min(real(times));
        sum += value * taken;
        samples += whole(taken, rounding).min(times);
        left -= taken;
    }
    (sum, samples)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of observations")]
fn whole(taken: f64, rounding: f64) -> usize {
    (taken - rounding).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fractional_tail_takes_part_of_the_next_value() {
        // 30 % of five values is 1.5 of them: (1·50 + 0.5·40) / 1.5 = 46.666…, resting on two.
        let values = [10.0, 50.0, 20.0, 40.0, 30.0];
        let tail = conditional_value_at_risk(&values, Side::High, 0.3);
        assert!((tail.mean - 140.0 / 3.0).abs() < 1e-12);
        assert_eq!(tail.samples, 2);
        let tail = conditional_value_at_risk(&values, Side::Low, 0.2);
        assert_eq!(tail, Tail { mean: 10.0, samples: 1 });
    }

    #[test]
    fn a_whole_number_of_tail_samples_survives_rounding() {
        // 0.07 · 100 is 7.000000000000001 in floating point, and seven samples.
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let tail = conditional_value_at_risk(&values, Side::High, 0.07);
        assert_eq!(tail.samples, 7);
        assert!((tail.mean - 96.0).abs() < 1e-9);
    }

    #[test]
    fn the_whole_distribution_is_its_own_tail() {
        let values = [3.0, -1.0, 4.0, 2.0];
        assert_eq!(conditional_value_at_risk(&values, Side::Low, 1.0), Tail { mean: 2.0, samples: 4 });
    }

    #[test]
    fn multiplicities_count_as_observations() {
        // Drawn: 5, 5, 5, 1. The worst half is 5, 5: two observations of one value.
        let sample = Sample::complete(&[5.0, 1.0]);
        assert_eq!(sample.tail(&[3, 1], Side::High, 0.5), Some(Tail { mean: 5.0, samples: 2 }));
    }
}
