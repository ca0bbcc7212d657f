//! A solvency shield: what a policy may not do, whatever it was trained to.
//!
//! Two bounds on decoded actions. The share of liquidations that the insurance fund takes at mark is held so low that
//! the fund could bear unwinding all that a move of 5 % can bring it before the next decision; margin multipliers are held
//! above floors. While an action raises the trigger of liquidations, the fund takes nothing.
//! The shield reads the ordinary observation, so the same code stands before a training environment and behind any
//! policy. What it bounds is what it controls: positions that the fund must take over from bankrupt accounts are a
//! liquidation rule's and not a policy's, and are deliberately not in the modelled set.
//!
//! # Reference
//! The capital of a principal counterparty: [`principal_capital`], the theory T3 of the market crate.

use seawall_env::action::{ACTIONS, PARAMETERS};
use seawall_env::margin::theory::{Unwind, principal_capital};
use seawall_env::spaces::Parameter;
use seawall_env::{Problems, Spec};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::policy::Policy;

/// Constants of the shield.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

/// What the shield reads of an observation; amounts over open interest at reset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backstop {
    /// Equity of the fund, the vault included.
    pub equity: f64,
    /// Size of its inventory.
    pub inventory: f64,
    /// The largest of the observed volatilities, over the long-run level.
    pub volatility: f64,
    /// Notional that a move of 5 % to the worse side would force, with all that is in liquidation already.
    pub exposed: f64,
}

/// Seconds of a year, as volatilities are annualised by.
const YEAR: f64 = 365.25 * 86_400.0;
/// Features of what a move of up to 5 % forces, by side.
const WITHIN: [[&str; 4]; 2] = [
    ["longs_within_50bp", "longs_within_100bp", "longs_within_200bp", "longs_within_500bp"],
    ["shorts_within_50bp", "shorts_within_100bp", "shorts_within_200bp", "shorts_within_500bp"],
];
/// Parameters that decide who is liquidated.
const TRIGGERS: [&str; 2] = ["preemption", "maintenance_margin_multiplier"];
/// Rounding of a level in force, in units of the normalised parameter.
const ROUNDING: f32 = 1e-6;
/// Relative rounding of a margin multiplier as an action in single precision.
const FLOOR_ROUNDING: f64 = 1e-6;
const VOLATILITIES: [&str; 3] = ["volatility_1m", "volatility_10m", "volatility_1h"];

