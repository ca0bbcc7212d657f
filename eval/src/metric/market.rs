//! What happens to price and liquidity.

use seawall_env::outcome::Outcome;
use seawall_env::units::Price;

use crate::metric::Direction::{Higher, Lower};
use crate::metric::Unit::{Percent, PriceBp, Ratio, Ticks};
use crate::metric::{Group, Metric, share};
use crate::statistics::real;

pub(super) static METRICS: [Metric; 12] = [
    Metric {
        name: "price_amplification",
        unit: Ratio,
        direction: Lower,
        group: Group::Market,
        formula: "largest move of mark from its start, over the same without liquidations, on the side where that moved \
                  further; undefined without that episode, or if its mark never left its start",
        source: "drawdown over drawdown with liquidations off on the same seed; near 1/(1 - R) for cascade reproduction number R",
        value: |r| {
            let (with, without) = (Move::of_mark(&r.outcome)?, Move::of_mark(r.without_liquidations.as_ref()?)?);
            let side = without.further();
            (side(&without) > 0.0).then(|| side(&with) / side(&without))
        },
    },
    Metric {
        name: "excess_move",
        unit: PriceBp,
        direction: Lower,
        group: Group::Market,
        formula: "largest move of mark from its start, less the same without liquidations, on the side where that moved \
                  further; undefined without that episode",
        source: "the difference beside the ratio, which quiet episodes dominate",
        value: |r| {
            let (with, without) = (Move::of_mark(&r.outcome)?, Move::of_mark(r.without_liquidations.as_ref()?)?);
            let side = without.further();
            Some(10_000.0 * (side(&with) - side(&without)))
        },
    },
    Metric {
        name: "fundamental_overshoot",
        unit: PriceBp,
        direction: Lower,
        group: Group::Market,
        formula: "largest move of mark from its start, less the same of the fundamental, on the side where the \
                  fundamental moved further",
        source: "amplification against a price that no cascade moves",
        value: |r| {
            let (mark, fundamental) = (Move::of_mark(&r.outcome)?, Move::of_fundamental(&r.outcome)?);
            let side = fundamental.further();
            Some(10_000.0 * (side(&mark) - side(&fundamental)))
        },
    },
    Metric {
        name: "deviation_max",
        unit: PriceBp,
        direction: Lower,
        group: Group::Market,
        formula: "largest distance of mark from fundamental",
        source: "mispricing at its worst",
        value: |r| Some(r.outcome.deviation_max_bp),
    },
    Metric {
        name: "deviation_mean",
        unit: PriceBp,
        direction: Lower,
        group: Group::Market,
        formula: "mean distance of mark from fundamental over ticks",
        source: "mispricing that lasts",
        value: |r| Some(r.outcome.deviation_mean_bp),
    },
    Metric {
        name: "forced_share",
        unit: Percent,
        direction: Lower,
        group: Group::Market,
        formula: "forced over all volume on the home book; undefined if nothing traded",
        source: "order book neutrality: forced flow against natural flow",
        value: |r| {
            share(r.outcome.forced_volume, r.outcome.forced_volume + r.outcome.natural_volume).map(|s| 100.0 * s)
        },
    },
    Metric {
        name: "depth_low",
        unit: Percent,
        direction: Higher,
        group: Group::Market,
        formula: "lowest depth within 1 % of mid, over that at reset",
        source: "depth collapse",
        value: |r| Some(100.0 * r.outcome.depth_low),
    },
    Metric {
        name: "peak_minute_share",
        unit: Percent,
        direction: Lower,
        group: Group::Market,
        formula: "largest notional liquidated within a minute, over all liquidated; undefined if nothing was liquidated",
        source: "time profile published for 10 October 2025",
        value: |r| share(r.outcome.peak_minute, r.outcome.liquidated).map(|share| 100.0 * share),
    },
    Metric {
        name: "depth_recovery",
        unit: Ticks,
        direction: Lower,
        group: Group::Market,
        formula: "ticks from the lowest depth within 1 % of mid, looked at after each decision, until half of what was missing \
                  is back, or to the end if it is not; undefined if less than half of the opening's depth was ever missing",
        source: "half-life of depth: Foucault, Kadan & Kandel 2005, resiliency",
        value: |r| Some(real(usize::try_from(r.path?.depth_recovery?).ok()?)),
    },
    Metric {
        name: "branching_ratio",
        unit: Ratio,
        direction: Lower,
        group: Group::Market,
        formula: "1 - √(mean / variance) of accounts that entered liquidation per decision; undefined if nobody did. What \
                  comes at once from outside counts as excitation, so compare on the same seeds",
        source: "Hardiman & Bouchaud 2014 (arXiv:1403.5227), eq. 3",
        value: |r| r.path?.branching,
    },
    Metric {
        name: "reproduction_peak",
        unit: Ratio,
        direction: Lower,
        group: Group::Market,
        formula: "decimal logarithm of the highest cascade reproduction number R after any decision: notional that a move \
                  of 1 % forces over depth within 1 %, the larger of fall and rise; 0 where a cascade begins to grow; \
                  undefined if R is never positive",
        source: "R(p) = ρ·ℓ(p)/D(p) with ρ = 1; its logarithm, as depth all but vanishes in a crash",
        value: |r| {
            let peak = r.path?.reproduction_peak;
            (peak > 0.0).then(|| libm::log10(peak))
        },
    },
    Metric {
        name: "supercritical_time",
        unit: Percent,
        direction: Lower,
        group: Group::Market,
        formula: "decisions after which R is at least 1, reset included, over all",
        source: "how long a shock would have grown; R as in reproduction_peak",
        value: |r| Some(100.0 * r.path?.supercritical),
    },
];

/// Largest moves of a price from the mark at reset, as shares of it.
struct Move {
    down: f64,
    up: f64,
}

impl Move {
    fn of_mark(outcome: &Outcome) -> Option<Self> {
        Self::new(outcome.price_start, outcome.mark_low, outcome.mark_high)
    }

    fn of_fundamental(outcome: &Outcome) -> Option<Self> {
        Self::new(outcome.price_start, outcome.fundamental_low, outcome.fundamental_high)
    }

    fn new(start: Price, low: Price, high: Price) -> Option<Self> {
        let share = |distance: Price| distance.as_f64() / start.as_f64();
        (start > Price::ZERO).then(|| Self { down: share(start - low), up: share(high - start) })
    }

    /// Chooses the side on which this price moved further, so that the same side is measured for every contender.
    fn further(&self) -> fn(&Self) -> f64 {
        if self.down >= self.up { |moved| moved.down } else { |moved| moved.up }
    }
}
