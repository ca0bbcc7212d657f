//! What a metaorder does to prices at home and elsewhere: it lasts, by home's share; it is concave; it earns nothing; and the
//! world does not notice.

use std::sync::Arc;

use seawall_env::book::Book;
use seawall_env::liquidation::presets;
use seawall_env::market::{Market, Site};
use seawall_env::scenario::Scenario;
use seawall_env::units::Qty;

/// Seeds of every claim, each played in both directions where noise has to cancel.
const SEEDS: std::ops::Range<u64> = 0..6;

/// A quiet market of which home is so much.
fn site(home_share: f64) -> Site {
    let mut scenario = Scenario::shipped("calm").expect("a shipped scenario");
    scenario.venue.home_share = home_share;
    Site::new(Arc::new(scenario), presets::by_name("off").expect("a preset"))
}

/// Takes coins from the home book on nobody's account; returns what they cost in dollars.
fn take(market: &mut Market, coins: f64) -> f64 {
    let mut state = market.state().clone();
    let fill = state.book.take(Qty::from_f64(coins), None);
    market.restore(state).expect("the state is this market's own");
    fill.value.as_f64()
}

/// Trades `coins` every ten seconds for so many seconds; returns dollars paid.
fn trade(market: &mut Market, coins: f64, seconds: u32) -> f64 {
    let mut paid = 0.0;
    for second in 0..seconds {
        if second % 10 == 0 {
            paid += take(market, coins);
        }
        market.tick();
    }
    paid
}

fn wait(market: &mut Market, seconds: u32) {
    trade(market, 0.0, seconds);
}

/// Log distance of home and of other venues from the fundamental price after a purchase over that after a sale, halved.
fn impact(site: &Site, seed: u64, coins: f64, [lasts, later]: [u32; 2]) -> [f64; 2] {
    let [up, down] = [coins, -coins].map(|coins| {
        let mut market = site.open(seed);
        trade(&mut market, coins, lasts);
        wait(&mut market, later);
        let state = market.state();
        let above = |price: f64| libm::log(price / state.prices.fundamental);
        [above(state.book.mid()), above(state.prices.outside)]
    });
    [0, 1].map(|which| 0.5 * (up[which] - down[which]))
}

fn mean_impact(site: &Site, coins: f64, times: [u32; 2]) -> [f64; 2] {
    let all: Vec<[f64; 2]> = SEEDS.map(|seed| impact(site, seed, coins, times)).collect();
    [0, 1].map(|which| all.iter().map(|one| one[which]).sum::<f64>() / 6.0)
}

#[test]
fn the_world_is_the_same_with_and_without_a_metaorder() {
    let site = site(1.0);
    let [mut with, mut without] = [site.open(3), site.open(3)];
    for _ in 0..1_800 {
        trade(&mut with, 2.0, 1);
        wait(&mut without, 1);
        let fundamental = |market: &Market| market.state().prices.fundamental.to_bits();
        assert_eq!(fundamental(&with), fundamental(&without));
    }
    let outside = |market: &Market| market.state().prices.outside;
    assert!(outside(&with) > outside(&without) * 1.000_5, "other venues have learned");
}

#[test]
fn other_venues_learn_from_home_by_its_share_and_from_a_small_venue_nothing() {
    let [none, half, all] = [0.0, 0.5, 1.0].map(|share| mean_impact(&site(share), 2.0, [1_800, 0])[1]);
    assert!(none.abs() < 1e-12, "{none}");
    assert!(0.0 < half && half < all, "{half} and {all}");
}

#[test]
fn more_of_an_impact_is_left_after_hours_where_home_is_the_market() {
    let after = |share: f64| [0, 3 * 3_600].map(|later| mean_impact(&site(share), 4.0, [1_800, later])[0]);
    let ([at_once, alone], [_, among]) = (after(1.0), after(0.0));
    assert!(alone > 0.1 * at_once, "{alone} of {at_once} is left where home is the market");
    assert!(alone > 1.5 * among, "{alone} where home is the market, {among} where it is a small part");
}

#[test]
fn four_times_the_order_moves_every_venue_less_than_four_times_as_far() {
    let site = site(1.0);
    let [small, large] = [4.0, 16.0].map(|coins| mean_impact(&site, coins, [1_800, 0]));
    for (small, large) in small.into_iter().zip(large) {
        assert!(large > small && large < 4.0 * small, "{small} and {large}");
    }
}

#[test]
fn no_round_trip_earns_what_other_venues_have_learned() {
    // Quickly in and slowly out, slowly in and quickly out, and with a rest in which the lasting part forms.
    let site = site(1.0);
    for [enter, rest, exit] in [[300, 0, 3_000], [3_000, 0, 300], [1_200, 3_600, 1_200]] {
        let cost: f64 = SEEDS
            .flat_map(|seed| [1.0, -1.0].map(|side| (seed, side)))
            .map(|(seed, side)| {
                let mut market = site.open(seed);
                let whole = side * 600.0;
                let paid = trade(&mut market, whole * 10.0 / f64::from(enter), enter);
                wait(&mut market, rest);
                paid + trade(&mut market, -whole * 10.0 / f64::from(exit), exit)
            })
            .sum();
        assert!(cost > 0.0, "in {enter} s, out {exit} s: earned {}", -cost);
    }
}
