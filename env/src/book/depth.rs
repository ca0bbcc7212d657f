//! `DepthBook`: makers' quotes summed on a relative grid, over a latent book of linear density.
//!
//! Displayed quotes move with news, at once: makers requote. When flow moves the price, quotes stay where they rest,
//! so a falling price meets the bids that were deeper before. What aggressive flow eats comes back at a finite rate, and only out of the *latent book*, which is empty at its anchor
//! and grows linearly away from it. News moves the latent book with the price; flow does not, until the anchor has
//! followed. A one-way flow therefore eats through the latent book, and with linear density the distance that it
//! has to go grows with the square root of its volume.
//!
//! # Reference
//! Tóth et al. 2011 (arXiv:1105.1694); Donier et al. 2015 (arXiv:1412.0141), §3. Displayed depth follows
//! width^0.67 (3.5 M dollars within 10 bp and 16.5 M within 100 bp of BTC on Binance, Amberdata 2025).

use serde::{Deserialize, Serialize};

use super::{Book, Fill, Side};
use crate::error::Problems;
use crate::units::{Price, Qty, Usd};

/// Width of a level, relative to the fair price: 2 bp.
const LEVEL: f64 = 2e-4;
/// Levels on each side: 25 % of the price.
const LEVELS: usize = 1_250;
/// Innermost levels, refreshed every tick: 64 bp.
const NEAR: usize = 32;
/// Outer levels, refreshed in turn: a whole side takes [`ROUND`] ticks.
const CHUNK: usize = 42;
/// Ticks in which every outer level is refreshed once.
const ROUND: usize = (LEVELS - NEAR).div_ceil(CHUNK);
/// Distance from its level, in levels, at which the price has settled in another one.
const SETTLED: f64 = 0.75;
/// Centres of the levels, in levels from the fair price.
const CENTRES: [f32; LEVELS] = centres();
/// Slots of latent holes; a hole far from the price has decayed before its slot is met again.
const SLOTS: usize = 2_048;

/// Parameters of the depth book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DepthConfig {
    /// Displayed value within 1 % of mid on each side, in dollars, when makers quote in full. > 0.
    pub depth_1pct: f64,
    /// Exponent of cumulative displayed depth in width. In [0.3, 1]; 0.67 (Amberdata 2025, see module).
    pub depth_exponent: f64,
    /// Share of displayed depth beyond 4 % that stays when makers withdraw. In [0, 1]; on 10 October 2025 the
    /// 4–10 % bands stayed quoted (FTI Consulting / Amberdata).
    pub far_share: f64,
    /// Value of the latent book within 1 % of the price on each side, in dollars. > 0. With square-root impact
    /// `Y σ √(Q/V)` it is `V (1 % / Y σ)²`.
    pub latent_1pct: f64,
    /// Half-life of a displayed level's replenishment, in seconds. In [0.1, 600].
    pub refill_half_life: f64,
    /// Half-life of a hole in the latent book, in seconds. In [1, 86400].
    pub latent_half_life: f64,
    /// Speed at which makers' fair price follows the book, per second. In [0, 1].
    pub learning_rate: f64,
    /// Half the quoted spread in calm, in basis points. In [0.05, 50].
    pub half_spread_bp: f64,
    /// Size at which mid and spread are quoted, in dollars. > 0; dYdX calls it impact notional.
    pub impact_notional: f64,
}

impl Default for DepthConfig {
    fn default() -> Self {
        Self {
            depth_1pct: 12e6,
            depth_exponent: 0.67,
            far_share: 0.6,
            latent_1pct: 60e6,
            refill_half_life: 4.0,
            latent_half_life: 180.0,
            learning_rate: 0.03,
            half_spread_bp: 0.5,
            impact_notional: 50e3,
        }
    }
}

