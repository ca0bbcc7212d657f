//! The eight slots of a liquidation engine: every venue is a choice in each.
//!
//! trigger → close size → execution → limit price → throttle → incentive → backstop → loss allocation. A preset is
//! data over these types, never a code path of its own. Where a number can be moved by a controller it is a
//! [`Dial`].

use serde::{Deserialize, Serialize};

use crate::action::Controls;
use crate::error::Problems;

/// A number that the venue fixes or leaves to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dial {
    /// Set by the venue's rules.
    Fixed(f64),
    /// Moved by the controller.
    Controlled,
}

impl Dial {
    /// The value in force.
    #[inline]
    #[must_use]
    pub const fn resolve(self, controlled: f64) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Controlled => controlled,
        }
    }

    fn validate(self, field: String, low: f64, high: f64, problems: &mut Problems) {
        if let Self::Fixed(value) = self {
            problems.range(field, value, low, high);
        }
    }
}

/// Slot 1: when an account enters liquidation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// Never: the counterfactual against which amplification is measured.
    Off,
    /// Equity below maintenance margin.
    Maintenance,
    /// Equity below `z` ten-minute standard deviations of the position, if that comes before maintenance: the
    /// hazard P(E < 0 within ten minutes) above Φ(−z) under EWMA volatility.
    Hazard {
        /// Standard deviations.
        z: f64,
    },
    /// Equity below a share of the position that somebody else predicts, if that comes before maintenance.
    Preemptive {
        /// Basis points of notional.
        bp: Dial,
    },
}

/// Slot 2: how much of the position is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CloseSize {
    /// All of it.
    Full,
    /// A fixed share of what is left, and all of a small position (Hyperliquid: 20 % above 100,000 dollars).
    Fraction {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// As much as restores the margin ratio to maintenance · (1 + buffer) at the book's cost: theory T1.
    RestoreToBuffer {
        /// Buffer over maintenance.
        buffer: Dial,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
}

/// Slot 3: who takes the other side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Execution {
    /// Market orders on the home book.
    Book,
    /// Keepers take over at a discount while they will, the book gets the rest.
    KeepersThenBook,
    /// The insurance fund takes a share at mark and unwinds it later; keepers and the book get the rest.
    Internalised {
        /// The fund's share of each slice.
        share: Dial,
    },
}

/// Slot 4: the worst price of a slice on the book.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LimitPrice {
    /// None: a market order.
    Unlimited,
    /// The account's bankruptcy price: what does not fill there is the backstop's (`BitMEX`, Binance).
    Bankruptcy,
    /// A band around mark.
    Band {
        /// Basis points.
        bp: Dial,
    },
}

/// Slot 5: how fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Throttle {
    /// As fast as accounts trigger.
    Unlimited,
    /// One slice per account and interval (Hyperliquid: 30 s).
    PerAccount {
        /// Seconds between slices.
        delay: Dial,
    },
    /// Market-wide capacity, relative to the depth within 5 %, per minute; and a wait per account.
    DepthCapacity {
        /// Forced volume per minute over depth.
        capacity: Dial,
        /// Seconds between slices of one account.
        delay: Dial,
    },
    /// Market-wide capacity in dollars per window (Synthetix v3).
    Window {
        /// Dollars per window.
        notional: f64,
        /// Seconds.
        seconds: f64,
    },
}

/// Slot 6: what a keeper earns for taking a position over.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Incentive {
    /// A fixed discount to mark.
    Fixed {
        /// Basis points.
        bp: Dial,
    },
    /// A discount that grows while the account waits (Drift).
    Ramp {
        /// Basis points at once.
        start_bp: f64,
        /// Basis points more per second.
        bp_per_second: f64,
        /// Basis points at most.
        max_bp: f64,
    },
}

/// Slot 7: what stands behind an account that cannot pay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Backstop {
    /// The fund pays deficits after the market has closed the position, and takes no position itself.
    PayOnly,
    /// The fund takes positions over at bankruptcy and unwinds them, up to an inventory limit.
    TakeOver {
        /// Share of maintenance below which it does (Hyperliquid: two thirds); zero is bankruptcy. What is left of the
        /// account's equity is the fund's.
        below: f64,
        /// Largest inventory, as a multiple of the fund's equity.
        max_leverage: f64,
        /// Share of the depth within 1 % that it unwinds per minute.
        unwind: f64,
    },
}

