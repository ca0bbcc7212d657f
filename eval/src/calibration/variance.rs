//! Realised variance of blocks of returns, with and without jumps: the runtime's, so that what forecasts are calibrated on
//! and what engines compute is one arithmetic.

pub use seawall_runtime::bars::{bipower, realised};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::normals;

    #[test]
    fn a_jump_is_in_one_and_not_in_the_other() {
        let mut returns = normals(10_000, 7);
        returns[5_000] += 100.0;
        // Unit variance; the jump adds 10,000 to the one, and its two products 2·100·0.8/0.64 to the other.
        assert!((realised(&returns) / 10_000.0 - 2.0).abs() < 0.1, "{}", realised(&returns));
        assert!((bipower(&returns) / 10_000.0 - 1.0).abs() < 0.1, "{}", bipower(&returns));
    }
}
