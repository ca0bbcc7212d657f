//! The waterfall of `percolator_ak` against the engine that it is named after (crate `percolator-engine`, Apache-2.0).
//!
//! Compared is what both describe: closing at the oracle's price, deficits paid by insurance down to its floor and then
//! by the other side in proportion to size, positions of the other side scaled down by as much as was closed. Funding,
//! fees and the warm-up of profits are off.

use std::sync::Arc;

use percolator::i128::U128;
use percolator::{LiquidationPolicy, RiskEngine, RiskParams};
use rand_chacha::rand_core::Rng;

use super::super::ledger::Ledger;
use super::usd;
use crate::liquidation::{Preset, profit_haircut};
use crate::margin::{MarginConfig, TierConfig};
use crate::market::{Market, Site};
use crate::rng::{Purpose, SeedTree};
use crate::scenario::Scenario;
use crate::units::{Price, Qty, Rate};

const LONGS: u32 = 6;
const ACCOUNTS: u32 = 14;
const PRICE: f64 = 60_000.0;
/// Coins in the engine have six decimals, here eight.
const COINS: i64 = 100;

/// A position's size and an account's capital, by account.
struct Book {
    trades: Vec<(u32, u32, i64)>,
    capital: Vec<i64>,
}

impl Book {
    fn draw(seed: u64) -> Self {
        let mut rng = SeedTree::new(seed).stream(Purpose::Population, 7);
        let mut below = |n: u64| i64::try_from(rng.next_u64() % n).unwrap();
        let mut size = vec![0; ACCOUNTS as usize];
        let mut trades = Vec::new();
        for _ in 0..20 {
            let long = u32::try_from(below(u64::from(LONGS))).unwrap();
            let short = LONGS + u32::try_from(below(u64::from(ACCOUNTS - LONGS))).unwrap();
            let micro = 1_000 + below(20_000_000);
            trades.push((long, short, micro));
            size[long as usize] += micro;
            size[short as usize] += micro;
        }
        // Between a tenth of the notional, which is the initial margin, and a third of it.
        let capital = size.iter().map(|micro| 10_000 + micro * 60_000 / 1_000 * (101 + below(230))).collect();
        Self { trades, capital }
    }

    fn market(&self, insurance: i64) -> Market {
        let mut scenario = Preset::shipped("percolator_ak").unwrap().furnish(Scenario::shipped("calm").unwrap());
        scenario.traders.accounts = ACCOUNTS;
        scenario.venue.liquidation_fee_bp = 0.0;
        let row = TierConfig { notional_cap_usd: 1e12, maintenance: 0.05, max_leverage: 10.0 };
        scenario.margin = MarginConfig { tiers: vec![row], ..MarginConfig::default() };
        let pipeline = crate::liquidation::presets::by_name("percolator_ak").unwrap();
        let mut market = Site::new(Arc::new(scenario), pipeline).open(0);
        market.state.prices.mark = Price::from_f64(PRICE);
        market.state.ledger = Ledger::new(market.fixed.accounts());
        market.state.index = market.fixed.index(PRICE);
        let ledger = &mut market.state.ledger;
        ledger.deposit(market.fixed.fund, crate::units::Usd::from_raw(insurance));
        for (id, capital) in (0..).zip(&self.capital) {
            ledger.deposit(id, crate::units::Usd::from_raw(*capital));
        }
        for &(long, short, micro) in &self.trades {
            let qty = Qty::from_raw(micro * COINS);
            let value = qty.value(Price::from_f64(PRICE));
            ledger.trade(long, qty, value);
            ledger.trade(short, -qty, -value);
        }
        for id in 0..ACCOUNTS {
            market.fixed.reindex(&market.state.ledger, &mut market.state.index, id, Rate::from_raw(Rate::SCALE));
        }
        market
    }

    fn engine(&self, insurance: i64) -> RiskEngine {
        let params = RiskParams {
            warmup_period_slots: 1_000_000_000,
            maintenance_margin_bps: 500,
            initial_margin_bps: 1_000,
            trading_fee_bps: 0,
            max_accounts: 64,
            new_account_fee: U128::ZERO,
            maintenance_fee_per_slot: U128::ZERO,
            max_crank_staleness_slots: u64::MAX,
            liquidation_fee_bps: 0,
            liquidation_fee_cap: U128::ZERO,
            min_liquidation_abs: U128::ZERO,
            min_initial_deposit: U128::new(1_000),
            min_nonzero_mm_req: 1,
            min_nonzero_im_req: 2,
            insurance_floor: U128::ZERO,
        };
        let price = oracle(PRICE);
        let mut engine = RiskEngine::new_with_market(params, 0, price);
        engine.top_up_insurance_fund(insurance.try_into().unwrap(), 0).unwrap();
        for (id, capital) in (0..).zip(&self.capital) {
            engine.deposit(id, (*capital).try_into().unwrap(), price, 0).unwrap();
        }
        for &(long, short, micro) in &self.trades {
            let [long, short] = [long, short].map(|id| u16::try_from(id).unwrap());
            engine.execute_trade_not_atomic(long, short, price, 0, micro.into(), price, 0).unwrap();
        }
        engine
    }
}

