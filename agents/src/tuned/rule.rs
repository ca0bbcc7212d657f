//! The rules that can be tuned: their constants as a vector, and any such vector as a policy.

use std::fmt;

use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::spaces::{Group, Parameter, Scale};
use seawall_env::{Groups, Problems, Spec};
use serde::{Deserialize, Serialize};

use super::tunable::{Bound, Tunable};
use crate::constant::Constant;
use crate::error::Error;
use crate::generations::{DepthRule, Gen2, Gen3, MarginRule};
use crate::policy::Policy;
use crate::schedule::{Line, Schedule, ScheduleShape};

/// A kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Generation 1: whole positions at once, under static margin. Its constants are the levels of margin, cap and
    /// contribution.
    Gen1,
    /// Generation 2: the constants of [`DepthRule`].
    Gen2,
    /// Generation 3: the constants of [`DepthRule`] and [`MarginRule`].
    Gen3,
    /// Every controlled parameter at a level of its own.
    Constant,
    /// A [`Schedule`].
    Schedule,
}

impl Family {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Gen1, Self::Gen2, Self::Gen3, Self::Constant, Self::Schedule];

    /// Name on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gen1 => "gen1",
            Self::Gen2 => "gen2",
            Self::Gen3 => "gen3",
            Self::Constant => "constant",
            Self::Schedule => "schedule",
        }
    }

    /// What its constants do, in one sentence.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Gen1 | Self::Constant => "each parameter is held at its constant, all others at neutral",
            Self::Gen2 => {
                "with thinness t = max(1, 1/depth within 1 %) and excess v = max(1, ten-minute volatility), both over \
                 their calm level: capacity · t^-capacity_exponent, delay · t, buffer · v, keeper_bonus · v, each held \
                 within its parameter's bounds; all other parameters neutral"
            }
            Self::Gen3 => {
                "fast.* as gen2; with u = max(one-hour volatility over its long-run level, floor) and s = \
                 stressed_volatility: required = ((1 - w) u + w s) / ((1 - w) + w s) for w = stress_weight, initial \
                 margin multiplier = max(required, (1 + buffer) min(required, 1)), macro sensitivity as given; all \
                 other parameters neutral"
            }
            Self::Schedule => {
                "normalised parameter = clamp(bias + sum of weight · feature, -1, 1), features held within ±10; a \
                 parameter without constants is held at neutral"
            }
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Constants that generation 1 leaves to the venue: it has no controller, only static levels.
const STATIC: [&str; 4] =
    ["initial_margin_multiplier", "maintenance_margin_multiplier", "open_interest_cap", "fund_contribution"];
/// Weights beyond one swing a parameter through half its range for one unit of a logarithm: more is a switch.
const WEIGHT_MAX: f64 = 1.0;
/// Name of a line's constant that no feature multiplies.
const BIAS: &str = "bias";

/// A rule with the constants that may be moved, and the venue that it runs on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    family: Family,
    preset: String,
    tunables: Vec<Tunable>,
}

/// Weights, an output after the other, and biases of a linear layer.
pub type Layer = (Vec<f32>, Vec<f32>);

impl Rule {
    /// A family with its documented constants. Constants and schedules move the parameters of `groups` on `preset`;
    /// generations bring a preset of their own.
    #[must_use]
    pub fn documented(family: Family, groups: Groups, preset: &str, shape: &ScheduleShape) -> Self {
        let is_free = |parameter: &&Parameter| match parameter.group {
            Group::Fast => groups.fast,
            Group::Slow => groups.slow,
        };
        let (preset, tunables) = match family {
            Family::Gen1 => {
                let levels = PARAMETERS.iter().filter(|parameter| STATIC.contains(&parameter.name));
                ("legacy_full", levels.map(level).collect())
            }
            Family::Gen2 => ("partial_sliced", fast("")),
            Family::Gen3 => ("partial_sliced", [fast("fast."), margin("margin.")].concat()),
            Family::Constant => (preset, PARAMETERS.iter().filter(is_free).map(level).collect()),
            Family::Schedule => {
                let lines = PARAMETERS.iter().filter(is_free);
                (preset, lines.flat_map(|parameter| line(parameter, shape.features(parameter.group))).collect())
            }
        };
        Self { family, preset: preset.to_owned(), tunables }
    }

    pub(super) const fn from_parts(family: Family, preset: String, tunables: Vec<Tunable>) -> Self {
        Self { family, preset, tunables }
    }

    /// Kind of rule.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Name of the venue preset that it runs on.
    #[must_use]
    pub fn preset(&self) -> &str {
        &self.preset
    }

    /// Constants, in the order of every vector.
    #[must_use]
    pub fn tunables(&self) -> &[Tunable] {
        &self.tunables
    }

