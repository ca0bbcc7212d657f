//! Slots 1, 3, 4 and 6 in the market: who takes the other side, when and at what price.

use super::{usd, venue};
use crate::book::Book;
use crate::liquidation::{
    Auction, Backstop, Dial, Execution, Guard, Incentive, LimitPrice, Limits, Pipeline, Trigger, Unwind,
};
use crate::units::{Price, Qty, Usd};

fn takeover(pipeline: &mut Pipeline) {
    let unwind = Unwind::Pace(0.5);
    pipeline.backstop = Backstop::TakeOver { below: 0.0, max_leverage: 50.0, unwind, limits: Limits::default() };
}

#[test]
fn nothing_is_liquidated_at_a_mark_that_cannot_be_trusted() {
    let mut market = venue(|p| p.trigger = Trigger::Guarded(Guard { divergence: 0.1, staleness: 48.0 }));
    let id = market.distressed(500e3, 0.5);
    let oracle = market.state.prices.oracle;
    for (price, age) in [(oracle * 1.12, 0.0), (oracle, 49.0)] {
        (market.state.prices.oracle, market.state.prices.oracle_age) = (price, age);
        market.pass();
        assert!(market.held(id) > 499e3 && market.state.queue.is_empty());
    }
    (market.state.prices.oracle, market.state.prices.oracle_age) = (oracle * 1.05, 47.0);
    market.pass();
    assert!(market.held(id) < 1.0);
}

#[test]
fn what_an_immediate_order_leaves_is_the_backstops_and_fill_or_kill_leaves_all() {
    let cases = [(false, 0.02, true), (true, 0.02, false), (true, 0.999, true), (false, 0.999, true)];
    for ((all_or_none, health, sold_on_book), side) in cases.into_iter().flat_map(|case| [(case, 1.0), (case, -1.0)]) {
        let mut market = venue(|p| {
            takeover(p);
            p.execution = Execution::ImmediateThenFund { all_or_none };
            p.limit = LimitPrice::Bankruptcy;
        });
        // Ten million dollars do not fill within 2 bp of mark, but do within 1 %, the maintenance of their tier.
        let id = market.distressed(side * 10e6, health);
        market.pass();
        assert!(market.held(id) < 1e-6, "all of it has left the account");
        let outcome = market.outcome();
        assert_eq!(outcome.forced_volume > Usd::ZERO, sold_on_book, "{all_or_none} {health}");
        assert_eq!(market.fund_inventory().is_zero(), health > 0.5, "{all_or_none} {health}");
        assert_eq!(outcome.bad_debt, Usd::ZERO, "nobody filled beyond bankruptcy");
    }
}

#[test]
fn keepers_alone_take_it_for_a_bonus_and_leave_the_book_alone() {
    for (bp, taken) in [(0.0, false), (200.0, true)] {
        let mut market = venue(|p| {
            p.execution = Execution::Keepers;
            p.incentive = Incentive::Fixed { bp: Dial::Fixed(bp) };
        });
        let id = market.distressed(500e3, 0.9);
        for _ in 0..60 {
            market.pass();
        }
        assert_eq!(market.held(id) < 1e-9, taken, "{bp} bp");
        assert_eq!(market.outcome().forced_volume, Usd::ZERO);
    }
}

#[test]
fn a_pool_takes_it_at_mark_and_the_price_does_not_move() {
    let mut market = venue(|p| p.execution = Execution::Pool);
    let id = market.distressed(-5e6, 0.5);
    let equity = market.measure(id).equity;
    let (mid, makers) = (market.state.book.mid(), market.inventories()[1]);
    market.pass();
    assert_eq!((market.state.ledger.qty(id), market.state.ledger.cash(id)), (Qty::ZERO, equity));
    assert!((market.state.book.mid() - mid).abs() < 1e-9 && market.inventories()[1] < makers);
    assert_eq!(market.outcome().liquidation_cost, Usd::ZERO);
}

#[test]
fn the_other_side_is_scaled_down_at_mark_in_proportion() {
    let mut market = venue(|p| p.execution = Execution::OpposingSide);
    let id = market.distressed(8e6, 0.5);
    let (equity, size) = (market.measure(id).equity, market.state.ledger.qty(id));
    let before = market.positions();
    let shorts: i64 = before.iter().map(|qty| (-qty.raw()).max(0)).sum();
    let fund = market.fund_equity();
    market.pass();
    // M6, and nobody's equity moves.
    let mut closed = 0;
    for (at, (before, after)) in before.iter().zip(market.positions()).enumerate() {
        if before.is_negative() {
            let given = before.abs() - after.abs();
            let fair = i128::from(size.raw()) * i128::from(before.abs().raw()) / i128::from(shorts);
            assert!((i128::from(given.raw()) - fair).abs() <= 1, "account {at} gave {given}");
            assert!(!after.raw().is_positive(), "account {at} flipped");
            closed += given.raw();
        } else if at != id as usize {
            assert_eq!(*before, after);
        }
    }
    assert_eq!(closed, size.raw());
    assert_eq!((market.state.ledger.qty(id), market.state.ledger.cash(id)), (Qty::ZERO, equity));
    assert!((market.fund_equity() - fund).abs().raw() <= 1_000, "what is left of rounding");
    assert_eq!(market.outcome().forced_volume, Usd::ZERO);
    assert!(market.outcome().deleveraged > usd(7.99e6));
}

const FALLING: Auction = Auction { start: 1.1, cut: 0.99, step: 2.0, floor: 0.8, tail: 30.0 };

