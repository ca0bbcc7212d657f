//! Where episodes take place: shipped scenarios, scenario files, and histories of candles.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use seawall_agents::Foresight;
use seawall_env::action::Fixed;
use seawall_env::liquidation::presets::Preset;
use seawall_env::market::Site;
use seawall_env::observation::Extras;
use seawall_env::scenario::{Scenario, presets};
use seawall_env::world::{ReplaySeries, ReplayStart, WorldConfig, WorldModel};
use seawall_env::{Groups, Mask, Problem, Problems, Task};

use crate::candles;
use crate::foresight::instrument;
use crate::progress::Voice;
use crate::run_folder::{Input, input, sha256};
use crate::settings::{Layer, RuleSettings, Settings, SettingsError, resolve};

/// A scenario and what its price follows.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    scenario: Arc<Scenario>,
    history: Option<History>,
    conditions: Conditions,
}

/// How all places of a run are played: one policy plays them all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// Further features.
    extras: Extras,
    /// The forecasts that are observed, if any are.
    foresight: Option<Arc<Foresight>>,
    /// What is hidden, if anything is.
    mask: Option<Arc<Mask>>,
    /// Parameters that nobody moves.
    fixed: Fixed,
    /// Choices in place of a venue's own.
    rules: RuleSettings,
}

/// Candles that a price follows.
#[derive(Clone, Debug)]
struct History {
    series: Arc<ReplaySeries>,
    /// SHA-256 of the checked bars.
    sha256: String,
}

impl Place {
    /// The scenario.
    pub(crate) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// How it is played.
    pub(crate) const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// Whether its price follows candles.
    pub(crate) const fn is_history(&self) -> bool {
        self.history.is_some()
    }

    /// The place under a venue's rules, and with its margin tiers and liquidation fee where it publishes its own.
    ///
    /// # Errors
    /// If no episode fits into the history.
    pub(crate) fn site(&self, venue: &Preset, start: ReplayStart) -> anyhow::Result<Site> {
        let scenario = Arc::new(venue.furnish(Scenario::clone(&self.scenario)));
        let pipeline = self.conditions.rules.over(venue);
        let Some(history) = &self.history else { return Ok(Site::new(scenario, pipeline)) };
        let clock = scenario.world_clock();
        let world = WorldModel::replay(&scenario.world, clock, Arc::clone(&history.series), start, None)
            .with_context(|| format!("fitting episodes of {} ticks into {}", clock.ticks, scenario.id))?;
        Ok(Site::in_world(scenario, pipeline, world))
    }

    /// Bytes that decide everything about it but the venue's rules.
    pub(crate) fn configuration(&self) -> Vec<u8> {
        let mut text = to_toml(&self.scenario);
        if let Some(history) = &self.history {
            text += &format!("\n# bars {}\n", history.sha256);
        }
        text.into_bytes()
    }
}

/// Every key of a scenario.
pub(crate) fn to_toml(scenario: &Scenario) -> String {
    toml::to_string(scenario).expect("a scenario is made of what TOML can say")
}

/// The places of a run, in the order that it names them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// At least one.
    pub(crate) list: Vec<Place>,
    /// Files that were read for them.
    pub(crate) inputs: Vec<Input>,
}

impl Places {
    /// The places that `names` mean under `settings`; the candles, if the settings name any.
    ///
    /// # Errors
    /// If a scenario is unknown or invalid, or a file cannot be used.
    pub(crate) fn gather(settings: &Settings, names: &[String], voice: Voice) -> anyhow::Result<Self> {
        let mut this = Self { list: Vec::new(), inputs: Vec::new() };
        if settings.replay.files.is_empty() {
            for name in names {
                this.add_scenario(settings, name)?;
            }
        } else {
            for file in &settings.replay.files {
                this.add_history(settings, Path::new(file), voice)?;
            }
        }
        let mut ids = BTreeSet::new();
        for place in &this.list {
            if !ids.insert(place.scenario.id.clone()) {
                bail!("two scenarios are called {}", place.scenario.id);
            }
        }
        // A policy meets one list of features wherever it is judged: that of what the settings train on.
        let mut extras = Extras::default();
        for name in &settings.task.scenarios {
            extras = extras.and(Extras::of(&named(settings, name)?));
        }
        let foresight = instrument(settings, this.list.iter().map(|place| place.scenario()))?;
        if foresight.is_some() {
            this.inputs.push(input(Path::new(&settings.observation.predictor))?);
        }
        let conditions = Conditions {
            extras,
            foresight,
            mask: None,
            fixed: settings.action.fixed(&mut Problems::default()),
            rules: settings.task.rules,
        };
        this.list.iter_mut().for_each(|place| place.conditions = conditions.clone());
        if !settings.observation.is_clear() {
            let mask = this.mask(settings, conditions, names)?;
            this.list.iter_mut().for_each(|place| place.conditions.mask = Some(Arc::clone(&mask)));
        }
        Ok(this)
    }

