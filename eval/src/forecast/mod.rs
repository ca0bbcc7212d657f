//! Forecasts of volatility and of ruin from bars alone: what is known at a moment, what came of it, who says what about it
//! beforehand, and whose word is worth more.
//!
//! A [`Set`] holds moments with their [`feature`]s and outcomes ([`target`]); a [`rival`] is a textbook forecaster, with the
//! probability of a barrier's crossing by [`barrier`]; [`score`] holds the losses, [`judge`] compares forecasters over days.
//!
//! Not here: the trained network, which is one more column of [`Forecast`]s to this module, and files.

pub mod barrier;
pub mod feature;
pub mod history;
pub mod judge;
pub mod rival;
pub mod score;
pub mod set;
pub mod target;

pub use history::{BAR_MS, History, coarsened};
pub use seawall_runtime::predictor::{BUCKETS, HORIZONS, LEVERAGES, distances};
pub use set::{Example, Frame, Set};

/// What one forecaster says at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Variance of the log return over each horizon.
    pub variance: [f64; HORIZONS.len()],
    /// Probability that an account of each bucket, opened now, is bankrupt within each horizon.
    pub ruin: [[f64; BUCKETS]; HORIZONS.len()],
}

/// What a forecaster says of every example of a set, under its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name in tables.
    pub name: String,
    /// One for each example.
    pub forecasts: Vec<Forecast>,
}

/// Name of a bucket: side and leverage.
#[must_use]
pub fn bucket_name(bucket: usize) -> String {
    let side = if bucket < LEVERAGES.len() { "long" } else { "short" };
    format!("{side} {}x", LEVERAGES[bucket % LEVERAGES.len()])
}

/// Side of a bucket as an index: zero for longs, who fear a fall, one for shorts.
#[must_use]
pub const fn side(bucket: usize) -> usize {
    bucket / LEVERAGES.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_gone_where_its_equity_is_zero() {
        for (bucket, distance) in distances().into_iter().enumerate() {
            let leverage = f64::from(LEVERAGES[bucket % LEVERAGES.len()]);
            let sign = if side(bucket) == 0 { -1.0 } else { 1.0 };
            // Margin 100 / L, a coin bought or sold at 100, the price moved by the distance.
            let price = 100.0 * libm::exp(sign * distance);
            let equity = 100.0 / leverage - sign * (price - 100.0);
            assert!(equity.abs() < 1e-12, "{}: {equity}", bucket_name(bucket));
        }
        assert_eq!((bucket_name(0), bucket_name(7)), ("long 10x".to_owned(), "short 100x".to_owned()));
    }
}
