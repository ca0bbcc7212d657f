//! M4: what a liquidation does to the margin ratio of the account that it works on.

use super::*;
use crate::book::{Book, Side};

/// Equity over notional.
fn ratio(market: &Market, id: AccountId) -> f64 {
    let now = market.measure(id);
    now.equity.as_f64() / now.notional.as_f64()
}

#[test]
fn no_venue_worsens_a_margin_ratio_below_the_toxic_frontier() {
    let (mut improved, mut toxic) = (0, 0);
    for preset in presets::NAMES {
        for notional in [3e4, 3e5, 3e6, -1e6] {
            for health in [0.3, 0.6, 0.9, 0.99] {
                let mut market = market("calm", preset);
                let id = market.distressed(notional, health);
                let before = ratio(&market, id);
                let qty = market.state.ledger.qty(id);
                // The dearest way out: the whole position on the book, the fee, and the discount that a keeper asks.
                let fee = market.scenario.venue.liquidation_fee_bp * 1e-4;
                let bonus = market.state.rules.bonus.offered(60.0, before, notional.abs());
                let cost = market.state.book.impact(Side::of(-qty), qty.abs().as_f64()) + fee + bonus;
                for _ in 0..60 {
                    let (was, held) = (ratio(&market, id), market.state.ledger.qty(id));
                    market.pass();
                    let left = market.state.ledger.qty(id);
                    if left == held || left.is_zero() {
                        continue;
                    }
                    let now = ratio(&market, id);
                    if cost <= was {
                        assert!(now >= was * (1.0 - 1e-9), "{preset}, {notional}, {health}: {was} became {now}");
                        improved += i32::from(now > was);
                    } else {
                        toxic += 1;
                    }
                }
            }
        }
    }
    assert!(improved > 50 && toxic > 0, "{improved} slices improved a ratio, {toxic} were beyond the frontier");
}
