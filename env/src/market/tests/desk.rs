//! The option desk in a market: money, margin, and liquidation that hedges first.

use super::*;
use crate::margin::options::OptionKind;
use crate::market::desk::exact;
use crate::market::portfolio::Bench;
use crate::market::{Desk, DeskOutcome, Holders};
use crate::scenario::OptionsConfig;

/// A market with a desk: small, with many actions and an expiry within the hour.
fn desk(id: &str, preset: &str, seed: u64, change: impl FnOnce(&mut Scenario)) -> Market {
    let mut scenario = Scenario::shipped(id).unwrap();
    scenario.traders.accounts = 256;
    let mut options = OptionsConfig { expiry_hours: vec![1.0, 24.0, 168.0], ..OptionsConfig::default() };
    options.customers.accounts = 40;
    options.customers.rate = 2.0;
    scenario.options = Some(options);
    change(&mut scenario);
    Site::new(Arc::new(scenario), presets::by_name(preset).unwrap()).open(seed)
}

impl Market {
    fn on_desk<T>(&mut self, act: impl FnOnce(&mut Self, &mut Desk) -> T) -> T {
        let mut desk = self.state.desk.take().unwrap();
        let result = act(self, &mut desk);
        self.state.desk = Some(desk);
        result
    }

    /// Leaves the first customer with a short strangle of ten coins, a week to run, nothing else, and this equity.
    fn strangle(&mut self, dollars: f64) -> AccountId {
        self.on_desk(|market, desk| {
            for series in 0..desk.series.len() {
                let held = desk.held(0)[series];
                let maker = desk.customers.len();
                desk.trade(series, 0, maker, -held);
            }
            let id = desk.id(0);
            let qty = market.state.ledger.qty(id);
            let value = qty.value(market.state.prices.mark);
            market.state.ledger.trade(id, -qty, -value);
            market.give_to_pool(qty, value);
            let spot = market.state.prices.mark.as_f64();
            for (kind, strike) in [(OptionKind::Put, 0.95), (OptionKind::Call, 1.05)] {
                let series = desk.nearest(kind, 7 * 86_400, Price::from_f64(spot * strike)).unwrap();
                desk.trade(series, 0, desk.customers.len(), Qty::from_f64(-10.0));
            }
            let cash = market.state.ledger.cash(id);
            market.state.ledger.deposit(id, usd(dollars) - cash);
            id
        })
    }

    /// Moves mark, book and oracle, marks the desk and liquidates portfolios: a tick in which nothing else happens.
    fn shock(&mut self, price: f64) {
        self.state.prices.mark = Price::from_f64(price);
        self.mark_options();
        self.liquidate_portfolios();
        self.settle_makers();
        self.state.tick += 1;
        self.state.ledger.assert_invariants();
        self.state.desk.as_ref().unwrap().assert_invariants();
    }

    /// Equity and maintenance by the scan, in dollars.
    fn scanned(&mut self, account: usize) -> [f64; 2] {
        let fixed = Arc::clone(&self.fixed);
        let now = self.desk_seconds();
        let mark = (self.state.prices.mark, self.state.ledger.funding());
        self.on_desk(|market, desk| {
            let mut bench = Bench::default();
            bench.refresh(fixed.desk.as_ref().unwrap(), desk, mark, now);
            let found = bench.assess(fixed.desk.as_ref().unwrap(), desk, &market.state.ledger, account);
            assert_eq!(found.equity, market.state.ledger.equity(desk.id(account), mark.0), "one equity");
            [found.equity.as_f64(), found.levels.maintenance.as_f64()]
        })
    }

    fn options_of(&self, account: usize) -> Vec<Qty> {
        self.state.desk.as_ref().unwrap().held(account).iter().copied().filter(|qty| !qty.is_zero()).collect()
    }

    fn totals(&self) -> DeskOutcome {
        self.desk_outcome().unwrap()
    }
}

#[test]
fn money_and_positions_are_conserved_through_crash_expiry_and_liquidation_under_every_rule() {
    for preset in presets::NAMES {
        let mut market = desk("flash_crash", preset, 5, |scenario| {
            // The crash lies in the first three fifths of it.
            (scenario.clock.tick_seconds, scenario.clock.decisions) = (4.0, 100);
            scenario.venue.fund = 0.002;
            scenario.venue.failure = 1.0;
            scenario.options.as_mut().unwrap().customers.cushion = [1.0, 1.2];
        });
        let mut expired = 0;
        for tick in 0..3_000 {
            market.tick();
            if tick % 16 == 0 {
                market.state.ledger.assert_invariants();
                market.state.desk.as_ref().unwrap().assert_invariants();
            }
            expired = market.state.desk.as_ref().unwrap().series.iter().filter(|listed| listed.has_expired).count();
        }
        let Outcome { bad_debt, covered_by_fund, haircut, socialised, written_off, .. } = *market.outcome();
        assert_eq!(bad_debt, covered_by_fund + haircut + socialised + written_off, "M8 under {preset}");
        assert_eq!(-market.state.ledger.deficit(), written_off, "M1 under {preset}");
        assert_eq!(expired, 8, "one expiry has passed");
        if preset != "off" {
            assert!(market.totals().liquidated_accounts > 0, "{preset}: nobody was liquidated");
        }
    }
}

