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
pub(super) fn offset(level: usize) -> f64 {
    level as f64 * LEVEL
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
    #[inline]
    pub(super) fn refresh(&mut self, from: usize, to: usize, liquidity: f32, rate: f32, profile: &Profile) {
        let inner = self.edge - 0.5;
        let quotes = profile.near[from..to].iter().zip(&profile.far[from..to]).zip(&CENTRES[from..to]);
        for (coins, ((near, far), centre)) in self.coins[from..to].iter_mut().zip(quotes) {
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
            weighted += part * (inner + 0.5 * LEVEL * part / shown);
            self.coins[level] = narrow(shown - part).max(0.0);
            taken_at(level, narrow(part));
            left -= part;
        }
        let taken = coins - left.max(0.0);
        (taken, if taken > 0.0 { weighted / taken } else { 0.0 })
    }

    /// Mean offset of taking `coins`, without taking them; beyond the grid, its edge.
    pub(super) fn quote(&self, coins: f64) -> f64 {
        let mut left = coins;
        let mut weighted = 0.0;
        for (level, &shown) in self.coins.iter().enumerate() {
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

    /// Coins within `distance` of the fair price, spread excluded.
    pub(super) fn depth(&self, distance: f64) -> f64 {
        let [coins] = self.depths([distance]);
        coins
    }

    /// Coins within each of some rising distances, in one walk.
    pub(super) fn depths<const N: usize>(&self, distances: [f64; N]) -> [f64; N] {
        let (mut from, mut inside) = (0, 0.0);
        distances.map(|distance| {
            let whole = whole_levels(distance).max(from);
            for &shown in &self.coins[from..whole] {
                inside += f64::from(shown);
            }
            from = whole;
            let mut coins = inside;
            for level in whole..LEVELS {
                let inner = offset(level);
                if inner >= distance {
                    break;
                }
                coins += f64::from(self.coins[level]) * ((distance - inner) / LEVEL).min(1.0);
            }
            coins
        })
    }
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
