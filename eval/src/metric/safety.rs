//! Who goes unpaid, and what stands between.

use seawall_env::units::Usd;

use crate::metric::Direction::{Higher, Lower, Neutral};
use crate::metric::Unit::{Count, OpenInterestBp, Percent, Ticks};
use crate::metric::{Group, Metric, open_interest_bp, percent_if, share};
use crate::statistics::real;

pub(super) static METRICS: [Metric; 15] = [
    Metric {
        name: "bad_debt",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "deficits of traders' accounts before anybody covers them, over open interest at reset",
        source: "D_t of Chitra et al. 2025 (arXiv:2512.01112); net insolvency of Kao et al. 2020",
        value: |r| open_interest_bp(r, r.outcome.bad_debt),
    },
    Metric {
        name: "bad_debt_episodes",
        unit: Percent,
        direction: Lower,
        group: Group::Safety,
        formula: "100 if bad debt is positive, else 0",
        source: "frequency beside the size of bad debt, whose mean a few episodes can carry",
        value: |r| Some(percent_if(r.outcome.bad_debt > Usd::ZERO)),
    },
    Metric {
        name: "socialised",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "bad debt taken from other accounts' balances, over open interest at reset",
        source: "last step of the loss waterfall",
        value: |r| open_interest_bp(r, r.outcome.socialised),
    },
    Metric {
        name: "haircut",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "bad debt that auto-deleveraged winners bore, over open interest at reset",
        source: "profit taken from winners; Chitra et al. 2025 (arXiv:2512.01112)",
        value: |r| open_interest_bp(r, r.outcome.haircut),
    },
    Metric {
        name: "written_off",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "bad debt that nobody could cover, over open interest at reset",
        source: "what is left when the loss waterfall is dry",
        value: |r| open_interest_bp(r, r.outcome.written_off),
    },
    Metric {
        name: "deleveraged",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "notional closed against winners by auto-deleveraging, over open interest at reset",
        source: "Chitra et al. 2025 (arXiv:2512.01112)",
        value: |r| open_interest_bp(r, r.outcome.deleveraged),
    },
    Metric {
        name: "deleveraging_episodes",
        unit: Percent,
        direction: Lower,
        group: Group::Safety,
        formula: "100 if any position was auto-deleveraged, else 0",
        source: "frequency beside the size of auto-deleveraging",
        value: |r| Some(percent_if(r.outcome.deleveraged > Usd::ZERO)),
    },
    Metric {
        name: "deleveraged_share",
        unit: Percent,
        direction: Lower,
        group: Group::Safety,
        formula: "auto-deleveraged over liquidated notional; undefined if nothing was liquidated",
        source: "the ratio published for 10 October 2025",
        value: |r| share(r.outcome.deleveraged, r.outcome.liquidated).map(|share| 100.0 * share),
    },
    Metric {
        name: "first_deleveraging_delay",
        unit: Ticks,
        // An episode that never gets there is the best of all and has no delay, so a longer mean is not better.
        direction: Neutral,
        group: Group::Safety,
        formula: "ticks from the first liquidation to the first auto-deleveraging; undefined without both",
        source: "time profile published for 10 October 2025; read with deleveraging_episodes",
        value: |r| {
            let (liquidation, deleveraging) = (r.outcome.first_liquidation?, r.outcome.first_deleveraging?);
            Some(real(usize::try_from(deleveraging.checked_sub(liquidation)?).ok()?))
        },
    },
    Metric {
        name: "fund_drawdown",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "insurance fund at reset less its lowest equity, inventory at exit cost, over open interest at reset",
        source: "insurance drawdown; exit cost so that delay does not hide a loss",
        value: |r| open_interest_bp(r, (r.outcome.fund_start - r.outcome.fund_low).positive_part()),
    },
    Metric {
        name: "fund_change",
        unit: OpenInterestBp,
        direction: Higher,
        group: Group::Safety,
        formula: "equity of the insurance fund at the end, inventory at exit cost, less that at reset, over open interest at reset",
        source: "what the next crash finds",
        value: |r| open_interest_bp(r, r.outcome.fund_end - r.outcome.fund_start),
    },
    Metric {
        name: "liquidated",
        unit: OpenInterestBp,
        direction: Lower,
        group: Group::Safety,
        formula: "notional that left liquidated accounts by every path, over open interest at reset",
        source: "liquidations at risk of Kao et al. 2020",
        value: |r| open_interest_bp(r, r.outcome.liquidated),
    },
    Metric {
        name: "liquidated_accounts",
        unit: Count,
        direction: Lower,
        group: Group::Safety,
        formula: "accounts that entered liquidation",
        source: "people, where notional counts dollars",
        value: |r| Some(real(usize::try_from(r.outcome.liquidated_accounts).ok()?)),
    },
    Metric {
        name: "false_liquidations",
        unit: Percent,
        direction: Lower,
        group: Group::Safety,
        formula: "accounts that, let be from where they entered liquidation on the same luck, have positive equity at every tick \
                  of the next hour or to the end of the episode, over those let be; undefined if none was",
        source: "over-liquidation, Qin et al. 2021 (arXiv:2106.06389), by counterfactual instead of by price afterwards; low \
                 also where liquidation comes late, so read it with bad_debt",
        value: |r| {
            let let_be = r.let_be.filter(|let_be| let_be.sampled > 0)?;
            Some(100.0 * real(let_be.survived) / real(let_be.sampled))
        },
    },
    Metric {
        name: "stressed_time",
        unit: Percent,
        direction: Lower,
        group: Group::Safety,
        formula: "ticks in which somebody was in liquidation, over ticks",
        source: "time insolvent; a rule that only waits shows here",
        value: |r| {
            let ticks = usize::try_from(r.outcome.ticks).ok().filter(|ticks| *ticks > 0)?;
            Some(100.0 * real(usize::try_from(r.outcome.stressed_ticks).ok()?) / real(ticks))
        },
    },
];