/// The engine's price: millionths of a dollar, as ours.
fn oracle(price: f64) -> u64 {
    Price::from_f64(price).raw().try_into().unwrap()
}

fn equity(engine: &RiskEngine, id: u32) -> i64 {
    let account = &engine.accounts[id as usize];
    i64::try_from(i128::try_from(account.capital.get()).unwrap() + account.pnl).unwrap()
}

/// Liquidates everybody who is short of margin, until nobody is.
fn settle_engine(engine: &mut RiskEngine, price: f64) {
    let (price, ids) = (oracle(price), 0..u16::try_from(ACCOUNTS).unwrap());
    while ids
        .clone()
        .any(|id| engine.liquidate_at_oracle_not_atomic(id, 1, price, LiquidationPolicy::FullClose, 0).unwrap())
    {}
    for id in ids {
        engine.settle_account_not_atomic(id, price, 1, 0).unwrap();
    }
    assert!(engine.check_conservation());
}

#[test]
fn the_waterfall_agrees_with_the_engine_it_is_named_after() {
    let (mut with_loss, mut charged) = (0, 0);
    for seed in 0..60 {
        let book = Book::draw(seed);
        let insurance = [0, 2_000_000_000, 1_000_000_000_000][usize::try_from(seed % 3).unwrap()];
        let (mut market, mut engine) = (book.market(insurance), book.engine(insurance));
        let change = 0.06 + 0.01 * f64::from(u32::try_from(seed % 13).unwrap());
        let price = PRICE * if seed % 2 == 0 { 1.0 - change } else { 1.0 + change };
        market.state.prices.mark = Price::from_f64(price);
        let start = market.positions();
        for _ in 0..10 {
            market.pass();
        }
        settle_engine(&mut engine, price);
        let outcome = market.outcome();
        // Where somebody could not bear its part, the engine goes on with a negative account, and here it is written off.
        if !outcome.written_off.is_zero() {
            continue;
        }
        with_loss += u32::from(!outcome.bad_debt.is_zero());
        charged += u32::from(!outcome.socialised.is_zero());
        for id in 0..ACCOUNTS {
            let ours = market.state.ledger.equity(id, market.state.prices.mark).raw();
            let theirs = equity(&engine, id);
            // Its scale factor has six digits, and shares of a loss follow the sizes that each liquidation leaves.
            let room = 2_000 + outcome.socialised.raw() / 200_000;
            assert!((ours - theirs).abs() <= room, "seed {seed}, account {id}: equity {ours} against {theirs}");
            let ours = market.state.ledger.qty(id).raw();
            let theirs = i64::try_from(engine.effective_pos_q(id as usize)).unwrap() * COINS;
            let room = 2_000 + start[id as usize].abs().raw() / 200_000;
            assert!((ours - theirs).abs() <= room, "seed {seed}, account {id}: {ours} coins against {theirs}");
        }
        let fund = market.fund_equity();
        let theirs = usd(1e-6 * engine.insurance_fund.balance.get().to_string().parse::<f64>().unwrap());
        assert!((fund - theirs).abs() <= usd(0.002), "seed {seed}: insurance {fund} against {theirs}");
    }
    // 23 and 15 as drawn.
    assert!(with_loss > 20 && charged > 10, "{with_loss} losses, {charged} of them charged to the other side");
}

#[test]
fn the_haircut_is_the_engines_ratio() {
    let mut engine = Book::draw(0).engine(0);
    for (vault, principal, insurance, profits) in [
        (1_000, 600, 100, 500),
        (1_000, 600, 100, 300),
        (1_000, 600, 100, 200),
        (1_000, 950, 100, 200),
        (1_000, 0, 0, 0),
    ] {
        engine.vault = U128::new(vault);
        engine.c_tot = U128::new(principal);
        engine.insurance_fund.balance = U128::new(insurance);
        engine.pnl_matured_pos_tot = profits;
        let (paid, of) = engine.haircut_ratio();
        let [vault, principal, insurance, profits] =
            [vault, principal, insurance, profits].map(|amount| i128::try_from(amount).unwrap());
        let ours = profit_haircut(vault - principal - insurance, profits);
        assert_eq!(ours, (paid.try_into().unwrap(), of.try_into().unwrap()));
    }
}
