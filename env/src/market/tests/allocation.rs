//! Slot 8 in the market: who pays for what the backstop cannot.

use super::{AccountId, Market, usd, venue};
use crate::liquidation::{Execution, LossAllocation, Rank};
use crate::units::{Price, Qty, Usd};

/// A market with an empty fund and one account five thousand dollars under water.
fn ruined(allocation: LossAllocation) -> (Market, AccountId) {
    let mut market = venue(|p| p.allocation = allocation);
    let fund = market.fixed.fund;
    market.endow(fund, Usd::ZERO);
    let id = market.distressed(2e6, 0.0);
    market.endow(id, usd(-5_000.0));
    (market, id)
}

/// Coins that each account gave up when the account was deleveraged.
fn given(market: &mut Market, id: AccountId) -> Vec<Qty> {
    let before = market.positions();
    let now = market.measure(id);
    market.fall_back(id, now.equity, now.notional);
    market.assert_bad_debt_adds_up();
    let after = market.positions();
    let others = before.iter().zip(&after).enumerate().filter(|(other, _)| *other != id as usize);
    for (other, (before, after)) in others.clone() {
        let flipped = !after.is_zero() && after.signum() != before.signum();
        assert!(after.abs() <= before.abs() && !flipped, "M6: account {other}");
    }
    others.map(|(_, (before, after))| before.abs() - after.abs()).collect()
}

#[test]
fn the_queue_follows_the_rank_of_its_venue() {
    // Two shorts of equal size. One has doubled its money at low leverage; the other has a small profit at a high one.
    for (rank, first) in [(Rank::ProfitLeverage, 0), (Rank::PriceLeverage, 1)] {
        let (mut market, id) = ruined(LossAllocation::Queue { rank });
        let [patient, geared] = [2e6, 2e6].map(|notional| market.distressed(-notional, 100.0));
        market.turn_shorts_into_losers(&[patient, geared]);
        let mark = market.state.prices.mark;
        // Profit 100 % at leverage 1; 5 % at leverage 10. BitMEX: 1 against 0.5 · 1.05; Hyperliquid: 2 against 10.5.
        for (account, entry, leverage) in [(patient, 2.0, 1.0), (geared, 1.05, 10.0)] {
            market.state.ledger.backdate(account, Price::from_f64(entry * mark.as_f64()));
            market.endow(account, usd(2e6 / leverage));
        }
        given(&mut market, id);
        let left = [patient, geared].map(|account| market.held(account) < 1.0);
        assert!(left[first] && !left[1 - first], "{rank:?}: {left:?}");
    }
}

#[test]
fn the_draw_takes_whoever_stands_on_the_other_side_and_nobody_into_insolvency() {
    let lucky = |seed: u64, scan: u32| {
        let (mut market, id) = ruined(LossAllocation::Random { scan });
        // Nobody has a profit, which does not matter here.
        market.turn_shorts_into_losers(&[]);
        market.state.counters.allocation = crate::rng::Counter::new(seed);
        let given = given(&mut market, id);
        let mark = market.state.prices.mark;
        for (other, given) in given.iter().enumerate().filter(|(_, given)| !given.is_zero()) {
            let other = u32::try_from(other + usize::from(other >= id as usize)).unwrap();
            assert!(!market.state.ledger.equity(other, mark).is_negative(), "{other} gave {given} and its solvency");
        }
        given.iter().position(|given| !given.is_zero())
    };
    let firsts: std::collections::BTreeSet<_> = (0..6).map(|seed| lucky(seed, 500)).collect();
    assert!(firsts.len() > 2, "the draw always begins with the same: {firsts:?}");
    assert!(firsts.iter().all(Option::is_some));
}

