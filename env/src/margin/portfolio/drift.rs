//! How much a requirement can have grown since it was last computed, without computing it again.
//!
//! A portfolio has no single trigger price, but a requirement cannot outrun what it is made of. Black's formula is a
//! function `V(F, d)` of forward and deviation `d = σ√T` with `0 ≤ |∂V/∂F| ≤ 1` and `0 ≤ ∂V/∂d ≤ φ(0)·F`. A coin's gain in
//! scenario `s` is `λ_s·(V(F(1 + m_s), d_s) − V(F, d))`, so between two ticks it changes by at most
//! `λ_s·((2 + m_s)·|ΔF| + φ(0)·F̂·((1 + m_s)·|Δd_s| + |Δd|))`, with `F̂` the greater forward. Summed over holdings that
//! bounds the growth of the scan; contingencies are linear in the price. A floor follows deltas, and those cannot outrun
//! `|∂Δ/∂ln F| ≤ φ(0)/d` and `|∂Δ/∂d| = φ(d₁)·|1 − d₁/d| ≤ φ(0) + φ(1)/d`, nor leave `[-1, 1]`.
//! An account whose equity exceeds maintenance at that bound needs no scan: its *safe radius* in price, volatility and
//! time. Signals decide only who is scanned; the scan decides in integers.

use serde::{Deserialize, Serialize};

use super::{OptionSeries, PortfolioMargin, SPAN, VolatilityMove};
use crate::units::Rate;

/// φ(0): the greatest density of a standard normal.
const DENSITY: f64 = 0.398_942_280_401_432_7;
/// φ(1): the greatest value of `x·φ(x)`.
const STEEPEST: f64 = 0.241_970_724_519_143_37;
/// Roundings of marks and gains to 1e-6 dollars per coin, at both ends.
const ROUNDING: f64 = 4e-6;

/// Where a series stands in price and deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanPoint {
    /// Forward, in dollars.
    pub forward: f64,
    /// `σ√T` as it is, after the volatility move up, and after the one down.
    pub deviations: [f64; 3],
}

/// How far a coin of a series can have moved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// Dollars, of its gain in any scenario.
    pub gain: f64,
    /// Coins, of its delta.
    pub delta: f64,
}

/// What an account held when it was last assessed, and what it holds now, of one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Since {
    /// Scan loss at the last assessment, in dollars.
    pub scan: f64,
    /// Delta floor at the last assessment, in dollars.
    pub floor: f64,
    /// Perpetual then, in coins.
    pub perpetual_then: f64,
    /// Perpetual now, in coins.
    pub perpetual: f64,
    /// `Σ |coins|·drift` over option holdings, which are those of then.
    pub drift: Drift,
    /// Coins of options written.
    pub short: f64,
}

impl PortfolioMargin {
    /// Where a series stands.
    #[must_use]
    pub fn point(&self, series: &OptionSeries, forward: f64, volatility: f64, now_seconds: u64) -> ScanPoint {
        let moves = &self.moves[series.asset];
        let stretch = self.stretch(series.days(now_seconds));
        let deviation = volatility * series.years(now_seconds).sqrt();
        let up = deviation * (1.0 + moves.volatility_up * stretch);
        let down = deviation * (1.0 - moves.volatility_down * stretch).max(0.0);
        ScanPoint { forward, deviations: [deviation, up, down] }
    }

    /// How far a coin of a series can have moved between two points.
    #[must_use]
    pub fn drift(&self, asset: usize, then: &ScanPoint, now: &ScanPoint) -> Drift {
        let moves = &self.moves[asset];
        let (moved, greater) = ((now.forward - then.forward).abs(), now.forward.max(then.forward));
        let change = |which: usize| (now.deviations[which] - then.deviations[which]).abs();
        let mut most = 0.0_f64;
        for (scenario, (price, share)) in SPAN.iter().zip(moves.price.iter().zip(&moves.share)) {
            let which = match scenario.volatility {
                VolatilityMove::Unchanged => 0,
                VolatilityMove::Up => 1,
                VolatilityMove::Down => 2,
            };
            let factor = 1.0 + price.as_f64();
            let by_price = (1.0 + factor) * moved;
            let by_deviation = DENSITY * greater * (factor * change(which) + change(0));
            most = most.max(share.as_f64() * (by_price + by_deviation));
        }
        Drift { gain: most + ROUNDING, delta: delta_drift(then, now) }
    }

