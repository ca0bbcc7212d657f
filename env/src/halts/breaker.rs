//! A circuit breaker: what the venue does when its price leaves a band.
//!
//! ```text
//! NORMAL --beyond the band--> SOFT --back--> NORMAL
//!                             SOFT --beyond for the limit time--> HARD
//! NORMAL, SOFT, RECOVERY --beyond the halting band--> HARD
//! HARD --pause--> RECOVERY --time--> NORMAL
//! RECOVERY --beyond the widened band--> SOFT
//! ```
//!
//! # Reference
//! Limit up–limit down (SEC, National Market System plan): band of 5 % in tier 1 around the mean price of five minutes;
//! 15 s at the band, then five minutes of pause; bands twice as wide in the first 15 minutes of trading. The four phases
//! are those of the CCP prototype `dex-sim` (pedroargento), which leaves them by a risk score instead. Ours: the
//! reduce-only phase at the band, the immediate halt at a second band, and a mean that is exponential.

use serde::{Deserialize, Serialize};

use super::Trading;
use crate::error::Problems;
use crate::world::Clock;

/// Bands and times of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Whether the venue has one.
    pub enabled: bool,
    /// Time constant of the mean price that bands lie around, in seconds. In [1, 86400].
    pub reference_seconds: f64,
    /// Distance from the mean at which only reductions trade, relative. In [1e-4, 0.9].
    pub band: f64,
    /// Distance from the mean at which matching stops at once, relative. In [band, 0.95].
    pub halt_band: f64,
    /// Time beyond the band after which matching stops, in seconds. In [0, 3600].
    pub limit_seconds: f64,
    /// Time without matching, in seconds. In [1, 86400].
    pub pause_seconds: f64,
    /// Time after a pause with wider bands, in seconds. In [0, 86400].
    pub recovery_seconds: f64,
    /// Width of those bands over the ordinary ones. In [1, 10].
    pub recovery_widening: f64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            reference_seconds: 300.0,
            band: 0.05,
            halt_band: 0.1,
            limit_seconds: 15.0,
            pause_seconds: 300.0,
            recovery_seconds: 900.0,
            recovery_widening: 2.0,
        }
    }
}

impl BreakerConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("reference_seconds", self.reference_seconds, 1.0, 86_400.0),
            ("band", self.band, 1e-4, 0.9),
            ("halt_band", self.halt_band, self.band, 0.95),
            ("limit_seconds", self.limit_seconds, 0.0, 3_600.0),
            ("pause_seconds", self.pause_seconds, 1.0, 86_400.0),
            ("recovery_seconds", self.recovery_seconds, 0.0, 86_400.0),
            ("recovery_widening", self.recovery_widening, 1.0, 10.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }
}

/// The breaker, ready to run.
#[derive(Clone, Copy, Debug)]
pub struct BreakerModel {
    config: BreakerConfig,
    /// Weight of a tick in the mean.
    weight: f64,
    limit: u64,
    pause: u64,
    recovery: u64,
}

impl BreakerModel {
    /// Prepares a validated configuration.
    #[must_use]
    pub fn new(config: &BreakerConfig, clock: Clock) -> Self {
        Self {
            config: *config,
            weight: -libm::expm1(-clock.tick_seconds / config.reference_seconds),
            limit: clock.ticks_in(config.limit_seconds),
            pause: clock.ticks_in(config.pause_seconds).max(1),
            recovery: clock.ticks_in(config.recovery_seconds),
        }
    }
}

/// Phase of the breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Within the band.
    #[default]
    Normal,
    /// Beyond it: reductions only.
    Soft,
    /// Nothing matches.
    Hard,
    /// Matching again, with wider bands.
    Recovery,
}

impl Phase {
    /// What the venue lets through.
    #[must_use]
    pub const fn trading(self) -> Trading {
        match self {
            Self::Normal | Self::Recovery => Trading::Open,
            Self::Soft => Trading::ReduceOnly,
            Self::Hard => Trading::Halted,
        }
    }
}

/// State of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    phase: Phase,
    /// Ticks in the phase.
    ticks: u64,
    reference: f64,
}

impl Breaker {
    /// A breaker whose mean price is `price`.
    #[must_use]
    pub const fn new(price: f64) -> Self {
        Self { phase: Phase::Normal, ticks: 0, reference: price }
    }

