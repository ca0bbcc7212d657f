//! One liquidation in an economy of one asset on three venues, on books of every kind.

use super::*;
use crate::book::{BookKind, HomeBook, Side};
use crate::liquidation::{CloseSize, Dial, Execution, LimitPrice, Pipeline};
use crate::units::Rate;
use crate::world::WindowConfig;

const KINDS: [BookKind; 3] = [BookKind::Depth, BookKind::Order, BookKind::Amm];
const COST_BP: f64 = 2.0;

fn three_venues(kind: BookKind, capacity: f64) -> Scenario {
    let mut scenario = Scenario::shipped("three_by_three").unwrap();
    scenario.assets.truncate(1);
    scenario.traders.accounts = 64;
    scenario.book.kind = kind;
    scenario.arbitrage.capacity = capacity;
    scenario
}

/// Home closes whole accounts at once, on whatever books there are.
fn routing(scenario: Scenario, limit: LimitPrice) -> Economy {
    executing(scenario, limit, Execution::Routed { cost_bp: COST_BP })
}

fn executing(scenario: Scenario, limit: LimitPrice, execution: Execution) -> Economy {
    let pipeline = Pipeline { size: CloseSize::Full, execution, limit, ..presets::by_name("legacy_full").unwrap() };
    let mut economy = Economy::on(&Site::new(Arc::new(scenario), pipeline), 4).unwrap();
    economy.set_controls(Controls::default());
    economy
}

/// What one liquidation did.
struct Closed {
    id: AccountId,
    mark: Price,
    /// Coins that the account lost, signed as the position.
    qty: Qty,
    /// What it was paid for them at home's ledger.
    proceeds: Usd,
    books: Vec<HomeBook>,
}

impl Closed {
    fn side(&self) -> Side {
        Side::of(-self.qty)
    }

    /// Coins that each venue's book got.
    fn coins(&self, economy: &Economy) -> [f64; 3] {
        let abroad = [1, 2].map(|venue| arbitrage_qty(economy, venue).abs());
        [self.qty.abs() - abroad[0] - abroad[1], abroad[0], abroad[1]].map(Qty::as_f64)
    }
}

fn arbitrage_qty(economy: &Economy, venue: usize) -> Qty {
    let market = economy.market(venue, 0);
    market.arbitrageurs().map(|id| market.state().ledger.qty(id)).fold(Qty::ZERO, |sum, qty| sum + qty)
}

fn arbitrage_cash(economy: &Economy) -> Usd {
    let cash = |market: &Market| market.arbitrageurs().map(|id| market.state().ledger.cash(id)).sum::<Usd>();
    economy.markets().iter().map(cash).sum()
}

/// Gives somebody at home a position of some dollars and next to no equity, and lets home settle its risk.
fn liquidate(economy: &mut Economy, dollars: f64) -> Closed {
    let market = &mut economy.markets[0];
    let id = (0..64).find(|&id| market.state().ledger.qty(id).is_zero()).expect("somebody without a position");
    let mark = market.state().prices.mark;
    market.fund_account(id, Usd::from_f64(1e-3 * dollars.abs()) - market.state().ledger.cash(id));
    let opened = Qty::from_f64(dollars / mark.as_f64());
    market.open_against_a_maker(id, opened);
    let books = economy.markets.iter().map(|market| market.state().book.clone()).collect();
    let cash = |economy: &Economy| {
        let state = economy.markets[0].state();
        let fund = economy.markets[0].backstops().map(|id| state.ledger.cash(id)).sum::<Usd>();
        // Its fee goes to the fund, and the fund pays what it cannot.
        state.ledger.cash(id) + fund
    };
    let before = cash(economy);
    economy.settle_instrument(0, 0);
    assert_eq!(economy.markets[0].outcome().liquidated_accounts, 1);
    economy.assert_invariants();
    let qty = opened - economy.markets[0].state().ledger.qty(id);
    Closed { id, mark, qty, proceeds: cash(economy) - before, books }
}

/// Rate that a trade abroad costs beyond its price.
fn rate(economy: &Economy, venue: usize) -> f64 {
    // Other venues run at neutral parameters.
    let fees = economy.market(venue, 0).scenario().venue.taker_fee_bp + Controls::default().fund_contribution;
    if venue == 0 { 0.0 } else { (fees + COST_BP) * 1e-4 }
}

