//! A search in environments: what it holds, how one generation goes, how it is saved and resumed.

use seawall_env::{Env, Problem, Purpose, SeedTree};

use super::config::SearchConfig;
use super::evaluate::{Course, Played, score};
use super::form::Form;
use super::state::{Identity, State};
use super::strategy::{AnyStrategy, Strategy};
use crate::episodes::Episode;
use crate::error::Error;
use crate::normaliser::ObservationNormaliser;

/// Parts of the budget at whose ends the centre is remembered.
const MILESTONES: u64 = 4;

/// What one generation came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
    /// Generations done so far, this one included.
    pub generation: u64,
    /// Environment steps done so far, this generation included.
    pub steps_total: u64,
    /// Scores of the candidates, in their order.
    pub scores: Vec<f64>,
    /// Episodes in the order of candidates, places within, seeds within; each names its place as its environment.
    pub episodes: Vec<Episode>,
    /// Root mean square deviation of the distribution after it.
    pub spread: f64,
}

impl Generation {
    /// Mean score of the candidates.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a population is small")]
    pub fn score_mean(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }
}

/// Searches for a policy in any environment, without gradients.
///
/// The same configuration, form, places and seeds give the same bits, whatever the number of threads, interrupted and
/// resumed or not.
#[derive(Clone, Debug)]
pub struct Searcher<E, F> {
    form: F,
    places: Vec<E>,
    state: State,
}

impl<E: Env, F: Form> Searcher<E, F> {
    /// Starts a search at `start`, `[D]`; every candidate plays in every one of `places`.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid, `start` is not what the form takes, or there is no place.
    pub fn new(config: SearchConfig, form: F, places: Vec<E>, start: &[f64], seeds: SeedTree) -> Result<Self, Error> {
        let mut problems = config.validate();
        let dimension = form.dimension();
        problems.require(dimension > 0, "dimension", dimension, "1 or more: there is nothing to search");
        problems.require(start.len() == dimension, "start.len", start.len(), &dimension.to_string());
        problems.require(start.iter().all(|x| x.is_finite()), "start", format!("{start:?}"), "finite");
        let Some(first) = places.first() else {
            problems.0.push(Problem::new("places", 0, "1 or more"));
            return Err(Error::Config(problems));
        };
        let spec = first.spec().clone();
        let is_same = places.iter().all(|place| *place.spec() == spec);
        problems.require(is_same, "places", places.len(), "environments that share one spec");
        if !problems.0.is_empty() {
            return Err(Error::Config(problems));
        }
        let normaliser = if config.observation_normalisation {
            ObservationNormaliser::new(spec.observation.len(), config.observation_clip)
        } else {
            ObservationNormaliser::identity(spec.observation.len())
        };
        let strategy = AnyStrategy::new(&config, start, seeds);
        let identity = Identity { config, form: form.id(), seed: seeds.root(), places: places.len(), spec };
        let state = State { identity, steps_done: 0, strategy, normaliser, milestones: Vec::new() };
        Ok(Self { form, places, state })
    }

    /// Settings of the search.
    #[must_use]
    pub const fn config(&self) -> &SearchConfig {
        &self.state.identity.config
    }

    /// What candidates stand for.
    #[must_use]
    pub const fn form(&self) -> &F {
        &self.form
    }

    /// The distribution.
    #[must_use]
    pub const fn strategy(&self) -> &AnyStrategy {
        &self.state.strategy
    }

    /// Statistics that observations are standardised by.
    #[must_use]
    pub const fn normaliser(&self) -> &ObservationNormaliser {
        &self.state.normaliser
    }

    /// Centres at the quarters of the budget that have passed, in order; the last of a whole search is its result.
    #[must_use]
    pub fn milestones(&self) -> &[Vec<f64>] {
        &self.state.milestones
    }

