//! What a predictor learns from.

/// Rows of inputs with what came of them.
///
/// # Shapes
/// Row-major; `N` examples of `D` inputs over `H` horizons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// Inputs of a row, `D`.
    pub width: usize,
    /// Horizons, `H`.
    pub horizons: usize,
    /// What was known, `[N, D]`.
    pub input: Vec<f32>,
    /// Realised variance, `[N, H]`; not negative.
    pub variance: Vec<f64>,
    /// Furthest excursion of the log price downward and upward, `[N, H, 2]`; not negative.
    pub excursion: Vec<f64>,
}

impl Examples {
    /// Number of examples.
    ///
    /// # Panics
    /// If the lengths disagree, or there are no inputs or horizons.
    #[must_use]
    pub fn len(&self) -> usize {
        assert!(self.width > 0 && self.horizons > 0, "examples have inputs and horizons");
        let rows = self.input.len() / self.width;
        assert_eq!(self.input.len(), rows * self.width, "whole rows of inputs");
        assert_eq!(self.variance.len(), rows * self.horizons, "a variance for each horizon");
        assert_eq!(self.excursion.len(), rows * self.horizons * 2, "two excursions for each horizon");
        rows
    }

    /// Whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    /// Inputs of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.input[row * self.width..(row + 1) * self.width]
    }

    /// What came of a row: variances `[H]` and excursions `[H, 2]`.
    #[must_use]
    pub fn outcome(&self, row: usize) -> (&[f64], &[f64]) {
        let h = self.horizons;
        (&self.variance[row * h..(row + 1) * h], &self.excursion[2 * row * h..2 * (row + 1) * h])
    }
}
