//! Slot 7 in the market: what backstops pay, take over and leave again.

use super::{AccountId, Market, usd, venue};
use crate::book::{Book, Side};
use crate::liquidation::{Backstop, Disposal, Limits, LossAllocation, Unwind};
use crate::units::{Price, Usd};

/// Covers deficits of flat accounts, one after the other; returns what the fund paid of each.
fn paid(limits: Limits, deficits: &[f64]) -> Vec<Usd> {
    let mut market = venue(|p| {
        p.backstop = Backstop::Fund(limits);
        p.allocation = LossAllocation::Booked;
    });
    let fund = market.fixed.fund;
    market.endow(fund, usd(10_000.0));
    market.state.outcome.fund_start = usd(10_000.0);
    market.watch_backstop();
    let flat: Vec<AccountId> =
        (0..market.fixed.traders).filter(|&id| market.state.ledger.qty(id).is_zero()).take(deficits.len()).collect();
    deficits
        .iter()
        .zip(flat)
        .map(|(deficit, id)| {
            let before = market.outcome().covered_by_fund;
            market.endow(id, usd(-deficit));
            market.cover_deficit(id, 1);
            market.assert_bad_debt_adds_up();
            market.outcome().covered_by_fund - before
        })
        .collect()
}

#[test]
fn a_fund_pays_within_its_limits_and_no_further() {
    let none = Limits::default();
    for (limits, expected) in [
        (none, [6_000.0, 4_000.0]),
        (Limits { per_account: 1_000.0, ..none }, [1_000.0, 1_000.0]),
        (Limits { total: 7_000.0, ..none }, [6_000.0, 1_000.0]),
        (Limits { floor: 0.5, ..none }, [5_000.0, 0.0]),
        (Limits { drawdown: 0.3, ..none }, [6_000.0, 0.0]),
    ] {
        assert_eq!(paid(limits, &[6_000.0, 6_000.0]), expected.map(usd), "{limits:?}");
    }
}

#[test]
fn a_drawdown_is_forgotten_after_its_window() {
    let limits = Limits { drawdown: 0.3, window: 80.0, ..Limits::default() };
    let mut market = venue(|p| p.backstop = Backstop::Fund(limits));
    let fund = market.fixed.fund;
    market.endow(fund, usd(10_000.0));
    market.pass();
    market.endow(fund, usd(5_000.0));
    let lender = market.distressed(1e4, 50.0);
    let pays = |market: &Market| market.fund_can_pay(lender, Usd::ZERO);
    for _ in 0..60 {
        market.pass();
        assert!(!pays(&market), "half of it went within the window");
    }
    for _ in 0..30 {
        market.pass();
    }
    assert!(pays(&market), "the old peak has left the window");
}

#[test]
fn what_a_fund_can_pay_is_what_leaving_on_the_book_would_cost() {
    let mut market = venue(|p| p.backstop = Backstop::Fund(Limits::default()));
    let fund = market.fixed.fund;
    let ids = [1e4, 1e6, 4e7].map(|notional| market.distressed(notional, 0.5));
    let mut answers = [0, 0];
    for id in ids {
        let qty = market.state.ledger.qty(id);
        let notional = qty.notional(market.state.prices.mark).as_f64();
        let impact = market.state.book.impact(Side::of(-qty), qty.abs().as_f64());
        let cost = Usd::from_f64(impact * notional);
        for equity in [-0.02, 0.0, 0.01].map(|share| Usd::from_f64(share * notional)) {
            // Next to what it takes, and far from it on either side.
            let enough = cost - equity;
            let units = [0, 1, 2, 1_000_000].map(Usd::from_raw);
            for money in units.iter().flat_map(|&step| [enough + step, enough - step]).chain([-enough, usd(1e9)]) {
                market.endow(fund, money);
                assert_eq!(market.fund_can_pay(id, equity), money > enough, "{money} for {enough}");
                answers[usize::from(money > enough)] += 1;
            }
        }
    }
    assert!(answers.iter().all(|&count| count > 9), "{answers:?}");
}

fn vault(share: f64, limits: Limits) -> Market {
    venue(|p| {
        let unwind = Unwind::Pace(0.5);
        p.backstop = Backstop::Vault { share, below: 2.0 / 3.0, max_leverage: 20.0, unwind, limits };
    })
}

