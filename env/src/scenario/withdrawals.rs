//! Money that traders take out, and when the venue stops them. Nobody does where a scenario does not name it.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Withdrawals of what an account does not need as margin.
///
/// Whoever withdraws keeps at least initial margin and a share of notional. A gate stops everybody for a while after a
/// deficit has shown: dYdX v4 gates withdrawals for 50 blocks after it has seen an account of negative value, so that
/// money does not leave before losses are allocated.
///
/// # Reference
/// dYdX v4 chain, `x/subaccounts` (`WITHDRAWAL_AND_TRANSFERS_BLOCKED_AFTER_NEGATIVE_TNC_SUBACCOUNT_SEEN_BLOCKS` = 50);
/// Hyperliquid docs, "Margining" (transfers leave `max(initial margin, 10 % of notional)`, since March 2025).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WithdrawalConfig {
    /// Withdrawals per trader and hour in calm. In [0, 60]. Default 0.02, a choice.
    pub rate: f64,
    /// Growth of the rate per unit of one-minute volatility above its long-run level: a run. In [0, 100].
    pub panic: f64,
    /// Part of what it may take out that a trader takes. In [0, 1].
    pub share: f64,
    /// Least equity that stays, over notional. In [0, 1]. Default 0.10 (Hyperliquid).
    pub notional_floor: f64,
    /// Seconds that the gate stays shut after a deficit has shown; 0 is no gate. In [0, 86400]. Default 0; dYdX's 50
    /// blocks are about 55 seconds.
    pub gate_seconds: f64,
}

impl Default for WithdrawalConfig {
    fn default() -> Self {
        Self { rate: 0.02, panic: 2.0, share: 0.5, notional_floor: 0.10, gate_seconds: 0.0 }
    }
}

impl WithdrawalConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("rate", self.rate, 0.0, 60.0),
            ("panic", self.panic, 0.0, 100.0),
            ("share", self.share, 0.0, 1.0),
            ("notional_floor", self.notional_floor, 0.0, 1.0),
            ("gate_seconds", self.gate_seconds, 0.0, 86_400.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }
}
