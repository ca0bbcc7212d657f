//! One plan: the cross-entropy method over stretches of constant action.

use seawall_env::action::{ACTIONS, Controls};
use seawall_env::rng::{Counter, normal_quantile};
use seawall_env::{CascadeEnv, Env, Purpose, SeedTree};

use super::PlanConfig;
use crate::error::Error;
use crate::statistics::real;

/// Actions of a plan: one for each stretch between two plans, the last one to the horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    blocks: Vec<[f32; ACTIONS]>,
    /// Decisions of a stretch but the last.
    length: u32,
}

/// Standard deviation that a search starts with and the least that it shrinks to, in normalised action.
const DEVIATION: [f64; 2] = [0.6, 0.05];
/// Candidates of the last comparison, on futures that chose none of them.
const FINALISTS: usize = 4;
/// Futures of the last comparison, over those of an iteration.
const FINAL_SCENARIOS: u32 = 2;

impl Plan {
    /// The plan that leaves everything neutral.
    #[must_use]
    pub fn neutral(config: &PlanConfig) -> Self {
        Self { blocks: vec![Controls::default().encode(); config.blocks as usize], length: config.replan }
    }

    /// The action of a decision, counted from the plan's first; the last stretch goes on for ever.
    #[must_use]
    pub fn action(&self, decision: u32) -> &[f32; ACTIONS] {
        let last = self.blocks.len() - 1;
        &self.blocks[((decision / self.length) as usize).min(last)]
    }

    /// What is left of the plan when its first stretch is over; the last stretch is drawn out.
    #[must_use]
    pub fn rest(mut self) -> Self {
        let last = self.blocks.len() - 1;
        self.blocks.rotate_left(1);
        if last > 0 {
            self.blocks[last] = self.blocks[last - 1];
        }
        self
    }
}

/// Finds a plan for `env` as it stands, `start` being what it would do otherwise.
///
/// A function of the past alone: environments that differ only in what their seeds have in store get the same plan. `luck`
/// keys the futures and the candidates. Draws beyond an action's bounds are moved to the bounds.
///
/// # Errors
/// [`Error::Env`] if the environment's price follows a history.
///
/// # Panics
/// If the episode is over.
///
/// # Reference
/// Rubinstein 1999, "The cross-entropy method for combinatorial and continuous optimization", §4.
pub fn plan(env: &CascadeEnv, config: &PlanConfig, luck: SeedTree, start: &Plan) -> Result<Plan, Error> {
    let futures = futures(env, luck, 0..config.scenarios)?;
    let draws = luck.counter(Purpose::Planning, 1 << 32);
    let elites = config.elites as usize;
    let mut mean = flat(start);
    let mut deviation = vec![DEVIATION[0]; mean.len()];
    let mut best = start.clone();
    for iteration in 0..config.iterations {
        let mut ranked = Vec::with_capacity(config.population as usize);
        for k in 0..config.population {
            let candidate = match (iteration, k) {
                (_, 0) => shaped(&mean, start),
                (0, 1) => Plan::neutral(config),
                _ => drawn(&mean, &deviation, draws, [u64::from(iteration), u64::from(k)], start),
            };
            ranked.push((value(&candidate, &futures, config.horizon), candidate));
        }
        // Stable: of equals the first.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        (mean, deviation) = fitted(&ranked[..elites]);
        best = ranked.swap_remove(0).1;
    }
    let finalists: [Plan; FINALISTS] = [start.clone(), Plan::neutral(config), shaped(&mean, start), best];
    let fresh = self::futures(env, luck, config.scenarios..config.scenarios * (1 + FINAL_SCENARIOS))?;
    let values: Vec<f64> = finalists.iter().map(|plan| value(plan, &fresh, config.horizon)).collect();
    let chosen = (0..FINALISTS).rev().max_by(|a, b| values[*a].total_cmp(&values[*b])).expect("there are finalists");
    let [start, neutral, mean, best] = finalists;
    Ok(match chosen {
        0 => start,
        1 => neutral,
        2 => mean,
        _ => best,
    })
}

/// Copies of the environment whose rest is drawn anew.
fn futures(env: &CascadeEnv, luck: SeedTree, range: std::ops::Range<u32>) -> Result<Vec<CascadeEnv>, Error> {
    range
        .map(|number| {
            let mut future = env.clone();
            // The upper two bits of a suite's seeds are never both zero: no future of a plan is one that is judged.
            future.redraw(luck.seed(Purpose::Planning, u64::from(number)) >> 2)?;
            Ok(future)
        })
        .collect()
}

/// Mean sum of rewards over the horizon, or to the end of the episode.
fn value(plan: &Plan, futures: &[CascadeEnv], horizon: u32) -> f64 {
    let mut observation = vec![0.0; futures[0].spec().observation.len()];
    let mut sum = 0.0;
    for future in futures {
        let mut env = future.clone();
        for decision in 0..horizon {
            let step = env.step(plan.action(decision), &mut observation);
            sum += step.reward;
            if step.status.is_over() {
                break;
            }
        }
    }
    sum / real(futures.len())
}

fn flat(plan: &Plan) -> Vec<f64> {
    plan.blocks.iter().flatten().map(|&entry| f64::from(entry)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn shaped(entries: &[f64], like: &Plan) -> Plan {
    let block = |chunk: &[f64]| std::array::from_fn(|k| chunk[k].clamp(-1.0, 1.0) as f32);
    Plan { blocks: entries.chunks_exact(ACTIONS).map(block).collect(), length: like.length }
}

fn drawn(mean: &[f64], deviation: &[f64], draws: Counter, [iteration, k]: [u64; 2], like: &Plan) -> Plan {
    let entry = |(slot, (mean, deviation)): (u64, (&f64, &f64))| {
        mean + deviation * normal_quantile(draws.uniform2(iteration << 32 | k, slot)[0])
    };
    let entries: Vec<f64> = (0..).zip(mean.iter().zip(deviation)).map(entry).collect();
    shaped(&entries, like)
}

/// Mean and standard deviation of the elites, entry by entry.
fn fitted(elites: &[(f64, Plan)]) -> (Vec<f64>, Vec<f64>) {
    let rows: Vec<Vec<f64>> = elites.iter().map(|(_, plan)| flat(plan)).collect();
    let count = real(rows.len());
    let moments = |entry: usize| {
        let mean = rows.iter().map(|row| row[entry]).sum::<f64>() / count;
        let variance = rows.iter().map(|row| (row[entry] - mean) * (row[entry] - mean)).sum::<f64>() / count;
        (mean, variance.sqrt().max(DEVIATION[1]))
    };
    (0..rows[0].len()).map(moments).unzip()
}