    /// Coordinates of the documented constants, `[D]`.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        self.tunables.iter().map(|tunable| tunable.coordinate(tunable.documented)).collect()
    }

    /// Constants at a point of a search, `[D]` both.
    ///
    /// # Panics
    /// If there is not one finite coordinate for each constant.
    #[must_use]
    pub fn values(&self, coordinates: &[f64]) -> Vec<f64> {
        assert_eq!(coordinates.len(), self.tunables.len(), "one coordinate for each constant");
        self.tunables.iter().zip(coordinates).map(|(tunable, coordinate)| tunable.value(*coordinate)).collect()
    }

    /// The rule with these constants, `[D]`, over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a constant is unknown, missing or out of bounds, [`Error::Features`] if a feature is not
    /// observed.
    ///
    /// # Panics
    /// If there is not one value for each constant.
    pub fn policy(&self, values: &[f64], spec: &Spec) -> Result<Box<dyn Policy>, Error> {
        let mut named = Named::new(&self.tunables, values);
        Ok(match self.family {
            Family::Gen1 | Family::Constant => {
                let controls = named.levels();
                named.finish()?;
                Box::new(Constant::new(self.family.name(), controls)?)
            }
            Family::Gen2 => {
                let rule = named.fast("");
                named.finish()?;
                Box::new(Gen2::new(spec, rule)?)
            }
            Family::Gen3 => {
                let (fast, slow) = (named.fast("fast."), named.margin("margin."));
                named.finish()?;
                Box::new(Gen3::new(spec, fast, slow)?)
            }
            Family::Schedule => Box::new(self.schedule(values, spec)?),
        })
    }

    /// The rule as one linear layer followed by a clamp, if it is one: what an engine embeds.
    ///
    /// # Errors
    /// As [`Rule::policy`].
    ///
    /// # Panics
    /// As [`Rule::policy`].
    pub fn layer(&self, values: &[f64], spec: &Spec) -> Result<Option<Layer>, Error> {
        match self.family {
            Family::Gen2 | Family::Gen3 => Ok(None),
            Family::Schedule => Ok(Some(self.schedule(values, spec)?.layer())),
            Family::Gen1 | Family::Constant => {
                let mut named = Named::new(&self.tunables, values);
                let controls = named.levels();
                named.finish()?;
                Ok(Some((vec![0.0; spec.observation.len() * ACTIONS], controls.encode().to_vec())))
            }
        }
    }

    fn schedule(&self, values: &[f64], spec: &Spec) -> Result<Schedule, Error> {
        let mut named = Named::new(&self.tunables, values);
        let lines = named.lines();
        named.finish()?;
        Schedule::new(lines, spec)
    }
}

fn level(parameter: &Parameter) -> Tunable {
    let Parameter { name, unit, low, high, scale, neutral, .. } = *parameter;
    Tunable::new(Bound { name, unit, low, high, scale }, "", neutral)
}

fn fast(prefix: &str) -> Vec<Tunable> {
    let documented = DepthRule::default().to_array();
    DepthRule::BOUNDS.into_iter().zip(documented).map(|(bound, value)| Tunable::new(bound, prefix, value)).collect()
}

fn margin(prefix: &str) -> Vec<Tunable> {
    let documented = MarginRule::default().to_array();
    MarginRule::BOUNDS.into_iter().zip(documented).map(|(bound, value)| Tunable::new(bound, prefix, value)).collect()
}

fn line(parameter: &Parameter, features: &[String]) -> Vec<Tunable> {
    let constant = |name: &str, documented: f64, most: f64| Tunable {
        name: format!("{}.{name}", parameter.name),
        unit: "normalised parameter".to_owned(),
        low: -most,
        high: most,
        scale: Scale::Linear,
        documented,
    };
    let neutral = f64::from(encoded(parameter));
    let weights = features.iter().map(|feature| constant(feature, 0.0, WEIGHT_MAX));
    std::iter::once(constant(BIAS, neutral, 1.0)).chain(weights).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn encoded(parameter: &Parameter) -> f32 {
    parameter.encode(parameter.neutral) as f32
}

/// Constants by name; what is asked for and not there, or there and not asked for, is a problem.
struct Named<'a> {
    rest: Vec<(&'a str, f64)>,
    problems: Problems,
}

impl<'a> Named<'a> {
    fn new(tunables: &'a [Tunable], values: &[f64]) -> Self {
        assert_eq!(values.len(), tunables.len(), "one value for each constant");
        let rest = tunables.iter().zip(values).map(|(tunable, value)| (tunable.name.as_str(), *value)).collect();
        Self { rest, problems: Problems::default() }
    }

    fn take(&mut self, name: &str) -> Option<f64> {
        let at = self.rest.iter().position(|(found, _)| *found == name)?;
        Some(self.rest.remove(at).1)
    }

    fn require(&mut self, name: &str) -> f64 {
        self.take(name).unwrap_or_else(|| {
            self.problems.require(false, name, "missing", "given");
            f64::NAN
        })
    }

    fn fast(&mut self, prefix: &str) -> DepthRule {
        DepthRule::from_array(DepthRule::BOUNDS.map(|bound| self.require(&format!("{prefix}{}", bound.name))))
    }

    fn margin(&mut self, prefix: &str) -> MarginRule {
        MarginRule::from_array(MarginRule::BOUNDS.map(|bound| self.require(&format!("{prefix}{}", bound.name))))
    }

    fn levels(&mut self) -> Controls {
        Controls::from_array(PARAMETERS.map(|parameter| self.take(parameter.name).unwrap_or(parameter.neutral)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    fn lines(&mut self) -> Vec<Line> {
        let lines = PARAMETERS.iter().map(|parameter| {
            let own: Vec<(&str, f64)> = self
                .rest
                .extract_if(.., |(name, _)| name.split_once('.').is_some_and(|(head, _)| head == parameter.name))
                .map(|(name, value)| (name.split_once('.').map_or("", |(_, tail)| tail), value))
                .collect();
            let bias =
                own.iter().find(|(name, _)| *name == BIAS).map_or_else(|| encoded(parameter), |(_, bias)| *bias as f32);
            let weights = own.iter().filter(|(name, _)| *name != BIAS);
            Line { bias, weights: weights.map(|(name, weight)| ((*name).to_owned(), *weight as f32)).collect() }
        });
        lines.collect()
    }

    fn finish(mut self) -> Result<(), Error> {
        for (name, value) in &self.rest {
            self.problems.require(false, *name, value, "a constant of this rule");
        }
        if self.problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.problems)) }
    }
}
