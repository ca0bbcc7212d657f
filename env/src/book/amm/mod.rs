//! `AmmBook`: an automated market maker, by constant product or with concentrated liquidity.
//!
//! A pool has a price and, in ranges of price, liquidity L; a swap moves along the curve and pays a fee in dollars
//! either way. Nobody requotes: news does not move the price, arbitrageurs do. Market makers are the pool's providers.
//! They withdraw and return in proportion to every range, the mean of what they would quote on the bid and on the ask
//! (a provider has no side), set up ranges anew around a price that has left their centre, and may re-peg.
//! As on a virtual market, the venue's ledger holds what providers gain and lose, fees included; the pool's reserves are
//! bookkeeping. There are no gas costs here, no single provider's range, and no latent book.
//!
//! Up to a tenth above its price the default pool holds coins worth 67 M dollars, a constant product of the same depth
//! within 1 % 113 M: more than the 32 M that the default arbitrageurs may hold. A scenario whose price falls on a pool
//! widens their capacity, or bases open.
//!
//! What holds in integers, whatever is swapped and in whatever order:
//! - the pool's reserves less what its liquidity requires at its price never fall, in coins and in dollars;
//! - so x·y, with virtual reserves, is never below L², and between two refreshes swaps that add up to no coins never
//!   gain dollars;
//! - without a limit, an order in pieces never pays less, or is paid more, than the whole order;
//! - no fill is worse than its limit, fee included. What rounding alone would carry beyond it does not fill.
//!
//! # Reference
//! Adams et al. 2021, *Uniswap v3 Core*. The fee in the quote currency alone is Perpetual Protocol v2's, the re-peg
//! of a virtual market Drift Protocol v1's.

mod config;
mod pool;
mod shape;
mod swap;
#[cfg(test)]
mod tests;

pub use config::{AmmConfig, Curve};

use ethnum::U256;
use serde::{Deserialize, Serialize};

use super::{Book, BookConfig, Fill, Quotes, Side};
use crate::units::{Price, Qty, Rate, Usd};
use pool::Pool;
use shape::{RAW_COINS, RAW_DOLLARS, Shape, float, raw_root, root_of, scaled, times};
use swap::FRACTION;

/// Providers leave their liquidity where it is within this share of what they want: a change costs gas.
const TOLERANCE: f64 = 0.01;

/// A pool behind the interface of a book; see the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AmmBook {
    pool: Pool,
    shape: Shape,
    /// Root of the price that the ranges surround.
    centre: u128,
    /// Share of full that providers stand at.
    provided: f64,
    fee: Rate,
    /// Relative distance of price from centre at which ranges are set up anew; none if never.
    recentre_at: Option<f64>,
    /// Share of the gap to the price outside that a tick closes.
    repeg: f64,
    impact_notional: f64,
    mid: f64,
    half_spread: f64,
}

impl AmmBook {
    /// A full pool at `price` dollars, for ticks of `seconds`.
    ///
    /// # Panics
    /// If the price is not between 1e-6 and 1e9 dollars, or a parameter is out of its bounds.
    #[must_use]
    pub fn new(config: &BookConfig, price: f64, seconds: f64) -> Self {
        let amm = &config.amm;
        let ranged = amm.curve == Curve::Concentrated && amm.recentre_at > 0.0;
        let (shape, centre) = (Shape::new(config, price), root_of(price));
        let pool = Pool::new(centre, shape.edges(centre).collect(), shape.liquidity(1.0).collect());
        let mut book = Self {
            pool,
            shape,
            centre,
            provided: 1.0,
            fee: Rate::from_f64(amm.fee_bp * 1e-4),
            recentre_at: ranged.then_some(amm.recentre_at),
            repeg: 1.0 - libm::pow(1.0 - amm.repeg_rate, seconds),
            impact_notional: config.impact_notional,
            mid: price,
            half_spread: 0.0,
        };
        book.reprice();
        book
    }

