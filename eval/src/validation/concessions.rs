//! What auto-deleveraging costs those who are deleveraged: a queue against pro rata.

use std::sync::Arc;

use rayon::prelude::*;
use seawall_env::liquidation::{LossAllocation, Pipeline};
use seawall_env::market::{AccountId, Concession, Site};
use seawall_env::scenario::Scenario;

use super::resampled::{ratio, resampled};
use super::row::Row;
use super::simulate::{Recording, record};
use crate::statistics::real;

/// Seconds without a fill that end a round.
const APART: f64 = 5.0;

/// One round of deleveraging.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// What it took from winners, in dollars.
    pub taken: f64,
    /// Largest share of its profit, as it stood before the round, that any winner gave up; at most all of it.
    pub worst: f64,
    /// Winners that gave something up.
    pub winners: usize,
    /// Share of what was taken that the winner who gave most gave.
    pub largest: f64,
}

/// What one winner gave up in a round.
#[derive(Clone, Copy, Debug)]
struct Given {
    winner: AccountId,
    cost: f64,
    profit: f64,
}

/// Rounds of deleveraging: fills that are less than five seconds apart. What closing brought a winner counts as nothing taken.
#[must_use]
pub fn rounds(concessions: &[Concession], tick_seconds: f64) -> Vec<Round> {
    let apart = |pair: &[Concession]| real_ticks(pair[1].tick - pair[0].tick) * tick_seconds >= APART;
    let mut found = Vec::new();
    let mut from = 0;
    for to in 1..=concessions.len() {
        if to == concessions.len() || apart(&concessions[to - 1..=to]) {
            found.push(round(&concessions[from..to]));
            from = to;
        }
    }
    found
}

#[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
const fn real_ticks(ticks: u64) -> f64 {
    ticks as f64
}

fn round(fills: &[Concession]) -> Round {
    let mut given: Vec<Given> = fills
        .iter()
        .map(|fill| Given {
            winner: fill.winner,
            cost: fill.cost.positive_part().as_f64(),
            profit: fill.profit.as_f64(),
        })
        .collect();
    // A stable sort: the first of a winner's fills is the one that knows its profit before the round.
    given.sort_by_key(|fill| fill.winner);
    let mut winners: Vec<Given> = Vec::new();
    for fill in given {
        match winners.last_mut() {
            Some(last) if last.winner == fill.winner => last.cost += fill.cost,
            _ => winners.push(fill),
        }
    }
    let taken: f64 = winners.iter().map(|winner| winner.cost).sum();
    let share = |winner: &Given| if winner.cost < winner.profit { winner.cost / winner.profit } else { 1.0 };
    let most = |of: &dyn Fn(&Given) -> f64| winners.iter().map(of).fold(0.0, f64::max);
    let largest = if taken > 0.0 { most(&|winner| winner.cost) / taken } else { 0.0 };
    Round { taken, worst: most(&share), winners: winners.len(), largest }
}

/// Sum over an episode's rounds of the share that the worst-hit winner gave up, and the number of rounds.
fn burden(recording: &Recording) -> [f64; 2] {
    let rounds = rounds(&recording.concessions, recording.tick_seconds);
    [rounds.iter().map(|round| round.worst).sum(), real(rounds.len())]
}

