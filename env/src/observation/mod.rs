//! What a controller sees: named features, each compressed to order one, all of them things a venue can measure.
//!
//! The fundamental price is not among them: nobody sees it but a critic in training ([`PRIVILEGED`]). Heavy-tailed quantities pass through a symmetric
//! logarithm, so that no value leaves the range by more than a few units and none is clipped (M12).

mod economy;
mod options;
mod privileged;
mod stablecoin;

use crate::action::{ACTIONS, PARAMETERS};
use crate::arena::Arena;
use crate::book::Book;
use crate::margin::{Direction, Terms, reproduction_number};
use crate::market::{MARGIN_LINES_MAX, Market};
use crate::scenario::Scenario;
use crate::spaces::Feature;
use crate::units::{Qty, Rate, Usd};

pub use economy::ECONOMY;
pub use options::{OPTIONS, OPTIONS_COUNT};
pub(crate) use privileged::reveal;
pub use privileged::{PRIVILEGED, PRIVILEGED_COUNT, PRIVILEGED_NAMES};
pub use stablecoin::{STABLECOIN, STABLECOIN_COUNT};

/// Features before the controlled parameters.
const MARKET_FEATURES: usize = 47;
/// Number of features that every task has.
pub const FEATURES_COUNT: usize = MARKET_FEATURES + ACTIONS;

const fn feature(name: &'static str, unit: &'static str, group: &'static str, meaning: &'static str) -> Feature {
    Feature { name, unit, group, meaning }
}

/// Moves at which the liquidation density is read, in 1e-9 of the mark price.
const MOVES: [Rate; 6] = [
    Rate::from_raw(5_000_000),
    Rate::from_raw(10_000_000),
    Rate::from_raw(20_000_000),
    Rate::from_raw(50_000_000),
    Rate::from_raw(100_000_000),
    Rate::from_raw(200_000_000),
];

/// Distances from mid at which depth is read, relative.
const DEPTHS: [f64; 4] = [0.001, 0.005, 0.01, 0.05];

/// The features of the market, in order; the thirteen normalised parameters in force follow them.
pub const MARKET: [Feature; MARKET_FEATURES] = [
    feature("trend_2m", "σ", "price", "mid over its two-minute average, in long-run deviations; symmetric log"),
    feature("trend_30m", "σ", "price", "mid over its thirty-minute average, in long-run deviations; symmetric log"),
    feature("volatility_1m", "1", "price", "one-minute volatility over long-run; log2"),
    feature("volatility_10m", "1", "price", "ten-minute volatility over long-run; log2"),
    feature("volatility_1h", "1", "price", "one-hour volatility over long-run; log2"),
    feature("jump", "σ", "price", "largest recent one-tick move, in long-run deviations; symmetric log"),
    feature("half_spread", "1", "book", "half spread over its calm level; log2"),
    feature("depth_10bp", "1", "book", "depth within 10 bp over its calm level; log2"),
    feature("depth_50bp", "1", "book", "depth within 50 bp over its calm level; log2"),
    feature("depth_100bp", "1", "book", "depth within 100 bp over its calm level; log2"),
    feature("depth_500bp", "1", "book", "depth within 500 bp over its calm level; log2"),
    feature("depth_imbalance", "1", "book", "bid less ask depth within 100 bp over their sum"),
    feature("flow_imbalance", "1", "book", "signed over total volume, two-minute half-life"),
    feature("basis", "20 bp", "venues", "mid over the outside price; symmetric log"),
    feature("premium", "20 bp", "venues", "basis, five-minute average; symmetric log"),
    feature("oracle_divergence", "20 bp", "venues", "mark over the oracle price; symmetric log"),
    feature("oracle_staleness", "minutes", "venues", "age of the oracle price; symmetric log"),
    feature("outside_depth", "1", "venues", "depth on other venues over its calm level; log2"),
    feature("open_interest", "1", "accounts", "open interest over its level at reset; log2"),
    feature(
        "longs_within_50bp",
        "10 % of open interest",
        "accounts",
        "notional liquidated by a fall of 0.5 %; symmetric log",
    ),
    feature(
        "longs_within_100bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a fall of 1 %; symmetric log",
    ),
    feature(
        "longs_within_200bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a fall of 2 %; symmetric log",
    ),
    feature(
        "longs_within_500bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a fall of 5 %; symmetric log",
    ),
    feature(
        "longs_within_1000bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a fall of 10 %; symmetric log",
    ),
    feature(
        "longs_within_2000bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a fall of 20 %; symmetric log",
    ),
    feature(
        "shorts_within_50bp",
        "10 % of open interest",
        "accounts",
        "notional liquidated by a rise of 0.5 %; symmetric log",
    ),
    feature(
        "shorts_within_100bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a rise of 1 %; symmetric log",
    ),
    feature(
        "shorts_within_200bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a rise of 2 %; symmetric log",
    ),
    feature(
        "shorts_within_500bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a rise of 5 %; symmetric log",
    ),
    feature(
        "shorts_within_1000bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a rise of 10 %; symmetric log",
    ),
    feature(
        "shorts_within_2000bp",
        "10 % of open interest",
        "accounts",
        "further notional liquidated by a rise of 20 %; symmetric log",
    ),
    feature(
        "reproduction_down",
        "1",
        "accounts",
        "cascade number of a 1 % fall: notional forced over depth; symmetric log",
    ),
    feature("reproduction_up", "1", "accounts", "cascade number of a 1 % rise; symmetric log"),
    feature("in_liquidation", "1 % of open interest", "accounts", "notional of accounts in liquidation; symmetric log"),
    feature("fund", "1", "backstop", "fund's equity over its level at reset; symmetric log"),
    feature("fund_inventory", "fund's equity", "backstop", "signed value of the fund's position; symmetric log"),
    feature("keeper_load", "1", "backstop", "keepers' inventory over its limit"),
    feature("maker_presence", "1", "backstop", "makers' willingness to quote"),
    feature("maker_inventory", "1", "backstop", "makers' inventory over its limit"),
    feature("equity_index", "1 %", "macro", "equity-index return since the last close; symmetric log"),
    feature("vix", "1", "macro", "volatility index over 20; log2"),
    feature("dollar_index", "1 %", "macro", "dollar-index level over 100, less one; symmetric log"),
    feature("macro_stress", "1", "macro", "stress index; symmetric log"),
    feature("forced_share", "1", "recent", "share of forced volume in the last decision"),
    feature("liquidated", "1 % of open interest", "recent", "notional liquidated in the last decision; symmetric log"),
    feature("bad_debt", "1 bp of open interest", "recent", "bad debt of the last decision; symmetric log"),
    feature("slow_clock", "1", "recent", "share of the slow interval that has passed"),
];

