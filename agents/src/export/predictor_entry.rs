//! What a parameter file says of the predictor whose forecasts a policy observes.

use seawall_env::Problems;
use seawall_runtime::Predictor;
use seawall_runtime::bars::INPUTS;
use seawall_runtime::predictor::{HORIZONS, LEVERAGES, OUTPUT_NAMES};
use serde::{Deserialize, Serialize};

use super::parameter_file::Attachment;
use crate::error::{Difference, Error};
use crate::foresight;

/// A predictor, described. What it computes is in [`mod@seawall_runtime::predictor`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictorEntry {
    /// Length of a bar that an engine hands it, in seconds.
    pub bar_seconds: f64,
    /// Horizons of its forecasts, in bars.
    pub horizons: Vec<usize>,
    /// Leverages of the accounts whose ruin it forecasts, longs and shorts.
    pub leverages: Vec<u32>,
    /// Inputs that it computes from the bars, in order.
    pub inputs: Vec<String>,
    /// Entries of the policy's observation that are its outputs, in order.
    pub outputs: Vec<String>,
    /// The predictor's bytes.
    pub file: Attachment,
    /// Its conformance vectors, in the format of [`mod@seawall_runtime::predictor_vectors`].
    pub vectors: Attachment,
}

impl PredictorEntry {
    /// Describes a predictor under the names of its files.
    ///
    /// # Errors
    /// [`Error::Predictor`] if the bytes are none.
    pub fn new([file, vectors]: [&str; 2], bytes: &[u8], its_vectors: &[u8]) -> Result<Self, Error> {
        let predictor = Predictor::parse(bytes).map_err(Error::Predictor)?;
        Ok(Self {
            bar_seconds: f64::from(predictor.bar_ms()) / 1e3,
            horizons: HORIZONS.to_vec(),
            leverages: LEVERAGES.to_vec(),
            inputs: INPUTS.map(str::to_owned).to_vec(),
            outputs: OUTPUT_NAMES.map(str::to_owned).to_vec(),
            file: Attachment::new(file, bytes),
            vectors: Attachment::new(vectors, its_vectors),
        })
    }

    pub(super) fn validate(&self, path: &str, observed: &[&str], problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        let is_length = self.bar_seconds.is_finite() && self.bar_seconds > 0.0;
        problems.require(is_length, at("bar_seconds"), self.bar_seconds, "positive and finite");
        let text = |list: &dyn std::fmt::Debug| format!("{list:?}");
        for (name, found, known) in [
            ("horizons", text(&self.horizons), text(&HORIZONS)),
            ("leverages", text(&self.leverages), text(&LEVERAGES)),
            ("inputs", text(&self.inputs), text(&INPUTS)),
            ("outputs", text(&self.outputs), text(&OUTPUT_NAMES)),
        ] {
            problems.require(found == known, at(name), &found, &known);
        }
        for name in OUTPUT_NAMES.iter().filter(|name| !observed.contains(name)) {
            problems.require(false, at("outputs"), name, "observed by the policy");
        }
        self.file.validate(&at("file"), problems);
        self.vectors.validate(&at("vectors"), problems);
    }

    /// Compares with the bytes that it says it describes, and replays the vectors; returns the number of bars.
    pub(super) fn check(&self, policy: &str, [bytes, vectors]: [&[u8]; 2]) -> Result<usize, Error> {
        let names = [self.file.file.as_str(), self.vectors.file.as_str()];
        let found = Self::new(names, bytes, vectors)?;
        if found != *self {
            let text = |entry: &Self| format!("{entry:?}");
            let field = "predictor".to_owned();
            let difference = Difference { field, expected: text(self), found: text(&found) };
            let differences = crate::error::Differences(vec![difference]);
            return Err(Error::FileMismatch { file: policy.to_owned(), differences });
        }
        foresight::verify(bytes, vectors)
    }
}
