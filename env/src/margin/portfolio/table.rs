//! What one coin of each instrument gains or loses in each scenario: SPAN's risk arrays.
//!
//! A clearing house publishes them once, and every account is then a weighted sum. Here too: options are valued
//! once per series and tick, whatever the number of accounts, and this is where floats become integers.

use super::{OptionSeries, PortfolioMargin, SCENARIOS, SPAN, VolatilityMove};
use crate::margin::options::{Black76, Greeks, OptionKind};
use crate::units::{Price, Qty, Rate, Rounding, Usd, div_floor, mul_div};

/// State of one asset at a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetMark {
    /// Mark price of the perpetual, which options are settled against as well.
    pub price: Price,
    /// The venue's cumulative funding per coin.
    pub funding: Price,
}

/// Gain of one coin held long, by scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskArray {
    /// Dollars per coin, rounded down. A short is charged one unit more.
    pub gain: [Price; SCENARIOS],
}

impl RiskArray {
    /// Adds `qty` coins to a total in units of 1e-14 dollar.
    ///
    /// The change `d` of one coin lies in `[gain, gain + 1)` units. A long gets `q·gain`, a short `q·(gain + 1)`: the
    /// lesser of both for either sign, hence concave in `q`, so that splitting a position never helps.
    #[inline]
    pub(super) fn add(&self, qty: i64, total: &mut [i128; SCENARIOS]) {
        let surcharge = i64::from(qty < 0);
        for (sum, gain) in total.iter_mut().zip(&self.gain) {
            let gained = i128::from(qty) * i128::from(gain.raw() + surcharge);
            *sum = sum.checked_add(gained).expect("account out of range");
        }
    }
}

/// State of one series at a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesMark {
    /// Number of the underlying asset.
    pub asset: usize,
    /// Right to buy or to sell.
    pub kind: OptionKind,
    /// Exercise price.
    pub strike: Price,
    /// Value of one coin, rounded to the nearest unit: the same for a long and its short.
    pub price: Price,
    /// Volatility it is marked at, per year.
    pub volatility: f64,
    /// Derivatives of one coin.
    pub greeks: Greeks,
    /// Its delta as an integer, to the nearest 1e-9.
    pub delta: Rate,
    /// Gain by scenario.
    pub risk: RiskArray,
}

/// Marks, greeks and risk arrays of a venue at one tick. Allocated once, refreshed in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RiskTable {
    pub(super) assets: Vec<(AssetMark, RiskArray)>,
    pub(super) series: Vec<SeriesMark>,
    pub(super) collateral: Vec<Price>,
}

impl RiskTable {
    /// An empty table. Its first [`refresh`](Self::refresh) allocates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Values everything anew. `volatilities` has one entry per series, per year; an expired series is worth its
    /// payoff until it is taken off the list. Allocates only when there are more rows than ever before.
    ///
    /// In a scenario an option keeps its strike's volatility but for the scenario's own move, and the forward moves
    /// with the perpetual: `σ·(1 ± range·(30/max(days, days_min))^power)`, no lower than nothing. Nothing is
    /// discounted, as crypto venues do not.
    ///
    /// # Panics
    /// If the lengths disagree with each other or with the venue, a price is not positive, or a volatility is
    /// negative or NaN.
    ///
    /// # Reference
    /// docs.paradex.trade/risk/portfolio-margin, "SCAN risk"; Deribit stretches its range by the same power.
    pub fn refresh(
        &mut self,
        venue: &PortfolioMargin,
        assets: &[AssetMark],
        collateral: &[Price],
        listed: (&[OptionSeries], &[f64]),
        now_seconds: u64,
    ) {
        let (series, volatilities) = listed;
        assert_eq!(assets.len(), venue.assets(), "one mark per asset of the venue");
        assert_eq!(collateral.len(), venue.collateral.len(), "one price per collateral of the venue");
        assert_eq!(series.len(), volatilities.len(), "one volatility per series");
        self.assets.clear();
        self.assets.extend(assets.iter().enumerate().map(|(asset, &mark)| (mark, venue.linear(asset, mark.price))));
        self.collateral.clear();
        self.collateral.extend_from_slice(collateral);
        self.series.clear();
        self.series.extend(
            series
                .iter()
                .zip(volatilities)
                .map(|(series, &volatility)| venue.option(series, assets[series.asset].price, volatility, now_seconds)),
        );
    }

