//! The same past with another future: what has not happened is drawn anew, from its law given what has.

use super::{
    Effect, MacroState, Quad, SLOT_DECOY, STREAM_MACRO_REGIMES, STREAM_RANDOMISATION, STREAM_REGIMES, Source, World,
};
use crate::rng::{Counter, Purpose, SeedTree};
use crate::world::draw::between_ticks;
use crate::world::model::WorldModel;
use crate::world::regime::{StressPath, Window};
use crate::world::shock::Shock;

impl World {
    /// Continues as another episode would, from the next tick on.
    ///
    /// State that the past has left stays: price, variance, excitation, regime, macro values. Nothing stays of what the
    /// old seed had in store, so the result is the same whatever that was. A macro factor that leads has shown a part of
    /// the old future; that part is forgotten too.
    ///
    /// # Panics
    /// If the price is replayed: a history has one future.
    pub(crate) fn redraw(&mut self, model: &WorldModel, seeds: SeedTree) {
        assert!(matches!(self.source, Source::Process(_)), "a history has one future");
        let randomisation = seeds.counter(Purpose::Scenario, STREAM_RANDOMISATION);
        (self.counter, self.quad) = (seeds.counter(Purpose::World, 0), Quad::EMPTY);
        let mut shock = Effect::NONE.log;
        for ((index, drawn), law) in (0_u64..).zip(&mut self.shocks).zip(&model.shocks) {
            drawn.redraw(law, randomisation, index, self.tick);
            shock += drawn.log_at(law, self.tick);
        }
        // The price does not move: a shock that has come less far leaves more to the rest.
        self.log = self.outside.fundamental_log - shock;
        self.driver.shock = shock;
        let windows =
            model.shocks.iter().zip(&self.shocks).filter_map(|(law, shock)| Shock::window(law, shock.start()));
        let regimes = seeds.counter(Purpose::World, STREAM_REGIMES);
        self.stress.redraw(&model.regimes, regimes, self.tick, windows.collect());
        let MacroState::Synthetic(state) = &mut self.macro_state else { return };
        let counter = seeds.counter(Purpose::Macro, 0);
        if self.macro_leads {
            let price = &self.stress;
            state.redraw(&model.macro_law, counter, |_, _| price.clone());
        } else {
            let regimes = seeds.counter(Purpose::Macro, STREAM_MACRO_REGIMES);
            state.redraw(&model.macro_law, counter, |path, tick| decoy(model, path, tick, [regimes, randomisation]));
        }
    }
}

/// The path of a macro factor that leads nothing, drawn anew from behind `tick`.
fn decoy(model: &WorldModel, path: &StressPath, tick: u64, [regimes, randomisation]: [Counter; 2]) -> StressPath {
    let laws = (0_u64..).zip(&model.shocks).filter(|(_, law)| Shock::window(law, 0).is_some());
    let windows = laws.zip(path.windows()).map(|((index, law), window)| {
        let latest = model.clock.tick_at(1.0).max(tick + 1);
        let start = between_ticks(randomisation.uniform2(index, SLOT_DECOY)[0], [tick + 1, latest]);
        let fresh = Shock::window(law, start).expect("filtered");
        if window.start > tick { fresh } else { *window }
    });
    let windows: Vec<Window> = windows.collect();
    let mut path = path.clone();
    path.redraw(&model.noise_regimes, regimes, tick, windows);
    path
}
