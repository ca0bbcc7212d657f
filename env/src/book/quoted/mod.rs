//! `QuotedBook`: market makers' quotes as limit orders in a real [`OrderBook`].
//!
//! Each side is a geometric grid of distances from the makers' fair price; its points belong to the makers in turn.
//! At every refresh each maker moves its orders along with the fair price, those far from it less often, and brings
//! their sizes a step towards what it wants to show: within 64 bp in every tick, further out in turn. Takers come as
//! immediate-or-cancel orders, so all that rests is quotes.
//!
//! A hole stays with its quote, not with its price, and heals with one half-life. The latent book, which makes the impact
//! of metaorders a square root, stands beside it in [`super::HomeBook`] and moves the fair price; beyond its price nobody
//! quotes, as in [`super::DepthBook`], so a dump leaves a hole here too.
//!
//! # Reference
//! Shape of displayed depth: as in [`super::DepthBook`].

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::depth::{CHUNK, NEAR, ROUND};
use super::order::{
    AccountId, Event, Fees, Lots, NewOrder, OrderBook, OrderBookConfig, OrderId, Resting, Tick, TimeInForce, Trade,
};
use super::{Book, BookConfig, Fill, LEVEL, Side};
use crate::units::{Price, Qty, Rate, Rounding};

/// Distance of the outermost quote: 25 % of the price.
const REACH: f64 = 0.25;
/// Distance of the innermost quote beyond half the spread: 0.5 bp.
const NEAREST: f64 = 5e-5;
/// A quote stays where it is while its distance is within this share of the wanted one: makers do not send a message
/// for every tick far from the price, and keep their rank.
const TOLERANCE: f64 = 0.1;
/// Account of every order that takes.
const TAKER: AccountId = AccountId(u32::MAX);

/// One place of a side's grid.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Quote {
    order: Option<OrderId>,
    /// Distance from the fair price beyond half the spread, relative.
    distance: f64,
    /// Coins that vary with the maker's liquidity.
    near: f64,
    /// Coins that stay whatever the maker does.
    far: f64,
}

/// What makers of one side are after in one tick.
struct Makers {
    /// Relative.
    half_spread: f64,
    /// Over what they show when they quote in full.
    liquidity: f64,
    /// Distance from the fair price below which nobody quotes: there the latent book holds the other side. Relative.
    edge: f64,
}

impl Makers {
    /// Share of its size that a quote keeps: all of it outside the edge, nothing from a level inside it on.
    fn open(&self, distance: f64) -> f64 {
        ((distance - self.edge) / LEVEL + 1.0).clamp(0.0, 1.0)
    }
}

/// Makers' quotes in a matching engine; see the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuotedBook {
    book: OrderBook,
    /// Quotes on the bid and on the ask, innermost first; the n-th is maker `n % makers`'s.
    quotes: [Vec<Quote>; 2],
    /// What each maker has traded since [`Self::settle`].
    makers: Vec<Fill>,
    fair: f64,
    mid: f64,
    half_spread: f64,
    /// Shares of a quote's replenishment in one tick and in one round.
    refill: [f64; 2],
    /// Which of the outer quotes are looked after in this tick.
    turn: usize,
    impact_notional: f64,
    #[serde(skip)]
    events: Vec<Event>,
}

