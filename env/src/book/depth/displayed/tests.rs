//! Every optimised walk is the plain one, to the bit.

use super::*;
use crate::rng::{Purpose, SeedTree};

fn uniform(case: u64, slot: u64) -> f64 {
    SeedTree::new(11).counter(Purpose::World, 0).uniform2(case, slot)[0]
}

/// A side that has been eaten into: empty, thin and full levels in turn.
fn eaten(case: u64) -> (Half, Profile) {
    let profile = Profile::new(&BookConfig::default(), 60_000.0);
    let mut half = Half::new(&profile);
    for (level, coins) in (0..).zip(&mut half.coins) {
        let u = uniform(case, level);
        *coins *= if u < 0.2 { 0.0 } else { narrow(u * u) };
    }
    half.edge = narrow(80.0 * uniform(case, 5_000) - 40.0);
    (half, profile)
}

/// Level by level, each waiting for the one before.
fn quote_one_by_one(half: &Half, coins: f64) -> f64 {
    let (mut left, mut weighted) = (coins, 0.0);
    for (level, &shown) in half.coins.iter().enumerate() {
        let shown = f64::from(shown);
        if shown > 0.0 {
            let part = left.min(shown);
            weighted += part * (offset(level) + 0.5 * LEVEL * part / shown);
            left -= part;
            if left <= 0.0 {
                return weighted / coins;
            }
        }
    }
    (weighted + left * offset(LEVELS)) / coins
}

#[test]
fn a_quote_in_blocks_is_the_walk_level_by_level_to_the_bit() {
    for case in 0..60 {
        let (half, _) = eaten(case);
        for size in 0..20 {
            let coins = libm::exp(-6.0 + 18.0 * uniform(case, 6_000 + size));
            let (blocks, walk) = (half.quote(coins), quote_one_by_one(&half, coins));
            assert_eq!(blocks.to_bits(), walk.to_bits(), "{coins} coins: {blocks} and {walk}");
        }
        // And exactly what is shown up to some level.
        let coins = half.coins[..37].iter().map(|&shown| f64::from(shown)).sum();
        assert_eq!(half.quote(coins).to_bits(), quote_one_by_one(&half, coins).to_bits());
    }
}

#[test]
fn depths_of_both_sides_are_those_of_each_to_the_bit() {
    for case in 0..60 {
        let ((bids, _), (asks, _)) = (eaten(2 * case), eaten(2 * case + 1));
        let far = 0.3 * uniform(case, 7_000);
        let distances = [-1e-4, 1e-4, 0.001, 0.01, 0.011].map(|distance| distance + far);
        let both = Half::depths_of_both([&bids, &asks], distances);
        for (distance, pair) in distances.into_iter().zip(both) {
            let each = [bids.depth(distance), asks.depth(distance)];
            assert_eq!(pair.map(f64::to_bits), each.map(f64::to_bits), "at {distance}");
        }
    }
}

#[test]
fn levels_beyond_the_edge_are_refreshed_as_levels_of_any_other() {
    for case in 0..60 {
        let (mut half, profile) = eaten(case);
        let before = half.clone();
        let (from, to) = if case % 2 == 0 { (0, 32) } else { (32, 74) };
        half.refresh(from, to, 0.7, 0.05, &profile);
        for (level, centre) in CENTRES.iter().enumerate() {
            let open = (centre - (before.edge - 0.5)).clamp(0.0, 1.0);
            let quoted = open * (0.7 * profile.near[level] + profile.far[level]);
            let stood = before.coins[level];
            let expected = if (from..to).contains(&level) { stood + (quoted - stood) * 0.05 } else { stood };
            assert_eq!(half.coins[level].to_bits(), expected.to_bits(), "level {level}, edge {}", before.edge);
        }
    }
}
