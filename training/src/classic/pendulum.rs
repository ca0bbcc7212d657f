//! Pendulum-v1: swing a pendulum up with a motor that is too weak to lift it, and hold it there.

use core::f64::consts::PI;

use super::{Dynamics, starts};

const SPEED_MAX: f64 = 8.0;
const TORQUE_MAX: f64 = 2.0;
/// Seconds between two states.
const TICK: f64 = 0.05;
const GRAVITY: f64 = 10.0;
const MASS: f64 = 1.0;
const LENGTH: f64 = 1.0;

/// State: angle from upright, angular velocity. The action is the torque over its bound.
#[derive(Clone, Copy, Debug)]
pub struct Pendulum;

impl Dynamics for Pendulum {
    const NAME: &'static str = "Pendulum-v1";
    const LIMIT: u32 = 200;
    const STATE: usize = 2;
    const OBSERVATION: &'static [&'static str] = &["cos_angle", "sin_angle", "angular_velocity"];
    const ACTION: &'static [&'static str] = &["torque"];

    fn draw(unit: &mut dyn FnMut() -> f64, state: &mut [f64]) {
        state[0] = PI * (2.0 * unit() - 1.0);
        state[1] = 2.0 * unit() - 1.0;
    }

    fn advance(state: &mut [f64], action: &[f32]) -> (f64, bool) {
        let (angle, speed) = (state[0], state[1]);
        let torque = TORQUE_MAX * f64::from(action[0]);
        // The angle that is meant lies in [-π, π).
        let turn = 2.0 * PI;
        let shifted = libm::fmod(angle + PI, turn);
        let error = if shifted < 0.0 { shifted + turn } else { shifted } - PI;
        let cost = error * error + 0.1 * speed * speed + 0.001 * torque * torque;
        let pull = 3.0 * GRAVITY / (2.0 * LENGTH) * libm::sin(angle) + 3.0 / (MASS * LENGTH * LENGTH) * torque;
        let speed = (speed + pull * TICK).clamp(-SPEED_MAX, SPEED_MAX);
        state.copy_from_slice(&[angle + speed * TICK, speed]);
        (-cost, false)
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(state: &[f64], observation: &mut [f32]) {
        observation.copy_from_slice(&[libm::cos(state[0]) as f32, libm::sin(state[0]) as f32, state[1] as f32]);
    }

    fn fixed_starts() -> Vec<Vec<f64>> {
        starts::columns(4..6)
    }
}
