//! Policies against the real environment, and from a network to files and back.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod exported;
mod fixture;
mod foresight;
mod generations;
mod parameter_file;
mod shield;
mod tuned;
mod vectors;
