//! What an account holds. Borrowed from the caller, who keeps it as suits him.

use serde::{Deserialize, Serialize};

use crate::margin::Position;
use crate::margin::options::OptionKind;
use crate::units::{Price, Qty};

/// A listed European option, cash-settled in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionSeries {
    /// Number of the underlying asset.
    pub asset: usize,
    /// Right to buy or to sell.
    pub kind: OptionKind,
    /// Exercise price.
    pub strike: Price,
    /// When it expires, in seconds of the market's clock.
    pub expiry_seconds: u64,
}

impl OptionSeries {
    /// Days left at a time of the market's clock; none after expiry.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 seconds are far")]
    pub fn days(&self, now_seconds: u64) -> f64 {
        self.expiry_seconds.saturating_sub(now_seconds) as f64 / 86_400.0
    }

    /// Years of 365 days left, as a surface and Black's formula count them.
    #[must_use]
    pub fn years(&self, now_seconds: u64) -> f64 {
        self.days(now_seconds) / 365.0
    }

    /// Log-moneyness at a forward price, as a surface counts it.
    ///
    /// # Panics
    /// If either price is not positive.
    #[must_use]
    pub fn log_moneyness(&self, forward: Price) -> f64 {
        assert!(self.strike > Price::ZERO && forward > Price::ZERO, "strike {} at {forward}", self.strike);
        libm::log(self.strike.as_f64() / forward.as_f64())
    }
}

/// A position in the perpetual of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Perp {
    /// Number of the asset.
    pub asset: usize,
    /// Size and cash.
    pub position: Position,
}

/// A position in one option series. Its premium is in the account's cash, so it is worth its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionHolding {
    /// Number of the series in the risk table.
    pub series: usize,
    /// Signed coins of underlying; negative is written.
    pub qty: Qty,
}

/// One account. Dollars are the cash of a perpetual position, or a collateral with price one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account<'a> {
    /// Perpetuals. Several of one asset count as one position.
    pub perps: &'a [Perp],
    /// Options, one holding per series: of two, floors and contingencies would see both and not their sum.
    pub options: &'a [OptionHolding],
    /// Balances, one per kind of collateral in the venue's order; what is missing at the end is nothing.
    pub collateral: &'a [Qty],
}
