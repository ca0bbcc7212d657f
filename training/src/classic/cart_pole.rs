//! CartPole-v1: push a cart so that the pole on it does not fall.

use super::{Dynamics, starts};

const GRAVITY: f64 = 9.8;
const CART_MASS: f64 = 1.0;
const POLE_MASS: f64 = 0.1;
const TOTAL_MASS: f64 = POLE_MASS + CART_MASS;
/// Half the pole's length, metres.
const LENGTH: f64 = 0.5;
const POLE_MOMENT: f64 = POLE_MASS * LENGTH;
const FORCE: f64 = 10.0;
/// Seconds between two states.
const TICK: f64 = 0.02;
/// Twelve degrees.
const ANGLE_MAX: f64 = 12.0 * 2.0 * core::f64::consts::PI / 360.0;
const POSITION_MAX: f64 = 2.4;

/// State: position, velocity, angle, angular velocity. Two choices: left, right.
#[derive(Clone, Copy, Debug)]
pub struct CartPole;

impl Dynamics for CartPole {
    const NAME: &'static str = "CartPole-v1";
    const LIMIT: u32 = 500;
    const STATE: usize = 4;
    const OBSERVATION: &'static [&'static str] = &["position", "velocity", "angle", "angular_velocity"];
    const ACTION: &'static [&'static str] = &["left", "right"];

    fn draw(unit: &mut dyn FnMut() -> f64, state: &mut [f64]) {
        for entry in state {
            *entry = -0.05 + 0.1 * unit();
        }
    }

    fn advance(state: &mut [f64], action: &[f32]) -> (f64, bool) {
        let &mut [x, x_dot, theta, theta_dot] = state else { unreachable!("a state has four entries") };
        let force = if action[1] > action[0] { FORCE } else { -FORCE };
        let (sin, cos) = (libm::sin(theta), libm::cos(theta));
        let push = (force + POLE_MOMENT * theta_dot * theta_dot * sin) / TOTAL_MASS;
        let theta_acc = (GRAVITY * sin - cos * push) / (LENGTH * (4.0 / 3.0 - POLE_MASS * cos * cos / TOTAL_MASS));
        let x_acc = push - POLE_MOMENT * theta_acc * cos / TOTAL_MASS;
        let next = [x + TICK * x_dot, x_dot + TICK * x_acc, theta + TICK * theta_dot, theta_dot + TICK * theta_acc];
        state.copy_from_slice(&next);
        (1.0, next[0].abs() > POSITION_MAX || next[2].abs() > ANGLE_MAX)
    }

    #[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
    fn observe(state: &[f64], observation: &mut [f32]) {
        for (entry, value) in observation.iter_mut().zip(state) {
            *entry = *value as f32;
        }
    }

    fn fixed_starts() -> Vec<Vec<f64>> {
        starts::columns(0..4)
    }
}
