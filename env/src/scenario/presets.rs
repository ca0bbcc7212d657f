//! Shipped scenarios as data: one TOML file each, in `env/scenarios/`, embedded. A file states what differs from the
//! default market, ranges to draw from included, and where its numbers come from.

use std::sync::LazyLock;

use super::Scenario;
use crate::error::{Error, Problems};

/// Identifiers of the shipped scenarios: prices and depth, mildest first; whole nights; then what else can fail; then
/// attacks; then
/// options and collateral; then several assets and venues; then coins as they were fitted.
pub const NAMES: [&str; 20] = [
    "calm",
    "tense",
    "volatility_spike",
    "flash_crash",
    "crash_day",
    "slow_drought",
    "cascading_night",
    "evaporation",
    "oracle_outage",
    "keeper_dropout",
    "venue_outage",
    "jelly",
    "popcat",
    "option_squeeze",
    "depeg",
    "three_by_three",
    "contagion",
    "btc_fitted",
    "eth_fitted",
    "ltc_fitted",
];

/// The files, in the order of [`NAMES`].
const FILES: [&str; NAMES.len()] = [
    include_str!("../../scenarios/calm.toml"),
    include_str!("../../scenarios/tense.toml"),
    include_str!("../../scenarios/volatility_spike.toml"),
    include_str!("../../scenarios/flash_crash.toml"),
    include_str!("../../scenarios/crash_day.toml"),
    include_str!("../../scenarios/slow_drought.toml"),
    include_str!("../../scenarios/cascading_night.toml"),
    include_str!("../../scenarios/evaporation.toml"),
    include_str!("../../scenarios/oracle_outage.toml"),
    include_str!("../../scenarios/keeper_dropout.toml"),
    include_str!("../../scenarios/venue_outage.toml"),
    include_str!("../../scenarios/jelly.toml"),
    include_str!("../../scenarios/popcat.toml"),
    include_str!("../../scenarios/option_squeeze.toml"),
    include_str!("../../scenarios/depeg.toml"),
    include_str!("../../scenarios/three_by_three.toml"),
    include_str!("../../scenarios/contagion.toml"),
    include_str!("../../scenarios/btc_fitted.toml"),
    include_str!("../../scenarios/eth_fitted.toml"),
    include_str!("../../scenarios/ltc_fitted.toml"),
];

/// Every shipped scenario, read once.
static SHIPPED: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    FILES.iter().map(|text| Scenario::from_toml(text).expect("a shipped scenario is valid: a test reads it")).collect()
});

/// The file of a shipped scenario, as it was written.
#[must_use]
pub fn file(id: &str) -> Option<&'static str> {
    NAMES.iter().position(|known| *known == id).map(|at| FILES[at])
}

