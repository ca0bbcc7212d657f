//! A planner through the paired grid: plan, play the beginning, plan again.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use seawall_env::{CascadeEnv, Env, Problems, Purpose, SeedTree, Status};

use super::PlanConfig;
use super::search::{Plan, plan};
use crate::contender::Contender;
use crate::error::{Error, check};
use crate::path::{Glance, Path};
use crate::record::{Arm, EpisodeRecord, Records};
use crate::runner::Episodes;
use crate::suite::Suite;

/// Plans that [`run`] will make, if every episode lasts to its horizon.
pub fn plans<F: Episodes<E = CascadeEnv>>(suite: &Suite, episodes: &F, seat: &Contender, config: &PlanConfig) -> usize {
    let of = |scenario: usize| decisions(&episodes.make(scenario, seat)).div_ceil(config.replan) as usize;
    (0..suite.scenarios.len()).map(of).sum::<usize>() * suite.seeds
}

fn decisions(env: &CascadeEnv) -> u32 {
    env.market().scenario().clock.decisions
}

/// Plays a suite with a planner in the seat of `seat`, whose name and preset it takes and whose policy it ignores.
///
/// Episodes run in parallel and do not depend on the number of threads. `progress` is told how many of how many plans are
/// done, from any thread and in no fixed order.
///
/// # Errors
/// [`Error::Invalid`] if the suite or the configuration is invalid, [`Error::Env`] if a scenario is a replayed history.
pub fn run<F: Episodes<E = CascadeEnv>>(
    suite: &Suite,
    episodes: &F,
    seat: &Contender,
    config: &PlanConfig,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Records, Error> {
    suite.validate()?;
    let mut problems = Problems::default();
    config.validate("plan", &mut problems);
    check(problems)?;
    let (scenarios, seeds) = (suite.scenarios.len(), suite.seeds);
    let table: Vec<u64> = (0..scenarios).flat_map(|scenario| suite.seeds(scenario)).collect();
    let (done, total) = (AtomicUsize::new(0), plans(suite, episodes, seat, config));
    let one = |cell: usize| {
        let mut env = episodes.make(cell / seeds, seat);
        env.reset(table[cell], &mut vec![0.0; env.spec().observation.len()]);
        let luck = SeedTree::new(SeedTree::new(config.seed).seed(Purpose::Planning, cell as u64));
        let tell = |plans: u32| progress(done.fetch_add(plans as usize, Ordering::Relaxed) + plans as usize, total);
        let (episode_return, terms, glances) = play(&mut env, config, luck, &tell)?;
        Ok(EpisodeRecord {
            arm: 0,
            run: 0,
            training_seed: None,
            scenario: cell / seeds,
            index: cell % seeds,
            seed: table[cell],
            episode_return,
            terms,
            outcome: episodes.outcome(&env),
            without_liquidations: None,
            path: Some(Path::of(&glances)),
            let_be: None,
            overruled: None,
        })
    };
    let played: Result<Vec<EpisodeRecord>, Error> = (0..table.len()).into_par_iter().map(one).collect();
    let configurations: Vec<Vec<u8>> = (0..scenarios).map(|scenario| episodes.configuration(scenario)).collect();
    Ok(Records {
        suite: suite.name.clone(),
        split: suite.split,
        hash: suite.hash(&configurations),
        scenarios: suite.scenarios.clone(),
        seeds,
        terms: episodes.make(0, seat).spec().reward.clone(),
        arms: vec![Arm { name: seat.name.clone(), preset: seat.preset.clone(), training_seeds: vec![None] }],
        episodes: played?,
    })
}

/// One episode to its end: its return, the sums of its reward terms, and its way.
fn play(
    env: &mut CascadeEnv,
    config: &PlanConfig,
    luck: SeedTree,
    tell: &dyn Fn(u32),
) -> Result<(f64, Vec<f64>, Vec<Glance>), Error> {
    let mut glances = vec![Glance::at(env)];
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut terms = vec![0.0; env.spec().reward.len()];
    let (mut sum, mut current) = (0.0, Plan::neutral(config));
    let mut left = decisions(env).div_ceil(config.replan);
    for number in 0.. {
        let luck = SeedTree::new(luck.seed(Purpose::Planning, number));
        current = plan(env, config, luck, &current)?;
        left -= 1;
        tell(1);
        for decision in 0..config.replan {
            let step = env.step(current.action(decision), &mut observation);
            sum += step.reward;
            glances.push(Glance::at(env));
            terms.iter_mut().zip(env.reward_terms()).for_each(|(sum, term)| *sum += term);
            if step.status != Status::Running {
                tell(left);
                return Ok((sum, terms, glances));
            }
        }
        current = current.rest();
    }
    unreachable!("every episode has a horizon")
}
