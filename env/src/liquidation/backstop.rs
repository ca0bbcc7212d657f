//! Slot 7: what stands behind an account that cannot pay.
//!
//! A gate on withdrawals (dYdX: 50 blocks after a negative account) is not here: it belongs to a scenario's `[withdrawals]`.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// What stands behind an account that cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Backstop {
    /// The fund pays deficits after the market has closed the position, and takes no position itself.
    PayOnly,
    /// As `pay_only`, within limits.
    Fund(Limits),
    /// The fund takes positions over at bankruptcy and unwinds them, up to an inventory limit.
    TakeOver {
        /// Share of maintenance below which it does; zero is bankruptcy, one is as soon as liquidation begins. What is
        /// left of the account's equity is the fund's.
        below: f64,
        /// Largest inventory, as a multiple of the fund's equity.
        max_leverage: f64,
        /// How it leaves its inventory.
        unwind: Unwind,
        /// Limits of what it pays. Default none.
        #[serde(default)]
        limits: Limits,
    },
    /// A vault of its own takes over, with a share of the fund's money; the rest of the fund only pays (Hyperliquid).
    Vault {
        /// Share of the fund's money at reset that the vault holds. One pools everything.
        share: f64,
        /// Share of maintenance below which it takes over (Hyperliquid: two thirds).
        below: f64,
        /// Largest inventory, as a multiple of the vault's equity.
        max_leverage: f64,
        /// How it leaves its inventory.
        unwind: Unwind,
        /// Limits of what it loses.
        #[serde(default)]
        limits: Limits,
    },
}

/// Limits of what a backstop pays. The default is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Dollars for one account. At least 0; default unlimited (dYdX: 1,000,000).
    pub per_account: f64,
    /// Dollars altogether. At least 0; default unlimited (Drift by contract tier: 100 M, 1 M, 100,000, nothing).
    pub total: f64,
    /// Share of the money at reset that it never touches. In [0, 1]; default 0.
    pub floor: f64,
    /// Fall below the highest equity within `window` at which it stops paying. In (0, 1]; default 1 (Bybit: 0.3).
    pub drawdown: f64,
    /// Seconds of that window. In [8, 604800]; default eight hours.
    pub window: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_account: f64::INFINITY, total: f64::INFINITY, floor: 0.0, drawdown: 1.0, window: 28_800.0 }
    }
}

impl Limits {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.per_account.is_infinite() && self.total.is_infinite() && self.floor <= 0.0 && self.drawdown >= 1.0
    }

    /// Dollars that may still go to one account, of an equity, given what it was at reset, its recent peak and what has
    /// been paid.
    #[must_use]
    pub fn available(&self, equity: f64, at_reset: f64, peak: f64, paid: f64) -> f64 {
        if self.drawdown < 1.0 && peak - equity >= self.drawdown * peak {
            return 0.0;
        }
        (equity - self.floor * at_reset).min(self.total - paid).min(self.per_account).max(0.0)
    }

    fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, value) in [("per_account", self.per_account), ("total", self.total)] {
            problems.require(value >= 0.0, format!("{path}.{name}"), value, "at least 0");
        }
        problems.range(format!("{path}.floor"), self.floor, 0.0, 1.0);
        problems.range(format!("{path}.drawdown"), self.drawdown, 1e-3, 1.0);
        problems.range(format!("{path}.window"), self.window, 8.0, 604_800.0);
    }
}

/// How a backstop leaves its inventory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Unwind {
    /// On the book, this share of the depth within 1 % per minute.
    Pace(f64),
    /// On the book, in slices (Vega).
    Disposal(Disposal),
    /// To keepers at a discount to mark (Compound's storefront).
    Storefront {
        /// Basis points.
        discount_bp: f64,
    },
}

/// Vega's disposal of the network's position.
///
/// # Reference
/// Vega specifications, `0012-POSR`, "Liquidation strategy", and its acceptance test POSR-013.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposal {
    /// Seconds between slices.
    pub seconds: f64,
    /// Share of the position in a slice.
    pub fraction: f64,
    /// Position at or below which all of it goes, in coins.
    pub full_below: f64,
    /// Largest share of the other side of the book within `distance_bp`.
    pub book_share: f64,
    /// Distance from mid, in basis points: also the worst price.
    pub distance_bp: f64,
}

impl Disposal {
    /// Coins to sell of `position`, when the book takes `book` within the distance.
    #[must_use]
    pub fn slice(&self, position: f64, book: f64) -> f64 {
        let wanted = if position <= self.full_below { position } else { position * self.fraction };
        wanted.min(book * self.book_share)
    }
}