    /// Most that an account of one asset can have to hold for maintenance at `price` dollars, in dollars.
    #[must_use]
    pub fn maintenance_at_most(&self, asset: usize, since: &Since, [then, price]: [f64; 2]) -> f64 {
        let moves = &self.moves[asset];
        let range = moves.price.iter().zip(&moves.share).map(|(m, s)| (m.as_f64() * s.as_f64()).abs());
        let range = range.fold(0.0, f64::max);
        let traded = (since.perpetual - since.perpetual_then).abs();
        let growth = range * (traded * price + since.perpetual_then.abs() * (price - then).abs());
        let scan = since.scan + growth + since.drift.gain;
        let [net, gross, short, perpetual] = self.floor_rates().map(Rate::as_f64);
        let contingency = price * (short * since.short + perpetual * since.perpetual.abs());
        let floor = price * (since.floor / then + (net + gross).max(gross) * (since.drift.delta + traded));
        // A dollar for every rounding up on the way.
        self.maintenance_rate().as_f64() * ((scan + contingency).max(floor) + 1.0)
    }
}

fn delta_drift(then: &ScanPoint, now: &ScanPoint) -> f64 {
    let least = then.deviations[0].min(now.deviations[0]);
    if least <= 0.0 {
        return 1.0;
    }
    let by_price = DENSITY / least * libm::log(now.forward / then.forward).abs();
    let by_deviation = (DENSITY + STEEPEST / least) * (now.deviations[0] - then.deviations[0]).abs();
    (by_price + by_deviation + 1e-8).min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Account, AssetMark, OptionHolding, Perp, PortfolioConfig, RiskTable, Scratch};
    use super::*;
    use crate::margin::Position;
    use crate::margin::options::OptionKind;
    use crate::units::{Price, Qty, Usd};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn requirement_never_outruns_its_bound(
            holdings in prop::collection::vec((any::<bool>(), 0.7..1.4_f64, 0.05..90.0_f64, -40.0..40.0_f64), 0..6),
            perpetuals in (-30.0..30.0_f64, -30.0..30.0_f64, any::<bool>()),
            moved in (-0.2..0.2_f64, 0.5..2.0_f64, 0.0..7_200.0_f64, 0.1..1.5_f64),
            small in prop_oneof![1 => Just(0.0), 4 => 0.0..1.0_f64],
        ) {
            let config = PortfolioConfig { assets: vec![PortfolioConfig::default().assets[0]], ..PortfolioConfig::default() };
            let venue = PortfolioMargin::new(&config);
            let (then, now) = (60_000.0, 60_000.0 * (1.0 + small * moved.0));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "two hours")]
            let later = (small * moved.2) as u64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a quarter")]
            let series: Vec<OptionSeries> = holdings.iter().map(|&(is_call, strike, days, _)| OptionSeries {
                asset: 0,
                kind: if is_call { OptionKind::Call } else { OptionKind::Put },
                strike: Price::from_f64(then * strike),
                expiry_seconds: (86_400.0 * days) as u64,
            }).collect();
            let options: Vec<OptionHolding> = holdings.iter().enumerate()
                .map(|(series, &(.., coins))| OptionHolding { series, qty: Qty::from_f64(coins) }).collect();
            let (held, changed, is_traded) = perpetuals;
            let mut scratch = Scratch::new(1);
            let mut assess = |coins: f64, price: f64, volatility: f64, time: u64| {
                let mut table = RiskTable::new();
                let marks = [AssetMark { price: Price::from_f64(price), funding: Price::ZERO }];
                let volatilities = vec![volatility; series.len()];
                table.refresh(&venue, &marks, &[Price::from_f64(1.0)], (&series, &volatilities), time);
                let position = Position { qty: Qty::from_f64(coins), cash: Usd::ZERO, funding: Price::ZERO };
                let perps = [Perp { asset: 0, position }];
                venue.assess(&Account { perps: &perps, options: &options, collateral: &[] }, &table, &mut scratch)
            };
            let (before, after) = (moved.3, moved.3 * (1.0 + small * (moved.1 - 1.0)));
            let coins = if is_traded { changed } else { held };
            let (first, second) = (assess(held, then, before, 0), assess(coins, now, after, later));
            let mut since = Since {
                scan: first.scan.as_f64(),
                floor: first.floor.as_f64(),
                perpetual_then: held,
                perpetual: coins,
                ..Since::default()
            };
            for (holding, row) in options.iter().zip(&series) {
                let points = [venue.point(row, then, before, 0), venue.point(row, now, after, later)];
                let drift = venue.drift(0, &points[0], &points[1]);
                let size = holding.qty.as_f64();
                since.drift.gain += size.abs() * drift.gain;
                since.drift.delta += size.abs() * drift.delta;
                since.short += (-size).max(0.0);
            }
            let bound = venue.maintenance_at_most(0, &since, [then, now]);
            prop_assert!(second.levels.maintenance.as_f64() <= bound, "{second:?} above {bound}");
            // Nothing moved: the bound is the requirement, but for roundings.
            if !is_traded && small < 1e-12 {
                prop_assert!(bound - second.levels.maintenance.as_f64() < 2.0);
            }
        }
    }
}
