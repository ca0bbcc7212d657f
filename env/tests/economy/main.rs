//! Several assets on several venues: the numbered invariants, determinism, and what the economy is for.

#[path = "../common/checks.rs"]
mod checks;
mod claims;
mod determinism;
mod invariants;
mod routed;

use std::sync::Arc;

use seawall_env::liquidation::{Pipeline, presets};
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Groups, Task};

/// A shipped economy with few accounts; its hours are played in coarse ticks, so that its shock still comes.
fn small(id: &str, decisions: u32, accounts: u32) -> Scenario {
    let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
    scenario.clock = ClockConfig { tick_seconds: 10.0, ticks_per_decision: 10, decisions, slow_interval: 10 };
    scenario.traders.accounts = accounts;
    scenario
}

fn environment(scenario: Scenario, preset: &str) -> CascadeEnv {
    environment_under(scenario, presets::by_name(preset).expect("a preset"))
}

fn environment_under(scenario: Scenario, pipeline: Pipeline) -> CascadeEnv {
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default());
    CascadeEnv::new(Arc::new(task.expect("a valid task")))
}
