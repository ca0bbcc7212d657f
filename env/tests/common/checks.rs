//! The numbered invariants as checks of one market.

use seawall_env::margin::Position;
use seawall_env::market::{Claims, Ledger, Market};
use seawall_env::outcome::Outcome;
use seawall_env::units::{Price, Qty, Usd};

/// M10: what can be claimed never exceeds what is there, once junior profits have taken their haircut. Where deficits
/// that are still open exceed all profits, profits are worth nothing, and what is missing is no more than those deficits.
pub(crate) fn assert_claims_are_covered(market: &Market) {
    let Claims { vault, principal, insurance, profits, deficits, haircut: (paid, of) } = market.claims();
    assert!((0..=of).contains(&paid), "M10: a haircut of {paid}/{of}");
    let payable = if profits == 0 { 0 } else { profits * paid / of };
    let missing = (principal + insurance + payable - vault).max(0);
    assert!(missing == 0 || (payable == 0 && missing <= deficits), "M10: {missing} of {:?}", market.claims());
    // Profits are junior: none is cut while anything beyond principal and insurance is left.
    assert!(paid == of || principal + insurance + payable >= vault, "M10: a haircut for nothing");
}

/// M3, on every position size and on the table in force.
pub(crate) fn assert_levels_are_ordered(market: &Market) {
    let (schedule, adjustment) = (market.schedule(), market.adjustment());
    let (mark, interest) = (market.state().prices.mark, market.open_interest());
    for coins in [1e-6, 0.1, 7.0, 90.0, 1_000.0] {
        for qty in [Qty::from_f64(coins), Qty::from_f64(-coins)] {
            let position = Position { qty, cash: Usd::ZERO, funding: Price::ZERO };
            let levels = schedule.levels(&position, mark, interest, adjustment);
            assert!(levels.initial >= levels.liquidation_end, "M3: {levels:?}");
            assert!(levels.liquidation_end >= levels.maintenance, "M3: {levels:?}");
            assert!(levels.maintenance >= levels.backstop && levels.backstop >= Usd::ZERO, "M3: {levels:?}");
        }
    }
}

/// M7: what rounding keeps of funding is never negative, and less than a millionth of a dollar per account and payment.
pub(crate) fn assert_funding_leaves_only_dust(ledger: &Ledger, payments: u64) {
    let mut settled = ledger.clone();
    let dust = settled.settle_all_funding();
    assert!(dust >= Usd::ZERO, "M7: {dust} of funding was paid out of nothing");
    let accounts = u64::try_from(settled.len()).expect("a small population");
    assert!(dust.raw().unsigned_abs() <= payments * accounts, "M7: {dust} of funding is left");
    settled.assert_invariants();
}

/// M5 and M8, on the totals of a decision that began with `before`.
pub(crate) fn assert_waterfall(before: &Outcome, after: &Outcome) {
    let Outcome { bad_debt, covered_by_fund, haircut, socialised, written_off, .. } = *after;
    assert_eq!(bad_debt, covered_by_fund + haircut + socialised + written_off, "M8: {after:?}");
    for (part, earlier) in [
        (covered_by_fund, before.covered_by_fund),
        (haircut, before.haircut),
        (socialised, before.socialised),
        (written_off, before.written_off),
    ] {
        assert!(part >= earlier, "M8: bad debt was taken back");
    }
    let winners_paid = after.deleveraged_accounts > 0;
    assert_eq!(winners_paid, after.deleveraged > Usd::ZERO);
    assert_eq!(winners_paid, after.first_deleveraging.is_some(), "a deleveraging that closed nothing is none");
    assert!(winners_paid || haircut.is_zero(), "M5: a haircut without anybody to bear it");
}
