//! Named random streams: every draw has an owner, and no owner's draws depend on another's.
//!
//! Two kinds. [`SeedTree`] hands out sequential ChaCha8 generators for work whose number of draws is its own
//! business (weights, shuffles, the population at reset). [`Counter`] is for the market's hot path: a draw is a
//! pure function of (key, tick, slot), so an action that changes who trades shifts nobody else's luck, and common
//! random numbers survive every intervention. There is no generator state to snapshot.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Who a stream belongs to. Discriminants are append-only: renumbering one changes every result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Purpose {
    /// Seeds of episodes, by environment.
    Episode = 1,
    /// A market's population at reset.
    Population = 2,
    /// Fundamental price, volatility regime, jumps.
    World = 3,
    /// Macro factor.
    Macro = 4,
    /// Which traders act, and how.
    Traders = 5,
    /// Market makers.
    Makers = 6,
    /// Keepers: latency, failure.
    Keepers = 7,
    /// Oracle noise and outages.
    Oracle = 8,
    /// Brownian bridges inside replayed bars.
    Bridge = 9,
    /// Which scenario an episode draws, and its randomisation.
    Scenario = 10,
    /// Draws of a stochastic loss-allocation rule.
    Allocation = 11,
    /// When the venue is out and when keepers are absent.
    Incidents = 12,
    /// What adversaries do, and when.
    Adversaries = 13,
    /// Seeds of an economy's further instruments, by instrument.
    Instrument = 14,
    /// Fundamental prices of further assets, by asset.
    Assets = 15,
    /// Who margins all instruments of a venue together.
    Owners = 16,
    /// Who holds options, and what they do with them.
    Options = 17,
    /// When a stablecoin loses its peg, and who holds it.
    Collateral = 18,
    /// Who withdraws, and when.
    Withdrawals = 19,
    /// Network weights.
    Weights = 20,
    /// Exploration noise.
    Exploration = 21,
    /// Order of minibatches.
    Shuffle = 22,
    /// Candidates of a search without gradients, by generation.
    Search = 27,
    /// A random policy's actions.
    Policy = 30,
    /// Bootstrap resamples.
    Bootstrap = 40,
    /// Message streams that a matching engine is measured with.
    Workload = 50,
    /// Futures that a planner looks ahead in, and its candidates.
    Planning = 60,
    /// Accounts that an evaluation lets be, to see whether they would have survived.
    Counterfactual = 61,
}

/// A root seed, and the streams that hang from it.
///
/// The generator is ChaCha8 keyed by an expansion of the root; a stream's number is `purpose << 48 | index`, so
/// streams are distinct by construction, not by luck of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedTree {
    root: u64,
}

impl SeedTree {
    /// The tree of a root seed.
    #[must_use]
    pub const fn new(root: u64) -> Self {
        Self { root }
    }

    /// The seed that this tree grows from.
    #[must_use]
    pub const fn root(self) -> u64 {
        self.root
    }

