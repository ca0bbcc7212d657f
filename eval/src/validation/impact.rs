//! What trading does to the price: metaorders, their decay, and the shape of depth.

use rayon::prelude::*;
use seawall_env::book::{Book, HomeBook, Quotes, Side};
use seawall_env::market::{Market, Site};
use seawall_env::units::Qty;

use super::row::Row;
use crate::calibration::regression::line;
use crate::statistics::{mean, real};

/// Sizes of metaorders over a day's volume.
const SIZES: [f64; 5] = [0.0005, 0.001, 0.003, 0.01, 0.03];
/// Share of the market's volume that a metaorder takes while it lasts.
const PARTICIPATION: f64 = 0.2;
/// Time in which every metaorder of the other schedule is executed, and between two parts of one, in seconds.
const DURATION: f64 = 1_800.0;
const EVERY: f64 = 10.0;
/// Time before it, in seconds.
const WARM_UP: f64 = 1_800.0;
/// Widths at which depth is read, relative.
const WIDTHS: [f64; 7] = [0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01];
const SECONDS_PER_DAY: f64 = 86_400.0;
/// Rate of a metaorder on the book alone, in dollars a second.
const RATE: f64 = 1e4;

/// How long a metaorder of each size lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    /// As long as its share of volume takes: how metaorders are executed.
    Participation,
    /// Half an hour, whatever its size.
    Duration,
}

impl Schedule {
    fn seconds(self, size: f64) -> f64 {
        match self {
            Self::Participation => size * SECONDS_PER_DAY / PARTICIPATION,
            Self::Duration => DURATION,
        }
    }
}

/// Impact of metaorders in the whole market: parts are taken from the home book, and the same seed without them is the
/// reference. Episodes of `site` must last four hours and more.
///
/// Whoever trades has no account: makers' quotes and the latent book feel the order, makers' inventories do not. `seeds` are
/// played in parallel, both directions each.
#[must_use]
pub fn metaorders(site: &Site, seeds: &[u64]) -> Vec<Row> {
    let law = "Toth et al. 2011; Donier & Bonart 2015 on Bitcoin";
    let by_share = means(site, seeds, Schedule::Participation);
    let by_time = means(site, seeds, Schedule::Duration);
    // The three largest: their impact stands well above the noise of the market.
    let kept: Vec<f64> = by_share.iter().skip(2).filter(|m| m[0] > 0.0).map(|m| m[1] / m[0]).collect();
    let left = (!kept.is_empty()).then(|| mean(&kept));
    vec![
        exponent(
            &by_share,
            Row::new(
                "V1",
                "impact of metaorders in the market at a fifth of volume: exponent in size",
                [Some(0.4), Some(0.6)],
                law,
            ),
        ),
        exponent(
            &by_time,
            Row::new("V1b", "the same within half an hour: exponent in size", [Some(0.4), Some(0.6)], law),
        ),
        Row::new(
            "F10",
            "share of impact left as long after a metaorder as it took",
            [Some(0.5), Some(0.75)],
            "Bucci et al. 2018; Zarinelli et al. 2015",
        )
        .measured(left, None)
        .optional(),
    ]
}

/// Mean impact over episodes by size: at the end of the order, and as much later as it took.
fn means(site: &Site, seeds: &[u64], schedule: Schedule) -> Vec<[f64; 2]> {
    let episodes: Vec<Vec<[f64; 2]>> = seeds.par_iter().map(|seed| impacts(site, *seed, schedule)).collect();
    let of = |size: usize, when: usize| mean(&episodes.iter().map(|episode| episode[size][when]).collect::<Vec<f64>>());
    (0..SIZES.len()).map(|size| [of(size, 0), of(size, 1)]).collect()
}

/// Fits the exponent into a row.
fn exponent(means: &[[f64; 2]], row: Row) -> Row {
    let points: Vec<(f64, f64)> = SIZES
        .iter()
        .zip(means)
        .filter(|(_, impact)| impact[0] > 0.0)
        .map(|(size, impact)| (libm::log(*size), libm::log(impact[0])))
        .collect();
    let shown: Vec<String> =
        SIZES.iter().zip(means).map(|(size, m)| format!("{:.1} bp at {:.2} %", 1e4 * m[0], 100.0 * size)).collect();
    let law = line(&[&points]);
    let interval = law.and_then(|law| {
        let error = law.slope.standard_error?;
        Some([law.slope.value - 1.96 * error, law.slope.value + 1.96 * error])
    });
    row.measured(law.map(|law| law.slope.value), interval).noted(format!("of a day's volume: {}", shown.join(", ")))
}

