//! A quantile of a stream of numbers, in constant memory.

use serde::{Deserialize, Serialize};

/// Five markers that move along the sorted sample by parabolas: the minimum, the quantile, the maximum, and the middles.
///
/// # Reference
/// Jain & Chlamtac 1985, "The P² algorithm for dynamic calculation of quantiles and histograms without storing
/// observations", Communications of the ACM 28 (10).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunningQuantile {
    level: f64,
    count: u64,
    height: [f64; 5],
    position: [f64; 5],
}

impl RunningQuantile {
    /// At `level`, between 0 and 1, of no numbers yet.
    pub(crate) const fn new(level: f64) -> Self {
        Self { level, count: 0, height: [0.0; 5], position: [1.0, 2.0, 3.0, 4.0, 5.0] }
    }

    /// Takes a number in.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2⁵³")]
    pub(crate) fn observe(&mut self, value: f64) {
        if self.count < 5 {
            self.height[usize::try_from(self.count).expect("below five")] = value;
            self.count += 1;
            if self.count == 5 {
                self.height.sort_by(f64::total_cmp);
            }
            return;
        }
        self.count += 1;
        self.height[0] = self.height[0].min(value);
        self.height[4] = self.height[4].max(value);
        // The cell that the number falls into; the markers above it move up by one place.
        let cell = (1..4).find(|&i| value < self.height[i]).unwrap_or(4);
        for position in &mut self.position[cell..] {
            *position += 1.0;
        }
        let last = (self.count - 1) as f64;
        // Where the three inner markers belong.
        let shares = [self.level / 2.0, self.level, f64::midpoint(self.level, 1.0)];
        for (i, share) in (1..).zip(shares) {
            let gap = 1.0 + share * last - self.position[i];
            let (below, above) = (self.position[i - 1] - self.position[i], self.position[i + 1] - self.position[i]);
            if (gap >= 1.0 && above > 1.0) || (gap <= -1.0 && below < -1.0) {
                self.shift(i, gap.signum());
            }
        }
    }

    /// Moves marker `i` by one place.
    fn shift(&mut self, i: usize, by: f64) {
        let (q, n) = (&self.height, &self.position);
        let slope = |from: usize, to: usize| (q[to] - q[from]) / (n[to] - n[from]);
        let span = n[i + 1] - n[i - 1];
        let up = (n[i] - n[i - 1] + by) * slope(i, i + 1);
        let down = (n[i + 1] - n[i] - by) * slope(i - 1, i);
        let parabola = q[i] + by / span * (up + down);
        let height = if q[i - 1] < parabola && parabola < q[i + 1] {
            parabola
        } else {
            q[i] + by * slope(i, if by > 0.0 { i + 1 } else { i - 1 })
        };
        self.height[i] = height;
        self.position[i] += by;
    }

    /// The quantile so far; of fewer than five numbers the one at its place, and zero of none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index below five"
    )]
    pub(crate) fn value(&self) -> f64 {
        if self.count >= 5 {
            return self.height[2];
        }
        let seen = usize::try_from(self.count).expect("below five");
        let mut sorted = self.height;
        sorted[..seen].sort_by(f64::total_cmp);
        let place = (self.level * seen.saturating_sub(1) as f64).round();
        sorted[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use seawall_env::rng::{normal_quantile, open_unit};
    use seawall_env::{Purpose, SeedTree};

    use super::*;

    #[test]
    fn quantiles_of_a_gaussian_stream() {
        use rand_chacha::rand_core::Rng;
        for level in [0.25, 0.5, 0.75, 0.95] {
            let mut rng = SeedTree::new(1).stream(Purpose::Exploration, 0);
            let mut quantile = RunningQuantile::new(level);
            for _ in 0..20_000 {
                quantile.observe(normal_quantile(open_unit(rng.next_u64())));
            }
            let expected = normal_quantile(level);
            assert!((quantile.value() - expected).abs() < 0.04, "{level}: {} for {expected}", quantile.value());
        }
    }

    #[test]
    fn few_numbers_are_sorted() {
        let mut quantile = RunningQuantile::new(0.5);
        assert!(quantile.value().abs() < 1e-12);
        for value in [7.0, -1.0, 3.0] {
            quantile.observe(value);
        }
        assert!((quantile.value() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn equal_numbers_have_that_quantile() {
        let mut quantile = RunningQuantile::new(0.75);
        for _ in 0..100 {
            quantile.observe(2.0);
        }
        assert!((quantile.value() - 2.0).abs() < 1e-12);
    }
}