impl DepthConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("depth_1pct", self.depth_1pct, 1e3, 1e12),
            ("depth_exponent", self.depth_exponent, 0.3, 1.0),
            ("far_share", self.far_share, 0.0, 1.0),
            ("latent_1pct", self.latent_1pct, 1e3, 1e13),
            ("refill_half_life", self.refill_half_life, 0.1, 600.0),
            ("latent_half_life", self.latent_half_life, 1.0, 86_400.0),
            ("learning_rate", self.learning_rate, 0.0, 1.0),
            ("half_spread_bp", self.half_spread_bp, 0.05, 50.0),
            ("impact_notional", self.impact_notional, 1.0, 1e9),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }
}

const fn centres() -> [f32; LEVELS] {
    let mut centres = [0.5; LEVELS];
    let mut level = 1;
    while level < LEVELS {
        centres[level] = centres[level - 1] + 1.0;
        level += 1;
    }
    centres
}

/// Rates of one refresh, compounded over the ticks since the last.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Rates {
    refill: f32,
    heal: f32,
}

impl Rates {
    fn over(config: &DepthConfig, seconds: f64) -> Self {
        let decay = |half_life: f64| 1.0 - libm::exp2(-seconds / half_life);
        Self { refill: narrow(decay(config.refill_half_life)), heal: narrow(1.0 - decay(config.latent_half_life)) }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "book densities are single precision: behaviour, not money")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "level numbers are far below 2^52")]
fn offset(level: usize) -> f64 {
    level as f64 * LEVEL
}

/// What quotes are refreshed towards.
#[derive(Clone, Copy, Debug)]
struct Depth {
    /// Makers' quoting, relative to full.
    liquidity: f32,
    /// Coins that the latent book gains per level of distance from its anchor.
    slope: f32,
    /// Latent book, relative to full.
    scale: f32,
}

/// One side of the book, outward from the fair price.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Half {
    /// Coins displayed, by level.
    displayed: Vec<f32>,
    /// Coins eaten out of the latent book and not yet back, by absolute level modulo [`SLOTS`].
    holes: Vec<f32>,
    /// Coins displayed in full, times the makers' liquidity.
    near: Vec<f32>,
    /// Coins displayed whatever the makers do.
    far: Vec<f32>,
    /// Level of the fair price in the latent book's coordinate, counted outward.
    origin: i64,
    /// Where the latent book is empty, counted outward from `origin`, in levels.
    empty: f32,
}

/// What makers do to the book in one tick.
#[derive(Clone, Copy, Debug)]
pub struct Quotes {
    /// Change of the fair price that everybody learns at once, in dollars.
    pub news: f64,
    /// Change of the fair price towards other venues, in dollars.
    pub pull: f64,
    /// Half the quoted spread, relative.
    pub half_spread: f64,
    /// Quoting on the bid and on the ask, relative to full.
    pub liquidity: [f64; 2],
    /// Latent book relative to full.
    pub latent: f64,
}

/// Sum of makers' quotes on a relative grid; see the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DepthBook {
    asks: Half,
    bids: Half,
    fair: f64,
    mid: f64,
    half_spread: f64,
    quoted_half_spread: f64,
    /// How far flow has moved the fair price, in levels; news does not count.
    moved: f64,
    /// Where the latent book is empty, in the same coordinate.
    anchor: f64,
    anchor_rate: f64,
    latent_slope: f32,
    every: Rates,
    round: Rates,
    turn: usize,
    impact_notional: f64,
    learning: f64,
}

impl Half {
    fn new(config: &DepthConfig, price: f64) -> Self {
        // Cumulative depth c·w^e with c set by the depth within 1 %.
        let cumulative =
            |level: usize| config.depth_1pct / price * libm::pow(offset(level) / 0.01, config.depth_exponent);
        let full: Vec<f64> = (0..LEVELS).map(|i| cumulative(i + 1) - cumulative(i)).collect();
        // The share that stays rises smoothly around 4 %.
        let stays: Vec<f64> = (0..LEVELS)
            .map(|i| {
                let w = offset(i) / 0.04;
                config.far_share * (w * w * w) / (1.0 + w * w * w)
            })
            .collect();
        let near: Vec<f32> = full.iter().zip(&stays).map(|(f, s)| narrow(f * (1.0 - s))).collect();
        let far: Vec<f32> = full.iter().zip(&stays).map(|(f, s)| narrow(f * s)).collect();
        let displayed = full.iter().map(|&f| narrow(f)).collect();
        Self { displayed, holes: vec![0.0; SLOTS], near, far, origin: 0, empty: 0.0 }
    }