/// Projects actions onto what a fund can bear and a floor allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shield {
    config: ShieldConfig,
    fund: usize,
    inventory: usize,
    in_liquidation: usize,
    volatilities: [usize; 3],
    within: [[usize; 4]; 2],
    /// Levels in force of what decides who is liquidated, as (feature, parameter).
    triggers: [(usize, usize); 2],
    /// Parameters that are held.
    initial: usize,
    maintenance: usize,
    share: usize,
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
        let mut missing = Vec::new();
        let mut find = |name: &str| {
            spec.observation.iter().position(|found| found == name).unwrap_or_else(|| {
                missing.push(name.to_owned());
                0
            })
        };
        let this = Self {
            config,
            fund: find("fund"),
            inventory: find("fund_inventory"),
            in_liquidation: find("in_liquidation"),
            volatilities: VOLATILITIES.map(&mut find),
            within: WITHIN.map(|names| names.map(&mut find)),
            triggers: TRIGGERS.map(|name| (find(name), parameter(name))),
            initial: parameter("initial_margin_multiplier"),
            maintenance: parameter("maintenance_margin_multiplier"),
            share: parameter("internalised_share"),
        };
        if missing.is_empty() { Ok(this) } else { Err(Error::Features { policy: "shield".to_owned(), missing }) }
    }

    /// What an observation says of the backstop.
    #[must_use]
    pub fn read(&self, observation: &[f32]) -> Backstop {
        let fund = self.config.fund;
        let equity = expanded(observation[self.fund]);
        // As it is observed: over the fund's equity, but no less than a hundredth of the fund at reset.
        let inventory = expanded(observation[self.inventory]).abs() * equity.max(0.01) * fund;
        let volatility = self.volatilities.map(|k| libm::exp2(observation[k].into())).into_iter().fold(0.0, f64::max);
        let side = |features: [usize; 4]| features.map(|k| 0.1 * expanded(observation[k])).iter().sum::<f64>();
        let exposed = self.within.map(side).into_iter().fold(0.0, f64::max);
        let exposed = exposed + 0.01 * expanded(observation[self.in_liquidation]);
        Backstop { equity: equity * fund, inventory, volatility, exposed }
    }

    /// Capital that unwinding an inventory takes at a volatility over the long-run level.
    #[must_use]
    pub fn capital(&self, inventory: f64, volatility: f64) -> f64 {
        let Self { config, .. } = self;
        let unwind = Unwind {
            notional: inventory,
            volatility: volatility * config.reference_volatility / YEAR.sqrt(),
            horizon: config.horizon_seconds,
            impact: config.impact,
        };
        principal_capital(unwind, config.confidence)
    }

    /// Largest share of the coming liquidations that the fund may take: none if it holds too much already.
    #[must_use]
    pub fn share_max(&self, backstop: &Backstop) -> f64 {
        let Backstop { equity, inventory, volatility, exposed } = *backstop;
        // Capital is proportional to inventory.
        let per_dollar = self.capital(1.0, volatility);
        let room = (equity / per_dollar - inventory).max(0.0);
        if room > 0.0 && exposed <= room {
            1.0
        } else if room > 0.0 {
            room / exposed
        } else {
            0.0
        }
    }

    /// Holds `action` within what is allowed, in place; returns whether it had to be changed.
    ///
    /// # Panics
    /// If a buffer has the wrong length.
    pub fn project(&self, observation: &[f32], action: &mut [f32]) -> bool {
        assert_eq!(action.len(), ACTIONS, "an action has {ACTIONS} entries");
        let mut is_changed = false;
        let mut set = |index: usize, entry: &mut f32, allowed: f32| {
            debug_assert!((-1.0..=1.0).contains(&allowed), "{}: {allowed}", PARAMETERS[index].name);
            is_changed |= allowed.to_bits() != entry.to_bits();
            *entry = allowed;
        };
        for (index, floor) in
            [(self.initial, self.config.initial_margin_floor), (self.maintenance, self.config.maintenance_margin_floor)]
        {
            // A multiplier that is the floor but for single precision is left alone: it would count as a change.
            let is_at_floor = PARAMETERS[index].decode(action[index].into()) >= floor * (1.0 - FLOOR_ROUNDING);
            let allowed = if is_at_floor { action[index] } else { above(&PARAMETERS[index], floor) };
            set(index, &mut action[index], allowed);
        }
        // What a higher trigger would force nobody has counted yet: the fund takes nothing while one rises.
        let is_rising = self.triggers.iter().any(|(level, entry)| action[*entry] > observation[*level] + ROUNDING);
        let share_max = if is_rising { 0.0 } else { self.share_max(&self.read(observation)) };
        let allowed = below(&PARAMETERS[self.share], share_max).min(action[self.share]);
        set(self.share, &mut action[self.share], allowed);
        is_changed
    }
}

/// Undoes the symmetric logarithm that features pass through.
fn expanded(feature: f32) -> f64 {
    let x = f64::from(feature);
    libm::expm1(x.abs()).copysign(x)
}

/// The greatest action that decodes to `value` or less.
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn below(parameter: &Parameter, value: f64) -> f32 {
    let mut action = parameter.encode(value) as f32;
    while action > -1.0 && parameter.decode(action.into()) > value {
        action = action.next_down().max(-1.0);
    }
    action
}

/// The least action that decodes to `value` or more.
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn above(parameter: &Parameter, value: f64) -> f32 {
    let mut action = parameter.encode(value) as f32;
    while action < 1.0 && parameter.decode(action.into()) < value {
        action = action.next_up().min(1.0);
    }
    action
}

/// A policy behind a shield.
#[derive(Clone, Debug)]
pub struct Shielded {
    name: String,
    policy: Box<dyn Policy>,
    shield: Shield,
    overruled: u64,
}

impl Shielded {
    /// `policy` behind `shield`, under a name of its own.
    #[must_use]
    pub fn new(name: impl Into<String>, policy: Box<dyn Policy>, shield: Shield) -> Self {
        Self { name: name.into(), policy, shield, overruled: 0 }
    }
}

impl Policy for Shielded {
    fn name(&self) -> &str {
        &self.name
    }

    fn reset(&mut self, seed: u64) {
        self.policy.reset(seed);
        self.overruled = 0;
    }

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.policy.act(observation, action);
        self.overruled += u64::from(self.shield.project(observation, action));
    }

    fn overruled(&self) -> Option<u64> {
        Some(self.overruled)
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
