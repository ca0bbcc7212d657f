//! A venue's tiered margin table: what it asks of a notional, and how a controller moves it.
//!
//! The table is kept as lines `rate · notional - deduction`. The deduction joins each line to the one before it, so
//! that maintenance is continuous in the notional and is the upper envelope of the lines.

use serde::{Deserialize, Serialize};

use super::{OpenInterestScaling, OpenInterestScalingConfig, Position, Requirement, size_premium};
use crate::error::Problems;
use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

const ONE: Rate = Rate::from_raw(Rate::SCALE);

/// One row of a venue's table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// Largest notional of this tier, in dollars. The last tier's is the largest position that may be opened.
    pub notional_cap_usd: f64,
    /// Marginal maintenance rate, as a fraction of notional.
    pub maintenance: f64,
    /// Largest leverage at which a position of this tier may be opened; its inverse is the initial rate, and it
    /// holds for the whole position, as venues have it.
    pub max_leverage: f64,
}

/// Margin of one instrument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarginConfig {
    /// Rows in rising order. Default: Binance BTCUSDT of October 2024, up to 100 M dollars.
    pub tiers: Vec<TierConfig>,
    /// A liquidation that closes in parts ends at maintenance times one plus this. Default 0.25.
    pub buffer: f64,
    /// Share of maintenance below which the backstop takes the position over. Default 2/3, as at Hyperliquid.
    pub backstop_share: f64,
    /// Initial margin that rises with open interest, as at dYdX. Default none.
    pub open_interest_scaling: Option<OpenInterestScalingConfig>,
    /// Factor per root coin of Drift's size premium on the initial rate. Default 0, which is off.
    pub size_premium: f64,
}

impl Default for MarginConfig {
    fn default() -> Self {
        let row =
            |notional_cap_usd, maintenance, max_leverage| TierConfig { notional_cap_usd, maintenance, max_leverage };
        Self {
            tiers: vec![
                row(50e3, 0.004, 125.0),
                row(600e3, 0.005, 100.0),
                row(3e6, 0.006_5, 75.0),
                row(12e6, 0.01, 50.0),
                row(70e6, 0.02, 25.0),
                row(100e6, 0.025, 20.0),
            ],
            buffer: 0.25,
            backstop_share: 2.0 / 3.0,
            open_interest_scaling: None,
            size_premium: 0.0,
        }
    }
}

impl MarginConfig {
    /// Records what is wrong, under the dotted path `field`.
    ///
    /// Caps rise by 0.1 % and rates by 0.001 % at least: below that, rounding could bring the lines out of order.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        let count = self.tiers.len();
        problems.require((1..=32).contains(&count), format!("{field}.tiers"), count, "1 to 32 rows");
        problems.range(format!("{field}.buffer"), self.buffer, 0.0, 4.0);
        problems.range(format!("{field}.backstop_share"), self.backstop_share, 0.0, 1.0);
        problems.range(format!("{field}.size_premium"), self.size_premium, 0.0, 1.0);
        if let Some(scaling) = &self.open_interest_scaling {
            scaling.validate(&format!("{field}.open_interest_scaling"), problems);
        }
        for (index, tier) in self.tiers.iter().enumerate() {
            let row = format!("{field}.tiers[{index}]");
            problems.range(format!("{row}.notional_cap_usd"), tier.notional_cap_usd, 1.0, 1e12);
            problems.range(format!("{row}.maintenance"), tier.maintenance, 1e-6, 1.0);
            problems.range(format!("{row}.max_leverage"), tier.max_leverage, 1.0, 1e3);
            // M3: initial ≥ liquidation-end ≥ maintenance.
            let opens = tier.max_leverage * tier.maintenance * (1.0 + self.buffer) <= 1.0 + 1e-9;
            let bound = "at most 1 / (maintenance · (1 + buffer))";
            problems.require(opens, format!("{row}.max_leverage"), tier.max_leverage, bound);
        }
        for (index, pair) in self.tiers.windows(2).enumerate() {
            let row = format!("{field}.tiers[{}]", index + 1);
            let (below, tier) = (&pair[0], &pair[1]);
            let rises = tier.notional_cap_usd >= below.notional_cap_usd * 1.001;
            problems.require(rises, format!("{row}.notional_cap_usd"), tier.notional_cap_usd, "above the row before");
            let rises = tier.maintenance >= below.maintenance + 0.999e-5;
            problems.require(rises, format!("{row}.maintenance"), tier.maintenance, "above the row before");
            let falls = tier.max_leverage <= below.max_leverage;
            problems.require(falls, format!("{row}.max_leverage"), tier.max_leverage, "at most the row before");
        }
    }
}