    /// Sequential generator of one stream.
    ///
    /// # Panics
    /// If `index` needs more than 48 bits.
    #[must_use]
    pub fn stream(self, purpose: Purpose, index: u64) -> ChaCha8Rng {
        assert!(index < 1 << 48, "stream index {index} needs more than 48 bits");
        let mut key = [0_u8; 32];
        for (word, chunk) in (0_u64..).zip(key.chunks_exact_mut(8)) {
            chunk.copy_from_slice(&splitmix(self.root.wrapping_add(word.wrapping_mul(GOLDEN))).to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(u64::from(purpose as u16) << 48 | index);
        rng
    }

    /// First 64 bits of a stream, as a seed for something below.
    #[must_use]
    pub fn seed(self, purpose: Purpose, index: u64) -> u64 {
        self.stream(purpose, index).next_u64()
    }

    /// Counter-based generator of one stream.
    #[must_use]
    pub fn counter(self, purpose: Purpose, index: u64) -> Counter {
        Counter::new(self.seed(purpose, index))
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Finaliser of `SplitMix64` (Steele, Lea & Flood 2014).
const fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Counter-based generator: Philox 4×32 with ten rounds.
///
/// # Reference
/// Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", §3.3 (Philox4x32-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    key: [u32; 2],
}

impl Counter {
    /// A generator keyed by `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let (low, high) = halves(seed);
        Self { key: [low, high] }
    }

    /// The 128 bits that belong to (`tick`, `slot`).
    #[inline]
    #[must_use]
    pub const fn block(self, tick: u64, slot: u64) -> [u32; 4] {
        let (t0, t1) = halves(tick);
        let (s0, s1) = halves(slot);
        philox([t0, t1, s0, s1], self.key)
    }

    /// Two uniforms on the open interval `(0, 1)`.
    #[inline]
    #[must_use]
    pub fn uniform2(self, tick: u64, slot: u64) -> [f64; 2] {
        let [a, b, c, d] = self.block(tick, slot);
        [open_unit(u64::from(a) << 32 | u64::from(b)), open_unit(u64::from(c) << 32 | u64::from(d))]
    }

    /// Four uniforms of 32 bits on the open interval `(0, 1)`.
    #[inline]
    #[must_use]
    pub fn uniform4(self, tick: u64, slot: u64) -> [f64; 4] {
        self.block(tick, slot).map(|word| (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0))
    }
}

const fn halves(word: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = word.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

#[inline]
const fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let mut round = 0;
    while round < 10 {
        let (low0, high0) = halves(0xd251_1f53_u64 * c0 as u64);
        let (low1, high1) = halves(0xcd9e_8d57_u64 * c2 as u64);
        (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0);
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
        round += 1;
    }
    [c0, c1, c2, c3]
}

/// Maps 64 random bits to `(0, 1)`, symmetric about one half so that `1 - u` is as likely as `u`.
#[inline]
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a 52-bit integer is exact in an f64")]
pub fn open_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// Standard normal quantile of a uniform: one uniform gives one normal, and `1 - u` gives its mirror image.
///
/// Relative error below 1e-15.
///
/// # Reference
/// Wichura 1988, "Algorithm AS 241", PPND16.
#[inline]
#[must_use]
pub fn normal_quantile(u: f64) -> f64 {
    let q = u - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * horner(&CENTRE_NUMERATOR, r) / horner(&CENTRE_DENOMINATOR, r);
    }
    let tail = if q < 0.0 { u } else { 1.0 - u };
    let r = libm::log(tail).abs().sqrt();
    let z = if r <= 5.0 {
        horner(&MIDDLE_NUMERATOR, r - 1.6) / horner(&MIDDLE_DENOMINATOR, r - 1.6)
    } else {
        horner(&FAR_NUMERATOR, r - 5.0) / horner(&FAR_DENOMINATOR, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

#[inline]
fn horner(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5e0,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_659_7e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_545e3,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5e0,
    4.630_337_846_156_546e0,
    5.769_497_221_460_691e0,
    3.647_848_324_763_204_5e0,
    1.270_458_252_452_368_4e0,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759e0,
    1.676_384_830_183_803_8e0,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103e0,
    5.463_784_911_164_114e0,
    1.784_826_539_917_291_3e0,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_7e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_reproduces_the_published_vectors() {
        // Random123 1.14, kat_vectors, philox4x32 10.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn normal_quantile_matches_tabulated_values() {
        // AS 241's own check values.
        for (u, z) in
            [(0.25, -0.674_489_750_196_081_7), (0.001, -3.090_232_306_167_813_5), (1e-20, -9.262_340_089_798_409)]
        {
            assert!((normal_quantile(u) - z).abs() < 1e-14 * z.abs(), "{u}");
        }
        assert!((normal_quantile(0.3) + normal_quantile(0.7)).abs() < 1e-15);
    }

    #[test]
    fn streams_with_different_names_differ_and_equal_names_agree() {
        let tree = SeedTree::new(7);
        assert_eq!(tree.seed(Purpose::World, 3), tree.seed(Purpose::World, 3));
        assert_ne!(tree.seed(Purpose::World, 3), tree.seed(Purpose::World, 4));
        assert_ne!(tree.seed(Purpose::World, 3), tree.seed(Purpose::Macro, 3));
        assert_ne!(SeedTree::new(8).seed(Purpose::World, 3), tree.seed(Purpose::World, 3));
    }

    #[test]
    fn uniforms_never_reach_the_ends() {
        assert!(open_unit(0) > 0.0);
        assert!(open_unit(u64::MAX) < 1.0);
    }
}
