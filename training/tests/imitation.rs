//! Warm starts: an imitation acts as its teacher does, where neither has been, and a run goes on from it.

mod common;

use common::{Corridor, Tracking, finish, learner};
use seawall_agents::Policy;
use seawall_env::{Env, Status};
use seawall_training::{Backend, Gradient, Head, PpoConfig, Recurrence, Trainer, WarmStartConfig};

/// Goes a share of the way to the target, so that following it is something else.
#[derive(Clone, Debug)]
struct Lazy;

impl Policy for Lazy {
    fn name(&self) -> &'static str {
        "lazy"
    }

    fn reset(&mut self, _: u64) {}

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        action[0] = 0.5 * observation[0] + 0.2;
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// Goes all the way through the corridor on the side that its sign named.
#[derive(Clone, Debug)]
struct Reminded(f32);

impl Policy for Reminded {
    fn name(&self) -> &'static str {
        "reminded"
    }

    fn reset(&mut self, _: u64) {
        self.0 = 0.0;
    }

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        if observation[0].abs() > 0.5 {
            self.0 = observation[0];
        }
        action[0] = 0.8 * self.0;
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

fn config() -> PpoConfig {
    PpoConfig {
        total_steps: 16 * 64,
        horizon: 32,
        minibatch: 64,
        epochs: 3,
        actor_hidden: vec![16],
        critic_hidden: vec![16],
        discount: 0.5,
        gradient: Gradient::Autodiff,
        warm_start: WarmStartConfig { horizon: 64, epochs: 40, learning_rate: 3e-3 },
        ..PpoConfig::default()
    }
}

/// Root mean square distance between teacher and policy on episodes that training never meets.
fn apart<E: Env>(trained: &dyn Trainer, teacher: &dyn Policy, env: &E) -> f64 {
    let policy = trained.policy();
    let (mut env, mut teacher) = (env.clone(), teacher.boxed());
    let mut observation = vec![0.0; env.spec().observation.len()];
    let (mut theirs, mut ours) = ([0.0], [0.0]);
    let (mut sum, mut count) = (0.0, 0.0);
    for seed in 900_000..900_030 {
        env.reset(seed, &mut observation);
        teacher.reset(seed);
        let mut state = vec![0.0; policy.state_len()];
        loop {
            teacher.act(&observation, &mut theirs);
            policy.step(&observation, &mut state, &mut ours);
            sum += f64::from(theirs[0] - ours[0]) * f64::from(theirs[0] - ours[0]);
            count += 1.0;
            if env.step(&theirs, &mut observation).status.is_over() {
                break;
            }
        }
    }
    (sum / count).sqrt()
}

#[test]
fn an_imitation_is_close_to_its_teacher_on_new_episodes_with_every_head() {
    for (head, gradient) in [
        (Head::Gaussian, Gradient::Fused),
        (Head::Gaussian, Gradient::Autodiff),
        (Head::StateDependent, Gradient::Autodiff),
        (Head::Beta, Gradient::Autodiff),
    ] {
        let config = PpoConfig { head, gradient, ..config() };
        let mut learner = learner(config, Backend::Flex, &Tracking::new(), 16, 1);
        let before = apart(&learner, &Lazy, &Tracking::new());
        let log_std = learner.parameters().log_std().to_vec();
        let imitation = learner.imitate(&Lazy).unwrap();
        let after = apart(&learner, &Lazy, &Tracking::new());
        // At a held concentration the likelihood wants a beta distribution's mode at the action, and its mean is decided.
        let most = if head == Head::Beta { 0.1 } else { 0.04 };
        assert!(before > 0.25 && after < most, "{head:?}: {before}, then {after}");
        assert!(imitation.action_error < most && imitation.action_error_before > 0.25, "{head:?}: {imitation:?}");
        // The next reward is known from the target: the rest of the return is not.
        assert!(imitation.explained_variance > 0.5, "{head:?}: {imitation:?}");
        assert_eq!(imitation.decisions, 16 * 64);
        assert_eq!(learner.parameters().log_std(), log_std, "exploration is as it was");
        assert_eq!(learner.steps_done(), 0);
    }
}

#[test]
fn a_recurrent_imitation_remembers_what_its_teacher_does() {
    let corridor = Corridor::new(6, Status::Truncated);
    let config = PpoConfig { recurrent: Recurrence::Gru { units: 8, sequence: 16 }, ..config() };
    let mut learner = learner(config, Backend::Flex, &corridor, 16, 1);
    let imitation = learner.imitate(&Reminded(0.0)).unwrap();
    let after = apart(&learner, &Reminded(0.0), &corridor);
    assert!(after < 0.1 && imitation.action_error < 0.1, "{after}, {imitation:?}");
}

#[test]
fn a_run_goes_on_from_its_imitation_to_the_bit() {
    let fresh = || learner(config(), Backend::Flex, &Tracking::new(), 16, 5);
    let mut whole = fresh();
    whole.imitate(&Lazy).unwrap();
    let bytes = whole.save();
    let mut again = fresh();
    again.imitate(&Lazy).unwrap();
    assert_eq!(again.save(), bytes, "the same imitation again");
    let mut resumed = fresh();
    resumed.load(&bytes).unwrap();
    finish(&mut whole);
    finish(&mut resumed);
    assert_eq!(whole.save(), resumed.save());
}

#[test]
fn a_trainer_without_a_warm_start_says_so() {
    let seeds = seawall_env::SeedTree::new(1);
    let envs = seawall_env::VecEnv::new(vec![Tracking::new(); 2], seeds);
    let mut sac = seawall_training::sac::Learner::new(seawall_training::SacConfig::default(), envs, seeds).unwrap();
    assert_eq!(sac.imitate(&Lazy).unwrap_err().to_string(), "this trainer cannot make a warm start");
}
