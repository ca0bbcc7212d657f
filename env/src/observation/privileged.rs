//! What a simulator knows and a venue does not: for critics in training, never for policies.

use super::{Writer, compress, ratio};
use crate::arena::Arena;
use crate::market::Market;
use crate::spaces::Feature;
use crate::world::Regime;

/// Number of privileged entries.
pub const PRIVILEGED_COUNT: usize = 8;

const fn feature(name: &'static str, unit: &'static str, meaning: &'static str) -> Feature {
    Feature { name, unit, group: "privileged", meaning }
}

/// The privileged entries, in order. Of an economy they are the first asset's, and shocks to come are zero.
pub const PRIVILEGED: [Feature; PRIVILEGED_COUNT] = [
    feature("fundamental_gap", "σ", "fundamental price over mid, in long-run deviations of two minutes; symmetric log"),
    feature("regime_tense", "1", "one in the tense regime, else zero"),
    feature("regime_crisis", "1", "one in the crisis regime, else zero"),
    feature("latent_volatility", "1", "diffusion's own volatility over long-run; log2"),
    feature("latent_gap", "20 bp", "latent book's price over makers' fair price; symmetric log"),
    feature("shock_to_come", "1 %", "scripted returns that have yet to unfold; symmetric log"),
    feature("next_shock", "minutes", "time to the next scripted shock, zero if none is left; symmetric log"),
    feature("remaining", "1", "share of the episode that is left"),
];

/// Their names, in order.
pub const PRIVILEGED_NAMES: [&str; PRIVILEGED_COUNT] = {
    let mut names = [""; PRIVILEGED_COUNT];
    let mut at = 0;
    while at < PRIVILEGED_COUNT {
        names[at] = PRIVILEGED[at].name;
        at += 1;
    }
    names
};

/// Writes the privileged entries after a share `passed` of the episode.
///
/// # Panics
/// If `out` does not have [`PRIVILEGED_COUNT`] entries, or one is not finite (M12).
pub(crate) fn reveal(arena: &Arena, passed: f64, out: &mut [f32]) {
    assert_eq!(out.len(), PRIVILEGED_COUNT, "there are {PRIVILEGED_COUNT} privileged entries");
    let market = &arena.home()[0];
    let (state, sigma) = (market.state(), market.reference_sigma());
    let is = |regime: Regime| f64::from(u8::from(state.outside.regime == regime));
    let [to_come, next] = if arena.economy().is_some() { [0.0; 2] } else { shocks(market) };
    let mut writer = Writer { out, at: 0 };
    writer.put([
        compress((state.prices.fundamental / state.signals.mid - 1.0) / (sigma * 120.0_f64.sqrt())),
        is(Regime::Tense),
        is(Regime::Crisis),
        ratio(state.outside.volatility / sigma),
        compress(state.book.latent_gap() / 20e-4),
        compress(100.0 * to_come),
        compress(next / 60.0),
        1.0 - passed,
    ]);
    assert!(out.iter().all(|x| x.is_finite()), "M12: a privileged entry is not finite");
}

/// Log return that scripted shocks have yet to bring, as if they unfolded evenly, and seconds to the next one's start.
#[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
fn shocks(market: &Market) -> [f64; 2] {
    let world = market.world();
    let now = world.now();
    let (mut to_come, mut next) = (0.0, u64::MAX);
    for shock in world.shocks() {
        let left = shock.end.saturating_sub(now.max(shock.start)) as f64;
        to_come += shock.log_return * left / (shock.end - shock.start) as f64;
        if shock.start >= now {
            next = next.min(shock.start - now);
        }
    }
    let next = if next == u64::MAX { 0.0 } else { (next + 1) as f64 * market.tick_seconds() };
    [to_come, next]
}