/// What a controller does to a table; the default leaves it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Multiplies initial rates.
    pub initial: Rate,
    /// Multiplies marginal maintenance rates while the deductions stay. That is the table read as if the position
    /// were this many times as large, so maintenance stays continuous and convex, and no key of the index moves.
    pub maintenance: Rate,
    /// Least share of notional that an account must hold, whatever its tier: the pre-emption threshold.
    pub floor: Rate,
}

impl Default for Adjustment {
    fn default() -> Self {
        Self { initial: ONE, maintenance: ONE, floor: Rate::ZERO }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tier {
    cap: Usd,
    maintenance: Rate,
    initial: Rate,
    deduction: Usd,
}

/// A validated table in integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarginSchedule {
    tiers: Vec<Tier>,
    pub(super) buffer: Rate,
    pub(super) backstop_share: Rate,
    scaling: Option<OpenInterestScaling>,
    size_premium: Rate,
}

impl MarginSchedule {
    /// From a validated configuration. Deductions follow `d_n = d_{n-1} + cap_{n-1}·(m_n - m_{n-1})`, rounded down;
    /// initial rates are rounded up.
    ///
    /// # Panics
    /// If the configuration has no row.
    #[must_use]
    pub fn new(config: &MarginConfig) -> Self {
        assert!(!config.tiers.is_empty(), "a margin table has rows");
        let mut tiers: Vec<Tier> = Vec::with_capacity(config.tiers.len());
        for row in &config.tiers {
            let maintenance = Rate::from_f64(row.maintenance);
            let deduction = tiers
                .last()
                .map_or(Usd::ZERO, |below| below.deduction + below.cap.share(maintenance - below.maintenance));
            let leverage = Rate::from_f64(row.max_leverage);
            let initial = Rate::from_raw(mul_div(Rate::SCALE, Rate::SCALE, leverage.raw(), Rounding::Ceil));
            tiers.push(Tier { cap: Usd::from_f64(row.notional_cap_usd), maintenance, initial, deduction });
        }
        Self {
            tiers,
            buffer: Rate::from_f64(config.buffer),
            backstop_share: Rate::from_f64(config.backstop_share),
            scaling: config.open_interest_scaling.as_ref().map(OpenInterestScaling::new),
            size_premium: Rate::from_f64(config.size_premium),
        }
    }

    /// Rows of the table.
    #[must_use]
    pub const fn tiers(&self) -> usize {
        self.tiers.len()
    }

    /// Lines of the envelope: one per row, and last the flat line, whose rate is the floor and which deducts nothing.
    #[must_use]
    pub const fn lines(&self) -> usize {
        self.tiers.len() + 1
    }

    /// Number of the flat line.
    #[must_use]
    pub const fn flat_line(&self) -> usize {
        self.tiers.len()
    }

    /// Largest notional that may be opened.
    #[must_use]
    pub fn notional_max(&self) -> Usd {
        self.tiers[self.tiers.len() - 1].cap
    }

    /// Row of a notional; a cap belongs to the row that it closes, and what is above all caps to the last.
    #[must_use]
    pub fn tier(&self, notional: Usd) -> usize {
        self.tiers.partition_point(|tier| tier.cap < notional).min(self.tiers.len() - 1)
    }

    /// Largest notional of the row below the one that a notional stands in, and nothing on the lowest row.
    #[must_use]
    pub fn cap_below(&self, notional: Usd) -> Usd {
        self.tier(notional).checked_sub(1).map_or(Usd::ZERO, |below| self.tiers[below].cap)
    }

    /// Deduction of a line.
    ///
    /// # Panics
    /// If there is no such line.
    #[inline]
    #[must_use]
    pub fn deduction(&self, line: usize) -> Usd {
        assert!(line < self.lines(), "no line {line}");
        self.tiers.get(line).map_or(Usd::ZERO, |tier| tier.deduction)
    }

