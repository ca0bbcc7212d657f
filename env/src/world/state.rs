//! One episode of the outside world.

mod redraw;

use serde::{Deserialize, Serialize};

use super::draw::{Quad, between_log};
use super::macro_factor::{Macro, MacroLaws, MacroState, Synthetic};
use super::macro_series::MacroCursor;
use super::model::{ReplayedLaw, SourceLaw, WorldModel};
use super::process::{Noise, Process, ProcessLaw};
use super::regime::{Regime, StressPath, Window};
use super::replay::Replay;
use super::shock::{Effect, Shock};
use crate::rng::{Counter, Purpose, SeedTree, normal_quantile};
use crate::units::Price;

/// The outside world at one tick.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outside {
    /// Natural logarithm of the fundamental price in dollars.
    pub fundamental_log: f64,
    /// Fundamental price, in dollars.
    pub fundamental: f64,
    /// Regime in force. Latent: a venue does not see it.
    pub regime: Regime,
    /// Standard deviation of the log price's diffusion, per root second, now. Latent, but in a replayed world, where
    /// it is an average over the past.
    pub volatility: f64,
    /// Whether a jump fell into this tick.
    pub jumped: bool,
    /// Multiplier of makers' depth, in (0, 1].
    pub liquidity: f64,
    /// Macro values as last published.
    pub macro_factor: Macro,
}

impl Outside {
    /// The fundamental price as money.
    ///
    /// # Panics
    /// If the price has left the range of [`Price`].
    #[must_use]
    pub fn price(&self) -> Price {
        Price::from_f64(self.fundamental)
    }
}

/// What moves every price of one economy: the first asset's noise and the scripted shocks of one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Driver {
    /// Standard normal of the first asset's diffusion, and its standard deviation at the laws' own volatility.
    pub(super) normal: f64,
    pub(super) sigma: f64,
    /// Its jump less its compensator, as a log return at the laws' own volatility.
    pub(super) jump: f64,
    /// Scripted log return so far.
    pub(super) shock: f64,
    /// Scripted multiplier of volatility.
    pub(super) volatility: f64,
    /// The episode's multiplier of all returns but scripted ones.
    pub(super) scale: f64,
}

/// A drawn shock, for reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnShock {
    /// Tick before its first effect.
    pub start: u64,
    /// Tick at which its return is complete.
    pub end: u64,
    /// That return, in logarithms.
    pub log_return: f64,
}

/// Streams beside stream 0 of their purpose.
const STREAM_REGIMES: u64 = 1;
const STREAM_MACRO_REGIMES: u64 = 1;
/// Far from the streams that choose a scenario.
const STREAM_RANDOMISATION: u64 = 1 << 32;
/// Tick of the randomisation stream for the episode as a whole; shocks have those from 0.
const TICK_EPISODE: u64 = u64::MAX;
const SLOT_DECOY: u64 = 2;
/// Slot of the draws that every tick makes.
const SLOT_TICK: u64 = 0;

/// A jump of a replayed price, in trailing standard deviations: the measure by which the jump rates were fitted.
const REPLAYED_JUMP: f64 = 8.0;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Source {
    Process(Process),
    Replay { path: Replay, variance: f64 },
}

/// State of one episode's outside world. Its configuration is in the [`WorldModel`], which is passed to every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct World {
    tick: u64,
    counter: Counter,
    /// The price's noise: a quad serves two ticks.
    quad: Quad,
    source: Source,
    stress: StressPath,
    macro_state: MacroState,
    macro_leads: bool,
    shocks: Vec<Shock>,
    scale: f64,
    /// Log price without scripted shocks.
    log: f64,
    outside: Outside,
    driver: Driver,
}

