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
