//! Keepers: competing bots with capital, cost, latency and failures, who take liquidated positions over at a
//! discount when that pays, and are absent when it does not.
//!
//! # Reference
//! Perez et al. 2021 (arXiv:2009.13235) and Qin et al. 2021 (arXiv:2106.06389) for the decision; 36 % of auctions
//! without a bid on 12 March 2020 for what happens when capital and gas run out (Blocknative).

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::rng::{Purpose, SeedTree};
use crate::world::{Clock, WindowConfig, validate_range};

/// A window in which some keepers are absent: out of capital or gas, or priced out of their chain. What they hold stays
/// where it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropoutConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Length in seconds; ≥ 0.
    pub seconds: [f64; 2],
    /// Share of keepers that is absent, drawn from this range within [0, 1] and rounded to whole keepers.
    pub share: [f64; 2],
}

impl DropoutConfig {
    const fn window(&self) -> WindowConfig {
        WindowConfig { start_fraction: self.start_fraction, seconds: self.seconds }
    }
}

/// A drawn window of absence: keepers are alike, so those with the lowest numbers are the absent ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Absence {
    /// First tick, and first tick after.
    pub window: [u64; 2],
    /// Number of absent keepers.
    pub keepers: u64,
}

impl Absence {
    /// Whether it takes in the `k`-th keeper at `tick`.
    #[must_use]
    pub fn covers(&self, tick: u64, k: u64) -> bool {
        let [start, end] = self.window;
        (start..end).contains(&tick) && k < self.keepers
    }
}

/// Parameters of the keepers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeeperConfig {
    /// Number of keepers. In [1, 64].
    pub count: u32,
    /// Capital of each, over reference open interest. In [0, 1].
    pub capital: f64,
    /// Largest inventory over capital. In [0.1, 10].
    pub leverage: f64,
    /// Cost of one takeover in calm, in dollars. In [0, 1e5].
    pub gas: f64,
    /// Growth of cost per unit of excess volatility. In [0, 20].
    pub gas_stress: f64,
    /// Ticks between two looks of one keeper. In [1, 3600].
    pub latency: u32,
    /// Probability that an attempt fails, per unit of volatility over long-run, up to 0.95. In [0, 0.5].
    pub failure: f64,
    /// Time over which a keeper unwinds, in seconds. In [1, 86400].
    pub unwind: f64,
    /// Standard deviations of the unwinding risk that the discount must pay for. In [0, 3].
    pub risk_aversion: f64,
    /// Scripted absences.
    pub dropouts: Vec<DropoutConfig>,
}

const STREAM_DROPOUTS: u64 = 1;

impl Default for KeeperConfig {
    fn default() -> Self {
        Self {
            count: 6,
            capital: 0.003,
            leverage: 3.0,
            gas: 20.0,
            gas_stress: 2.0,
            latency: 6,
            failure: 0.04,
            unwind: 900.0,
            risk_aversion: 0.25,
            dropouts: Vec::new(),
        }
    }
}

