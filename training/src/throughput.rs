//! An environment that costs nothing, to measure a trainer by.

use rand_chacha::rand_core::Rng;
use seawall_env::rng::open_unit;
use seawall_env::{Env, Error, Purpose, SeedTree, Spec, Status, Step};

/// Rows of the table that observations are read from.
const ROWS: usize = 1_024;

/// Steps after which an episode is truncated.
const EPISODE: usize = 1_000;

/// Reads its observations from a table, so that stepping it is one copy of a row.
///
/// Observations are uniform noise and the reward is the first action entry: what it takes to learn is there, but the
/// work is all the trainer's. 48 observations, 8 actions and episodes of 1,000 steps are the customary workload of
/// published comparisons of continuous control.
#[derive(Clone, Debug)]
pub struct Reference {
    spec: Spec,
    /// `[ROWS, D]`.
    table: Vec<f32>,
    start: usize,
    step: usize,
    reward: [f64; 1],
}

impl Reference {
    /// An environment with these widths.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    pub fn new(observation: usize, action: usize) -> Self {
        let names = |prefix: &str, count: usize| (0..count).map(|index| format!("{prefix}_{index}")).collect();
        let mut rng = SeedTree::new(0).stream(Purpose::World, 0);
        Self {
            spec: Spec {
                observation: names("observation", observation),
                action: names("action", action),
                reward: vec!["first_action".to_owned()],
            },
            table: (0..ROWS * observation).map(|_| (2.0 * open_unit(rng.next_u64()) - 1.0) as f32).collect(),
            start: 0,
            step: 0,
            reward: [0.0],
        }
    }

    fn observe(&self, observation: &mut [f32]) {
        let width = self.spec.observation.len();
        let row = (self.start + self.step) % ROWS;
        observation.copy_from_slice(&self.table[row * width..(row + 1) * width]);
    }
}

impl Default for Reference {
    /// 48 observations, 8 actions.
    fn default() -> Self {
        Self::new(48, 8)
    }
}

impl Env for Reference {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        self.start = usize::try_from(seed % ROWS as u64).expect("less than the number of rows");
        self.step = 0;
        self.observe(observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        assert!(self.step < EPISODE, "the episode is over");
        assert_eq!(action.len(), self.spec.action.len(), "one entry per action");
        assert!(action.iter().all(|a| (-1.0..=1.0).contains(a)), "actions lie in [-1, 1]");
        self.step += 1;
        self.reward = [f64::from(action[0])];
        self.observe(observation);
        let status = if self.step == EPISODE { Status::Truncated } else { Status::Running };
        Step { reward: self.reward[0], status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.reward
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.start, self.step, self.reward)).expect("serialising into memory cannot fail")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (start, step, reward): (usize, usize, [f64; 1]) = postcard::from_bytes(bytes)?;
        if start >= ROWS || step > EPISODE {
            return Err(Error::SnapshotMismatch {
                field: "position",
                expected: format!("a row below {ROWS} and a step up to {EPISODE}"),
                found: format!("row {start}, step {step}"),
            });
        }
        (self.start, self.step, self.reward) = (start, step, reward);
        Ok(())
    }
}
