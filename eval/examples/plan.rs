//! The planner on the six default scenarios, beside the baselines: `seawall plan` without the rest of the binary.
//!
//! `cargo run --release -p seawall-eval --example plan -- SEEDS`, two by default, on the seeds that the README reports on.

use std::sync::Arc;

use seawall_agents::{Constant, generations};
use seawall_env::liquidation::presets;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};
use seawall_eval::planner::{self, PlanConfig};
use seawall_eval::report::markdown;
use seawall_eval::{Contender, Episodes, Grid, Report, Settings, Split, Suite, run};

const SCENARIOS: [&str; 6] = ["calm", "tense", "volatility_spike", "flash_crash", "crash_day", "slow_drought"];

struct Shipped;

impl Episodes for Shipped {
    type E = CascadeEnv;

    fn make(&self, scenario: usize, contender: &Contender) -> CascadeEnv {
        let scenario = Scenario::shipped(SCENARIOS[scenario]).expect("a shipped scenario");
        let pipeline = presets::by_name(&contender.preset).expect("a preset");
        let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default());
        CascadeEnv::new(Arc::new(task.expect("a valid task")))
    }

    fn outcome(&self, env: &CascadeEnv) -> Outcome {
        *env.outcome()
    }

    fn configuration(&self, scenario: usize) -> Vec<u8> {
        SCENARIOS[scenario].as_bytes().to_vec()
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seeds = std::env::args().nth(1).map_or(Ok(2), |text| text.parse())?;
    let scenarios = SCENARIOS.map(String::from).to_vec();
    let suite =
        Suite { name: "plan".to_owned(), split: Split::Report, root: 2027, seeds, scenarios, gates: Vec::new() };
    let constant = Contender::new("constant", "seawall", Box::new(Constant::neutral("constant")));
    let spec = Shipped.make(0, &constant).spec().clone();
    let own = |baseline: seawall_agents::Baseline| {
        Contender::new(baseline.policy.name().to_owned(), baseline.preset, baseline.policy)
    };
    let mut contenders = vec![constant];
    contenders.extend(generations(&spec)?.into_iter().map(own));
    let grid = Grid { suite: &suite, contenders: &contenders, without_liquidations: None };
    let records = run(&grid, &Shipped, &|_, _| ())?;
    let seat = Contender::new("planner", "seawall", Box::new(Constant::neutral("planner")));
    let progress = |done: usize, total: usize| {
        if done % 20 == 0 {
            eprintln!("{done} of {total} plans");
        }
    };
    let planned = planner::run(&suite, &Shipped, &seat, &PlanConfig::default(), &progress)?;
    let report = Report::build(&records.with(planned), "planner", Settings::default(), &[])?;
    println!("{}", markdown::markdown(&report));
    Ok(())
}