#[test]
fn expiry_pays_the_payoff_at_the_oracle_price_to_the_last_unit() {
    let mut market = desk("calm", "legacy_full", 2, |_| {});
    market.state.tick = 3_600;
    market.state.prices.oracle = 57_123.456_7;
    let (before, rows) = market.on_desk(|market, desk| {
        let cash: Vec<Usd> = (0..desk.len()).map(|account| market.state.ledger.cash(desk.id(account))).collect();
        let rows: Vec<_> = (0..desk.len()).map(|account| desk.held(account).to_vec()).collect();
        (cash, rows)
    });
    let marks: Vec<_> = market.state.desk.as_ref().unwrap().series.iter().map(|listed| listed.mark).collect();
    market.mark_options();
    let desk = market.state.desk.as_ref().unwrap();
    for account in 0..desk.len() {
        let earned = rows[account].iter().zip(desk.series.iter().zip(&marks)).map(|(&qty, (listed, &mark))| {
            let terms = &listed.terms;
            let last = if terms.expiry_seconds == 3_600 {
                // To the tick of 1e-4 dollars.
                let payoff = terms.kind.payoff(57_123.456_7, terms.strike.as_f64());
                Price::from_f64(libm::round(payoff * 1e4) * 1e-4)
            } else {
                listed.mark
            };
            exact(qty, last - mark)
        });
        let expected = before[account] + earned.sum();
        assert_eq!(market.state.ledger.cash(desk.id(account)), expected, "account {account}");
    }
    assert!(desk.series.iter().filter(|listed| listed.terms.expiry_seconds == 3_600).all(|listed| listed.has_expired));
    desk.assert_invariants();
}

#[test]
fn hedged_book_needs_less_than_its_parts() {
    let mut market = desk("calm", "legacy_full", 2, |_| {});
    market.strangle(1e6);
    let [_, naked] = market.scanned(0);
    // A put written ten coins wide and the same short perpetual: each guards the other.
    market.on_desk(|_, desk| {
        let call = desk.held(0).iter().rposition(|qty| !qty.is_zero()).unwrap();
        desk.trade(call, 0, desk.customers.len(), Qty::from_f64(10.0));
    });
    let [_, put] = market.scanned(0);
    let id = market.state.desk.as_ref().unwrap().first;
    let qty = Qty::from_f64(-5.0);
    let value = qty.value(market.state.prices.mark);
    market.state.ledger.trade(id, qty, value);
    market.give_to_pool(-qty, -value);
    let [_, hedged] = market.scanned(0);
    market.on_desk(|_, desk| {
        let put = desk.held(0).iter().position(|qty| !qty.is_zero()).unwrap();
        desk.trade(put, 0, desk.customers.len(), Qty::from_f64(10.0));
    });
    let [_, perpetual] = market.scanned(0);
    assert!(hedged < put && hedged < put + perpetual && put < naked, "{hedged} against {put} and {perpetual}");
}

#[test]
fn short_strangle_in_a_fall_is_hedged_in_the_perpetual_before_any_option_is_closed() {
    let mut market = desk("calm", "legacy_full", 2, |scenario| {
        scenario.options.as_mut().unwrap().customers.rate = 0.0;
    });
    market.strangle(60_000.0);
    // Enough that the fall has given the strangle a delta by the time that margin is short.
    let enough = 1.6 * market.scanned(0)[1];
    let id = market.strangle(enough);
    // Nobody else is to be liquidated.
    let others: Vec<AccountId> = market.on_desk(|_, desk| (1..desk.len()).map(|account| desk.id(account)).collect());
    others.iter().for_each(|&other| market.state.ledger.deposit(other, usd(1e7)));
    let spot = market.state.prices.mark.as_f64();
    let (mut price, mut order, mut ratio) = (spot, Vec::new(), 0.0);
    for _ in 0..400 {
        // Down by 8 % within three minutes, and no further.
        price = (price - 5e-4 * spot).max(0.92 * spot);
        let before = market.totals();
        market.shock(price);
        let now = market.totals();
        if now.hedged > before.hedged && market.state.in_liquidation[id as usize] {
            order.push('h');
        }
        if now.unwound > before.unwound {
            order.push('u');
        }
        let [equity, maintenance] = market.scanned(0);
        ratio = equity / maintenance.max(1.0);
    }
    let order: String = order.into_iter().collect();
    assert!(order.starts_with('h'), "hedges come first: {order}");
    assert!(market.totals().first_hedge <= market.totals().first_unwind.or(Some(u64::MAX)));
    assert!(market.outcome().forced_volume > Usd::ZERO, "the hedge is forced flow on the home book");
    assert!(!market.state.in_liquidation[id as usize] && ratio >= 1.0, "it leaves above its margin: {ratio}");
    assert!(!market.options_of(0).is_empty(), "closed no more than was needed: {order}");
}

