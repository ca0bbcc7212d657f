//! A policy from the bytes that an engine would embed: what is scored is what is shipped.

use std::sync::Arc;

use seawall_env::Spec;
use seawall_env::action::PARAMETERS;
use seawall_env::spaces::{Group, Parameter, Scale};
use seawall_runtime::format;

use crate::error::{Difference, Differences, Error};
use crate::policy::Policy;

/// A policy that runs on [`seawall_runtime`].
#[derive(Clone, Debug)]
pub struct Exported {
    name: String,
    policy: seawall_runtime::Policy<Arc<[u8]>>,
    /// What it remembers of the episode.
    state: Vec<f32>,
    scratch: Vec<f32>,
    is_held: bool,
    /// Decisions that its shield changed, if it has one.
    overruled: Option<u64>,
}

impl Exported {
    /// Parses `bytes` and checks that they were made for the environment that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Format`] if the bytes are not a policy; [`Error::Mismatch`] with every difference between its lists
    /// of observations and parameters and the environment's.
    pub fn new(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>, spec: &Spec) -> Result<Self, Error> {
        let (name, policy) = (name.into(), seawall_runtime::Policy::parse(bytes.into())?);
        let mut differences = name_differences("observation", &spec.observation, policy.observation_names());
        let names = policy.parameters().map(|parameter| parameter.name.to_owned()).collect::<Vec<_>>();
        differences.extend(name_differences("action", &spec.action, names.iter().map(String::as_str)));
        for found in policy.parameters() {
            if let Some(expected) = PARAMETERS.iter().find(|expected| expected.name == found.name) {
                differences.extend(parameter_differences(expected, &found));
            }
        }
        if !differences.is_empty() {
            return Err(Error::Mismatch { policy: name, differences: Differences(differences) });
        }
        let (state, scratch) = (vec![0.0; policy.state_len()], vec![0.0; policy.scratch_len()]);
        let overruled = policy.shield().map(|_| 0);
        Ok(Self { name, policy, state, scratch, is_held: false, overruled })
    }

    /// The parsed policy.
    #[must_use]
    pub const fn runtime(&self) -> &seawall_runtime::Policy<Arc<[u8]>> {
        &self.policy
    }
}

impl Policy for Exported {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, _seed: u64) {
        self.state.fill(0.0);
        self.is_held = false;
        self.overruled = self.overruled.map(|_| 0);
    }

    /// # Panics
    /// Where an engine would fall back to neutral parameters: the environment's observations are always finite, so
    /// a refusal here means that either is broken.
    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.is_held = match self.policy.step(observation, &mut self.state, &mut self.scratch, action) {
            Ok(is_held) => is_held,
            Err(error) => panic!("{} refused to act: {error}", self.name),
        };
        self.overruled = self.overruled.map(|count| count + u64::from(self.is_held));
    }

    fn is_held(&self) -> bool {
        self.is_held
    }

    fn overruled(&self) -> Option<u64> {
        self.overruled
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// The runtime's view of one of the environment's parameters.
pub(crate) const fn to_runtime(parameter: &Parameter) -> format::Parameter<'static> {
    format::Parameter {
        name: parameter.name,
        unit: parameter.unit,
        scale: match parameter.scale {
            Scale::Linear => format::Scale::Linear,
            Scale::Log => format::Scale::Log,
        },
        group: match parameter.group {
            Group::Fast => format::Group::Fast,
            Group::Slow => format::Group::Slow,
        },
        low: parameter.low,
        high: parameter.high,
        neutral: parameter.neutral,
        max_change: parameter.max_change,
    }
}

/// Missing and unknown names, and, if there are none, those that stand elsewhere.
fn name_differences<'a>(list: &str, expected: &[String], found: impl Iterator<Item = &'a str>) -> Vec<Difference> {
    let found: Vec<_> = found.collect();
    let difference = |field: String, expected: &str, found: &str| Difference {
        field,
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let missing = expected.iter().filter(|name| !found.contains(&name.as_str()));
    let unknown = found.iter().filter(|name| !expected.iter().any(|expected| expected == *name));
    let mut differences: Vec<_> = missing.map(|name| difference(list.to_owned(), name, "no such entry")).collect();
    differences.extend(unknown.map(|name| difference(list.to_owned(), "no such entry", name)));
    if differences.is_empty() {
        let moved = expected.iter().zip(&found).enumerate().filter(|(_, (expected, found))| expected != *found);
        differences = moved.map(|(index, (a, b))| difference(format!("{list}[{index}]"), a, b)).collect();
    }
    differences
}

fn parameter_differences(expected: &Parameter, found: &format::Parameter<'_>) -> Vec<Difference> {
    let expected = to_runtime(expected);
    let bits = |number: f64| number.to_bits();
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}");
    [
        ("unit", expected.unit == found.unit, text(&expected.unit), text(&found.unit)),
        ("scale", expected.scale == found.scale, text(&expected.scale), text(&found.scale)),
        ("group", expected.group == found.group, text(&expected.group), text(&found.group)),
        ("low", bits(expected.low) == bits(found.low), text(&expected.low), text(&found.low)),
        ("high", bits(expected.high) == bits(found.high), text(&expected.high), text(&found.high)),
        ("neutral", bits(expected.neutral) == bits(found.neutral), text(&expected.neutral), text(&found.neutral)),
        (
            "max_change",
            bits(expected.max_change) == bits(found.max_change),
            text(&expected.max_change),
            text(&found.max_change),
        ),
    ]
    .into_iter()
    .filter(|(_, is_equal, ..)| !is_equal)
    .map(|(field, _, ours, theirs)| Difference {
        field: format!("{}.{field}", expected.name),
        expected: ours,
        found: theirs,
    })
    .collect()
}
