//! Leveraged traders: when they act, which way, how large, and what they do when a margin call comes.
//!
//! # Reference
//! Types after Chiarella & Iori 2002 and Majewski, Ciliberti & Bouchaud 2020 (noise, trend, value), Alfarano, Lux &
//! Wagner 2005 (herding); leverage split of open interest 36 % at 0–3×, 49 % at 3–7×, 15 % above (Hyperliquid,
//! December 2025).

use serde::{Deserialize, Serialize};

use super::activity::ActivityConfig;
use crate::error::Problems;

/// What moves a trader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motive {
    /// No view: trades for reasons of its own.
    Noise,
    /// Follows the trend of the last minutes.
    Momentum,
    /// Buys below the fundamental price, sells above.
    Fundamental,
    /// Earns basis and funding; large, short against spot, hardly levered.
    Basis,
    /// Does what recent flow did.
    Herding,
    /// As momentum, but large.
    Whale,
}

/// One class of traders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassConfig {
    /// What moves it.
    pub motive: Motive,
    /// Share of accounts. In (0, 1]; all classes sum to one.
    pub share: f64,
    /// Size relative to a noise trader's. > 0.
    pub size: f64,
    /// Median leverage chosen at entry. In [1, 100].
    pub leverage: f64,
    /// Log standard deviation of leverage. In [0, 2].
    pub leverage_spread: f64,
    /// Probability of the long side without a signal. In [0, 1].
    pub long_bias: f64,
    /// Actions per account and hour in calm. In [0, 60].
    pub rate: f64,
    /// Probability that an action of a holder closes the position. In [0, 1].
    pub exit: f64,
    /// Probability of adding collateral at a margin call. In [0, 1].
    pub add: f64,
    /// Probability of halving the position at a margin call. In [0, 1].
    pub cut: f64,
    /// Probability of a stop-loss at a margin call. In [0, 1]; the three sum to at most one.
    pub stop: f64,
}

/// The population of traders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraderConfig {
    /// Number of accounts. In [16, 4,000,000].
    pub accounts: u32,
    /// Open interest at reset, in dollars. > 0.
    pub open_interest: f64,
    /// Pareto exponent of sizes. In [1.05, 4]; 1.1–1.5 reported for perpetuals.
    pub size_tail: f64,
    /// Largest size over the smallest. In [10, 1e7].
    pub size_range: f64,
    /// Log standard deviation of entry prices around the price at reset. In [0, 0.5].
    pub entry_spread: f64,
    /// Elasticity of entries to initial margin: intensity ∝ margin^−this. In [0, 5]; the price of safety.
    pub margin_elasticity: f64,
    /// Elasticity of entries to the fund contribution: intensity ∝ exp(−this · bp). In [0, 2].
    pub fee_elasticity: f64,
    /// How often they act, and what excites them.
    pub activity: ActivityConfig,
    /// Margin call at this multiple of maintenance. In [1.05, 5].
    pub margin_call: f64,
    /// Mean time until a liquidated trader comes back with new money, in hours. In [0.1, 1000].
    pub return_hours: f64,
    /// Classes.
    pub classes: Vec<ClassConfig>,
}

impl Default for TraderConfig {
    fn default() -> Self {
        let class = |motive, share, size, leverage, long_bias, rate, reaction: [f64; 3]| ClassConfig {
            motive,
            share,
            size,
            leverage,
            leverage_spread: 0.7,
            long_bias,
            rate,
            exit: 0.5,
            add: reaction[0],
            cut: reaction[1],
            stop: reaction[2],
        };
        Self {
            accounts: 2_000,
            open_interest: 400e6,
            size_tail: 1.3,
            size_range: 1e3,
            entry_spread: 0.04,
            margin_elasticity: 0.8,
            fee_elasticity: 0.15,
            activity: ActivityConfig::default(),
            margin_call: 1.6,
            return_hours: 12.0,
            classes: vec![
                class(Motive::Noise, 0.40, 1.0, 6.0, 0.62, 0.2, [0.15, 0.10, 0.15]),
                class(Motive::Momentum, 0.18, 1.5, 9.0, 0.60, 0.4, [0.05, 0.10, 0.35]),
                class(Motive::Fundamental, 0.12, 3.0, 3.0, 0.60, 0.15, [0.45, 0.10, 0.05]),
                class(Motive::Basis, 0.10, 8.0, 1.4, 0.05, 0.08, [0.70, 0.15, 0.0]),
                class(Motive::Herding, 0.18, 0.8, 14.0, 0.66, 0.4, [0.10, 0.05, 0.15]),
                class(Motive::Whale, 0.02, 12.0, 4.5, 0.70, 0.2, [0.30, 0.25, 0.05]),
            ],
        }
    }
}