#[test]
fn a_vault_takes_position_and_margin_below_two_thirds_with_its_own_money() {
    let mut market = vault(0.75, Limits::default());
    let (fund, vault) = (market.fixed.fund, market.fixed.vault);
    let [in_fund, in_vault] = [fund, vault].map(|id| market.state.ledger.cash(id));
    assert_eq!(in_fund + in_vault, market.outcome().fund_start);
    assert!((in_vault.as_f64() / market.outcome().fund_start.as_f64() - 0.75).abs() < 1e-6);
    let id = market.distressed(1e6, 0.6);
    let (qty, equity) = (market.state.ledger.qty(id), market.measure(id).equity);
    market.pass();
    assert_eq!(market.state.ledger.qty(vault), qty);
    assert_eq!(market.state.ledger.equity(vault, market.state.prices.mark), in_vault + equity);
    assert_eq!((market.state.ledger.cash(fund), market.state.ledger.cash(id)), (in_fund, Usd::ZERO));
    assert_eq!(market.outcome().forced_volume, Usd::ZERO);
    market.unwind_fund();
    market.settle_makers();
    assert!(market.state.ledger.qty(vault) < qty, "it leaves the position on the book");
}

#[test]
fn a_capped_vault_loses_less_than_a_pooled_one() {
    // V14: the position that it takes over falls by a tenth, and more of the kind is on offer.
    let loss = |share: f64, limits: Limits| {
        let mut market = vault(share, limits);
        let before = market.fund_equity();
        for _ in 0..12 {
            market.distressed(2e6, 0.6);
            market.pass();
            let fallen = market.state.prices.mark.raw() * 99 / 100;
            market.state.prices.mark = Price::from_raw(fallen);
        }
        (before - market.fund_equity()).as_f64()
    };
    let pooled = loss(1.0, Limits::default());
    assert!(loss(0.1, Limits::default()) < 0.5 * pooled, "a small vault has little room");
    assert!(loss(1.0, Limits { drawdown: 0.1, ..Limits::default() }) < 0.9 * pooled, "a threshold stops it");
}

fn takes_at_once(unwind: Unwind) -> Market {
    let mut market = venue(|p| {
        p.backstop = Backstop::TakeOver { below: 1.0, max_leverage: 100.0, unwind, limits: Limits::default() };
    });
    market.distressed(6e6, 0.9);
    market.pass();
    assert!((market.fund_inventory().as_f64() - 6e6).abs() < 1.0, "all of it at once");
    assert_eq!(market.outcome().forced_volume, Usd::ZERO);
    market
}

#[test]
fn a_network_disposes_of_a_position_in_slices() {
    // 100 coins, a tenth every five ticks, everything from 60 coins down; the cap of the book does not bind.
    let mut market = takes_at_once(Unwind::Disposal(Disposal {
        seconds: 5.0,
        fraction: 0.1,
        full_below: 60.0,
        book_share: 1.0,
        distance_bp: 1_000.0,
    }));
    let all = market.state.ledger.qty(market.fixed.fund).as_f64();
    let mut held = Vec::new();
    for tick in 1..=50 {
        market.state.tick = tick;
        market.unwind_fund();
        market.settle_makers();
        if tick % 5 == 0 {
            held.push(market.state.ledger.qty(market.fixed.fund).as_f64() / all);
        }
    }
    // 0.9, 0.81, 0.729, 0.6561, 0.59049 of 100 coins: the last is below sixty.
    for (share, want) in held.iter().zip([0.9, 0.81, 0.729, 0.656_1, 0.590_49, 0.0]) {
        assert!((share - want).abs() < 1e-5, "{held:?}");
    }
}

#[test]
fn a_storefront_sells_to_keepers_and_not_on_the_book() {
    for (discount_bp, sold) in [(0.0, false), (250.0, true)] {
        let mut market = takes_at_once(Unwind::Storefront { discount_bp });
        for _ in 0..30 {
            market.unwind_fund();
            market.state.tick += 1;
        }
        assert_eq!(market.fund_inventory() < usd(5.9e6), sold, "{discount_bp} bp");
        assert_eq!(market.outcome().forced_volume, Usd::ZERO);
        market.state.ledger.assert_invariants();
    }
}
