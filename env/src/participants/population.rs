//! The population at reset: who is large, who is levered, who is already in the market, and where it came in.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::traders::{Motive, TraderConfig, pareto_beyond};
use crate::rng::{Counter, normal_quantile};

/// What does not change about the traders, and when they come back, by account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Traders {
    /// Index of the class.
    pub class: Vec<u8>,
    /// Collateral that a fresh position is opened with, in dollars.
    pub wealth: Vec<f32>,
    /// Leverage that the trader likes.
    pub leverage: Vec<f32>,
    /// Tick before which it does not act: after a liquidation.
    pub asleep_until: Vec<u32>,
    /// First account of each class; one more entry than classes.
    pub first: Vec<u32>,
}

/// A position that stands at reset.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Account.
    pub id: u32,
    /// Signed notional at the price of reset, in dollars.
    pub notional: f64,
    /// Equity at the price of reset, in dollars.
    pub equity: f64,
    /// Entry price over the price of reset.
    pub entry: f64,
}

/// Which way owners of several positions look: one draw an owner, which a share of its positions follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Views {
    /// Draws of the owners, shared by all instruments of a venue.
    pub(crate) owners: Counter,
    /// Draws of this instrument.
    pub(crate) own: Counter,
    /// Share of positions that follow.
    pub(crate) overlap: f64,
}

impl Views {
    /// The uniform that decides a position's side: the owner's, or else its own.
    fn side(&self, id: u32, own: f64) -> f64 {
        let follows = self.own.uniform2(u64::from(id), 0)[0] < self.overlap;
        if follows { self.owners.uniform2(u64::from(id), 0)[0] } else { own }
    }
}

/// Share of traders that hold a position at reset.
const HOLDERS: f64 = 0.65;

/// A uniform draw on (0, 1).
#[expect(clippy::cast_precision_loss, reason = "52 bits are exact in an f64")]
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

#[expect(clippy::cast_possible_truncation, reason = "wealth and leverage are behaviour, not money")]
fn narrow(value: f64) -> f32 {
    value as f32
}

impl Traders {
    /// Draws a population and its standing positions.
    ///
    /// Longs add up to the configured open interest. Basis traders are scaled so that they carry the short side
    /// that others leave, up to 90 % of it; makers hold the rest.
    #[must_use]
    pub fn draw(
        config: &TraderConfig,
        max_leverage: f64,
        maintenance: f64,
        rng: &mut ChaCha8Rng,
    ) -> (Self, Vec<Standing>) {
        Self::draw_with(config, [max_leverage, maintenance], None, rng)
    }

