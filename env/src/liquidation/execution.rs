//! Slot 3: who takes the other side.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// Who takes the other side of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Execution {
    /// Market orders on the home book.
    Book,
    /// Keepers take over at a discount while they will, the book gets the rest.
    KeepersThenBook,
    /// Keepers alone: what they do not want waits (lending markets).
    Keepers,
    /// An immediate order at the limit price; the backstop takes the account over with what does not fill.
    ImmediateThenFund {
        /// Whether a slice that does not fill at once as a whole is not filled at all (fill or kill).
        all_or_none: bool,
    },
    /// The insurance fund takes a share at mark and unwinds it later; keepers and the book get the rest.
    Internalised {
        /// The fund's share of each slice.
        share: Dial,
    },
    /// The pool of all makers takes it at mark: liquidity providers who are everybody's counterparty (GMX, Synthetix).
    Pool,
    /// Every position of the other side is scaled down at mark, in proportion to its size (Percolator's A).
    OpposingSide,
    /// Market orders on the books of all open venues of an economy, so that the last coin costs the same on each after costs
    /// and nobody is paid worse than the limit. Arbitrageurs trade abroad for the account and take its position over at
    /// home, as far as their money goes. A market by itself is its own only venue: there it is `book`, to the bit.
    Routed {
        /// What an arbitrageur asks beyond its own fees for a trade abroad, in basis points. In [0, 100].
        cost_bp: f64,
    },
    /// Keepers bid against a price that falls until somebody takes it (Maker). The whole slice is one lot.
    DutchAuction(Auction),
    /// Makers are asked first, at a price that moves away from mark; the book gets what is left at the end (Drift).
    JitAuction {
        /// Seconds that makers are asked for.
        seconds: f64,
        /// Distance from mark at which it starts, in basis points.
        start_bp: f64,
        /// Distance from mark at which it ends, in basis points.
        end_bp: f64,
    },
}

/// A price that falls by a factor at every step.
///
/// # Reference
/// `MakerDAO` dss, `clip.sol` and `abaci.sol` (`StairstepExponentialDecrease`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auction {
    /// Starting price over mark (`buf`). In [1, 2].
    pub start: f64,
    /// Factor per step (`cut`). In [0.5, 0.9999].
    pub cut: f64,
    /// Seconds in a step. In [0.2, 3600].
    pub step: f64,
    /// Share of the starting price below which the auction starts again (`cusp`). In [0.01, 1].
    pub floor: f64,
    /// Seconds after which it starts again (`tail`). In [1, 86400].
    pub tail: f64,
}

impl Auction {
    /// Price over starting price after `seconds`: `cut^⌊t/step⌋`.
    #[must_use]
    pub fn factor(&self, seconds: f64) -> f64 {
        libm::pow(self.cut, libm::floor(seconds / self.step))
    }

    /// Whether the auction has to start again.
    #[must_use]
    pub fn is_over(&self, seconds: f64) -> bool {
        seconds > self.tail || self.factor(seconds) < self.floor
    }
}

/// Who takes the other side, every number set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Route {
    /// The fund's share, then keepers if they may, then the book.
    Book {
        /// Whether keepers may take over.
        keepers: bool,
        /// Fund's share of each slice.
        internalised: f64,
    },
    /// An immediate order, then the backstop.
    Immediate {
        /// Fill or kill.
        all_or_none: bool,
    },
    /// Keepers alone.
    Keepers,
    /// The pool of makers, at mark.
    Pool,
    /// Everybody on the other side, at mark.
    OpposingSide,
    /// Keepers at a falling price.
    Dutch(Auction),
    /// Makers, then the book.
    Jit {
        /// Seconds that makers are asked for.
        seconds: f64,
        /// First distance from mark, as a fraction.
        start: f64,
        /// Last distance from mark, as a fraction.
        end: f64,
    },
    /// The books of all open venues.
    Routed {
        /// What a trade abroad costs beyond fees, as a fraction.
        cost: f64,
    },
}

