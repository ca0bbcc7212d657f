//! From a trained network to the files that governance and engines read.
//!
//! Three files stand beside one another: the policy's bytes ([`write_runtime`]), vectors that a port replays
//! ([`write_vectors`]), and a [`ParameterFile`] that says in words and units what was learned, where it came from and
//! which bytes it belongs to. A policy that observes forecasts has two more, the predictor's bytes and their vectors. Nothing here opens a file: whoever calls does.

mod parameter_file;
mod predictor_entry;
mod runtime;
mod shield_entry;
mod validate;
mod vectors;

pub use parameter_file::{
    Attachment, Clocks, FeatureEntry, MeanValue, ObservationSchema, ParameterEntry, ParameterFile, Provenance, Search,
    Step, Story, Summary, VERSION, VERSION_WITH_PREDICTOR, VERSION_WITH_RULE, VERSION_WITH_SHIELD,
};
pub use predictor_entry::PredictorEntry;
pub use runtime::{Learned, write_rule, write_runtime};
pub use shield_entry::ShieldEntry;
pub use vectors::{VECTORS_MIN, verify, write_vectors};
