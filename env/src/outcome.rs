//! What an episode left behind, in exact money: the raw material of every metric.

use serde::{Deserialize, Serialize};

use crate::units::{Price, Usd};

/// Totals of one episode, from reset to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Ticks elapsed.
    pub ticks: u64,
    /// Decisions taken.
    pub decisions: u64,
    /// Open interest at reset: the denominator of every figure in basis points.
    pub reference_open_interest: Usd,
    /// Deficits of traders' accounts, before anybody covered them: by the fund, by a haircut, by socialised loss, or
    /// not at all (M8: the four parts add up to it).
    pub bad_debt: Usd,
    /// Part of the bad debt that the insurance fund paid, or the vault where there is one.
    pub covered_by_fund: Usd,
    /// Part of the bad debt that was taken from other accounts' balances.
    pub socialised: Usd,
    /// Part of the bad debt that auto-deleveraged winners bore: they were closed at the bankruptcy price.
    pub haircut: Usd,
    /// Part of the bad debt that nobody could cover.
    pub written_off: Usd,
    /// Notional closed against winners by auto-deleveraging.
    pub deleveraged: Usd,
    /// Auto-deleveraged fills.
    pub deleveraged_accounts: u64,
    /// Notional that left liquidated accounts, by every execution path.
    pub liquidated: Usd,
    /// Accounts that entered liquidation.
    pub liquidated_accounts: u64,
    /// What liquidated traders lost to slippage, keeper bonus and liquidation fees, against mark.
    pub liquidation_cost: Usd,
    /// Forced volume on the home book.
    pub forced_volume: Usd,
    /// All other volume on the home book.
    pub natural_volume: Usd,
    /// Trading fees that the venue earned.
    pub fees: Usd,
    /// Openings that neutral terms would have brought, less those that came: what margin, cap and contribution keep
    /// out. Negative when cheaper margin brings more.
    pub turned_away: Usd,
    /// Insurance fund at reset.
    pub fund_start: Usd,
    /// Lowest equity of the insurance fund, with its inventory marked at exit cost.
    pub fund_low: Usd,
    /// Equity of the insurance fund now, with its inventory marked at exit cost.
    pub fund_end: Usd,
    /// Keepers' profit and loss against mark, after costs.
    pub keeper_profit: Usd,
    /// Mark price at reset.
    pub price_start: Price,
    /// Lowest mark price.
    pub mark_low: Price,
    /// Lowest fundamental price.
    pub fundamental_low: Price,
    /// Highest mark price.
    pub mark_high: Price,
    /// Highest fundamental price.
    pub fundamental_high: Price,
    /// Largest distance of mark from fundamental, in basis points.
    pub deviation_max_bp: f64,
    /// Mean distance of mark from fundamental over ticks, in basis points.
    pub deviation_mean_bp: f64,
    /// Mean open interest over decisions.
    pub open_interest_mean: Usd,
    /// Open interest now.
    pub open_interest_end: Usd,
    /// Mean initial-margin multiplier over decisions, volatility and macro scaling included.
    pub margin_mean: f64,
    /// Highest initial-margin multiplier.
    pub margin_peak: f64,
    /// Lowest initial-margin multiplier.
    pub margin_trough: f64,
    /// Lowest depth within 1 % of mid over its level at reset.
    pub depth_low: f64,
    /// Largest notional liquidated within one minute.
    pub peak_minute: Usd,
    /// Tick of the first liquidation.
    pub first_liquidation: Option<u64>,
    /// Tick of the first auto-deleveraging.
    pub first_deleveraging: Option<u64>,
    /// Ticks in which somebody was in liquidation.
    pub stressed_ticks: u64,
}