/// The features that every task has, in order. Of an economy, price, book and venue features are the first asset's; those
/// of accounts and backstop are sums over home's instruments, and the cascade numbers the highest of any.
#[must_use]
pub fn features() -> Vec<Feature> {
    let own = PARAMETERS.iter().map(|p| feature(p.name, "1", "controls", "normalised parameter in force"));
    MARKET.iter().copied().chain(own).collect()
}

/// What a task observes beyond [`features`], by what its scenarios have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Whether any of them is an economy of several assets or venues.
    pub economy: bool,
    /// Whether options are traded in any of them.
    pub options: bool,
    /// Whether accounts post a stablecoin in any of them.
    pub stablecoin: bool,
}

impl Extras {
    /// What a scenario has.
    #[must_use]
    pub const fn of(scenario: &Scenario) -> Self {
        Self {
            economy: scenario.is_economy(),
            options: scenario.options.is_some(),
            stablecoin: scenario.stablecoin.is_some(),
        }
    }

    /// What either has.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            economy: self.economy || other.economy,
            options: self.options || other.options,
            stablecoin: self.stablecoin || other.stablecoin,
        }
    }

    /// The features, in order: behind all of [`features`].
    #[must_use]
    pub fn features(self) -> Vec<Feature> {
        let economy: &[Feature] = if self.economy { &ECONOMY } else { &[] };
        let options: &[Feature] = if self.options { &OPTIONS } else { &[] };
        let stablecoin: &[Feature] = if self.stablecoin { &STABLECOIN } else { &[] };
        [economy, options, stablecoin].concat()
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> usize {
        let economy = if self.economy { economy::COUNT } else { 0 };
        let options = if self.options { OPTIONS_COUNT } else { 0 };
        economy + options + if self.stablecoin { STABLECOIN_COUNT } else { 0 }
    }

    /// Writes them; zero where the arena has nothing to say.
    ///
    /// # Panics
    /// If `out` has another length, or a feature is not finite (M12).
    pub(crate) fn observe(self, arena: &Arena, recent: &Recent, out: &mut [f32]) {
        assert_eq!(out.len(), self.count(), "one entry per further feature");
        let mut writer = Writer { out, at: 0 };
        let market = &arena.home()[0];
        if self.economy {
            writer.put(arena.economy().map_or([0.0; economy::COUNT], |economy| economy::values(economy, recent)));
        }
        if self.options {
            options::write(market, &mut writer);
        }
        if self.stablecoin {
            stablecoin::write(market, &mut writer);
        }
        assert_eq!(writer.at, self.count(), "every further feature is written");
        assert!(out.iter().all(|x| x.is_finite()), "M12: an observation is not finite");
    }
}

