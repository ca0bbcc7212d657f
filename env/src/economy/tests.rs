mod routed;

use super::*;
use crate::liquidation::presets;
use crate::scenario::Scenario;
use crate::units::{Price, Qty};

/// The shipped economy of three assets, on home alone and with few accounts.
fn home_alone(cross_margin: f64) -> Scenario {
    let mut scenario = Scenario::shipped("three_by_three").unwrap();
    scenario.venues.clear();
    scenario.traders.accounts = 240;
    scenario.links.cross_margin = cross_margin;
    for class in &mut scenario.traders.classes {
        class.leverage = (2.0 * class.leverage).min(40.0);
    }
    scenario
}

fn open(scenario: Scenario, preset: &str, seed: u64) -> Economy {
    let mut economy = Economy::on(&Site::new(Arc::new(scenario), presets::by_name(preset).unwrap()), seed).unwrap();
    economy.set_controls(Controls::default());
    economy
}

fn is_in_liquidation(economy: &Economy, id: AccountId) -> bool {
    economy.home().iter().any(|market| market.liquidating().any(|other| other == id))
}

/// Compares whom the markets would liquidate now with a scan over all owners. Keys of the index are whole millionths
/// of a dollar per coin, and equity and requirements whole millionths of a dollar.
fn assert_owners_are_known(economy: &mut Economy, met: &mut [u32; 2]) {
    let assets = economy.assets();
    let found: Vec<Vec<AccountId>> = economy.markets[..assets].iter_mut().map(Market::triggered).collect();
    for id in (0..240).filter(|&id| economy.is_cross(0, id)) {
        if is_in_liquidation(economy, id) {
            continue;
        }
        let coins: f64 = economy.home().iter().map(|market| market.state().ledger.qty(id).abs().as_f64()).sum();
        let rounding = Usd::from_f64(1e-5 + 2e-6 * coins);
        let is_found = found.iter().any(|ids| ids.contains(&id));
        let slack = economy.slack(0, id);
        if slack > rounding {
            assert!(!is_found, "owner {id} has {slack} left, and a position would be liquidated");
        } else if slack < -rounding {
            assert!(is_found, "owner {id} is short by {slack}, and nobody has noticed");
            met[0] += 1;
        }
        met[1] += 1;
    }
}

#[test]
fn watching_local_triggers_finds_the_owners_that_a_scan_finds() {
    let mut met = [0; 2];
    for (seed, cross) in [(0, 1.0), (1, 1.0), (2, 0.6), (3, 0.6)] {
        let mut economy = open(home_alone(cross), "legacy_full", seed);
        for _ in 0..3_000 {
            economy.trade();
            economy.watch_owners(0);
            assert_owners_are_known(&mut economy, &mut met);
            economy.settle_risk(0);
            economy.state.tick += 1;
        }
        economy.assert_invariants();
        assert!(economy.shared_out() > Usd::ZERO);
    }
    assert!(met[0] > 40, "too calm to test: {met:?}");
}

#[test]
fn a_hedged_owner_survives_what_isolated_positions_do_not() {
    let survives = |cross: f64| {
        let mut economy = open(home_alone(cross), "legacy_full", 5);
        let flat = |id: &AccountId| economy.home().iter().all(|market| market.state().ledger.qty(*id).is_zero());
        let id = (0..240).find(flat).expect("somebody without a position");
        for (asset, dollars) in [(0, 100_000.0), (1, -100_000.0)] {
            let market = &mut economy.markets[asset];
            let cash = market.state().ledger.cash(id);
            // A cushion of 3 %: less than the fall, more than maintenance.
            market.fund_account(id, Usd::from_f64(3_000.0) - cash);
            let qty = Qty::from_f64(dollars / market.state().prices.mark.as_f64());
            market.open_against_a_maker(id, qty);
        }
        economy.trade();
        for market in &mut economy.markets {
            let mark = market.state().prices.mark.as_f64();
            market.state_mut().prices.mark = Price::from_f64(0.95 * mark);
        }
        economy.watch_owners(0);
        economy.settle_risk(0);
        economy.markets.iter().for_each(|market| market.state().ledger.assert_invariants());
        let holds = |asset: usize| !economy.markets[asset].state().ledger.qty(id).is_zero();
        !is_in_liquidation(&economy, id) && holds(0) && holds(1)
    };
    assert!(survives(1.0), "what one position lost the other earned");
    assert!(!survives(0.0), "alone, the long is bankrupt");
}