impl QuotedBook {
    /// A full book of `makers` makers around `price` dollars, for ticks of `seconds`. The venue's ledger charges fees, so
    /// the engine charges none.
    ///
    /// # Panics
    /// If the price is not positive, or a parameter is out of its bounds.
    #[must_use]
    pub fn new(config: &BookConfig, makers: u32, price: f64, seconds: f64) -> Self {
        let half_spread = config.half_spread_bp * 1e-4;
        let side = side_quotes(config, makers, price);
        let engine = engine(price, 2 * makers * config.levels);
        let mut book = Self {
            book: OrderBook::new(&engine).expect("powers of ten around a positive price make a grid"),
            quotes: [side.clone(), side],
            makers: vec![Fill::default(); makers as usize],
            fair: price,
            mid: price,
            half_spread,
            refill: [1.0; 2],
            turn: 0,
            impact_notional: config.impact_notional,
            events: Vec::new(),
        };
        for _ in 0..ROUND {
            book.refresh(price, half_spread, [1.0, 1.0], 0.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let round = ROUND as f64;
        book.refill = [1.0, round].map(|ticks| 1.0 - libm::exp2(-seconds * ticks / config.refill_half_life));
        book
    }

    /// Makers' fair price, in dollars.
    #[must_use]
    pub fn fair(&self) -> f64 {
        self.fair
    }

    /// The engine, to look into.
    #[must_use]
    pub const fn orders(&self) -> &OrderBook {
        &self.book
    }

    /// Lets makers move their quotes to `fair` dollars ± `half_spread` (relative), and replenish them towards
    /// `liquidity` on the bid and on the ask (1 is full): once a tick. The latent book's price is `latent` above the fair
    /// price, relative; between the two nobody quotes.
    ///
    /// # Panics
    /// If an argument is not finite, or the fair price is not positive.
    pub fn refresh(&mut self, fair: f64, half_spread: f64, liquidity: [f64; 2], latent: f64) {
        let finite = [fair, half_spread, latent].into_iter().chain(liquidity).all(f64::is_finite);
        assert!(
            finite && fair > 0.0,
            "quotes need a positive fair price, got {fair} ± {half_spread} · {liquidity:?}, {latent}"
        );
        // The side that the price moves towards makes way first, so that quotes never meet.
        let sides = if fair >= self.fair { [Side::Sell, Side::Buy] } else { [Side::Buy, Side::Sell] };
        self.fair = fair;
        for side in sides {
            let (liquidity, edge) = match side {
                Side::Buy => (liquidity[0], -latent),
                Side::Sell => (liquidity[1], latent),
            };
            let makers = Makers { half_spread: half_spread.max(0.0), liquidity: liquidity.max(0.0), edge };
            for index in 0..self.quotes[0].len() {
                self.requote(side, index, &makers);
            }
        }
        self.turn = (self.turn + 1) % ROUND;
        self.reprice();
    }

    /// Hands over what each maker has traded since the last time: the other side of every [`Book::take`], exactly.
    pub fn settle(&mut self, mut book: impl FnMut(usize, Fill)) {
        for (maker, fill) in self.makers.iter_mut().enumerate() {
            book(maker, std::mem::take(fill));
        }
    }

    /// Moves one quote. Quotes never trade with quotes: the fair price lies between them.
    fn requote(&mut self, side: Side, index: usize, makers: &Makers) {
        let Quote { order, distance, near, far } = self.quotes[usize::from(side == Side::Sell)][index];
        let resting = order.and_then(|id| self.book.order(id));
        let lot = self.book.grid().qty(Side::Buy, Lots(1)).as_f64();
        let shown = resting.map_or(0, |resting| resting.lots.0);
        let wanted = makers.open(distance) * (near * makers.liquidity + far);
        let lots = match Self::turn_of(distance) {
            None => step(shown, wanted / lot, self.refill[0]),
            Some(turn) if turn == self.turn => step(shown, wanted / lot, self.refill[1]),
            Some(_) => shown,
        };
        let lots = lots.min(self.book.grid().lots_max().0);
        let half_spread = makers.half_spread;
        self.events.clear();
        let placed = match (self.quote_tick(side, half_spread + distance), resting) {
            (Some(wanted), Some(Resting { order, tick, .. })) if lots > 0 => {
                let moved = f64::from(wanted.0.abs_diff(tick.0));
                let stays = moved * self.book.grid().price(Tick(1)).as_f64()
                    <= TOLERANCE * (half_spread + distance) * self.fair;
                let tick = if stays { tick } else { wanted };
                if !stays || lots != shown {
                    let amended = self.book.amend(order, tick, Lots(lots), &mut (), &mut self.events);
                    amended.expect("a quote within the grid does not trade");
                }
                Some(order)
            }
            (Some(tick), None) if lots > 0 => {
                let maker = AccountId(u32::try_from(index % self.makers.len()).expect("at most 64 makers"));
                let quote = NewOrder::limit(maker, side, tick, Lots(lots)).with_life(TimeInForce::PostOnly);
                let entered = self.book.submit(quote, &mut (), &mut self.events);
                Some(entered.expect("a quote within the grid does not trade"))
            }
            (_, Some(Resting { order, .. })) => {
                self.book.cancel(order, &mut self.events).expect("it rests");
                None
            }
            (_, None) => None,
        };
        self.quotes[usize::from(side == Side::Sell)][index].order = placed;
    }

    /// Tick of a round in which makers look after quotes at this distance; none if they do in every tick.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a distance of at most 1 is 5,000 levels"
    )]
    fn turn_of(distance: f64) -> Option<usize> {
        let level = (distance / LEVEL) as usize;
        level.checked_sub(NEAR).map(|outer| outer / CHUNK)
    }

