//! Volatility at any strike and time: smiles of several expiries, and what lies between.

use serde::{Deserialize, Serialize};

use super::svi::{SviSlice, durrleman};
use crate::error::Problems;

/// Log-moneyness on which neighbouring smiles are compared.
fn grid() -> impl Iterator<Item = f64> {
    (-300..=300_i32).map(|i| f64::from(i) * 0.01)
}

/// The smile of one expiry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceConfig {
    /// Time to this expiry, in years of 365 days.
    pub years: f64,
    /// Its total variance.
    pub smile: SviSlice,
}

/// Smiles in rising order of expiry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceConfig {
    /// One row per expiry.
    pub slices: Vec<SliceConfig>,
}

/// A whole surface from three numbers, free of static arbitrage by construction.
///
/// `w(k, θ) = θ/2·(1 + ρφk + √((φk + ρ)² + 1 - ρ²))` with `θ = σ²T` and `φ = η/√(θ(1 + θ))`.
///
/// # Reference
/// Gatheral & Jacquier 2014 (arXiv:1204.0646), §4: SSVI, with the power law of Remark 4.4 at γ = 1/2, for which
/// `η(1 + |ρ|) ≤ 2` suffices against butterfly and calendar arbitrage.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SsviConfig {
    /// Volatility at the money, per year. Default 0.40: Deribit's DVOL for bitcoin was 33 to 44 points in late 2025.
    pub volatility: f64,
    /// Skew, in (-1, 1). Default -0.3, a choice and not calibrated: puts dearer than calls, as in falling markets.
    pub rho: f64,
    /// Curvature. Default 1.0, a choice and not calibrated.
    pub eta: f64,
}

impl Default for SsviConfig {
    fn default() -> Self {
        Self { volatility: 0.4, rho: -0.3, eta: 1.0 }
    }
}

impl SsviConfig {
    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        problems.range(format!("{field}.volatility"), self.volatility, 0.01, 5.0);
        problems.range(format!("{field}.rho"), self.rho, -0.99, 0.99);
        problems.range(format!("{field}.eta"), self.eta, 0.01, 2.0);
        let holds = self.eta * (1.0 + self.rho.abs()) <= 2.0;
        problems.require(holds, format!("{field}.eta"), self.eta, "at most 2 / (1 + |rho|), against arbitrage");
    }

    /// The raw smile at a time, by the paper's eq. 3.2 and 4.1: the same curve in other letters.
    #[must_use]
    pub fn slice(&self, years: f64) -> SviSlice {
        let theta = self.volatility * self.volatility * years;
        let phi = self.eta / (theta * (1.0 + theta)).sqrt();
        let round = 1.0 - self.rho * self.rho;
        SviSlice {
            a: 0.5 * theta * round,
            b: 0.5 * theta * phi,
            rho: self.rho,
            m: -self.rho / phi,
            sigma: round.sqrt() / phi,
        }
    }
}

impl SurfaceConfig {
    /// Records what is wrong, under the dotted path `field`.
    ///
    /// Each smile is checked for butterfly arbitrage, neighbours for calendar arbitrage (total variance falls with
    /// time at no strike), and the interpolated smiles at the quarters between them for butterfly arbitrage: no
    /// pair is known to us that fails this check alone, and no proof that none does.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        let count = self.slices.len();
        problems.require((1..=64).contains(&count), format!("{field}.slices"), count, "1 to 64 expiries");
        let before = problems.0.len();
        for (index, slice) in self.slices.iter().enumerate() {
            problems.range(format!("{field}.slices[{index}].years"), slice.years, 1e-4, 10.0);
            slice.smile.validate(&format!("{field}.slices[{index}].smile"), problems);
        }
        if problems.0.len() > before {
            return;
        }
        for (index, pair) in self.slices.windows(2).enumerate() {
            let row = format!("{field}.slices[{}]", index + 1);
            let rises = pair[1].years > pair[0].years;
            problems.require(rises, format!("{row}.years"), pair[1].years, "above the row before");
            let wings = |slice: &SliceConfig, sign: f64| slice.smile.b * (1.0 + sign * slice.smile.rho);
            let crossing = grid().find(|&k| pair[1].smile.variance(k)[0] < pair[0].smile.variance(k)[0]);
            let opens = [-1.0, 1.0].iter().all(|&sign| wings(&pair[1], sign) >= wings(&pair[0], sign) - 1e-12);
            let holds = crossing.is_none() && opens;
            let shown = crossing.map_or_else(|| String::from("its wings"), |k| format!("log-moneyness {k:.2}"));
            let bound = "of no less total variance than the expiry before, against calendar arbitrage";
            problems.require(holds, format!("{row}.smile"), shown, bound);
            let dent = grid().find(|&k| {
                let (near, far) = (pair[0].smile.variance(k), pair[1].smile.variance(k));
                [0.25, 0.5, 0.75].iter().any(|&share| durrleman(k, mixed(near, far, share)) < -1e-9)
            });
            let shown = dent.map_or_else(String::new, |k| format!("log-moneyness {k:.2}"));
            let bound = "close enough to the expiry before for no butterfly arbitrage in between";
            problems.require(dent.is_none(), format!("{row}.smile"), shown, bound);
        }
    }
}

fn mixed(near: [f64; 3], far: [f64; 3], share: f64) -> [f64; 3] {
    std::array::from_fn(|i| near[i] + share * (far[i] - near[i]))
}

