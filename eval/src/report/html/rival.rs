//! Which episode is worth looking at: chosen by a rule and not by taste.

use crate::metric::PRIMARY;
use crate::report::Report;
use crate::report::table::{EpisodeRow, EpisodeTable};

/// What the size of a cascade is measured by.
const CASCADE: &str = "liquidated";

/// An episode, and what two policies made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Id of the scenario.
    pub scenario: String,
    /// Seed of the episode.
    pub seed: u64,
    /// Liquidated notional under the subject, in basis points of open interest.
    pub subject: f64,
    /// The same under the opponent.
    pub opponent: f64,
    /// Number of pairs that it was chosen from.
    pub pairs: usize,
}

/// The opponent with the best mean return, the first of equals; nothing if nobody else took part.
#[must_use]
pub fn strongest(report: &Report) -> Option<&str> {
    let row = report.sections.first()?.row(PRIMARY)?;
    let others = row.summaries.iter().filter(|summary| summary.arm != report.subject);
    let means = others.filter_map(|summary| Some((summary.mean?.value, summary.arm.as_str())));
    means.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, name)| name)
}

/// For each scenario the seed on which liquidated notional differs most between two contenders, in either direction,
/// the widest difference first. Of equals the first in grid order.
///
/// `run` is the training seed of the subject's run that is meant, if it has several.
#[must_use]
pub fn widest(table: &EpisodeTable, subject: &str, run: Option<u64>, opponent: &str) -> Vec<Choice> {
    let Some(place) = table.place(CASCADE) else { return Vec::new() };
    let own = |row: &&EpisodeRow| row.contender == subject && (run.is_none() || row.training_seed == run);
    let mut found: Vec<Choice> = Vec::new();
    for row in table.rows.iter().filter(own) {
        let same = |other: &&EpisodeRow| {
            other.contender == opponent && other.scenario == row.scenario && other.seed == row.seed
        };
        let other = table.rows.iter().find(same).and_then(|other| other.values[place]);
        let Some((subject, opponent)) = row.values[place].zip(other) else { continue };
        let next = Choice { scenario: row.scenario.clone(), seed: row.seed, subject, opponent, pairs: 1 };
        match found.iter_mut().find(|choice| choice.scenario == row.scenario) {
            None => found.push(next),
            Some(best) => {
                let pairs = best.pairs + 1;
                if next.gap() > best.gap() {
                    *best = next;
                }
                best.pairs = pairs;
            }
        }
    }
    // Stable: equals stay in grid order.
    found.sort_by(|a, b| b.gap().total_cmp(&a.gap()));
    found
}

impl Choice {
    fn gap(&self) -> f64 {
        (self.subject - self.opponent).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, Option<u64>, &str, u64, f64)]) -> EpisodeTable {
        let row =
            |(contender, training_seed, scenario, seed, liquidated): &(&str, Option<u64>, &str, u64, f64)| EpisodeRow {
                contender: (*contender).into(),
                preset: "venue".into(),
                training_seed: *training_seed,
                scenario: (*scenario).into(),
                seed: *seed,
                values: vec![Some(*liquidated)],
            };
        EpisodeTable { metrics: vec!["liquidated".into()], rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn the_widest_pair_of_each_scenario_whoever_it_favours() {
        let table = table(&[
            ("own", Some(1), "calm", 10, 5.0),
            ("own", Some(1), "calm", 11, 9.0),
            ("own", Some(1), "crash", 20, 10.0),
            // Another run of the same arm, which is not the one that is shown.
            ("own", Some(2), "crash", 20, 9_000.0),
            ("rule", None, "calm", 10, 6.0),
            ("rule", None, "calm", 11, 2.0),
            ("rule", None, "crash", 20, 90.0),
        ]);
        let found = widest(&table, "own", Some(1), "rule");
        let seeds: Vec<(&str, u64, usize)> = found.iter().map(|c| (c.scenario.as_str(), c.seed, c.pairs)).collect();
        assert_eq!(seeds, [("crash", 20, 1), ("calm", 11, 2)]);
        assert!(widest(&table, "own", Some(1), "nobody").is_empty());
    }
}
