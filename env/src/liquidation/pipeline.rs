//! The eight choices together, and what they resolve to.

use serde::{Deserialize, Serialize};

use super::{
    Backstop, Bonus, CloseSize, Execution, Guard, Incentive, Limit, LimitPrice, LossAllocation, Pace, Route, SizeRule,
    Throttle, Trigger,
};
use crate::action::Controls;
use crate::error::Problems;

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
        self.trigger.validate(&format!("{path}.trigger"), problems);
        self.size.validate(&format!("{path}.size"), problems);
        self.execution.validate(&format!("{path}.execution"), problems);
        self.limit.validate(&format!("{path}.limit"), problems);
        self.throttle.validate(&format!("{path}.throttle"), problems);
        self.incentive.validate(&format!("{path}.incentive"), problems);
        self.backstop.validate(&format!("{path}.backstop"), problems);
        self.allocation.validate(&format!("{path}.allocation"), problems);
    }

    /// The numbers in force under `controls`, so that the hot path does not ask twice.
    #[must_use]
    pub fn resolve(&self, controls: &Controls) -> Rules {
        Rules {
            off: self.trigger == Trigger::Off,
            hazard_z: if let Trigger::Hazard { z } = self.trigger { z } else { 0.0 },
            preemption: match self.trigger {
                Trigger::Preemptive { bp } => bp.resolve(controls.preemption) * 1e-4,
                Trigger::Off | Trigger::Maintenance | Trigger::Hazard { .. } | Trigger::Guarded(_) => 0.0,
            },
            guard: self.trigger.guard(),
            size: self.size.resolve(controls.target_buffer),
            route: self.execution.resolve(controls.internalised_share),
            limit: self.limit.resolve(controls.price_band),
            pace: self.throttle.resolve(controls.capacity, controls.delay),
            bonus: self.incentive.resolve(controls.keeper_bonus),
            backstop: self.backstop,
            allocation: self.allocation,
        }
    }
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
    /// Bounds of the mark price.
    pub guard: Option<Guard>,
    /// Close size.
    pub size: SizeRule,
    /// Execution.
    pub route: Route,
    /// Worst price.
    pub limit: Limit,
    /// Speed.
    pub pace: Pace,
    /// Keeper's discount.
    pub bonus: Bonus,
    /// Backstop.
    pub backstop: Backstop,
    /// Loss allocation.
    pub allocation: LossAllocation,
}