/// A validated surface.
///
/// Between expiries total variance is linear in time at the same log-moneyness. Before the first it shrinks in
/// proportion to time, which keeps the smile's volatilities and its freedom from butterflies: with `g = A - B - C + D`
/// of `w`, that of `cw` is `A + c(D - B) - c²C ≥ (1 - c)A + cg` for `c ≤ 1`. The same does not hold for `c > 1`, so
/// there is nothing beyond the last expiry.
#[derive(Clone, Debug, PartialEq)]
pub struct VolatilitySurface {
    slices: Vec<SliceConfig>,
}

impl VolatilitySurface {
    /// From a validated configuration.
    ///
    /// # Panics
    /// If there is no slice.
    #[must_use]
    pub fn new(config: &SurfaceConfig) -> Self {
        assert!(!config.slices.is_empty(), "a surface has an expiry");
        Self { slices: config.slices.clone() }
    }

    /// Volatility per year of an option with `years` left, at log-moneyness `k = log(K/F)`.
    ///
    /// # Panics
    /// If `years` is not positive, or beyond the last expiry.
    #[must_use]
    pub fn volatility(&self, k: f64, years: f64) -> f64 {
        assert!(years > 0.0, "no volatility at {years} years");
        let after = self.slices.partition_point(|slice| slice.years < years);
        assert!(after < self.slices.len(), "no volatility at {years} years, beyond the last expiry");
        let far = &self.slices[after];
        let variance = far.smile.variance(k)[0];
        let variance = match after.checked_sub(1).map(|before| &self.slices[before]) {
            None => variance * (years / far.years),
            Some(near) => {
                let share = (years - near.years) / (far.years - near.years);
                let below = near.smile.variance(k)[0];
                below + share * (variance - below)
            }
        };
        (variance / years).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn surface(ssvi: SsviConfig, times: &[f64]) -> SurfaceConfig {
        let slices = times.iter().map(|&years| SliceConfig { years, smile: ssvi.slice(years) }).collect();
        SurfaceConfig { slices }
    }

    fn problems_of(config: &SurfaceConfig) -> String {
        let mut problems = Problems::default();
        config.validate("surface", &mut problems);
        problems.to_string()
    }

    #[test]
    fn raw_slice_of_the_surface_is_the_surface() {
        let ssvi = SsviConfig { volatility: 0.6, rho: -0.4, eta: 0.9 };
        for years in [0.02, 0.25, 1.0] {
            let theta: f64 = 0.36 * years;
            let phi = 0.9 / (theta * (1.0 + theta)).sqrt();
            for k in [-1.0, -0.1, 0.0, 0.3] {
                let x: f64 = phi * k - 0.4;
                let w = 0.5 * theta * (1.0 - 0.4 * phi * k + (x * x + 1.0 - 0.16).sqrt());
                assert!((ssvi.slice(years).variance(k)[0] / w - 1.0).abs() < 1e-12, "{years} {k}");
            }
        }
    }

    proptest! {
        #[test]
        fn three_numbers_make_a_surface_without_arbitrage(
            volatility in 0.1..1.5_f64, rho in -0.9..0.9_f64, share in 0.05..0.99_f64,
        ) {
            let ssvi = SsviConfig { volatility, rho, eta: share * 2.0 / (1.0 + rho.abs()) };
            let slices = surface(ssvi, &[7.0 / 365.0, 30.0 / 365.0, 0.25, 1.0]);
            for (index, slice) in slices.slices.iter().enumerate() {
                let mut problems = Problems::default();
                slice.smile.validate("smile", &mut problems);
                prop_assert!(problems.0.is_empty(), "{index}: {problems}");
            }
            for pair in slices.slices.windows(2) {
                for k in grid() {
                    prop_assert!(pair[1].smile.variance(k)[0] >= pair[0].smile.variance(k)[0]);
                }
            }
        }
    }

    #[test]
    fn puts_are_dearer_than_calls_and_the_short_end_is_steeper() {
        let config = surface(SsviConfig::default(), &[7.0 / 365.0, 30.0 / 365.0, 0.25, 1.0]);
        assert_eq!(problems_of(&config), "");
        let surface = VolatilitySurface::new(&config);
        for years in [3.0 / 365.0, 0.05, 0.25, 0.8] {
            let skew = surface.volatility(-0.1, years) - surface.volatility(0.1, years);
            assert!(skew > 0.0, "{years}");
            assert!((surface.volatility(0.0, years) - 0.4).abs() < 1e-12, "at the money, {years}");
        }
        let skew = |years| surface.volatility(-0.1, years) - surface.volatility(0.1, years);
        assert!(skew(7.0 / 365.0) > skew(0.25) && skew(0.25) > skew(1.0));
        // Before the first expiry, the first expiry's smile.
        assert!((surface.volatility(0.2, 1.0 / 365.0) - surface.volatility(0.2, 7.0 / 365.0)).abs() < 1e-12);
    }

    #[test]
    fn calendar_arbitrage_is_named_with_its_place() {
        let mut config = surface(SsviConfig::default(), &[0.1, 0.2]);
        config.slices[1].smile = config.slices[0].smile;
        config.slices[0].smile.a += 0.001;
        let problems = problems_of(&config);
        assert!(problems.contains("surface.slices[1].smile") && problems.contains("calendar"), "{problems}");
        config.slices.swap(0, 1);
        assert!(problems_of(&config).contains("slices[1].years"), "times fall");
    }

    #[test]
    #[should_panic(expected = "beyond the last expiry")]
    fn beyond_the_last_expiry_there_is_nothing() {
        let _ = VolatilitySurface::new(&surface(SsviConfig::default(), &[0.1])).volatility(0.0, 0.2);
    }
}
