//! Withdrawals: what may leave, what that does to deposits, and the gate.

use super::*;
use crate::scenario::WithdrawalConfig;

fn market(config: WithdrawalConfig) -> Market {
    let mut scenario = Scenario::shipped("calm").unwrap();
    scenario.traders.accounts = 256;
    scenario.withdrawals = Some(config);
    Site::new(Arc::new(scenario), presets::by_name("dydx_v4").unwrap()).open(3)
}

const BUSY: WithdrawalConfig =
    WithdrawalConfig { rate: 30.0, panic: 2.0, share: 1.0, notional_floor: 0.1, gate_seconds: 55.0 };

#[test]
fn what_leaves_is_missing_from_deposits_exactly_and_margin_and_a_tenth_of_notional_stay() {
    let mut market = market(BUSY);
    let cash = |market: &Market| -> Usd {
        let ledger = &market.state.ledger;
        (0..ledger.len()).map(|id| ledger.cash(u32::try_from(id).unwrap())).sum()
    };
    let before = cash(&market);
    let ids = 0..market.fixed.traders;
    let equity: Vec<Usd> = ids.clone().map(|id| market.state.ledger.equity(id, market.state.prices.mark)).collect();
    for _ in 0..600 {
        market.withdraw();
        market.state.tick += 1;
    }
    let paid = market.withdrawal_outcome().unwrap().paid;
    assert!(paid > Usd::ZERO);
    assert_eq!(cash(&market), before - paid);
    market.state.ledger.assert_invariants();
    for id in ids {
        let (left, qty) = (market.state.ledger.equity(id, market.state.prices.mark), market.state.ledger.qty(id));
        if qty.is_zero() {
            continue;
        }
        let needed = market.initial_margin(qty).max(0.1 * qty.notional(market.state.prices.mark).as_f64());
        assert!(left == equity[id as usize] || left.as_f64() >= needed, "account {id} is left with {left} of {needed}");
    }
}

#[test]
fn deficit_shuts_the_gate_for_its_time_and_no_longer() {
    let mut market = market(BUSY);
    market.state.outcome.bad_debt = usd(1.0);
    market.withdraw();
    assert!(market.is_gate_shut());
    for tick in 1..=60_u64 {
        market.state.tick = tick;
        market.withdraw();
        assert_eq!(market.is_gate_shut(), tick < 55, "{tick}");
        assert_eq!(market.withdrawal_outcome().unwrap().paid.is_zero(), tick < 55, "{tick}");
    }
    let outcome = market.withdrawal_outcome().unwrap();
    assert!(outcome.refused > Usd::ZERO && outcome.shut == 1, "{outcome:?}");
}

#[test]
fn stress_brings_more_withdrawals() {
    let paid = |variance: f64| {
        let mut market = market(WithdrawalConfig { rate: 1.0, ..BUSY });
        market.state.signals.variance_fast *= variance;
        for _ in 0..30 {
            market.withdraw();
            market.state.tick += 1;
        }
        market.withdrawal_outcome().unwrap().paid
    };
    assert!(paid(25.0) > paid(1.0));
}
