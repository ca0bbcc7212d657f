//! Draws for tests: series whose parameters are known.

use seawall_env::rng::normal_quantile;
use seawall_env::{Counter, Purpose, SeedTree};

/// Draws one after another.
pub(crate) struct Draws {
    counter: Counter,
    at: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { counter: SeedTree::new(seed).counter(Purpose::Workload, 0), at: 0 }
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.at += 1;
        self.counter.uniform2(self.at, 0)[0]
    }

    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }
}

/// Independent standard normals.
pub(crate) fn normals(n: usize, seed: u64) -> Vec<f64> {
    let mut draws = Draws::new(seed);
    (0..n).map(|_| draws.normal()).collect()
}

/// An autoregression of unit variance.
pub(crate) fn autoregression(phi: f64, n: usize, seed: u64) -> Vec<f64> {
    let mut x = 0.0;
    let step = |z: f64| {
        x = phi * x + (1.0 - phi * phi).sqrt() * z;
        x
    };
    normals(n, seed).into_iter().map(step).collect()
}
