//! The toxic spiral of a squeezed borrower, and what halting liquidations does to it.

use std::sync::Arc;

use rayon::prelude::*;
use seawall_env::liquidation::{CloseSize, Pipeline};
use seawall_env::market::{Site, Takeover};
use seawall_env::scenario::Scenario;

use super::resampled::{ratio, resampled};
use super::row::Row;
use super::simulate::{Recording, record};

/// Keepers' purchases beyond the toxic frontier.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spiral {
    /// Purchases that left something over.
    pub purchases: usize,
    /// Those of them that left the account with less equity over its position than before.
    pub worse: usize,
    /// What keepers paid less than mark in all purchases beyond the frontier, in dollars.
    pub bonus: f64,
}

/// Purchases from accounts that had no more left, over their position, than the keeper's discount: each makes what is left
/// worse, so the next one is beyond the frontier too.
#[must_use]
pub fn spiral(takeovers: &[Takeover]) -> Spiral {
    let mut spiral = Spiral::default();
    for takeover in takeovers {
        let [before, after] = takeover.ratio;
        let Some(before) = before.filter(|before| *before <= takeover.discount) else { continue };
        spiral.bonus += takeover.discount * takeover.notional.as_f64();
        if let Some(after) = after {
            spiral.purchases += 1;
            spiral.worse += usize::from(after < before);
        }
    }
    spiral
}

/// How much of a lender's bad debt liquidation itself makes where keepers buy beyond the toxic frontier, and what is left of
/// it where the same lender halts there, on the same episodes. Accounts that wait under water count: a lender that books
/// nothing has no less bad debt. `pipeline` closes a share of a position, which the halt keeps.
///
/// # Panics
/// If the pipeline closes something else than a share of a position.
///
/// # Reference
/// Warmuz, Chaudhary & Pinna 2022 (arXiv:2212.07306): Aave's bad debt of 22 November 2022 came from liquidating beyond a
/// loan to value of `1/(1 + bonus)` and not from the price, and halting there prevents it.
#[must_use]
pub fn rows(scenario: &Scenario, pipeline: Pipeline, seeds: &[u64]) -> Vec<Row> {
    let CloseSize::Fraction { share, full_below, .. } = pipeline.size else { panic!("the venue closes no share") };
    let halting = Pipeline { size: CloseSize::FractionUntilToxic { share, full_below }, ..pipeline };
    let scenario = Arc::new(scenario.clone());
    let arms = [pipeline, halting].map(|pipeline| Site::new(Arc::clone(&scenario), pipeline));
    let episode = |seed: &u64| arms.each_ref().map(|site| record(site, *seed));
    let pairs: Vec<[Recording; 2]> = seeds.par_iter().map(episode).collect();
    vec![
        cause(&pairs),
        left(&pairs, "V10b", "bad debt at the end, halting at the toxic frontier over going on", at_the_end),
        left(&pairs, "V10c", "the same at its worst moment", |recording| recording.owed_peak).optional(),
    ]
}

const WARMUZ: &str = "Warmuz, Chaudhary & Pinna 2022 (arXiv:2212.07306)";

/// Bad debt at the end: what was booked, and what accounts that wait owe beyond what they have.
fn at_the_end(recording: &Recording) -> f64 {
    recording.outcome.bad_debt.as_f64() + recording.stranded
}

/// Keepers' bonus beyond the frontier over bad debt at its worst, where liquidation goes on: by half or more it is the cause.
fn cause(pairs: &[[Recording; 2]]) -> Row {
    let spirals = |arm: usize| pairs.iter().map(move |pair| spiral(&pair[arm].takeovers));
    let made: Vec<[f64; 2]> = spirals(0).zip(pairs).map(|(spiral, pair)| [spiral.bonus, pair[0].owed_peak]).collect();
    let (value, interval) = resampled(made.len(), |times| ratio(&made, times));
    let (worse, purchases) = spirals(0).fold((0, 0), |sum, s| (sum.0 + s.worse, sum.1 + s.purchases));
    let halted: usize = spirals(1).map(|spiral| spiral.purchases).sum();
    let title = "keepers' bonus beyond the toxic frontier over bad debt at its worst, a squeezed short";
    Row::new("V10", title, [Some(0.5), None], WARMUZ)
        .measured(value, interval)
        .noted(format!("{worse} of {purchases} purchases beyond it left the account worse; {halted} under the halt"))
}

/// Bad debt under the halt over that without.
fn left(pairs: &[[Recording; 2]], id: &str, title: &str, of: fn(&Recording) -> f64) -> Row {
    let owed: Vec<[f64; 2]> = pairs.iter().map(|pair| [of(&pair[1]), of(&pair[0])]).collect();
    let (value, interval) = resampled(owed.len(), |times| ratio(&owed, times));
    let interest: f64 = pairs.iter().map(|pair| pair[0].outcome.reference_open_interest.as_f64()).sum();
    let shown = |at: usize| 1e4 * owed.iter().map(|pair| pair[at]).sum::<f64>() / interest;
    Row::new(id, title, [None, Some(0.1)], WARMUZ).measured(value, interval).noted(format!(
        "{:.1} against {:.1} bp of open interest, mean of {} seeds",
        shown(0),
        shown(1),
        pairs.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_env::units::Usd;

    #[test]
    fn only_purchases_beyond_the_frontier_count() {
        let takeover = |notional: f64, before: f64, after: Option<f64>| Takeover {
            tick: 0,
            account: 1,
            notional: Usd::from_f64(notional),
            discount: 0.05,
            ratio: [Some(before), after],
        };
        // Above the frontier a purchase helps. Below it half of a position at 4 % leaves (4 - 2.5)/0.5 = 3 %; the last takes
        // everything and leaves no ratio.
        let found = spiral(&[
            takeover(1_000.0, 0.08, Some(0.11)),
            takeover(1_000.0, 0.04, Some(0.03)),
            takeover(500.0, 0.03, Some(0.01)),
            takeover(250.0, -0.03, None),
        ]);
        assert_eq!((found.purchases, found.worse), (2, 2));
        assert!((found.bonus - 0.05 * 1_750.0).abs() < 1e-9, "{found:?}");
        assert_eq!(spiral(&[]), Spiral::default());
    }
}