/// Slot 8: who bears what the backstop cannot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LossAllocation {
    /// Auto-deleveraging by rank: profit share times effective leverage (`BitMEX`, Hyperliquid).
    Queue,
    /// Auto-deleveraging of all winners in proportion to their profit (Drift, Paradex).
    ProRata,
    /// The deficit is taken from winners' balances; positions stay (early clawback venues).
    Socialised,
}

/// A liquidation engine: one choice per slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// When.
    pub trigger: Trigger,
    /// How much.
    pub size: CloseSize,
    /// To whom.
    pub execution: Execution,
    /// At what worst price.
    pub limit: LimitPrice,
    /// How fast.
    pub throttle: Throttle,
    /// For what reward.
    pub incentive: Incentive,
    /// With what behind it.
    pub backstop: Backstop,
    /// And who bears the rest.
    pub allocation: LossAllocation,
}

impl Pipeline {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let field = |name: &str| format!("{path}.{name}");
        match self.trigger {
            Trigger::Off | Trigger::Maintenance => {}
            Trigger::Hazard { z } => {
                problems.range(field("trigger.hazard.z"), z, 0.0, 10.0);
            }
            Trigger::Preemptive { bp } => bp.validate(field("trigger.preemptive.bp"), 0.0, 2_000.0, problems),
        }
        match self.size {
            CloseSize::Full => {}
            CloseSize::Fraction { share, full_below } => {
                problems.range(field("size.fraction.share"), share, 1e-3, 1.0);
                problems.range(field("size.fraction.full_below"), full_below, 0.0, 1e12);
            }
            CloseSize::RestoreToBuffer { buffer, full_below } => {
                buffer.validate(field("size.restore_to_buffer.buffer"), 0.0, 10.0, problems);
                problems.range(field("size.restore_to_buffer.full_below"), full_below, 0.0, 1e12);
            }
        }
        if let Execution::Internalised { share } = self.execution {
            share.validate(field("execution.internalised.share"), 0.0, 1.0, problems);
        }
        if let LimitPrice::Band { bp } = self.limit {
            bp.validate(field("limit.band.bp"), 0.1, 10_000.0, problems);
        }
        match self.throttle {
            Throttle::Unlimited => {}
            Throttle::PerAccount { delay } => {
                delay.validate(field("throttle.per_account.delay"), 0.0, 86_400.0, problems);
            }
            Throttle::DepthCapacity { capacity, delay } => {
                capacity.validate(field("throttle.depth_capacity.capacity"), 1e-4, 1e3, problems);
                delay.validate(field("throttle.depth_capacity.delay"), 0.0, 86_400.0, problems);
            }
            Throttle::Window { notional, seconds } => {
                problems.range(field("throttle.window.notional"), notional, 1.0, 1e12);
                problems.range(field("throttle.window.seconds"), seconds, 0.2, 86_400.0);
            }
        }
        match self.incentive {
            Incentive::Fixed { bp } => bp.validate(field("incentive.fixed.bp"), 0.0, 2_000.0, problems),
            Incentive::Ramp { start_bp, bp_per_second, max_bp } => {
                problems.range(field("incentive.ramp.start_bp"), start_bp, 0.0, 2_000.0);
                problems.range(field("incentive.ramp.bp_per_second"), bp_per_second, 0.0, 100.0);
                problems.range(field("incentive.ramp.max_bp"), max_bp, start_bp, 2_000.0);
            }
        }
        if let Backstop::TakeOver { below, max_leverage, unwind } = self.backstop {
            problems.range(field("backstop.take_over.below"), below, 0.0, 1.0);
            problems.range(field("backstop.take_over.max_leverage"), max_leverage, 0.0, 100.0);
            problems.range(field("backstop.take_over.unwind"), unwind, 1e-4, 1e3);
        }
    }

    /// The numbers in force under `controls`, so that the hot path does not ask twice.
    #[must_use]
    pub fn resolve(&self, controls: &Controls) -> Rules {
        Rules {
            hazard_z: if let Trigger::Hazard { z } = self.trigger { z } else { 0.0 },
            preemption: match self.trigger {
                Trigger::Preemptive { bp } => bp.resolve(controls.preemption) * 1e-4,
                Trigger::Off | Trigger::Maintenance | Trigger::Hazard { .. } => 0.0,
            },
            off: self.trigger == Trigger::Off,
            size: match self.size {
                CloseSize::RestoreToBuffer { buffer, full_below } => {
                    SizeRule::Restore { buffer: buffer.resolve(controls.target_buffer), full_below }
                }
                CloseSize::Fraction { share, full_below } => SizeRule::Share { share, full_below },
                CloseSize::Full => SizeRule::Share { share: 1.0, full_below: 0.0 },
            },
            internalised: match self.execution {
                Execution::Internalised { share } => share.resolve(controls.internalised_share),
                Execution::Book | Execution::KeepersThenBook => 0.0,
            },
            keepers: self.execution != Execution::Book,
            limit: match self.limit {
                LimitPrice::Band { bp } => Limit::Band(bp.resolve(controls.price_band) * 1e-4),
                LimitPrice::Bankruptcy => Limit::Bankruptcy,
                LimitPrice::Unlimited => Limit::Unlimited,
            },
            pace: match self.throttle {
                Throttle::Unlimited => Pace::default(),
                Throttle::PerAccount { delay } => Pace { delay: delay.resolve(controls.delay), ..Pace::default() },
                Throttle::DepthCapacity { capacity, delay } => Pace {
                    delay: delay.resolve(controls.delay),
                    depth_per_second: Some(capacity.resolve(controls.capacity) / 60.0),
                    dollars_per_second: None,
                },
                Throttle::Window { notional, seconds } => {
                    Pace { dollars_per_second: Some(notional / seconds), ..Pace::default() }
                }
            },
            bonus: match self.incentive {
                Incentive::Fixed { bp } => (bp.resolve(controls.keeper_bonus) * 1e-4, 0.0, f64::INFINITY),
                Incentive::Ramp { start_bp, bp_per_second, max_bp } => {
                    (start_bp * 1e-4, bp_per_second * 1e-4, max_bp * 1e-4)
                }
            },
            backstop: self.backstop,
            allocation: self.allocation,
        }
    }
}

