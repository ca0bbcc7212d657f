//! A search over networks as a trainer: an iteration is a generation.

use seawall_env::{Env, SeedTree};

use super::config::SearchConfig;
use super::form::NetworkForm;
use super::searcher::{Generation, Searcher};
use super::strategy::Strategy;
use crate::error::Error;
use crate::observer::{Observer, Phase};
use crate::policy::LearnedPolicy;
use crate::trainer::{Iteration, Trainer};

/// Furthest from the middle of a range that the first policy stands: the inverse of `tanh` has no value at the ends.
const START_MAX: f32 = 0.9;

/// Trains a network without gradients, in any environment; see [`Searcher`].
#[derive(Clone, Debug)]
pub struct NetworkSearch<E, S> {
    searcher: Searcher<E, NetworkForm>,
    places: Vec<E>,
    seeds: SeedTree,
    /// Seeds of a generation's episodes, a list for each place.
    episodes: S,
}

impl<E: Env, S: Fn(u64) -> Vec<Vec<u64>>> NetworkSearch<E, S> {
    /// Starts at a network of zeros, with the hidden layers of `config`; every candidate of a generation plays in every one of
    /// `places` what `episodes` lists for it.
    ///
    /// # Errors
    /// As [`Searcher::new`].
    pub fn new(config: SearchConfig, places: Vec<E>, episodes: S, seeds: SeedTree) -> Result<Self, Error> {
        let searcher = start(config, &places, None, seeds)?;
        Ok(Self { searcher, places, seeds, episodes })
    }
}

/// A search that starts at `action` whatever is observed.
fn start<E: Env>(
    config: SearchConfig,
    places: &[E],
    action: Option<&[f32]>,
    seeds: SeedTree,
) -> Result<Searcher<E, NetworkForm>, Error> {
    config.validate().into_result()?;
    let (observation, actions) = places.first().map_or((1, 1), |place| {
        let spec = place.spec();
        (spec.observation.len(), spec.action.len())
    });
    let form = NetworkForm::new(observation, &config.hidden, actions);
    let mut centre = vec![0.0; super::Form::dimension(&form)];
    if let Some(action) = action {
        let biases = centre.len() - actions;
        for (bias, entry) in centre[biases..].iter_mut().zip(action) {
            *bias = f64::from(libm::atanhf(entry.clamp(-START_MAX, START_MAX)));
        }
    }
    Searcher::new(config, form, places.to_vec(), &centre, seeds)
}

impl<E: Env, S: Fn(u64) -> Vec<Vec<u64>>> Trainer for NetworkSearch<E, S> {
    fn start_at(&mut self, action: &[f32]) {
        assert_eq!(self.searcher.generation(), 0, "training has begun");
        assert_eq!(action.len(), self.places[0].spec().action.len(), "one entry per action");
        let config = self.searcher.config().clone();
        self.searcher = start(config, &self.places, Some(action), self.seeds).expect("it was valid before");
    }

    fn steps_done(&self) -> u64 {
        self.searcher.steps_done()
    }

    fn iterations_done(&self) -> u64 {
        self.searcher.generation()
    }

    fn total_steps(&self) -> u64 {
        self.searcher.config().total_steps
    }

    fn iterate(&mut self, observer: &mut dyn Observer) -> Result<Iteration, Error> {
        observer.phase(Phase::Collect);
        let seeds = (self.episodes)(self.searcher.generation());
        let generation = self.searcher.iterate(&seeds)?;
        Ok(generation.into())
    }

    fn policy(&self) -> LearnedPolicy {
        self.searcher.form().network(self.searcher.strategy().centre(), self.searcher.normaliser())
    }

    fn save(&self) -> Vec<u8> {
        self.searcher.save()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.searcher.load(bytes)
    }
}

impl From<Generation> for Iteration {
    fn from(generation: Generation) -> Self {
        let mean = generation.score_mean();
        let Generation { steps_total, scores, episodes, spread, .. } = generation;
        let metrics = vec![
            ("score_best", scores.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            ("score_mean", mean),
            ("score_worst", scores.iter().copied().fold(f64::INFINITY, f64::min)),
            ("spread", spread),
        ];
        Self { steps_total, metrics, episodes }
    }
}
