//! From a network to files, and back to a policy.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod exported;
mod fixture;
mod parameter_file;
mod vectors;
