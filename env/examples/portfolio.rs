//! Assesses an account of three perpetuals and ten options many times, for timing from outside.
//!
//! ```text
//! cargo build --release -p seawall-env --example portfolio
//! time target/release/examples/portfolio assess 1000000
//! ```
//! `refresh` values the ten series in all scenarios, `assess` margins one account, `plan` plans its liquidation.

use std::error::Error;
use std::hint::black_box;

use seawall_env::margin::Position;
use seawall_env::margin::options::{OptionKind, SliceConfig, SsviConfig, SurfaceConfig, VolatilitySurface};
use seawall_env::margin::portfolio::{
    Account, AssetMark, ExitCosts, OptionHolding, OptionSeries, Perp, PortfolioConfig, PortfolioMargin, RiskTable,
    SCENARIOS, SPAN, Scratch, Unwinder,
};
use seawall_env::units::{Price, Qty};

const PRICES: [f64; 3] = [60_000.0, 3_000.0, 0.5];

/// Calls and puts around each asset's price, a month and a quarter away.
fn listed() -> Vec<OptionSeries> {
    let row = |index: u8| {
        let asset = usize::from(index % 3);
        let kind = if index.is_multiple_of(2) { OptionKind::Call } else { OptionKind::Put };
        let strike = Price::from_f64(PRICES[asset] * (0.8 + 0.05 * f64::from(index)));
        OptionSeries { asset, kind, strike, expiry_seconds: 86_400 * if index < 5 { 30 } else { 90 } }
    };
    (0..10).map(row).collect()
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().ok_or("name refresh, assess or plan")?;
    let count: u64 = arguments.next().ok_or("name how many times")?.parse()?;

    let venue = PortfolioMargin::new(&PortfolioConfig::default());
    let slices = [30, 90].map(|days| {
        let years = f64::from(days) / 365.0;
        SliceConfig { years, smile: SsviConfig::default().slice(years) }
    });
    let surface = VolatilitySurface::new(&SurfaceConfig { slices: slices.to_vec() });
    let marks = PRICES.map(|price| AssetMark { price: Price::from_f64(price), funding: Price::ZERO });
    let series = listed();
    let volatility =
        |series: &OptionSeries| surface.volatility(series.log_moneyness(marks[series.asset].price), series.years(0));
    let volatilities: Vec<f64> = series.iter().map(volatility).collect();
    let mut table = RiskTable::new();
    table.refresh(&venue, &marks, &[Price::from_f64(1.0)], (&series, &volatilities), 0);

    let coins = [1.0, 20.0, 120_000.0];
    let perps = [0, 1, 2].map(|asset| {
        let qty = Qty::from_f64(2.0 * coins[asset]);
        Perp { asset, position: Position { qty, cash: (-qty).value(marks[asset].price), funding: Price::ZERO } }
    });
    let sign = |index: usize| if index % 4 < 2 { -1.0 } else { 1.0 };
    let holding = |(series, row): (usize, &OptionSeries)| OptionHolding {
        series,
        qty: Qty::from_f64(4.0 * sign(series) * coins[row.asset]),
    };
    let options: Vec<OptionHolding> = series.iter().enumerate().map(holding).collect();
    let collateral = [Qty::from_f64(125_000.0)];
    let account = Account { perps: &perps, options: &options, collateral: &collateral };
    let (mut scratch, mut unwinder) = (Scratch::new(3), Unwinder::new());
    let per_perp = PRICES.map(|price| Price::from_f64(5e-4 * price));
    let per_option: Vec<Price> = series.iter().map(|row| Price::from_f64(2e-3 * PRICES[row.asset])).collect();
    let costs = ExitCosts { perps: &per_perp, options: &per_option };

    for _ in 0..count {
        match what.as_str() {
            "refresh" => table.refresh(&venue, &marks, &[Price::from_f64(1.0)], (&series, black_box(&volatilities)), 0),
            "assess" => {
                black_box(venue.assess(black_box(&account), &table, &mut scratch));
            }
            "plan" => {
                black_box(unwinder.plan(&venue, &table, black_box(&account), &costs));
            }
            other => return Err(format!("{other} is none of refresh, assess and plan").into()),
        }
    }

    let plan = unwinder.plan(&venue, &table, &account, &costs);
    let worst = plan.before.worst.ok_or("nothing to lose")?;
    let scenario = SPAN[worst.scenario];
    println!("equity {} of {} at maintenance", plan.before.equity, plan.before.levels.maintenance);
    println!("scenario {} of {SCENARIOS} loses most: {} in {scenario:?}", worst.scenario + 1, worst.loss);
    println!("{} steps cost {} and leave {:?}", unwinder.steps().len(), plan.cost, plan.after.levels);
    for step in unwinder.steps() {
        println!("  {step:?}");
    }
    Ok(())
}