impl KeeperConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("count", f64::from(self.count), 1.0, 64.0),
            ("capital", self.capital, 0.0, 1.0),
            ("leverage", self.leverage, 0.1, 10.0),
            ("gas", self.gas, 0.0, 1e5),
            ("gas_stress", self.gas_stress, 0.0, 20.0),
            ("latency", f64::from(self.latency), 1.0, 3_600.0),
            ("failure", self.failure, 0.0, 0.5),
            ("unwind", self.unwind, 1.0, 86_400.0),
            ("risk_aversion", self.risk_aversion, 0.0, 3.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        for (i, dropout) in self.dropouts.iter().enumerate() {
            let path = format!("{path}.dropouts[{i}]");
            dropout.window().validate(&path, problems);
            validate_range(&format!("{path}.share"), dropout.share, 0.0, 1.0, problems);
        }
    }

    /// The absences that an episode draws.
    #[must_use]
    pub fn absences(&self, clock: Clock, seeds: SeedTree) -> Vec<Absence> {
        let counter = seeds.counter(Purpose::Incidents, STREAM_DROPOUTS);
        let drawn = (0_u64..).zip(&self.dropouts).map(|(i, dropout)| Absence {
            window: dropout.window().draw(clock, counter.uniform2(i, 0)),
            keepers: self.absent(dropout, counter.uniform2(i, 1)[0]),
        });
        drawn.collect()
    }

    /// Draws anew what the ticks before `now` have not shown of absences.
    pub(crate) fn redraw(&self, absences: &mut [Absence], clock: Clock, seeds: SeedTree, now: u64) {
        let counter = seeds.counter(Purpose::Incidents, STREAM_DROPOUTS);
        for ((i, dropout), absence) in (0_u64..).zip(&self.dropouts).zip(absences) {
            if absence.window[0] >= now {
                absence.keepers = self.absent(dropout, counter.uniform2(i, 1)[0]);
            }
            absence.window = dropout.window().redraw(clock, absence.window, now, counter.uniform2(i, 0));
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 64 keepers")]
    fn absent(&self, dropout: &DropoutConfig, u: f64) -> u64 {
        let [low, high] = dropout.share;
        libm::round((low + (high - low) * u) * f64::from(self.count)) as u64
    }

    /// Dollars that a keeper will take of an offer at `discount` to mark: all of `offered` that its capital allows,
    /// or nothing if the discount does not pay for cost, exit and risk.
    #[must_use]
    pub fn appetite(&self, offer: &Offer) -> f64 {
        let takes = offer.notional.min(offer.capacity);
        if takes <= 0.0 {
            return 0.0;
        }
        let gas = self.gas * (1.0 + self.gas_stress * (offer.stress - 1.0).max(0.0));
        // An inventory unwound linearly over T has the risk of holding it for T/3 (theory T3).
        let risk = self.risk_aversion * offer.volatility * (self.unwind / 3.0).sqrt();
        let profit = takes * (offer.discount - offer.exit_cost - risk) - gas;
        if profit > 0.0 { takes } else { 0.0 }
    }

    /// Smallest discount at which a keeper takes what it can of an offer; infinite if it can take nothing.
    #[must_use]
    pub fn reservation(&self, offer: &Offer) -> f64 {
        let takes = offer.notional.min(offer.capacity);
        if takes <= 0.0 {
            return f64::INFINITY;
        }
        let gas = self.gas * (1.0 + self.gas_stress * (offer.stress - 1.0).max(0.0));
        let risk = self.risk_aversion * offer.volatility * (self.unwind / 3.0).sqrt();
        offer.exit_cost + risk + gas / takes
    }

    /// Probability that an attempt fails.
    #[must_use]
    pub fn failure_probability(&self, stress: f64) -> f64 {
        (self.failure * stress).min(0.95)
    }
}

/// A position on offer.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Size, in dollars.
    pub notional: f64,
    /// What the keeper can still carry, in dollars.
    pub capacity: f64,
    /// Discount to mark, as a fraction.
    pub discount: f64,
    /// Cost of leaving the position on the book, as a fraction.
    pub exit_cost: f64,
    /// Volatility per square root of a second.
    pub volatility: f64,
    /// Volatility over its long-run level.
    pub stress: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: Offer =
        Offer { notional: 1e5, capacity: 1e6, discount: 0.005, exit_cost: 0.001, volatility: 1e-4, stress: 1.0 };

    #[test]
    fn keepers_act_only_when_the_discount_pays() {
        let config = KeeperConfig::default();
        // Risk: 0.25 · 1e-4 · √300 = 4.3 bp; 50 − 10 − 4.3 bp of 100,000 dollars is more than 20 dollars of gas.
        assert!((config.appetite(&OFFER) - 1e5).abs() < 1e-9);
        assert!(config.appetite(&Offer { discount: 0.0014, ..OFFER }).abs() < 1e-12);
        assert!(
            config.appetite(&Offer { notional: 4_000.0, stress: 3.0, ..OFFER }).abs() < 1e-12,
            "gas eats a small one"
        );
    }

    #[test]
    fn a_reservation_is_where_appetite_begins() {
        let config = KeeperConfig::default();
        // 10 bp of exit, 4.3301… bp of risk and 2 bp of gas on 100,000 dollars.
        let least = config.reservation(&OFFER);
        assert!((least - 0.001_633_012_7).abs() < 1e-9, "{least}");
        assert!(config.appetite(&Offer { discount: least + 1e-9, ..OFFER }) > 0.0);
        assert!(config.appetite(&Offer { discount: least - 1e-9, ..OFFER }) <= 0.0);
        assert!(config.reservation(&Offer { capacity: 0.0, ..OFFER }).is_infinite());
    }

    #[test]
    fn capital_caps_what_they_take() {
        let config = KeeperConfig::default();
        assert!((config.appetite(&Offer { capacity: 3e4, ..OFFER }) - 3e4).abs() < 1e-9);
        assert!(config.appetite(&Offer { capacity: 0.0, ..OFFER }).abs() < 1e-12);
    }
}
