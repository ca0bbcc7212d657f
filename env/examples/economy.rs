//! Plays one scenario of several assets or venues at neutral parameters, and prints its way and what each market left
//! behind.
//!
//! `cargo run --release -p seawall-env --example economy -- contagion 3`
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::error::Error;
use std::sync::Arc;

use seawall_env::action::Controls;
use seawall_env::book::Book;
use seawall_env::economy::Economy;
use seawall_env::liquidation::presets;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::units::Usd;
use seawall_env::{CascadeEnv, Env, Groups, Task};

/// Decisions between two lines.
const EVERY: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().unwrap_or_else(|| "contagion".to_owned());
    let seed: u64 = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let preset = arguments.next().unwrap_or_else(|| "seawall".to_owned());
    let scenario = Scenario::shipped(&id).ok_or_else(|| format!("no scenario {id}"))?;
    println!("{id}, seed {seed}, home on {preset}: {}\n", scenario.title);
    let pipeline = presets::by_name(&preset).ok_or_else(|| format!("no preset {preset}"))?;
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default())?;
    let mut env = CascadeEnv::new(Arc::new(task));
    let mut observation = vec![0.0; env.spec().observation.len()];
    let neutral = Controls::default().encode();
    env.reset(seed, &mut observation);
    let mut total = 0.0;
    println!(
        "{:>8}{:>12}{:>12}{:>10}{:>10}{:>8}{:>10}{:>12}",
        "decision", "mark", "gap bp", "basis bp", "depth", "corr", "arbitrage", "liquidating"
    );
    loop {
        let step = env.step(&neutral, &mut observation);
        total += step.reward;
        let economy = env.economy().ok_or("a scenario of one market: see the example episode")?;
        if env.outcome().decisions.is_multiple_of(EVERY) {
            print_line(economy);
        }
        if step.status.is_over() {
            println!("\n{:?} with a reward of {total:.1}; in bp of each market's open interest at reset:", step.status);
            print_markets(economy);
            return Ok(());
        }
    }
}

fn print_line(economy: &Economy) {
    let home = economy.market(0, 0).state();
    let gap = 1e4 * (home.prices.mark.as_f64() / home.prices.fundamental - 1.0);
    let basis = (1..economy.venues())
        .map(|venue| 1e4 * (home.book.mid() / economy.market(venue, 0).state().book.mid() - 1.0))
        .fold(0.0, |widest: f64, basis| if basis.abs() > widest.abs() { basis } else { widest });
    let liquidating: Usd = economy.markets().iter().map(seawall_env::market::Market::in_liquidation).sum();
    println!(
        "{:>8}{:>12.2}{gap:>12.1}{basis:>10.1}{:>10.2}{:>8.2}{:>10.2}{:>12.0}",
        economy.outcome().decisions,
        home.prices.mark.as_f64(),
        economy.others_depth(),
        economy.correlation(),
        economy.arbitrage_use(),
        liquidating.as_f64()
    );
}

fn print_markets(economy: &Economy) {
    println!(
        "{:20}{:>10}{:>12}{:>10}{:>12}{:>10}",
        "market", "mark low", "liquidated", "bad debt", "deleveraged", "gap max"
    );
    for market in economy.markets() {
        let outcome = market.outcome();
        let bp = |amount: Usd| 1e4 * amount.as_f64() / outcome.reference_open_interest.as_f64();
        println!(
            "{:20}{:>8.1} %{:>12.0}{:>10.1}{:>12.1}{:>10.0}",
            market.scenario().id,
            100.0 * (outcome.mark_low.as_f64() / outcome.price_start.as_f64() - 1.0),
            bp(outcome.liquidated),
            bp(outcome.bad_debt),
            bp(outcome.deleveraged),
            outcome.deviation_max_bp
        );
    }
}
