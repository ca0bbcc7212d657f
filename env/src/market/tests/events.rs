//! Single events against totals, and that listening changes nothing.

use super::{Market, market, usd, venue};
use crate::liquidation::{Auction, CloseSize, Dial, Execution, Incentive, LossAllocation, Rank, Then};
use crate::units::Usd;

/// Equity of an account over its position, set by hand.
fn stand_at(market: &mut Market, id: u32, ratio: f64) {
    let notional = market.held(id);
    market.endow(id, usd(ratio * notional));
}

#[test]
fn what_winners_give_up_is_what_the_bankrupt_account_lacked() {
    for allocation in [LossAllocation::Queue { rank: Rank::ProfitLeverage }, LossAllocation::ProRata] {
        let mut market = venue(|p| p.allocation = allocation);
        market.endow(market.fixed.fund, Usd::ZERO);
        let id = market.distressed(2e6, 0.0);
        market.endow(id, usd(-5_000.0));
        market.listen();
        let now = market.measure(id);
        market.fall_back(id, now.equity, now.notional);
        let outcome = *market.outcome();
        let concessions = market.events_mut().unwrap().concessions.clone();
        assert!(!concessions.is_empty() && concessions.iter().all(|c| c.profit > Usd::ZERO), "{allocation:?}");
        let cost: f64 = concessions.iter().map(|c| c.cost.as_f64()).sum();
        let notional: f64 = concessions.iter().map(|c| c.notional.as_f64()).sum();
        assert!((cost - outcome.haircut.as_f64()).abs() < 0.01, "{cost} of {}", outcome.haircut);
        assert!((notional - outcome.deleveraged.as_f64()).abs() < 0.01, "{notional}");
        // A queue takes few, in whole; pro rata nobody gives up a larger part of its profit than another.
        // Coins and cents are rounded, so those who give up a dollar or less are left out.
        let felt = concessions.iter().filter(|c| c.cost > usd(1.0));
        let shares = felt.map(|c| c.cost.as_f64() / c.profit.as_f64());
        let (low, high) = shares.fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        if allocation == LossAllocation::ProRata {
            assert!(high > 0.0 && high - low < 0.01 * high, "{low} to {high}");
        } else {
            assert!(concessions.len() < 10, "{}", concessions.len());
        }
    }
}

/// A market in which keepers alone buy at 5 % below mark.
fn lending(size: CloseSize) -> Market {
    venue(|p| {
        p.size = size;
        p.execution = Execution::Keepers;
        p.incentive = Incentive::Fixed { bp: Dial::Fixed(500.0) };
    })
}

#[test]
fn beyond_the_frontier_every_purchase_leaves_less_and_the_halt_lets_none_happen() {
    let half = CloseSize::Fraction { share: 0.5, full_below: 0.0, then: Then::Repeat, full_under_health: 0.0 };
    let halting = CloseSize::FractionUntilToxic { share: 0.5, full_below: 0.0 };
    // Equity of 3 % and 8 % of the position, against a discount of 5 %; maintenance is made to cover both.
    for (size, ratio, bought, worse) in [
        (half, 0.03, true, true),
        (half, 0.08, true, false),
        (halting, 0.03, false, false),
        (halting, 0.08, true, false),
    ] {
        let mut market = lending(size);
        let id = market.distressed(500e3, 0.9);
        market.state.controls.maintenance_margin_multiplier = 20.0;
        stand_at(&mut market, id, ratio);
        market.listen();
        for _ in 0..12 {
            market.pass();
        }
        let takeovers = &market.events_mut().unwrap().takeovers;
        let of_it: Vec<_> = takeovers.iter().filter(|takeover| takeover.account == id).collect();
        assert_eq!(!of_it.is_empty(), bought, "{size:?} at {ratio}: {of_it:?}");
        let Some(first) = of_it.first() else { continue };
        let [Some(before), Some(after)] = first.ratio else { panic!("half of it is left: {first:?}") };
        assert!((before - ratio).abs() < 1e-6 && (first.discount - 0.05).abs() < 1e-12, "{first:?}");
        assert_eq!(after < before, worse, "{first:?}");
    }
}

#[test]
fn an_auction_that_nobody_bids_in_is_told_from_one_that_somebody_does() {
    let auction = Auction { start: 1.05, cut: 0.98, step: 1.0, floor: 0.9, tail: 10.0 };
    for (absent, had_bid) in [(true, false), (false, true)] {
        let mut market = venue(|p| p.execution = Execution::DutchAuction(auction));
        if absent {
            let keepers = market.fixed.keepers().map(|id| (id, Usd::ZERO)).collect::<Vec<_>>();
            keepers.into_iter().for_each(|(id, nothing)| market.endow(id, nothing));
            market.state.absences =
                vec![crate::participants::keepers::Absence { window: [0, 1_000], keepers: u64::MAX }];
        }
        market.listen();
        let id = market.distressed(50e3, 0.9);
        for _ in 0..20 {
            market.pass();
        }
        let ended: Vec<_> = market.events_mut().unwrap().auctions.iter().filter(|a| a.account == id).copied().collect();
        let first = ended.first().expect("a run has ended");
        assert_eq!((first.run, first.had_bid), (0, had_bid), "{ended:?}");
        assert_eq!(ended.len() > 1, absent, "what is sold starts no second run: {ended:?}");
    }
}

#[test]
fn orders_add_up_to_volume_and_listening_changes_nothing() {
    let [mut heard, mut unheard] = [(); 2].map(|()| market("crash_day", "hyperliquid"));
    heard.listen();
    let mut volume = 0.0;
    for _ in 0..3_000 {
        heard.tick();
        unheard.tick();
        let events = heard.events_mut().unwrap();
        volume += events.orders.iter().map(|order| order.value.as_f64().abs()).sum::<f64>();
        events.clear();
    }
    assert!(unheard.events_mut().is_none());
    let outcome = heard.outcome();
    let total = (outcome.natural_volume + outcome.forced_volume).as_f64();
    assert!(total > 0.0 && (volume - total).abs() < 1e-6 * total, "{volume} of {total}");
    let bytes = |market: &Market| postcard::to_stdvec(market.state()).unwrap();
    assert!(bytes(&heard) == bytes(&unheard), "listening moved the state");
}
