//! The crate as an engine sees it.

#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "tests may panic, and these compare numbers that are exact")]

mod conformance;
mod dependencies;
mod fixture;
mod format;
mod memory;
mod policy;
mod predictor;
mod shield;
