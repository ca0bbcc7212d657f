//! Venues as data over the eight slots.

use super::{Backstop, CloseSize, Dial, Execution, Incentive, LimitPrice, LossAllocation, Pipeline, Throttle, Trigger};

/// Names of the presets, in the order of the generations.
pub const NAMES: [&str; 5] = ["legacy_full", "partial_sliced", "hyperliquid_like", "seawall", "off"];

/// A preset by name.
#[must_use]
pub fn by_name(name: &str) -> Option<Pipeline> {
    match name {
        "legacy_full" => Some(LEGACY_FULL),
        "partial_sliced" => Some(PARTIAL_SLICED),
        "hyperliquid_like" => Some(HYPERLIQUID_LIKE),
        "seawall" => Some(SEAWALL),
        "off" => Some(OFF),
        _ => None,
    }
}

/// Generation 1: the whole position at once, at its bankruptcy price or better; what does not fill there is the fund's
/// to pay for, and then the winners'. `BitMEX` and its imitators until about 2018.
pub const LEGACY_FULL: Pipeline = Pipeline {
    trigger: Trigger::Maintenance,
    size: CloseSize::Full,
    execution: Execution::Book,
    limit: LimitPrice::Bankruptcy,
    throttle: Throttle::Unlimited,
    incentive: Incentive::Fixed { bp: Dial::Fixed(0.0) },
    backstop: Backstop::PayOnly,
    allocation: LossAllocation::Queue,
};

/// Generations 2 and 3: partial closes in slices of the book's depth, with a wait between them, keepers, and a fund
/// that takes over at bankruptcy. Capacity, buffer and wait are the policy's: the dynamic part.
pub const PARTIAL_SLICED: Pipeline = Pipeline {
    trigger: Trigger::Maintenance,
    size: CloseSize::RestoreToBuffer { buffer: Dial::Controlled, full_below: 1_000.0 },
    execution: Execution::KeepersThenBook,
    limit: LimitPrice::Band { bp: Dial::Controlled },
    throttle: Throttle::DepthCapacity { capacity: Dial::Controlled, delay: Dial::Controlled },
    incentive: Incentive::Fixed { bp: Dial::Controlled },
    backstop: Backstop::TakeOver { below: 0.0, max_leverage: 2.0, unwind: 2.0 },
    allocation: LossAllocation::Queue,
};

/// Hyperliquid's documented engine on one asset: 20 % first above 100,000 dollars, 30 s between slices, takeover
/// below two thirds of maintenance, deleveraging queue. Its cooldown semantics are contradictory in the sources; this
/// one repeats the 20 % after each cooldown.
pub const HYPERLIQUID_LIKE: Pipeline = Pipeline {
    trigger: Trigger::Maintenance,
    size: CloseSize::Fraction { share: 0.2, full_below: 100_000.0 },
    execution: Execution::Book,
    limit: LimitPrice::Unlimited,
    throttle: Throttle::PerAccount { delay: Dial::Fixed(30.0) },
    incentive: Incentive::Fixed { bp: Dial::Fixed(0.0) },
    backstop: Backstop::TakeOver { below: 2.0 / 3.0, max_leverage: 10.0, unwind: 0.5 },
    allocation: LossAllocation::Queue,
};

/// What a controller runs on: every dial is its own, and the fund takes a share of slices at mark.
pub const SEAWALL: Pipeline = Pipeline {
    trigger: Trigger::Preemptive { bp: Dial::Controlled },
    size: CloseSize::RestoreToBuffer { buffer: Dial::Controlled, full_below: 1_000.0 },
    execution: Execution::Internalised { share: Dial::Controlled },
    limit: LimitPrice::Band { bp: Dial::Controlled },
    throttle: Throttle::DepthCapacity { capacity: Dial::Controlled, delay: Dial::Controlled },
    incentive: Incentive::Fixed { bp: Dial::Controlled },
    backstop: Backstop::TakeOver { below: 0.0, max_leverage: 2.0, unwind: 2.0 },
    allocation: LossAllocation::ProRata,
};

/// No liquidation: the counterfactual behind price amplification, not a venue.
pub const OFF: Pipeline = Pipeline { trigger: Trigger::Off, ..LEGACY_FULL };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problems;

    #[test]
    fn every_preset_is_valid_and_found_by_its_name() {
        for name in NAMES {
            let mut problems = Problems::default();
            by_name(name).unwrap().validate(name, &mut problems);
            assert_eq!(problems.to_string(), "");
        }
        assert_eq!(by_name("no such venue"), None);
    }
}
