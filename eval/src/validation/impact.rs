//! What trading does to the price: metaorders, their decay, and the shape of depth.

use rayon::prelude::*;
use seawall_env::book::{Book, HomeBook, Quotes, Side};
use seawall_env::market::{Market, Site};
use seawall_env::units::Qty;

use super::row::Row;
use crate::calibration::regression::line;
use crate::statistics::{mean, real};

/// Sizes of metaorders over a day's volume: two decades below the tenth at which the law is said to end.
const SIZES: [f64; 5] = [0.001, 0.003, 0.01, 0.03, 0.1];
/// Time in which a metaorder is executed, and between two of its parts, in seconds.
const DURATION: f64 = 1_800.0;
const EVERY: f64 = 10.0;
/// Time before it, in seconds.
const WARM_UP: f64 = 1_800.0;
/// Widths at which depth is read, relative.
const WIDTHS: [f64; 7] = [0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01];
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Impact of metaorders in the whole market: parts are taken from the home book, and the same seed without them is the
/// reference.
///
/// Whoever trades has no account: makers' quotes and the latent book feel the order, makers' inventories do not. `seeds` are
/// played in parallel, both directions each.
#[must_use]
pub fn metaorders(site: &Site, seeds: &[u64]) -> Vec<Row> {
    let episodes: Vec<Vec<[f64; 2]>> =
        seeds.par_iter().flat_map_iter(|seed| [1.0, -1.0].map(|sign| impacts(site, *seed, sign))).collect();
    // By size: mean impact at the end, and as much later as the order took.
    let means: Vec<[f64; 2]> = (0..SIZES.len())
        .map(|size| [0, 1].map(|when| mean(&episodes.iter().map(|episode| episode[size][when]).collect::<Vec<f64>>())))
        .collect();
    let points: Vec<(f64, f64)> = SIZES
        .iter()
        .zip(&means)
        .filter(|(_, impact)| impact[0] > 0.0)
        .map(|(size, impact)| (libm::log(*size), libm::log(impact[0])))
        .collect();
    let shown: Vec<String> =
        SIZES.iter().zip(&means).map(|(size, m)| format!("{:.1} bp at {:.1} %", 1e4 * m[0], 100.0 * size)).collect();
    let law = line(&[&points]);
    let exponent = law.map(|law| law.slope.value);
    let interval = law.and_then(|law| {
        let error = law.slope.standard_error?;
        Some([law.slope.value - 1.96 * error, law.slope.value + 1.96 * error])
    });
    // The three largest: their impact stands well above the noise of the market.
    let kept: Vec<f64> = means.iter().skip(2).filter(|m| m[0] > 0.0).map(|m| m[1] / m[0]).collect();
    let left = (!kept.is_empty()).then(|| mean(&kept));
    vec![
        Row::new("V1", "impact of metaorders in the market: exponent in size", [Some(0.4), Some(0.6)], "Toth et al. 2011; Donier & Bonart 2015 on Bitcoin")
            .measured(exponent, interval)
            .noted(format!("over half an hour: {}", shown.join(", "))),
        Row::new("F10", "share of impact left half an hour after a metaorder", [Some(0.5), Some(0.75)], "Bucci et al. 2018; Zarinelli et al. 2015")
            .measured(left, None)
            .optional(),
    ]
}

/// Impact of each size at the end of a metaorder and as long after it.
fn impacts(site: &Site, seed: u64, sign: f64) -> Vec<[f64; 2]> {
    let mut market = site.open(seed);
    let seconds = market.tick_seconds();
    run(&mut market, WARM_UP / seconds, |_| ());
    let start = market.state().clone();
    let traded = (start.outcome.natural_volume + start.outcome.forced_volume).as_f64();
    let daily = traded * SECONDS_PER_DAY / WARM_UP;
    let mut played = |coins: f64| {
        market.restore(start.clone()).expect("the state is this market's own");
        let mut tick = 0.0;
        run(&mut market, DURATION / seconds, |market| {
            if (tick * seconds) % EVERY < 0.5 * seconds && coins.abs() > 0.0 {
                take(market, coins * EVERY / DURATION);
            }
            tick += 1.0;
        });
        let end = libm::log(market.state().book.mid());
        run(&mut market, DURATION / seconds, |_| ());
        [end, libm::log(market.state().book.mid())]
    };
    let without = played(0.0);
    let price = start.book.mid();
    SIZES
        .iter()
        .map(|size| {
            let with = played(sign * size * daily / price);
            [0, 1].map(|when| sign * (with[when] - without[when]))
        })
        .collect()
}

