//! What one moment of an episode shows: prices, flows, the fund, the parameters, the book and who would be liquidated.

use seawall_env::action::ACTIONS;
use seawall_env::book::{Book, Side};
use seawall_env::margin::{Direction, Terms};
use seawall_env::market::{MARGIN_LINES_MAX, Market};
use seawall_env::units::{Qty, Rate, Usd};

/// Quantities of a frame, in order. Those called `…_total` only grow; the others are levels.
pub const CHANNELS: [&str; 14] = [
    "seconds",
    "mark",
    "mid",
    "fundamental",
    "depth",
    "open_interest",
    "in_liquidation",
    "fund",
    "margin",
    "forced_total",
    "natural_total",
    "liquidated_total",
    "bad_debt_total",
    "deleveraged_total",
];

/// Outer edges of the bands of the book on either side, in basis points from mid.
pub(super) const DEPTH_BP: [u16; 14] = [5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 700, 1_000];

/// Outer edges of the bands of liquidation on either side, in basis points from mark.
pub(super) const MOVES_BP: [u16; 16] =
    [25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1_000, 1_250, 1_500, 2_000];

/// One moment of an episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Values in the order of [`CHANNELS`]; money in dollars.
    pub(super) values: [f64; CHANNELS.len()],
    /// Parameters in force, decoded.
    pub(super) controls: [f64; ACTIONS],
    /// Dollars offered in each band of the book: bids outward, then asks outward.
    pub(super) depth: [f64; 2 * DEPTH_BP.len()],
    /// Notional that a move through each band would liquidate, in percent of the open interest at reset for one percent
    /// of price: longs downward, then shorts upward.
    pub(super) density: [f64; 2 * MOVES_BP.len()],
}

impl Frame {
    /// What a market shows now.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ticks of an episode are few")]
    pub fn of(market: &Market) -> Self {
        let (state, outcome) = (market.state(), market.outcome());
        let mid = state.book.mid();
        let near = state.book.depth(Side::Buy, 0.01) + state.book.depth(Side::Sell, 0.01);
        let values = [
            state.tick as f64 * market.tick_seconds(),
            state.prices.mark.as_f64(),
            mid,
            state.prices.fundamental,
            0.5 * near * mid,
            market.open_interest().as_f64(),
            market.in_liquidation().as_f64(),
            market.fund_at_exit_cost().as_f64(),
            market.margin_multiplier(),
            outcome.forced_volume.as_f64(),
            outcome.natural_volume.as_f64(),
            outcome.liquidated.as_f64(),
            outcome.bad_debt.as_f64(),
            outcome.deleveraged.as_f64(),
        ];
        Self { values, controls: state.controls.to_array(), depth: depth(market, mid), density: density(market) }
    }

    /// A quantity by its name.
    ///
    /// # Panics
    /// If there is no such channel.
    #[must_use]
    pub fn value(&self, channel: &str) -> f64 {
        let place = CHANNELS.iter().position(|name| *name == channel).expect("a channel of a frame");
        self.values[place]
    }
}

fn depth(market: &Market, mid: f64) -> [f64; 2 * DEPTH_BP.len()] {
    let mut bands = [0.0; 2 * DEPTH_BP.len()];
    // A sale takes bids, a purchase asks.
    for (side, half) in [Side::Sell, Side::Buy].into_iter().zip(bands.chunks_exact_mut(DEPTH_BP.len())) {
        let mut nearer = 0.0;
        for (band, edge) in half.iter_mut().zip(DEPTH_BP) {
            let within = market.state().book.depth(side, 1e-4 * f64::from(edge)) * mid;
            *band = (within - nearer).max(0.0);
            nearer = within;
        }
    }
    bands
}

fn density(market: &Market) -> [f64; 2 * MOVES_BP.len()] {
    let state = market.state();
    let (mark, adjustment) = (state.prices.mark, market.adjustment());
    let mut rates = [Rate::ZERO; MARGIN_LINES_MAX];
    let lines = market.schedule().lines();
    for (line, rate) in rates[..lines].iter_mut().enumerate() {
        *rate = market.schedule().rate(line, adjustment);
    }
    let terms = Terms { rates: &rates[..lines], funding: state.ledger.funding() };
    let moves = MOVES_BP.map(|bp| Rate::from_raw(i64::from(bp) * (Rate::SCALE / 10_000)));
    let reference = state.outcome.reference_open_interest.max(Usd::from_raw(1)).as_f64();
    let mut bands = [0.0; 2 * MOVES_BP.len()];
    for (direction, half) in Direction::BOTH.into_iter().zip(bands.chunks_exact_mut(MOVES_BP.len())) {
        let mut forced = [Qty::ZERO; MOVES_BP.len()];
        market.index().forced_bands(terms, direction, mark, &moves, &mut forced);
        let mut nearer = 0;
        for ((band, qty), edge) in half.iter_mut().zip(forced).zip(MOVES_BP) {
            let percent_of_price = 0.01 * f64::from(edge - nearer);
            *band = 100.0 * qty.notional(mark).as_f64() / reference / percent_of_price;
            nearer = edge;
        }
    }
    bands
}
