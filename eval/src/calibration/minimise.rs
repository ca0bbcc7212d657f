//! Minimum of a negative log likelihood, and standard errors from its curvature there.

use argmin::core::{CostFunction, Executor, State};
use argmin::solver::neldermead::NelderMead;
use argmin_math::{ArgminAdd, ArgminMul, ArgminSub};

/// Cost of a point where the likelihood is undefined: above any other and still finite.
const REFUSED: f64 = 1e150;
/// Iterations of one simplex.
const ITERATIONS: u64 = 2_000;
/// Simplexes, each from where the last one stopped: a collapsed one gets another chance.
const RESTARTS: usize = 6;
/// Step of the second differences, in coordinates of order one.
const STEP: f64 = 1e-3;

/// A point; the arithmetic that a simplex needs and no more.
#[derive(Clone, Debug)]
struct Point(Vec<f64>);

impl ArgminAdd<Self, Self> for Point {
    fn add(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a + b).collect())
    }
}

impl ArgminSub<Self, Self> for Point {
    fn sub(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a - b).collect())
    }
}

impl ArgminMul<f64, Self> for Point {
    fn mul(&self, factor: &f64) -> Self {
        Self(self.0.iter().map(|a| a * factor).collect())
    }
}

struct Cost<'a>(&'a dyn Fn(&[f64]) -> f64);

impl CostFunction for Cost<'_> {
    type Param = Point;
    type Output = f64;

    fn cost(&self, point: &Point) -> Result<f64, argmin::core::Error> {
        let cost = (self.0)(&point.0);
        Ok(if cost.is_finite() { cost } else { REFUSED })
    }
}

/// Finds a local minimum from `start`, with a first simplex of edges `edge`; nothing if the cost is nowhere finite.
///
/// # Panics
/// If `start` is empty.
///
/// # Reference
/// Nelder & Mead 1965, restarted until a restart gains less than 1e-7.
#[must_use]
pub fn minimise(start: &[f64], edge: f64, cost: &dyn Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
    assert!(!start.is_empty(), "a minimum needs a parameter");
    let mut best = start.to_vec();
    let mut lowest = Cost(cost).cost(&Point(best.clone())).ok()?;
    for restart in 0..RESTARTS {
        let scale = if restart == 0 { edge } else { 0.25 * edge };
        let vertex = |moved: Option<usize>| {
            Point(best.iter().enumerate().map(|(i, x)| if Some(i) == moved { x + scale } else { *x }).collect())
        };
        let simplex = std::iter::once(None).chain((0..best.len()).map(Some)).map(vertex).collect();
        let solver = NelderMead::new(simplex).with_sd_tolerance(1e-8).ok()?;
        let run = Executor::new(Cost(cost), solver).configure(|state| state.max_iters(ITERATIONS)).timer(false).run();
        let state = run.ok()?.state;
        let found = state.get_best_param()?.0.clone();
        let gain = lowest - state.get_best_cost();
        if gain > 0.0 {
            (best, lowest) = (found, state.get_best_cost());
        }
        if gain < 1e-7 {
            break;
        }
    }
    (lowest < REFUSED).then_some(best)
}

/// Standard errors of `natural(at)`, where `cost` is a negative log likelihood with its minimum at `at`: the inverse of
/// its numerical Hessian, carried through the numerical Jacobian of `natural`. Nothing where it is not convex.
#[must_use]
pub fn standard_errors(
    at: &[f64],
    cost: &dyn Fn(&[f64]) -> f64,
    natural: &dyn Fn(&[f64]) -> Vec<f64>,
) -> Option<Vec<f64>> {
    let covariance = inverse(hessian(at, cost))?;
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
    let n = at.len();
    let mut second = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let corner = |a: f64, b: f64| shifted([(i, a * STEP), (j, b * STEP)]);
            let value = corner(1.0, 1.0) - corner(1.0, -1.0) - corner(-1.0, 1.0) + corner(-1.0, -1.0);
            second[i][j] = value / (4.0 * STEP * STEP);
            second[j][i] = second[i][j];
        }
    }
    second
}

/// Inverse of a symmetric positive definite matrix, by Cholesky; nothing if it is not one.
fn inverse(matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
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