    /// Generations done so far.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state.strategy.generation()
    }

    /// Environment steps done so far.
    #[must_use]
    pub const fn steps_done(&self) -> u64 {
        self.state.steps_done
    }

    /// Whether the budget is spent.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.state.steps_done >= self.state.identity.config.total_steps
    }

    /// Plays one generation and learns from it; every candidate meets the same `seeds`, a list for each place.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a return is not finite; the search is then as it was before.
    ///
    /// # Panics
    /// If the budget is spent, or there is not one list with at least one seed for each place.
    pub fn iterate(&mut self, seeds: &[Vec<u64>]) -> Result<Generation, Error> {
        assert!(!self.is_done(), "the search is complete after {} steps", self.state.steps_done);
        assert_eq!(seeds.len(), self.places.len(), "a list of seeds for each place");
        assert!(seeds.iter().all(|seeds| !seeds.is_empty()), "at least one seed for each place");
        let is_watched = self.config().observation_normalisation && self.form.is_standardised();
        let candidates = self.state.strategy.ask();
        let course =
            Course { form: &self.form, places: &self.places, seeds, normaliser: &self.state.normaliser, is_watched };
        let played = course.play(&candidates);
        let returns: Vec<f64> = played.iter().map(|played| played.episode.total_reward).collect();
        if returns.iter().any(|x| !x.is_finite()) {
            return Err(Error::NotFinite { quantity: "return", step: self.state.steps_done });
        }
        let episodes: usize = seeds.iter().map(Vec::len).sum();
        let objective = self.config().objective;
        let scores: Vec<f64> = returns.chunks_exact(episodes).map(|returns| score(returns, objective)).collect();
        self.learn(&played, &scores);
        Ok(Generation {
            generation: self.generation(),
            steps_total: self.state.steps_done,
            spread: self.state.strategy.spread(),
            scores,
            episodes: played.into_iter().map(|played| played.episode).collect(),
        })
    }

    fn learn(&mut self, played: &[Played], scores: &[f64]) {
        let state = &mut self.state;
        state.strategy.tell(scores);
        for played in played {
            state.normaliser.observe(&played.observations);
        }
        state.normaliser.refresh();
        state.steps_done += played.iter().map(|played| played.episode.length).sum::<u64>();
        let passed = state.steps_done.saturating_mul(MILESTONES) / state.identity.config.total_steps;
        for _ in state.milestones.len() as u64..passed.min(MILESTONES) {
            state.milestones.push(state.strategy.centre().to_vec());
        }
    }

    /// Returns of one candidate in the episodes that `seeds` lists, places in order and seeds within; they count as no
    /// steps of the search.
    ///
    /// # Panics
    /// If there is not one list for each place.
    #[must_use]
    pub fn returns(&self, parameters: &[f64], seeds: &[Vec<u64>]) -> Vec<f64> {
        assert_eq!(seeds.len(), self.places.len(), "a list of seeds for each place");
        let normaliser = &self.state.normaliser;
        let course = Course { form: &self.form, places: &self.places, seeds, normaliser, is_watched: false };
        course.play(parameters).into_iter().map(|played| played.episode.total_reward).collect()
    }

    /// Everything that the search needs to go on.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.state.to_bytes()
    }

    /// Goes on from what [`Searcher::save`] wrote, in a search that was started alike.
    ///
    /// # Errors
    /// [`Error::Checkpoint`], [`Error::CheckpointVersion`] or [`Error::CheckpointMismatch`]; nothing is changed then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let state = State::from_bytes(bytes)?;
        self.state.identity.check(&state.identity)?;
        self.state = state;
        Ok(())
    }
}

/// Seeds of a generation's episodes for searches that no suite gives any: a list for each place.
#[must_use]
pub fn episode_seeds(seeds: SeedTree, generation: u64, places: usize, episodes: usize) -> Vec<Vec<u64>> {
    let tree = SeedTree::new(seeds.seed(Purpose::Episode, generation));
    let place = |place: u64| (0..episodes as u64).map(|k| tree.seed(Purpose::Episode, place << 24 | k)).collect();
    (0..places as u64).map(place).collect()
}