/// Dollars that a split brings (a sale) or costs (a purchase, negative) after costs; dust that no book fills counts at mark.
fn worth(closed: &Closed, economy: &Economy, coins: [f64; 3]) -> f64 {
    let side = closed.side();
    let of = |venue: usize| {
        let qty = Qty::from_f64(coins[venue]);
        let fill = closed.books[venue].clone().take(if side == Side::Buy { qty } else { -qty }, None);
        let left = (qty - fill.qty.abs()).as_f64() * closed.mark.as_f64();
        let sign = if side == Side::Buy { -1.0 } else { 1.0 };
        fill.value.abs().as_f64() * (sign - rate(economy, venue)) + sign * left
    };
    (0..3).map(of).sum()
}

#[test]
fn no_other_split_is_cheaper_and_nothing_is_lost_on_the_way() {
    for kind in KINDS {
        for dollars in [4e6, -4e6] {
            let mut economy = routing(three_venues(kind, 0.1), LimitPrice::Unlimited);
            let before = arbitrage_cash(&economy);
            let closed = liquidate(&mut economy, dollars);
            let coins = closed.coins(&economy);
            let what = format!("{kind:?}, {dollars}: {coins:?}");
            assert!((closed.qty.as_f64() * closed.mark.as_f64() / dollars - 1.0).abs() < 1e-4, "{what}");
            assert!(coins.iter().all(|&coins| coins > 0.1 * closed.qty.abs().as_f64() / 3.0), "{what}");
            // What arbitrageurs took over at home they have traded abroad, and are paid their cost and nothing else.
            assert_eq!((0..3).map(|venue| arbitrage_qty(&economy, venue)).fold(Qty::ZERO, |a, b| a + b), Qty::ZERO);
            let [home, other] = [0, 1].map(|venue| arbitrage_qty(&economy, venue));
            assert_eq!(home.signum(), closed.qty.signum(), "{what}");
            assert_eq!(other.signum(), -closed.qty.signum(), "{what}");
            let fees: Usd = economy.markets()[1..].iter().map(|market| market.state().ledger.fees()).sum();
            let held: f64 = (1..3).map(|venue| rate(&economy, venue) * 1e4 - COST_BP).fold(0.0, f64::max);
            assert!(fees > Usd::ZERO && held > 0.0, "{what}: fees are part of it");
            let earned = arbitrage_cash(&economy) - before;
            let due = economy.routed().share_ceil(Rate::from_f64(COST_BP * 1e-4));
            assert!((earned - due).abs().raw() <= 8, "{what}: earned {earned}, due {due}");
            // The account was paid what the books paid less costs.
            let paid = worth(&closed, &economy, coins);
            assert!((closed.proceeds.as_f64() - paid).abs() < 2.0, "{what}: {} for {paid}", closed.proceeds);
            // Moving a fiftieth from any book to any other brings less, to a cent and what a lot or a level is worth.
            let moved = 0.02 * closed.qty.abs().as_f64();
            for (from, to) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                let mut other = coins;
                other[from] -= moved;
                other[to] += moved;
                let gain = worth(&closed, &economy, other) - paid;
                assert!(gain < 2.0, "{what}: moving {moved} from {from} to {to} gains {gain}");
            }
            // All of it at home would have been dearer by more than that.
            let alone = worth(&closed, &economy, [coins.iter().sum(), 0.0, 0.0]);
            assert!(paid - alone > 100.0, "{what}: {paid} against {alone}");
        }
    }
}

#[test]
fn everything_within_the_limit_is_taken_and_nothing_beyond_it() {
    for kind in KINDS {
        for dollars in [40e6, -40e6] {
            let limit = LimitPrice::Band { bp: Dial::Fixed(25.0) };
            let mut economy = routing(three_venues(kind, 1.0), limit);
            let closed = liquidate(&mut economy, dollars);
            let sign = if closed.side() == Side::Buy { 1.0 } else { -1.0 };
            let limit = closed.mark.as_f64() * (1.0 + sign * 25e-4);
            let what = format!("{kind:?}, {dollars}: {:?} of {limit}", closed.coins(&economy));
            assert!(!economy.markets[0].state().ledger.qty(closed.id).is_zero(), "{what}: too small to test");
            for venue in 0..3 {
                let gross = limit / (1.0 + sign * rate(&economy, venue));
                let within = |book: &HomeBook, bp: f64| {
                    book.reachable(closed.side(), Price::from_f64(gross * (1.0 - sign * bp * 1e-4)))
                };
                let (was, is) = (&closed.books[venue], &economy.market(venue, 0).state().book);
                assert!(within(was, 0.0) > 0.0, "{what}: venue {venue} had nothing to offer");
                // What is left of a level lies evenly in it: look a level of two basis points nearer.
                assert!(within(is, 2.1) <= 1e-3 * within(was, 0.0), "{what}: venue {venue} had more");
                let taken = closed.coins(&economy)[venue];
                assert!(taken <= within(was, 0.0) * (1.0 + 1e-6), "{what}: venue {venue} went beyond");
            }
        }
    }
}

