//! What every black-box test needs: a market small enough to play often, and an environment on it.

use std::sync::Arc;

use seawall_env::liquidation::{Pipeline, presets};
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Groups, Task};

/// A shipped scenario with few accounts; its hours are played in coarse ticks, so that its shock still comes.
pub(crate) fn small(id: &str, decisions: u32, accounts: u32) -> Scenario {
    let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
    scenario.clock = ClockConfig { tick_seconds: 10.0, ticks_per_decision: 10, decisions, slow_interval: 10 };
    scenario.traders.accounts = accounts;
    scenario
}

/// An environment on one scenario under a venue preset, with every parameter free.
pub(crate) fn environment(scenario: Scenario, preset: &str) -> CascadeEnv {
    environment_under(scenario, presets::by_name(preset).expect("a preset"))
}

/// An environment on one scenario under any engine, with every parameter free.
pub(crate) fn environment_under(scenario: Scenario, pipeline: Pipeline) -> CascadeEnv {
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default());
    CascadeEnv::new(Arc::new(task.expect("a valid task")))
}
