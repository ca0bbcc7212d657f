//! The solvency shield: the projection of an action onto what a fund can bear and a floor allows.
//!
//! Pure arithmetic over one observation and one action, the same in training, evaluation and engines. [`mod@crate::format`]
//! says it in steps, for a port. What the observed amounts mean and where the constants come from is the exporter's
//! business; what the shield must refuse to be is checked by [`Shield::check`].

use crate::error::FormatError;
use crate::format::{Group, Parameter, Scale};
use crate::reader::Reader;

/// Numbers of a shield.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// Quantile of the standard normal distribution, at the probability with which the fund shall cover its inventory.
    pub quantile: f64,
    /// Seconds until an inventory is unwound.
    pub horizon_seconds: f64,
    /// Share of the price by which selling the whole inventory moves it.
    pub impact: f64,
    /// Long-run volatility that observed ratios stand over, annualised.
    pub reference_volatility: f64,
    /// Fund at reset over open interest at reset.
    pub fund: f64,
    /// Least initial margin, over the venue's static one.
    pub initial_margin_floor: f64,
    /// Least maintenance margin, over the venue's static one.
    pub maintenance_margin_floor: f64,
}

/// Where an observation holds what the shield reads: indices of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Equity of the fund over that at reset, through the symmetric logarithm.
    pub fund: usize,
    /// Inventory of the fund over its equity, through the symmetric logarithm.
    pub inventory: usize,
    /// Hundredths of open interest at reset that are in liquidation, through the symmetric logarithm.
    pub in_liquidation: usize,
    /// Binary logarithms of volatilities over the long-run level.
    pub volatilities: [usize; 3],
    /// By side, tenths of open interest at reset that moves of up to 5 % force, through the symmetric logarithm.
    pub within: [[usize; 4]; 2],
    /// Levels in force, as entries of an action, of what decides who is liquidated.
    pub triggers: [usize; 2],
}

/// A parameter that the shield holds: its entry of the action, and what that decodes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Index of the entry.
    pub index: usize,
    /// Way from the action's interval to the bounds.
    pub scale: Scale,
    /// Decoded value at -1.
    pub low: f64,
    /// Decoded value at +1.
    pub high: f64,
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

/// Projects actions onto what a fund can bear and a floor allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shield {
    /// Its numbers.
    pub constants: Constants,
    /// What it reads.
    pub observed: Observed,
    /// Entries of the action that decide who is liquidated, in the order of [`Observed::triggers`].
    pub triggers: [usize; 2],
    /// Multiplier of the initial margin.
    pub initial_margin: Held,
    /// Multiplier of the maintenance margin.
    pub maintenance_margin: Held,
    /// Share of liquidations that the fund takes at mark.
    pub internalised_share: Held,
}

/// Seconds of a year, as volatilities are annualised by.
pub const YEAR: f64 = 365.25 * 86_400.0;
/// Rounding of a level in force, in units of the action.
pub const ROUNDING: f32 = 1e-6;
/// Relative rounding of a margin multiplier as an action in single precision.
pub const FLOOR_ROUNDING: f64 = 1e-6;
/// Least equity that an inventory is observed over, as a share of the fund at reset.
pub const EQUITY_MIN: f64 = 0.01;

