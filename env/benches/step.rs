//! Decisions per processor second of one environment: fixed work, for a profiler.
//!
//! `cargo bench -p seawall-env --bench step [-- SCENARIO [PRESET [DECISIONS]]]`. Under `valgrind --tool=callgrind` it counts
//! instructions, which a busy machine leaves alone. The digest of all rewards tells whether a change of speed changed more.
//! `seawall bench env` is the report with its references.
#![expect(clippy::print_stdout, reason = "a benchmark is a report")]

use std::error::Error;
use std::sync::Arc;

use cpu_time::ProcessTime;
use seawall_env::action::Controls;
use seawall_env::liquidation::presets;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let id = arguments.next().unwrap_or_else(|| "calm".to_owned());
    let preset = arguments.next().unwrap_or_else(|| "seawall".to_owned());
    let wanted: u32 = arguments.next().map_or(Ok(48_000), |text| text.parse())?;
    let scenario = Scenario::shipped(&id).ok_or_else(|| format!("no scenario {id}"))?;
    let pipeline = presets::by_name(&preset).ok_or_else(|| format!("no preset {preset}"))?;
    let ticks = f64::from(scenario.clock.ticks_per_decision);
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default())?;
    let mut env = CascadeEnv::new(Arc::new(task));
    let neutral = Controls::default().encode();
    let mut observation = vec![0.0; env.spec().observation.len()];
    let (mut seed, mut digest) = (0, 0xcbf2_9ce4_8422_2325_u64);
    env.reset(seed, &mut observation);
    let start = ProcessTime::now();
    for _ in 0..wanted {
        let step = env.step(&neutral, &mut observation);
        digest = (digest ^ step.reward.to_bits()).wrapping_mul(0x0100_0000_01b3);
        if step.status.is_over() {
            seed += 1;
            env.reset(seed, &mut observation);
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{id} under {preset}: {wanted} decisions, {seed} episodes, rewards {digest:016x}");
    println!(
        "{:.0} decisions and {:.0} ticks a second",
        f64::from(wanted) / seconds,
        f64::from(wanted) * ticks / seconds
    );
    Ok(())
}