impl Scenario {
    /// Reads what differs from the default market, and checks all of it.
    ///
    /// # Errors
    /// [`Error::Scenario`] if the text is not TOML or not a scenario, [`Error::Invalid`] with everything out of its
    /// bounds.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let scenario: Self = toml::from_str(text).map_err(Error::Scenario)?;
        let mut problems = Problems::default();
        scenario.validate(&scenario.id, &mut problems);
        problems.into_result()?;
        Ok(scenario)
    }

    /// A shipped scenario by its identifier.
    #[must_use]
    pub fn shipped(id: &str) -> Option<Self> {
        SHIPPED.iter().find(|scenario| scenario.id == id).cloned()
    }

    /// All shipped scenarios, in the order of [`NAMES`].
    #[must_use]
    pub fn all_shipped() -> Vec<Self> {
        SHIPPED.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participants::adversaries::AdversaryConfig;
    use crate::rng::SeedTree;
    use crate::world::{World, WorldModel};

    /// The fundamental log price of a scenario whose noise is a tenth, by tick, and when each shock starts and ends.
    fn unfold(id: &str, seed: u64) -> (Vec<f64>, Vec<[usize; 2]>) {
        let mut scenario = Scenario::shipped(id).unwrap();
        scenario.world.volatility_scale = [0.1, 0.1];
        let clock = scenario.world_clock();
        let model = WorldModel::new(&scenario.world, clock);
        let mut world = World::new(&model, SeedTree::new(seed));
        let at = |tick: u64| usize::try_from(tick).unwrap();
        let shocks = world.shocks().map(|shock| [at(shock.start), at(shock.end)]).collect();
        let path = (0..=clock.ticks).map(|tick| world.tick(&model, tick).fundamental_log).collect();
        (path, shocks)
    }

    #[test]
    fn every_shipped_scenario_bears_the_name_of_its_file_and_survives_being_written() {
        for (name, scenario) in NAMES.iter().zip(Scenario::all_shipped()) {
            assert_eq!(scenario.id, *name);
            assert!(scenario.title.ends_with('.'), "{name}: a title is a sentence");
            assert_eq!(Scenario::from_toml(&toml::to_string(&scenario).unwrap()).unwrap(), scenario);
        }
        assert_eq!(Scenario::shipped("lunch"), None);
    }

    #[test]
    fn every_problem_of_a_file_is_named() {
        let text = file("flash_crash").unwrap();
        let broken = text
            .replace("id = \"flash_crash\"", "id = \"Flash\"")
            .replace("fraction = [0.2, 0.6]", "fraction = [0.6, 0.2]")
            .replace("hold_seconds = 120.0", "hold_seconds = -1.0");
        let error = Scenario::from_toml(&broken).unwrap_err().to_string();
        for field in [".id", ".world.shocks[0].start.fraction", ".world.shocks[0].liquidity.hold_seconds"] {
            assert!(error.contains(&format!("{field} = ")), "{field} is missing from: {error}");
        }
        assert!(matches!(Scenario::from_toml(&format!("moon = 1\n{text}")), Err(Error::Scenario(_))));
    }

    #[test]
    fn every_problem_of_incidents_and_adversaries_is_named() {
        let mut scenario = Scenario::shipped("cascading_night").unwrap();
        scenario.keepers.dropouts[1].share = [0.5, 1.5];
        scenario.venue.outages[0].seconds = [900.0, f64::NAN];
        scenario.adversaries = [Scenario::shipped("jelly").unwrap(), Scenario::shipped("popcat").unwrap()]
            .map(|attacked| attacked.adversaries[0])
            .to_vec();
        if let [AdversaryConfig::Jelly(jelly), AdversaryConfig::Popcat(popcat)] = &mut scenario.adversaries[..] {
            (jelly.log_return, jelly.size, popcat.wall_distance) = ([2.0, 1.0], 2.0, 1.0);
        }
        let mut problems = Problems::default();
        scenario.validate("s", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        let expected = [
            "s.keepers.dropouts[1].share",
            "s.venue.outages[0].seconds",
            "s.adversaries[0].jelly.size",
            "s.adversaries[0].jelly.log_return",
            "s.adversaries[1].popcat.wall_distance",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_crash_day_loses_most_of_it_within_a_quarter_of_an_hour() {
        for seed in 0..20 {
            let (path, shocks) = unfold("crash_day", seed);
            let [start, end] = shocks[0];
            let total = path[end] - path[start];
            assert!((-0.15..-0.06).contains(&total), "{total}");
            assert!((2_100..=2_700).contains(&(end - start)));
            let steepest = (start..end).map(|t| path[(t + 810).min(end)] - path[t]).fold(0.0, f64::min);
            assert!(steepest / total > 0.6, "{steepest} of {total}");
        }
    }

    #[test]
    fn a_cascading_night_has_two_legs_of_which_the_second_is_the_deeper() {
        for seed in 0..20 {
            let (path, shocks) = unfold("cascading_night", seed);
            let legs = [shocks[0], shocks[1]].map(|[start, end]| path[end] - path[start]);
            assert!((-0.30..-0.18).contains(&legs[0]) && (-0.52..-0.38).contains(&legs[1]), "{legs:?}");
            // Ticks of 4 s: 45 minutes, more than ten hours between, more than three hours.
            let [first, second] = [shocks[0], shocks[1]];
            assert!((600..=750).contains(&(first[1] - first[0])) && (2_700..=3_150).contains(&(second[1] - second[0])));
            assert!(second[0] - first[1] > 9_000);
        }
    }

    #[test]
    fn a_flash_crash_is_mostly_over_after_half_an_hour() {
        for seed in 0..20 {
            let (path, shocks) = unfold("flash_crash", seed);
            let [start, end] = shocks[0];
            let total = path[end] - path[start];
            assert!((-0.14..-0.07).contains(&total) && (150..=210).contains(&(end - start)), "{total}");
            let back = 1.0 - (path[end + 1_800] - path[start]) / total;
            assert!((0.65..0.95).contains(&back), "{back}");
        }
    }
}