impl World {
    /// The episode that `seeds` names, at tick 0.
    #[must_use]
    pub fn new(model: &WorldModel, seeds: SeedTree) -> Self {
        let randomisation = seeds.counter(Purpose::Scenario, STREAM_RANDOMISATION);
        let counter = seeds.counter(Purpose::World, 0);
        let [scale, start] = randomisation.uniform2(TICK_EPISODE, 0);
        let scale = between_log(scale, model.scale);
        let shocks: Vec<Shock> =
            (0_u64..).zip(&model.shocks).map(|(i, law)| Shock::new(law, randomisation, i)).collect();
        let windows = model.shocks.iter().zip(&shocks).filter_map(|(law, shock)| Shock::window(law, shock.start()));
        let mut stress =
            StressPath::new(&model.regimes, seeds.counter(Purpose::World, STREAM_REGIMES), windows.collect());
        let regime = stress.at(&model.regimes, 0);
        let (source, log, sigma) = match &model.source {
            SourceLaw::Process { law, initial_log } => {
                let process = Process::new(law, counter);
                (Source::Process(process), *initial_log, scale * process.sigma(law, regime))
            }
            SourceLaw::Replay(replayed) => {
                let mut path = Replay::new(&replayed.law, seeds.counter(Purpose::Bridge, 0), start);
                let log = libm::log(path.price(&replayed.law, 0).as_f64());
                let variance = path.variance_before(&replayed.law).unwrap_or(replayed.calm);
                (Source::Replay { path, variance }, log, variance.sqrt())
            }
        };
        let (macro_leads, mut macro_state) = start_macro(model, seeds, &source, &stress, randomisation);
        let macro_factor = macro_state.first(&model.macro_law, model.macro_series.as_deref());
        let outside = Outside {
            fundamental_log: log,
            fundamental: libm::exp(log),
            regime,
            volatility: sigma * model.per_root_second,
            jumped: false,
            liquidity: 1.0,
            macro_factor,
        };
        Self {
            tick: 0,
            counter,
            quad: Quad::EMPTY,
            source,
            stress,
            macro_state,
            macro_leads,
            shocks,
            scale,
            log,
            outside,
            driver: Driver { volatility: 1.0, scale, ..Driver::default() },
        }
    }

    /// What other assets' prices load on in the last tick.
    pub(super) const fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Ticks so far.
    pub(crate) const fn now(&self) -> u64 {
        self.tick
    }

    /// The world at the last tick.
    #[must_use]
    pub const fn outside(&self) -> &Outside {
        &self.outside
    }

    /// Whether this episode's macro factor leads the price. Latent: for reports.
    #[must_use]
    pub const fn macro_leads(&self) -> bool {
        self.macro_leads
    }

