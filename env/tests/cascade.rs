//! T2: forced sales die out where the cascade number is below one, and run away where it is above.
//!
//! News takes a still market down by 2 %. What falls short there is sold into a book of even density that nothing
//! refills meanwhile, so the number that counts is that of the next fall of 1 %: notional forced over depth.

use std::sync::Arc;

use seawall_env::book::{Book, Side};
use seawall_env::liquidation::{
    Backstop, CloseSize, Execution, LimitPrice, LossAllocation, Pipeline, Throttle, Trigger, presets,
};
use seawall_env::margin::{Terms, amplification, reproduction_number};
use seawall_env::market::{Market, Site};
use seawall_env::participants::traders::Motive;
use seawall_env::scenario::Scenario;
use seawall_env::units::{Price, Usd};
use seawall_env::world::{InitialRegime, Model, ShockConfig, ShockStart};

/// Depth within 1 % of the market in which the density is read, in dollars.
const DEPTH: f64 = 100e6;
/// Log return of the news, and when it comes, in seconds.
const NEWS: f64 = -0.02;
const NEWS_AT: f64 = 60.0;

/// A market in which nobody acts but liquidation, with `depth` dollars displayed within 1 %.
fn still(depth: f64) -> Market {
    let mut scenario = Scenario::shipped("calm").expect("a shipped scenario");
    scenario.traders.accounts = 4_000;
    scenario.traders.size_range = 10.0;
    // Nobody stands at a loss at reset: that would put many into one place, just above their margin.
    scenario.traders.entry_spread = 0.0;
    for class in &mut scenario.traders.classes {
        class.rate = 0.0;
        (class.size, class.leverage, class.leverage_spread, class.long_bias) = (1.0, 20.0, 0.6, 0.9);
        if class.motive == Motive::Basis {
            // The other side of everybody: large, and safe.
            (class.leverage, class.leverage_spread, class.long_bias) = (1.5, 0.0, 0.0);
        }
        (class.add, class.cut, class.stop) = (0.0, 0.0, 0.0);
    }
    scenario.world.model = Model::Gbm;
    scenario.world.gbm.volatility = 1e-6;
    scenario.world.regimes.initial = InitialRegime::Calm;
    scenario.world.shocks = vec![ShockConfig {
        start: ShockStart::Seconds([NEWS_AT, NEWS_AT]),
        log_return: [NEWS, NEWS],
        duration_seconds: [1.0, 1.0],
        ..ShockConfig::default()
    }];
    scenario.oracle.noise_bp = 0.0;
    scenario.venue.home_share = 0.0;
    scenario.funding.interest = 0.0;
    scenario.arbitrage.capacity = 0.0;
    // Makers stand their ground, and no opinion but theirs is in the book.
    (scenario.makers.coupling, scenario.makers.skew_bp, scenario.makers.widening) = (0.0, 0.0, 0.0);
    (scenario.makers.volatility_aversion, scenario.makers.exit_volatility) = (0.0, 100.0);
    (scenario.makers.capital, scenario.makers.inventory_limit, scenario.makers.exit_drawdown) = (10.0, 20.0, 1.0);
    (scenario.book.depth_1pct, scenario.book.depth_exponent) = (depth, 1.0);
    (scenario.book.latent_1pct, scenario.book.refill_half_life) = (1e13, 600.0);
    let pipeline = Pipeline {
        trigger: Trigger::Maintenance,
        size: CloseSize::Full,
        execution: Execution::Book,
        limit: LimitPrice::Unlimited,
        throttle: Throttle::Unlimited,
        backstop: Backstop::PayOnly,
        allocation: LossAllocation::Booked,
        ..presets::by_name("legacy_full").expect("a preset")
    };
    let mut market = Site::new(Arc::new(scenario), pipeline).open(5);
    (0..30).for_each(|_| market.tick());
    market
}

/// Dollars of long positions that fall short while the price goes from one share of mark to another.
fn forced(market: &Market, from: f64, to: f64) -> f64 {
    let mark = market.state().prices.mark;
    let rates: Vec<_> =
        (0..market.schedule().lines()).map(|line| market.schedule().rate(line, market.adjustment())).collect();
    let terms = Terms { rates: &rates, funding: market.state().ledger.funding() };
    let at = |share: f64| Price::from_f64(share * mark.as_f64());
    market.index().forced_qty(terms, at(from), at(to)).notional(mark).as_f64()
}

/// What a cascade came to.
#[derive(Debug)]
struct Cascade {
    /// Forced volume over what the news alone forces.
    times: f64,
    /// Forced volume in the second quarter of an hour.
    late: Usd,
    /// Lowest mark over the first.
    low: f64,
}

fn cascade(depth: f64) -> Cascade {
    let mut market = still(depth);
    let direct = forced(&market, 1.0, libm::exp(NEWS));
    assert_eq!(market.outcome().forced_volume, Usd::ZERO, "nobody is short before the news");
    (0..900).for_each(|_| market.tick());
    let half = market.outcome().forced_volume;
    (0..900).for_each(|_| market.tick());
    let outcome = market.outcome();
    Cascade {
        times: outcome.forced_volume.as_f64() / direct,
        late: outcome.forced_volume - half,
        low: outcome.mark_low.as_f64() / outcome.price_start.as_f64(),
    }
}

#[test]
fn forced_flow_dies_out_below_a_cascade_number_of_one_and_runs_away_above() {
    let market = still(DEPTH);
    let news = libm::exp(NEWS);
    let (direct, next) = (forced(&market, 1.0, news), forced(&market, news, news - 0.01));
    assert!(direct > 1e6 && next > 1e6, "{direct} and {next} dollars: a market without a cascade to test");
    let shown = market.state().book.depth(Side::Sell, 0.01) * market.state().prices.mark.as_f64();
    for number in [0.1, 0.2, 0.5, 6.0, 8.0, 12.0] {
        // Depth is linear in what is configured, so the one that gives a number follows from the one that was read.
        let depth = next / number;
        let number = reproduction_number(1.0, next, depth);
        let seen = cascade(depth * DEPTH / shown);
        if let Some(most) = amplification(number) {
            // The mark follows mid and last trade, which move by less than the price of the last coin.
            assert!((0.99..most).contains(&seen.times), "R = {number}: at most {most} times, but {seen:?}");
            assert!(seen.late.is_zero() && seen.low > news - 0.01, "R = {number}: it does not die out: {seen:?}");
        } else {
            assert!(seen.times > 2.5 && seen.low < 0.9, "R = {number}: it does not run away: {seen:?}");
        }
    }
}
