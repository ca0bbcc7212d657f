//! Conformance vectors of a predictor: a path of bars from a named stream, replayed bit for bit.

use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_runtime::bars::{Bar, LOOKBACK};
use seawall_runtime::{Predictor, predictor_vectors};

use crate::error::Error;

/// Bars that [`verify`] asks for: so many that the first have left the tape.
pub(crate) const BARS_MIN: usize = LOOKBACK + 1;
/// Bars of a file.
const BARS: usize = 400;
/// Bars that stand still, without volume, in the middle.
const STILL: core::ops::Range<usize> = 150..170;
/// Stream of [`Purpose::Policy`] that is drawn from; zero is a random policy's, one a policy's vectors'.
const STREAM: u64 = 2;
/// Logarithm of a bar's deviation, from calm to crash and back.
const DEVIATIONS: [f64; 8] = [2e-4, 5e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-3, 1e-4];

/// Writes vectors for a predictor: calm, a crash, a market that stands still, bars that have left the tape.
///
/// The same predictor and seed give the same bytes.
///
/// # Errors
/// [`Error::Predictor`] if `bytes` is no predictor.
pub fn write_vectors(bytes: &[u8], seed: u64) -> Result<Vec<u8>, Error> {
    let predictor = Predictor::parse(bytes).map_err(Error::Predictor)?;
    let mut stream = SeedTree::new(seed).stream(Purpose::Policy, STREAM);
    let mut unit = || open_unit(stream.next_u64());
    let mut price = 30_000.0;
    let bar = |k: usize| {
        if STILL.contains(&k) {
            return Bar { high: price, low: price, close: price, volume: 0.0 };
        }
        let deviation = DEVIATIONS[k * DEVIATIONS.len() / BARS];
        let open = price;
        price *= libm::exp(deviation * normal_quantile(unit()));
        let [above, below] = [unit(), unit()].map(|u| libm::exp(0.5 * deviation * u));
        Bar { high: open.max(price) * above, low: open.min(price) / below, close: price, volume: 1e6 * unit() }
    };
    let bars: Vec<Bar> = (0..BARS).map(bar).collect();
    let mut vectors = Vec::new();
    let mut scratch = vec![0.0; predictor.scratch_len()];
    predictor_vectors::write(&predictor, (30_000.0, &bars), &mut scratch, |part| vectors.extend_from_slice(part))?;
    Ok(vectors)
}

/// Replays vectors on a predictor and compares every bit; returns the number of bars.
///
/// # Errors
/// [`Error::Predictor`] if `bytes` is no predictor, [`Error::Replay`] for the first difference, [`Error::TooFewBars`] if bars
/// never leave the tape.
pub fn verify(bytes: &[u8], vectors: &[u8]) -> Result<usize, Error> {
    let predictor = Predictor::parse(bytes).map_err(Error::Predictor)?;
    let bars = predictor_vectors::replay(&predictor, vectors, &mut vec![0.0; predictor.scratch_len()])?;
    if bars < BARS_MIN { Err(Error::TooFewBars { bars }) } else { Ok(bars) }
}
