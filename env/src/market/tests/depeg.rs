//! A stablecoin as margin: what it counts, whom its fall liquidates, and that no dollar comes of it.

use super::*;
use crate::market::indexing::position_of;
use crate::scenario::{DepegConfig, OptionsConfig, StablecoinConfig};

/// A calm market in which most accounts post coins as all of their margin, and those fall to 0.20 between a
/// quarter and half of the hour: enough for a typical account to feel it.
fn market(preset: &str, seed: u64, change: impl FnOnce(&mut Scenario)) -> Market {
    let mut scenario = Scenario::shipped("calm").unwrap();
    scenario.traders.accounts = 512;
    scenario.clock.decisions = 120;
    scenario.venue.fund = 0.5;
    let depeg = DepegConfig {
        start_fraction: [0.25, 0.25],
        low: [0.20, 0.20],
        fall_seconds: 400.0,
        hold_seconds: 60.0,
        recovery_half_life: 300.0,
    };
    let depegs = vec![depeg];
    scenario.stablecoin = Some(StablecoinConfig { accounts: 0.7, equity: 1.0, depegs, ..StablecoinConfig::default() });
    change(&mut scenario);
    Site::new(Arc::new(scenario), presets::by_name(preset).unwrap()).open(seed)
}

impl Market {
    /// Dollars that were ever paid in, less those paid out: net deposits that are not credit for coins.
    fn dollars_in(&self) -> Usd {
        let cash: Usd = (0..self.state.ledger.len()).map(|id| self.state.ledger.cash(u32::try_from(id).unwrap())).sum();
        let ledger = &self.state.ledger;
        cash + ledger.fees() + ledger.funding_pool() + ledger.deficit() - self.stablecoin().unwrap().credit()
    }
}

#[test]
fn credit_is_what_coins_count_and_its_moves_are_no_dollars() {
    let mut market = market("legacy_full", 3, |_| {});
    let coin = market.stablecoin().unwrap();
    let (holders, credit) = (coin.holders.clone(), coin.credit());
    assert!(holders.len() > 250 && credit > Usd::ZERO);
    for &id in &holders {
        // A haircut of 5 %, rounded down.
        let value = coin.coins(id).value(coin.price());
        assert_eq!(coin.credit[id as usize], value.share(crate::units::Rate::from_f64(0.95)));
        assert!(coin.credit[id as usize] <= market.state.ledger.equity(id, market.state.prices.mark));
    }
    let before = market.dollars_in();
    market.state.tick = 900 + 200;
    market.move_peg();
    let coin = market.stablecoin().unwrap();
    assert!(coin.price() < Price::from_f64(0.61) && coin.price() > Price::from_f64(0.59), "{}", coin.price());
    assert_eq!(coin.credit() - credit, coin.outcome.revalued, "only the price moved");
    assert_eq!(market.dollars_in(), before, "M1: no dollar came or went");
    market.state.ledger.assert_invariants();
}

#[test]
fn falling_peg_liquidates_everybody_whom_a_scan_of_all_accounts_finds_short() {
    for preset in ["legacy_full", "hyperliquid", "seawall"] {
        let mut market = market(preset, 5, |_| {});
        let (mut before, mut during) = (0, 0);
        for tick in 0..3_600 {
            let earlier = market.outcome().liquidated_accounts;
            market.tick();
            let entered = market.outcome().liquidated_accounts - earlier;
            if tick < 900 {
                before += entered;
            } else {
                during += entered;
            }
            let (mark, funding) = (market.state.prices.mark, market.state.ledger.funding());
            let adjustment = market.state.adjustment(1.0);
            for id in 0..market.fixed.traders {
                let position = position_of(&market.state.ledger, id);
                let is_short = market.fixed.schedule.is_short(&position, mark, funding, adjustment);
                let is_in = market.state.in_liquidation[id as usize];
                assert!(!is_short || is_in || position.qty.is_zero(), "{preset}: account {id} was missed at {tick}");
            }
        }
        market.state.ledger.assert_invariants();
        let outcome = market.stablecoin_outcome().unwrap();
        assert!(during > before + 20, "{preset}: {before} before, {during} in the fall");
        assert!(outcome.sales > 0 && outcome.proceeds > Usd::ZERO);
        assert_eq!(outcome.low, Price::from_f64(0.20));
        assert!(market.stablecoin().unwrap().price() > Price::from_f64(0.9), "it comes back");
    }
}

#[test]
fn whoever_enters_liquidation_is_left_with_dollars_worth_no_less() {
    let mut market = market("legacy_full", 3, |_| {});
    let id = market.stablecoin().unwrap().holders[0];
    market.state.tick = 900 + 400;
    market.move_peg();
    let (coins, credit) = (market.stablecoin().unwrap().coins(id), market.stablecoin().unwrap().credit[id as usize]);
    let before = market.state.ledger.cash(id);
    market.sell_collateral(id);
    // At 0.20 less 10 bp, against credit at 0.20 times 0.95.
    let fetched = coins.value(Price::from_f64(0.20));
    let cost = fetched.share_ceil(crate::units::Rate::from_f64(1e-3));
    assert_eq!(market.state.ledger.cash(id) - before, fetched - cost - credit);
    assert!(market.state.ledger.cash(id) > before && market.stablecoin().unwrap().coins(id).is_zero());
    market.sell_collateral(id);
    market.state.ledger.assert_invariants();
}

#[test]
fn portfolio_accounts_that_posted_it_are_liquidated_too_and_money_is_conserved() {
    let mut market = market("legacy_full", 4, |scenario| {
        let mut options = OptionsConfig::default();
        options.customers.cushion = [1.0, 1.3];
        scenario.options = Some(options);
        scenario.venue.failure = 1.0;
    });
    for _ in 0..3_600 {
        market.tick();
        market.state.ledger.assert_invariants();
    }
    assert!(market.desk_outcome().unwrap().liquidated_accounts > 0, "{:?}", market.desk_outcome());
    let Outcome { bad_debt, covered_by_fund, haircut, socialised, written_off, .. } = *market.outcome();
    assert_eq!(bad_debt, covered_by_fund + haircut + socialised + written_off, "M8");
}
