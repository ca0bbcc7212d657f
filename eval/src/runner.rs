//! The paired grid: every contender meets every scenario on the same seeds.
//!
//! The grid is expanded in a fixed order and its results are gathered by index, so neither the number of threads nor
//! the order in which episodes finish can reach a result. There is no clock here: progress is a count.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use seawall_agents::Policy;
use seawall_env::outcome::Outcome;
use seawall_env::{Env, Purpose, SeedTree};

use crate::contender::{Contender, line_up};
use crate::counterfactual::{LetBe, Sampling};
use crate::error::Error;
use crate::path::{Glance, Path};
use crate::record::{EpisodeRecord, Records};
use crate::suite::Suite;

/// How a suite's scenarios become environments. The market supplies one; tests supply small ones.
pub trait Episodes: Sync {
    /// The environment.
    type E: Env;

    /// An environment of the suite's scenario at this index, on the contender's venue preset.
    fn make(&self, scenario: usize, contender: &Contender) -> Self::E;

    /// What the episode that `env` has been through did to the market.
    fn outcome(&self, env: &Self::E) -> Outcome;

    /// The market as it stands between two decisions, where the environment shows one.
    fn glance(&self, _env: &Self::E) -> Option<Glance> {
        None
    }

    /// What becomes of up to `accounts` accounts of an episode that are let be, where the environment can do that: see
    /// [`crate::counterfactual::let_be`].
    fn let_be(&self, _env: &mut Self::E, _policy: &dyn Policy, _seed: u64, _accounts: usize) -> Option<LetBe> {
        None
    }

    /// Bytes that decide everything about a scenario, such as its resolved configuration: they enter the suite's hash.
    fn configuration(&self, scenario: usize) -> Vec<u8>;
}

/// What is to be run.
#[derive(Debug)]
pub struct Grid<'a> {
    /// Scenarios and seeds.
    pub suite: &'a Suite,
    /// Policies, in the order of reports.
    pub contenders: &'a [Contender],
    /// A contender whose preset liquidates nobody. It meets every scenario and seed once, and its outcomes are
    /// what amplification is measured against; it has no line in the comparison.
    pub without_liquidations: Option<&'a Contender>,
    /// Accounts that are let be where they enter liquidation, to see whether they would have survived.
    pub counterfactuals: Sampling,
}

impl Grid<'_> {
    /// Episodes that [`run`] will run.
    #[must_use]
    pub fn episodes(&self) -> usize {
        (self.contenders.len() + usize::from(self.without_liquidations.is_some()))
            * self.suite.scenarios.len()
            * self.suite.seeds
    }
}

/// Runs the grid on the current thread pool and returns its records.
///
/// `progress` is told how many of how many episodes are done, once for each, from any thread and in no fixed order.
///
/// # Errors
/// [`Error::Invalid`] if the suite or the line-up is invalid; every problem is listed.
///
/// # Panics
/// If a reward is not finite, or environments of one grid name different reward terms.
pub fn run<F: Episodes>(
    grid: &Grid<'_>,
    episodes: &F,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Records, Error> {
    grid.suite.validate()?;
    let arms = line_up(grid.contenders)?;
    let (scenarios, seeds) = (grid.suite.scenarios.len(), grid.suite.seeds);
    let table: Vec<u64> = (0..scenarios).flat_map(|scenario| grid.suite.seeds(scenario)).collect();
    let cells = table.len();
    let in_order = arms.iter().flat_map(|(_, runs)| runs.iter().map(|run| &grid.contenders[*run]));
    let seats: Vec<&Contender> = in_order.chain(grid.without_liquidations).collect();
    let (done, total) = (AtomicUsize::new(0), seats.len() * cells);
    let mirrored = if grid.without_liquidations.is_some() { cells } else { 0 };
    let job = |job: usize| {
        let cell = job % cells;
        let (seat, scenario) = (seats[job / cells], cell / seeds);
        let mut episode = play(episodes, seat, scenario, table[cell]);
        let is_judged = job < total - mirrored;
        if is_judged && grid.counterfactuals.holds(cell % seeds) {
            let (mut env, accounts) = (episodes.make(scenario, seat), grid.counterfactuals.accounts);
            episode.let_be = episodes.let_be(&mut env, seat.policy.as_ref(), table[cell], accounts);
        }
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        episode
    };
    let mut played: Vec<Episode> = (0..total).into_par_iter().map(job).collect();
    let mirror = grid.without_liquidations.map(|_| played.split_off(total - cells));
    let configurations: Vec<Vec<u8>> = (0..scenarios).map(|scenario| episodes.configuration(scenario)).collect();
    let mut records = Records {
        suite: grid.suite.name.clone(),
        split: grid.suite.split,
        hash: grid.suite.hash(&configurations),
        scenarios: grid.suite.scenarios.clone(),
        seeds,
        terms: episodes.make(0, &grid.contenders[0]).spec().reward.clone(),
        arms: arms.into_iter().map(|(arm, _)| arm).collect(),
        episodes: Vec::with_capacity(played.len()),
    };
    let runs =
        records.arms.iter().enumerate().flat_map(|(arm, line)| (0..).zip(&line.training_seeds).map(move |r| (arm, r)));
    let places =
        runs.flat_map(|(arm, (run, training_seed))| (0..cells).map(move |cell| (arm, run, *training_seed, cell)));
    for ((arm, run, training_seed, cell), episode) in places.zip(played) {
        assert_eq!(episode.terms.len(), records.terms.len(), "the environments of a grid share their reward terms");
        records.episodes.push(EpisodeRecord {
            arm,
            run,
            training_seed,
            scenario: cell / seeds,
            index: cell % seeds,
            seed: table[cell],
            episode_return: episode.episode_return,
            terms: episode.terms,
            outcome: episode.outcome,
            without_liquidations: mirror.as_ref().map(|mirror| mirror[cell].outcome),
            path: episode.path,
            let_be: episode.let_be,
            overruled: episode.overruled,
        });
    }
    Ok(records)
}

/// What one episode gave.
struct Episode {
    episode_return: f64,
    terms: Vec<f64>,
    outcome: Outcome,
    path: Option<Path>,
    let_be: Option<LetBe>,
    overruled: Option<u64>,
}

/// Plays one episode with a copy of the contender's policy, so that no episode sees another's memory.
fn play<F: Episodes>(episodes: &F, contender: &Contender, scenario: usize, seed: u64) -> Episode {
    let mut policy = contender.policy.clone();
    let mut env = episodes.make(scenario, contender);
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut action = vec![0.0; env.spec().action.len()];
    let mut terms = vec![0.0; env.spec().reward.len()];
    let mut episode_return = 0.0;
    env.reset(seed, &mut observation);
    policy.reset(SeedTree::new(seed).seed(Purpose::Policy, 0));
    let mut glances: Vec<Glance> = episodes.glance(&env).into_iter().collect();
    loop {
        policy.act(&observation, &mut action);
        let step = env.step(&action, &mut observation);
        assert!(step.reward.is_finite(), "{contender:?} on seed {seed}: reward {}", step.reward);
        episode_return += step.reward;
        terms.iter_mut().zip(env.reward_terms()).for_each(|(sum, term)| *sum += term);
        glances.extend(episodes.glance(&env));
        if step.status.is_over() {
            let path = (!glances.is_empty()).then(|| Path::of(&glances));
            let (outcome, overruled) = (episodes.outcome(&env), policy.overruled());
            return Episode { episode_return, terms, outcome, path, let_be: None, overruled };
        }
    }
}
