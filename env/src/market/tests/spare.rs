//! An account that is let be, in a market whose price a test moves by hand.

use super::{Abroad, Market, usd, venue};
use crate::units::{Price, Usd};

/// Moves the mark by a share, and lets one tick of liquidation pass.
fn move_mark(market: &mut Market, share: f64) {
    let mark = market.state.prices.mark.as_f64() * (1.0 + share);
    market.state.prices.mark = Price::from_f64(mark);
    market.scratch.watch = None;
    market.liquidate(&mut Abroad::default());
    market.follow_spared();
    market.settle_makers();
    market.state.tick += 1;
}

#[test]
fn an_account_that_the_price_comes_back_for_survives_and_one_that_it_leaves_does_not() {
    // 100,000 dollars long with equity of 1.2 times maintenance: a fall by half of its equity makes it short of margin, and
    // then the price comes back, or goes on until nothing is left.
    for (next, survives) in [(0.004, true), (-0.03, false)] {
        let mut market = venue(|_| ());
        let id = market.distressed(100_000.0, 1.2);
        market.note_entries();
        market.spare(id);
        let equity = market.state.ledger.equity(id, market.state.prices.mark).as_f64();
        let held = market.state.ledger.qty(id);
        move_mark(&mut market, -0.5 * equity / 100_000.0);
        let entered = market.spared().unwrap();
        assert_eq!(entered.entered, Some(0), "half of 1.2 times maintenance is short of margin");
        assert!((entered.lowest.as_f64() - 0.5 * equity).abs() < 1.0, "{entered:?} of {equity}");
        move_mark(&mut market, next);
        let spared = market.spared().unwrap();
        assert_eq!(spared.lowest >= Usd::ZERO, survives, "{spared:?}");
        assert_eq!(market.state.ledger.qty(id), held, "nothing is done to it");
        assert!(!market.take_entries().contains(&id), "it did not enter");
        assert!(market.state.queue.iter().all(|case| case.id != id));
    }
}

#[test]
fn who_enters_is_noted_once_and_only_if_somebody_listens() {
    let mut market = venue(|_| ());
    let id = market.distressed(50_000.0, 0.9);
    assert_eq!(market.take_entries(), []);
    market.note_entries();
    move_mark(&mut market, 0.0);
    assert_eq!(market.take_entries(), [id]);
    assert_eq!(market.take_entries(), []);
    market.endow(id, usd(1.0));
    market.reset(3);
    assert_eq!(market.take_entries(), [], "another episode");
}
