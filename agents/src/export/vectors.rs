//! Conformance vectors: made from named streams, replayed bit for bit.

use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_runtime::conformance::{self, Report};
use seawall_runtime::{Policy, Shield};

use crate::error::Error;

/// Vectors with an action that [`verify`] asks for, so that nothing passes by saying little.
pub const VECTORS_MIN: usize = 256;

/// Ordinary observations in a file, half of them within a few deviations and half anywhere about the clip.
const RANDOM: usize = 256;
/// Distances from the mean, in clips, at which all entries or one entry are held: inside, at and beyond the edge.
const EDGES: [f64; 6] = [-1.25, -1.0, -0.999, 0.999, 1.0, 1.25];
/// Further observations of a policy behind a shield, in which the fund can bear some of what may come.
const HELD: usize = 64;
/// Stream of [`Purpose::Policy`] that is drawn from; zero is a random policy's.
const STREAM: u64 = 1;

/// Writes vectors for a policy: its mean, every entry alone and all together about the clip, the largest numbers
/// there are, random observations, some about the edge of a shield, and observations that must be refused.
///
/// The same policy and seed give the same bytes.
///
/// # Errors
/// [`Error::Format`] if `bytes` is not a policy, [`Error::Replay`] if it observes so much that its vectors do not fit.
pub fn write_vectors(bytes: &[u8], seed: u64) -> Result<Vec<u8>, Error> {
    let policy = Policy::parse(bytes)?;
    let observations = observations(&policy, seed);
    let (mut scratch, mut values) = buffers(&policy);
    let mut vectors = Vec::new();
    conformance::write(&policy, &observations, &mut scratch, &mut values, |part| vectors.extend_from_slice(part))?;
    Ok(vectors)
}

/// Replays vectors on a policy and compares every bit.
///
/// # Errors
/// [`Error::Format`] if `bytes` is not a policy, [`Error::Replay`] for the first difference, and
/// [`Error::TooFewVectors`] if there are fewer than [`VECTORS_MIN`] with an action or none without.
pub fn verify(bytes: &[u8], vectors: &[u8]) -> Result<Report, Error> {
    let policy = Policy::parse(bytes)?;
    let (mut scratch, mut values) = buffers(&policy);
    let report = conformance::replay(&policy, vectors, &mut scratch, &mut values)?;
    if report.acted < VECTORS_MIN || report.refused == 0 {
        return Err(Error::TooFewVectors { acted: report.acted, refused: report.refused });
    }
    Ok(report)
}

fn buffers(policy: &Policy<&[u8]>) -> (Vec<f32>, Vec<f64>) {
    (vec![0.0; conformance::scratch_len(policy)], vec![0.0; policy.action_len()])
}

/// Row-major `[N, D]`.
fn observations(policy: &Policy<&[u8]>, seed: u64) -> Vec<f32> {
    let statistics: Vec<_> = policy.statistics().map(|(mean, inverse)| (f64::from(mean), f64::from(inverse))).collect();
    let (entries, clip) = (statistics.len(), f64::from(policy.clip()));
    let at = |entry: usize, deviations: f64| {
        let (mean, inverse) = statistics[entry];
        single(mean + deviations / inverse)
    };
    let mean: Vec<_> = (0..entries).map(|entry| at(entry, 0.0)).collect();
    let mut rows = mean.clone();
    for edge in EDGES {
        rows.extend((0..entries).map(|entry| at(entry, edge * clip)));
        let alternating = |entry: usize| if entry.is_multiple_of(2) { edge } else { -edge };
        rows.extend((0..entries).map(|entry| at(entry, alternating(entry) * clip)));
    }
    for entry in 0..entries {
        for edge in [-1.0, 1.0] {
            let row = rows.len();
            rows.extend_from_slice(&mean);
            rows[row + entry] = at(entry, edge * clip);
        }
    }
    for extreme in [f32::MIN, f32::MAX, f32::MIN_POSITIVE, -0.0] {
        rows.extend(std::iter::repeat_n(extreme, entries));
    }
    let mut stream = SeedTree::new(seed).stream(Purpose::Policy, STREAM);
    for _ in 0..RANDOM / 2 {
        rows.extend((0..entries).map(|entry| at(entry, normal_quantile(open_unit(stream.next_u64())))));
    }
    for _ in 0..RANDOM / 2 {
        let anywhere = |unit: f64| 1.25 * clip * (2.0 * unit - 1.0);
        rows.extend((0..entries).map(|entry| at(entry, anywhere(open_unit(stream.next_u64())))));
    }
    if let Some(shield) = policy.shield() {
        for row in 0..HELD {
            let start = rows.len();
            rows.extend((0..entries).map(|entry| at(entry, normal_quantile(open_unit(stream.next_u64())))));
            before_the_shield(&shield, row, &mut stream, &mut rows[start..]);
        }
    }
    for missing in [0, entries / 2, entries - 1] {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let row = rows.len();
            rows.extend_from_slice(&mean);
            rows[row + missing] = value;
        }
    }
    rows
}

/// Gives what a shield reads values that a market could have, so that its bound lies among them; triggers rise in every other
/// row at most.
fn before_the_shield(shield: &Shield, row: usize, stream: &mut impl Rng, observation: &mut [f32]) {
    let observed = &shield.observed;
    let mut unit = || open_unit(stream.next_u64());
    // Equity from a fifth of the fund short to one and a half of it, an inventory of a few times that.
    observation[observed.fund] = logarithm(1.7 * unit() - 0.2);
    observation[observed.inventory] = logarithm(2.0 * unit());
    observation[observed.in_liquidation] = logarithm(5.0 * unit());
    for place in observed.volatilities {
        observation[place] = single(4.0 * unit() - 1.0);
    }
    // Up to 30 % of open interest on a side, mostly less.
    for place in observed.within.into_iter().flatten() {
        observation[place] = logarithm(0.75 * unit() * unit());
    }
    if row.is_multiple_of(2) {
        observed.triggers.iter().for_each(|place| observation[*place] = 1.0);
    }
}

/// The symmetric logarithm that amounts are observed through.
fn logarithm(value: f64) -> f32 {
    single(libm::log1p(value.abs()).copysign(value))
}

/// The nearest single-precision number; the largest one where there is none, because vectors that act are finite.
#[expect(clippy::cast_possible_truncation, reason = "held within the range of single precision")]
fn single(value: f64) -> f32 {
    value.clamp(f32::MIN.into(), f32::MAX.into()) as f32
}
