//! Who pays for safety: liquidated traders, margin posted, business lost.

use crate::metric::Direction::{Higher, Lower, Neutral};
use crate::metric::Unit::{OpenInterestBp, Percent, Ratio};
use crate::metric::{Group, Metric, open_interest_bp, share};
use crate::statistics::real;

pub(super) static METRICS: [Metric; 12] = [
    Metric {
        name: "liquidation_cost",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Cost,
        formula: "what liquidated traders lost to slippage, keepers' bonus and liquidation fees against mark, over open interest at reset",
        source: "liquidated traders' loss",
        value: |r| open_interest_bp(r, r.outcome.liquidation_cost),
    },
    Metric {
        name: "open_interest_mean",
        unit: Percent,
        direction: Higher,
        group: Group::Cost,
        formula: "mean open interest over decisions, over that at reset",
        source: "capital efficiency: safety bought by driving business away shows here",
        value: |r| share(r.outcome.open_interest_mean, r.outcome.reference_open_interest).map(|s| 100.0 * s),
    },
    Metric {
        name: "open_interest_end",
        unit: Percent,
        direction: Higher,
        group: Group::Cost,
        formula: "open interest at the end, over that at reset",
        source: "open interest lost afterwards",
        value: |r| share(r.outcome.open_interest_end, r.outcome.reference_open_interest).map(|s| 100.0 * s),
    },
    Metric {
        name: "fees",
        unit: OpenInterestBp,
        direction: Higher,
        group: Group::Cost,
        formula: "trading fees that the venue earned, over open interest at reset",
        source: "the venue's revenue",
        value: |r| open_interest_bp(r, r.outcome.fees),
    },
    Metric {
        name: "turned_away",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Cost,
        formula: "openings that neutral margin, no cap and no contribution would have brought on the same draws, less those that came, over open interest at reset",
        source: "the price of safety, counted where it arises",
        value: |r| open_interest_bp(r, r.outcome.turned_away),
    },
    Metric {
        name: "margin_mean",
        unit: Ratio,
        direction: Lower,
        group: Group::Cost,
        formula: "mean multiplier of initial margin over decisions",
        source: "cost as average extra margin: Murphy, Vasios & Vause 2016, Bank of England SWP 597",
        value: |r| Some(r.outcome.margin_mean),
    },
    Metric {
        name: "margin_peak_to_trough",
        unit: Ratio,
        direction: Lower,
        group: Group::Cost,
        formula: "highest over lowest multiplier of initial margin; undefined if the lowest is not positive",
        source: "procyclicality: Murphy, Vasios & Vause 2016, Bank of England SWP 597",
        value: |r| (r.outcome.margin_trough > 0.0).then(|| r.outcome.margin_peak / r.outcome.margin_trough),
    },
    Metric {
        name: "margin_call_1",
        unit: Ratio,
        direction: Lower,
        group: Group::Cost,
        formula: "largest rise of the multiplier of initial margin over 1 decision, 0 if it never rises: what a static \
                  portfolio is called for, in neutral margins; undefined in a shorter episode",
        source: "worst 1-period margin call: Murphy, Vasios & Vause 2016, Bank of England SWP 597",
        value: |r| r.path?.margin_calls[0],
    },
    Metric {
        name: "margin_call_5",
        unit: Ratio,
        direction: Lower,
        group: Group::Cost,
        formula: "largest rise of the multiplier of initial margin over 5 decisions, 0 if it never rises: what a static \
                  portfolio is called for, in neutral margins; undefined in a shorter episode",
        source: "worst 5-period margin call: Murphy, Vasios & Vause 2016, Bank of England SWP 597",
        value: |r| r.path?.margin_calls[1],
    },
    Metric {
        name: "margin_call_20",
        unit: Ratio,
        direction: Lower,
        group: Group::Cost,
        formula: "largest rise of the multiplier of initial margin over 20 decisions, 0 if it never rises: what a static \
                  portfolio is called for, in neutral margins; undefined in a shorter episode",
        source: "worst 20-period margin call: Murphy, Vasios & Vause 2016, Bank of England SWP 597",
        value: |r| r.path?.margin_calls[2],
    },
    Metric {
        name: "keeper_profit",
        unit: OpenInterestBp,
        // Too little and nobody comes, too much and traders pay for it.
        direction: Neutral,
        group: Group::Cost,
        formula: "keepers' profit and loss against mark after costs, over open interest at reset",
        source: "incentive slot of the liquidation pipeline",
        value: |r| open_interest_bp(r, r.outcome.keeper_profit),
    },
    Metric {
        name: "shield_rate",
        unit: Percent,
        // A shield that never acts is either not needed or not there.
        direction: Neutral,
        group: Group::Cost,
        formula: "decisions whose action the shield changed, over decisions; undefined without a shield",
        source: "interventions per step: Alshiekh et al. 2018 (arXiv:1708.08611), post-posed shielding",
        value: |r| {
            let decisions = usize::try_from(r.outcome.decisions).ok().filter(|decisions| *decisions > 0)?;
            Some(100.0 * real(usize::try_from(r.overruled?).ok()?) / real(decisions))
        },
    },
];