/// How much of a position a slice closes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum SizeRule {
    /// A share of what is left.
    Share {
        /// Share of the position.
        share: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
    /// Up to maintenance · (1 + buffer).
    Restore {
        /// Buffer over maintenance.
        buffer: f64,
        /// Notional at or below which the whole position goes, in dollars.
        full_below: f64,
    },
}

/// Worst price of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Limit {
    /// None.
    Unlimited,
    /// The account's bankruptcy price.
    Bankruptcy,
    /// A relative distance from mark.
    Band(f64),
}

/// Speed of forced flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Seconds between slices of one account.
    pub delay: f64,
    /// Market-wide volume per second, relative to the depth within 5 %.
    pub depth_per_second: Option<f64>,
    /// Market-wide volume per second, in dollars.
    pub dollars_per_second: Option<f64>,
}

/// A pipeline with every dial set: what the market runs during one decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// No liquidation at all.
    pub off: bool,
    /// Standard deviations of the hazard trigger; zero is maintenance alone.
    pub hazard_z: f64,
    /// Least equity over notional; zero is maintenance alone.
    pub preemption: f64,
    /// Close size.
    pub size: SizeRule,
    /// Fund's share of each slice.
    pub internalised: f64,
    /// Whether keepers may take over.
    pub keepers: bool,
    /// Worst price.
    pub limit: Limit,
    /// Speed.
    pub pace: Pace,
    /// Keeper's discount: at once, per second of waiting, at most; fractions of mark.
    pub bonus: (f64, f64, f64),
    /// Backstop.
    pub backstop: Backstop,
    /// Loss allocation.
    pub allocation: LossAllocation,
}

impl Rules {
    /// Keeper's discount for an account that has waited `seconds`.
    #[inline]
    #[must_use]
    pub fn bonus_after(&self, seconds: f64) -> f64 {
        let (start, slope, most) = self.bonus;
        (start + slope * seconds).min(most)
    }
}