    /// The pool's price, in dollars, without fee.
    #[must_use]
    pub fn price(&self) -> f64 {
        dollars(float(self.pool.root()))
    }

    /// Lets providers move liquidity towards `quotes.liquidity`, set up their ranges anew, and re-peg: once a tick. The
    /// rest of `quotes` is for makers who quote.
    pub fn refresh(&mut self, quotes: &Quotes) {
        let mut root = self.pool.root();
        let mut centre = self.centre;
        if self.repeg > 0.0 {
            let gap = quotes.outside / self.price();
            let ratio = scaled(libm::pow(gap, 0.5 * self.repeg));
            (root, centre) = (self.shape.within(times(root, ratio)), self.shape.within(times(centre, ratio)));
        }
        let away = dollars(float(root)) / dollars(float(centre)) - 1.0;
        if self.recentre_at.is_some_and(|most| away.abs() >= most) {
            centre = root;
        }
        let wanted = 0.5 * (quotes.liquidity[0] + quotes.liquidity[1]);
        let moves = (wanted - self.provided).abs() > TOLERANCE * self.provided;
        if !moves && centre == self.centre && root == self.pool.root() {
            return;
        }
        let share = if moves { wanted } else { self.provided };
        let shape = &self.shape;
        self.pool.provide(root, |edges, liquidity| {
            for (edge, new) in edges.iter_mut().zip(shape.edges(centre)) {
                *edge = new;
            }
            for (range, new) in liquidity.iter_mut().zip(shape.liquidity(share)) {
                *range = new;
            }
        });
        (self.provided, self.centre) = (share, centre);
        self.reprice();
    }

    /// Recomputes mid and spread from the prices of the reference size.
    fn reprice(&mut self) {
        let coins = self.impact_notional / self.price();
        let (ask, bid) = (self.mean_price(Side::Buy, coins), self.mean_price(Side::Sell, coins));
        self.mid = 0.5 * (ask + bid);
        self.half_spread = 0.5 * (ask - bid) / self.mid;
    }

    /// What one dollar of the curve costs or brings with the fee.
    fn with_fee(&self, side: Side) -> f64 {
        match side {
            Side::Buy => 1.0 + self.fee.as_f64(),
            Side::Sell => 1.0 - self.fee.as_f64(),
        }
    }

    /// Ranges outward from the price on the side that an order meets: root where it is entered, where it is left, and
    /// liquidity.
    fn outward(&self, side: Side) -> impl Iterator<Item = (f64, f64, f64)> {
        let root = self.pool.root();
        let (edges, liquidity) = (self.pool.edges(), self.pool.liquidity());
        let first = edges[1..liquidity.len()].partition_point(|&edge| edge <= root);
        let (mut at, mut entered) = (Some(first), float(root));
        std::iter::from_fn(move || {
            let range = at?;
            let (left, next) = match side {
                Side::Buy => (edges[range + 1], Some(range + 1).filter(|&next| next < liquidity.len())),
                Side::Sell => (edges[range], range.checked_sub(1)),
            };
            at = next;
            let from = std::mem::replace(&mut entered, float(left));
            #[expect(clippy::cast_precision_loss, reason = "a signal")]
            Some((from, entered, liquidity[range] as f64))
        })
    }

    /// Mean price of taking `coins`, fee included, without taking them; beyond the pool's end, its last price.
    fn mean_price(&self, side: Side, coins: f64) -> f64 {
        let (mut left, mut paid, mut last) = (coins * RAW_COINS, 0.0, float(self.pool.root()));
        for (from, to, liquidity) in self.outward(side) {
            let room = liquidity * (to - from).abs() / (from * to);
            let part = left.min(room);
            let moved = part * from / liquidity;
            let sign = if side == Side::Buy { -1.0 } else { 1.0 };
            last = if left < room { from / (1.0 + sign * moved) } else { to };
            // L·Δ√P as Δx·√P·√P′: nothing cancels, however small the order.
            paid += part * from * last;
            left -= part;
            if left <= 0.0 {
                break;
            }
        }
        (paid + left * last * last) / RAW_DOLLARS / coins * self.with_fee(side)
    }

