//! MountainCarContinuous-v0: leave a valley with an engine that is too weak to drive straight up.

use super::{Dynamics, starts};

const POSITION_MIN: f64 = -1.2;
const POSITION_MAX: f64 = 0.6;
const SPEED_MAX: f64 = 0.07;
const GOAL: f64 = 0.45;
const POWER: f64 = 0.0015;

/// State: position, velocity; both are single precision after the first step, as Gymnasium's are. The action is force.
#[derive(Clone, Copy, Debug)]
pub struct MountainCar;

impl Dynamics for MountainCar {
    const NAME: &'static str = "MountainCarContinuous-v0";
    const LIMIT: u32 = 999;
    const STATE: usize = 2;
    const OBSERVATION: &'static [&'static str] = &["position", "velocity"];
    const ACTION: &'static [&'static str] = &["force"];

    fn draw(unit: &mut dyn FnMut() -> f64, state: &mut [f64]) {
        state[0] = -0.6 + 0.2 * unit();
        state[1] = 0.0;
    }

    #[expect(clippy::cast_possible_truncation, reason = "the state is single precision")]
    fn advance(state: &mut [f64], action: &[f32]) -> (f64, bool) {
        let force = f64::from(action[0]);
        let push = force * POWER - 0.0025 * libm::cos(3.0 * state[0]);
        let mut speed = (state[1] + push).clamp(-SPEED_MAX, SPEED_MAX);
        let position = (state[0] + speed).clamp(POSITION_MIN, POSITION_MAX);
        // The wall on the left takes all speed.
        if position <= POSITION_MIN && speed < 0.0 {
            speed = 0.0;
        }
        let is_up = position >= GOAL && speed >= 0.0;
        state.copy_from_slice(&[f64::from(position as f32), f64::from(speed as f32)]);
        (if is_up { 100.0 } else { 0.0 } - 0.1 * force * force, is_up)
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(state: &[f64], observation: &mut [f32]) {
        observation.copy_from_slice(&[state[0] as f32, state[1] as f32]);
    }

    fn fixed_starts() -> Vec<Vec<f64>> {
        starts::columns(6..7).into_iter().map(|position| vec![position[0], 0.0]).collect()
    }
}
