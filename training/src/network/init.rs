//! First weights, drawn from the run's own streams.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};

/// Random `[inputs, outputs]` matrix whose rows or columns, whichever are fewer, are orthogonal with length `gain`.
///
/// Gram–Schmidt on Gaussian vectors: the factor that makes each vector's own coefficient positive is the one that
/// makes the result uniform over orthogonal matrices (Mezzadri 2007, arXiv:math-ph/0609050, §4).
///
/// # Reference
/// Saxe et al. 2014 (arXiv:1312.6120).
#[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
pub(crate) fn orthogonal(inputs: usize, outputs: usize, gain: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let (count, length) = (inputs.min(outputs), inputs.max(outputs));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    while basis.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| normal_quantile(open_unit(rng.next_u64()))).collect();
        // Twice is enough for orthogonality to rounding (Giraud et al. 2005).
        for _ in 0..2 {
            for other in &basis {
                let overlap = dot(&vector, other);
                for (v, o) in vector.iter_mut().zip(other) {
                    *v -= overlap * o;
                }
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // Gaussian vectors are dependent with probability zero; a near miss is drawn again.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|v| *v /= norm);
            basis.push(vector);
        }
    }
    let entry = |i: usize, o: usize| if inputs <= outputs { basis[i][o] } else { basis[o][i] };
    (0..inputs * outputs).map(|at| (gain * entry(at / outputs, at % outputs)) as f32).collect()
}

/// Random weights and then biases of a layer, uniform within one over the root of its inputs: what off-policy
/// implementations on `PyTorch` start from, and their published settings with them.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "weights are single precision")]
pub(crate) fn uniform(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let bound = 1.0 / (inputs as f64).sqrt();
    (0..(inputs + 1) * outputs).map(|_| (bound * (2.0 * open_unit(rng.next_u64()) - 1.0)) as f32).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use seawall_env::{Purpose, SeedTree};

    use super::*;

    #[test]
    fn the_shorter_side_is_orthogonal_with_the_gain_as_length() {
        for (inputs, outputs) in [(48, 64), (64, 8), (5, 5), (64, 1)] {
            let mut rng = SeedTree::new(3).stream(Purpose::Weights, 0);
            let weight = orthogonal(inputs, outputs, 2.0, &mut rng);
            let vector = |k: usize| -> Vec<f64> {
                let side = |j: usize| if inputs <= outputs { k * outputs + j } else { j * outputs + k };
                (0..inputs.max(outputs)).map(|j| f64::from(weight[side(j)])).collect()
            };
            for a in 0..inputs.min(outputs) {
                for b in 0..=a {
                    let expected = if a == b { 4.0 } else { 0.0 };
                    assert!((dot(&vector(a), &vector(b)) - expected).abs() < 1e-5, "{inputs}×{outputs}: {a}, {b}");
                }
            }
        }
    }

    #[test]
    fn signs_are_not_biased() {
        // One number, drawn often: ±1 with equal probability; five standard errors are 5·√400/2 = 50.
        let positive = (0..400)
            .filter(|&seed| orthogonal(1, 1, 1.0, &mut SeedTree::new(seed).stream(Purpose::Weights, 0))[0] > 0.0)
            .count();
        assert!((150..=250).contains(&positive), "{positive}");
    }
}