    /// Lets the fair price come `levels` closer: resting quotes stay where they are, so their offsets shrink. What
    /// comes into view far out is quoted in full; what opens up next to the price is empty.
    fn approach(&mut self, levels: i64) {
        let by = usize::try_from(levels.unsigned_abs()).unwrap_or(LEVELS).min(LEVELS);
        if levels > 0 {
            self.displayed.copy_within(by.., 0);
            for level in LEVELS - by..LEVELS {
                self.displayed[level] = self.near[level] + self.far[level];
            }
        } else if levels < 0 {
            self.displayed.copy_within(..LEVELS - by, by);
            self.displayed[..by].fill(0.0);
        }
    }

    /// Moves quotes on levels `[from, to)` towards what makers would show, as far as the latent book still holds it.
    #[inline]
    fn refresh(&mut self, from: usize, to: usize, depth: Depth, rates: Rates) {
        let start = slot(self.origin, from);
        let length = to - from;
        let head = length.min(SLOTS - start);
        self.refresh_run(from, start, head, depth, rates);
        if head < length {
            self.refresh_run(from + head, 0, length - head, depth, rates);
        }
    }

    #[inline]
    fn refresh_run(&mut self, from: usize, start: usize, length: usize, depth: Depth, rates: Rates) {
        let Depth { liquidity, slope, scale } = depth;
        let displayed = &mut self.displayed[from..from + length];
        let near = &self.near[from..from + length];
        let far = &self.far[from..from + length];
        let holes = &mut self.holes[start..start + length];
        let centres = &CENTRES[from..from + length];
        let empty = self.empty;
        // Comparisons instead of `min` and `max`: they compile to one vector instruction each.
        let least = |a: f32, b: f32| if a < b { a } else { b };
        let most = |a: f32, b: f32| if a > b { a } else { b };
        for ((((d, n), f), hole), centre) in displayed.iter_mut().zip(near).zip(far).zip(holes).zip(centres) {
            // What is left of the latent book at this price: what full quotes would show, and the linear part.
            let left = scale * (n + f + slope * most(centre - empty, 0.0)) - *hole;
            let target = least(liquidity * n + f, most(left, 0.0));
            *d += (target - *d) * rates.refill;
            *hole *= rates.heal;
        }
    }

    /// Takes up to `coins` within `reach` (relative to fair, spread excluded): coins taken and their mean offset.
    fn take(&mut self, coins: f64, reach: f64) -> (f64, f64) {
        let mut left = coins;
        let mut weighted = 0.0;
        for level in 0..LEVELS {
            let inner = offset(level);
            if left <= 0.0 || inner >= reach {
                break;
            }
            let displayed = f64::from(self.displayed[level]);
            if displayed <= 0.0 {
                continue;
            }
            // Quotes lie evenly inside a level; a limit inside it reaches a part of them.
            let reachable = displayed * ((reach - inner) / LEVEL).min(1.0);
            let taken = left.min(reachable);
            weighted += taken * (inner + 0.5 * LEVEL * taken / displayed);
            self.displayed[level] = narrow(displayed - taken).max(0.0);
            self.holes[slot(self.origin, level)] += narrow(taken);
            left -= taken;
        }
        let taken = coins - left.max(0.0);
        (taken, if taken > 0.0 { weighted / taken } else { 0.0 })
    }

    /// Mean offset of taking `coins`, without taking them; beyond the grid, its edge.
    fn quote(&self, coins: f64) -> f64 {
        let mut left = coins;
        let mut weighted = 0.0;
        for level in 0..LEVELS {
            let displayed = f64::from(self.displayed[level]);
            if displayed > 0.0 {
                let taken = left.min(displayed);
                weighted += taken * (offset(level) + 0.5 * LEVEL * taken / displayed);
                left -= taken;
                if left <= 0.0 {
                    return weighted / coins;
                }
            }
        }
        (weighted + left * offset(LEVELS)) / coins
    }

