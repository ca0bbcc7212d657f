//! The predictor of a run: its file beside the settings that name it, and the instrument that it is in the market.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use seawall_agents::export::PredictorEntry;
use seawall_agents::foresight::write_vectors;
use seawall_agents::{Foresight, foresight};
use seawall_env::Problems;
use seawall_env::scenario::Scenario;

use crate::run_folder::{RESOLVED, RunFolder, sha256};
use crate::settings::{Layer, Settings};

/// Name of the predictor's file in a run's folder, beside an export, and of `seawall predict`.
pub(crate) const PREDICTOR_FILE: &str = "predictor.bin";
/// Name of its conformance vectors.
pub(crate) const PREDICTOR_VECTORS: &str = "predictor.vectors";
/// Seed of the vectors: the same for whoever writes them.
const VECTORS_SEED: u64 = 7;

/// A predictor's file and its vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PredictorFiles {
    pub(crate) bytes: Vec<u8>,
    pub(crate) vectors: Vec<u8>,
}

impl PredictorFiles {
    /// The bytes with vectors of their own.
    ///
    /// # Errors
    /// If the bytes are no predictor.
    pub(crate) fn new(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let vectors = write_vectors(&bytes, VECTORS_SEED).context("writing the predictor's vectors")?;
        Ok(Self { bytes, vectors })
    }

    /// What a parameter file says of them.
    ///
    /// # Errors
    /// If the bytes are no predictor.
    pub(crate) fn entry(&self) -> anyhow::Result<PredictorEntry> {
        Ok(PredictorEntry::new([PREDICTOR_FILE, PREDICTOR_VECTORS], &self.bytes, &self.vectors)?)
    }

    /// Writes both.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        folder.write(PREDICTOR_FILE, &self.bytes)?;
        folder.write(PREDICTOR_VECTORS, &self.vectors)
    }
}

/// The bytes of the settings' predictor, if they name one.
///
/// # Errors
/// If the file cannot be read, is no predictor, or is not the one that the settings were made with.
pub(crate) fn read(settings: &Settings) -> anyhow::Result<Option<Vec<u8>>> {
    let observation = &settings.observation;
    if observation.predictor.is_empty() {
        return Ok(None);
    }
    let path = Path::new(&observation.predictor);
    let bytes = fs::read(path).with_context(|| format!("reading the predictor {}", path.display()))?;
    Foresight::new(bytes.clone()).with_context(|| format!("reading observation.predictor = {}", path.display()))?;
    let (expected, found) = (&observation.predictor_sha256, sha256(&bytes));
    if !expected.is_empty() && *expected != found {
        bail!(
            "{} has SHA-256 {found}, and observation.predictor_sha256 = {expected}: put the file back, or set \
             observation.predictor_sha256 to \"\" for another predictor",
            path.display()
        );
    }
    Ok(Some(bytes))
}

/// The instrument of the settings' predictor in these scenarios, if there is one.
///
/// # Errors
/// As [`read`]; if its bars are not whole ticks of a scenario.
pub(crate) fn instrument<'a>(
    settings: &Settings,
    scenarios: impl Iterator<Item = &'a Scenario>,
) -> anyhow::Result<Option<Arc<Foresight>>> {
    let Some(bytes) = read(settings)? else { return Ok(None) };
    let foresight = Foresight::new(bytes)?;
    let mut problems = Problems::default();
    for scenario in scenarios {
        let market = (scenario.id.as_str(), scenario.clock.tick_seconds);
        foresight.validate("observation.predictor", market, &mut problems);
    }
    problems.into_result()?;
    Ok(Some(Arc::new(foresight)))
}

/// The settings with the digest of their predictor: what a run, a study and an export are told by.
///
/// # Errors
/// As [`read`].
pub(crate) fn pinned(mut settings: Settings) -> anyhow::Result<Settings> {
    if let Some(bytes) = read(&settings)? {
        settings.observation.predictor_sha256 = sha256(&bytes);
    }
    Ok(settings)
}

/// Writes settings into a folder, and their predictor beside them; returns the settings' text, in which the predictor is the one
/// beside it, so that the folder can go anywhere.
///
/// # Errors
/// As [`read`], or if a file cannot be written.
pub(crate) fn write_settings(folder: &RunFolder, settings: &Settings) -> anyhow::Result<String> {
    let mut own = settings.clone();
    if let Some(bytes) = read(settings)? {
        folder.write(PREDICTOR_FILE, &bytes)?;
        PREDICTOR_FILE.clone_into(&mut own.observation.predictor);
        own.observation.predictor_sha256 = sha256(&bytes);
    }
    let text = own.to_toml();
    folder.write(RESOLVED, text.as_bytes())?;
    Ok(text)
}

/// In a layer from a file, a predictor that is named without a folder is the one beside that file, if there is one.
pub(crate) fn beside(path: &Path, mut layer: Layer) -> Layer {
    let named = layer.table.get_mut("observation").and_then(|section| section.get_mut("predictor"));
    if let Some(toml::Value::String(name)) = named {
        let file = path.with_file_name(&*name);
        if Path::new(&*name).components().count() == 1 && file.is_file() {
            *name = file.display().to_string();
        }
    }
    layer
}

/// A path that holds wherever a trial is started.
pub(crate) fn absolute(settings: &mut Settings) {
    let name = &mut settings.observation.predictor;
    if let Ok(path) = Path::new(&*name).canonicalize() {
        *name = path.display().to_string();
    }
}

/// Names that a schedule may read beside every task's.
pub(crate) fn names(settings: &Settings) -> impl Iterator<Item = &'static str> + Clone {
    let is_there = !settings.observation.predictor.is_empty();
    foresight::FEATURES.iter().filter(move |_| is_there).map(|feature| feature.name)
}