/// What the worst-hit winner of a round gives up of its profit under a queue over what it gives up pro rata: means over
/// rounds, on the same episodes. `pipeline` must have a queue; the two differ in nothing else.
///
/// That share, `max x/u`, is the part of a round's loss that tells rules apart here. The other part, what a rule takes beyond
/// what is needed, is nothing under either: both close exactly the bankrupt position at its bankruptcy price. A winner who
/// gives up more than its profit counts with all of it, for haircuts are of profit and not of principal.
///
/// # Panics
/// If the pipeline has no queue.
///
/// # Reference
/// Chitra, Thogiti, Trujillo Ramirez & Xu 2026 (arXiv:2602.15182): over the sixteen rounds of 10 October 2025, at least five
/// seconds apart, the fairness loss is 11.08 for Hyperliquid's queue and 0.38 for integer pro-rata.
#[must_use]
pub fn queue_over_pro_rata(scenario: &Scenario, pipeline: Pipeline, seeds: &[u64]) -> Row {
    assert!(matches!(pipeline.allocation, LossAllocation::Queue { .. }), "the venue has no queue");
    let scenario = Arc::new(scenario.clone());
    let arms = [pipeline.allocation, LossAllocation::ProRata]
        .map(|allocation| Site::new(Arc::clone(&scenario), Pipeline { allocation, ..pipeline }));
    let episode = |seed: &u64| arms.each_ref().map(|site| record(site, *seed));
    let pairs: Vec<[Recording; 2]> = seeds.par_iter().map(episode).collect();
    let burdens: [Vec<[f64; 2]>; 2] = [0, 1].map(|arm| pairs.iter().map(|pair| burden(&pair[arm])).collect());
    let (value, interval) = resampled(pairs.len(), |times| {
        let [queue, shared] = burdens.each_ref().map(|arm| ratio(arm, times));
        Some(queue? / shared.filter(|shared| *shared > 0.0)?)
    });
    Row::new(
        "V8",
        "share of its profit that the worst-hit winner of a round gives up: queue over pro rata",
        [Some(10.0), None],
        "Chitra et al. 2026 (arXiv:2602.15182): 11.08 over 0.38; ten times asked for",
    )
    .measured(value, interval)
    .noted(format!("queue: {}; pro rata: {}", shown(&pairs, 0), shown(&pairs, 1)))
}

/// Rounds, winners in a round, how concentrated what they give up is, and the worst-hit share of one rule.
fn shown(pairs: &[[Recording; 2]], arm: usize) -> String {
    let of_episode = |pair: &[Recording; 2]| rounds(&pair[arm].concessions, pair[arm].tick_seconds);
    let all: Vec<Round> = pairs.iter().flat_map(of_episode).collect();
    let per_round = |of: &dyn Fn(&Round) -> f64| all.iter().map(of).sum::<f64>() / real(all.len().max(1));
    format!(
        "{} rounds of {:.0} winners and {:.0} $, {:.0} % of it from one, worst-hit {:.1} %",
        all.len(),
        per_round(&|round| real(round.winners)),
        per_round(&|round| round.taken),
        100.0 * per_round(&|round| round.largest),
        100.0 * per_round(&|round| round.worst),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_env::units::Usd;

    fn fill(tick: u64, winner: AccountId, cost: f64, profit: f64) -> Concession {
        let [cost, profit] = [cost, profit].map(Usd::from_f64);
        Concession { tick, winner, notional: Usd::from_f64(1_000.0), cost, profit }
    }

    #[test]
    fn fills_within_five_seconds_are_one_round_and_a_winner_counts_once_in_it() {
        // Winner 3 gives 10 and then 20 of the 100 that it had before the round; 9 gives 5 of 10; later 3 gives 30 of 60.
        let fills = [fill(0, 3, 10.0, 100.0), fill(2, 9, 5.0, 10.0), fill(4, 3, 20.0, 90.0), fill(9, 3, 30.0, 60.0)];
        let found = rounds(&fills, 1.0);
        assert_eq!(found.len(), 2, "4 and 9 are five seconds apart");
        assert_eq!((found[0].winners, found[1].winners), (2, 1));
        assert!((found[0].taken - 35.0).abs() < 1e-9 && (found[0].worst - 0.5).abs() < 1e-9, "{found:?}");
        assert!((found[0].largest - 30.0 / 35.0).abs() < 1e-9 && (found[1].worst - 0.5).abs() < 1e-9, "{found:?}");
        // At three seconds a tick all are six seconds apart or more.
        assert_eq!(rounds(&fills, 3.0).len(), 4);
        assert!(rounds(&[], 1.0).is_empty());
    }

    #[test]
    fn a_fill_that_brings_more_than_mark_takes_nothing() {
        let found = rounds(&[fill(0, 1, -7.0, 50.0), fill(0, 2, 7.0, 70.0)], 1.0);
        assert!((found[0].taken - 7.0).abs() < 1e-9 && (found[0].worst - 0.1).abs() < 1e-9, "{found:?}");
        // Nobody gives up more than its profit, whatever it loses beyond.
        assert!((rounds(&[fill(0, 2, 70.0, 7.0)], 1.0)[0].worst - 1.0).abs() < 1e-12);
    }
}
