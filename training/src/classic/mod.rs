//! Classic control: the yardstick that this crate's trainers are held to, on tasks that nobody here invented.
//!
//! CartPole-v1, Pendulum-v1 and MountainCarContinuous-v0 with Gymnasium's own equations, limits and distributions of
//! starts; `tests/classic.rs` steps them beside the Python package. They are part of the crate and not of its tests so
//! that whoever doubts a trainer can run it on them. Rendering is deliberately not here.
//!
//! A time limit is a truncation, as it should be: the world goes on. A discrete action is one entry for each choice, of
//! which the largest is taken.
//!
//! # Reference
//! Gymnasium 1.4.0, `gymnasium/envs/classic_control/{cartpole,pendulum,continuous_mountain_car}.py`; Barto, Sutton &
//! Anderson 1983 (cart pole), Moore 1990 (mountain car).

mod cart_pole;
mod mountain_car;
mod pendulum;
mod starts;

use rand_chacha::rand_core::Rng;
use seawall_env::rng::open_unit;
use seawall_env::{Env, Error, Purpose, SeedTree, Spec, Status, Step};
use serde::{Deserialize, Serialize};

pub use cart_pole::CartPole;
pub use mountain_car::MountainCar;
pub use pendulum::Pendulum;

/// A task: its equations, and what is to be known about it.
pub trait Dynamics: Clone + Send + Sync {
    /// What it is called in Gymnasium.
    const NAME: &'static str;
    /// Steps after which an episode is truncated.
    const LIMIT: u32;
    /// Entries of the state.
    const STATE: usize;
    /// Names of the observation's entries.
    const OBSERVATION: &'static [&'static str];
    /// Names of the action's entries.
    const ACTION: &'static [&'static str];

    /// Draws the state that an episode starts in; `unit` gives uniforms on `(0, 1)`.
    fn draw(unit: &mut dyn FnMut() -> f64, state: &mut [f64]);

    /// Moves the state by one step; returns the reward and whether the episode terminates.
    fn advance(state: &mut [f64], action: &[f32]) -> (f64, bool);

    /// Writes what is seen of a state.
    fn observe(state: &[f64], observation: &mut [f32]);

    /// The starts that Gymnasium draws for the reset seeds 10000 to 10099: where policies are judged.
    fn fixed_starts() -> Vec<Vec<f64>>;
}

/// A task as an environment.
#[derive(Clone, Debug)]
pub struct Classic<D> {
    spec: Spec,
    episode: Episode,
    reward: [f64; 1],
    dynamics: core::marker::PhantomData<D>,
}

/// Where an episode stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    state: Vec<f64>,
    step: u32,
    is_over: bool,
}

impl<D: Dynamics> Classic<D> {
    /// An environment, to be reset.
    #[must_use]
    pub fn new() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            spec: Spec {
                observation: names(D::OBSERVATION),
                action: names(D::ACTION),
                reward: vec!["reward".to_owned()],
            },
            episode: Episode { state: vec![0.0; D::STATE], step: 0, is_over: true },
            reward: [0.0],
            dynamics: core::marker::PhantomData,
        }
    }

    /// Starts an episode in `state`.
    ///
    /// # Panics
    /// If `state` or `observation` has the wrong length.
    pub fn start_at(&mut self, state: &[f64], observation: &mut [f32]) {
        assert_eq!(state.len(), D::STATE, "one entry per entry of the state");
        self.episode = Episode { state: state.to_vec(), step: 0, is_over: false };
        D::observe(&self.episode.state, observation);
    }

    /// Puts the running episode into another state.
    ///
    /// # Panics
    /// If `state` has the wrong length.
    pub fn nudge(&mut self, state: &[f64]) {
        self.episode.state.copy_from_slice(state);
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &[f64] {
        &self.episode.state
    }

    /// Undiscounted return of each of the fixed starts, when `act` reads an observation and writes an action.
    pub fn judge(mut act: impl FnMut(&[f32], &mut [f32])) -> Vec<f64> {
        let mut env = Self::new();
        let mut observation = vec![0.0; D::OBSERVATION.len()];
        let mut action = vec![0.0; D::ACTION.len()];
        let mut episode = |start: &Vec<f64>| {
            env.start_at(start, &mut observation);
            let mut total = 0.0;
            loop {
                act(&observation, &mut action);
                let step = env.step(&action, &mut observation);
                total += step.reward;
                if step.status.is_over() {
                    return total;
                }
            }
        };
        D::fixed_starts().iter().map(&mut episode).collect()
    }
}

impl<D: Dynamics> Default for Classic<D> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D: Dynamics> Env for Classic<D> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        let mut rng = SeedTree::new(seed).stream(Purpose::World, 0);
        let mut state = vec![0.0; D::STATE];
        D::draw(&mut || open_unit(rng.next_u64()), &mut state);
        self.start_at(&state, observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!(!self.episode.is_over, "the episode is over");
        assert_eq!(action.len(), D::ACTION.len(), "one entry per action");
        assert!(action.iter().all(|entry| (-1.0..=1.0).contains(entry)), "actions lie in [-1, 1]");
        let (reward, terminated) = D::advance(&mut self.episode.state, action);
        self.episode.step += 1;
        self.reward = [reward];
        D::observe(&self.episode.state, observation);
        let status = match (terminated, self.episode.step == D::LIMIT) {
            (true, _) => Status::Terminated,
            (false, true) => Status::Truncated,
            (false, false) => Status::Running,
        };
        self.episode.is_over = status.is_over();
        Step { reward, status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.reward
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(&self.episode, self.reward)).expect("serialising into memory cannot fail")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (episode, reward): (Episode, _) = postcard::from_bytes(bytes)?;
        if episode.state.len() != D::STATE || episode.step > D::LIMIT {
            return Err(Error::SnapshotMismatch {
                field: "position",
                expected: format!("{} entries and at most {} steps", D::STATE, D::LIMIT),
                found: format!("{} entries and {} steps", episode.state.len(), episode.step),
            });
        }
        (self.episode, self.reward) = (episode, reward);
        Ok(())
    }
}
