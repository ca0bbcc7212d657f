//! Values that can be worked out by hand, for every way in which an episode can end or not.

mod common;

use common::{Chain, finish, learner};
use seawall_env::Status;
use seawall_training::{Backend, PpoConfig, RewardTransform};

/// Learned values of the states of a chain, discount 0.9, reward as it is.
fn values(chain: &Chain, states: usize) -> Vec<f32> {
    let config = PpoConfig {
        total_steps: 64 * 250,
        horizon: 32,
        minibatch: 64,
        epochs: 4,
        actor_hidden: vec![4],
        critic_hidden: vec![16],
        learning_rate: 1e-2,
        discount: 0.9,
        gradient_norm_max: 10.0,
        reward_transform: RewardTransform::None,
        observation_normalisation: false,
        ..PpoConfig::default()
    };
    let mut learner = learner(config, Backend::Flex, chain, 2, 1);
    finish(&mut learner);
    (0..states)
        .map(|s| learner.value(&(0..states).map(|i| f32::from(u8::from(i == s))).collect::<Vec<_>>())[0])
        .collect()
}

fn assert_close(values: &[f32], expected: &[f32]) {
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 0.02 * expected.abs(), "{values:?}");
    }
}

#[test]
fn one_state_that_never_ends_is_worth_the_geometric_series() {
    // 1 / (1 − 0.9). Rollouts end where episodes do not, so this is the bootstrap from the value that follows.
    assert_close(&values(&Chain::new(&[1.0], 0, Status::Running), 1), &[10.0]);
}

#[test]
fn one_state_that_is_truncated_is_worth_as_much_as_if_it_went_on() {
    assert_close(&values(&Chain::new(&[1.0], 5, Status::Truncated), 1), &[10.0]);
}

#[test]
fn one_state_that_terminates_is_worth_its_reward() {
    assert_close(&values(&Chain::new(&[1.0], 1, Status::Terminated), 1), &[1.0]);
}

#[test]
fn two_states_that_alternate_for_ever() {
    // V₀ = 2 + 0.9·V₁ and V₁ = −1 + 0.9·V₀: V₀ = (2 − 0.9) / (1 − 0.81), V₁ = (−1 + 1.8) / (1 − 0.81).
    let expected = [1.1 / 0.19, 0.8 / 0.19];
    assert_close(&values(&Chain::new(&[2.0, -1.0], 0, Status::Running), 2), &expected);
    assert_close(&values(&Chain::new(&[2.0, -1.0], 3, Status::Truncated), 2), &expected);
}

#[test]
fn two_states_and_then_nothing() {
    // V₁ = −1, V₀ = 2 − 0.9.
    assert_close(&values(&Chain::new(&[2.0, -1.0], 2, Status::Terminated), 2), &[1.1, -1.0]);
}
