//! Sweeps each parameter as a constant over the shipped scenarios on common seeds.
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::sync::Arc;

use rayon::prelude::*;
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::reward::{NAMES, TERMS};
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};

fn run(env: &mut CascadeEnv, seed: u64, action: &[f32; ACTIONS]) -> (f64, [f64; TERMS]) {
    let mut observation = [0.0_f32; FEATURES_COUNT];
    env.reset(seed, &mut observation);
    let (mut total, mut terms) = (0.0, [0.0; TERMS]);
    loop {
        let step = env.step(action, &mut observation);
        total += step.reward;
        for (sum, term) in terms.iter_mut().zip(env.reward_terms()) {
            *sum += term;
        }
        if step.status.is_over() {
            return (total, terms);
        }
    }
}

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(8);
    let only: Option<usize> = std::env::args().nth(2).and_then(|s| s.parse().ok());
    let ids: Vec<String> = Scenario::all_shipped().into_iter().map(|s| s.id).collect();
    let envs: Vec<CascadeEnv> = Scenario::all_shipped()
        .into_iter()
        .map(|s| {
            let task = Task::new(vec![s], presets::SEAWALL, RewardConfig::default(), Groups::default()).expect("valid");
            CascadeEnv::new(Arc::new(task))
        })
        .collect();
    println!("{:30} {}", "", ids.iter().map(|i| format!("{i:>20}")).collect::<String>());
    for (dim, parameter) in PARAMETERS.iter().enumerate().filter(|(d, _)| only.is_none_or(|o| o == *d)) {
        println!("{}", parameter.name);
        for level in [-1.0_f32, -0.5, 0.0, 0.5, 1.0] {
            let mut action = Controls::default().encode();
            action[dim] = level;
            let cells: Vec<(f64, [f64; TERMS])> = (0..envs.len() as u64 * seeds)
                .into_par_iter()
                .map(|job| run(&mut envs[(job / seeds) as usize].clone(), job % seeds, &action))
                .collect();
            let line: String = cells
                .chunks(seeds as usize)
                .map(|c| format!("{:>20.1}", c.iter().map(|x| x.0).sum::<f64>() / seeds as f64))
                .collect();
            println!("{:>12.3} {:>17} {line}", parameter.decode(f64::from(level)), "");
            if only.is_some() {
                for (t, name) in NAMES.iter().enumerate() {
                    let line: String = cells
                        .chunks(seeds as usize)
                        .map(|c| format!("{:>20.1}", c.iter().map(|x| x.1[t]).sum::<f64>() / seeds as f64))
                        .collect();
                    println!("{:>30} {line}", name);
                }
            }
        }
    }
}
