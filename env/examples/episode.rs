//! Plays one scenario and seed at every venue, with its own margin and fee where it publishes them, at neutral
//! parameters, and prints what each left behind.
//!
//! `cargo run --release -p seawall-env --example episode -- flash_crash 3`
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::error::Error;
use std::sync::Arc;

use seawall_env::action::Controls;
use seawall_env::liquidation::{Preset, presets};
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::units::Usd;
use seawall_env::{CascadeEnv, Env, Groups, Task};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().unwrap_or_else(|| "flash_crash".to_owned());
    let seed: u64 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let scenario = Scenario::shipped(&id).ok_or_else(|| format!("no scenario {id}"))?;
    println!("{id}, seed {seed}: {}", scenario.title);
    println!("Money in basis points of open interest at reset; mark against fundamental in basis points.\n");
    println!(
        "{:18}{:>10}{:>10}{:>11}{:>10}{:>10}{:>10}{:>12}",
        "venue", "mark low", "gap max", "liquidated", "bad debt", "winners'", "fund low", "reward"
    );
    for name in presets::NAMES {
        let preset = Preset::shipped(name).ok_or("a preset without rules")?;
        let scenario = preset.furnish(scenario.clone());
        let task = Task::new(vec![scenario], preset.pipeline, RewardConfig::default(), Groups::default())?;
        let mut env = CascadeEnv::new(Arc::new(task));
        let reward = play(&mut env, seed);
        print_row(name, env.outcome(), reward);
    }
    Ok(())
}

/// Plays one episode with every parameter at its neutral value and returns the sum of rewards.
fn play(env: &mut CascadeEnv, seed: u64) -> f64 {
    let neutral = Controls::default().encode();
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(seed, &mut observation);
    let mut total = 0.0;
    loop {
        let step = env.step(&neutral, &mut observation);
        total += step.reward;
        if step.status.is_over() {
            return total;
        }
    }
}

fn print_row(name: &str, outcome: &Outcome, reward: f64) {
    let bp = |amount: Usd| 1e4 * amount.as_f64() / outcome.reference_open_interest.as_f64();
    println!(
        "{name:18}{:>8.1} %{:>10.0}{:>11.0}{:>10.1}{:>10.0}{:>10.1}{reward:>12.1}",
        100.0 * (outcome.mark_low.as_f64() / outcome.price_start.as_f64() - 1.0),
        outcome.deviation_max_bp,
        bp(outcome.liquidated),
        bp(outcome.bad_debt),
        bp(outcome.deleveraged),
        bp(outcome.fund_low),
    );
}