impl Shield {
    /// Makes sure that what the shield promises can be promised over these parameters, all in the order of the action.
    ///
    /// # Errors
    /// [`FormatError::Shield`] with the first field that is out of its bounds.
    pub fn check<'a>(
        &self,
        observation: usize,
        parameter: impl Fn(usize) -> Option<Parameter<'a>>,
    ) -> Result<(), FormatError> {
        let require = |holds: bool, field| if holds { Ok(()) } else { Err(FormatError::Shield { field }) };
        let Constants { quantile, horizon_seconds, impact, reference_volatility, fund, .. } = self.constants;
        let positive = |x: f64| x > 0.0 && x.is_finite();
        require(quantile >= 0.0 && quantile.is_finite(), "quantile")?;
        require(positive(horizon_seconds), "horizon")?;
        require((0.0..=1.0).contains(&impact), "impact")?;
        require(positive(reference_volatility), "reference volatility")?;
        require(positive(fund), "fund")?;
        require(self.observed.to_array().iter().all(|place| *place < observation), "entry of the observation")?;
        let known = self.triggers.iter().all(|index| parameter(*index).is_some());
        require(known, "entry of the action")?;
        let floors = self.constants;
        for (held, floor, field) in [
            (self.initial_margin, floors.initial_margin_floor, "initial margin"),
            (self.maintenance_margin, floors.maintenance_margin_floor, "maintenance margin"),
        ] {
            let parameter = parameter(held.index).ok_or(FormatError::Shield { field: "entry of the action" })?;
            let is_floor = (parameter.low..=parameter.high).contains(&floor);
            // An engine that falls back, or that limits steps, must not start below.
            require(held == Held::of(held.index, &parameter), field)?;
            require(is_floor && parameter.neutral >= floor * (1.0 - FLOOR_ROUNDING), field)?;
        }
        let held = self.internalised_share;
        let share = parameter(held.index).ok_or(FormatError::Shield { field: "entry of the action" })?;
        let is_share = share.low.to_bits() == 0.0_f64.to_bits() && share.high.to_bits() == 1.0_f64.to_bits();
        let is_free = share.group == Group::Fast && share.max_change >= 2.0 && share.neutral <= 0.0;
        require(is_share && is_free && held == Held::of(held.index, &share), "internalised share")
    }

    /// What an observation says of the backstop.
    ///
    /// # Panics
    /// If the observation is too short.
    #[must_use]
    pub fn read(&self, observation: &[f32]) -> Backstop {
        let (fund, observed) = (self.constants.fund, &self.observed);
        let equity = expanded(observation[observed.fund]);
        // As it is observed: over the fund's equity, but no less than a hundredth of the fund at reset.
        let inventory = expanded(observation[observed.inventory]).abs() * equity.max(EQUITY_MIN) * fund;
        let mut volatility = 0.0_f64;
        for place in observed.volatilities {
            volatility = volatility.max(libm::exp2(observation[place].into()));
        }
        // Amounts are never negative; an observation that no market makes must not lower what is exposed.
        let amount = |place: usize| expanded(observation[place]).max(0.0);
        let mut exposed = 0.0_f64;
        for side in observed.within {
            let [a, b, c, d] = side.map(|place| 0.1 * amount(place));
            exposed = exposed.max(a + b + c + d);
        }
        let exposed = exposed + 0.01 * amount(observed.in_liquidation);
        Backstop { equity: equity * fund, inventory, volatility, exposed }
    }

    /// Capital that unwinding an inventory takes at a volatility over the long-run level.
    ///
    /// # Reference
    /// The capital of a principal counterparty, the market crate's theory T3.
    #[must_use]
    pub fn capital(&self, inventory: f64, volatility: f64) -> f64 {
        let Constants { quantile, horizon_seconds, impact, reference_volatility, .. } = self.constants;
        let per_second = volatility * reference_volatility / libm::sqrt(YEAR);
        quantile * per_second * inventory * libm::sqrt(horizon_seconds / 3.0) + 0.5 * impact * inventory
    }

    /// Largest share of the coming liquidations that the fund may take: none if it holds too much already.
    #[must_use]
    pub fn share_max(&self, backstop: &Backstop) -> f64 {
        let Backstop { equity, inventory, volatility, exposed } = *backstop;
        // Capital is proportional to inventory.
        let per_dollar = self.capital(1.0, volatility);
        // Not a number where infinities meet: no room then.
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
    /// # Shapes
    /// `observation` is `[D]` and finite, `action` is `[A]` with every entry in `[-1, 1]`.
    ///
    /// # Panics
    /// If a buffer is too short.
    pub fn project(&self, observation: &[f32], action: &mut [f32]) -> bool {
        let mut is_changed = false;
        let mut set = |entry: &mut f32, allowed: f32| {
            is_changed |= allowed.to_bits() != entry.to_bits();
            *entry = allowed;
        };
        for (held, floor) in [
            (&self.initial_margin, self.constants.initial_margin_floor),
            (&self.maintenance_margin, self.constants.maintenance_margin_floor),
        ] {
            // A multiplier that is the floor but for single precision is left alone: it would count as a change.
            if held.decode(action[held.index]) < floor * (1.0 - FLOOR_ROUNDING) {
                set(&mut action[held.index], held.above(floor));
            }
        }
        // What a higher trigger would force nobody has counted yet: the fund takes nothing while one rises.
        let levels = self.observed.triggers.iter().zip(&self.triggers);
        let mut is_rising = false;
        for (level, entry) in levels {
            is_rising |= action[*entry] > observation[*level] + ROUNDING;
        }
        let share_max = if is_rising { 0.0 } else { self.share_max(&self.read(observation)) };
        let share = &mut action[self.internalised_share.index];
        let allowed = self.internalised_share.below(share_max).min(*share);
        set(share, allowed);
        is_changed
    }

    /// Reads the section of a file; `parameter` gives those of the action.
    pub(crate) fn read_from<'a>(
        reader: &mut Reader<'_>,
        parameter: impl Fn(usize) -> Option<Parameter<'a>>,
    ) -> Result<Self, FormatError> {
        let mut places = [0; OBSERVED + STEERED];
        for place in &mut places {
            *place = usize::from(reader.u16()?);
        }
        let [fund, inventory, in_liquidation, v1, v2, v3, l1, l2, l3, l4, s1, s2, s3, s4, t1, t2, steered @ ..] =
            places;
        let [trigger_1, trigger_2, initial, maintenance, share] = steered;
        let held = |index: usize| {
            let parameter = parameter(index).ok_or(FormatError::Shield { field: "entry of the action" })?;
            Ok(Held::of(index, &parameter))
        };
        Ok(Self {
            constants: Constants {
                quantile: reader.f64()?,
                horizon_seconds: reader.f64()?,
                impact: reader.f64()?,
                reference_volatility: reader.f64()?,
                fund: reader.f64()?,
                initial_margin_floor: reader.f64()?,
                maintenance_margin_floor: reader.f64()?,
            },
            observed: Observed {
                fund,
                inventory,
                in_liquidation,
                volatilities: [v1, v2, v3],
                within: [[l1, l2, l3, l4], [s1, s2, s3, s4]],
                triggers: [t1, t2],
            },
            triggers: [trigger_1, trigger_2],
            initial_margin: held(initial)?,
            maintenance_margin: held(maintenance)?,
            internalised_share: held(share)?,
        })
    }

    /// Entries of the action, in the order of the file.
    pub(crate) const fn steered(&self) -> [usize; STEERED] {
        let [a, b] = self.triggers;
        [a, b, self.initial_margin.index, self.maintenance_margin.index, self.internalised_share.index]
    }
}

