//! Somebody's reading of what is traded, beside what every task observes.
//!
//! The market does not know what is made of its prices. An instrument sees what everybody on the venue sees, tick by tick, and
//! adds features to the observation; what it computes them by, a statistic or a trained forecaster, is its own matter. All it
//! remembers is a list of numbers that the environment keeps, copies and saves, so clones, snapshots and planners carry it.

use std::fmt;

use crate::spaces::Feature;

/// What one tick shows of the home venue's first market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Print {
    /// Length of the tick, in seconds.
    pub seconds: f64,
    /// Mid of the book after the tick.
    pub mid: f64,
    /// Value traded in the tick, in dollars.
    pub volume: f64,
}

/// Features that are computed from what is traded.
///
/// An instrument is a pure function: what it remembers of an episode stands in `memory` alone, so two environments with one
/// memory go on alike.
pub trait Instrument: Send + Sync + fmt::Debug {
    /// What it adds to the observation, in order.
    fn features(&self) -> &[Feature];

    /// Numbers that it remembers.
    fn memory_len(&self) -> usize;

    /// Forgets everything and starts an episode at this mid.
    fn open(&self, mid: f64, memory: &mut [f64]);

    /// Takes in one tick.
    fn tick(&self, print: &Print, memory: &mut [f64]);

    /// Writes the features, `[F]`, each finite.
    fn observe(&self, memory: &[f64], out: &mut [f32]);
}
