//! Adversaries in the market: what they hold, when, and who pays.

use std::sync::Arc;

use super::super::{Market, Site};
use crate::book::Book;
use crate::liquidation::presets;
use crate::participants::adversaries::Stage;
use crate::scenario::Scenario;
use crate::units::Usd;
use crate::world::WindowConfig;

fn attack(id: &str, seed: u64, change: impl FnOnce(&mut Scenario)) -> Market {
    let mut scenario = Scenario::shipped(id).unwrap();
    scenario.traders.accounts = 400;
    scenario.venue.failure = 1.0;
    change(&mut scenario);
    Site::new(Arc::new(scenario), presets::by_name("hyperliquid").unwrap()).open(seed)
}

fn play(market: &mut Market, mut look: impl FnMut(&Market)) {
    for _ in 0..market.scenario.horizon_ticks() {
        market.tick();
        look(market);
    }
    market.state.ledger.assert_invariants();
}

impl Market {
    fn equity(&self, id: u32) -> f64 {
        self.state.ledger.equity(id, self.state.prices.mark).as_f64()
    }
}

#[test]
fn jelly_leaves_its_short_to_the_backstop_and_keeps_the_long() {
    for seed in 0..4 {
        let mut market = attack("jelly", seed, |_| ());
        let [bait, hand] = market.fixed.adversary(0);
        let (capital, [_, act, _, _]) = (0.18 * 20e6, market.state.adversaries[0].ticks);
        let mut inherited = 0.0_f64;
        play(&mut market, |market| {
            if market.state.tick == act {
                // 0.2 of 20 million either way, before anything has been withdrawn.
                for (id, sign) in [(bait, -1), (hand, 1)] {
                    let held = market.held(id) / 4e6;
                    assert!((0.9..1.1).contains(&held), "seed {seed}: {held} of account {id}");
                    assert_eq!(market.state.ledger.qty(id).signum(), sign);
                    assert!(market.equity(id) > 0.9 * capital);
                }
            } else if market.state.tick == act + 1 {
                assert!(market.equity(bait) < 0.1 * capital, "its margin is gone: {}", market.equity(bait));
            }
            inherited = inherited.min(market.fund_inventory().as_f64());
        });
        assert!(market.state.ledger.qty(bait).is_zero(), "seed {seed}: the short is somebody else's");
        assert!(inherited < -2e6, "seed {seed}: the backstop never carried more than {inherited}");
        let (start, end) = (market.outcome().fund_start, market.outcome().fund_end);
        assert!((start - end).as_f64() > 5e6, "seed {seed}: {start} became {end}");
        assert!(market.equity(hand) > 1.5 * capital, "seed {seed}: the long earned {}", market.equity(hand) - capital);
        let mut calm = attack("jelly", seed, |scenario| scenario.adversaries.clear());
        play(&mut calm, |_| ());
        assert!(calm.outcome().fund_end.as_f64() > 0.95 * start.as_f64());
    }
}

#[test]
fn popcat_holds_its_price_and_the_backstop_pays_for_a_long_that_is_liquidated() {
    // Lowest mid while the wall is due, over where it would stand; fall of the mark from then on; and what the long holds
    // at the end of the wall and of the episode.
    let played = |seed: u64| {
        let mut market = attack("popcat", seed, |_| ());
        let [bait, hand] = market.fixed.adversary(0);
        let (mut kept, mut before, mut after) = (f64::INFINITY, 0.0_f64, f64::INFINITY);
        let (mut held, mut eaten) = (0.0, 0.0_f64);
        play(&mut market, |market| {
            let (script, mark) = (&market.state.adversaries[0], market.state.prices.mark.as_f64());
            match script.stage(market.state.tick - 1) {
                Stage::Act(_) => {
                    kept = kept.min(market.state.book.mid() / script.wall.unwrap());
                    (held, before) = (market.held(bait), mark);
                    eaten = eaten.max(market.held(hand));
                }
                Stage::Exit(_) => after = after.min(mark),
                Stage::Idle | Stage::Build(_) => {}
            }
        });
        let is_liquidated = market.state.ledger.qty(bait).is_zero();
        (kept, after / before - 1.0, held, eaten, market.outcome().fund_low, is_liquidated)
    };
    // What home's flow has taught other venues stays, so the wall's end alone does not always take the price far enough.
    let mut liquidated = 0;
    for seed in 0..4 {
        let (kept, fall, held, eaten, fund, is_liquidated) = played(seed);
        assert!(kept > 0.97, "seed {seed}: {kept} of the wall");
        assert!(held > 25e6 && eaten < 19e6, "seed {seed}: {held} above a wall of which {eaten} were eaten");
        assert!(!is_liquidated || fall < -0.04, "seed {seed}: {fall} without the wall");
        let mut calm = attack("popcat", seed, |scenario| scenario.adversaries.clear());
        play(&mut calm, |_| ());
        let paid = calm.outcome().fund_low - fund;
        assert!(!is_liquidated || paid.as_f64() > 1e6, "seed {seed}: the backstop pays {paid} for a liquidated long");
        liquidated += u32::from(is_liquidated);
    }
    assert!(liquidated > 0, "no long ever ends in liquidation");
}

#[test]
fn a_halted_venue_lets_no_adversary_in_or_out() {
    for id in ["jelly", "popcat"] {
        let mut market = attack(id, 1, |scenario| {
            scenario.venue.outages = vec![WindowConfig { start_fraction: [0.0, 0.0], seconds: [1e6, 1e6] }];
        });
        let accounts = market.fixed.adversary(0);
        let money = accounts.map(|id| market.state.ledger.cash(id));
        assert!(money.iter().all(|&cash| cash > Usd::ZERO));
        play(&mut market, |_| ());
        assert_eq!(accounts.map(|id| market.state.ledger.cash(id)), money, "{id}");
        assert!(accounts.iter().all(|&id| market.state.ledger.qty(id).is_zero()), "{id}");
    }
}
