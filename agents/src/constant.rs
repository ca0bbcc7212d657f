//! The same controls at every decision.

use seawall_env::Problems;
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};

use crate::error::Error;
use crate::policy::Policy;

/// A policy that never moves a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    name: String,
    action: [f32; ACTIONS],
}

impl Constant {
    /// Holds every parameter at its value in `controls`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every value that is out of its parameter's bounds.
    pub fn new(name: impl Into<String>, controls: Controls) -> Result<Self, Error> {
        let mut problems = Problems::default();
        for (parameter, value) in PARAMETERS.iter().zip(controls.to_array()) {
            problems.range(parameter.name, value, parameter.low, parameter.high);
        }
        if problems.0.is_empty() {
            Ok(Self { name: name.into(), action: controls.encode() })
        } else {
            Err(Error::Invalid(problems))
        }
    }

    /// Holds a normalised action.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every entry that is not in `[-1, 1]`.
    pub fn from_action(name: impl Into<String>, action: [f32; ACTIONS]) -> Result<Self, Error> {
        let mut problems = Problems::default();
        for (parameter, entry) in PARAMETERS.iter().zip(action) {
            problems.range(parameter.name, entry.into(), -1.0, 1.0);
        }
        if problems.0.is_empty() { Ok(Self { name: name.into(), action }) } else { Err(Error::Invalid(problems)) }
    }

    /// Holds every parameter at its neutral value.
    #[must_use]
    pub fn neutral(name: impl Into<String>) -> Self {
        Self { name: name.into(), action: Controls::default().encode() }
    }
}

impl Policy for Constant {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, _seed: u64) {}

    fn act(&mut self, _observation: &[f32], action: &mut [f32]) {
        action.copy_from_slice(&self.action);
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_what_the_venue_runs_with() {
        let controls = Controls { capacity: 0.5, delay: 45.0, macro_sensitivity: 1.5, ..Controls::default() };
        let mut action = [0.0; ACTIONS];
        Constant::new("half", controls).unwrap().act(&[], &mut action);
        for (parameter, (entry, value)) in PARAMETERS.iter().zip(action.iter().zip(controls.to_array())) {
            let decoded = parameter.decode(f64::from(*entry));
            assert!((decoded - value).abs() < 1e-6 * (parameter.high - parameter.low), "{}", parameter.name);
        }
    }

    #[test]
    fn every_value_out_of_bounds_is_reported() {
        let controls = Controls { capacity: 21.0, delay: f64::NAN, ..Controls::default() };
        let Err(Error::Invalid(problems)) = Constant::new("bad", controls) else { panic!("must be refused") };
        assert_eq!(problems.0.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), ["capacity", "delay"]);

        let mut action = [0.0; ACTIONS];
        (action[1], action[12]) = (-1.5, f32::NAN);
        let Err(Error::Invalid(problems)) = Constant::from_action("bad", action) else { panic!("must be refused") };
        let names = ["target_buffer", "macro_sensitivity"];
        assert_eq!(problems.0.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), names);
    }
}
