//! What is measured in an episode: each metric once, with its unit, direction, formula and source.
//!
//! Money is in basis points of the open interest at reset, so that figures of venues and scenarios of different
//! size compare. A quantity that an episode does not define is `None`, never NaN and never a stand-in; where being
//! undefined is itself good or bad news, a companion metric counts how often it happens.
//!
//! Not here: averages over episodes. Those are statistics of a metric and belong to [`crate::report`].

mod cost;
mod market;
mod safety;

use seawall_env::units::Usd;
use serde::{Deserialize, Serialize};

use crate::record::EpisodeRecord;
use crate::statistics::Side;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither; reported for what it tells about the mechanism.
    Neutral,
}

impl Direction {
    /// Sign that makes more better; zero if neither is.
    #[must_use]
    pub const fn sign(self) -> f64 {
        match self {
            Self::Lower => -1.0,
            Self::Higher => 1.0,
            Self::Neutral => 0.0,
        }
    }

    /// The bad end of the distribution, if there is one.
    #[must_use]
    pub const fn bad_side(self) -> Option<Side> {
        match self {
            Self::Lower => Some(Side::High),
            Self::Higher => Some(Side::Low),
            Self::Neutral => None,
        }
    }
}

/// What a metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// What a learner maximises.
    Objective,
    /// Who goes unpaid.
    Safety,
    /// What happens to price and liquidity.
    Market,
    /// Who pays for safety.
    Cost,
}

/// Unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Weighted sum of reward terms.
    Reward,
    /// Basis points of the open interest at reset.
    OpenInterestBp,
    /// Basis points of a price.
    PriceBp,
    /// Percent.
    Percent,
    /// A plain ratio.
    Ratio,
    /// A number of things.
    Count,
    /// Ticks of the market's clock.
    Ticks,
}

impl Unit {
    /// How table headers spell it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reward => "reward",
            Self::OpenInterestBp => "bp of open interest",
            Self::PriceBp => "bp of price",
            Self::Percent => "%",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Ticks => "ticks",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name, as reports and gates spell it.
    pub name: &'static str,
    /// Unit of its values.
    pub unit: Unit,
    /// Which way is better.
    pub direction: Direction,
    /// What it is about.
    pub group: Group,
    /// Formula, in the terms of [`EpisodeRecord`].
    pub formula: &'static str,
    /// Who measures it so, or which question it answers.
    pub source: &'static str,
    /// Its value in one episode.
    pub value: fn(&EpisodeRecord) -> Option<f64>,
}

/// What a learner is judged by first.
pub const PRIMARY: &str = RETURN.name;

const RETURN: Metric = Metric {
    name: "return",
    unit: Unit::Reward,
    direction: Direction::Higher,
    group: Group::Objective,
    formula: "sum of rewards over the episode, undiscounted",
    source: "the controller's objective, weights as configured",
    value: |record| Some(record.episode_return),
};

/// Metrics that are undefined unless more is played than the judged episode: see [`crate::Grid`].
pub const COUNTERFACTUAL: [&str; 3] = ["false_liquidations", "price_amplification", "excess_move"];

/// Every metric, in the order of reports.
#[must_use]
pub fn metrics() -> Vec<&'static Metric> {
    [&RETURN].into_iter().chain(&safety::METRICS).chain(&market::METRICS).chain(&cost::METRICS).collect()
}

/// The metric of this name.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Metric> {
    metrics().into_iter().find(|metric| metric.name == name)
}

/// Money in basis points of the open interest at reset.
fn open_interest_bp(record: &EpisodeRecord, amount: Usd) -> Option<f64> {
    share(amount, record.outcome.reference_open_interest).map(|share| 10_000.0 * share)
}

/// Part over whole, if there is a whole.
fn share(part: Usd, whole: Usd) -> Option<f64> {
    (whole > Usd::ZERO).then(|| part.as_f64() / whole.as_f64())
}

/// One hundred if it holds, else zero: the mean over episodes is the percentage of episodes in which it holds.
const fn percent_if(holds: bool) -> f64 {
    if holds { 100.0 } else { 0.0 }
}

#[cfg(test)]
mod tests;