    fn depth(&self, distance: f64) -> f64 {
        let mut coins = 0.0;
        for level in 0..LEVELS {
            let inner = offset(level);
            if inner >= distance {
                break;
            }
            coins += f64::from(self.displayed[level]) * ((distance - inner) / LEVEL).min(1.0);
        }
        coins
    }
}

/// Slot of the hole that stands `level` levels outward of `origin`.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "reduced modulo SLOTS")]
const fn slot(origin: i64, level: usize) -> usize {
    (origin + level as i64).rem_euclid(SLOTS as i64) as usize
}

impl DepthBook {
    /// A full book around `price`, for ticks of `seconds`.
    #[must_use]
    pub fn new(config: &DepthConfig, price: f64, seconds: f64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let round = ROUND as f64;
        // Latent value within 1 % is slope·n²/2 over n levels.
        let levels = 0.01 / LEVEL;
        let mut book = Self {
            asks: Half::new(config, price),
            bids: Half::new(config, price),
            fair: price,
            mid: price,
            half_spread: 0.0,
            quoted_half_spread: config.half_spread_bp * 1e-4,
            moved: 0.0,
            anchor: 0.0,
            anchor_rate: 1.0 - libm::exp2(-seconds / config.latent_half_life),
            latent_slope: narrow(2.0 * config.latent_1pct / price / (levels * levels)),
            every: Rates::over(config, seconds),
            round: Rates::over(config, seconds * round),
            turn: 0,
            impact_notional: config.impact_notional,
            learning: 1.0 - libm::pow(1.0 - config.learning_rate, seconds),
        };
        book.place();
        book.requote();
        book
    }

    /// Makers' fair price, in dollars.
    #[must_use]
    pub fn fair(&self) -> f64 {
        self.fair
    }

    /// Lets makers move their fair price, widen their spread and replenish their quotes: once a tick.
    pub fn refresh(&mut self, quotes: Quotes) {
        let Quotes { news, pull, half_spread, liquidity, latent } = quotes;
        let flow = self.learning * (self.mid - self.fair) + pull;
        self.moved += flow / (self.fair * LEVEL);
        self.anchor += self.anchor_rate * (self.moved - self.anchor);
        self.fair += flow + news;
        self.quoted_half_spread = half_spread;
        self.place();
        let from = NEAR + self.turn * CHUNK;
        let to = (from + CHUNK).min(LEVELS);
        self.turn = (self.turn + 1) % ROUND;
        for (half, liquidity) in [(&mut self.bids, liquidity[0]), (&mut self.asks, liquidity[1])] {
            let depth = Depth { liquidity: narrow(liquidity), slope: self.latent_slope, scale: narrow(latent) };
            half.refresh(0, NEAR, depth, self.every);
            half.refresh(from, to, depth, self.round);
        }
        self.requote();
    }

    /// Puts the fair price on the grid of the latent book.
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand levels")]
    fn place(&mut self) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand levels")]
        let from_here = self.moved - self.asks.origin as f64;
        // Quotes are shifted by whole levels, and only once the price is well inside the next one: a price that
        // hovers at an edge does not wipe the levels around it.
        let level = if from_here.abs() > SETTLED { libm::round(self.moved) as i64 } else { self.asks.origin };
        let risen = level - self.asks.origin;
        self.asks.approach(risen);
        self.bids.approach(-risen);
        self.asks.origin = level;
        self.bids.origin = -level - 1;
        self.asks.empty = narrow(self.anchor - self.moved);
        self.bids.empty = narrow(self.moved - self.anchor);
    }

    /// Recomputes mid and spread from the prices of the reference size.
    fn requote(&mut self) {
        let coins = self.impact_notional / self.fair;
        let (ask, bid) = (self.asks.quote(coins), self.bids.quote(coins));
        self.half_spread = self.quoted_half_spread + 0.5 * (ask + bid);
        self.mid = self.fair * (1.0 + 0.5 * (ask - bid));
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        }
    }
}