    /// Phase after the last tick.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes in the price of a tick.
    pub fn tick(&mut self, model: &BreakerModel, price: f64) {
        if !model.config.enabled {
            return;
        }
        self.ticks += 1;
        let next = self.next(model, (price / self.reference - 1.0).abs());
        if matches!((self.phase, next), (Phase::Hard, Phase::Recovery)) {
            // The price at which the venue reopens is what later ones are measured against.
            self.reference = price;
        }
        if next != self.phase {
            (self.phase, self.ticks) = (next, 0);
        }
        // Bands stand still while the price is beyond them.
        if matches!(self.phase, Phase::Normal | Phase::Recovery) {
            self.reference += model.weight * (price - self.reference);
        }
    }

    fn next(&self, model: &BreakerModel, distance: f64) -> Phase {
        let BreakerConfig { band, halt_band, recovery_widening, .. } = model.config;
        let width = if self.phase == Phase::Recovery { recovery_widening } else { 1.0 };
        let (beyond, far) = (distance >= band * width, distance >= halt_band * width);
        match self.phase {
            Phase::Hard if self.ticks >= model.pause => Phase::Recovery,
            Phase::Hard => Phase::Hard,
            _ if far => Phase::Hard,
            Phase::Soft if beyond && self.ticks >= model.limit => Phase::Hard,
            _ if beyond => Phase::Soft,
            Phase::Recovery if self.ticks < model.recovery => Phase::Recovery,
            _ => Phase::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_seconds: 1.0, ticks: 10_000 };

    /// The phases that a breaker goes through, and how many ticks each lasts.
    fn phases(config: BreakerConfig, path: impl IntoIterator<Item = f64>) -> Vec<(Phase, u32)> {
        let model = BreakerModel::new(&BreakerConfig { enabled: true, ..config }, CLOCK);
        let mut breaker = Breaker::new(100.0);
        let mut seen: Vec<(Phase, u32)> = Vec::new();
        for price in path {
            breaker.tick(&model, price);
            match seen.last_mut() {
                Some((phase, ticks)) if *phase == breaker.phase() => *ticks += 1,
                _ => seen.push((breaker.phase(), 1)),
            }
        }
        seen
    }

    fn steps<const N: usize>(steps: [(usize, f64); N]) -> impl Iterator<Item = f64> {
        steps.into_iter().flat_map(|(ticks, price)| std::iter::repeat_n(price, ticks))
    }

    #[test]
    fn a_brief_excursion_only_stops_openings() {
        let seen = phases(BreakerConfig::default(), steps([(10, 100.0), (14, 94.0), (10, 99.0)]));
        assert_eq!(seen, [(Phase::Normal, 10), (Phase::Soft, 14), (Phase::Normal, 10)]);
    }

    #[test]
    fn fifteen_seconds_at_the_band_pause_for_five_minutes_and_bands_double_for_fifteen() {
        // It reopens at 94: 100 is 6.4 % away, within the doubled band and, once the mean has followed, any.
        let seen = phases(BreakerConfig::default(), steps([(1, 100.0), (316, 94.0), (900, 100.0), (9, 100.0)]));
        assert_eq!(
            seen,
            [(Phase::Normal, 1), (Phase::Soft, 15), (Phase::Hard, 300), (Phase::Recovery, 900), (Phase::Normal, 10)]
        );
    }

    #[test]
    fn the_second_band_halts_at_once_and_again_in_recovery() {
        let halting = phases(BreakerConfig::default(), steps([(1, 100.0), (1, 111.0), (300, 111.0), (1, 80.0)]));
        assert_eq!(halting, [(Phase::Normal, 1), (Phase::Hard, 300), (Phase::Recovery, 1), (Phase::Hard, 1)]);
    }

    #[test]
    fn a_slow_slide_breaks_nothing_and_a_breaker_that_is_off_never_moves() {
        // 5 % an hour: the mean of five minutes is never more than half a percent behind.
        let slide = || (0..3_600).map(|t| 100.0 - f64::from(t) * 5.0 / 3_600.0);
        assert_eq!(phases(BreakerConfig::default(), slide()), [(Phase::Normal, 3_600)]);
        let model = BreakerModel::new(&BreakerConfig::default(), CLOCK);
        let mut off = Breaker::new(100.0);
        off.tick(&model, 1.0);
        assert_eq!(off, Breaker::new(100.0));
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let config = BreakerConfig {
            reference_seconds: 0.0,
            band: 0.2,
            limit_seconds: -1.0,
            pause_seconds: f64::NAN,
            recovery_seconds: 1e6,
            recovery_widening: 0.5,
            ..BreakerConfig::default()
        };
        let mut problems = Problems::default();
        config.validate("venue.breaker", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|p| p.field.rsplit('.').next().unwrap()).collect();
        let expected = [
            "reference_seconds",
            "halt_band",
            "limit_seconds",
            "pause_seconds",
            "recovery_seconds",
            "recovery_widening",
        ];
        assert_eq!(fields, expected);
    }
}
