//! Trains a policy from nothing, in one file: an environment, a learner, a loop, a result.
//!
//! `cargo run --release -p seawall-training --example ppo_minimal`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use seawall_env::{Env, Error, SeedTree, Spec, Status, Step, VecEnv};
use seawall_training::{Backend, Learner, PpoConfig, Trainer};

/// A cart on a line: push it to the origin and keep it there, without pushing more than needed.
#[derive(Clone)]
struct Cart {
    spec: Spec,
    position: f64,
    velocity: f64,
    step: u32,
    terms: [f64; 2],
}

impl Cart {
    fn new() -> Self {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        Self {
            spec: Spec {
                observation: names(["position", "velocity"]),
                action: vec!["force".to_owned()],
                reward: names(["distance", "effort"]),
            },
            position: 0.0,
            velocity: 0.0,
            step: 0,
            terms: [0.0; 2],
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(&self, observation: &mut [f32]) {
        observation.copy_from_slice(&[self.position as f32, self.velocity as f32]);
    }
}

impl Env for Cart {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    // An episode starts at a place that its seed decides.
    #[expect(clippy::cast_precision_loss, reason = "a start needs no more digits")]
    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        self.position = 2.0 * (seed as f64 / u64::MAX as f64) - 1.0;
        self.velocity = 0.0;
        self.step = 0;
        self.observe(observation);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let force = f64::from(action[0]);
        self.velocity += 0.1 * force;
        self.position += 0.1 * self.velocity;
        self.step += 1;
        self.observe(observation);
        self.terms = [-self.position * self.position, -force * force];
        // A cart that is lost has no future; one whose time is up would have gone on.
        let status = if self.position.abs() > 2.0 {
            Status::Terminated
        } else if self.step == 100 {
            Status::Truncated
        } else {
            Status::Running
        };
        Step { reward: self.terms[0] + 0.01 * self.terms[1], status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&(self.position, self.velocity, self.step, self.terms)).expect("memory cannot fail")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        (self.position, self.velocity, self.step, self.terms) = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

fn main() -> Result<(), seawall_training::Error> {
    // Everything random hangs from one seed.
    let seeds = SeedTree::new(7);

    // Sixteen carts step together.
    let carts = VecEnv::new(vec![Cart::new(); 16], seeds);

    // The default configuration is the documented baseline; say what differs.
    let config = PpoConfig { total_steps: 150_000, horizon: 128, learning_rate: 1e-3, ..PpoConfig::default() };
    let mut learner = Learner::new(config, Backend::Flex, carts, seeds)?;

    // Collect, learn, look.
    while !learner.is_done() {
        let iteration = learner.iterate(&mut ())?;
        let count = f64::from(u32::try_from(iteration.episodes.len().max(1)).expect("a few episodes"));
        let total: f64 = iteration.episodes.iter().map(|episode| episode.total_reward).sum();
        println!("{:>7} steps   mean reward of {count:>2} episodes {:>8.2}", iteration.steps_total, total / count);
    }

    // The policy is plain data: three carts, one row of observations each.
    let mut force = [0.0; 3];
    learner.policy().act(&[1.0, 0.0, 0.0, 0.0, -1.0, 0.5], &mut force);
    println!(
        "force at position 1: {:.2}, at rest at 0: {:.2}, at -1 and moving right: {:.2}",
        force[0], force[1], force[2]
    );
    Ok(())
}
