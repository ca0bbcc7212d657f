//! What an engine embeds: a learned policy without allocation, standard library or trainer.
//!
//! [`Policy`] reads the binary [`mod@format`] in place, turns observations into actions and actions into the values of
//! the engine's parameters, holds them by a [`Shield`] if it was trained behind one, and says what to run with when it cannot. The same bytes and the same observation give
//! the same bits on every machine; [`conformance`] vectors prove it for a build or a port. A [`Predictor`] turns the engine's
//! [`mod@bars`] into further entries of the observation, for a policy that was trained on them. The only dependency is
//! `libm`. Deliberately not here: clocks, the gathering of observations, training.
//!
//! ```
//! use seawall_runtime::format::{Activation, Group, Parameter, Scale};
//! use seawall_runtime::network::Layer;
//! use seawall_runtime::{Contents, Policy, write};
//!
//! // Capacity falls as depth does; an engine has this file from an exporter.
//! let delay = Parameter {
//!     name: "delay", unit: "seconds", scale: Scale::Linear, group: Group::Fast,
//!     low: 0.0, high: 120.0, neutral: 0.0, max_change: 2.0,
//! };
//! let contents = Contents {
//!     observation: &["depth_100bp"], mean: &[0.0], inverse_deviation: &[1.0], clip: 10.0, memory: None,
//!     layers: &[(Layer { weight: &[-0.5], bias: &[0.0] }, Activation::Identity)],
//!     parameters: &[delay], shield: None,
//! };
//! let mut file = Vec::new();
//! write(&contents, |bytes| file.extend_from_slice(bytes))?;
//!
//! let policy = Policy::parse(file.as_slice())?;
//! let (mut scratch, mut action, mut values) = (vec![0.0; policy.scratch_len()], [0.0], [0.0]);
//! match policy.act(&[1.0], &mut scratch, &mut action) {
//!     Ok(_) => policy.decode(&action, &mut values)?,
//!     Err(_) => policy.fallback(&mut values)?,
//! }
//! assert_eq!(values, [30.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]

pub mod bars;
pub mod checksum;
pub mod conformance;
mod error;
pub mod format;
pub mod gru;
pub mod network;
mod policy;
pub mod predictor;
pub mod predictor_vectors;
mod reader;
pub mod shield;
mod write;

pub use error::{ActError, FormatError};
pub use gru::Gru;
pub use policy::{Policy, limit};
pub use predictor::Predictor;
pub use shield::Shield;
pub use write::{Contents, write};
