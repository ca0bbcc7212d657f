//! Decision processes small enough that their optimum is known.
#![allow(dead_code, reason = "each test binary uses some of them")]

use seawall_env::{Env, Error, SeedTree, Spec, Status, Step, VecEnv};
use seawall_training::{Backend, Learner, PpoConfig, Trainer};

/// A chain of states that ignores actions: state `s` pays `rewards[s]` and goes to `s + 1`, the last one to the
/// first; an episode ends after `length` steps, in the way of `end`. An observation is the one-hot state.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    spec: Spec,
    rewards: Vec<f64>,
    length: usize,
    end: Status,
    step: usize,
    reward: [f64; 1],
}

impl Chain {
    pub(crate) fn new(rewards: &[f64], length: usize, end: Status) -> Self {
        let spec = Spec {
            observation: (0..rewards.len()).map(|s| format!("state_{s}")).collect(),
            action: vec!["ignored".to_owned()],
            reward: vec!["state".to_owned()],
        };
        Self { spec, rewards: rewards.to_vec(), length, end, step: 0, reward: [0.0] }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.step % self.rewards.len()] = 1.0;
    }
}

impl Env for Chain {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: u64, observation: &mut [f32]) {
        self.step = 0;
        self.observe(observation);
    }

    fn step(&mut self, _: &[f32], observation: &mut [f32]) -> Step {
        assert!(self.step < self.length || self.end == Status::Running, "the episode is over");
        self.reward = [self.rewards[self.step % self.rewards.len()]];
        self.step += 1;
        self.observe(observation);
        let status = if self.step == self.length { self.end } else { Status::Running };
        Step { reward: self.reward[0], status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.reward
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.step, self.reward)).expect("a test's own settings and memory")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (step, reward): (usize, _) = postcard::from_bytes(bytes)?;
        (self.step, self.reward) = (step, reward);
        Ok(())
    }
}

/// Follow a target: the observation is where the target is, twice over in other units, and the reward is minus the
/// squared distance of the action. The target of the next step does not depend on the action, so the best action is
/// the target and the best reward is zero. Eight steps, then the episode is truncated.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    spec: Spec,
    target: f64,
    state: u64,
    step: u64,
    terms: [f64; 2],
}

impl Tracking {
    pub(crate) fn new() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            spec: Spec {
                observation: names(&["target", "target_percent"]),
                action: names(&["position"]),
                reward: names(&["squared_distance", "distance"]),
            },
            target: 0.0,
            state: 0,
            step: 0,
            terms: [0.0; 2],
        }
    }

    /// A new target, uniform on `[-0.8, 0.8]`.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a test's random number")]
    fn draw(&mut self, observation: &mut [f32]) {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.target = 1.6 * ((self.state >> 11) as f64 / 9_007_199_254_740_992.0) - 0.8;
        observation[0] = self.target as f32;
        observation[1] = (50.0 + 100.0 * self.target) as f32;
    }
}

impl Env for Tracking {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        self.state = seed;
        self.step = 0;
        self.draw(observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!(self.step < 8, "the episode is over");
        let distance = f64::from(action[0]) - self.target;
        self.terms = [-distance * distance, distance.abs()];
        self.step += 1;
        self.draw(observation);
        Step { reward: self.terms[0], status: if self.step == 8 { Status::Truncated } else { Status::Running } }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.target, self.state, self.step, self.terms))
            .expect("a test's own settings and memory")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (self.target, self.state, self.step, self.terms) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

/// A stake on an uneven bet: the action is the stake, from none to all. One time in ten it loses six times itself, else
/// it wins itself; the episode is over after `length` bets, in the way of `end`. All is best for the mean (`0.9 − 0.6`
/// for each bet), none for the worst tenth of episodes.
#[derive(Clone, Debug)]
pub(crate) struct Bet {
    spec: Spec,
    length: u64,
    end: Status,
    state: u64,
    step: u64,
    reward: [f64; 1],
}

impl Bet {
    pub(crate) fn new(length: u64, end: Status) -> Self {
        let names = |name: &str| vec![name.to_owned()];
        let spec = Spec { observation: names("nothing"), action: names("stake"), reward: names("won") };
        Self { spec, length, end, state: 0, step: 0, reward: [0.0] }
    }
}

impl Env for Bet {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        (self.state, self.step) = (seed, 0);
        observation.fill(0.0);
    }

    #[expect(clippy::cast_precision_loss, reason = "a test's random number")]
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let loses = ((self.state >> 11) as f64 / 9_007_199_254_740_992.0) < 0.1;
        self.reward = [0.5 * (1.0 + f64::from(action[0])) * if loses { -6.0 } else { 1.0 }];
        self.step += 1;
        observation.fill(0.0);
        Step { reward: self.reward[0], status: if self.step == self.length { self.end } else { Status::Running } }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.reward
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.state, self.step, self.reward)).expect("a test's own settings and memory")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (self.state, self.step, self.reward) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

/// A learner over `count` copies of `env`.
pub(crate) fn learner<E: Env>(config: PpoConfig, backend: Backend, env: &E, count: usize, seed: u64) -> Learner<E> {
    let seeds = SeedTree::new(seed);
    Learner::new(config, backend, VecEnv::new(vec![env.clone(); count], seeds), seeds)
        .expect("a test's own settings and memory")
}

/// Runs to the end.
pub(crate) fn finish<E: Env>(learner: &mut Learner<E>) {
    while !learner.is_done() {
        learner.iterate(&mut ()).expect("a test's own settings and memory");
    }
}

/// A corridor with a sign at its entrance: the first observation says left or right, those that follow nothing, and at
/// the end the action has to be there. Standing in the middle costs 0.64 on average, and without a memory nothing is
/// better.
///
/// # Reference
/// The T-maze of Bakker 2002, "Reinforcement learning with long short-term memory".
#[derive(Clone, Debug)]
pub(crate) struct Corridor {
    spec: Spec,
    length: u64,
    end: Status,
    sign: f64,
    step: u64,
    reward: [f64; 1],
}

impl Corridor {
    pub(crate) fn new(length: u64, end: Status) -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let spec =
            Spec { observation: names(&["sign", "is_end"]), action: names(&["side"]), reward: names(&["missed"]) };
        Self { spec, length, end, sign: 1.0, step: 0, reward: [0.0] }
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(&self, observation: &mut [f32]) {
        observation[0] = if self.step == 0 { self.sign as f32 } else { 0.0 };
        observation[1] = f32::from(u8::from(self.step + 1 == self.length));
    }
}

impl Env for Corridor {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        self.sign = if seed.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        self.step = 0;
        self.observe(observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!(self.step < self.length, "the episode is over");
        self.step += 1;
        let distance = f64::from(action[0]) - 0.8 * self.sign;
        self.reward = [if self.step == self.length { -distance * distance } else { 0.0 }];
        self.observe(observation);
        Step { reward: self.reward[0], status: if self.step == self.length { self.end } else { Status::Running } }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.reward
    }

    fn privileged(&self) -> &[&'static str] {
        &["sign_all_the_way"]
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn reveal(&self, out: &mut [f32]) {
        out[0] = self.sign as f32;
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.sign, self.step, self.reward)).expect("a test's own settings and memory")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (self.sign, self.step, self.reward) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}