fn run(market: &mut Market, ticks: f64, mut before: impl FnMut(&mut Market)) {
    let mut left = ticks;
    while left >= 0.5 {
        before(market);
        market.tick();
        left -= 1.0;
    }
}

/// Takes from the home book on nobody's account.
fn take(market: &mut Market, coins: f64) {
    let mut state = market.state().clone();
    let _ = state.book.take(Qty::from_f64(coins), None);
    market.restore(state).expect("the state is this market's own");
}

/// Impact on the book alone: no makers who follow other venues, no arbitrage, a quiet fundamental.
#[must_use]
pub fn book_alone(site: &Site) -> Row {
    let scenario = site.scenario();
    let (price, seconds) = (scenario.world.initial_price, scenario.clock.tick_seconds);
    let half_spread = 1e-4 * scenario.book.half_spread_bp;
    let idle = Quotes { outside: price, pull: 0.0, lean: 0.0, half_spread, liquidity: [1.0; 2], latent: 1.0 };
    let points: Vec<(f64, f64)> = [1e6, 3e6, 10e6, 30e6, 100e6]
        .map(|value: f64| {
            let mut book = HomeBook::new(&scenario.book, scenario.makers.count, price, seconds);
            let before = book.mid();
            let parts = DURATION / EVERY;
            let mut part = 0.0;
            while part < parts {
                let _ = book.take(Qty::from_f64(value / price / parts), None);
                let mut waited = 0.0;
                while waited < EVERY {
                    book.refresh(idle);
                    waited += seconds;
                }
                part += 1.0;
            }
            (libm::log(value), libm::log(libm::log(book.mid() / before)))
        })
        .to_vec();
    let exponent = line(&[&points]).map(|law| law.slope.value);
    Row::new("V1b", "impact of metaorders on the book alone: exponent in size", [Some(0.4), Some(0.6)], "Toth et al. 2011; Donier et al. 2015")
        .measured(exponent, None)
        .noted("1 to 100 million dollars over half an hour")
}

/// Shape of displayed depth in a live market: looked at every ten minutes of an episode for each seed.
#[must_use]
pub fn depth_profile(site: &Site, seeds: &[u64]) -> Row {
    let exponents: Vec<f64> = seeds.par_iter().flat_map_iter(|seed| profiles(site, *seed)).collect();
    let row = Row::new("V2", "depth in width: exponent, 10 to 100 bp", [Some(0.57), Some(0.77)], "3.5 M$ within 10 bp, 16.5 M$ within 100 bp: 0.67 (Amberdata 2025)");
    if exponents.is_empty() {
        return row.measured(None, None);
    }
    let centre = mean(&exponents);
    let error = crate::calibration::long_run::mean(&[&exponents], 6).and_then(|fitted| fitted.standard_error);
    row.measured(Some(centre), error.map(|error| [centre - 1.96 * error, centre + 1.96 * error]))
}

fn profiles(site: &Site, seed: u64) -> Vec<f64> {
    let mut market = site.open(seed);
    let every = 600.0 / market.tick_seconds();
    let looks = real(usize::try_from(site.scenario().horizon_ticks()).unwrap_or(0)) / every;
    let mut exponents = Vec::new();
    let mut look = 0.0;
    while look + 1.0 <= looks {
        run(&mut market, every, |_| ());
        let book = &market.state().book;
        let depth = |width: f64| book.depth(Side::Buy, width) + book.depth(Side::Sell, width);
        let points: Vec<(f64, f64)> = WIDTHS
            .iter()
            .map(|width| (libm::log(*width), depth(*width)))
            .filter(|(_, depth)| *depth > 0.0)
            .map(|(width, depth)| (width, libm::log(depth)))
            .collect();
        exponents.extend(line(&[&points]).map(|line| line.slope.value));
        look += 1.0;
    }
    exponents
}
