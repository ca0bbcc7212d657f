//! A solvency shield: what a policy may not do, whatever it was trained to.
//!
//! Two bounds on decoded actions. The share of liquidations that the insurance fund takes at mark is held so low that
//! the fund could bear unwinding all that a move of 5 % can bring it before the next decision; margin multipliers are held
//! above floors. While an action raises the trigger of liquidations, the fund takes nothing.
//! The shield reads the ordinary observation. Its arithmetic is the runtime's, [`mod@seawall_runtime::shield`]: the same code
//! stands before a training environment ([`ShieldedEnv`]), behind any policy ([`Shielded`]) and inside an exported one. Here
//! are its constants in words, and the names of what it reads and holds. What it bounds is what it controls: positions that the fund must take over from bankrupt accounts are a
//! liquidation rule's and not a policy's, and are deliberately not in the modelled set.
//!
//! # Reference
//! The capital of a principal counterparty: [`seawall_env::margin::theory::principal_capital`], the market's theory T3.

mod environment;
mod policy;

use seawall_env::action::{ACTIONS, PARAMETERS};
use seawall_env::rng::normal_quantile;
use seawall_env::{Problems, Spec};
pub use seawall_runtime::shield::Backstop;
use seawall_runtime::shield::{Constants, Held, Observed};
use serde::{Deserialize, Serialize};

pub use self::environment::{ShieldedEnv, Tally};
pub use self::policy::Shielded;
use crate::error::Error;
use crate::exported::to_runtime;

/// Constants of the shield.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShieldConfig {
    /// Probability with which the fund shall cover the unwinding of its inventory. In [0.5, 0.999999].
    pub confidence: f64,
    /// Seconds until an inventory is unwound. In [1, 1e7].
    pub horizon_seconds: f64,
    /// Share of the price by which selling the whole inventory moves it. In [0, 1].
    pub impact: f64,
    /// Long-run volatility that observed ratios stand over, annualised. In [0.01, 5].
    pub reference_volatility: f64,
    /// Fund at reset over open interest at reset. In (0, 1].
    pub fund: f64,
    /// Least initial margin, over the venue's static one. In [0.75, 4].
    pub initial_margin_floor: f64,
    /// Least maintenance margin, over the venue's static one. In [0.75, 1.5].
    pub maintenance_margin_floor: f64,
}

impl Default for ShieldConfig {
    /// Volatility and fund are those of the default venue. Half an hour and 2 % are judgement: longer and dearer than the
    /// default venue's own pace, two depths within 1 % a minute, makes its exits in a calm book.
    fn default() -> Self {
        Self {
            confidence: 0.99,
            horizon_seconds: 1_800.0,
            impact: 0.02,
            reference_volatility: 0.5,
            fund: 0.006,
            initial_margin_floor: 1.0,
            maintenance_margin_floor: 1.0,
        }
    }
}

impl ShieldConfig {
    /// Records every constant that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, value, low, high) in [
            ("confidence", self.confidence, 0.5, 0.999_999),
            ("horizon_seconds", self.horizon_seconds, 1.0, 1e7),
            ("impact", self.impact, 0.0, 1.0),
            ("reference_volatility", self.reference_volatility, 0.01, 5.0),
            ("fund", self.fund, 1e-9, 1.0),
            ("initial_margin_floor", self.initial_margin_floor, 0.75, 4.0),
            ("maintenance_margin_floor", self.maintenance_margin_floor, 0.75, 1.5),
        ] {
            problems.range(format!("{path}.{name}"), value, low, high);
        }
    }
}

/// Features of what a move of up to 5 % forces, by side.
const WITHIN: [[&str; 4]; 2] = [
    ["longs_within_50bp", "longs_within_100bp", "longs_within_200bp", "longs_within_500bp"],
    ["shorts_within_50bp", "shorts_within_100bp", "shorts_within_200bp", "shorts_within_500bp"],
];
/// Parameters that decide who is liquidated.
const TRIGGERS: [&str; 2] = ["preemption", "maintenance_margin_multiplier"];
const VOLATILITIES: [&str; 3] = ["volatility_1m", "volatility_10m", "volatility_1h"];

