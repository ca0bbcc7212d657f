//! A venue of three assets and ten option series for the tests, and accounts drawn at random.

mod assess;
mod exposure;
mod properties;
mod standard;
mod unwind;

use super::*;
use crate::error::Problems;
use crate::margin::Position;
use crate::margin::options::OptionKind;
use crate::units::{Price, Qty, Usd};

/// One hour, one week, one month, one quarter.
const EXPIRIES: [u64; 4] = [3_600, 7 * 86_400, 30 * 86_400, 90 * 86_400];

struct Venue {
    config: PortfolioConfig,
    margin: PortfolioMargin,
    table: RiskTable,
    series: Vec<OptionSeries>,
    volatilities: Vec<f64>,
    prices: Vec<f64>,
    now: u64,
}

impl Venue {
    fn new(config: PortfolioConfig) -> Self {
        let mut problems = Problems::default();
        config.validate("portfolio", &mut problems);
        assert!(problems.0.is_empty(), "{problems}");
        let rows = [
            (0, OptionKind::Call, 60_000.0, 2),
            (0, OptionKind::Put, 60_000.0, 2),
            (0, OptionKind::Call, 72_000.0, 2),
            (0, OptionKind::Put, 48_000.0, 2),
            (0, OptionKind::Call, 63_000.0, 1),
            (0, OptionKind::Put, 57_000.0, 0),
            (1, OptionKind::Call, 3_300.0, 3),
            (1, OptionKind::Put, 2_700.0, 3),
            (1, OptionKind::Put, 3_000.0, 1),
            (2, OptionKind::Call, 0.6, 2),
        ];
        let series = rows.map(|(asset, kind, strike, expiry)| OptionSeries {
            asset,
            kind,
            strike: Price::from_f64(strike),
            expiry_seconds: EXPIRIES[expiry],
        });
        let mut venue = Self {
            margin: PortfolioMargin::new(&config),
            config,
            table: RiskTable::new(),
            series: series.to_vec(),
            volatilities: vec![0.40, 0.44, 0.45, 0.60, 0.42, 0.50, 0.60, 0.70, 0.65, 1.2],
            prices: vec![60_000.0, 3_000.0, 0.5],
            now: 0,
        };
        venue.refresh();
        venue
    }

    fn refresh(&mut self) {
        let marks: Vec<AssetMark> = self.prices.iter().map(|&price| mark(price)).collect();
        let pegs = vec![Price::from_f64(1.0); self.config.collateral.len()];
        let listed = (&self.series[..], &self.volatilities[..]);
        self.table.refresh(&self.margin, &marks, &pegs, listed, self.now);
    }

    fn assess(&self, book: &Book) -> Assessment {
        self.margin.assess(&book.account(), &self.table, &mut Scratch::new(3))
    }
}

fn mark(price: f64) -> AssetMark {
    AssetMark { price: Price::from_f64(price), funding: Price::ZERO }
}

/// An account that owns what it holds.
#[derive(Clone, Debug, Default)]
struct Book {
    perps: Vec<Perp>,
    options: Vec<OptionHolding>,
    collateral: Vec<Qty>,
}

impl Book {
    fn cash(dollars: f64) -> Self {
        Self { collateral: vec![Qty::from_f64(dollars)], ..Self::default() }
    }

    /// Adds a perpetual bought at `price`.
    fn perp(mut self, asset: usize, coins: f64, price: f64) -> Self {
        let qty = Qty::from_f64(coins);
        let cash = (-qty).value(Price::from_f64(price));
        self.perps.push(Perp { asset, position: Position { qty, cash, funding: Price::ZERO } });
        self
    }

    fn option(mut self, series: usize, coins: f64) -> Self {
        self.options.push(OptionHolding { series, qty: Qty::from_f64(coins) });
        self
    }

    fn account(&self) -> Account<'_> {
        Account { perps: &self.perps, options: &self.options, collateral: &self.collateral }
    }
}

fn assert_near(got: Usd, want: f64, tolerance: f64) {
    assert!((got.as_f64() - want).abs() <= tolerance, "{got} instead of {want}");
}