/// Sign times the logarithm of one plus the size: linear near zero, slow far out.
fn compress(x: f64) -> f64 {
    let size = libm::log1p(x.abs());
    if x < 0.0 { -size } else { size }
}

/// Logarithm to base two of a ratio that may be zero.
fn ratio(x: f64) -> f64 {
    libm::log2(x.max(1.0 / 1_024.0))
}

/// What the last decision did, for the recent features.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Recent {
    /// Share of forced volume.
    pub forced_share: f64,
    /// Notional liquidated over reference open interest.
    pub liquidated: f64,
    /// Bad debt over reference open interest.
    pub bad_debt: f64,
    /// Share of the slow interval that has passed.
    pub slow_clock: f64,
    /// Money that cross margin moved between positions over reference open interest.
    pub shared_out: f64,
}

/// Writes what every task observes of a market or an economy under normalised parameters `own`.
///
/// # Panics
/// If `out` does not have [`FEATURES_COUNT`] entries, or a feature is not finite (M12).
pub(crate) fn observe(arena: &Arena, recent: &Recent, own: &[f64; ACTIONS], out: &mut [f32]) {
    assert_eq!(out.len(), FEATURES_COUNT, "an observation has {FEATURES_COUNT} entries");
    let home = arena.home();
    let market = &home[0];
    let mut writer = Writer { out, at: 0 };
    price(market, &mut writer);
    book(market, &mut writer);
    venues(market, &mut writer);
    accounts(home, &mut writer);
    backstop(home, arena.outcome().fund_start, &mut writer);
    let m = &market.state().outside.macro_factor;
    writer.put([
        compress(100.0 * m.equity_return),
        ratio(m.vix / 20.0),
        compress(100.0 * (m.dxy / 100.0 - 1.0)),
        compress(m.stress),
    ]);
    let Recent { forced_share, liquidated, bad_debt, slow_clock, .. } = *recent;
    writer.put([forced_share, compress(100.0 * liquidated), compress(1e4 * bad_debt), slow_clock]);
    writer.put(*own);
    assert_eq!(writer.at, FEATURES_COUNT, "every feature is written");
    assert!(out.iter().all(|x| x.is_finite()), "M12: an observation is not finite");
}

struct Writer<'a> {
    out: &'a mut [f32],
    at: usize,
}

impl Writer<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn put<const N: usize>(&mut self, values: [f64; N]) {
        for (slot, value) in self.out[self.at..self.at + N].iter_mut().zip(values) {
            *slot = value as f32;
        }
        self.at += N;
    }
}

fn price(market: &Market, writer: &mut Writer<'_>) {
    let signals = &market.state().signals;
    let sigma = market.reference_sigma();
    let trend = |average: f64, seconds: f64| compress((signals.mid / average - 1.0) / (sigma * seconds.sqrt()));
    writer.put([
        trend(signals.average_fast, 120.0),
        trend(signals.average_slow, 1_800.0),
        ratio(signals.stress_fast(sigma)),
        ratio(signals.stress(sigma)),
        ratio(signals.stress_slow(sigma)),
        compress(signals.jump / (sigma * market.tick_seconds().sqrt())),
    ]);
}

fn book(market: &Market, writer: &mut Writer<'_>) {
    let book = &market.state().book;
    let scenario = market.scenario();
    let full =
        |distance: f64| market.state().depth_reference * libm::pow(distance / 0.01, scenario.book.depth_exponent);
    let depths = book.depths_of_both(DEPTHS);
    let relative = |i: usize| ratio(0.5 * depths[i].iter().sum::<f64>() / full(DEPTHS[i]));
    let [bid, ask] = depths[2];
    writer.put([
        ratio(book.half_spread() / (scenario.book.half_spread_bp * 1e-4)),
        relative(0),
        relative(1),
        relative(2),
        relative(3),
        (bid - ask) / (bid + ask).max(1e-12),
        market.state().signals.imbalance(),
    ]);
}

