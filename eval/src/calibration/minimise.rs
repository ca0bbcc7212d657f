//! Minimum of a negative log likelihood, and standard errors from its curvature there.
//!
//! The simplex is ours because the crates that have one bring more than it weighs: `argmin` changes the features that the
//! learner's matrix kernels are built with, ports of COBYLA read the clock.

/// Cost of a point where the likelihood is undefined: above any other and still finite.
const REFUSED: f64 = 1e150;
/// Moves of one simplex.
const MOVES: usize = 2_000;
/// A simplex has collapsed when its costs are this close.
const TOLERANCE: f64 = 1e-8;
/// Simplexes, each from where the last one stopped: a collapsed one gets another chance.
const RESTARTS: usize = 6;
/// Step of the second differences, in coordinates of order one.
const STEP: f64 = 1e-3;

/// Finds a local minimum from `start`, with a first simplex of edges `edge`; nothing if the cost is nowhere finite.
///
/// # Panics
/// If `start` is empty.
///
/// # Reference
/// Nelder & Mead 1965 with their coefficients 1, 2, 1/2 and 1/2, restarted until a restart gains less than 1e-7.
#[must_use]
pub fn minimise(start: &[f64], edge: f64, cost: &dyn Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
    assert!(!start.is_empty(), "a minimum needs a parameter");
    let bounded = |point: &[f64]| {
        let value = cost(point);
        if value.is_finite() { value } else { REFUSED }
    };
    let mut best = start.to_vec();
    let mut lowest = bounded(&best);
    for restart in 0..RESTARTS {
        let (found, value) = descend(&best, if restart == 0 { edge } else { 0.25 * edge }, &bounded);
        let gain = lowest - value;
        if gain > 0.0 {
            (best, lowest) = (found, value);
        }
        if gain < 1e-7 {
            break;
        }
    }
    (lowest < REFUSED).then_some(best)
}

/// One simplex until it collapses: its best point and that point's cost.
fn descend(start: &[f64], edge: f64, cost: &dyn Fn(&[f64]) -> f64) -> (Vec<f64>, f64) {
    let n = start.len();
    let vertex = |moved: Option<usize>| {
        let point: Vec<f64> =
            start.iter().enumerate().map(|(i, x)| if Some(i) == moved { x + edge } else { *x }).collect();
        let value = cost(&point);
        (point, value)
    };
    let mut simplex: Vec<(Vec<f64>, f64)> = std::iter::once(None).chain((0..n).map(Some)).map(vertex).collect();
    for _ in 0..MOVES {
        // A stable sort: of equals, the older point is the better one.
        simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
        if simplex[n].1 - simplex[0].1 < TOLERANCE {
            break;
        }
        let centre: Vec<f64> = (0..n)
            .map(|i| simplex[..n].iter().map(|(point, _)| point[i]).sum::<f64>() / crate::statistics::real(n))
            .collect();
        let worst = simplex[n].clone();
        let along = |t: f64| {
            let point: Vec<f64> = centre.iter().zip(&worst.0).map(|(c, w)| c + t * (c - w)).collect();
            let value = cost(&point);
            (point, value)
        };
        let reflected = along(1.0);
        let chosen = if reflected.1 < simplex[0].1 {
            let expanded = along(2.0);
            Some(if expanded.1 < reflected.1 { expanded } else { reflected })
        } else if reflected.1 < simplex[n - 1].1 {
            Some(reflected)
        } else {
            let contracted = along(if reflected.1 < worst.1 { 0.5 } else { -0.5 });
            (contracted.1 < worst.1.min(reflected.1)).then_some(contracted)
        };
        match chosen {
            Some(point) => simplex[n] = point,
            None => shrink(&mut simplex, cost),
        }
    }
    simplex.sort_by(|a, b| a.1.total_cmp(&b.1));
    simplex.swap_remove(0)
}

/// Draws every vertex half-way to the best one.
fn shrink(simplex: &mut [(Vec<f64>, f64)], cost: &dyn Fn(&[f64]) -> f64) {
    let best = simplex[0].0.clone();
    for (point, value) in &mut simplex[1..] {
        point.iter_mut().zip(&best).for_each(|(x, b)| *x = b + 0.5 * (*x - b));
        *value = cost(point);
    }
}

