//! What a search without gradients plays in a generation: every place, on seeds of its own.

use seawall_env::liquidation::presets::Preset;
use seawall_env::{CascadeEnv, Groups, Purpose, SeedTree};
use seawall_eval::{Split, Suite};

use crate::places::{Places, task};
use crate::settings::Settings;

/// One environment for each place, all of one layout.
///
/// # Errors
/// As [`Places::task`].
pub(crate) fn each_place(
    settings: &Settings,
    places: &Places,
    venue: &Preset,
    groups: Groups,
) -> anyhow::Result<Vec<CascadeEnv>> {
    let alone = |place| Ok(CascadeEnv::new(task(std::slice::from_ref(place), settings, venue, groups)?));
    places.list.iter().map(alone).collect()
}

/// Episodes of generations, of the training split: nothing held out can be among them.
#[derive(Clone, Debug)]
pub(crate) struct Episodes {
    /// Root of all generations.
    seed: u64,
    name: String,
    /// Of each place in one generation.
    count: usize,
    places: Vec<String>,
}

impl Episodes {
    /// As the settings say, in the training run that `seed` names.
    pub(crate) fn new(settings: &Settings, places: &Places, seed: u64) -> Self {
        Self {
            seed,
            name: settings.run.name.clone(),
            count: settings.search.episodes,
            places: places.list.iter().map(|place| place.scenario().id.clone()).collect(),
        }
    }

    /// Seeds of one generation, a list for each place.
    pub(crate) fn seeds(&self, generation: u64) -> Vec<Vec<u64>> {
        let suite = Suite {
            name: self.name.clone(),
            split: Split::Train,
            root: SeedTree::new(self.seed).seed(Purpose::Scenario, generation),
            seeds: self.count,
            scenarios: self.places.clone(),
            gates: Vec::new(),
        };
        (0..suite.scenarios.len()).map(|scenario| suite.seeds(scenario)).collect()
    }
}
