//! Where a pool's liquidity stands around its centre.

use ethnum::U256;
use serde::{Deserialize, Serialize};

use super::config::{AmmConfig, Curve};
use super::swap::FRACTION;
use crate::book::BookConfig;
use crate::units::{Qty, Usd};

/// Ratio of a pool's outermost roots to its first one: it ends at a ninth and nine times the opening price.
/// Further out, one order on an evaporated pool would carry home's share of prices elsewhere out of every range.
const REACH: u128 = 3;

/// Ranges around a centre, and their liquidity in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Outermost roots of price.
    ends: [u128; 2],
    /// Roots of one plus each width, innermost first, in units of 2⁻⁶⁴.
    ratios: Vec<u128>,
    /// Liquidity by range from the lowest price to the highest.
    full: Vec<u128>,
}

impl Shape {
    /// Ranges whose depth around `price` dollars is as the configuration says.
    pub(super) fn new(config: &BookConfig, price: f64) -> Self {
        let centre = root_of(price);
        let amm = &config.amm;
        let (widths, full_range) = match amm.curve {
            Curve::ConstantProduct => (Vec::new(), 1.0),
            Curve::Concentrated => (widths(amm), amm.full_range),
        };
        let coins = |width: f64| config.depth_1pct / price * libm::pow(width / 0.01, config.depth_exponent);
        let everywhere = full_range * liquidity(config.depth_1pct / price, price, 0.0, 0.01);
        let mut inner = 0.0;
        // From the centre outwards; a range has the liquidity that its share of depth needs.
        let mut outwards: Vec<u128> = Vec::with_capacity(widths.len() + 1);
        for &width in &widths {
            let ranged = (1.0 - full_range) * (coins(width) - coins(inner));
            outwards.push(whole(everywhere + liquidity(ranged, price, inner, width)));
            inner = width;
        }
        outwards.push(whole(everywhere));
        let full = outwards[1..].iter().rev().chain(&outwards).copied().collect();
        let ratios = widths.iter().map(|width| scaled((1.0 + width).sqrt())).collect();
        Self { ends: [centre / REACH, centre * REACH], ratios, full }
    }

    /// Ends of the ranges around the root `centre`, ascending; those beyond the pool's ends are there.
    pub(super) fn edges(&self, centre: u128) -> impl Iterator<Item = u128> {
        let [low, high] = self.ends;
        let below = self.ratios.iter().rev().map(move |&ratio| {
            // Rounded down: which way does not matter to anybody's money.
            let edge = (U256::from(centre) << FRACTION) / U256::from(ratio);
            edge.as_u128().max(low)
        });
        let above = self.ratios.iter().map(move |&ratio| times(centre, ratio).min(high));
        // A range around the centre needs no end there.
        std::iter::once(low).chain(below).chain(above).chain(std::iter::once(high))
    }

    /// Liquidity by range when providers stand at the share `liquidity` of full: at least one unit.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "asserted to be a small fraction")]
    pub(super) fn liquidity(&self, liquidity: f64) -> impl Iterator<Item = u128> {
        const WHOLE: f64 = 4_294_967_296.0;
        assert!((0.0..1e3).contains(&liquidity), "liquidity relative to full, got {liquidity}");
        let share = (liquidity * WHOLE) as u128;
        self.full.iter().map(move |&full| ((full * share) >> 32).max(1))
    }

    /// The root within the pool's ends.
    pub(super) fn within(&self, root: u128) -> u128 {
        root.clamp(self.ends[0], self.ends[1])
    }
}

/// Widths of the ranges in geometric progression.
fn widths(config: &AmmConfig) -> Vec<f64> {
    let step = libm::pow(config.widest / config.narrowest, 1.0 / f64::from(config.ranges - 1));
    (0..config.ranges).map(|at| config.narrowest * libm::pow(step, f64::from(at))).collect()
}

/// Liquidity with `coins` between `inner` and `outer` above the price.
fn liquidity(coins: f64, price: f64, inner: f64, outer: f64) -> f64 {
    let root = |width: f64| raw_root(price * (1.0 + width));
    coins * RAW_COINS / (1.0 / root(inner) - 1.0 / root(outer))
}

/// Raw units in a coin.
#[expect(clippy::cast_precision_loss, reason = "a power of ten")]
pub(super) const RAW_COINS: f64 = Qty::SCALE as f64;
/// Raw units in a dollar.
#[expect(clippy::cast_precision_loss, reason = "a power of ten")]
pub(super) const RAW_DOLLARS: f64 = Usd::SCALE as f64;

/// Root of a price of `price` dollars, of micro-dollars per 1e-8 coin.
pub(super) fn raw_root(price: f64) -> f64 {
    (price * (RAW_DOLLARS / RAW_COINS)).sqrt()
}

/// Root of a price in integer units.
///
/// # Panics
/// If the price is not between 1e-6 (one unit) and 1e9 dollars.
pub(super) fn root_of(price: f64) -> u128 {
    assert!((1e-6..=1e9).contains(&price), "a pool opens between 1e-6 and 1e9 dollars, not at {price}");
    scaled(raw_root(price))
}

/// A root times a ratio in units of 2⁻⁶⁴, rounded down.
pub(super) fn times(root: u128, ratio: u128) -> u128 {
    ((U256::from(root) * U256::from(ratio)) >> FRACTION).as_u128()
}

/// A positive float in units of 2⁻⁶⁴.
pub(super) fn scaled(value: f64) -> u128 {
    whole(value * UNIT)
}

/// Units of 2⁻⁶⁴ in one.
const UNIT: f64 = 4_294_967_296.0 * 4_294_967_296.0;

/// A root in units of 2⁻⁶⁴ as a float, for signals.
#[expect(clippy::cast_precision_loss, reason = "a signal")]
pub(super) fn float(root: u128) -> f64 {
    root as f64 / UNIT
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "asserted")]
fn whole(value: f64) -> u128 {
    assert!((1.0..1e36).contains(&value), "a pool's numbers are between 1 and 1e36, got {value}");
    value as u128
}