    /// As [`Traders::draw`], with sides that positions in several instruments share.
    pub(crate) fn draw_with(
        config: &TraderConfig,
        [max_leverage, maintenance]: [f64; 2],
        views: Option<&Views>,
        rng: &mut ChaCha8Rng,
    ) -> (Self, Vec<Standing>) {
        let accounts = config.accounts as usize;
        let mut traders = Self {
            class: Vec::with_capacity(accounts),
            leverage: Vec::with_capacity(accounts),
            asleep_until: Vec::with_capacity(accounts),
            first: vec![0],
            ..Self::default()
        };
        let mut cumulative = 0.0;
        for class in &config.classes {
            cumulative += class.share;
            traders.first.push(count(cumulative * f64::from(config.accounts)));
        }
        let mut notionals = Vec::with_capacity(accounts);
        let mut standing = Vec::with_capacity(accounts);
        let beyond = libm::pow(config.size_range, -config.size_tail);
        for (c, class) in (0_u8..).zip(&config.classes) {
            for id in traders.first[usize::from(c)]..traders.first[usize::from(c) + 1] {
                let size = class.size * pareto_beyond(uniform(rng), config.size_tail, beyond);
                let spread = class.leverage_spread * normal_quantile(uniform(rng));
                let leverage = (class.leverage * libm::exp(spread)).clamp(1.0, max_leverage);
                let holds = uniform(rng) < HOLDERS;
                let side = uniform(rng);
                let side = views.map_or(side, |views| views.side(id, side));
                let side = if side < class.long_bias { 1.0 } else { -1.0 };
                let entry = libm::exp(config.entry_spread * normal_quantile(uniform(rng)));
                traders.class.push(c);
                traders.leverage.push(narrow(leverage));
                traders.asleep_until.push(0);
                notionals.push(size);
                if holds {
                    standing.push((id, side, entry));
                }
            }
        }
        let scale = scales(config, &traders, &notionals, &standing);
        for (notional, class) in notionals.iter_mut().zip(&traders.class) {
            *notional *= scale[usize::from(config.classes[usize::from(*class)].motive == Motive::Basis)];
        }
        traders.wealth = notionals.iter().zip(&traders.leverage).map(|(n, l)| narrow(n / f64::from(*l))).collect();
        let positions = standing.iter().map(|&(id, side, entry)| {
            let (notional, leverage) = (notionals[id as usize], f64::from(traders.leverage[id as usize]));
            // Who came in at a better price has earned; nobody stands at reset who would be called at once.
            let equity = notional * (1.0 / leverage + side * (1.0 - entry)).max(2.2 * maintenance);
            Standing { id, notional: side * notional, equity, entry }
        });
        let positions = positions.collect();
        (traders, positions)
    }

    /// Memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let singles = self.wealth.capacity() + self.leverage.capacity();
        self.class.capacity() + 4 * (singles + self.asleep_until.capacity() + self.first.capacity())
    }

    /// Adds an account of no class, which nobody but its owner acts for.
    pub fn enlist(&mut self, wealth: f64) {
        self.class.push(0);
        self.wealth.push(narrow(wealth));
        self.leverage.push(1.0);
        self.asleep_until.push(0);
    }
}

/// Factors on the notional of ordinary and of basis traders.
fn scales(config: &TraderConfig, traders: &Traders, notionals: &[f64], standing: &[(u32, f64, f64)]) -> [f64; 2] {
    let (mut long, mut short, mut basis) = (0.0, 0.0, 0.0);
    for &(id, side, _) in standing {
        let notional = notionals[id as usize];
        let is_basis = config.classes[usize::from(traders.class[id as usize])].motive == Motive::Basis;
        match (is_basis, side > 0.0) {
            (true, false) => basis += notional,
            (_, true) => long += notional,
            (false, false) => short += notional,
        }
    }
    let ordinary = config.open_interest / long.max(1e-9);
    let left = (0.9 * (config.open_interest - short * ordinary)).max(0.0);
    // A basis class without weight keeps its own scale.
    let basis = if basis > 0.0 { (left / basis).max(0.05 * ordinary) } else { ordinary };
    [ordinary, basis]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an account count below 2^32")]
fn count(value: f64) -> u32 {
    libm::round(value) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, SeedTree};

    #[test]
    fn standing_longs_make_the_configured_open_interest_and_shorts_nearly_balance() {
        let config = TraderConfig::default();
        let mut rng = SeedTree::new(3).stream(Purpose::Population, 0);
        let (traders, standing) = Traders::draw(&config, 50.0, 0.01, &mut rng);
        assert_eq!(traders.class.len(), 2_000);
        let long: f64 = standing.iter().map(|s| s.notional.max(0.0)).sum();
        let short: f64 = standing.iter().map(|s| -s.notional.min(0.0)).sum();
        // Basis longs (5 % of the class) are scaled apart from the rest.
        assert!((long / 400e6 - 1.0).abs() < 0.1, "{long}");
        assert!(short > 0.6 * long && short < 1.3 * long, "{short}");
        assert!(standing.iter().all(|s| s.equity >= 2.2 * 0.01 * s.notional.abs() - 1e-6));
    }
}