    /// This episode's scripted shocks, as drawn. Latent: for reports.
    pub fn shocks(&self) -> impl Iterator<Item = DrawnShock> + '_ {
        self.shocks.iter().map(|s| DrawnShock { start: s.start(), end: s.end(), log_return: s.log_return() })
    }

    /// When a replayed episode starts, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn start_ms(&self, model: &WorldModel) -> Option<i64> {
        match (&self.source, &model.source) {
            (Source::Replay { path, .. }, SourceLaw::Replay(replayed)) => Some(path.start_ms(&replayed.law)),
            _ => None,
        }
    }

    /// Whether this state can run on that model: the same kind of source, history and number of shocks.
    #[must_use]
    pub fn fits(&self, model: &WorldModel) -> bool {
        let source = match (&self.source, &model.source) {
            (Source::Process(process), SourceLaw::Process { law, .. }) => process.fits(law),
            (Source::Replay { path, .. }, SourceLaw::Replay(replayed)) => path.fits(&replayed.law),
            _ => false,
        };
        let replayed_macro = matches!(self.macro_state, MacroState::Replayed(_));
        source && self.shocks.len() == model.shocks.len() && replayed_macro == model.macro_series.is_some()
    }

    /// Advances to `tick`, which follows the last one; tick 0 is the state at reset.
    ///
    /// # Panics
    /// If `tick` is neither the last one nor its successor, if the state does not fit the model (see [`World::fits`]), or
    /// if a replayed history ends.
    #[inline]
    pub fn tick(&mut self, model: &WorldModel, tick: u64) -> &Outside {
        if tick == self.tick {
            return &self.outside;
        }
        assert!(tick == self.tick + 1, "ticks of a world are consecutive");
        self.tick = tick;
        let mut effect = Effect::NONE;
        for (shock, law) in self.shocks.iter_mut().zip(&model.shocks) {
            shock.advance(law, tick, &mut effect);
        }
        self.outside.regime = self.stress.at(&model.regimes, tick);
        let laws = MacroLaws {
            law: &model.macro_law,
            regimes: if self.macro_leads { &model.regimes } else { &model.noise_regimes },
            series: model.macro_series.as_deref(),
        };
        let loads = self.macro_leads && model.loading[self.outside.regime.index()][0] > 0.0;
        let equity = self.macro_state.advance(laws, tick, loads, &mut self.outside.macro_factor);
        self.outside.liquidity = effect.liquidity;
        match (&mut self.source, &model.source) {
            (Source::Process(_), SourceLaw::Process { law, .. }) => self.advance_process(model, law, equity, effect),
            (Source::Replay { .. }, SourceLaw::Replay(replayed)) => self.advance_replay(model, replayed, effect),
            _ => panic!("the state belongs to another model"),
        }
        &self.outside
    }

    #[inline]
    fn advance_process(&mut self, model: &WorldModel, law: &ProcessLaw, equity: f64, effect: Effect) {
        let Source::Process(process) = &mut self.source else { unreachable!("matched by the caller") };
        let regime = self.outside.regime;
        let uniforms = self.quad.at(self.counter, self.tick >> 1, SLOT_TICK);
        let [own, event] = if self.tick & 1 == 0 { [uniforms[0], uniforms[1]] } else { [uniforms[2], uniforms[3]] };
        let own = normal_quantile(own);
        let normal = if self.macro_leads {
            let [with_equity, alone] = model.loading[regime.index()];
            with_equity * equity + alone * own
        } else {
            own
        };
        let noise = Noise { regime, normal, event, own_jumps: 1.0, volatility: effect.volatility };
        let step = process.advance(law, self.counter, self.tick, noise);
        let sigma = self.scale * step.sigma;
        self.log += self.scale * step.log - 0.5 * sigma * sigma;
        self.outside.fundamental_log = self.log + effect.log;
        self.outside.fundamental = libm::exp(self.outside.fundamental_log);
        self.outside.volatility = sigma * model.per_root_second;
        self.outside.jumped = step.jumped || effect.jumped;
        let jump = step.log - step.sigma * normal;
        self.driver = Driver {
            normal,
            sigma: step.sigma,
            jump,
            shock: effect.log,
            volatility: effect.volatility,
            scale: self.scale,
        };
    }

    fn advance_replay(&mut self, model: &WorldModel, replayed: &ReplayedLaw, effect: Effect) {
        let Source::Replay { path, variance } = &mut self.source else { unreachable!("matched by the caller") };
        let price = path.price(&replayed.law, self.tick).as_f64();
        let log = libm::log(price);
        let squared = (log - self.log) * (log - self.log);
        self.log = log;
        let jumped = squared > REPLAYED_JUMP * REPLAYED_JUMP * *variance;
        *variance = replayed.memory * *variance + (1.0 - replayed.memory) * squared;
        let [tense, crisis] = replayed.thresholds;
        let trailing = match *variance {
            v if v > crisis => Regime::Crisis,
            v if v > tense => Regime::Tense,
            _ => Regime::Calm,
        };
        self.outside.regime = self.outside.regime.max(trailing);
        self.outside.fundamental_log = log + effect.log;
        // Without a shock the replayed price is passed on exactly.
        self.outside.fundamental = if effect.log.abs() > 0.0 { libm::exp(log + effect.log) } else { price };
        self.outside.volatility = variance.sqrt() * model.per_root_second;
        self.outside.jumped = jumped || effect.jumped;
    }
}

/// The macro factor of an episode, and whether it leads.
fn start_macro(
    model: &WorldModel,
    seeds: SeedTree,
    source: &Source,
    own: &StressPath,
    randomisation: Counter,
) -> (bool, MacroState) {
    let law = &model.macro_law;
    if let (Some(series), Source::Replay { path, .. }, SourceLaw::Replay(replayed)) =
        (&model.macro_series, source, &model.source)
    {
        let cursor = MacroCursor::new(series, path.start_ms(&replayed.law), replayed.law.tick_ms);
        return (false, MacroState::Replayed(cursor));
    }
    let counter = seeds.counter(Purpose::Macro, 0);
    let (drawn, lead_ticks) = law.draw_lead(counter);
    // A replayed price was drawn by nobody here, so nothing can run ahead of it.
    let leads = drawn && matches!(source, Source::Process(_));
    let synthetic = if leads {
        Synthetic::new(law, &model.regimes, counter, own.clone(), lead_ticks)
    } else {
        // As many scripted windows as the price has, at moments of their own.
        let decoys: Vec<Window> = (0_u64..)
            .zip(&model.shocks)
            .filter_map(|(i, shock)| {
                Shock::window(shock, model.clock.tick_at(randomisation.uniform2(i, SLOT_DECOY)[0]))
            })
            .collect();
        let path = StressPath::new(&model.noise_regimes, seeds.counter(Purpose::Macro, STREAM_MACRO_REGIMES), decoys);
        Synthetic::new(law, &model.noise_regimes, counter, path, lead_ticks)
    };
    (leads, MacroState::Synthetic(synthetic))
}
