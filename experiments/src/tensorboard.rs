//! TensorBoard event files: `tensorboard-rs` frames the records, files and buffering are ours.
//!
//! Its own `SummaryWriter` is not used: two of them in one second truncate each other's file, and it panics where a
//! disk is full. Tags follow the usual families: `rollout/`, `train/`, `time/`, `eval/`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::Path;

use protobuf::Message;
use tensorboard_proto::event::{Event, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::summary::{HistogramProto, Summary, Summary_Value};
use tensorboard_rs::record_writer::RecordWriter;

use crate::clock;

/// Writes one event file.
pub(crate) struct Events {
    records: RecordWriter<BufWriter<File>>,
}

impl Events {
    /// Creates a new event file in `directory`, beside any that are there.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        let file = BufWriter::new(new_file(directory)?);
        let mut this = Self { records: RecordWriter::new(file) };
        let mut event = Event::new();
        event.set_file_version("brain.Event:2".to_owned());
        this.write(event, 0)?;
        Ok(this)
    }

    /// Tells readers that the run starts over at `step`, so that they drop what an interrupted run wrote after it.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub(crate) fn restart(&mut self, step: u64) -> io::Result<()> {
        let mut log = SessionLog::new();
        log.set_status(SessionLog_SessionStatus::START);
        let mut event = Event::new();
        event.set_session_log(log);
        self.write(event, step)
    }

    /// Writes scalars of one step.
    ///
    /// # Errors
    /// Whatever the file system says.
    #[expect(clippy::cast_possible_truncation, reason = "the format holds single precision")]
    pub(crate) fn scalars(&mut self, step: u64, values: &[(String, f64)]) -> io::Result<()> {
        let values = values.iter().map(|(tag, value)| {
            let mut entry = Summary_Value::new();
            entry.set_tag(tag.clone());
            entry.set_simple_value(*value as f32);
            entry
        });
        self.summary(step, values.collect())
    }

    /// Writes a histogram of `values` in equal buckets between the least and the greatest.
    ///
    /// # Errors
    /// Whatever the file system says.
    ///
    /// # Panics
    /// If there is no value, or one that is not finite.
    pub(crate) fn histogram(&mut self, step: u64, tag: &str, values: &[f64]) -> io::Result<()> {
        let mut entry = Summary_Value::new();
        entry.set_tag(tag.to_owned());
        entry.set_histo(histogram(values));
        self.summary(step, vec![entry])
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.records.flush()
    }

    fn summary(&mut self, step: u64, values: Vec<Summary_Value>) -> io::Result<()> {
        let mut summary = Summary::new();
        summary.set_value(values.into());
        let mut event = Event::new();
        event.set_summary(summary);
        self.write(event, step)
    }

    fn write(&mut self, mut event: Event, step: u64) -> io::Result<()> {
        event.set_wall_time(clock::unix_seconds());
        event.set_step(i64::try_from(step).map_err(io::Error::other)?);
        self.records.write(&event.write_to_bytes().map_err(io::Error::other)?)
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// Buckets of a histogram: TensorBoard shows thirty.
const BUCKETS: u32 = 30;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the buckets")]
fn histogram(values: &[f64]) -> HistogramProto {
    assert!(!values.is_empty() && values.iter().all(|value| value.is_finite()), "finite values: {values:?}");
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / f64::from(BUCKETS);
    let mut counts = vec![0.0; BUCKETS as usize];
    for value in values {
        // The greatest value belongs to the last bucket; equal values have no width and share the first.
        let bucket = if width > 0.0 { ((value - low) / width) as usize } else { 0 };
        counts[bucket.min(BUCKETS as usize - 1)] += 1.0;
    }
    let mut histogram = HistogramProto::new();
    histogram.set_min(low);
    histogram.set_max(high);
    histogram.set_num(counts.iter().sum());
    histogram.set_sum(values.iter().sum());
    histogram.set_sum_squares(values.iter().map(|value| value * value).sum());
    histogram.set_bucket_limit((1..=BUCKETS).map(|k| low + width * f64::from(k)).collect());
    histogram.set_bucket(counts);
    histogram
}

/// A file that did not exist: TensorBoard wants `tfevents` in its name, and reads several in the order of their names.
fn new_file(directory: &Path) -> io::Result<File> {
    let seconds = clock::unix_seconds();
    for number in 0..1_000 {
        let name = format!("events.out.tfevents.{seconds:.0}.{:010}.{number:03}", std::process::id());
        match OpenOptions::new().write(true).create_new(true).open(directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand event files in one second"))
}

#[cfg(test)]
mod tests;
