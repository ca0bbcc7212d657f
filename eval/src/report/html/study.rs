//! What a page is made of: a report, and what stands beside it in a run's folder.

use super::recording::Duel;
use crate::report::Report;
use crate::report::table::EpisodeTable;

/// One run: its report, and whatever else there is to show of it.
#[derive(Clone, Debug)]
pub struct Study {
    /// Name on the page, such as the run's folder.
    pub name: String,
    /// The report.
    pub report: Report,
    /// Every judged episode.
    pub episodes: EpisodeTable,
    /// Learning curves; none where nothing was trained.
    pub curves: Vec<Curve>,
    /// Where it comes from; nothing in folders of versions that did not write it.
    pub provenance: Option<Provenance>,
    /// Effects of an ablation study, drawn; nothing of a run.
    pub ablation: Option<String>,
    /// Recorded episodes; none if they were not asked for.
    pub duels: Vec<Duel>,
}

/// How one training run learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Seed of the training run.
    pub seed: u64,
    /// One point for each iteration in which an episode ended.
    pub points: Vec<CurvePoint>,
}

/// Mean return of the training episodes that ended in one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Number of the iteration, from zero.
    pub iteration: usize,
    /// Decisions of all environments until then.
    pub decisions: f64,
    /// Wall seconds of collecting and learning until then.
    pub wall_seconds: f64,
    /// Mean return.
    pub value: f64,
}

/// What ran, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The command line, one argument each.
    pub command: Vec<String>,
    /// Version of the program.
    pub version: String,
    /// Commit that it was built from.
    pub commit: Option<String>,
    /// SHA-256 of the resolved settings.
    pub settings_sha256: String,
    /// Input files and their SHA-256.
    pub inputs: Vec<(String, String)>,
    /// Operating system, architecture, processors.
    pub machine: String,
    /// When it began, UTC.
    pub started: String,
}
