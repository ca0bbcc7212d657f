//! Time, for manifests, progress and benchmarks: the only place in the project that reads a clock.

#![expect(clippy::disallowed_types, reason = "nothing that is measured here reaches a result")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cpu_time::ProcessTime;

/// Wall time and processor time of the process since a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: ProcessTime,
}

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: ProcessTime::now() }
    }

    /// Wall time since the start.
    pub(crate) fn wall(&self) -> Duration {
        self.wall.elapsed()
    }

    /// Processor time of all threads since the start.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu.elapsed()
    }
}

/// Wall time alone: cheap enough to time a microsecond with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wall(Instant);

impl Wall {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Seconds since 1970, UTC.
pub(crate) fn unix_seconds() -> f64 {
    // A clock before 1970 is broken beyond anything a run depends on.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// Now, as `2026-01-31T12:00:00Z`.
pub(crate) fn utc_now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, as `20260131T120000Z`: sorts by time and is a file name everywhere.
pub(crate) fn utc_compact() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
}