/// A shield over the observations and actions of the market.
#[derive(Clone, Debug, PartialEq)]
pub struct Shield {
    config: ShieldConfig,
    projection: seawall_runtime::Shield,
}

/// Index of a controlled parameter.
fn parameter(name: &str) -> usize {
    PARAMETERS.iter().position(|parameter| parameter.name == name).expect("a controlled parameter")
}

impl Shield {
    /// A shield over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a constant is out of its bounds, [`Error::Features`] if a feature is not observed.
    pub fn new(config: ShieldConfig, spec: &Spec) -> Result<Self, Error> {
        let mut problems = Problems::default();
        config.validate("shield", &mut problems);
        if !problems.0.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let place = |name: &str| spec.observation.iter().position(|found| found == name);
        let missing: Vec<_> = Self::reads().filter(|name| place(name).is_none()).map(str::to_owned).collect();
        if !missing.is_empty() {
            return Err(Error::Features { policy: "shield".to_owned(), missing });
        }
        let find = |name: &str| place(name).unwrap_or_else(|| unreachable!("{name} was found"));
        let held = |name: &str| {
            let index = parameter(name);
            Held::of(index, &to_runtime(&PARAMETERS[index]))
        };
        let projection = seawall_runtime::Shield {
            constants: Constants {
                quantile: normal_quantile(config.confidence),
                horizon_seconds: config.horizon_seconds,
                impact: config.impact,
                reference_volatility: config.reference_volatility,
                fund: config.fund,
                initial_margin_floor: config.initial_margin_floor,
                maintenance_margin_floor: config.maintenance_margin_floor,
            },
            observed: Observed {
                fund: find("fund"),
                inventory: find("fund_inventory"),
                in_liquidation: find("in_liquidation"),
                volatilities: VOLATILITIES.map(find),
                within: WITHIN.map(|names| names.map(find)),
                triggers: TRIGGERS.map(find),
            },
            triggers: TRIGGERS.map(parameter),
            initial_margin: held("initial_margin_multiplier"),
            maintenance_margin: held("maintenance_margin_multiplier"),
            internalised_share: held("internalised_share"),
        };
        Ok(Self { config, projection })
    }

    /// Names of the features that a shield reads, in the order of its places.
    pub fn reads() -> impl Iterator<Item = &'static str> {
        let amounts = WITHIN.into_iter().flatten();
        ["fund", "fund_inventory", "in_liquidation"].into_iter().chain(VOLATILITIES).chain(amounts).chain(TRIGGERS)
    }

    /// Its constants.
    #[must_use]
    pub const fn config(&self) -> &ShieldConfig {
        &self.config
    }

    /// What an exported policy carries: the same shield without names.
    #[must_use]
    pub const fn runtime(&self) -> &seawall_runtime::Shield {
        &self.projection
    }

    /// Parameters that a shield may change.
    #[must_use]
    pub fn held(&self) -> [usize; 3] {
        let seawall_runtime::Shield { initial_margin, maintenance_margin, internalised_share, .. } = &self.projection;
        [initial_margin.index, maintenance_margin.index, internalised_share.index]
    }

    /// What an observation says of the backstop.
    #[must_use]
    pub fn read(&self, observation: &[f32]) -> Backstop {
        self.projection.read(observation)
    }

    /// Capital that unwinding an inventory takes at a volatility over the long-run level.
    #[must_use]
    pub fn capital(&self, inventory: f64, volatility: f64) -> f64 {
        self.projection.capital(inventory, volatility)
    }

    /// Largest share of the coming liquidations that the fund may take: none if it holds too much already.
    #[must_use]
    pub fn share_max(&self, backstop: &Backstop) -> f64 {
        self.projection.share_max(backstop)
    }

    /// Holds `action` within what is allowed, in place; returns whether it had to be changed.
    ///
    /// # Panics
    /// If a buffer has the wrong length.
    #[must_use]
    pub fn project(&self, observation: &[f32], action: &mut [f32]) -> bool {
        assert_eq!(action.len(), ACTIONS, "an action has {ACTIONS} entries");
        self.projection.project(observation, action)
    }
}