impl TraderConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("accounts", f64::from(self.accounts), 16.0, 4e6),
            ("open_interest", self.open_interest, 1e4, 1e12),
            ("size_tail", self.size_tail, 1.05, 4.0),
            ("size_range", self.size_range, 10.0, 1e7),
            ("entry_spread", self.entry_spread, 0.0, 0.5),
            ("margin_elasticity", self.margin_elasticity, 0.0, 5.0),
            ("fee_elasticity", self.fee_elasticity, 0.0, 2.0),
            ("margin_call", self.margin_call, 1.05, 5.0),
            ("return_hours", self.return_hours, 0.1, 1_000.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        self.activity.validate(&format!("{path}.activity"), problems);
        let count = self.classes.len();
        problems.require((1..=16).contains(&count), format!("{path}.classes"), count, "1 to 16 classes");
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        problems.require((shares - 1.0).abs() < 1e-9, format!("{path}.classes.share"), shares, "a sum of 1");
        for (i, class) in self.classes.iter().enumerate() {
            for (field, value, low, high) in [
                ("share", class.share, 1e-6, 1.0),
                ("size", class.size, 1e-3, 1e4),
                ("leverage", class.leverage, 1.0, 100.0),
                ("leverage_spread", class.leverage_spread, 0.0, 2.0),
                ("long_bias", class.long_bias, 0.0, 1.0),
                ("rate", class.rate, 0.0, 60.0),
                ("exit", class.exit, 0.0, 1.0),
                ("add", class.add, 0.0, 1.0),
                ("cut", class.cut, 0.0, 1.0),
                ("stop", class.stop, 0.0, 1.0),
            ] {
                problems.range(format!("{path}.classes[{i}].{field}"), value, low, high);
            }
            let reaction = class.add + class.cut + class.stop;
            problems.range(format!("{path}.classes[{i}].add + cut + stop"), reaction, 0.0, 1.0);
        }
    }
}

/// What a trader sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Trend: fast over slow moving average, less one, in units of ten-minute volatility.
    pub trend: f64,
    /// Fundamental over price, less one, in units of ten-minute volatility.
    pub value: f64,
    /// Recent signed flow over volume, in [-1, 1].
    pub flow: f64,
    /// Home price over outside price, less one, in basis points.
    pub premium_bp: f64,
}

/// Probability that a trader of this motive takes the long side.
#[must_use]
pub fn long_probability(class: &ClassConfig, view: &View) -> f64 {
    let lean = match class.motive {
        Motive::Noise => 0.0,
        Motive::Momentum | Motive::Whale => 0.3 * view.trend.clamp(-1.5, 1.5),
        Motive::Fundamental => 0.4 * view.value.clamp(-1.5, 1.5),
        Motive::Basis => -0.02 * view.premium_bp.clamp(-25.0, 25.0),
        Motive::Herding => 0.8 * view.flow.clamp(-0.6, 0.6),
    };
    (class.long_bias + lean).clamp(0.02, 0.98)
}

/// What a trader does about a margin call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Waits.
    Nothing,
    /// Adds collateral.
    Add,
    /// Halves the position.
    Cut,
    /// Closes it.
    Stop,
}

/// Reaction to a margin call for a uniform draw.
#[must_use]
pub fn reaction(class: &ClassConfig, u: f64) -> Reaction {
    if u < class.add {
        Reaction::Add
    } else if u < class.add + class.cut {
        Reaction::Cut
    } else if u < class.add + class.cut + class.stop {
        Reaction::Stop
    } else {
        Reaction::Nothing
    }
}

/// Pareto quantile on `[1, range]` with exponent `tail`.
#[must_use]
pub fn pareto(u: f64, tail: f64, range: f64) -> f64 {
    pareto_beyond(u, tail, libm::pow(range, -tail))
}

/// As [`pareto`], by the share `beyond` of an unbounded law that lies beyond the range.
pub(super) fn pareto_beyond(u: f64, tail: f64, beyond: f64) -> f64 {
    libm::pow(1.0 - u * (1.0 - beyond), -1.0 / tail)
}

/// Number of events of a Poisson law of mean `mean` for a uniform draw, at most `most`.
#[must_use]
pub fn poisson(mean: f64, u: f64, most: u32) -> u32 {
    // exp(-mean) is not below 1 - mean; the rest is a rounding's due.
    if u < 1.0 - mean - 1e-15 {
        return 0;
    }
    let mut term = libm::exp(-mean);
    let mut sum = term;
    let mut count = 0;
    while u > sum && count < most {
        count += 1;
        term *= mean / f64::from(count);
        sum += term;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_population_is_valid() {
        let mut problems = Problems::default();
        TraderConfig::default().validate("traders", &mut problems);
        assert_eq!(problems.to_string(), "");
    }

    #[test]
    fn poisson_counts_have_the_right_mean() {
        // A midpoint rule over u integrates the quantile function: its mean is the law's.
        let n = 100_000;
        let sum: u32 = (0..n).map(|i| poisson(0.7, (f64::from(i) + 0.5) / f64::from(n), 64)).sum();
        assert!((f64::from(sum) / f64::from(n) - 0.7).abs() < 1e-3);
    }

    #[test]
    fn pareto_sizes_span_their_range() {
        assert!((pareto(0.0, 1.3, 100.0) - 1.0).abs() < 1e-12);
        assert!((pareto(1.0, 1.3, 100.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn signals_lean_the_way_their_motive_says() {
        let classes = TraderConfig::default().classes;
        let of = |motive| classes.iter().find(|c| c.motive == motive).unwrap();
        let falling = View { trend: -1.0, value: 1.0, flow: -0.5, premium_bp: -20.0 };
        for (motive, sells) in
            [(Motive::Momentum, true), (Motive::Herding, true), (Motive::Fundamental, false), (Motive::Basis, false)]
        {
            let class = of(motive);
            assert_eq!(long_probability(class, &falling) < class.long_bias, sells, "{motive:?}");
        }
    }
}
