//! Slot 1: when an account enters liquidation.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// When an account enters liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// Never: the counterfactual against which amplification is measured.
    Off,
    /// Equity below maintenance margin.
    Maintenance,
    /// Equity below `z` ten-minute standard deviations of the position, if that comes before maintenance: the
    /// hazard P(E < 0 within ten minutes) above Φ(−z) under EWMA volatility.
    Hazard {
        /// Standard deviations.
        z: f64,
    },
    /// Equity below a share of the position that somebody else predicts, if that comes before maintenance.
    Preemptive {
        /// Basis points of notional.
        bp: Dial,
    },
    /// Equity below maintenance, but nothing is liquidated while the mark price cannot be trusted.
    Guarded(Guard),
}

/// Bounds within which a mark price is trusted.
///
/// # Reference
/// Drift protocol-v2, `state/state.rs` and `math/oracle.rs`: 10 % divergence, 120 slots of 0.4 s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Largest distance of mark from oracle, as a fraction of the oracle's price. In [1e-4, 1].
    pub divergence: f64,
    /// Greatest age of the oracle's price, in seconds. In [0.2, 86400].
    pub staleness: f64,
}

impl Guard {
    /// Whether a mark price can be trusted.
    #[inline]
    #[must_use]
    pub fn passes(&self, mark: f64, oracle: f64, age: f64) -> bool {
        (mark / oracle - 1.0).abs() <= self.divergence && age <= self.staleness
    }
}

impl Trigger {
    /// Bounds of the price, where the slot has any.
    #[must_use]
    pub const fn guard(self) -> Option<Guard> {
        match self {
            Self::Guarded(guard) => Some(guard),
            Self::Off | Self::Maintenance | Self::Hazard { .. } | Self::Preemptive { .. } => None,
        }
    }

    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        match self {
            Self::Off | Self::Maintenance => {}
            Self::Hazard { z } => {
                problems.range(format!("{path}.hazard.z"), z, 0.0, 10.0);
            }
            Self::Preemptive { bp } => bp.validate(format!("{path}.preemptive.bp"), 0.0, 2_000.0, problems),
            Self::Guarded(guard) => {
                problems.range(format!("{path}.guarded.divergence"), guard.divergence, 1e-4, 1.0);
                problems.range(format!("{path}.guarded.staleness"), guard.staleness, 0.2, 86_400.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_blocks_beyond_ten_percent_or_a_hundred_and_twenty_slots() {
        let guard = Guard { divergence: 0.10, staleness: 120.0 * 0.4 };
        assert!(guard.passes(109.0, 100.0, 48.0) && guard.passes(91.0, 100.0, 0.0));
        assert!(!guard.passes(111.0, 100.0, 0.0) && !guard.passes(89.0, 100.0, 0.0));
        assert!(!guard.passes(100.0, 100.0, 48.4));
    }
}
