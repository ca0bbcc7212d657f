//! A trained predictor as a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use seawall_eval::forecast::{Frame, HORIZONS};
use seawall_training::predictor::Predictor;
use serde::{Deserialize, Serialize};

const SCHEMA: &str = "seawall.predictor/1";

/// What stands in the file: the networks, and what their inputs and outputs mean.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    /// Names of the inputs, in order.
    features: Vec<String>,
    /// Length of a bar, in milliseconds.
    bar_ms: i64,
    /// Horizons, in bars.
    horizons: Vec<usize>,
    predictor: Predictor,
}

/// The file's text.
///
/// # Errors
/// Never: numbers and names have a form in JSON.
pub(crate) fn to_json(predictor: &Predictor, frame: Frame) -> anyhow::Result<String> {
    let file = File {
        schema: SCHEMA.to_owned(),
        features: names(frame),
        bar_ms: frame.bar_ms(),
        horizons: HORIZONS.to_vec(),
        predictor: predictor.clone(),
    };
    Ok(serde_json::to_string(&file).context("writing the predictor as JSON")? + "\n")
}

fn names(frame: Frame) -> Vec<String> {
    frame.features().iter().map(|name| (*name).to_owned()).collect()
}

/// Reads a predictor that fits what is known and forecast in a frame.
///
/// # Errors
/// If the file cannot be read, is none, or was made for others.
pub(crate) fn read(path: &Path, frame: Frame) -> anyhow::Result<Predictor> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let file: File = serde_json::from_str(&text).with_context(|| format!("{} is no predictor", path.display()))?;
    let mut wrong = Vec::new();
    if file.schema != SCHEMA {
        wrong.push(format!("schema = {}: this build reads {SCHEMA}", file.schema));
    }
    let (features, bar_ms) = (names(frame), frame.bar_ms());
    if file.features != features {
        wrong.push(format!("features = {:?}: {features:?} are known here", file.features));
    }
    if file.bar_ms != bar_ms || file.horizons != HORIZONS {
        wrong.push(format!(
            "horizons = {:?} bars of {} ms: {HORIZONS:?} of {bar_ms} are judged here",
            file.horizons, file.bar_ms
        ));
    }
    let predictor = file.predictor;
    if !predictor.is_whole() || predictor.inputs() != features.len() || predictor.horizons() != HORIZONS.len() {
        wrong.push("predictor: its parts do not fit together".to_owned());
    }
    if wrong.is_empty() { Ok(predictor) } else { bail!("{}:\n  {}", path.display(), wrong.join("\n  ")) }
}