#[test]
fn a_deficit_is_paid_by_the_owners_other_positions_before_the_fund() {
    let mut economy = open(home_alone(1.0), "legacy_full", 5);
    let id = 7;
    let cash: Vec<Usd> = economy.home().iter().map(|market| market.state().ledger.cash(id)).collect();
    for (asset, amount) in [(0, -500.0), (1, 300.0), (2, 900.0)] {
        let market = &mut economy.markets[asset];
        let qty = market.state().ledger.qty(id);
        if !qty.is_zero() {
            market.open_against_a_maker(id, -qty);
        }
        market.fund_account(id, Usd::from_f64(amount) - market.state().ledger.cash(id));
    }
    assert_eq!(cash.len(), 3);
    economy.pool_fund(0, 0);
    let fund = economy.fund_at_exit_cost();
    economy.markets[0].note_debts(true);
    economy.markets[0].settle_deficit(id, 1);
    economy.collect_debts(0, 0);
    let left: Vec<Usd> = economy.home().iter().map(|market| market.state().ledger.cash(id)).collect();
    // 500 are missing: 300 from the second asset, 200 from the third.
    assert_eq!(left, [0.0, 0.0, 700.0].map(Usd::from_f64));
    assert_eq!(economy.fund_at_exit_cost(), fund);
    assert_eq!(economy.home()[0].outcome().bad_debt, Usd::ZERO);
    economy.assert_invariants();
}

#[test]
fn whichever_instrument_needs_the_fund_has_all_of_it() {
    let mut economy = open(home_alone(1.0), "legacy_full", 3);
    let all: Usd = economy.home().iter().map(Market::fund_equity).sum();
    assert!(all > Usd::ZERO);
    for asset in [2, 0, 1] {
        economy.pool_fund(0, asset);
        for (other, market) in economy.home().iter().enumerate() {
            assert_eq!(market.fund_equity(), if other == asset { all } else { Usd::ZERO });
        }
        economy.assert_invariants();
    }
}

#[test]
fn an_asset_moves_with_the_first_as_its_regime_says() {
    let mut scenario = home_alone(0.0);
    scenario.world.shocks.clear();
    for asset in &mut scenario.assets[1..] {
        asset.correlation = [0.6; 3];
    }
    let economy = open(scenario, "off", 9);
    let (structure, mut world) = (&economy.structure, economy.state.world.clone());
    let mut followers = economy.state.followers.clone();
    let logs = |world: &World, followers: &[Follower]| {
        let first = std::iter::once(world.outside().fundamental_log);
        first.chain(followers.iter().map(|follower| follower.outside().fundamental_log)).collect::<Vec<f64>>()
    };
    let mut last = logs(&world, &followers);
    let mut moments = [[0.0; 3]; 3];
    for tick in 1..=14_000 {
        world.tick(&structure.world, tick);
        for (follower, law) in followers.iter_mut().zip(&structure.followers) {
            follower.tick(law, &structure.world, &world);
        }
        let now = logs(&world, &followers);
        let returns: Vec<f64> = now.iter().zip(&last).map(|(a, b)| a - b).collect();
        for (i, row) in moments.iter_mut().enumerate() {
            row.iter_mut().zip(&returns).for_each(|(moment, r)| *moment += returns[i] * r);
        }
        last = now;
    }
    let rho = |i: usize, j: usize| moments[i][j] / (moments[i][i] * moments[j][j]).sqrt();
    // Volatility clusters, so that 14,000 returns count for fewer; five standard errors of that many would be 0.03.
    assert!((rho(0, 1) - 0.6).abs() < 0.08 && (rho(0, 2) - 0.6).abs() < 0.08, "{} {}", rho(0, 1), rho(0, 2));
    assert!((rho(1, 2) - 0.36).abs() < 0.08, "{}", rho(1, 2));
}