#[test]
fn a_scan_of_one_account_can_end_with_nobody() {
    let (mut market, id) = ruined(LossAllocation::Random { scan: 1 });
    let small = (0..market.fixed.fund).filter(|&other| market.state.ledger.qty(other).is_negative());
    let sizes: Vec<f64> = small.map(|other| market.held(other)).collect();
    given(&mut market, id);
    let closed = 2e6 - market.held(id);
    assert!(sizes.iter().any(|size| (size.min(2e6) - closed).abs() < 1.0), "one account and no other: {closed}");
}

#[test]
fn capped_winners_give_up_no_more_than_their_share_of_profit() {
    for (deficit, cap, all) in [(5_000.0, 0.5, true), (400e3, 0.01, false)] {
        let (mut market, id) = ruined(LossAllocation::CappedProRata { cap });
        let winners: Vec<AccountId> = (0..3).map(|_| market.distressed(-3e6, 200.0)).collect();
        market.turn_shorts_into_losers(&winners);
        let mark = market.state.prices.mark;
        for (winner, entry) in winners.iter().zip([1.5, 1.2, 1.1]) {
            market.state.ledger.backdate(*winner, Price::from_f64(entry * mark.as_f64()));
        }
        market.endow(id, usd(-deficit));
        let profits: Vec<f64> = winners.iter().map(|&winner| market.profit(winner).as_f64()).collect();
        let before: Vec<Usd> = winners.iter().map(|&winner| market.state.ledger.equity(winner, mark)).collect();
        given(&mut market, id);
        assert_eq!(market.held(id) < 1.0, all, "deficit {deficit}");
        let mut borne = 0.0;
        for ((winner, profit), before) in winners.iter().zip(&profits).zip(before) {
            let paid = (before - market.state.ledger.equity(*winner, mark)).as_f64();
            assert!(paid >= -1e-3 && paid <= cap * profit + 1e-3, "{paid} of {profit}");
            borne += paid;
        }
        let allowed = cap * profits.iter().sum::<f64>();
        assert!((borne / deficit.min(allowed) - 1.0).abs() < 1e-3, "{borne} of {deficit} at most {allowed}");
    }
}

/// What every account paid for the deficit of a flat account whose position was long.
fn charged(allocation: LossAllocation, deficit: f64) -> (Market, Vec<Usd>) {
    let mut market = venue(|p| p.allocation = allocation);
    let fund = market.fixed.fund;
    market.endow(fund, Usd::ZERO);
    let id = (0..market.fixed.traders).find(|&id| market.state.ledger.qty(id).is_zero()).unwrap();
    market.endow(id, usd(-deficit));
    let before = market.cash_of_all();
    market.cover_deficit(id, -1);
    market.assert_bad_debt_adds_up();
    let after = market.cash_of_all();
    let paid = before.iter().zip(after).enumerate();
    let paid = paid.map(|(other, (before, after))| if other == id as usize { Usd::ZERO } else { *before - after });
    let paid = paid.collect();
    (market, paid)
}

#[test]
fn a_social_loss_is_charged_by_size_to_both_sides_or_to_the_other_one() {
    for (allocation, longs_too) in [(LossAllocation::ByInterest, true), (LossAllocation::Haircut, false)] {
        let (market, paid) = charged(allocation, 100_000.0);
        let bears = |qty: Qty| qty.is_negative() || (longs_too && !qty.is_zero());
        let positions = market.positions();
        let whole: f64 = positions.iter().filter(|qty| bears(**qty)).map(|qty| qty.abs().as_f64()).sum();
        for (other, (qty, paid)) in positions.iter().zip(&paid).enumerate() {
            let fair = if bears(*qty) { 100_000.0 * qty.abs().as_f64() / whole } else { 0.0 };
            assert!((paid.as_f64() - fair).abs() < 1e-5, "{allocation:?}: {other} paid {paid}, not {fair}");
        }
        assert_eq!(market.outcome().socialised, usd(100_000.0));
    }
}