    /// The mask of the settings; what it shuffles is recorded on what the settings train on, wherever it is judged.
    fn mask(&self, settings: &Settings, conditions: Conditions, names: &[String]) -> anyhow::Result<Arc<Mask>> {
        let is_same = names == settings.task.scenarios || !settings.replay.files.is_empty();
        let task = if is_same {
            self.task(settings, &settings.venue(), settings.task.groups)?
        } else {
            let mut trained = Self { list: Vec::new(), inputs: Vec::new() };
            for name in &settings.task.scenarios {
                trained.add_scenario(settings, name)?;
            }
            trained.list.iter_mut().for_each(|place| place.conditions = conditions.clone());
            trained.task(settings, &settings.venue(), settings.task.groups)?
        };
        let observation = &settings.observation;
        let mask = Mask::new(&task.features(), &observation.off, &observation.shuffled)?;
        Ok(Arc::new(mask.recording(&task, observation.recordings)))
    }

    /// A task over all places, each as likely as the others.
    ///
    /// # Errors
    /// If no episode fits into a history, or a weight is invalid.
    pub(crate) fn task(&self, settings: &Settings, venue: &Preset, groups: Groups) -> anyhow::Result<Arc<Task>> {
        task(&self.list, settings, venue, groups)
    }

    fn add_scenario(&mut self, settings: &Settings, name: &str) -> anyhow::Result<()> {
        if name.ends_with(".toml") {
            self.inputs.push(input(Path::new(name))?);
        }
        let scenario = named(settings, name)?;
        self.list.push(Place { scenario: Arc::new(scenario), history: None, conditions: Conditions::default() });
        Ok(())
    }

    fn add_history(&mut self, settings: &Settings, path: &Path, voice: Voice) -> anyhow::Result<()> {
        let window = settings.replay.window().expect("the settings were checked");
        let series = candles::read(path, &window, settings.replay.gaps).context("reading candles")?;
        for line in series.report.lines() {
            voice.say(&format!("{}: {line}", path.display()));
        }
        self.inputs.push(input(path)?);
        let bars: Vec<u8> = series.segments.iter().flatten().flat_map(bar_bytes).collect();
        let history = History { sha256: sha256(&bars), series: Arc::new(series.into_replay()?) };
        let id = id_of(path);
        let title = format!("Candles of {}, {window}.", path.display());
        let scenario = settings.market.scenario(&id, &title, WorldConfig::default());
        validate(&scenario, None)?;
        self.list.push(Place {
            scenario: Arc::new(scenario),
            history: Some(history),
            conditions: Conditions::default(),
        });
        Ok(())
    }
}

/// A task over some places.
///
/// # Errors
/// As [`Places::task`].
pub(crate) fn task(places: &[Place], settings: &Settings, venue: &Preset, groups: Groups) -> anyhow::Result<Arc<Task>> {
    let sites: anyhow::Result<Vec<Site>> = places.iter().map(|place| place.site(venue, ReplayStart::Random)).collect();
    task_on(sites?, &places[0].conditions, settings, groups)
}

/// A task on some sites under the conditions of a run.
///
/// # Errors
/// If a weight is invalid.
pub(crate) fn task_on(
    sites: Vec<Site>,
    conditions: &Conditions,
    settings: &Settings,
    groups: Groups,
) -> anyhow::Result<Arc<Task>> {
    let task = Task::on_sites(sites, settings.reward, groups)?.observing(conditions.extras).holding(conditions.fixed);
    let task = match &conditions.foresight {
        Some(foresight) => task.reading(Arc::<Foresight>::clone(foresight)),
        None => task,
    };
    Ok(Arc::new(match &conditions.mask {
        Some(mask) => task.behind(Arc::clone(mask)),
        None => task,
    }))
}

/// The scenario that a name means: a shipped one, or a file.
fn named(settings: &Settings, name: &str) -> anyhow::Result<Scenario> {
    if name.ends_with(".toml") { scenario_file(settings, Path::new(name)) } else { shipped(settings, name) }
}

/// A shipped scenario in the market that the settings describe.
///
/// # Errors
/// If there is none of this name.
pub(crate) fn shipped(settings: &Settings, id: &str) -> anyhow::Result<Scenario> {
    let Some(text) = presets::file(id) else {
        bail!("no scenario is called {id:?}; there are {}, and files that end in .toml", presets::NAMES.join(", "));
    };
    over_the_market(settings, id, Layer::from_text(&format!("scenario {id}"), text)?)
}

