//! Slot 5 in the market: how much is let through, and when.

use super::{Market, usd, venue};
use crate::book::{Book, Side};
use crate::liquidation::{Auction, CloseSize, Execution, LimitPrice, Then, Throttle};

fn throttled(throttle: Throttle) -> Market {
    venue(|p| {
        p.throttle = throttle;
        p.limit = LimitPrice::Unlimited;
    })
}

/// Dollars that leave all accounts in each of some ticks.
fn flow(market: &mut Market, ticks: usize) -> Vec<f64> {
    (0..ticks)
        .map(|_| {
            let before = market.outcome().liquidated;
            market.pass();
            (market.outcome().liquidated - before).as_f64()
        })
        .collect()
}

fn assert_flow(market: &mut Market, want: &[f64]) {
    let got = flow(market, want.len());
    for (got_one, want_one) in got.iter().zip(want) {
        assert!((got_one - want_one).abs() < 1e-3 * want_one.max(100.0), "{got:?} instead of {want:?}");
    }
}

#[test]
fn a_window_lets_its_notional_through_for_everybody_together() {
    let mut market = throttled(Throttle::Window { notional: 300e3, seconds: 3.0 });
    let [first, second] = [400e3, 400e3].map(|notional| market.distressed(notional, 0.2));
    assert_flow(&mut market, &[300e3, 0.0, 0.0, 300e3, 0.0, 0.0, 200e3]);
    assert!(market.held(first) < 1.0 && market.held(second) < 1.0);
}

#[test]
fn a_skew_window_lets_its_coins_through() {
    // 7 bp · 1,000 coins · 3 s = 2.1 coins.
    let mut market = throttled(Throttle::SkewWindow {
        maker_fee_bp: 2.0,
        taker_fee_bp: 5.0,
        skew_scale: 1_000.0,
        multiplier: 1.0,
        seconds: 3.0,
    });
    market.distressed(500e3, 0.5);
    let coins = 2.1 * market.state.prices.mark.as_f64();
    assert_flow(&mut market, &[coins, 0.0, 0.0, coins]);
}

#[test]
fn a_share_of_the_thinner_side_goes_per_interval() {
    let mut market = throttled(Throttle::BookShare { share: 0.01, distance_bp: 100.0, seconds: 2.0 });
    market.distressed(5e6, 0.5);
    let book = &market.state.book;
    let thinner = book.depth(Side::Sell, 0.01).min(book.depth(Side::Buy, 0.01));
    let first = 0.01 * thinner * market.state.prices.mark.as_f64();
    let got = flow(&mut market, 4);
    assert!((got[0] / first - 1.0).abs() < 1e-3 && got[1] < 1e-9, "{got:?}");
    assert!(got[2] > 0.9 * first && got[2] <= first, "the book is thinner by what it took: {got:?}");
}

#[test]
fn a_hole_bounds_what_is_up_for_auction_at_once() {
    let auction = Auction { start: 1.5, cut: 0.99, step: 60.0, floor: 0.1, tail: 3_600.0 };
    let mut market = venue(|p| {
        p.execution = Execution::DutchAuction(auction);
        p.throttle = Throttle::Hole { notional: 500e3 };
    });
    for _ in 0..3 {
        market.distressed(300e3, 0.5);
    }
    for _ in 0..5 {
        market.pass();
        let mark = market.state.prices.mark;
        let lots = market.state.queue.iter().filter_map(|case| case.lot);
        let in_flight: f64 = lots.map(|lot| lot.qty.notional(mark).as_f64()).sum();
        assert!((in_flight - 500e3).abs() < 100.0, "{in_flight} in flight");
    }
    // Where closing takes no time, the hole is never full.
    let mut market = throttled(Throttle::Hole { notional: 500e3 });
    market.distressed(900e3, 0.2);
    assert_flow(&mut market, &[500e3, 400e3]);
}

#[test]
fn an_adaptive_wait_is_shorter_for_an_account_that_falls() {
    let second_slice = |change: f64| {
        let mut market = venue(|p| {
            p.size = CloseSize::Fraction { share: 0.2, full_below: 0.0, then: Then::Repeat, full_under_health: 0.0 };
            p.limit = LimitPrice::Unlimited;
            p.throttle = Throttle::AdaptiveDelay { delay: 20.0, gain: 2.0, least: 2.0, most: 60.0 };
        });
        let id = market.distressed(1e6, 0.6);
        market.pass();
        let step = usd(change * market.measure(id).maintenance.as_f64());
        market.state.ledger.deposit(id, step);
        let held = market.held(id);
        (1..100).find(|_| {
            market.pass();
            market.held(id) < held
        })
    };
    let [worse, same, better] = [-0.4, -0.1, 0.1].map(second_slice);
    assert!(worse < same && same < better && better.is_some(), "{worse:?} {same:?} {better:?}");
}
