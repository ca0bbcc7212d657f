//! The latent book: what people would trade at each price and do not show.
//!
//! Latent bids less latent asks form one density `φ(x)` over the distance `x` from the price outside. Its zero is
//! the price at which latent supply and demand meet. At rest `φ = −slope · x`: the linear book. A purchase removes
//! latent asks where it takes place, so `φ = u − slope · x`, where `u` is signed flow, spread by the diffusion of
//! people's opinions and forgotten with a long half-life. Balanced flow cancels; one-way flow has to go as far as the
//! square root of its volume, at any pace. No impact function is fitted.
//!
//! # Reference
//! Donier, Bonart, Mastromatteo & Bouchaud 2015 (arXiv:1412.0141), equations 7 and 10: `∂φ/∂t = D ∂²φ/∂x² − ν φ + flow`.

use serde::{Deserialize, Serialize};

use super::{BookConfig, LEVEL, narrow};

/// Levels in a cell.
const CELL: f64 = 2.0;
/// Cells on each side of the price outside: ±82 %.
const REACH: usize = 2_048;
/// Number of cells.
const CELLS: usize = 2 * REACH;
/// Diffusion number `D Δt / Δx²` of one pass; explicit diffusion is stable up to 1/2.
const PASS: f64 = 0.25;
const SECONDS_PER_YEAR: f64 = 31_557_600.0;

/// Signed flow that the latent book still remembers, and where that puts its price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Latent {
    /// Coins per cell; positive where purchases took asks away.
    excess: Vec<f32>,
    /// Cells outside `[from, to)` hold nothing.
    from: usize,
    to: usize,
    /// Coins that the resting book gains per cell of distance.
    slope: f64,
    /// Passes of diffusion due in a tick, and so far.
    rate: f64,
    due: f64,
    /// What is left of an imbalance after a pass.
    memory: f32,
    /// Where `φ` is zero, in levels from the price outside.
    zero: f64,
}

impl Latent {
    /// A book at rest around `price`, for ticks of `seconds`.
    pub(super) fn new(config: &BookConfig, price: f64, seconds: f64) -> Self {
        // Value within 1 % is slope·n²/2 over n cells.
        let cells = 0.01 / (LEVEL * CELL);
        let sigma = config.latent_volatility / SECONDS_PER_YEAR.sqrt() / (LEVEL * CELL);
        let rate = 0.5 * sigma * sigma * seconds / PASS;
        Self {
            excess: vec![0.0; CELLS],
            from: REACH,
            to: REACH,
            slope: 2.0 * config.latent_1pct / price / (cells * cells),
            rate,
            due: 0.0,
            memory: narrow(libm::exp2(-seconds / rate / config.latent_half_life)),
            zero: 0.0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.excess.capacity() * size_of::<f32>()
    }

    /// Where latent bids and asks meet, in levels from the price outside.
    pub(super) const fn zero(&self) -> f64 {
        self.zero
    }

    /// Books a purchase (positive) or sale of `coins` at `level`. Beyond the last cell it counts there.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "bounded to the cells first"
    )]
    pub(super) fn trade(&mut self, level: f64, coins: f32) {
        let cell = (level / CELL + REACH as f64).clamp(1.0, (CELLS - 2) as f64) as usize;
        if self.from == self.to {
            (self.from, self.to) = (cell, cell + 1);
        }
        self.from = self.from.min(cell);
        self.to = self.to.max(cell + 1);
        self.excess[cell] += coins;
    }

    /// Lets a tick pass: opinions diffuse, imbalances fade, and the price is found again with the resting book at
    /// `scale` of its size.
    pub(super) fn tick(&mut self, scale: f64) {
        self.due += self.rate;
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.diffuse();
        }
        self.settle(self.slope * scale);
    }

    fn diffuse(&mut self) {
        if self.from == self.to {
            return;
        }
        let (from, to) = ((self.from - 1).max(1), (self.to + 1).min(CELLS - 1));
        let (spread, memory) = (narrow(PASS), self.memory);
        // In place: what stood on the left is kept, what stands on the right has not been passed yet.
        let cells = &mut self.excess[from - 1..=to];
        let mut left = cells[0];
        for at in 1..cells.len() - 1 {
            let [here, right] = [cells[at], cells[at + 1]];
            cells[at] = memory * (here + spread * (left - 2.0 * here + right));
            left = here;
        }
        (self.from, self.to) = (from, to);
        self.trim();
    }

    /// Forgets what could not move the price by a thousandth of a cell.
    fn trim(&mut self) {
        let least = narrow(1e-3 * self.slope);
        while self.from < self.to && self.excess[self.from].abs() < least {
            self.excess[self.from] = 0.0;
            self.from += 1;
        }
        while self.from < self.to && self.excess[self.to - 1].abs() < least {
            self.to -= 1;
            self.excess[self.to] = 0.0;
        }
    }

    /// Walks from the last zero to the nearest one now; `φ` is linear between centres of cells.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "cells are a few thousand"
    )]
    fn settle(&mut self, slope: f64) {
        let last = REACH as i64 - 1;
        // The centre of cell `REACH + k` lies k + 1/2 cells from the price outside.
        let balance = |k: i64| f64::from(self.excess[(REACH as i64 + k) as usize]) - slope * (k as f64 + 0.5);
        let mut k = ((self.zero / CELL - 0.5).floor() as i64).clamp(-last, last - 1);
        let (mut low, mut high) = (balance(k), balance(k + 1));
        while low < 0.0 && k > -last {
            k -= 1;
            (low, high) = (balance(k), low);
        }
        while high > 0.0 && k < last - 1 {
            k += 1;
            (low, high) = (high, balance(k + 1));
        }
        let within = if low > high { (low / (low - high)).clamp(0.0, 1.0) } else { 0.5 };
        self.zero = CELL * (k as f64 + 0.5 + within);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latent() -> Latent {
        Latent::new(&BookConfig::default(), 50_000.0, 1.0)
    }

    #[test]
    fn at_rest_the_price_is_the_one_outside() {
        let mut latent = latent();
        latent.tick(1.0);
        assert!(latent.zero().abs() < 1e-9, "{}", latent.zero());
    }

    #[test]
    fn balanced_flow_cancels() {
        let mut latent = latent();
        for _ in 0..200 {
            latent.trade(0.0, 3.0);
            latent.trade(0.0, -3.0);
            latent.tick(1.0);
        }
        assert!(latent.zero().abs() < 1e-3, "{}", latent.zero());
    }

    #[test]
    fn an_imbalance_is_forgotten_and_the_price_comes_back() {
        let mut latent = latent();
        for _ in 0..100 {
            latent.trade(latent.zero(), -5.0);
            latent.tick(1.0);
        }
        let low = latent.zero();
        assert!(low < -15.0, "{low}");
        for _ in 0..16 * 3_600 {
            latent.tick(1.0);
        }
        assert!(latent.zero() > 0.1 * low, "{} after {low}", latent.zero());
    }

    #[test]
    fn a_thinner_book_is_moved_further() {
        let moved = |scale: f64| {
            let mut latent = latent();
            for _ in 0..60 {
                latent.trade(latent.zero(), 4.0);
                latent.tick(scale);
            }
            latent.zero()
        };
        assert!(moved(0.3) > 1.5 * moved(1.0));
    }
}
