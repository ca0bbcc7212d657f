//! What evolution strategies carry from one generation to the next.

use serde::{Deserialize, Serialize};

/// Adam's constants but for the step size (Kingma & Ba 2015, algorithm 1).
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The centre, and Adam's moments in double precision: the trainers' own Adam is single.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) centre: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    /// β₁ᵗ and β₂ᵗ after `t` steps.
    decay: (f64, f64),
}

impl State {
    pub(super) fn new(start: &[f64]) -> Self {
        let zeros = vec![0.0; start.len()];
        Self { generation: 0, centre: start.to_vec(), first: zeros.clone(), second: zeros, decay: (1.0, 1.0) }
    }

    /// Moves the centre along `gradient`.
    pub(super) fn ascend(&mut self, learning_rate: f64, gradient: &[f64]) {
        self.decay = (self.decay.0 * BETA1, self.decay.1 * BETA2);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((x, g), (first, second)) in self.centre.iter_mut().zip(gradient).zip(moments) {
            *first = BETA1 * *first + (1.0 - BETA1) * g;
            *second = BETA2 * *second + (1.0 - BETA2) * g * g;
            let (mean, square) = (*first / (1.0 - self.decay.0), *second / (1.0 - self.decay.1));
            *x += learning_rate * mean / (square.sqrt() + EPSILON);
        }
        self.generation += 1;
    }
}