fn venues(market: &Market, writer: &mut Writer<'_>) {
    let state = market.state();
    let prices = &state.prices;
    let unit = 20e-4;
    writer.put([
        compress((state.signals.mid / prices.outside - 1.0) / unit),
        compress(state.signals.premium / unit),
        compress((prices.mark.as_f64() / prices.oracle - 1.0) / unit),
        compress(prices.oracle_age / 60.0),
        ratio(state.outside.liquidity),
    ]);
}

/// Notional that each move forces, from the longs' side and from the shorts', in dollars.
fn forced(market: &Market) -> [[f64; MOVES.len()]; 2] {
    let state = market.state();
    let mark = state.prices.mark;
    let adjustment = market.adjustment();
    let mut rates = [Rate::ZERO; MARGIN_LINES_MAX];
    let lines = market.schedule().lines();
    for (line, rate) in rates[..lines].iter_mut().enumerate() {
        *rate = market.schedule().rate(line, adjustment);
    }
    let terms = Terms { rates: &rates[..lines], funding: state.ledger.funding() };
    let mut forced = [[Qty::ZERO; MOVES.len()]; 2];
    for direction in Direction::BOTH {
        let bands = &mut forced[direction.index()];
        market.index().forced_bands(terms, direction, mark, &MOVES, bands);
    }
    forced.map(|bands| bands.map(|qty| qty.notional(mark).as_f64()))
}

/// Cascade reproduction numbers of a fall and of a rise by 1 %: notional that it forces over the depth within 1 %.
#[must_use]
pub fn reproduction(market: &Market) -> [f64; 2] {
    of_bands(market, &forced(market))
}

fn of_bands(market: &Market, forced: &[[f64; MOVES.len()]; 2]) -> [f64; 2] {
    let state = market.state();
    // What longs sell is bought by bids, what shorts buy is sold by asks.
    let [[bids, asks]] = state.book.depths_of_both([0.01]);
    let of = |bands: &[f64; MOVES.len()], coins: f64| {
        let depth = coins * state.prices.mark.as_f64();
        reproduction_number(1.0, bands[0] + bands[1], depth.max(1.0))
    };
    [of(&forced[0], bids), of(&forced[1], asks)]
}

fn accounts(home: &[Market], writer: &mut Writer<'_>) {
    let reference = home.iter().map(|market| market.state().outcome.reference_open_interest).sum::<Usd>().as_f64();
    let mut dollars = [[0.0; MOVES.len()]; 2];
    let mut reproduction = [0.0_f64; 2];
    for market in home {
        let forced = forced(market);
        for (sums, bands) in dollars.iter_mut().zip(&forced) {
            sums.iter_mut().zip(bands).for_each(|(sum, band)| *sum += band);
        }
        for (highest, here) in reproduction.iter_mut().zip(of_bands(market, &forced)) {
            *highest = highest.max(here);
        }
    }
    let interest = home.iter().map(Market::open_interest).sum::<Usd>();
    writer.put([ratio(interest.as_f64() / reference)]);
    for bands in dollars {
        writer.put(bands.map(|band| compress(10.0 * band / reference)));
    }
    writer.put(reproduction.map(compress));
    let liquidating = home.iter().map(Market::in_liquidation).sum::<Usd>();
    writer.put([compress(100.0 * liquidating.as_f64() / reference)]);
}

fn backstop(home: &[Market], fund_start: Usd, writer: &mut Writer<'_>) {
    let start = fund_start.as_f64().max(1.0);
    let equity = home.iter().map(Market::fund_equity).sum::<Usd>().as_f64();
    let inventory = home.iter().map(Market::fund_inventory).sum::<Usd>().as_f64();
    let (mut keepers, mut makers, mut presence, mut count) = (0.0, 0.0, 0.0, 0.0);
    for market in home {
        let [k, m] = market.inventories();
        keepers += k;
        makers += m;
        presence += market.state().makers.iter().map(|maker| maker.size).sum::<f64>() / market.maker_count();
        count += 1.0;
    }
    writer.put([
        compress(equity / start),
        compress(inventory / equity.max(0.01 * start)),
        keepers / count,
        presence / count,
        makers / count,
    ]);
}
