//! Greeks of an account, and of all accounts. Signals, not money.

use std::ops::AddAssign;

use super::{Account, RiskTable};
use crate::units::Qty;

/// How an account's value moves with one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Coins that move as the account does.
    pub delta_coins: f64,
    /// Coins of delta gained per dollar that the price rises.
    pub gamma_coins_per_dollar: f64,
    /// Dollars gained per volatility point (0.01) up.
    pub vega_dollars_per_point: f64,
    /// Dollars gained per day that passes.
    pub theta_dollars_per_day: f64,
}

impl Exposure {
    /// Of each part its distance from zero.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            delta_coins: self.delta_coins.abs(),
            gamma_coins_per_dollar: self.gamma_coins_per_dollar.abs(),
            vega_dollars_per_point: self.vega_dollars_per_point.abs(),
            theta_dollars_per_day: self.theta_dollars_per_day.abs(),
        }
    }
}

impl AddAssign for Exposure {
    fn add_assign(&mut self, other: Self) {
        self.delta_coins += other.delta_coins;
        self.gamma_coins_per_dollar += other.gamma_coins_per_dollar;
        self.vega_dollars_per_point += other.vega_dollars_per_point;
        self.theta_dollars_per_day += other.theta_dollars_per_day;
    }
}

/// Exposure of a set of accounts to one asset. Over a whole venue the net is nothing but for rounding (M2), so what
/// tells something is the net of a class of accounts, and the gross.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VenueExposure {
    /// Sum over accounts.
    pub net: Exposure,
    /// Sum over accounts of each one's distance from zero.
    pub gross: Exposure,
}

impl VenueExposure {
    /// Takes one more account in. Floats: the same order of accounts gives the same bits.
    pub fn add(&mut self, account: Exposure) {
        self.net += account;
        self.gross += account.abs();
    }
}

impl RiskTable {
    /// Exposure of an account, one row per asset. Collateral is left out.
    ///
    /// # Shapes
    /// `out` is `[K]`, over assets.
    ///
    /// # Panics
    /// If `out` has another length, or the account names an asset or a series that is not there.
    pub fn exposure(&self, account: &Account<'_>, out: &mut [Exposure]) {
        assert_eq!(out.len(), self.assets.len(), "one row per asset");
        out.fill(Exposure::default());
        for perp in account.perps {
            out[perp.asset].delta_coins += perp.position.qty.as_f64();
        }
        for holding in account.options {
            let mark = &self.series[holding.series];
            out[mark.asset] += mark.exposure(holding.qty);
        }
    }
}

impl super::SeriesMark {
    /// Exposure of a holding.
    #[must_use]
    pub fn exposure(&self, qty: Qty) -> Exposure {
        let coins = qty.as_f64();
        Exposure {
            delta_coins: coins * self.greeks.delta,
            gamma_coins_per_dollar: coins * self.greeks.gamma,
            vega_dollars_per_point: coins * self.greeks.vega * 0.01,
            theta_dollars_per_day: coins * self.greeks.theta / 365.0,
        }
    }
}
