//! Slot 2 in the market: what is left of a position, tick by tick.

use super::{Market, usd, venue};
use crate::liquidation::{Backstop, CloseSize, Dial, LimitPrice, Limits, Then, Throttle, Toxic, Unwind};

fn sized(size: CloseSize) -> Market {
    venue(|p| {
        p.size = size;
        p.limit = LimitPrice::Unlimited;
    })
}

/// Dollars left after each of some ticks.
fn left(market: &mut Market, notional: f64, health: f64, ticks: usize) -> Vec<f64> {
    let id = market.distressed(notional, health);
    (0..ticks)
        .map(|_| {
            market.pass();
            market.held(id)
        })
        .collect()
}

fn assert_all(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (got_one, want_one) in got.iter().zip(want) {
        assert!((got_one - want_one).abs() < 0.01, "{got:?} instead of {want:?}");
    }
}

#[test]
fn a_fifth_goes_first_and_the_rest_as_the_cooldown_is_read() {
    for (then, after) in [
        (Then::Repeat, [800e3, 800e3, 800e3, 640e3]),
        (Then::RestAfterWait, [800e3, 800e3, 800e3, 0.0]),
        (Then::RestDuringWait, [800e3, 0.0, 0.0, 0.0]),
    ] {
        let mut market = venue(|p| {
            p.size = CloseSize::Fraction { share: 0.2, full_below: 100e3, then, full_under_health: 0.0 };
            p.limit = LimitPrice::Unlimited;
            p.throttle = Throttle::PerAccount { delay: Dial::Fixed(3.0) };
        });
        assert_all(&left(&mut market, 1e6, 0.5, 4), &after);
    }
    let small = CloseSize::Fraction { share: 0.2, full_below: 100e3, then: Then::Repeat, full_under_health: 0.0 };
    assert_all(&left(&mut sized(small), 99e3, 0.5, 1), &[0.0]);
}

#[test]
fn half_is_repaid_and_all_of_an_account_whose_health_is_poor() {
    // At 0.5 % maintenance, equity of 0.4 % is health 0.995/0.996 = 0.999, and 0.1 % is 0.995/0.999 = 0.996.
    for (full_under_health, health, after) in [(0.998, 0.8, 250e3), (0.998, 0.2, 0.0), (0.9, 0.2, 250e3)] {
        let half = CloseSize::Fraction { share: 0.5, full_below: 2_000.0, then: Then::Repeat, full_under_health };
        assert_all(&left(&mut sized(half), 500e3, health, 1), &[after]);
    }
}

#[test]
fn blocks_close_a_tenth_within_their_bounds() {
    let blocks = CloseSize::Block { share: 0.1, least: 1e3, most: 100e3 };
    // The cap twice, then a tenth of what is left.
    assert_all(&left(&mut sized(blocks), 1.05e6, 0.3, 3), &[950e3, 855e3, 769.5e3]);
    assert_all(&left(&mut sized(blocks), 2.5e3, 0.15, 3), &[1.5e3, 500.0, 0.0]);
}

#[test]
fn a_ramp_frees_the_shortage_in_proportion_to_time() {
    let ramp = |seconds| CloseSize::Ramp { initial: 0.0, seconds, exit: 0.01, full_shortage: 50.0, full_below: 50.0 };
    let mut market = sized(ramp(10.0));
    let id = market.distressed(1e6, 0.9);
    let before = market.measure(id);
    let shortage = |market: &Market| {
        let now = market.measure(id);
        (now.target - now.ratio()) * now.notional.as_f64()
    };
    let whole = shortage(&market);
    market.pass();
    assert!((market.held(id) - 1e6).abs() < 0.01, "nothing is due at once");
    for _ in 0..5 {
        market.pass();
    }
    // Half of the time: half of the shortage, up to what the book cost and the table's curvature make of it.
    let half = shortage(&market) / whole;
    assert!((0.45..0.6).contains(&half), "{half} of the shortage is left half way");
    assert!(before.target > before.rate + 0.009, "it ends above maintenance");
    // Without a duration everything is due at once.
    let mut market = sized(ramp(0.0));
    let id = market.distressed(1e6, 0.9);
    market.pass();
    let now = market.measure(id);
    assert!(now.ratio() > 0.95 * now.target, "{} of {}", now.ratio(), now.target);
}

#[test]
fn a_tier_step_stops_on_the_cap_below() {
    // Binance rows of the default table: 12 M, 3 M, 600,000, 50,000. Equity stays short at every step.
    let mut market = sized(CloseSize::TierStep);
    let id = market.distressed(2e6, 0.2);
    market.pass();
    assert!((market.held(id) - 600e3).abs() < 1.0, "{}", market.held(id));
    let short = usd(0.1 * market.measure(id).maintenance.as_f64());
    market.endow(id, short);
    market.pass();
    assert!((market.held(id) - 50e3).abs() < 1.0, "{}", market.held(id));
    let short = usd(0.1 * market.measure(id).maintenance.as_f64());
    market.endow(id, short);
    market.pass();
    assert!(market.held(id) < 1e-9, "the lowest tier goes as a whole");
}

#[test]
fn beyond_the_toxic_frontier_the_backstop_is_asked_first_if_the_rule_says_so() {
    for (toxic, through_the_fund) in [(Toxic::CloseAll, false), (Toxic::HandOver, true)] {
        let mut market = venue(|p| {
            p.size = CloseSize::RestoreToBuffer { buffer: Dial::Fixed(0.5), full_below: 0.0, toxic };
            p.limit = LimitPrice::Unlimited;
            let unwind = Unwind::Pace(0.5);
            p.backstop = Backstop::TakeOver { below: 0.0, max_leverage: 50.0, unwind, limits: Limits::default() };
        });
        // Equity of a thousandth of maintenance: less than any exit costs.
        let id = market.distressed(5e6, 0.001);
        market.pass();
        assert!(market.held(id) < 1e-9, "{toxic:?}");
        assert_eq!(market.state.outcome.forced_volume.is_zero(), through_the_fund, "{toxic:?}");
        assert_eq!(market.fund_inventory().is_zero(), !through_the_fund, "{toxic:?}");
    }
}

#[test]
fn almgren_and_chriss_follow_a_line_without_risk_aversion_and_hurry_with_it() {
    let schedule = |risk_aversion| CloseSize::AlmgrenChriss { horizon: 10.0, risk_aversion };
    // Equity is little enough to stay short to the end.
    let calm = left(&mut sized(schedule(0.0)), 1e6, 0.1, 9);
    let line: Vec<f64> = (1..=9).map(|t| 1e6 * (1.0 - f64::from(t) / 10.0)).collect();
    assert_all(&calm, &line);
    let afraid = left(&mut sized(schedule(0.1)), 1e6, 0.1, 9);
    assert!(afraid[4] < 0.5 * calm[4] && afraid[8] < calm[8], "{afraid:?}");
}

#[test]
fn a_share_of_depth_is_sold_whatever_the_position() {
    use crate::book::{Book, Side};
    let rule = CloseSize::DepthShare { share: 0.02, distance_bp: 100.0, full_below: 0.0 };
    for notional in [3e6, 6e6] {
        let mut market = sized(rule);
        let depth = market.state.book.depth(Side::Sell, 0.01) * market.state.prices.mark.as_f64();
        let id = market.distressed(notional, 0.5);
        market.pass();
        let sold = notional - market.held(id);
        assert!((sold / (0.02 * depth) - 1.0).abs() < 1e-3, "{sold} of {depth}");
    }
}
