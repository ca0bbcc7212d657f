//! The outside world, prepared: what every episode of one configuration shares.

use std::sync::Arc;

use super::clock::Clock;
use super::config::WorldConfig;
use super::macro_factor::MacroLaw;
use super::macro_series::MacroSeries;
use super::process::ProcessLaw;
use super::regime::{InitialRegime, RegimeLaw, RegimesConfig};
use super::replay::{ReplayLaw, ReplaySeries, ReplayStart};
use super::shock::ShockLaw;
use crate::error::Error;

/// Where the price comes from.
#[derive(Clone, Debug)]
pub(super) enum SourceLaw {
    Process { law: ProcessLaw, initial_log: f64 },
    Replay(ReplayedLaw),
}

/// A history, and how volatility and regime are read off it.
#[derive(Clone, Debug)]
pub(super) struct ReplayedLaw {
    pub(super) law: ReplayLaw,
    /// Weight of the past in the trailing variance, per tick.
    pub(super) memory: f64,
    /// Variance per tick where there is no past yet: that of the calm regime.
    pub(super) calm: f64,
    /// Variances per tick that separate the regimes.
    pub(super) thresholds: [f64; 2],
}

/// The outside world, prepared: shared by every episode and environment of one configuration.
#[derive(Clone, Debug)]
pub struct WorldModel {
    pub(super) clock: Clock,
    /// Turns a deviation per root tick into one per root second.
    pub(super) per_root_second: f64,
    pub(super) source: SourceLaw,
    /// The price's regimes, and those of a macro factor that does not lead.
    pub(super) regimes: RegimeLaw,
    pub(super) noise_regimes: RegimeLaw,
    /// By regime, the weights of equity noise and own noise in the price.
    pub(super) loading: [[f64; 2]; 3],
    pub(super) scale: [f64; 2],
    pub(super) shocks: Vec<ShockLaw>,
    pub(super) macro_law: MacroLaw,
    pub(super) macro_series: Option<Arc<MacroSeries>>,
}

impl WorldModel {
    /// Prepares a synthetic world from a configuration that passed [`WorldConfig::validate`].
    #[must_use]
    pub fn new(config: &WorldConfig, clock: Clock) -> Self {
        let law = ProcessLaw::new(config, clock);
        let switches = matches!(law, ProcessLaw::RegimeHawkes(_));
        let source = SourceLaw::Process { law, initial_log: libm::log(config.initial_price) };
        let regimes = RegimeLaw::new(&config.regimes, clock, switches);
        Self::prepare(config, clock, source, [regimes, regimes])
    }

    /// Prepares a world whose price is replayed, from a configuration that passed [`WorldConfig::validate`].
    ///
    /// Scripted shocks add their return and their drought to the history; they cannot change its volatility. The macro
    /// factor is replayed if a series is given; otherwise it is synthetic and never leads.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a bar is not a whole number of ticks, at least four, or no episode fits into the history.
    pub fn replay(
        config: &WorldConfig,
        clock: Clock,
        series: Arc<ReplaySeries>,
        start: ReplayStart,
        macro_series: Option<Arc<MacroSeries>>,
    ) -> Result<Self, Error> {
        let known_from_ms = macro_series.as_ref().map_or(i64::MIN, |series| series.known_from_ms());
        let law = ReplayLaw::new(series, start, clock, known_from_ms)?;
        let variance = |volatility: f64| volatility * volatility / clock.ticks_per_year();
        let [calm, tense, crisis] = config.regimes.all().map(|regime| regime.volatility);
        let source = SourceLaw::Replay(ReplayedLaw {
            law,
            memory: clock.decay(config.replay.volatility_half_life_seconds),
            calm: variance(calm),
            // Halfway between two regimes on a logarithmic scale.
            thresholds: [variance((calm * tense).sqrt()), variance((tense * crisis).sqrt())],
        });
        // The regime is read off the trailing variance, so the chain stays where it cannot matter.
        let still = RegimesConfig { initial: InitialRegime::Calm, ..config.regimes };
        let regimes = [RegimeLaw::new(&still, clock, false), RegimeLaw::new(&config.regimes, clock, true)];
        Ok(Self { macro_series, ..Self::prepare(config, clock, source, regimes) })
    }

    fn prepare(config: &WorldConfig, clock: Clock, source: SourceLaw, regimes: [RegimeLaw; 2]) -> Self {
        let [regimes, noise_regimes] = regimes;
        Self {
            clock,
            per_root_second: 1.0 / clock.tick_seconds.sqrt(),
            source,
            regimes,
            noise_regimes,
            loading: config.regimes.all().map(|r| {
                let own = 1.0 - r.equity_correlation * r.equity_correlation;
                [r.equity_correlation, own.sqrt()]
            }),
            scale: config.volatility_scale,
            shocks: config.shocks.iter().map(|shock| ShockLaw::new(shock, clock)).collect(),
            macro_law: MacroLaw::new(&config.macro_factor, clock),
            macro_series: None,
        }
    }

    /// Whether its price follows a history.
    #[must_use]
    pub const fn is_replayed(&self) -> bool {
        matches!(self.source, SourceLaw::Replay(_))
    }

    /// The clock that it was prepared for.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }
}
