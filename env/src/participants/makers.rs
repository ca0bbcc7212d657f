//! Market makers: they widen with volatility, thin out with inventory and drawdown, withdraw in stress and come
//! back slowly.
//!
//! # Reference
//! Guéant 2017 (arXiv:1605.01862) for the form of the quotes; Brunnermeier & Pedersen 2009 for withdrawal with
//! funding; depth −90 % at the low of 10 October 2025 and −30 % a month later (FTI Consulting, `CoinDesk` Research).

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Parameters of the makers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MakerConfig {
    /// Number of makers. In [1, 64].
    pub count: u32,
    /// Capital of each, over reference open interest. In [0.001, 10].
    pub capital: f64,
    /// Largest inventory of each, over its capital. In [0.1, 20].
    pub inventory_limit: f64,
    /// Decay of quoted size per unit of excess volatility (volatility over long-run, less one). In [0, 5].
    pub volatility_aversion: f64,
    /// Widening of the spread per unit of excess volatility. In [0, 10].
    pub widening: f64,
    /// Shift of the fair price at full inventory, in basis points. In [0, 200].
    pub skew_bp: f64,
    /// Volatility over long-run at which a maker leaves; each maker's own lies within ±25 %. In [1.5, 100].
    pub exit_volatility: f64,
    /// Drawdown of capital at which a maker leaves. In [0.005, 1].
    pub exit_drawdown: f64,
    /// Time away, in seconds. In [1, 1e6].
    pub absence: f64,
    /// Half-life of the return to full size, in seconds. In [1, 1e7].
    pub return_half_life: f64,
    /// Size that stays quoted when everybody has left. In [0.001, 0.5].
    pub floor: f64,
    /// Speed at which makers' fair price follows other venues, and that of other venues home by its share of the
    /// market, per second. In [0, 1].
    pub coupling: f64,
}

impl Default for MakerConfig {
    fn default() -> Self {
        Self {
            count: 8,
            capital: 0.06,
            inventory_limit: 2.0,
            volatility_aversion: 0.45,
            widening: 0.8,
            skew_bp: 4.0,
            exit_volatility: 6.0,
            exit_drawdown: 0.08,
            absence: 600.0,
            return_half_life: 1_200.0,
            floor: 0.25,
            coupling: 0.3,
        }
    }
}

impl MakerConfig {
    /// Share of what a maker lacks to its full size that it takes back in `seconds`.
    #[must_use]
    pub fn recovery(&self, seconds: f64) -> f64 {
        1.0 - libm::exp2(-seconds / self.return_half_life)
    }

    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("count", f64::from(self.count), 1.0, 64.0),
            ("capital", self.capital, 0.001, 10.0),
            ("inventory_limit", self.inventory_limit, 0.1, 20.0),
            ("volatility_aversion", self.volatility_aversion, 0.0, 5.0),
            ("widening", self.widening, 0.0, 10.0),
            ("skew_bp", self.skew_bp, 0.0, 200.0),
            ("exit_volatility", self.exit_volatility, 1.5, 100.0),
            ("exit_drawdown", self.exit_drawdown, 0.005, 1.0),
            ("absence", self.absence, 1.0, 1e6),
            ("return_half_life", self.return_half_life, 1.0, 1e7),
            ("floor", self.floor, 0.001, 0.5),
            ("coupling", self.coupling, 0.0, 1.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }
}

/// One maker's quoting.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maker {
    /// Willingness to quote, in [0, 1]: falls at once, comes back slowly.
    pub size: f64,
    /// Quoting on the bid, in [0, 1.5].
    pub bid: f64,
    /// Quoting on the ask, in [0, 1.5].
    pub ask: f64,
    /// Highest equity seen, in dollars.
    pub peak: f64,
    /// Tick until which it stays away.
    pub away_until: u64,
    /// Its own exit volatility.
    pub exit_volatility: f64,
}

/// What a maker sees of itself and of the market.
#[derive(Clone, Copy, Debug)]
pub struct MakerView {
    /// Tick of the market.
    pub tick: u64,
    /// Share of what it lacks to its full size that it takes back since it last looked.
    pub recovery: f64,
    /// Volatility over its long-run level.
    pub stress: f64,
    /// Own equity, in dollars.
    pub equity: f64,
    /// Own inventory over its limit; positive is long.
    pub inventory: f64,
    /// Ticks in one second.
    pub ticks_per_second: f64,
}

impl Maker {
    /// A maker that quotes in full with `capital` dollars.
    #[must_use]
    pub const fn new(capital: f64, exit_volatility: f64) -> Self {
        Self { size: 1.0, bid: 1.0, ask: 1.0, peak: capital, away_until: 0, exit_volatility }
    }

    /// Looks at the market and decides what to quote.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "validated durations in ticks")]
    pub fn requote(&mut self, config: &MakerConfig, view: &MakerView) {
        self.peak = self.peak.max(view.equity);
        let drawdown = 1.0 - view.equity / self.peak;
        if view.stress > self.exit_volatility || drawdown > config.exit_drawdown {
            self.away_until = view.tick + (config.absence * view.ticks_per_second) as u64;
            // A maker that comes back judges its losses from where it stands then.
            self.peak = view.equity.max(1.0);
        }
        let present = view.tick >= self.away_until;
        let wanted = if present { libm::exp(-config.volatility_aversion * (view.stress - 1.0).max(0.0)) } else { 0.0 };
        if wanted < self.size {
            self.size = wanted;
        } else if wanted > self.size {
            self.size += (wanted - self.size) * view.recovery;
        }
        let inventory = view.inventory.clamp(-1.0, 1.0);
        self.bid = self.size * (1.0 - inventory);
        self.ask = self.size * (1.0 + inventory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: MakerView =
        MakerView { tick: 0, recovery: 0.0, stress: 1.0, equity: 1e6, inventory: 0.0, ticks_per_second: 1.0 };

    #[test]
    fn a_maker_leaves_at_once_and_returns_slowly() {
        let config = MakerConfig::default();
        let mut maker = Maker::new(1e6, config.exit_volatility);
        maker.requote(&config, &MakerView { stress: 7.0, ..CALM });
        assert!(maker.size < 1e-12, "gone in stress");
        maker.requote(&config, &MakerView { tick: 599, ..CALM });
        assert!(maker.size < 1e-12, "still away");
        // Away for 600 s, then one half-life of 1,200 s in steps of 8 s brings back one half.
        for step in 0..150 {
            maker.requote(&config, &MakerView { tick: 600 + step * 8, recovery: config.recovery(8.0), ..CALM });
        }
        assert!((maker.size - 0.5).abs() < 1e-9, "{}", maker.size);
    }

    #[test]
    fn inventory_thins_the_side_that_would_add_to_it() {
        let config = MakerConfig::default();
        let mut maker = Maker::new(1e6, config.exit_volatility);
        maker.requote(&config, &MakerView { inventory: 0.5, ..CALM });
        assert!((maker.bid - 0.5).abs() < 1e-12 && (maker.ask - 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_drawdown_sends_a_maker_away() {
        let config = MakerConfig::default();
        let mut maker = Maker::new(1e6, config.exit_volatility);
        maker.requote(&config, &MakerView { equity: 0.9e6, ..CALM });
        assert!(maker.bid < 1e-12 && maker.ask < 1e-12);
    }
}
