//! Runs one episode per scenario and venue and prints what it left behind.
#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "an example for a terminal")]

use std::sync::Arc;
use std::time::Instant;

use seawall_env::action::Controls;
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};

fn main() {
    let only_scenario = std::env::args().nth(3);
    let seeds: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(3);
    let only = std::env::args().nth(2);
    for preset in presets::NAMES.into_iter().filter(|p| only.as_ref().is_none_or(|o| o == p)) {
        let pipeline = presets::by_name(preset).expect("a known preset");
        for scenario in Scenario::all_shipped() {
            let id = scenario.id.clone();
            if only_scenario.as_ref().is_some_and(|o| *o != id) { continue; }
            let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default());
            let mut env = CascadeEnv::new(Arc::new(task.expect("a valid task")));
            let mut observation = [0.0_f32; FEATURES_COUNT];
            for seed in 0..seeds {
                let start = Instant::now();
                env.reset(seed, &mut observation);
                let (mut total, mut terms) = (0.0, [0.0; 9]);
                loop {
                    let step = env.step(&Controls::default().encode(), &mut observation);
                    total += step.reward;
                    for (sum, term) in terms.iter_mut().zip(env.reward_terms()) {
                        *sum += term;
                    }
                    if step.status.is_over() {
                        break;
                    }
                }
                let o = env.outcome();
                let bp = |usd: seawall_env::units::Usd| 1e4 * usd.as_f64() / o.reference_open_interest.as_f64();
                let drop = |low: f64| 100.0 * (low / o.price_start.as_f64() - 1.0);
                println!(
                    "{preset:16} {id:16} {seed:2} R {total:8.1} mark {:6.1}% fund {:6.1}% dev {:5.0}/{:5.0}bp bad {:6.1} adl {:7.1} liq {:7.1} ({:4}) cost {:6.1} fundlow {:6.1} peakmin {:5.2} OI {:4.2} vol {:5.2} depth {:4.2} dec {} {:.1}us/dec",
                    drop(o.mark_low.as_f64()), drop(o.fundamental_low.as_f64()), o.deviation_mean_bp, o.deviation_max_bp,
                    bp(o.bad_debt), bp(o.deleveraged), bp(o.liquidated), o.liquidated_accounts, bp(o.liquidation_cost),
                    bp(o.fund_low), o.peak_minute.as_f64() / o.liquidated.as_f64().max(1.0),
                    o.open_interest_mean.as_f64() / o.reference_open_interest.as_f64(),
                    (o.natural_volume + o.forced_volume).as_f64() / o.reference_open_interest.as_f64(), o.depth_low, o.decisions,
                    start.elapsed().as_secs_f64() * 1e6 / o.decisions as f64,
                );
                println!("   terms {}", terms.iter().map(|t| format!("{t:8.2}")).collect::<String>());
            }
        }
    }
}
