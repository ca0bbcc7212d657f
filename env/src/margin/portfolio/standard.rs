//! Cross margin: one equity for the whole account, requirements position by position.

use serde::{Deserialize, Serialize};

use super::table::{charge, dollars_ceil};
use super::{Account, CollateralConfig, PortfolioMargin, RiskTable, SeriesMark};
use crate::error::Problems;
use crate::margin::options::OptionKind;
use crate::margin::{Adjustment, Levels, MarginSchedule};
use crate::units::{Price, Qty, Rate, Usd};

/// Margin of a written option, in shares of the underlying's price `U`, on top of the option's mark.
///
/// Initial: `max(initial·U - out-of-the-money amount, least·U)`. Maintenance: `maintenance·U`, for a put no less
/// than `maintenance` times its mark. A bought option needs none and lends its value to nothing.
///
/// # Reference
/// Bit.com help centre, "Margin Rules for USD-Margined Options" (bitcoin and ether: 0.15, 0.10, 0.075); the same
/// numbers and form as Deribit's standard margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StandardOptionConfig {
    /// Initial margin at the money. Default 0.15.
    pub initial: f64,
    /// Least initial margin. Default 0.10.
    pub least: f64,
    /// Maintenance margin. Default 0.075.
    pub maintenance: f64,
    /// A liquidation in parts ends at maintenance times one plus this. Default 0.25, as for perpetuals here.
    pub buffer: f64,
    /// Share of maintenance below which the backstop takes over. Default 2/3.
    pub backstop_share: f64,
}

impl Default for StandardOptionConfig {
    fn default() -> Self {
        Self { initial: 0.15, least: 0.10, maintenance: 0.075, buffer: 0.25, backstop_share: 2.0 / 3.0 }
    }
}

impl StandardOptionConfig {
    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        problems.range(format!("{field}.initial"), self.initial, 0.0, 1.0);
        problems.range(format!("{field}.least"), self.least, 0.0, 1.0);
        problems.range(format!("{field}.maintenance"), self.maintenance, 0.0, 1.0);
        problems.range(format!("{field}.buffer"), self.buffer, 0.0, 4.0);
        problems.range(format!("{field}.backstop_share"), self.backstop_share, 0.0, 1.0);
        problems.require(self.least <= self.initial, format!("{field}.least"), self.least, "at most initial");
        let holds = self.maintenance <= self.least;
        problems.require(holds, format!("{field}.maintenance"), self.maintenance, "at most least");
    }
}

/// What perpetuals are held against, one entry per asset.
#[derive(Clone, Copy, Debug)]
pub struct CrossTerms<'a> {
    /// Tiered tables.
    pub schedules: &'a [MarginSchedule],
    /// Open interest in dollars.
    pub open_interest: &'a [Usd],
    /// What a controller does to the tables.
    pub adjustments: &'a [Adjustment],
}

/// Cross margin of a venue: collateral and option rules; those of perpetuals are [`CrossTerms`].
#[derive(Clone, Debug, PartialEq)]
pub struct CrossMargin {
    collateral: PortfolioMargin,
    initial: Rate,
    least: Rate,
    maintenance: Rate,
    buffer: Rate,
    backstop_share: Rate,
}

impl CrossMargin {
    /// From validated configurations. Rates are rounded to the nearest 1e-9.
    #[must_use]
    pub fn new(options: &StandardOptionConfig, collateral: &[CollateralConfig]) -> Self {
        let config = super::PortfolioConfig { collateral: collateral.to_vec(), ..Default::default() };
        Self {
            collateral: PortfolioMargin::new(&config),
            initial: Rate::from_f64(options.initial),
            least: Rate::from_f64(options.least),
            maintenance: Rate::from_f64(options.maintenance),
            buffer: Rate::from_f64(options.buffer),
            backstop_share: Rate::from_f64(options.backstop_share),
        }
    }

    /// Equity and levels of an account: collateral after haircuts and perpetuals at their marks against the sum of
    /// all requirements. A written option counts with its mark in the requirement, a bought one not at all.
    ///
    /// # Panics
    /// If the account names what is not there, or is out of range.
    #[must_use]
    pub fn assess(&self, account: &Account<'_>, table: &RiskTable, terms: &CrossTerms<'_>) -> (Usd, Levels) {
        let equity = self.collateral.equity(&Account { options: &[], ..*account }, table);
        let mut sum = Levels::default();
        for perp in account.perps {
            let (asset, price) = (perp.asset, table.assets[perp.asset].0.price);
            let (open_interest, adjustment) = (terms.open_interest[asset], terms.adjustments[asset]);
            add(&mut sum, terms.schedules[asset].levels(&perp.position, price, open_interest, adjustment));
        }
        for holding in account.options {
            let mark = &table.series[holding.series];
            let written = (-holding.qty).positive_part();
            if !written.is_zero() {
                add(&mut sum, self.written(written, mark, table.assets[mark.asset].0.price));
            }
        }
        (equity, sum)
    }

    /// Levels of a written option, every part rounded up.
    fn written(&self, qty: Qty, mark: &SeriesMark, underlying: Price) -> Levels {
        let value = dollars_ceil(i128::from(qty.raw()) * i128::from(mark.price.raw()));
        let coins = qty.raw();
        // The out-of-the-money amount is against the account's requirement, so it is rounded down.
        let outside = match mark.kind {
            OptionKind::Call => qty.value((mark.strike - underlying).positive_part()),
            OptionKind::Put => qty.value((underlying - mark.strike).positive_part()),
        };
        let initial = charge(coins, underlying, self.initial) - outside;
        let mut maintenance = charge(coins, underlying, self.maintenance);
        if mark.kind == OptionKind::Put {
            maintenance = maintenance.max(value.share_ceil(self.maintenance));
        }
        let maintenance = maintenance + value;
        let liquidation_end = maintenance + (maintenance - value).share_ceil(self.buffer);
        Levels {
            initial: (initial.max(charge(coins, underlying, self.least)) + value).max(liquidation_end),
            liquidation_end,
            maintenance,
            backstop: value + (maintenance - value).share_ceil(self.backstop_share),
        }
    }
}

fn add(sum: &mut Levels, levels: Levels) {
    sum.initial += levels.initial;
    sum.liquidation_end += levels.liquidation_end;
    sum.maintenance += levels.maintenance;
    sum.backstop += levels.backstop;
}
