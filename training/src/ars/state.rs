//! What augmented random search carries from one generation to the next.

use serde::{Deserialize, Serialize};

/// The centre, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) centre: Vec<f64>,
}
