//! Integer mathematics of one stretch of constant liquidity.
//!
//! A root of price is in units of 2⁻⁶⁴, of micro-dollars per 1e-8 coin; liquidity is the root of micro-dollars times
//! 1e-8 coins. With x coins and y dollars (real reserves over virtual ones), L² = x·y and √P = y / L, so that
//! Δ(1/√P) = Δx / L and Δ√P = Δy / L. Products go through 256 bits, and each function is one division.
//!
//! # Reference
//! Adams et al. 2021, *Uniswap v3 Core*, equations 6.13 to 6.16.

use ethnum::U256;

use crate::units::Rounding;

/// Binary digits behind the point of a root of price.
pub(super) const FRACTION: u32 = 64;

fn divide(product: U256, divisor: U256, rounding: Rounding) -> u128 {
    let quotient = match rounding {
        Rounding::Floor => product / divisor,
        Rounding::Ceil => product / divisor + U256::from(product % divisor != U256::ZERO),
    };
    u128::try_from(quotient).expect("a pool's reserves fit in 128 bits")
}

/// Raw coins between the roots `low` and `high`: L·(1/low − 1/high).
pub(super) fn coins_between(liquidity: u128, low: u128, high: u128, rounding: Rounding) -> u128 {
    let product = (U256::from(liquidity) << FRACTION) * U256::from(high - low);
    divide(product, U256::from(low) * U256::from(high), rounding)
}

/// Raw dollars between the roots `low` and `high`: L·(high − low).
pub(super) fn dollars_between(liquidity: u128, low: u128, high: u128, rounding: Rounding) -> u128 {
    divide(U256::from(liquidity) * U256::from(high - low), U256::ONE << FRACTION, rounding)
}

/// Root of price after `coins` left the pool, rounded up: 1/√P′ = 1/√P − coins / L.
///
/// # Panics
/// If there are fewer coins above the price.
pub(super) fn after_purchase(liquidity: u128, root: u128, coins: u128) -> u128 {
    let scaled = U256::from(liquidity) << FRACTION;
    let taken = U256::from(coins) * U256::from(root);
    assert!(taken < scaled, "a pool sells no more coins than it has");
    divide(U256::from(root) * scaled, scaled - taken, Rounding::Ceil)
}

/// Root of price after `coins` came into the pool, rounded up: 1/√P′ = 1/√P + coins / L.
pub(super) fn after_sale(liquidity: u128, root: u128, coins: u128) -> u128 {
    let scaled = U256::from(liquidity) << FRACTION;
    divide(U256::from(root) * scaled, scaled + U256::from(coins) * U256::from(root), Rounding::Ceil)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: u128 = 1 << FRACTION;

    #[test]
    fn amounts_are_those_of_the_whitepaper() {
        // L = 1,000 from √P = 1 to √P = 2: Δx = 1,000·(1 − 1/2), Δy = 1,000·(2 − 1).
        assert_eq!(coins_between(1_000, ONE, 2 * ONE, Rounding::Floor), 500);
        assert_eq!(dollars_between(1_000, ONE, 2 * ONE, Rounding::Floor), 1_000);
        assert_eq!(after_purchase(1_000, ONE, 500), 2 * ONE);
        assert_eq!(after_sale(1_000, 2 * ONE, 500), ONE);
        // 1,000·(1 − 1/3) = 666.7 and 1,000·(1/2) of a third.
        assert_eq!(coins_between(1_000, ONE, 3 * ONE, Rounding::Floor), 666);
        assert_eq!(coins_between(1_000, ONE, 3 * ONE, Rounding::Ceil), 667);
        assert_eq!(dollars_between(1_001, ONE, ONE + ONE / 2, Rounding::Floor), 500);
        assert_eq!(dollars_between(1_001, ONE, ONE + ONE / 2, Rounding::Ceil), 501);
    }

    #[test]
    fn roots_round_up_both_ways() {
        // 1/√P′ = 1 ∓ 1/3 has no binary end: √P′ = 3/2 exactly, 3/4 exactly; 1 ∓ 1/7: 7/6 and 7/8.
        assert_eq!(after_purchase(3, ONE, 1), ONE + ONE / 2);
        assert_eq!(after_sale(3, ONE, 1), ONE / 4 * 3);
        assert_eq!(after_purchase(7, ONE, 1), ONE * 7 / 6 + 1);
        assert_eq!(after_sale(5, ONE, 1), ONE * 5 / 6 + 1);
    }
}
