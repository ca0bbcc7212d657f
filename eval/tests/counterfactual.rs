//! Accounts that are let be, in markets whose price is known beforehand.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use seawall_agents::Constant;
use seawall_env::liquidation::presets;
use seawall_env::market::Site;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::units::Price;
use seawall_env::world::{Bar, ReplaySeries, ReplayStart, Segment, WorldModel};
use seawall_env::{CascadeEnv, Groups, Task};
use seawall_eval::counterfactual::{LetBe, Sampling, let_be};
use seawall_eval::path::Glance;
use seawall_eval::{Contender, Episodes, Grid, Records, Split, Suite, run};

/// Closes of one-minute bars, each of which opens where the one before closed.
type Closes = fn(usize) -> f64;

/// A fall by a quarter within ten minutes, for good.
fn falls(minute: usize) -> f64 {
    50_000.0 * (1.0 - 0.25 * share(minute, 60, 10))
}

/// Every twenty minutes a fall by 0.4 % that is over a minute later.
fn dips(minute: usize) -> f64 {
    let is_down = minute % 20 == 10;
    50_000.0 * if is_down { 0.996 } else { 1.0 }
}

/// How much of a stretch of minutes has passed.
fn share(minute: usize, start: usize, length: usize) -> f64 {
    let passed = minute.saturating_sub(start).min(length);
    f64::from(u32::try_from(passed).unwrap()) / f64::from(u32::try_from(length).unwrap())
}

/// Two hours of a replayed price, among traders of high leverage, under a venue.
fn environment(closes: Closes, preset: &str) -> CascadeEnv {
    let mut scenario = Scenario::shipped("calm").unwrap();
    scenario.clock = ClockConfig { tick_seconds: 5.0, ticks_per_decision: 12, decisions: 120, slow_interval: 10 };
    scenario.traders.accounts = 256;
    let bar = |minute: usize| {
        let (open, close) = (closes(minute), closes(minute + 1));
        let [open, high, low, close] = [open, open.max(close), open.min(close), close].map(Price::from_f64);
        let open_time_ms = 1_600_000_020_000 + 60_000 * i64::try_from(minute).unwrap();
        Bar { open_time_ms, open, high, low, close, volume: 1.0 }
    };
    let segment = Segment { bars: (0..121).map(bar).collect() };
    let series = Arc::new(ReplaySeries::new(vec![segment], 60_000).unwrap());
    let world = WorldModel::replay(&scenario.world, scenario.world_clock(), series, ReplayStart::Random, None).unwrap();
    let site = Site::in_world(Arc::new(scenario), presets::by_name(preset).unwrap(), world);
    let task = Task::on_sites(vec![site], RewardConfig::default(), Groups::default()).unwrap();
    CascadeEnv::new(Arc::new(task))
}

fn judged(closes: Closes, preset: &str, accounts: usize) -> LetBe {
    let policy = Constant::neutral("neutral");
    let sum = |total: LetBe, seed: u64| {
        let found = let_be(&mut environment(closes, preset), &policy, seed, accounts).unwrap();
        LetBe {
            entered: total.entered + found.entered,
            sampled: total.sampled + found.sampled,
            survived: total.survived + found.survived,
        }
    };
    (0..3).fold(LetBe::default(), sum)
}

#[test]
fn hardly_anybody_survives_a_fall_that_stays_and_everybody_a_dip() {
    let (fall, dip) = (judged(falls, "legacy_full", 24), judged(dips, "legacy_full", 24));
    assert!(fall.sampled == 72 && fall.entered > 150, "{fall:?}");
    assert!(fall.survived <= 3, "a quarter is more than anybody's margin: {fall:?}");
    assert!(dip.entered >= 8, "a dip of 0.4 % reaches those with hundredfold leverage: {dip:?}");
    assert_eq!(dip.survived, dip.sampled, "the price is back before their maintenance margin is gone");
}

#[test]
fn where_nobody_is_liquidated_nobody_is_let_be() {
    assert_eq!(judged(falls, "off", 4), LetBe::default());
}

/// The dip as a suite.
struct Dip;

impl Episodes for Dip {
    type E = CascadeEnv;

    fn make(&self, _scenario: usize, contender: &Contender) -> CascadeEnv {
        environment(dips, &contender.preset)
    }

    fn outcome(&self, env: &CascadeEnv) -> Outcome {
        *env.outcome()
    }

    fn glance(&self, env: &CascadeEnv) -> Option<Glance> {
        Some(Glance::at(env))
    }

    fn let_be(
        &self,
        env: &mut CascadeEnv,
        policy: &dyn seawall_agents::Policy,
        seed: u64,
        accounts: usize,
    ) -> Option<LetBe> {
        let_be(env, policy, seed, accounts)
    }

    fn configuration(&self, _scenario: usize) -> Vec<u8> {
        b"dip".to_vec()
    }
}

#[test]
fn letting_accounts_be_changes_no_judged_episode_and_no_thread_changes_who_they_are() {
    let suite = Suite {
        name: "dip".into(),
        split: Split::Report,
        root: 3,
        seeds: 3,
        scenarios: vec!["dip".into()],
        gates: vec![],
    };
    let neutral = |name: &str, preset: &str| Contender::new(name, preset, Box::new(Constant::neutral(name)));
    let (contenders, off) = ([neutral("a", "legacy_full"), neutral("b", "seawall")], neutral("off", "off"));
    let on = |threads: usize, counterfactuals: Sampling| -> Records {
        let grid = Grid { suite: &suite, contenders: &contenders, without_liquidations: Some(&off), counterfactuals };
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&grid, &Dip, &|_, _| ()).unwrap())
    };
    let five = Sampling { accounts: 5, seeds: 3 };
    let mut with = on(1, five);
    assert_eq!(on(3, five), with);
    let entered = |records: &Records| records.episodes.iter().map(|e| e.let_be.unwrap().entered).collect::<Vec<_>>();
    let counted: Vec<usize> =
        with.episodes.iter().map(|e| usize::try_from(e.outcome.liquidated_accounts).unwrap()).collect();
    assert_eq!(entered(&with), counted, "everybody that the episode counts was heard");
    assert!(with.episodes.iter().all(|e| e.path.is_some_and(|path| path.reproduction_peak > 0.0)));
    let one = on(2, Sampling { seeds: 1, ..five });
    for (all, first) in with.episodes.iter().zip(&one.episodes) {
        assert_eq!(first.let_be, all.let_be.filter(|_| all.index == 0), "the first seed, and the same accounts");
    }
    with.episodes.iter_mut().for_each(|episode| episode.let_be = None);
    assert_eq!(on(2, Sampling::NONE), with);
}
