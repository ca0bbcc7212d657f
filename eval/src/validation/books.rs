//! Sim to sim: hand-written policies ranked on one kind of book and on another.

use std::sync::Arc;

use seawall_agents::{Constant, Random, generations};
use seawall_env::book::BookKind;
use seawall_env::liquidation::presets;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, SeedTree, Task};

use super::row::Row;
use crate::contender::Contender;
use crate::counterfactual::Sampling;
use crate::error::Error;
use crate::record::Records;
use crate::runner::{Episodes, Grid, run};
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, kendall, percentile, real};
use crate::suite::{Split, Suite};

/// Where policies are ranked: a quiet day, a jump and two crashes.
const SCENARIOS: [&str; 4] = ["tense", "volatility_spike", "flash_crash", "crash_day"];
/// Venue of the policies that bring none.
const VENUE: &str = "seawall";
/// Agreement of five policies that chance reaches in 5 of 120 orders.
const LEAST: f64 = 0.8;
/// Bootstrap replicates over episodes.
const REPLICATES: usize = 1_000;

/// The scenarios on one kind of book.
struct Books(BookKind);

impl Books {
    fn scenario(&self, index: usize) -> Scenario {
        let mut scenario = Scenario::shipped(SCENARIOS[index]).expect("the scenario is shipped");
        scenario.book.kind = self.0;
        scenario
    }

    fn task(&self, index: usize, preset: &str) -> Task {
        let pipeline = presets::by_name(preset).expect("the preset is shipped");
        let made = Task::new(vec![self.scenario(index)], pipeline, RewardConfig::default(), Groups::default());
        made.expect("a shipped scenario is valid on every book")
    }
}

impl Episodes for Books {
    type E = CascadeEnv;

    fn make(&self, scenario: usize, contender: &Contender) -> CascadeEnv {
        CascadeEnv::new(Arc::new(self.task(scenario, &contender.preset)))
    }

    fn outcome(&self, env: &CascadeEnv) -> Outcome {
        *env.outcome()
    }

    fn configuration(&self, scenario: usize) -> Vec<u8> {
        format!("{:?}", self.scenario(scenario)).into_bytes()
    }
}

/// Whether the three generations, the neutral constant and chance come out in the same order on makers' quotes summed on a
/// grid as in the matching engine, by mean return over the same episodes. The interval is over episodes, resampled within
/// scenarios.
///
/// # Errors
/// [`Error`] if the grid cannot be run.
pub fn ranking(root: u64, seeds: usize) -> Result<Row, Error> {
    let scenarios = SCENARIOS.map(str::to_owned).to_vec();
    let suite = Suite { name: "books".to_owned(), split: Split::Select, root, seeds, scenarios, gates: Vec::new() };
    let contenders = contenders();
    let play = |kind: BookKind| {
        let grid = Grid {
            suite: &suite,
            contenders: &contenders,
            without_liquidations: None,
            counterfactuals: Sampling::NONE,
        };
        run(&grid, &Books(kind), &|_, _| ())
    };
    let [depth, order] = [play(BookKind::Depth)?, play(BookKind::Order)?];
    let tau = |times: &[u32]| {
        let pairs: Vec<(f64, f64)> = means(&depth, times).into_iter().zip(means(&order, times)).collect();
        kendall(&pairs)
    };
    let once = vec![1; seeds * SCENARIOS.len()];
    let strata = [seeds; SCENARIOS.len()];
    let resamples = Resamples::draw(SeedTree::new(root), Level::Cells, &strata, REPLICATES);
    let distribution: Vec<f64> = resamples.iter().filter_map(tau).collect();
    let interval = percentile(&distribution, 0.95).map(|(low, high)| [low, high]);
    let shown = |records: &Records| {
        let names = records.arms.iter().map(|arm| &arm.name).zip(means(records, &once));
        names.map(|(name, mean)| format!("{name} {mean:.0}")).collect::<Vec<String>>().join(", ")
    };
    let title = "Kendall's tau of five hand-written policies ranked on a depth book and on an order book";
    Ok(Row::new("S1", title, [Some(LEAST), None], "sim to sim; 5 of 120 orders agree as far by chance (Kendall 1938)")
        .measured(tau(&once), interval)
        .noted(format!("mean returns, depth book: {}; order book: {}", shown(&depth), shown(&order))))
}

fn contenders() -> Vec<Contender> {
    let env = Books(BookKind::Depth).make(0, &Contender::new("any", VENUE, Box::new(Constant::neutral("any"))));
    let baselines = generations(env.spec()).expect("the market observes what the generations read");
    let mut contenders: Vec<Contender> = baselines
        .into_iter()
        .map(|baseline| Contender::new(baseline.policy.name().to_owned(), baseline.preset, baseline.policy))
        .collect();
    contenders.push(Contender::new("constant", VENUE, Box::new(Constant::neutral("constant"))));
    contenders.push(Contender::new("random", VENUE, Box::new(Random::new(0))));
    contenders
}

/// Mean return of each contender, every episode as often as `times` says.
fn means(records: &Records, times: &[u32]) -> Vec<f64> {
    let count = real(times.iter().map(|n| *n as usize).sum());
    (0..records.arms.len())
        .map(|arm| {
            let sum: f64 = records.arm(arm).iter().zip(times).map(|(e, n)| e.episode_return * f64::from(*n)).sum();
            sum / count
        })
        .collect()
}