/// Impact of each size, the mean of a purchase and a sale.
fn impacts(site: &Site, seed: u64, schedule: Schedule) -> Vec<[f64; 2]> {
    let mut market = site.open(seed);
    let seconds = market.tick_seconds();
    run(&mut market, WARM_UP / seconds, |_| ());
    let start = market.state().clone();
    let traded = (start.outcome.natural_volume + start.outcome.forced_volume).as_f64();
    let coins_per_day = traded * SECONDS_PER_DAY / WARM_UP / start.book.mid();
    let longest = SIZES.iter().map(|size| schedule.seconds(*size)).fold(0.0, f64::max);
    let mut without = Vec::new();
    run(&mut market, 2.0 * longest / seconds + 1.0, |market| without.push(libm::log(market.state().book.mid())));
    let mut with = |coins: f64, duration: f64| {
        market.restore(start.clone()).expect("the state is this market's own");
        let parts = (duration / EVERY).max(1.0);
        let mut tick = 0.0;
        run(&mut market, duration / seconds, |market| {
            if (tick * seconds) % EVERY < 0.5 * seconds {
                take(market, coins / parts);
            }
            tick += 1.0;
        });
        let end = libm::log(market.state().book.mid());
        run(&mut market, duration / seconds, |_| ());
        [end, libm::log(market.state().book.mid())]
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ticks of a few hours")]
    let tick_at = |time: f64| libm::ceil(time / seconds - 0.5) as usize;
    SIZES
        .iter()
        .map(|size| {
            let duration = schedule.seconds(*size);
            let [up, down] = [1.0, -1.0].map(|sign| with(sign * size * coins_per_day, duration));
            [0, 1].map(|when| {
                let reference = without[tick_at(duration) * (when + 1)];
                0.5 * ((up[when] - reference) - (down[when] - reference))
            })
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

/// Impact on the book alone at a constant rate: no makers who follow other venues, no arbitrage, a quiet fundamental.
#[must_use]
pub fn book_alone(site: &Site) -> Row {
    let scenario = site.scenario();
    let (price, seconds) = (scenario.world.initial_price, scenario.clock.tick_seconds);
    let half_spread = 1e-4 * scenario.book.half_spread_bp;
    let idle = Quotes { outside: price, pull: 0.0, lean: 0.0, half_spread, liquidity: [1.0; 2], latent: 1.0 };
    let points: Vec<(f64, f64)> = [3e6, 6e6, 12e6, 24e6, 48e6]
        .map(|value: f64| {
            let mut book = HomeBook::new(&scenario.book, scenario.makers.count, price, seconds);
            let before = book.mid();
            let mut spent = 0.0;
            while spent < value {
                let _ = book.take(Qty::from_f64(RATE * seconds / price), None);
                book.refresh(idle);
                spent += RATE * seconds;
            }
            (libm::log(value), libm::log(libm::log(book.mid() / before)))
        })
        .to_vec();
    let exponent = line(&[&points]).map(|law| law.slope.value);
    Row::new(
        "V1c",
        "impact of metaorders on the book alone: exponent in size",
        [Some(0.4), Some(0.6)],
        "Toth et al. 2011; Donier et al. 2015",
    )
    .measured(exponent, None)
    .noted("3 to 48 million dollars at 10,000 dollars a second")
}

/// Shape of displayed depth in a live market: looked at every ten minutes of an episode for each seed.
#[must_use]
pub fn depth_profile(site: &Site, seeds: &[u64]) -> Row {
    let exponents: Vec<f64> = seeds.par_iter().flat_map_iter(|seed| profiles(site, *seed)).collect();
    let row = Row::new(
        "V2",
        "depth in width: exponent, 10 to 100 bp",
        [Some(0.57), Some(0.77)],
        "3.5 M$ within 10 bp, 16.5 M$ within 100 bp: 0.67 (Amberdata 2025)",
    );
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