    /// Price of a quote, rounded away from the fair price; none beyond the ends of the grid. Every distance is positive,
    /// so a bid is below the fair price and an ask above it.
    #[expect(clippy::cast_possible_truncation, reason = "range checked")]
    fn quote_tick(&self, side: Side, distance: f64) -> Option<Tick> {
        let grid = self.book.grid();
        let fair = self.fair / grid.price(Tick(1)).as_f64();
        let tick = match side {
            Side::Buy => libm::floor(fair * (1.0 - distance)),
            Side::Sell => libm::ceil(fair * (1.0 + distance)),
        };
        if tick < 1.0 || tick > f64::from(grid.tick_max().0) {
            return None;
        }
        u32::try_from(tick as i64).ok().map(Tick)
    }

    /// Recomputes mid and spread from the prices of the reference size.
    fn reprice(&mut self) {
        let coins = self.impact_notional / self.fair;
        let (ask, bid) = (self.mean_price(Side::Buy, coins), self.mean_price(Side::Sell, coins));
        self.mid = 0.5 * (ask + bid);
        self.half_spread = 0.5 * (ask - bid) / self.mid;
    }

    /// Mean price of taking `coins`, without taking them; what the book does not hold is had at its far end.
    fn mean_price(&self, side: Side, coins: f64) -> f64 {
        let (mut left, mut paid) = (coins, 0.0);
        for (price, offered) in self.offers(side) {
            let taken = left.min(offered);
            paid += taken * price;
            left -= taken;
            if left <= 0.0 {
                return paid / coins;
            }
        }
        let edge = if side == Side::Buy { 1.0 + REACH } else { 1.0 - REACH };
        (paid + left * self.fair * edge) / coins
    }

    /// Dollars and coins of the levels that an order of `side` meets.
    fn offers(&self, side: Side) -> impl Iterator<Item = (f64, f64)> {
        let grid = self.book.grid();
        let levels = self.book.levels(side.opposite());
        levels.map(|(tick, lots)| (grid.price(tick).as_f64(), grid.qty(Side::Buy, lots).as_f64()))
    }

    /// Worst tick of an order with this limit: none if nothing on the grid is good enough.
    fn limit_tick(&self, side: Side, limit: Option<Price>) -> Option<Tick> {
        let grid = self.book.grid();
        let (lowest, highest) = (grid.price(Tick(1)), grid.price(grid.tick_max()));
        match (side, limit) {
            (Side::Buy, Some(limit)) if limit < lowest => None,
            (Side::Sell, Some(limit)) if limit > highest => None,
            (Side::Buy, limit) => grid.tick(limit.map_or(highest, |l| l.min(highest)), Rounding::Floor).ok(),
            (Side::Sell, limit) => grid.tick(limit.map_or(lowest, |l| l.max(lowest)), Rounding::Ceil).ok(),
        }
    }

    /// Books a trade on its maker; returns the taker's side of it.
    fn note(&mut self, trade: &Trade) -> Fill {
        let grid = self.book.grid();
        let qty = grid.qty(trade.taker_side, trade.lots);
        let value = grid.value(trade.tick, trade.lots);
        let value = if trade.taker_side == Side::Buy { value } else { -value };
        let maker = &mut self.makers[trade.maker_account.0 as usize];
        maker.qty -= qty;
        maker.value -= value;
        Fill { qty, value }
    }
}

impl QuotedBook {
    /// As [`Book::take`], and tells `told` of every trade: the taker's side of it.
    pub(super) fn take_told(&mut self, qty: Qty, limit: Option<Price>, mut told: impl FnMut(Fill)) -> Fill {
        let side = Side::of(qty);
        let mut total = Fill::default();
        let Some(tick) = self.limit_tick(side, limit) else { return total };
        loop {
            let grid = self.book.grid();
            let largest = grid.qty(side, grid.lots_max());
            let rest = qty - total.qty;
            // An order larger than the engine's largest goes in several.
            let slice = if rest.abs() > largest.abs() { largest } else { rest };
            let Ok(lots) = grid.lots(slice) else { break };
            let order = NewOrder::limit(TAKER, side, tick, lots).with_life(TimeInForce::ImmediateOrCancel);
            let mut events = std::mem::take(&mut self.events);
            events.clear();
            self.book.submit(order, &mut (), &mut events).expect("size and price are on the grid");
            let before = total.qty;
            for event in &events {
                if let Event::Trade(trade) = event {
                    let fill = self.note(trade);
                    told(fill);
                    total.qty += fill.qty;
                    total.value += fill.value;
                }
            }
            self.events = events;
            if total.qty == before || self.book.levels(side.opposite()).next().is_none() {
                break;
            }
        }
        self.reprice();
        total
    }
}