    /// Marks of the series, in the order they were listed in.
    #[must_use]
    pub fn series(&self) -> &[SeriesMark] {
        &self.series
    }

    /// Mark of an asset and what its perpetual gains by scenario.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn asset(&self, asset: usize) -> (AssetMark, RiskArray) {
        self.assets[asset]
    }
}

/// The moves of one asset, as integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moves {
    /// Price moves, as fractions of price.
    pub(super) price: [Rate; SCENARIOS],
    /// Share of the result that counts.
    pub(super) share: [Rate; SCENARIOS],
    pub(super) volatility_up: f64,
    pub(super) volatility_down: f64,
    /// Share netted against other assets.
    pub(super) offset: Rate,
}

impl PortfolioMargin {
    /// Risk array of a perpetual, exact before it is rounded down.
    fn linear(&self, asset: usize, price: Price) -> RiskArray {
        assert!(price > Price::ZERO, "asset {asset} is marked at {price}");
        let moves = &self.moves[asset];
        let gain = |scenario: usize| {
            let change = i128::from(price.raw()) * i128::from(moves.price[scenario].raw());
            let counted = change * i128::from(moves.share[scenario].raw());
            let scale = i128::from(Rate::SCALE) * i128::from(Rate::SCALE);
            Price::from_raw(i64::try_from(counted.div_euclid(scale)).expect("gain out of range"))
        };
        RiskArray { gain: std::array::from_fn(gain) }
    }

    /// Factor on the volatility ranges of an option with that many days left.
    pub(super) fn stretch(&self, days: f64) -> f64 {
        let power = if days < 30.0 { self.scan.short_power } else { self.scan.long_power };
        libm::pow(30.0 / days.max(self.scan.days_min), power)
    }

    fn option(&self, series: &OptionSeries, price: Price, volatility: f64, now_seconds: u64) -> SeriesMark {
        let moves = &self.moves[series.asset];
        let days = series.days(now_seconds);
        let market = Black76 {
            forward: price.as_f64(),
            strike: series.strike.as_f64(),
            years: series.years(now_seconds),
            volatility,
            rate: 0.0,
        };
        let stretch = self.stretch(days);
        let mark = Price::from_f64(market.price(series.kind));
        let greeks = market.greeks(series.kind);
        let gain = |scenario: usize| {
            let volatility = match SPAN[scenario].volatility {
                VolatilityMove::Up => volatility * (1.0 + moves.volatility_up * stretch),
                VolatilityMove::Down => volatility * (1.0 - moves.volatility_down * stretch).max(0.0),
                VolatilityMove::Unchanged => volatility,
            };
            let forward = market.forward * (1.0 + moves.price[scenario].as_f64());
            let value = Black76 { forward, volatility, ..market }.price(series.kind);
            floor((value - mark.as_f64()) * moves.share[scenario].as_f64())
        };
        SeriesMark {
            asset: series.asset,
            kind: series.kind,
            strike: series.strike,
            price: mark,
            volatility,
            greeks,
            delta: Rate::from_f64(greeks.delta),
            risk: RiskArray { gain: std::array::from_fn(gain) },
        }
    }
}

/// Rounds a float down to a unit of price.
#[expect(clippy::cast_possible_truncation, reason = "range asserted")]
#[expect(clippy::cast_precision_loss, reason = "a power of ten")]
fn floor(dollars: f64) -> Price {
    let scaled = libm::floor(dollars * Price::SCALE as f64);
    assert!(scaled.abs() < 9.2e18, "gain out of range: {dollars}");
    Price::from_raw(scaled as i64)
}

/// Dollars of a total in units of 1e-14, rounded down.
#[inline]
pub(super) fn dollars_floor(total: i128) -> Usd {
    Usd::from_raw(div_floor(total, Qty::SCALE))
}

/// Dollars of a total in units of 1e-14, rounded up.
#[inline]
pub(super) fn dollars_ceil(total: i128) -> Usd {
    -dollars_floor(-total)
}

/// Share of coins' value at `price`: the value rounded up, and the share of it again.
pub(super) fn charge(coins: i64, price: Price, rate: Rate) -> Usd {
    Usd::from_raw(mul_div(coins, price.raw(), Qty::SCALE, Rounding::Ceil)).share_ceil(rate)
}