#[test]
fn bankrupt_writer_is_closed_out_and_the_waterfall_pays_in_order() {
    let mut market = desk("calm", "legacy_full", 2, |_| {});
    let id = market.strangle(40_000.0);
    let spot = market.state.prices.mark.as_f64();
    let fund = market.fund_equity();
    market.shock(0.80 * spot);
    for _ in 0..20 {
        market.shock(0.80 * spot);
    }
    assert!(market.options_of(0).is_empty() && market.state.ledger.qty(id).is_zero());
    assert_eq!(market.state.ledger.cash(id), Usd::ZERO);
    let Outcome { bad_debt, covered_by_fund, haircut, socialised, written_off, .. } = *market.outcome();
    assert!(bad_debt > Usd::ZERO);
    assert_eq!(bad_debt, covered_by_fund + haircut + socialised + written_off, "M8");
    // M5: winners and nobody come after a fund that still had money.
    assert!(covered_by_fund > Usd::ZERO && (covered_by_fund == bad_debt || covered_by_fund <= fund));
}

#[test]
fn lazy_check_finds_whom_a_scan_of_everybody_finds_and_scans_seldom() {
    // In test builds every mark at which nobody was scanned ends with a scan of everybody that asserts it.
    let mut liquidated = 0;
    for (id, preset) in [("flash_crash", "legacy_full"), ("crash_day", "seawall"), ("option_squeeze", "hyperliquid")] {
        let mut market = desk(id, preset, 7, |scenario| {
            let options = scenario.options.as_mut().unwrap();
            (options.mark_seconds, options.customers.rate) = (1.0, 0.5);
        });
        for _ in 0..9_000 {
            market.tick();
        }
        let DeskOutcome { scans, marks, liquidated_accounts, .. } = market.totals();
        assert!(marks >= 8_999 && scans < marks / 5, "{id}: {scans} scans in {marks} marks");
        liquidated += liquidated_accounts;
    }
    assert!(liquidated > 0, "nobody was there to be found");
}

#[test]
fn initial_margin_gates_openings() {
    let mut market = desk("calm", "legacy_full", 2, |_| {});
    for _ in 0..14_400 {
        market.tick();
    }
    let totals = market.totals();
    assert!(totals.refused > 0 && totals.spread_paid > Usd::ZERO, "{totals:?}");
}

#[test]
fn hedgers_short_of_gamma_sell_into_a_fall_and_deepen_it() {
    // One fall is noisy: a small difference of means takes eight seeds.
    let (mut with, mut without) = (0.0, 0.0);
    for seed in 0..8 {
        let play = |options: bool| {
            let mut scenario = Scenario::shipped("option_squeeze").unwrap();
            scenario.traders.accounts = 256;
            if !options {
                scenario.options = None;
            }
            let mut market = Site::new(Arc::new(scenario), presets::by_name("legacy_full").unwrap()).open(seed);
            if options {
                assert!(market.hedging_gamma() > 0.0 && market.hedging_flow(-0.02) < 0.0, "hedgers are short of gamma");
                let net = market.portfolio_exposure(Holders::Customers).net.gamma_coins_per_dollar;
                let makers = market.portfolio_exposure(Holders::OptionMakers).net.gamma_coins_per_dollar;
                assert!((net + makers).abs() < 1e-9, "M2: gamma of customers and makers cancels");
            }
            for _ in 0..market.scenario.horizon_ticks() {
                market.tick();
            }
            let outcome = market.outcome();
            outcome.mark_low.as_f64() / outcome.fundamental_low.as_f64() - 1.0
        };
        with += play(true);
        without += play(false);
    }
    assert!(with < without - 0.02, "{with} with options, {without} without");
}