#[test]
fn a_charge_ends_where_equity_does() {
    // More than everybody on the other side owns.
    let (market, paid) = charged(LossAllocation::Haircut, 1e9);
    let mark = market.state.prices.mark;
    for (other, paid) in (0..market.fixed.fund).zip(paid) {
        let equity = market.state.ledger.equity(other, mark);
        assert!(paid.is_zero() || equity >= Usd::ZERO, "{other} paid {paid} and has {equity}");
    }
    assert!(market.outcome().written_off > Usd::ZERO);
}

#[test]
fn a_pool_pays_and_nobody_else_does() {
    let (market, paid) = charged(LossAllocation::Pool { ceiling: 0.85, target: 0.77 }, 100_000.0);
    let makers = market.fixed.makers_ids();
    for (other, paid) in (0..).zip(&paid) {
        assert_eq!(paid.is_zero(), !makers.contains(&other), "{other} paid {paid}");
    }
    assert_eq!(paid.into_iter().sum::<Usd>(), usd(100_000.0));
}

#[test]
fn what_is_booked_nobody_pays() {
    let (market, paid) = charged(LossAllocation::Booked, 100_000.0);
    assert!(paid.iter().all(|paid| paid.is_zero()));
    assert_eq!(market.outcome().written_off, usd(100_000.0));
}

#[test]
fn a_pool_closes_winners_until_it_owes_no_more_than_its_target() {
    let mut market = venue(|p| {
        p.execution = Execution::Pool;
        p.allocation = LossAllocation::Pool { ceiling: 0.5, target: 0.4 };
    });
    let owed = |market: &Market| -> f64 {
        let shorts = (0..market.fixed.traders).filter(|&id| market.state.ledger.qty(id).is_negative());
        shorts.map(|id| market.profit(id).as_f64()).sum()
    };
    let pool = |market: &Market| market.equity_of(market.fixed.makers_ids()).as_f64() + market.fund_equity().as_f64();
    let factor = |market: &Market| owed(market) / (pool(market) + owed(market));
    let before = market.positions();
    market.pass();
    assert_eq!(market.positions(), before, "below the ceiling nothing happens");
    // Every short entered at a price that makes the pool owe more than half of itself.
    let shorts: Vec<AccountId> =
        (0..market.fixed.traders).filter(|&id| market.state.ledger.qty(id).is_negative()).collect();
    for id in shorts {
        let entry = Price::from_f64(3.0 * market.state.prices.mark.as_f64());
        market.state.ledger.backdate(id, entry);
    }
    assert!(factor(&market) > 0.5, "{}", factor(&market));
    let (gross, debt) = (pool(&market) + owed(&market), owed(&market));
    market.state.tick = 120;
    market.pass();
    // What was paid to winners has left the pool and what it owes.
    let paid = debt - owed(&market);
    let left = (debt - paid) / (gross - paid);
    assert!((left - 0.4).abs() < 1e-3, "{left}");
    assert!(market.outcome().deleveraged > Usd::ZERO && market.outcome().haircut.is_zero());
    for (before, after) in before.iter().zip(market.positions()).take(market.fixed.traders as usize) {
        assert!(after.abs() <= before.abs(), "M6");
    }
}

#[test]
fn percolator_never_lets_claims_exceed_the_vault() {
    // M10 at its own venue, with a fall that no margin covers.
    let mut market = super::market("calm", "percolator_ak");
    let fallen = market.state.prices.mark.raw() * 88 / 100;
    market.state.prices.mark = Price::from_raw(fallen);
    for _ in 0..5 {
        market.pass();
        let claims = market.claims();
        let (paid, of) = claims.haircut;
        let payable = claims.profits * paid / of;
        assert!(claims.principal + claims.insurance + payable <= claims.vault + claims.deficits, "{claims:?}");
    }
    let outcome = market.outcome();
    assert!(outcome.bad_debt > Usd::ZERO && outcome.socialised > Usd::ZERO, "{outcome:?}");
    assert_eq!(outcome.forced_volume, Usd::ZERO, "nothing reached the book");
    assert_eq!(outcome.written_off, Usd::ZERO);
}