#[test]
fn a_dutch_auction_sells_once_its_price_pays_and_starts_again_when_it_is_stale() {
    // 1.1 · 0.99^10 = 0.9948: the tenth step, at 20 s, is the first below mark.
    for (notional, health) in [(500e3, 0.9), (500e3, -2.0), (-500e3, 0.9)] {
        let mut market = venue(|p| p.execution = Execution::DutchAuction(FALLING));
        let id = market.distressed(notional, health);
        for _ in 0..20 {
            market.pass();
            assert!(market.held(id) > 499e3, "nobody pays more than mark");
        }
        for _ in 0..10 {
            market.pass();
        }
        assert!(market.held(id) < 1e-6, "{}", market.held(id));
        assert_eq!(market.outcome().forced_volume, Usd::ZERO);
    }
    // Without keepers it starts again after its tail, from the mark of then.
    let mut market = venue(|p| p.execution = Execution::DutchAuction(FALLING));
    market.distressed(500e3, 0.9);
    let mut scenario = market.scenario().clone();
    scenario.keepers.gas = 1e5;
    market.scenario = std::sync::Arc::new(scenario);
    for _ in 0..31 {
        market.pass();
    }
    assert_eq!(market.state.queue[0].lot.unwrap().since, 0);
    let mark = Price::from_raw(market.state.prices.mark.raw() - 1);
    market.state.prices.mark = mark;
    market.pass();
    let lot = market.state.queue[0].lot.unwrap();
    assert_eq!((lot.since, lot.top), (31, mark));
}

#[test]
fn an_auction_begun_is_not_called_off_by_a_recovery_but_makers_stop_being_asked() {
    for (execution, sold) in [
        (Execution::DutchAuction(FALLING), true),
        (Execution::JitAuction { seconds: 40.0, start_bp: 0.0, end_bp: 0.0 }, false),
    ] {
        let mut market = venue(|p| p.execution = execution);
        let id = market.distressed(500e3, 0.9);
        market.pass();
        market.state.ledger.deposit(id, usd(1e6));
        for _ in 0..40 {
            market.pass();
        }
        assert_eq!(market.held(id) < 1e-6, sold, "{execution:?}");
    }
}

#[test]
fn makers_are_asked_before_the_book_and_the_book_gets_the_rest_at_the_end() {
    let jit = |end_bp| Execution::JitAuction { seconds: 5.0, start_bp: 0.0, end_bp };
    // At 50 bp they want it; at mark nobody does, and after five seconds it is sold.
    for (end_bp, by_makers, notional) in [(50.0, true, 1e6), (0.0, false, 1e6), (50.0, true, -1e6)] {
        let mut market = venue(|p| {
            p.execution = jit(end_bp);
            p.limit = LimitPrice::Unlimited;
        });
        let id = market.distressed(notional, 0.9);
        for _ in 0..5 {
            market.pass();
        }
        assert_eq!(market.held(id) < 1e-6, by_makers, "{end_bp} bp: {}", market.held(id));
        assert_eq!(market.outcome().forced_volume, Usd::ZERO);
        market.pass();
        assert!(market.held(id) < 1e-6);
        assert_eq!(market.outcome().forced_volume.is_zero(), by_makers);
    }
}

#[test]
fn a_fillable_price_holds_a_healthy_account_close_to_mark() {
    let sold = |health: f64| {
        let mut market = venue(|p| p.limit = LimitPrice::Fillable { adjustment: 1.0, spread: 1.5 });
        let id = market.distressed(10e6, health);
        market.pass();
        10e6 - market.held(id)
    };
    assert!(sold(0.99) < sold(0.8) && sold(0.8) < sold(0.2), "{} {} {}", sold(0.99), sold(0.8), sold(0.2));
}

#[test]
fn an_auctioned_bonus_pays_the_runner_up_and_never_more_than_the_reserve() {
    let discount = |max_bp: f64| {
        let mut market = venue(|p| {
            p.execution = Execution::Keepers;
            p.incentive = Incentive::Auctioned { max_bp };
        });
        let mut scenario = market.scenario().clone();
        (scenario.keepers.latency, scenario.keepers.failure) = (1, 0.0);
        market.scenario = std::sync::Arc::new(scenario);
        let id = market.distressed(300e3, 0.9);
        market.pass();
        (1e4 * market.outcome().liquidation_cost.as_f64() / 300e3, market.held(id) < 1.0)
    };
    let (paid, taken) = discount(500.0);
    assert!(taken && paid > 0.5 && paid < 100.0, "six alike bid each other down: {paid} bp");
    let (_, taken) = discount(0.1);
    assert!(!taken, "a reserve below everybody's cost finds nobody");
}

#[test]
fn a_falling_bonus_leaves_a_toxic_account_to_the_backstop() {
    for (health, taken) in [(0.9, true), (0.05, false)] {
        let mut market = venue(|p| {
            p.execution = Execution::Keepers;
            p.incentive = Incentive::Falling { bp: 200.0 };
        });
        let id = market.distressed(10e6, health);
        for _ in 0..30 {
            market.pass();
        }
        assert_eq!(market.held(id) < 9.9e6, taken, "health {health}: {}", market.held(id));
    }
}

#[test]
fn a_tip_makes_a_small_position_worth_taking() {
    // Gas of 20 dollars eats 0.5 % of 2,000; a tip of 300 does not care.
    for (dollars, taken) in [(0.0, false), (300.0, true)] {
        let mut market = venue(|p| {
            p.execution = Execution::Keepers;
            p.incentive = Incentive::Tip { dollars, bp: 50.0 };
        });
        let id = market.distressed(2e3, 0.9);
        for _ in 0..30 {
            market.pass();
        }
        assert_eq!(market.held(id) < 1.0, taken, "{dollars} dollars");
    }
}
