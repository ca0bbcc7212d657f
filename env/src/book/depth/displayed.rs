//! Displayed quotes of one side, outward from makers' fair price.

use serde::{Deserialize, Serialize};

use super::LEVELS;
use crate::book::{BookConfig, LEVEL, narrow};

/// Centres of the levels, in levels from the fair price.
const CENTRES: [f32; LEVELS] = centres();

const fn centres() -> [f32; LEVELS] {
    let mut centres = [0.5; LEVELS];
    let mut level = 1;
    while level < LEVELS {
        centres[level] = centres[level - 1] + 1.0;
        level += 1;
    }
    centres
}

/// Distance of a level's inner edge from the fair price, relative.
#[expect(clippy::cast_precision_loss, reason = "level numbers are far below 2^52")]
pub(super) const fn offset(level: usize) -> f64 {
    level as f64 * LEVEL
}

/// The same for every level, worked out once.
static OFFSETS: [f64; LEVELS] = offsets();

const fn offsets() -> [f64; LEVELS] {
    let mut offsets = [0.0; LEVELS];
    let mut level = 0;
    while level < LEVELS {
        offsets[level] = offset(level);
        level += 1;
    }
    offsets
}

/// Levels whose costs are worked out together.
const BLOCK: usize = 10;
const _: () = assert!(LEVELS.is_multiple_of(BLOCK), "blocks cover all levels");

/// Coins times their mean offset, for a `part` of what is `shown` on a level that begins at `inner`: quotes lie evenly
/// inside it.
#[inline]
fn cost_within(inner: f64, part: f64, shown: f64) -> f64 {
    part * (inner + 0.5 * LEVEL * part / shown)
}

/// An order that looks at level after level.
struct Walk {
    /// Coins that it still lacks.
    left: f64,
    /// Coins so far times their offsets.
    weighted: f64,
}

impl Walk {
    /// Looks at a level that begins at `inner`, the whole of which costs `whole`; whether it has all coins then.
    #[inline]
    fn ends_at(&mut self, inner: f64, shown: f64, whole: impl FnOnce() -> f64) -> bool {
        if shown <= 0.0 {
            return false;
        }
        if self.left <= shown {
            self.weighted += cost_within(inner, self.left, shown);
            return true;
        }
        self.weighted += whole();
        self.left -= shown;
        false
    }
}

/// What makers show on either side when they quote in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    /// Coins that come and go with the makers, by level.
    near: Vec<f32>,
    /// Coins that stay whatever the makers do, by level.
    far: Vec<f32>,
}

impl Profile {
    pub(super) fn new(config: &BookConfig, price: f64) -> Self {
        // Cumulative depth c·w^e with c set by the depth within 1 %.
        let cumulative =
            |level: usize| config.depth_1pct / price * libm::pow(offset(level) / 0.01, config.depth_exponent);
        let full: Vec<f64> = (0..LEVELS).map(|i| cumulative(i + 1) - cumulative(i)).collect();
        // The share that stays rises smoothly around 4 %.
        let stays: Vec<f64> = (0..LEVELS)
            .map(|i| {
                let w = offset(i) / 0.04;
                config.far_share * (w * w * w) / (1.0 + w * w * w)
            })
            .collect();
        Self {
            near: full.iter().zip(&stays).map(|(f, s)| narrow(f * (1.0 - s))).collect(),
            far: full.iter().zip(&stays).map(|(f, s)| narrow(f * s)).collect(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.near.capacity() + self.far.capacity()) * size_of::<f32>()
    }

    fn full(&self, level: usize) -> f32 {
        self.near[level] + self.far[level]
    }
}

/// Displayed quotes of one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Half {
    /// Coins, by level.
    coins: Vec<f32>,
    /// Nobody quotes nearer than this many levels: there the latent book holds the other side.
    pub(super) edge: f32,
}

