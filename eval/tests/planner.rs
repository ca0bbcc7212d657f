//! The planner: what it knows, what it does not, and that it is worth something.

use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use seawall_agents::Constant;
use seawall_env::liquidation::presets;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, SeedTree, Task};
use seawall_eval::counterfactual::Sampling;
use seawall_eval::planner::{self, Plan, PlanConfig, gap_share};
use seawall_eval::{Contender, Episodes, Error, Grid, Records, Split, Suite, run};

/// A flash crash in coarse ticks among few accounts.
struct Crash;

impl Episodes for Crash {
    type E = CascadeEnv;

    fn make(&self, _scenario: usize, contender: &Contender) -> CascadeEnv {
        let mut scenario = Scenario::shipped("flash_crash").expect("a shipped scenario");
        scenario.clock = ClockConfig { tick_seconds: 10.0, ticks_per_decision: 12, decisions: 60, slow_interval: 10 };
        scenario.traders.accounts = 128;
        let pipeline = presets::by_name(&contender.preset).expect("a preset");
        let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default());
        CascadeEnv::new(Arc::new(task.expect("a valid task")))
    }

    fn outcome(&self, env: &CascadeEnv) -> Outcome {
        *env.outcome()
    }

    fn configuration(&self, _scenario: usize) -> Vec<u8> {
        b"flash_crash".to_vec()
    }
}

const CONFIG: PlanConfig =
    PlanConfig { horizon: 60, blocks: 2, replan: 10, population: 10, elites: 3, iterations: 2, scenarios: 3, seed: 0 };

fn suite(seeds: usize) -> Suite {
    let scenarios = vec!["flash_crash".to_owned()];
    Suite { name: "crash".into(), split: Split::Report, root: 1, seeds, scenarios, gates: vec![] }
}

fn neutral(name: &str) -> Contender {
    Contender::new(name, "seawall", Box::new(Constant::neutral(name)))
}

fn returns(records: &Records, arm: usize) -> Vec<f64> {
    records.arm(arm).iter().map(|episode| episode.episode_return).collect()
}

#[test]
fn the_planner_beats_the_constant_where_there_is_headroom_on_any_number_of_threads() {
    let (suite, seat) = (suite(6), neutral("planner"));
    let on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| planner::run(&suite, &Crash, &seat, &CONFIG, &|_, _| ()).unwrap())
    };
    let planned = on(1);
    assert_eq!(on(3), planned);
    let grid = Grid {
        suite: &suite,
        contenders: &[neutral("constant")],
        without_liquidations: None,
        counterfactuals: Sampling::NONE,
    };
    let records = run(&grid, &Crash, &|_, _| ()).unwrap().with(planned);
    let differences: Vec<f64> = returns(&records, 1).iter().zip(returns(&records, 0)).map(|(a, b)| a - b).collect();
    assert!(differences.iter().sum::<f64>() > 0.0, "{differences:?}");
    // By chance alone one in 64 would win all six.
    assert!(differences.iter().filter(|difference| **difference > 0.0).count() >= 5, "{differences:?}");
}

#[test]
fn a_plan_does_not_change_when_the_true_future_does() {
    let mut env = Crash.make(0, &neutral("planner"));
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(4, &mut observation);
    let start = Plan::neutral(&CONFIG);
    for decision in 0..13 {
        env.step(start.action(decision), &mut observation);
    }
    let plan = |env: &CascadeEnv, luck: u64| planner::plan(env, &CONFIG, SeedTree::new(luck), &start).unwrap();
    let chosen = plan(&env, 1);
    for future in 10..14 {
        let mut elsewhere = env.clone();
        elsewhere.redraw(future).unwrap();
        assert_ne!(elsewhere.save(), env.save());
        assert_eq!(plan(&elsewhere, 1), chosen, "the plan follows future {future}");
    }
    assert_ne!(plan(&env, 2), chosen, "and yet it depends on what it looks ahead in");
}

#[test]
fn a_plan_is_played_stretch_by_stretch_and_its_last_one_is_drawn_out() {
    let mut env = Crash.make(0, &neutral("planner"));
    env.reset(4, &mut vec![0.0; env.spec().observation.len()]);
    let plan = planner::plan(&env, &CONFIG, SeedTree::new(1), &Plan::neutral(&CONFIG)).unwrap();
    let bits = |plan: &Plan, decision: u32| plan.action(decision).map(f32::to_bits);
    assert_eq!(bits(&plan, 0), bits(&plan, 9));
    assert_ne!(bits(&plan, 9), bits(&plan, 10));
    assert_eq!(bits(&plan, 10), bits(&plan, 59));
    let rest = plan.clone().rest();
    assert_eq!([bits(&rest, 0), bits(&rest, 10)], [bits(&plan, 10); 2]);
}

#[test]
fn the_share_of_the_gap_is_a_ratio_of_paired_means() {
    let suite = suite(4);
    let contenders = ["from", "to", "half", "beyond"].map(neutral);
    let grid =
        Grid { suite: &suite, contenders: &contenders, without_liquidations: None, counterfactuals: Sampling::NONE };
    let mut records = run(&grid, &Crash, &|_, _| ()).unwrap();
    for episode in &mut records.episodes {
        let base = [-10.0, -30.0, -20.0, -40.0][episode.index];
        episode.episode_return = base + [0.0, 8.0, 4.0, 12.0][episode.arm];
    }
    let share = |names: [&str; 3]| gap_share(&records, names, SeedTree::new(0), 200, 0.95);
    // Every pair has the same difference, so resampling moves nothing.
    for (policy, value) in [("half", 0.5), ("beyond", 1.5), ("from", 0.0), ("to", 1.0)] {
        let estimate = share([policy, "from", "to"]).unwrap();
        let interval = estimate.interval.unwrap();
        assert!([estimate.value, interval.low, interval.high].iter().all(|x| (x - value).abs() < 1e-12), "{policy}");
    }
    assert_eq!(share(["half", "to", "from"]), None, "no gap, no share of it");
    assert_eq!(share(["half", "from", "nobody"]), None);
}

#[test]
fn every_field_out_of_bounds_is_listed() {
    let config = PlanConfig { horizon: 5, replan: 6, population: 4, elites: 3, scenarios: 0, ..CONFIG };
    let error = planner::run(&suite(1), &Crash, &neutral("planner"), &config, &|_, _| ()).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)));
    for field in ["plan.replan = 6", "plan.elites = 3", "plan.scenarios = 0"] {
        assert!(error.to_string().contains(field), "{error}");
    }
}