    /// Coins between the pool's price and one of `dollars`, fee included.
    fn coins_to(&self, side: Side, dollars: f64) -> f64 {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let reach = raw_root((dollars / self.with_fee(side)).max(0.0));
        let mut coins = 0.0;
        for (from, to, liquidity) in self.outward(side) {
            if sign * (reach - from) <= 0.0 {
                break;
            }
            let end = if side == Side::Buy { to.min(reach) } else { to.max(reach) };
            coins += liquidity * (end - from).abs() / (from * end);
        }
        coins / RAW_COINS
    }

    /// Root of price at which the next coin is as dear as the limit, rounded towards the trader's side; none if every
    /// price is good enough.
    fn limit_root(&self, side: Side, limit: Price) -> Option<u128> {
        /// Binary digits behind the point of the price whose root is taken: its root has half of them.
        const DIGITS: u32 = 90;
        let Ok(limit) = u64::try_from(limit.raw()) else { return (side == Side::Buy).then_some(0) };
        let signed = if side == Side::Buy { self.fee.raw() } else { -self.fee.raw() };
        let with_fee = u64::try_from(Rate::SCALE + signed).expect("a fee below one");
        let coin = u64::try_from(Qty::SCALE).expect("positive");
        let whole = u64::try_from(Rate::SCALE).expect("positive");
        let price = (U256::from(limit) << DIGITS) * U256::from(whole) / (U256::from(coin) * U256::from(with_fee));
        let root = u128::try_from(price).expect("63 bits and 90, less 26").isqrt();
        Some(if side == Side::Buy { root } else { root + 1 } << (FRACTION - DIGITS / 2))
    }
}

impl Book for AmmBook {
    /// Swaps along the curve; the value is rounded against the taker.
    fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill {
        let side = Side::of(qty);
        let coins = u128::from(qty.raw().unsigned_abs());
        let swap = self.pool.quote(side, coins, limit.and_then(|limit| self.limit_root(side, limit)));
        if swap.coins == 0 {
            return Fill::default();
        }
        let filled = i64::try_from(swap.coins).expect("no more than was ordered");
        let net = Usd::from_raw(i64::try_from(swap.dollars).expect("a swap is worth less than nine trillion dollars"));
        let fee = net.share_ceil(self.fee);
        let fill = match side {
            Side::Buy => Fill { qty: Qty::from_raw(filled), value: net + fee },
            Side::Sell => Fill { qty: Qty::from_raw(-filled), value: -(net - fee) },
        };
        let exceeds = |limit: Price| {
            let paid = i128::from(fill.value.raw()) * i128::from(Qty::SCALE);
            paid > i128::from(fill.qty.raw()) * i128::from(limit.raw())
        };
        if limit.is_some_and(exceeds) {
            return Fill::default();
        }
        self.pool.apply(&swap);
        self.reprice();
        fill
    }

    fn mid(&self) -> f64 {
        self.mid
    }

    fn half_spread(&self) -> f64 {
        self.half_spread
    }

    fn depth(&self, side: Side, distance: f64) -> f64 {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        self.coins_to(side, self.mid * (1.0 + sign * distance))
    }

    fn reachable(&self, side: Side, limit: Price) -> f64 {
        self.coins_to(side, limit.as_f64())
    }

    fn impact(&self, side: Side, coins: f64) -> f64 {
        if coins <= 0.0 {
            return 0.0;
        }
        (self.mean_price(side, coins) / self.mid - 1.0).abs()
    }
}

/// Dollars per coin at a root of raw price.
fn dollars(root: f64) -> f64 {
    root * root * (RAW_COINS / RAW_DOLLARS)
}
