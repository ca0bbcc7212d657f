//! Auctions that nobody bids in while keepers are absent.

use std::sync::Arc;

use seawall_env::liquidation::{Auction, Execution, Pipeline};
use seawall_env::market::{AuctionRun, Site};
use seawall_env::scenario::Scenario;

use super::resampled::{ratio, resampled};
use super::row::Row;
use super::simulate::{Recording, record_all};
use crate::statistics::real;

/// Lots whose first run ended without a bid, and lots whose first run ended.
///
/// Later runs of the same lot do not count again: on the day, an auction ended once.
#[must_use]
pub fn without_a_bid(auctions: &[AuctionRun]) -> [usize; 2] {
    let first = auctions.iter().filter(|auction| auction.run == 0);
    [first.clone().filter(|auction| !auction.had_bid).count(), first.count()]
}

/// Seconds that the shorter of the two kinds of auction waits for a bid.
const BRIEF: f64 = 600.0;

/// Share of falling-price auctions that end without a bid while keepers drop out, by the rules of `pipeline`, and by auctions
/// that start at mark and wait ten minutes: how much of the first hangs on how long an auction waits.
///
/// # Panics
/// If the pipeline holds no falling-price auction.
///
/// # Reference
/// 12 and 13 March 2020 at Maker: 36 % of liquidations were won by a bid of nothing, for nobody competed (White Rabbit;
/// Blocknative). In a falling-price auction the like of it is the one whose time is over before anybody bids. A sixth
/// either way is ours.
#[must_use]
pub fn dropout(scenario: &Scenario, pipeline: Pipeline, seeds: &[u64]) -> Vec<Row> {
    let Execution::DutchAuction(auction) = pipeline.execution else { panic!("the venue holds no auction") };
    let brief = Execution::DutchAuction(Auction { start: 1.0, tail: BRIEF, ..auction });
    let scenario = Arc::new(scenario.clone());
    let row = |id: &str, title: &str, execution: Execution| {
        let site = Site::new(Arc::clone(&scenario), Pipeline { execution, ..pipeline });
        share(id, title, &record_all(&site, seeds))
    };
    vec![
        row("V9", "share of auctions that end without a bid while keepers drop out", pipeline.execution),
        // No venue's rules: reported beside the first.
        row("V9b", "the same by auctions from mark that wait ten minutes", brief).optional(),
    ]
}

fn share(id: &str, title: &str, recordings: &[Recording]) -> Row {
    let counts: Vec<[f64; 2]> =
        recordings.iter().map(|recording| without_a_bid(&recording.auctions).map(real)).collect();
    let (value, interval) = resampled(counts.len(), |times| ratio(&counts, times));
    let [unbid, ended] = [0, 1].map(|at| counts.iter().map(|count| count[at]).sum::<f64>());
    let bad_debt: f64 = recordings.iter().map(|r| r.outcome.bad_debt.as_f64() + r.stranded).sum();
    let interest: f64 = recordings.iter().map(|r| r.outcome.reference_open_interest.as_f64()).sum();
    Row::new(id, title, [Some(0.30), Some(0.42)], "12 March 2020 at Maker: 36 % (White Rabbit; Blocknative)")
        .measured(value, interval)
        .noted(format!(
            "{unbid:.0} of {ended:.0} auctions; bad debt, booked and not, {:.1} bp of open interest",
            1e4 * bad_debt / interest
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_counts_by_its_first_run() {
        let run = |account, run, had_bid| AuctionRun { account, start: 0, end: 9, run, had_bid };
        // 1 is sold at once; 2 runs out three times and is then sold; 3 has a bid and runs out nevertheless.
        let runs = [
            run(1, 0, true),
            run(2, 0, false),
            run(2, 1, false),
            run(2, 2, false),
            run(2, 3, true),
            run(3, 0, true),
            run(3, 1, false),
        ];
        assert_eq!(without_a_bid(&runs), [1, 3]);
        assert_eq!(without_a_bid(&[]), [0, 0]);
    }
}