/// Standard errors of `natural(at)`, where `cost` is a negative log likelihood with its minimum at `at`: the inverse of
/// its numerical Hessian, carried through the numerical Jacobian of `natural`. Nothing where it is not convex.
#[must_use]
pub fn standard_errors(
    at: &[f64],
    cost: &dyn Fn(&[f64]) -> f64,
    natural: &dyn Fn(&[f64]) -> Vec<f64>,
) -> Option<Vec<f64>> {
    let covariance = inverse(&hessian(at, cost))?;
    let moved = |i: usize, by: f64| {
        let mut point = at.to_vec();
        point[i] += by;
        natural(&point)
    };
    let columns: Vec<Vec<f64>> = (0..at.len())
        .map(|i| {
            let (up, down) = (moved(i, STEP), moved(i, -STEP));
            up.iter().zip(&down).map(|(up, down)| (up - down) / (2.0 * STEP)).collect()
        })
        .collect();
    let variance = |k: usize| -> f64 {
        (0..at.len())
            .flat_map(|i| (0..at.len()).map(move |j| (i, j)))
            .map(|(i, j)| columns[i][k] * covariance[i][j] * columns[j][k])
            .sum()
    };
    let errors: Vec<f64> = (0..natural(at).len()).map(|k| variance(k).sqrt()).collect();
    errors.iter().all(|error| error.is_finite()).then_some(errors)
}

fn hessian(at: &[f64], cost: &dyn Fn(&[f64]) -> f64) -> Vec<Vec<f64>> {
    let shifted = |moves: [(usize, f64); 2]| {
        let mut point = at.to_vec();
        for (i, by) in moves {
            point[i] += by;
        }
        cost(&point)
    };
    let entry = |i: usize, j: usize| {
        let corner = |a: f64, b: f64| shifted([(i, a * STEP), (j, b * STEP)]);
        let value = corner(1.0, 1.0) - corner(1.0, -1.0) - corner(-1.0, 1.0) + corner(-1.0, -1.0);
        value / (4.0 * STEP * STEP)
    };
    let n = at.len();
    (0..n).map(|i| (0..n).map(|j| entry(i.max(j), i.min(j))).collect()).collect()
}

/// Inverse of a symmetric positive definite matrix, by Cholesky; nothing if it is not one.
pub(crate) fn inverse(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let mut lower = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = matrix[i][j] - dot;
            if i == j {
                if rest <= 1e-12 * matrix[i][i].abs() || !rest.is_finite() {
                    return None;
                }
                lower[i][i] = rest.sqrt();
            } else {
                lower[i][j] = rest / lower[j][j];
            }
        }
    }
    let column = |unit: usize| {
        let mut x = vec![0.0; n];
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
            x[i] = (f64::from(u8::from(i == unit)) - dot) / lower[i][i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| lower[k][i] * x[k]).sum();
            x[i] = (x[i] - dot) / lower[i][i];
        }
        x
    };
    Some((0..n).map(column).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        // Rosenbrock: minimum at (1, 1), where the Hessian is [[802, -400], [-400, 200]].
        let cost = |x: &[f64]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let found = minimise(&[-1.2, 1.0], 0.5, &cost).unwrap();
        assert!((found[0] - 1.0).abs() < 1e-3 && (found[1] - 1.0).abs() < 2e-3, "{found:?}");
        // Determinant 400: variances 200/400 and 802/400.
        let errors = standard_errors(&[1.0, 1.0], &cost, &|x| x.to_vec()).unwrap();
        assert!((errors[0] / 0.5_f64.sqrt() - 1.0).abs() < 0.01, "{errors:?}");
        assert!((errors[1] / 2.005_f64.sqrt() - 1.0).abs() < 0.01, "{errors:?}");
    }

    #[test]
    fn a_flat_direction_has_no_standard_error() {
        assert_eq!(standard_errors(&[0.0, 0.0], &|x| x[0] * x[0], &|x| x.to_vec()), None);
        assert_eq!(minimise(&[0.0], 1.0, &|_| f64::NAN), None);
    }

    #[test]
    fn the_delta_method_carries_errors_through() {
        // Variance 1/2 of x at 3; of x², (2·3)²/2 = 18.
        let errors = standard_errors(&[3.0], &|x| (x[0] - 3.0).powi(2), &|x| vec![x[0] * x[0]]).unwrap();
        assert!((errors[0] - 18.0_f64.sqrt()).abs() < 1e-3, "{errors:?}");
    }
}
