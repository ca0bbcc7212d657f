//! Learning for the worst episodes, where the best policy for them is not the best on average.

mod common;

use common::{Bet, finish, learner};
use seawall_env::Status;
use seawall_training::{Backend, Limit, PpoConfig, Trainer};

/// The stake that is learned, from 0 to 1, over episodes of `length` bets.
fn stake(length: u64, end: Status, cvar: Limit, seed: u64) -> f32 {
    let config = PpoConfig {
        total_steps: 120_000,
        horizon: 64,
        minibatch: 256,
        epochs: 4,
        actor_hidden: vec![8],
        critic_hidden: vec![8],
        learning_rate: 3e-3,
        discount: 0.9,
        observation_normalisation: false,
        cvar,
        cvar_episodes: 300,
        ..PpoConfig::default()
    };
    let mut learner = learner(config, Backend::Flex, &Bet::new(length, end), 16, seed);
    finish(&mut learner);
    let mut action = [0.0];
    learner.policy().act(&[0.0], &mut action);
    0.5 * (1.0 + action[0])
}

#[test]
fn a_bet_that_pays_on_average_is_taken_for_the_mean_and_left_for_the_tail() {
    // One bet or two, however the episode ends. The tail of two: one time in five at least one is lost, so the worst
    // tenth has lost at least one, which the other bet cannot make good.
    for (length, end) in [(1, Status::Terminated), (1, Status::Truncated), (2, Status::Terminated)] {
        let mean = stake(length, end, Limit::Off, 1);
        let tail = stake(length, end, Limit::At(0.1), 1);
        assert!(mean > 0.8, "{length}, {end:?}: a stake of {mean} for the mean");
        assert!(tail < 0.2, "{length}, {end:?}: a stake of {tail} for the tail");
    }
}

#[test]
fn a_resumed_run_for_the_tail_is_bit_equal_to_an_uninterrupted_one() {
    let config = PpoConfig {
        total_steps: 6 * 200,
        horizon: 25,
        minibatch: 50,
        epochs: 2,
        actor_hidden: vec![8],
        critic_hidden: vec![8],
        cvar: Limit::At(0.2),
        cvar_episodes: 50,
        ..PpoConfig::default()
    };
    // Three bets do not divide twenty-five steps, so returns so far go into the checkpoint.
    let fresh = || learner(config.clone(), Backend::Flex, &Bet::new(3, Status::Terminated), 6, 3);
    let mut whole = fresh();
    for _ in 0..4 {
        whole.iterate(&mut ()).expect("numbers are finite");
    }
    let mut resumed = fresh();
    resumed.load(&whole.save()).expect("the checkpoint is of this run");
    finish(&mut whole);
    finish(&mut resumed);
    assert_eq!(whole.save(), resumed.save());
    let plain = PpoConfig { cvar: Limit::Off, ..config.clone() };
    let mut plain = learner(plain, Backend::Flex, &Bet::new(3, Status::Terminated), 6, 3);
    assert!(plain.load(&whole.save()).is_err());
}
