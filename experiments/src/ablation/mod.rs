//! Studies: a base and arms that differ from it in named settings, trained and judged alike, and what follows.
//!
//! A [`file::StudyFile`] says what is asked; a [`plan::Plan`] is everything that it means, checked; a
//! [`registration`] is written before the first trial and holds every later one to it; a [`trial`] is one policy's training
//! and judgement from one file; the [`runner`] runs what is not complete; [`findings`] are what complete trials say.

pub(crate) mod design;
pub(crate) mod factorial;
pub(crate) mod file;
pub(crate) mod findings;
pub(crate) mod hypercube;
pub(crate) mod interrupt;
pub(crate) mod launcher;
pub(crate) mod pages;
pub(crate) mod plan;
pub(crate) mod registration;
pub(crate) mod runner;
pub(crate) mod shipped;
pub(crate) mod trial;

/// Folder of the trials' files, inside a study's.
pub(crate) const TRIALS: &str = "trials";
/// Folder of the trials' own folders, inside a study's.
pub(crate) const RUNS: &str = "runs";
