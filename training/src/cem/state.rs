//! What the cross-entropy method carries from one generation to the next.

use serde::{Deserialize, Serialize};

/// A normal distribution with independent entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) centre: Vec<f64>,
    pub(super) variance: Vec<f64>,
}
