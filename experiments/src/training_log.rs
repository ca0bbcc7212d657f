//! What training leaves behind while it runs: one row of `metrics.csv` and one step of TensorBoard per iteration.

use std::fs::{File, OpenOptions};

use anyhow::Context;
use seawall_training::{Iteration, Observer, Phase};

use crate::clock::Stopwatch;
use crate::run_folder::{METRICS, RunFolder};
use crate::tensorboard::Events;

/// Share of an iteration's actions that the shield changed.
const SHIELD_RATE: &str = "rollout/shield_rate";

/// Wall seconds of an iteration, by phase.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Timing {
    /// Stepping environments.
    pub(crate) collect: f64,
    /// Learning from what was collected.
    pub(crate) learn: f64,
    /// Processor seconds of both, over all threads.
    pub(crate) cpu: f64,
}

/// Times the phases of one iteration.
#[derive(Debug)]
pub(crate) struct Timer {
    watch: Stopwatch,
    phase: Phase,
    /// When the phase began.
    since: f64,
    timing: Timing,
}

impl Timer {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self { watch: Stopwatch::start(), phase: Phase::Collect, since: 0.0, timing: Timing::default() }
    }

    /// Seconds until now.
    pub(crate) fn stop(mut self) -> Timing {
        self.phase(Phase::Collect);
        Timing { cpu: self.watch.cpu().as_secs_f64(), ..self.timing }
    }
}

impl Observer for Timer {
    fn phase(&mut self, phase: Phase) {
        let now = self.watch.wall().as_secs_f64();
        let spent = match self.phase {
            Phase::Collect => &mut self.timing.collect,
            Phase::Learn => &mut self.timing.learn,
        };
        *spent += now - self.since;
        (self.phase, self.since) = (phase, now);
    }
}

/// The log of one training run.
#[derive(Debug)]
pub(crate) struct TrainingLog {
    terms: Vec<String>,
    rows: csv::Writer<File>,
    events: Events,
    has_header: bool,
}

impl TrainingLog {
    /// Opens the log of a run that has done `steps`: rows and events after that belong to work that was lost.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub(crate) fn open(folder: &RunFolder, steps: u64, terms: &[String]) -> anyhow::Result<Self> {
        let path = folder.file(METRICS);
        let mut has_header = false;
        if path.exists() {
            let kept = rows_until(&folder.read_text(METRICS)?, steps).with_context(|| path.display().to_string())?;
            has_header = !kept.is_empty();
            folder.write(METRICS, kept.as_bytes())?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        let mut events = Events::create(folder.path()).context("opening the TensorBoard log")?;
        if steps > 0 {
            events.restart(steps).context("writing the TensorBoard log")?;
        }
        let rows = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        Ok(Self { terms: terms.to_vec(), rows, events, has_header })
    }

    /// Writes one iteration, with the share of its actions that a shield changed, if there is one; to the operating system
    /// and not only to memory.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(
        &mut self,
        iteration: &Iteration,
        samples: u64,
        timing: Timing,
        shield_rate: Option<f64>,
    ) -> anyhow::Result<()> {
        let values = self.values(iteration, samples, timing, shield_rate);
        let steps = iteration.steps_total;
        if !self.has_header {
            self.rows.write_record(std::iter::once("steps").chain(values.iter().map(|(tag, _)| tag.as_str())))?;
            self.has_header = true;
        }
        // An iteration in which no episode ended has no mean; the cell stays empty.
        let cell = |value: &f64| if value.is_nan() { String::new() } else { value.to_string() };
        self.rows
            .write_record(std::iter::once(steps.to_string()).chain(values.iter().map(|(_, value)| cell(value))))?;
        self.rows.flush().context("writing the metrics")?;
        let known: Vec<(String, f64)> = values.into_iter().filter(|(_, value)| !value.is_nan()).collect();
        self.events.scalars(steps, &known).context("writing the TensorBoard log")?;
        let returns: Vec<f64> = iteration.episodes.iter().map(|episode| episode.total_reward).collect();
        if returns.len() > 1 {
            self.events.histogram(steps, "rollout/returns", &returns).context("writing the TensorBoard log")?;
        }
        self.events.flush().context("writing the TensorBoard log")
    }

    /// Tags and values, always the same tags in the same order; what does not exist is NaN.
    #[expect(clippy::cast_precision_loss, reason = "counts of episodes and samples are small")]
    fn values(
        &self,
        iteration: &Iteration,
        samples: u64,
        timing: Timing,
        shield_rate: Option<f64>,
    ) -> Vec<(String, f64)> {
        let episodes = &iteration.episodes;
        let mean = |value: &dyn Fn(&seawall_training::Episode) -> f64| {
            episodes.iter().map(value).sum::<f64>() / episodes.len() as f64
        };
        let mut values = vec![
            ("rollout/episodes".to_owned(), episodes.len() as f64),
            ("rollout/return_mean".to_owned(), mean(&|episode| episode.total_reward)),
            ("rollout/length_mean".to_owned(), mean(&|episode| episode.length as f64)),
        ];
        values.extend(shield_rate.map(|rate| (SHIELD_RATE.to_owned(), rate)));
        for (index, term) in self.terms.iter().enumerate() {
            values.push((format!("rollout/term/{term}"), mean(&|episode| episode.mean_terms[index])));
        }
        values.extend(iteration.metrics.iter().map(|(name, value)| (format!("train/{name}"), *value)));
        let wall = timing.collect + timing.learn;
        values.extend([
            ("time/collect_s".to_owned(), timing.collect),
            ("time/learn_s".to_owned(), timing.learn),
            ("time/cpu_s".to_owned(), timing.cpu),
            ("time/steps_per_s".to_owned(), samples as f64 / wall),
        ]);
        values
    }
}