impl Unwind {
    fn validate(self, path: &str, problems: &mut Problems) {
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            problems.range(format!("{path}.{name}"), value, low, high);
        };
        match self {
            Self::Pace(share) => range("pace", share, 1e-4, 1e3),
            Self::Disposal(disposal) => {
                range("disposal.seconds", disposal.seconds, 0.0, 86_400.0);
                range("disposal.fraction", disposal.fraction, 1e-4, 1.0);
                range("disposal.full_below", disposal.full_below, 0.0, 1e10);
                range("disposal.book_share", disposal.book_share, 1e-4, 1.0);
                range("disposal.distance_bp", disposal.distance_bp, 1.0, 100_000.0);
            }
            Self::Storefront { discount_bp } => range("storefront.discount_bp", discount_bp, 0.0, 2_000.0),
        }
    }
}

impl Backstop {
    /// Limits of what it pays.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match *self {
            Self::PayOnly => Limits::default(),
            Self::Fund(limits) | Self::TakeOver { limits, .. } | Self::Vault { limits, .. } => limits,
        }
    }

    /// Share of maintenance below which it takes positions over, and its largest leverage, if it takes any.
    #[inline]
    #[must_use]
    pub const fn takes_over(&self) -> Option<(f64, f64)> {
        match *self {
            Self::TakeOver { below, max_leverage, .. } | Self::Vault { below, max_leverage, .. } => {
                Some((below, max_leverage))
            }
            Self::PayOnly | Self::Fund(_) => None,
        }
    }

    /// How it leaves its inventory, if it takes any.
    #[inline]
    #[must_use]
    pub const fn unwind(&self) -> Option<Unwind> {
        match *self {
            Self::TakeOver { unwind, .. } | Self::Vault { unwind, .. } => Some(unwind),
            Self::PayOnly | Self::Fund(_) => None,
        }
    }

    /// Share of the fund's money that a vault holds.
    #[must_use]
    pub const fn vault_share(&self) -> Option<f64> {
        match *self {
            Self::Vault { share, .. } => Some(share),
            Self::PayOnly | Self::Fund(_) | Self::TakeOver { .. } => None,
        }
    }

    pub(super) fn validate(&self, path: &str, problems: &mut Problems) {
        match *self {
            Self::PayOnly => {}
            Self::Fund(limits) => limits.validate(&format!("{path}.fund"), problems),
            Self::TakeOver { below, max_leverage, unwind, limits } => {
                takeover(&format!("{path}.take_over"), below, max_leverage, unwind, &limits, problems);
            }
            Self::Vault { share, below, max_leverage, unwind, limits } => {
                problems.range(format!("{path}.vault.share"), share, 0.0, 1.0);
                takeover(&format!("{path}.vault"), below, max_leverage, unwind, &limits, problems);
            }
        }
    }
}

fn takeover(path: &str, below: f64, max_leverage: f64, unwind: Unwind, limits: &Limits, problems: &mut Problems) {
    problems.range(format!("{path}.below"), below, 0.0, 1.0);
    problems.range(format!("{path}.max_leverage"), max_leverage, 0.0, 100.0);
    unwind.validate(&format!("{path}.unwind"), problems);
    limits.validate(&format!("{path}.limits"), problems);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vega_sells_two_hundred_and_eighty_lots_as_its_specification_says() {
        // POSR-013: half of the position per slice, at most 1 % of a book of 10,000, everything from 50 lots down:
        // 100, 90, 45, 45. What each slice took is gone from the book.
        let disposal =
            Disposal { seconds: 10.0, fraction: 0.5, full_below: 50.0, book_share: 0.01, distance_bp: 1_000.0 };
        let (mut position, mut book, mut slices) = (280.0, 10_000.0, Vec::new());
        while position > 0.0 {
            let slice = disposal.slice(position, book);
            position -= slice;
            book -= slice;
            slices.push(slice);
        }
        for (slice, expected) in slices.iter().zip([100.0, 90.0, 45.0, 45.0]) {
            assert!((slice - expected).abs() < 1e-9, "{slices:?}");
        }
        assert_eq!(slices.len(), 4);
    }

    #[test]
    fn limits_bind_in_every_way_that_venues_have_them() {
        let none = Limits::default();
        assert!(none.is_none() && (none.available(50.0, 100.0, 100.0, 1e9) - 50.0).abs() < 1e-12);
        for (limits, expected) in [
            (Limits { per_account: 10.0, ..none }, 10.0),
            (Limits { total: 45.0, ..none }, 15.0),
            (Limits { floor: 0.3, ..none }, 20.0),
            (Limits { floor: 0.6, ..none }, 0.0),
            (Limits { drawdown: 0.5, ..none }, 0.0),
            (Limits { drawdown: 0.51, ..none }, 50.0),
        ] {
            let available = limits.available(50.0, 100.0, 100.0, 30.0);
            assert!((available - expected).abs() < 1e-12, "{limits:?}: {available}");
        }
    }
}
