//! Arbitrageurs: they tie the home price to the outside one with limited inventory; when they are full, bases open.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Parameters of the arbitrageurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArbitrageConfig {
    /// Number of arbitrageurs. In [1, 64].
    pub count: u32,
    /// Largest position of each, over reference open interest. In [0, 1].
    pub capacity: f64,
    /// Gap at which they trade, in basis points, beyond the half spread. In [0, 500]; 2–10 bp reported.
    pub band_bp: f64,
    /// Share of the gap's depth that one takes in a tick. In [0.01, 1].
    pub aggression: f64,
    /// Time over which an idle position is carried back, in seconds. In [10, 1e6].
    pub unwind: f64,
    /// Ticks between two looks of one arbitrageur. In [1, 3600].
    pub latency: u32,
}

impl Default for ArbitrageConfig {
    fn default() -> Self {
        Self { count: 4, capacity: 0.02, band_bp: 5.0, aggression: 0.5, unwind: 3_600.0, latency: 4 }
    }
}

impl ArbitrageConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("count", f64::from(self.count), 1.0, 64.0),
            ("capacity", self.capacity, 0.0, 1.0),
            ("band_bp", self.band_bp, 0.0, 500.0),
            ("aggression", self.aggression, 0.01, 1.0),
            ("unwind", self.unwind, 10.0, 1e6),
            ("latency", f64::from(self.latency), 1.0, 3_600.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }

    /// Gap beyond which they trade on a book of this half spread, as a fraction.
    #[must_use]
    pub fn band(&self, half_spread: f64) -> f64 {
        half_spread + self.band_bp * 1e-4
    }

    /// Signed dollars that an arbitrageur with `position` dollars trades when home stands `gap` above outside.
    ///
    /// `depth` is the value on the book within the gap, asked only beyond the band; `seconds` the time since its last look.
    #[must_use]
    pub fn order(&self, gap: f64, half_spread: f64, depth: f64, position: f64, limit: f64, seconds: f64) -> f64 {
        if gap.abs() > self.band(half_spread) {
            let room = if gap > 0.0 { limit + position } else { limit - position };
            return -gap.signum() * (self.aggression * depth).min(room.max(0.0));
        }
        // Inside the band a position goes back a little at a time.
        -position * (seconds / self.unwind).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_sell_the_dear_venue_until_they_are_full() {
        let config = ArbitrageConfig::default();
        assert!((config.order(0.002, 1e-4, 1e6, 0.0, 4e6, 4.0) + 5e5).abs() < 1e-6);
        assert!((config.order(0.002, 1e-4, 1e6, -3.9e6, 4e6, 4.0) + 1e5).abs() < 1e-6);
        assert!(config.order(0.002, 1e-4, 1e6, -4e6, 4e6, 4.0).abs() < 1e-6);
        assert!(config.order(-0.002, 1e-4, 1e6, 0.0, 4e6, 4.0) > 0.0);
    }
}