impl Half {
    pub(super) fn new(profile: &Profile) -> Self {
        Self { coins: (0..LEVELS).map(|level| profile.full(level)).collect(), edge: 0.0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.coins.capacity() * size_of::<f32>()
    }

    /// Lets the fair price come `levels` closer: resting quotes stay where they are, so their offsets shrink. What
    /// comes into view far out is quoted in full; what opens up next to the price is empty.
    pub(super) fn approach(&mut self, levels: i64, profile: &Profile) {
        let by = usize::try_from(levels.unsigned_abs()).unwrap_or(LEVELS).min(LEVELS);
        if levels > 0 {
            self.coins.copy_within(by.., 0);
            for level in LEVELS - by..LEVELS {
                self.coins[level] = profile.full(level);
            }
        } else if levels < 0 {
            self.coins.copy_within(..LEVELS - by, by);
            self.coins[..by].fill(0.0);
        }
    }

    /// Moves quotes on levels `[from, to)` by the share `rate` towards what makers at `liquidity` would show there.
    #[inline(always)]
    pub(super) fn refresh(&mut self, from: usize, to: usize, liquidity: f32, rate: f32, profile: &Profile) {
        let inner = self.edge - 0.5;
        let quotes = profile.near[from..to].iter().zip(&profile.far[from..to]);
        let levels = self.coins[from..to].iter_mut().zip(quotes);
        // Two loops of one length each, for the compiler to unroll: where the edge lies below, nothing is shut.
        if CENTRES[from] - inner >= 1.0 {
            for (coins, (near, far)) in levels {
                *coins += (liquidity * near + far - *coins) * rate;
            }
            return;
        }
        for ((coins, (near, far)), centre) in levels.zip(&CENTRES[from..to]) {
            // Comparisons instead of `clamp`: they compile to one vector instruction each.
            let beyond = centre - inner;
            let beyond = if beyond > 0.0 { beyond } else { 0.0 };
            let open = if beyond < 1.0 { beyond } else { 1.0 };
            *coins += (open * (liquidity * near + far) - *coins) * rate;
        }
    }

    /// Takes up to `coins` within `reach` (relative to fair, spread excluded), and tells `taken` the level and coins
    /// of each part. Returns coins taken and their mean offset.
    pub(super) fn take(&mut self, coins: f64, reach: f64, mut taken_at: impl FnMut(usize, f32)) -> (f64, f64) {
        let mut left = coins;
        let mut weighted = 0.0;
        for level in 0..LEVELS {
            let inner = offset(level);
            if left <= 0.0 || inner >= reach {
                break;
            }
            let shown = f64::from(self.coins[level]);
            if shown <= 0.0 {
                continue;
            }
            // Quotes lie evenly inside a level; a limit inside it reaches a part of them.
            let reachable = shown * ((reach - inner) / LEVEL).min(1.0);
            let part = left.min(reachable);
            weighted += cost_within(inner, part, shown);
            self.coins[level] = narrow(shown - part).max(0.0);
            taken_at(level, narrow(part));
            left -= part;
        }
        let taken = coins - left.max(0.0);
        (taken, if taken > 0.0 { weighted / taken } else { 0.0 })
    }

    /// Mean offset of taking `wanted` coins, without taking them; beyond the grid, its edge.
    pub(super) fn quote(&self, wanted: f64) -> f64 {
        let mut walk = Walk { left: wanted, weighted: 0.0 };
        // Most quotes end on the first levels.
        let (near, far) = self.coins.split_at(BLOCK);
        for (&inner, &shown) in OFFSETS.iter().zip(near) {
            let shown = f64::from(shown);
            if walk.ends_at(inner, shown, || cost_within(inner, shown, shown)) {
                return walk.weighted / wanted;
            }
        }
        for (inner, block) in OFFSETS[BLOCK..].chunks_exact(BLOCK).zip(far.chunks_exact(BLOCK)) {
            // What whole levels cost waits for no other level, so a block of them is divided at once.
            let mut costs = [0.0; BLOCK];
            for ((cost, &inner), &shown) in costs.iter_mut().zip(inner).zip(block) {
                *cost = cost_within(inner, f64::from(shown), f64::from(shown));
            }
            for ((&cost, &inner), &shown) in costs.iter().zip(inner).zip(block) {
                if walk.ends_at(inner, f64::from(shown), || cost) {
                    return walk.weighted / wanted;
                }
            }
        }
        (walk.weighted + walk.left * offset(LEVELS)) / wanted
    }

    /// Coins within `distance` of the fair price, spread excluded.
    pub(super) fn depth(&self, distance: f64) -> f64 {
        let [coins] = self.depths([distance]);
        coins
    }

    /// Coins within each of some rising distances, in one walk.
    pub(super) fn depths<const N: usize>(&self, distances: [f64; N]) -> [f64; N] {
        let coins = &self.coins[..LEVELS];
        walk([0.0], distances, |level| [coins[level]]).map(|[coins]| coins)
    }

    /// As [`Half::depths`] of two sides at once: a sum waits for itself, two sums do not wait for each other.
    pub(super) fn depths_of_both<const N: usize>(halves: [&Self; 2], distances: [f64; N]) -> [[f64; 2]; N] {
        let [first, second] = halves.map(|half| &half.coins[..LEVELS]);
        walk([0.0; 2], distances, |level| [first[level], second[level]])
    }
}

/// Adds up `SIDES` sides' coins level by level, and says how many lie within each of some rising distances.
#[inline]
fn walk<const SIDES: usize, const N: usize>(
    mut inside: [f64; SIDES],
    distances: [f64; N],
    coins: impl Fn(usize) -> [f32; SIDES],
) -> [[f64; SIDES]; N] {
    let mut depths = [inside; N];
    let mut from = 0;
    for (depth, distance) in depths.iter_mut().zip(distances) {
        let whole = whole_levels(distance).max(from);
        for level in from..whole {
            let shown = coins(level);
            for (inside, shown) in inside.iter_mut().zip(shown) {
                *inside += f64::from(shown);
            }
        }
        from = whole;
        *depth = inside;
        for level in whole..LEVELS {
            let inner = offset(level);
            if inner >= distance {
                break;
            }
            let shown = coins(level);
            for (depth, shown) in depth.iter_mut().zip(shown) {
                *depth += f64::from(shown) * ((distance - inner) / LEVEL).min(1.0);
            }
        }
    }
    depths
}

/// Levels that lie within `distance` to their outer edge.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at the number of levels")]
fn whole_levels(distance: f64) -> usize {
    let is_whole = |level: usize| (distance - offset(level)) / LEVEL >= 1.0;
    // A guess, since the quotient may round either way at an edge.
    let mut whole = ((distance / LEVEL) as usize).min(LEVELS);
    while whole < LEVELS && is_whole(whole) {
        whole += 1;
    }
    while whole > 0 && !is_whole(whole - 1) {
        whole -= 1;
    }
    whole
}

#[cfg(test)]
mod tests;
