//! The market and the lender of 22 November 2022, when a squeezed short of CRV left Aave with bad debt.

use seawall_env::liquidation::{CloseSize, Dial, Incentive, Pipeline, Preset, Then};
use seawall_env::margin::MarginConfig;
use seawall_env::participants::adversaries::AdversaryConfig;
use seawall_env::scenario::Scenario;

/// Loan to value beyond which keepers may buy (Blockworks).
const THRESHOLD: f64 = 0.88;
/// Loan to value of the short before the squeeze: 50 million dollars against 58 (Blockworks, 12:20 Eastern time).
const STANDING: f64 = 50.0 / 58.0;
/// Keepers' bonus on dollars as collateral (Aave, AIP-39 of September 2021).
const BONUS: f64 = 0.04;
/// How far the price rises within fifty minutes, as a log return: `ln(0.71/0.63)` is 0.12, from where the short became
/// liquidable to the highest price.
const RISE: [f64; 2] = [0.10, 0.14];
const RISE_SECONDS: f64 = 3_000.0;
/// Size of the short over open interest: ours. Its 50 million dollars were about all of the perpetuals' open interest.
const SIZE: f64 = 0.5;

/// A thin market in which one short has taken out what it could before the price rises, and a lender by the rules of the day:
/// keepers repay half at a time for a fixed bonus, however little is left.
///
/// The whole rise comes from elsewhere, whether keepers buy or not; on the day, part of it was theirs.
pub(super) fn november_2022() -> (Scenario, Pipeline) {
    let mut scenario = Scenario::shipped("jelly").expect("the scenario is shipped");
    for adversary in &mut scenario.adversaries {
        if let AdversaryConfig::Jelly(jelly) = adversary {
            (jelly.size, jelly.capital) = (SIZE, SIZE);
            (jelly.log_return, jelly.push_seconds) = (RISE, RISE_SECONDS);
        }
    }
    let later = Preset::shipped("aave_v3").expect("the venue is shipped");
    let mut scenario = later.furnish(scenario);
    scenario.margin = margin(&scenario.margin);
    let size = CloseSize::Fraction { share: 0.5, full_below: 0.0, then: Then::Repeat, full_under_health: 0.0 };
    // A bonus on what is repaid, as a discount on what is bought.
    let incentive = Incentive::Fixed { bp: Dial::Fixed(1e4 * BONUS / (1.0 + BONUS)) };
    (scenario, Pipeline { size, incentive, ..later.pipeline })
}

fn margin(later: &MarginConfig) -> MarginConfig {
    let mut margin = later.clone();
    for tier in &mut margin.tiers {
        (tier.maintenance, tier.max_leverage) = (1.0 - THRESHOLD, 1.0 / (1.0 - STANDING));
    }
    margin
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_env::liquidation::presets;
    use seawall_env::scenario::RewardConfig;
    use seawall_env::{Groups, Task};

    #[test]
    fn the_market_and_its_lender_are_valid_and_the_short_can_become_toxic() {
        let (scenario, lender) = november_2022();
        Task::new(vec![scenario.clone()], lender, RewardConfig::default(), Groups::default()).unwrap();
        // From 50/58 a rise by 10 % alone passes the threshold, and by 14 % the frontier of 1/1.04 too.
        assert!(STANDING * libm::exp(RISE[0]) > THRESHOLD);
        assert!(STANDING * libm::exp(RISE[1]) > 1.0 / (1.0 + BONUS));
        let tier = &scenario.margin.tiers[0];
        assert!((tier.maintenance - 0.12).abs() < 1e-12 && (tier.max_leverage - 7.25).abs() < 1e-9);
        assert_eq!(lender.allocation, presets::by_name("aave_v3").unwrap().allocation);
    }
}