/// A scenario file in the market that the settings describe.
///
/// # Errors
/// If it cannot be read, is no scenario, or anything in it is out of its bounds: everything that is wrong.
pub(crate) fn scenario_file(settings: &Settings, path: &Path) -> anyhow::Result<Scenario> {
    let text = fs::read_to_string(path).with_context(|| format!("reading the scenario {}", path.display()))?;
    let origin = path.display().to_string();
    over_the_market(settings, &id_of(path), Layer::from_text(&origin, &text)?)
}

/// What a file states lies over the market of the settings, in every section.
fn over_the_market(settings: &Settings, id: &str, layer: Layer) -> anyhow::Result<Scenario> {
    let base = to_toml(&settings.market.scenario(id, "", WorldConfig::default()));
    let check = |scenario: &Scenario| {
        let mut problems = Problems::default();
        scenario.validate("", &mut problems);
        let strip = |field: String| field.strip_prefix('.').map(str::to_owned).unwrap_or(field);
        problems.0.into_iter().map(|problem| Problem { field: strip(problem.field), ..problem }).collect()
    };
    Ok(resolve(&base, &[layer], check)?)
}

fn validate(scenario: &Scenario, origin: Option<&str>) -> Result<(), SettingsError> {
    let mut problems = Problems::default();
    scenario.validate(&scenario.id, &mut problems);
    if problems.0.is_empty() {
        return Ok(());
    }
    Err(SettingsError(problems.0.into_iter().map(|problem| (problem, origin.map(str::to_owned))).collect()))
}

/// The file's name as an identifier: `BTC-USD 1h.csv.gz` is `btc-usd-1h`.
fn id_of(path: &Path) -> String {
    let name =
        path.file_name().map_or_else(|| "candles".to_owned(), |name| name.to_string_lossy().to_ascii_lowercase());
    let stem = name.split('.').next().unwrap_or_default();
    let keep = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    let id: String = stem.chars().map(keep).collect();
    if id.is_empty() { "candles".to_owned() } else { id }
}

fn bar_bytes(bar: &seawall_env::world::Bar) -> [u8; 48] {
    let mut bytes = [0; 48];
    let words = [bar.open_time_ms, bar.open.raw(), bar.high.raw(), bar.low.raw(), bar.close.raw()];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes[40..].copy_from_slice(&bar.volume.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tempfile::Builder;

    use super::*;

    fn settings(sets: &[&str]) -> Settings {
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::from_set(set).unwrap()).collect();
        Settings::resolve(&layers).unwrap()
    }

    #[test]
    fn names_of_files_become_identifiers() {
        for (path, id) in [
            ("a/b/BTC-USD 1h.csv.gz", "btc-usd-1h"),
            ("x.parquet", "x"),
            (".hidden", "candles"),
            ("Größe.csv", "gr--e"),
        ] {
            assert_eq!(id_of(Path::new(path)), id);
        }
    }

    #[test]
    fn a_scenario_file_lies_over_the_market() {
        let mut file = Builder::new().prefix("night").suffix(".toml").tempfile().unwrap();
        write!(file, "id = 'night'\ntitle = 'A night.'\n[traders]\naccounts = 300\n").unwrap();
        let settings = settings(&["market.clock.decisions=9"]);
        let scenario = scenario_file(&settings, file.path()).unwrap();
        assert_eq!((scenario.id.as_str(), scenario.traders.accounts, scenario.clock.decisions), ("night", 300, 9));
    }

    #[test]
    fn a_shipped_scenario_brings_more_than_its_world() {
        let scenario = shipped(&settings(&["market.clock.decisions=9"]), "evaporation").unwrap();
        assert_eq!(scenario, Scenario::shipped("evaporation").unwrap());
        let scenario = shipped(&settings(&["market.clock.decisions=9"]), "keeper_dropout").unwrap();
        assert_eq!((scenario.clock.decisions, scenario.keepers.dropouts.len()), (9, 1));
    }

    #[test]
    fn every_problem_of_a_scenario_file_is_listed() {
        let mut file = Builder::new().suffix(".toml").tempfile().unwrap();
        write!(file, "id = 'A b'\nmoon = 1\n[clock]\ndecisions = 0\n").unwrap();
        let message = format!("{:#}", scenario_file(&settings(&[]), file.path()).unwrap_err());
        for part in ["id = \"A b\"", "moon = 1", "clock.decisions = 0"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_those_there_are() {
        let message = Places::gather(&settings(&[]), &["lunch".to_owned()], Voice::Quiet).unwrap_err().to_string();
        assert!(message.starts_with("no scenario is called \"lunch\"; there are calm, "), "{message}");
        let message = Places::gather(&settings(&[]), &["calm".to_owned(), "calm".to_owned()], Voice::Quiet);
        assert_eq!(message.unwrap_err().to_string(), "two scenarios are called calm");
    }
}
