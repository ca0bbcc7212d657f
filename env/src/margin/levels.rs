//! The levels of margin and their order.

use serde::{Deserialize, Serialize};

use super::{Adjustment, MarginSchedule, Position};
use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

/// Dollars at which something happens to one account, from safe to ruined (M3):
/// initial ≥ liquidation end ≥ maintenance ≥ backstop ≥ bankruptcy, the last being nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Needed to open or to grow a position, and to withdraw.
    pub initial: Usd,
    /// Where a liquidation in parts stops: maintenance with its buffer.
    pub liquidation_end: Usd,
    /// Below it, liquidation.
    pub maintenance: Usd,
    /// Below it, the backstop takes over.
    pub backstop: Usd,
}

/// Between which levels an account is. Later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Zone {
    /// May open more.
    Free,
    /// May reduce and add collateral, not open.
    Committed,
    /// Above maintenance by less than the buffer: margin call, and where a running liquidation goes on.
    Called,
    /// Below maintenance.
    Liquidatable,
    /// Below the backstop's level.
    Backstop,
    /// Equity below nothing.
    Bankrupt,
}

impl Levels {
    /// Where an equity stands. An account exactly at a level still meets it.
    #[must_use]
    pub fn zone(&self, equity: Usd) -> Zone {
        if equity >= self.initial {
            Zone::Free
        } else if equity >= self.liquidation_end {
            Zone::Committed
        } else if equity >= self.maintenance {
            Zone::Called
        } else if equity >= self.backstop {
            Zone::Liquidatable
        } else if !equity.is_negative() {
            Zone::Backstop
        } else {
            Zone::Bankrupt
        }
    }
}

impl Position {
    /// Unsigned value, rounded up: what margin is asked on.
    #[must_use]
    pub fn notional(&self, price: Price) -> Usd {
        Usd::from_raw(mul_div(self.qty.abs().raw(), price.raw(), Qty::SCALE, Rounding::Ceil))
    }
}

impl MarginSchedule {
    /// All levels of a position, each rounded up.
    ///
    /// Initial margin is at least the liquidation end whatever the multipliers are, so that M3 holds under every
    /// action: nobody may open where liquidation would not have stopped.
    #[must_use]
    pub fn levels(&self, position: &Position, price: Price, open_interest: Usd, adjustment: Adjustment) -> Levels {
        let notional = position.notional(price);
        let maintenance = self.maintenance(notional, adjustment);
        let liquidation_end = maintenance + maintenance.share_ceil(self.buffer);
        let rate = self.initial_rate(position.qty, notional, open_interest, adjustment);
        Levels {
            initial: notional.share_ceil(rate).max(liquidation_end),
            liquidation_end,
            maintenance,
            backstop: maintenance.share_ceil(self.backstop_share),
        }
    }

    /// Maintenance times one plus the buffer, as a rate: the line of margin calls, for [`super::threshold`].
    ///
    /// Exact on rows without deduction; on others it warns a little early, by the buffer times the deduction.
    ///
    /// # Panics
    /// If there is no such line.
    #[must_use]
    pub fn call_rate(&self, line: usize, adjustment: Adjustment) -> Rate {
        let rate = self.rate(line, adjustment);
        rate + Rate::from_raw(mul_div(rate.raw(), self.buffer.raw(), Rate::SCALE, Rounding::Ceil))
    }
}
