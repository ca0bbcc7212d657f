//! The three generations of venues, as baselines: what a learned policy has to beat.
//!
//! A baseline is a venue preset, which is the market's data, and a policy over the parameters that the preset leaves
//! to a controller.
//!
//! | | liquidation | margin | preset |
//! |---|---|---|---|
//! | 1 | the whole position at once | static | `legacy_full` |
//! | 2 | in part, sliced by depth, paced by [`DepthRule`] | static | `partial_sliced` |
//! | 3 | as 2 | initial margin by [`MarginRule`] | `partial_sliced` |

mod depth_rule;
mod features;
mod margin_rule;

use seawall_env::action::{Controls, PARAMETERS};
use seawall_env::{Problems, Spec};

pub use depth_rule::{BookState, DepthRule};
use features::{Finder, ratio};
pub use margin_rule::MarginRule;

use crate::constant::Constant;
use crate::error::Error;
use crate::policy::Policy;

/// A policy and the venue that it runs.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Name of the liquidation preset.
    pub preset: &'static str,
    /// The policy over its parameters.
    pub policy: Box<dyn Policy>,
}

/// The three generations with their documented constants, in order.
///
/// # Errors
/// [`Error::Features`] if `spec` does not observe what a rule reads.
pub fn generations(spec: &Spec) -> Result<[Baseline; 3], Error> {
    Ok([
        Baseline { preset: "legacy_full", policy: Box::new(Constant::neutral("gen1")) },
        Baseline { preset: "partial_sliced", policy: Box::new(Gen2::new(spec, DepthRule::default())?) },
        Baseline {
            preset: "partial_sliced",
            policy: Box::new(Gen3::new(spec, DepthRule::default(), MarginRule::default())?),
        },
    ])
}

/// Generation 2: dynamic thresholds, static margin.
#[derive(Clone, Debug)]
pub struct Gen2 {
    depth: usize,
    volatility: usize,
    rule: DepthRule,
}

impl Gen2 {
    /// The rule over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a constant is out of its bounds, [`Error::Features`] if a feature is not observed.
    pub fn new(spec: &Spec, rule: DepthRule) -> Result<Self, Error> {
        let mut problems = Problems::default();
        rule.validate("gen2", &mut problems);
        valid(problems)?;
        let mut finder = Finder::new(spec);
        let this = Self::find(&mut finder, rule);
        finder.finish("gen2")?;
        Ok(this)
    }

    fn find(finder: &mut Finder<'_>, rule: DepthRule) -> Self {
        Self { depth: finder.find("depth_100bp"), volatility: finder.find("volatility_10m"), rule }
    }

    fn controls(&self, observation: &[f32]) -> Controls {
        let book = BookState { depth: ratio(observation[self.depth]), volatility: ratio(observation[self.volatility]) };
        self.rule.apply(&book, Controls::default())
    }
}

impl Policy for Gen2 {
    fn name(&self) -> &'static str {
        "gen2"
    }

    fn reset(&mut self, _seed: u64) {}

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        action.copy_from_slice(&self.controls(observation).encode());
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// Generation 3: dynamic thresholds and macro-adaptive margin.
#[derive(Clone, Debug)]
pub struct Gen3 {
    fast: Gen2,
    volatility: usize,
    rule: MarginRule,
}

impl Gen3 {
    /// Both rules over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a constant is out of its bounds, [`Error::Features`] if a feature is not observed.
    pub fn new(spec: &Spec, fast: DepthRule, rule: MarginRule) -> Result<Self, Error> {
        let mut problems = Problems::default();
        fast.validate("gen3.fast", &mut problems);
        rule.validate("gen3.margin", &mut problems);
        valid(problems)?;
        let mut finder = Finder::new(spec);
        let fast = Gen2::find(&mut finder, fast);
        // The venue's EWMA with a half-life of one hour: the slow interval of most scenarios.
        let this = Self { fast, volatility: finder.find("volatility_1h"), rule };
        finder.finish("gen3")?;
        Ok(this)
    }
}

impl Policy for Gen3 {
    fn name(&self) -> &'static str {
        "gen3"
    }

    fn reset(&mut self, _seed: u64) {}

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        let controls = self.rule.apply(ratio(observation[self.volatility]), self.fast.controls(observation));
        action.copy_from_slice(&controls.encode());
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

fn valid(problems: Problems) -> Result<(), Error> {
    if problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// Holds every value within its parameter's bounds.
fn within_bounds(controls: Controls) -> Controls {
    let values = controls.to_array();
    Controls::from_array(std::array::from_fn(|i| values[i].clamp(PARAMETERS[i].low, PARAMETERS[i].high)))
}