impl Book for DepthBook {
    fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill {
        if qty.is_zero() {
            return Fill::default();
        }
        let side = Side::of(qty);
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let reach =
            limit.map_or(f64::INFINITY, |limit| sign * (limit.as_f64() / self.fair - 1.0) - self.quoted_half_spread);
        let half = match side {
            Side::Buy => &mut self.asks,
            Side::Sell => &mut self.bids,
        };
        let (coins, mean) = half.take(qty.abs().as_f64(), reach);
        let filled = Qty::from_f64(coins).min(qty.abs());
        if filled.is_zero() {
            return Fill::default();
        }
        let price = self.fair * (1.0 + sign * (mean + self.quoted_half_spread));
        let value = Usd::from_f64(filled.as_f64() * price);
        self.requote();
        match side {
            Side::Buy => Fill { qty: filled, value },
            Side::Sell => Fill { qty: -filled, value: -value },
        }
    }

    fn mid(&self) -> f64 {
        self.mid
    }

    fn half_spread(&self) -> f64 {
        self.half_spread
    }

    fn depth(&self, side: Side, distance: f64) -> f64 {
        self.half(side).depth(distance - self.quoted_half_spread)
    }

    fn impact(&self, side: Side, coins: f64) -> f64 {
        if coins <= 0.0 { 0.0 } else { self.half(side).quote(coins) + self.quoted_half_spread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Quotes = Quotes { news: 0.0, pull: 0.0, half_spread: 5e-5, liquidity: [1.0, 1.0], latent: 1.0 };

    fn book() -> DepthBook {
        DepthBook::new(&DepthConfig::default(), 50_000.0, 1.0)
    }

    #[test]
    fn a_full_book_shows_the_configured_depth_profile() {
        let book = book();
        let within = |bp: f64| book.half(Side::Buy).depth(bp * 1e-4) * 50_000.0;
        assert!((within(100.0) / 12e6 - 1.0).abs() < 1e-3);
        // width^0.67: a tenth of the width holds 10^-0.67 of the depth.
        assert!((within(10.0) / within(100.0) - 0.2138).abs() < 1e-3);
    }

    #[test]
    fn a_larger_order_pays_more_and_a_limit_caps_what_it_pays() {
        let cost = |coins: f64| {
            let fill = book().take(Qty::from_f64(coins), None);
            fill.value.as_f64() / fill.qty.as_f64()
        };
        assert!(cost(100.0) > cost(10.0) && cost(10.0) > 50_000.0);
        let limit = Price::from_f64(49_900.0);
        let fill = book().take(Qty::from_f64(-10_000.0), Some(limit));
        assert!(fill.qty.as_f64() > -10_000.0 && fill.qty.is_negative());
        assert!(fill.value.as_f64() / fill.qty.as_f64() >= 49_900.0);
    }

    #[test]
    fn a_hole_heals_and_the_price_keeps_part_of_the_impact() {
        let mut book = book();
        let before = book.half(Side::Sell).depth(0.005);
        let _ = book.take(Qty::from_f64(-120.0), None);
        assert!(book.half(Side::Sell).depth(0.005) < 0.5 * before);
        assert!(book.mid() < 50_000.0);
        for _ in 0..600 {
            book.refresh(IDLE);
        }
        assert!(book.half(Side::Sell).depth(0.005) > 0.8 * before);
        assert!(book.mid() < 49_999.0, "some impact is permanent without a pull from outside");
    }

    #[test]
    fn a_metaorder_in_slices_moves_the_price_by_the_square_root_of_its_size() {
        // Same pace, four times the size: a square root doubles the impact, a linear law quadruples it.
        let impact = |slices: usize| {
            let mut book = book();
            for _ in 0..slices {
                let _ = book.take(Qty::from_f64(4.0), None);
                book.refresh(IDLE);
            }
            book.mid() / 50_000.0 - 1.0
        };
        let exponent = libm::log(impact(1_600) / impact(400)) / libm::log(4.0);
        assert!((0.35..0.95).contains(&exponent), "exponent {exponent}");
    }
}