impl Book for QuotedBook {
    /// Takes whole lots; what is less than a lot is not filled.
    fn take(&mut self, qty: Qty, limit: Option<Price>) -> Fill {
        self.take_told(qty, limit, |_| ())
    }

    fn mid(&self) -> f64 {
        self.mid
    }

    fn half_spread(&self) -> f64 {
        self.half_spread
    }

    fn depth(&self, side: Side, distance: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "plus or minus one")]
        let sign = side.sign() as f64;
        let within = |&(price, _): &(f64, f64)| sign * (price / self.mid - 1.0) <= distance;
        self.offers(side).take_while(within).map(|(_, coins)| coins).sum()
    }

    fn reachable(&self, side: Side, limit: Price) -> f64 {
        let Some(worst) = self.limit_tick(side, Some(limit)) else { return 0.0 };
        let within = |&(tick, _): &(Tick, Lots)| match side {
            Side::Buy => tick <= worst,
            Side::Sell => tick >= worst,
        };
        let levels = self.book.levels(side.opposite()).take_while(within);
        levels.map(|(_, lots)| self.book.grid().qty(Side::Buy, lots).as_f64()).sum()
    }

    fn impact(&self, side: Side, coins: f64) -> f64 {
        if coins <= 0.0 {
            return 0.0;
        }
        (self.mean_price(side, coins) / self.mid - 1.0).abs()
    }
}

/// Prices on the grid.
const TICKS: u32 = 1 << 22;

/// An engine whose grid suits a price.
fn engine(price: f64, orders: u32) -> OrderBookConfig {
    let power = |exponent: f64| libm::pow(10.0, exponent);
    // From 1e-6 to 1e-5 of the price, so that it can quadruple and more before it leaves the grid.
    let tick_size = Price::from_f64(power(libm::floor(libm::log10(price * 1e-5)))).max(Price::from_raw(1));
    // From one to ten dollars' worth. One lot at one tick is a power of ten of at least a micro-dollar: a whole number.
    let lot_size = Qty::from_f64(power(libm::ceil(libm::log10(1.0 / price)))).max(Qty::from_raw(1));
    let fees = Fees { maker: Rate::ZERO, taker: Rate::ZERO };
    OrderBookConfig { tick_size, lot_size, ticks: TICKS, fees, orders }
}

/// The grid of one side: distances in geometric progression, sizes by cumulative depth c·w^e.
fn side_quotes(config: &BookConfig, makers: u32, price: f64) -> Vec<Quote> {
    let count = makers * config.levels;
    let ratio = libm::pow(REACH / NEAREST, 1.0 / f64::from(count - 1));
    let cumulative = |w: f64| config.depth_1pct / price * libm::pow(w / 0.01, config.depth_exponent);
    let mut within = 0.0;
    (0..count)
        .map(|index| {
            let distance = NEAREST * libm::pow(ratio, f64::from(index));
            let coins = cumulative(distance) - within;
            within += coins;
            // The share that stays rises smoothly around 4 %, as in `DepthBook`.
            let w = distance / 0.04;
            let stays = config.far_share * (w * w * w) / (1.0 + w * w * w);
            Quote { order: None, distance, near: coins * (1.0 - stays), far: coins * stays }
        })
        .collect()
}

/// Lots one refill nearer to `target`, by at least one lot until it is reached: integers would otherwise stop short.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "clamped")]
fn step(shown: u64, target: f64, rate: f64) -> u64 {
    let target = libm::floor(target).clamp(0.0, f64::from(u32::MAX));
    let gap = (target - shown as f64) * rate;
    let moved = shown as f64 + if gap > 0.0 { libm::ceil(gap) } else { libm::floor(gap) };
    let (low, high) = if gap > 0.0 { (0.0, target) } else { (target, f64::from(u32::MAX)) };
    moved.clamp(low, high) as u64
}
