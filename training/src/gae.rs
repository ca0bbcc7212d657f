//! Generalised advantage estimation over a rollout of many environments.

use seawall_env::Status;

/// One rollout as the estimator sees it.
///
/// # Shapes
/// Row-major `[T, B]` for all but `last_value`, which is `[B]`.
#[derive(Clone, Copy, Debug)]
pub struct Trajectory<'a> {
    /// Reward of each step, as the value function is to predict it.
    pub reward: &'a [f32],
    /// Value of the observation that each step acted on.
    pub value: &'a [f32],
    /// How each step left its episode.
    pub status: &'a [Status],
    /// Value of the last observation of each episode that was truncated; other entries are not read.
    pub final_value: &'a [f32],
    /// Value of the observation that follows the rollout.
    pub last_value: &'a [f32],
}

/// Estimates advantages and returns over one rollout by generalised advantage estimation.
///
/// A terminated step does not bootstrap; a truncated step bootstraps from its own final value. Both cut
/// the recursion, so nothing leaks across an episode boundary.
///
/// # Shapes
/// Row-major `[T, B]` for both outputs; see [`Trajectory`] for the inputs.
///
/// # Panics
/// If the lengths disagree.
///
/// # Reference
/// Schulman et al. 2016 (arXiv:1506.02438), eq. 16; Pardo et al. 2018 (arXiv:1712.00378), eq. 6.
#[expect(clippy::cast_possible_truncation, reason = "learning is single precision; only the recursion is double")]
pub fn estimate(
    trajectory: &Trajectory<'_>,
    discount: f64,
    trace_decay: f64,
    advantage: &mut [f32],
    returns: &mut [f32],
) {
    let Trajectory { reward, value, status, final_value, last_value } = *trajectory;
    let (samples, environments) = (reward.len(), last_value.len());
    for len in [value.len(), status.len(), final_value.len(), advantage.len(), returns.len()] {
        assert_eq!(len, samples, "all of a rollout must be [T, B]");
    }
    assert!(environments > 0 && samples.is_multiple_of(environments), "a rollout must be [T, B]");

    let mut next_value: Vec<f64> = last_value.iter().map(|&value| f64::from(value)).collect();
    let mut next_advantage = vec![0.0; environments];
    for start in (0..samples).step_by(environments).rev() {
        for b in 0..environments {
            let at = start + b;
            let (bootstrap, carry) = match status[at] {
                Status::Running => (next_value[b], next_advantage[b]),
                Status::Terminated => (0.0, 0.0),
                Status::Truncated => (f64::from(final_value[at]), 0.0),
            };
            let value = f64::from(value[at]);
            let error = f64::from(reward[at]) + discount * bootstrap - value;
            next_advantage[b] = error + discount * trace_decay * carry;
            next_value[b] = value;
            advantage[at] = next_advantage[b] as f32;
            returns[at] = (next_advantage[b] + value) as f32;
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "tables of numbers that single precision holds exactly")]
mod tests {
    use super::Status::{Running, Terminated, Truncated};
    use super::*;

    /// Three steps of one environment, discount 0.5, trace decay 0.5, rewards 1, 2, 3, values 10, 20, 30, value of
    /// what follows 40, final values 8.
    fn advantages(status: [Status; 3]) -> [f32; 3] {
        let trajectory = Trajectory {
            reward: &[1.0, 2.0, 3.0],
            value: &[10.0, 20.0, 30.0],
            status: &status,
            final_value: &[8.0; 3],
            last_value: &[40.0],
        };
        let (mut advantage, mut returns) = ([0.0; 3], [0.0; 3]);
        estimate(&trajectory, 0.5, 0.5, &mut advantage, &mut returns);
        for i in 0..3 {
            assert_eq!(returns[i].to_bits(), (advantage[i] + trajectory.value[i]).to_bits());
        }
        advantage
    }

    #[test]
    fn running_steps_bootstrap_from_what_follows() {
        // δ₂ = 3 + 0.5·40 − 30 = −7, δ₁ = 2 + 0.5·30 − 20 = −3, δ₀ = 1 + 0.5·20 − 10 = 1.
        // A₂ = −7, A₁ = −3 − 7/4 = −4.75, A₀ = 1 − 4.75/4 = −0.1875.
        assert_eq!(advantages([Running; 3]), [-0.1875, -4.75, -7.0]);
    }

    #[test]
    fn terminated_step_does_not_bootstrap_and_cuts_the_recursion() {
        // A₂ as above. δ₁ = 2 − 20 = −18 = A₁. A₀ = 1 − 18/4 = −3.5.
        assert_eq!(advantages([Running, Terminated, Running]), [-3.5, -18.0, -7.0]);
    }

    #[test]
    fn truncated_step_bootstraps_from_final_value_and_cuts_the_recursion() {
        // A₂ as above. δ₁ = 2 + 0.5·8 − 20 = −14 = A₁. A₀ = 1 − 14/4 = −2.5.
        assert_eq!(advantages([Running, Truncated, Running]), [-2.5, -14.0, -7.0]);
    }

    #[test]
    fn an_episode_that_ends_the_rollout_ignores_what_follows_it() {
        // δ₂ = 3 − 30 = −27, A₁ = −3 − 27/4 = −9.75, A₀ = 1 − 9.75/4 = −1.4375.
        assert_eq!(advantages([Running, Running, Terminated]), [-1.4375, -9.75, -27.0]);
        // δ₂ = 3 + 0.5·8 − 30 = −23, A₁ = −3 − 23/4 = −8.75, A₀ = 1 − 8.75/4 = −1.1875.
        assert_eq!(advantages([Running, Running, Truncated]), [-1.1875, -8.75, -23.0]);
    }

    #[test]
    fn environments_do_not_mix() {
        // Column 0 as in the first table; column 1 ends at once, twice.
        let trajectory = Trajectory {
            reward: &[1.0, 5.0, 2.0, 6.0, 3.0, 7.0],
            value: &[10.0, 1.0, 20.0, 2.0, 30.0, 3.0],
            status: &[Running, Terminated, Running, Truncated, Running, Terminated],
            final_value: &[f32::NAN, f32::NAN, f32::NAN, 4.0, f32::NAN, f32::NAN],
            last_value: &[40.0, f32::NAN],
        };
        let (mut advantage, mut returns) = ([0.0; 6], [0.0; 6]);
        estimate(&trajectory, 0.5, 0.5, &mut advantage, &mut returns);
        // 5 − 1 = 4; 6 + 0.5·4 − 2 = 6; 7 − 3 = 4.
        assert_eq!(advantage, [-0.1875, 4.0, -4.75, 6.0, -7.0, 4.0]);
        assert_eq!(returns, [9.8125, 5.0, 15.25, 8.0, 23.0, 7.0]);
    }

    #[test]
    fn full_trace_without_discount_sums_the_rewards_to_the_end() {
        let trajectory = Trajectory {
            reward: &[1.0, 2.0, 3.0],
            value: &[0.5, 0.25, 0.125],
            status: &[Running, Running, Terminated],
            final_value: &[0.0; 3],
            last_value: &[9.0],
        };
        let (mut advantage, mut returns) = ([0.0; 3], [0.0; 3]);
        estimate(&trajectory, 1.0, 1.0, &mut advantage, &mut returns);
        assert_eq!(returns, [6.0, 5.0, 3.0]);
    }
}