impl Route {
    /// Whether the book is a last resort: what a venue without a book cannot place waits.
    #[must_use]
    pub const fn has_book(&self) -> bool {
        matches!(self, Self::Book { .. } | Self::Immediate { .. } | Self::Jit { .. } | Self::Routed { .. })
    }
}

impl Execution {
    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        let mut range = |name: &str, value: f64, low: f64, high: f64| {
            problems.range(format!("{path}.{name}"), value, low, high);
        };
        match self {
            Self::Internalised { share } => {
                share.validate(format!("{path}.internalised.share"), 0.0, 1.0, problems);
            }
            Self::DutchAuction(Auction { start, cut, step, floor, tail }) => {
                range("dutch_auction.start", start, 1.0, 2.0);
                range("dutch_auction.cut", cut, 0.5, 0.999_9);
                range("dutch_auction.step", step, 0.2, 3_600.0);
                range("dutch_auction.floor", floor, 0.01, 1.0);
                range("dutch_auction.tail", tail, 1.0, 86_400.0);
            }
            Self::JitAuction { seconds, start_bp, end_bp } => {
                range("jit_auction.seconds", seconds, 0.2, 3_600.0);
                range("jit_auction.start_bp", start_bp, 0.0, 2_000.0);
                range("jit_auction.end_bp", end_bp, start_bp, 2_000.0);
            }
            Self::Routed { cost_bp } => range("routed.cost_bp", cost_bp, 0.0, 100.0),
            Self::Book
            | Self::KeepersThenBook
            | Self::Keepers
            | Self::ImmediateThenFund { .. }
            | Self::Pool
            | Self::OpposingSide => {}
        }
    }

    pub(super) fn resolve(self, internalised_share: f64) -> Route {
        match self {
            Self::Book => Route::Book { keepers: false, internalised: 0.0 },
            Self::KeepersThenBook => Route::Book { keepers: true, internalised: 0.0 },
            Self::Internalised { share } => {
                Route::Book { keepers: true, internalised: share.resolve(internalised_share) }
            }
            Self::Keepers => Route::Keepers,
            Self::ImmediateThenFund { all_or_none } => Route::Immediate { all_or_none },
            Self::Pool => Route::Pool,
            Self::OpposingSide => Route::OpposingSide,
            Self::Routed { cost_bp } => Route::Routed { cost: cost_bp * 1e-4 },
            Self::DutchAuction(auction) => Route::Dutch(auction),
            Self::JitAuction { seconds, start_bp, end_bp } => {
                Route::Jit { seconds, start: start_bp * 1e-4, end: end_bp * 1e-4 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maker_eth_b_crosses_the_oracle_in_nineteen_minutes_and_resets_in_ninety() {
        // Forum t/8477: top 1.20 of the oracle, 1 % per 60 s, expected to settle in 19 minutes, reset after 90.
        let auction = Auction { start: 1.2, cut: 0.99, step: 60.0, floor: 0.4, tail: 5_400.0 };
        let price = |seconds: f64| auction.start * auction.factor(seconds);
        assert!((price(59.9) - 1.2).abs() < 1e-12, "the first step takes a minute");
        assert!((price(60.0) - 1.188).abs() < 1e-12);
        assert!((price(19.0 * 60.0) - 0.991).abs() < 5e-4, "{}", price(1_140.0));
        assert!((auction.factor(5_400.0) - 0.405).abs() < 5e-4 && (price(5_400.0) - 0.486).abs() < 5e-4);
        assert!(!auction.is_over(5_400.0) && auction.is_over(5_400.1));
        // Without a tail it would end below the floor: 0.99^92 = 0.3967.
        let patient = Auction { tail: 86_400.0, ..auction };
        assert!(!patient.is_over(91.0 * 60.0) && patient.is_over(92.0 * 60.0));
    }
}