#[test]
fn one_liquidation_moves_home_less_and_the_other_venues_too() {
    for kind in KINDS {
        let moved = |execution: Execution| {
            let mut economy = executing(three_venues(kind, 0.1), LimitPrice::Unlimited, execution);
            let closed = liquidate(&mut economy, 4e6);
            let mid = |book: &HomeBook| book.mid();
            [0, 1, 2].map(|at| 1.0 - mid(&economy.market(at, 0).state().book) / mid(&closed.books[at]))
        };
        let (book, routed) = (moved(Execution::Book), moved(Execution::Routed { cost_bp: COST_BP }));
        assert!(routed[0] < 0.7 * book[0], "{kind:?}: {routed:?} against {book:?}");
        assert!(book[1..].iter().all(|fall| fall.abs() <= 0.0), "{kind:?}: {book:?}");
        assert!(routed[1..].iter().all(|&fall| fall > 0.0), "{kind:?}: {routed:?}");
        // What arbitrage has to close afterwards is smaller.
        assert!(routed[0] - routed[1].min(routed[2]) < 0.5 * book[0], "{kind:?}: {routed:?} against {book:?}");
    }
}

#[test]
fn a_venue_that_is_out_gets_nothing() {
    let mut scenario = three_venues(BookKind::Depth, 0.1);
    scenario.venues[0].outages = vec![WindowConfig { start_fraction: [0.0, 0.0], seconds: [1e4, 1e4] }];
    let mut economy = routing(scenario, LimitPrice::Unlimited);
    economy.trade();
    assert!(!economy.market(1, 0).is_trading() && economy.market(2, 0).is_trading());
    let before = [1, 2].map(|venue| arbitrage_qty(&economy, venue));
    let closed = liquidate(&mut economy, 4e6);
    let after = [1, 2].map(|venue| arbitrage_qty(&economy, venue));
    assert_eq!(after[0], before[0]);
    assert!(after[1] < before[1]);
    let [was, is] = [&closed.books[1], &economy.market(1, 0).state().book].map(|book| book.depth(Side::Sell, 0.01));
    assert_eq!(was.to_bits(), is.to_bits());
}

#[test]
fn routing_ends_where_arbitrageurs_money_does_and_home_gets_the_rest() {
    let mut economy = routing(three_venues(BookKind::Depth, 1e-3), LimitPrice::Unlimited);
    let arbitrageurs = economy.market(0, 0).arbitrageurs();
    let money: Usd = arbitrageurs.clone().map(|id| economy.market(0, 0).equity_at_mark(id)).sum();
    let closed = liquidate(&mut economy, 8e6);
    let taken = arbitrage_qty(&economy, 0).notional(closed.mark);
    // All that they have on home: on the other two venues together they have more.
    assert!((taken.as_f64() / money.as_f64() - 1.0).abs() < 0.01, "{taken} of {money}");
    assert!(arbitrage_qty(&economy, 1).is_negative() && arbitrage_qty(&economy, 2).is_negative());
    assert!((closed.qty.as_f64() * closed.mark.as_f64() / 8e6 - 1.0).abs() < 1e-4);

    let mut economy = routing(three_venues(BookKind::Depth, 0.0), LimitPrice::Unlimited);
    let closed = liquidate(&mut economy, 8e6);
    assert_eq!((economy.routed(), arbitrage_qty(&economy, 0)), (Usd::ZERO, Qty::ZERO));
    assert_eq!(closed.coins(&economy)[0].to_bits(), closed.qty.as_f64().to_bits());
}