/// The shield's rate over a training run, and in its last iteration; nothing without a shield. Iterations are equally long.
///
/// # Errors
/// If the log is no table of numbers.
#[expect(clippy::cast_precision_loss, reason = "iterations are few")]
pub(crate) fn shield_rates(folder: &RunFolder) -> anyhow::Result<Option<(f64, f64)>> {
    let path = folder.file(METRICS);
    let mut rows = csv::Reader::from_path(&path).with_context(|| format!("reading {}", path.display()))?;
    let Some(column) = rows.headers()?.iter().position(|tag| tag == SHIELD_RATE) else { return Ok(None) };
    let rate = |row: csv::Result<csv::StringRecord>| -> anyhow::Result<f64> {
        let row = row?;
        row[column].parse::<f64>().with_context(|| format!("{}: `{}` is no rate", path.display(), &row[column]))
    };
    let rates: Vec<f64> = rows.records().map(rate).collect::<anyhow::Result<_>>()?;
    Ok(rates.last().map(|last| (rates.iter().sum::<f64>() / rates.len() as f64, *last)))
}

/// The header and the rows up to `steps`; nothing if there is no such row. A last row that was cut short is dropped.
fn rows_until(text: &str, steps: u64) -> anyhow::Result<String> {
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let Some(header) = lines.next() else { return Ok(String::new()) };
    let mut kept = header.to_owned();
    for line in lines {
        let done = line.split(',').next().unwrap_or_default();
        let done: u64 = done.parse().with_context(|| format!("`{done}` is no number of steps"))?;
        if done <= steps {
            kept += line;
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use seawall_env::Status;
    use seawall_training::Episode;
    use tempfile::TempDir;

    use super::*;

    fn iteration(steps_total: u64, returns: &[f64]) -> Iteration {
        let episode = |total_reward: &f64| Episode {
            environment: 0,
            total_reward: *total_reward,
            length: 10,
            status: Status::Truncated,
            mean_terms: vec![0.5],
        };
        Iteration { steps_total, metrics: vec![("entropy", 1.5)], episodes: returns.iter().map(episode).collect() }
    }

    #[test]
    fn a_resumed_log_has_no_row_of_lost_work() {
        let directory = TempDir::new().unwrap();
        let folder = RunFolder::create(Some(directory.path()), "x", 1).unwrap();
        let terms = ["bad_debt".to_owned()];
        let mut log = TrainingLog::open(&folder, 0, &terms).unwrap();
        for (steps, returns) in [(100, &[][..]), (200, &[1.0, 2.0]), (300, &[7.0])] {
            log.write(&iteration(steps, returns), 100, Timing { collect: 1.0, learn: 3.0, cpu: 8.0 }, None).unwrap();
        }
        drop(log);
        let mut resumed = TrainingLog::open(&folder, 200, &terms).unwrap();
        resumed.write(&iteration(300, &[9.0]), 100, Timing { collect: 1.0, learn: 1.0, cpu: 8.0 }, None).unwrap();
        assert_eq!(
            folder.read_text(METRICS).unwrap(),
            "steps,rollout/episodes,rollout/return_mean,rollout/length_mean,rollout/term/bad_debt,train/entropy,\
             time/collect_s,time/learn_s,time/cpu_s,time/steps_per_s\n\
             100,0,,,,1.5,1,3,8,25\n\
             200,2,1.5,10,0.5,1.5,1,3,8,25\n\
             300,1,9,10,0.5,1.5,1,1,8,50\n"
        );
    }

    #[test]
    fn the_shields_rate_of_a_run_is_the_mean_over_what_was_not_lost() {
        let directory = TempDir::new().unwrap();
        let folder = RunFolder::create(Some(directory.path()), "x", 1).unwrap();
        let mut log = TrainingLog::open(&folder, 0, &[]).unwrap();
        for (steps, rate) in [(100, 0.5), (200, 0.25), (300, 1.0)] {
            log.write(&iteration(steps, &[]), 100, Timing::default(), Some(rate)).unwrap();
        }
        drop(log);
        let mut resumed = TrainingLog::open(&folder, 200, &[]).unwrap();
        resumed.write(&iteration(300, &[]), 100, Timing::default(), Some(0.0)).unwrap();
        assert_eq!(shield_rates(&folder).unwrap(), Some((0.25, 0.0)));

        let other = folder.child("without").unwrap();
        TrainingLog::open(&other, 0, &[]).unwrap().write(&iteration(100, &[]), 100, Timing::default(), None).unwrap();
        assert_eq!(shield_rates(&other).unwrap(), None);
    }

    #[test]
    fn a_row_that_a_kill_cut_short_is_dropped() {
        assert_eq!(rows_until("steps,a\n100,1\n20", 500).unwrap(), "steps,a\n100,1\n");
        assert_eq!(rows_until("steps,", 500).unwrap(), "");
        assert!(rows_until("steps,a\nx,1\n", 500).is_err());
    }
}