    /// Marginal rate of a line under an adjustment, rounded up and at most one.
    ///
    /// A row without deduction takes the floor in, since there the flat line differs by its rate alone: accounts on
    /// such a row need no second entry in the index.
    ///
    /// # Panics
    /// If there is no such line.
    #[inline]
    #[must_use]
    pub fn rate(&self, line: usize, adjustment: Adjustment) -> Rate {
        assert!(line < self.lines(), "no line {line}");
        let floor = adjustment.floor.min(ONE);
        let Some(tier) = self.tiers.get(line) else { return floor };
        let rate = multiplied(tier.maintenance, adjustment.maintenance);
        if tier.deduction.is_zero() { rate.max(floor) } else { rate }
    }

    /// A line under an adjustment.
    ///
    /// # Panics
    /// If there is no such line.
    #[inline]
    #[must_use]
    pub fn requirement(&self, line: usize, adjustment: Adjustment) -> Requirement {
        Requirement { rate: self.rate(line, adjustment), deduction: self.deduction(line) }
    }

    /// Maintenance margin of a notional: the greatest of all lines, rounded up.
    #[must_use]
    pub fn maintenance(&self, notional: Usd, adjustment: Adjustment) -> Usd {
        let lines = (0..self.lines()).map(|line| self.requirement(line, adjustment).amount(notional));
        lines.fold(Usd::ZERO, Usd::max)
    }

    /// Whether a position is short of maintenance, compared before rounding.
    #[must_use]
    pub fn is_short(&self, position: &Position, price: Price, funding: Price, adjustment: Adjustment) -> bool {
        (0..self.lines()).any(|line| position.is_below(self.requirement(line, adjustment), price, funding))
    }

    /// Rate of opening margin for a size, rounded up and at most one: the row's, times the multiplier, with the size
    /// premium and then the open-interest scaling of the venue.
    #[must_use]
    pub fn initial_rate(&self, qty: Qty, notional: Usd, open_interest: Usd, adjustment: Adjustment) -> Rate {
        let rate = multiplied(self.tiers[self.tier(notional)].initial, adjustment.initial);
        let rate = size_premium_if_on(rate, qty, self.size_premium).min(ONE);
        self.scaling.map_or(rate, |scaling| scaling.rate(rate, open_interest))
    }

    /// The row whose line a position meets first: the lane of the trigger index to put it in.
    ///
    /// While funding and multiplier stay, the position is short of the rows exactly when it is short of this one.
    /// When they move, another row can come to bind, later by the change of rate times the notional beyond the cap:
    /// second order, and nil for whoever stays within one row. Whoever wants it exact asks again after a change of
    /// the multiplier; funding asks again by itself, as settling it touches the account.
    ///
    /// # Panics
    /// If there is no position.
    #[must_use]
    pub fn binding_tier(&self, position: &Position, funding: Price, multiplier: Rate) -> usize {
        let sign = i128::from(super::Direction::of(position.qty).sign());
        let root = |tier: &Tier| {
            let rate = multiplied(tier.maintenance, multiplier);
            position.root(Requirement { rate, deduction: tier.deduction }, funding)
        };
        let mut met = root(&self.tiers[0]);
        for (below, tier) in self.tiers[1..].iter().enumerate() {
            let next = root(tier);
            let ahead = product(next.owed, met.slope) - product(met.owed, next.slope);
            // Lines cross in rising order, so where the next one is not ahead, none after it is.
            if sign * ahead <= 0 {
                return below;
            }
            met = next;
        }
        self.tiers.len() - 1
    }
}

fn multiplied(rate: Rate, multiplier: Rate) -> Rate {
    if multiplier == ONE {
        return rate.min(ONE);
    }
    Rate::from_raw(mul_div(rate.raw(), multiplier.raw(), Rate::SCALE, Rounding::Ceil)).min(ONE)
}

fn size_premium_if_on(rate: Rate, qty: Qty, factor: Rate) -> Rate {
    if factor.is_zero() { rate } else { size_premium(rate, qty, factor) }
}

fn product(owed: i128, slope: i64) -> i128 {
    // 2^96 is 790 trillion dollars, and no slope reaches 2^31.
    assert!(owed.unsigned_abs() < 1 << 96, "position out of range");
    owed * i128::from(slope)
}

#[cfg(test)]
mod tests;