/// Entries of an observation that a shield reads.
const OBSERVED: usize = 16;
/// Entries of an action that it reads or holds.
const STEERED: usize = 5;

impl Observed {
    /// All of them, in the order of the file.
    #[must_use]
    pub const fn to_array(&self) -> [usize; OBSERVED] {
        let Self { fund, inventory, in_liquidation, volatilities: [v1, v2, v3], within, triggers: [t1, t2] } = *self;
        let [[l1, l2, l3, l4], [s1, s2, s3, s4]] = within;
        [fund, inventory, in_liquidation, v1, v2, v3, l1, l2, l3, l4, s1, s2, s3, s4, t1, t2]
    }
}

impl Constants {
    /// All of them, in the order of the file.
    pub(crate) const fn to_array(self) -> [f64; 7] {
        let Self { quantile, horizon_seconds, impact, reference_volatility, fund, .. } = self;
        let [initial, maintenance] = [self.initial_margin_floor, self.maintenance_margin_floor];
        [quantile, horizon_seconds, impact, reference_volatility, fund, initial, maintenance]
    }
}

impl Held {
    /// The entry of a parameter.
    #[must_use]
    pub const fn of(index: usize, parameter: &Parameter<'_>) -> Self {
        Self { index, scale: parameter.scale, low: parameter.low, high: parameter.high }
    }

    /// As [`Parameter::decode`], of an entry in `[-1, 1]`.
    #[must_use]
    pub fn decode(&self, action: f32) -> f64 {
        self.scale.decode(self.low, self.high, action)
    }

    /// The greatest action that decodes to `value`, which is within the bounds, or less.
    #[must_use]
    pub fn below(&self, value: f64) -> f32 {
        let mut action = self.scale.encode(self.low, self.high, value);
        while action > -1.0 && self.decode(action) > value {
            action = action.next_down().max(-1.0);
        }
        action
    }

    /// The least action that decodes to `value`, which is within the bounds, or more.
    #[must_use]
    pub fn above(&self, value: f64) -> f32 {
        let mut action = self.scale.encode(self.low, self.high, value);
        while action < 1.0 && self.decode(action) < value {
            action = action.next_up().min(1.0);
        }
        action
    }
}

/// Undoes the symmetric logarithm that features pass through.
fn expanded(feature: f32) -> f64 {
    let x = f64::from(feature);
    libm::expm1(x.abs()).copysign(x)
}
