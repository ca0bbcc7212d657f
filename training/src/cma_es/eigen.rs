//! Eigenvalues and eigenvectors of a symmetric matrix, the same bits on every machine.
//!
//! Ours because general libraries choose instructions at run time and round differently per processor.

/// Sweeps after which a matrix would have to be broken: convergence is quadratic, and ten are many.
const SWEEPS_MAX: usize = 60;
/// Off-diagonal weight, over the whole matrix's, at which nothing is left to rotate.
const NEGLIGIBLE: f64 = 1e-30;

/// Diagonalises `matrix`, `[n, n]` row-major and symmetric, by cyclic Jacobi rotations.
///
/// Returns the eigenvalues and the matching unit eigenvectors as the rows of an `[n, n]` matrix, in no order.
///
/// # Panics
/// If `matrix` is not `[n, n]` or holds what is not finite.
///
/// # Reference
/// Golub & Van Loan 2013, "Matrix Computations", §8.5.
pub(super) fn symmetric_eigen(matrix: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(matrix.len(), n * n, "a matrix of {n} columns");
    assert!(matrix.iter().all(|x| x.is_finite()), "a matrix of numbers");
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; n * n];
    for k in 0..n {
        vectors[k * n + k] = 1.0;
    }
    let total: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS_MAX {
        let off: f64 =
            (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))).map(|(p, q)| a[p * n + q]).map(|x| x * x).sum();
        if off <= NEGLIGIBLE * total {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, n, (p, q));
            }
        }
    }
    ((0..n).map(|k| a[k * n + k]).collect(), vectors)
}

/// Turns the plane of `p` and `q` so that their entry vanishes.
#[expect(clippy::many_single_char_names, reason = "the book's own names")]
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, (p, q): (usize, usize)) {
    let entry = a[p * n + q];
    if entry == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * entry);
    let t = 1.0_f64.copysign(theta) / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    turn_rows(a, n, (p, q), (c, s));
    turn_rows(vectors, n, (p, q), (c, s));
    a[p * n + q] = 0.0;
    a[q * n + p] = 0.0;
}

fn turn_rows(matrix: &mut [f64], n: usize, (p, q): (usize, usize), (c, s): (f64, f64)) {
    let (above, below) = matrix.split_at_mut(q * n);
    for (x, y) in above[p * n..(p + 1) * n].iter_mut().zip(&mut below[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix_has_its_known_values() {
        // Second differences: eigenvalues 2 − 2 cos(kπ/4), k = 1, 2, 3.
        let (mut values, _) = symmetric_eigen(&[2.0, -1.0, 0.0, -1.0, 2.0, -1.0, 0.0, -1.0, 2.0], 3);
        values.sort_by(f64::total_cmp);
        for (found, expected) in values.iter().zip([2.0 - 2.0_f64.sqrt(), 2.0, 2.0 + 2.0_f64.sqrt()]) {
            assert!((found - expected).abs() < 1e-14, "{values:?}");
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn vectors_are_orthonormal_and_rebuild_the_matrix_over_ten_orders_of_magnitude() {
        let n = 12;
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let scale = |k: usize| libm::pow(10.0, 5.0 * k as f64 / (n - 1) as f64);
                let correlation = if i == j { 1.0 } else { 0.9 / (1 + i.abs_diff(j)) as f64 };
                matrix[i * n + j] = scale(i) * scale(j) * correlation;
            }
        }
        let (values, vectors) = symmetric_eigen(&matrix, n);
        for i in 0..n {
            for j in 0..n {
                let dot: f64 = (0..n).map(|k| vectors[i * n + k] * vectors[j * n + k]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-13, "{i}, {j}: {dot}");
                let rebuilt: f64 = (0..n).map(|k| vectors[k * n + i] * values[k] * vectors[k * n + j]).sum();
                let size = (matrix[i * n + i] * matrix[j * n + j]).sqrt();
                assert!((rebuilt - matrix[i * n + j]).abs() < 1e-4 * size, "{i}, {j}: {rebuilt}");
            }
        }
        assert!(values.iter().all(|value| *value > 0.0), "{values:?}");
    }
}
