//! Trials side by side: each on its own threads, each alone in what it breaks.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;

use super::trial::{Ended, Trial};
use crate::progress::{Progress, Voice};

/// How one trial of a study ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its result is written, now or before.
    Complete,
    /// An interrupt came before it was complete.
    Interrupted,
    /// It failed, for this reason; it is run again the next time.
    Failed(String),
}

/// Runs what is not complete of `trials` on `threads` threads; 0 takes all processors. Results do not depend on them.
///
/// # Errors
/// If the system gives no threads.
pub(crate) fn run(trials: &[&Trial], threads: usize, voice: Voice, stop: &AtomicBool) -> anyhow::Result<Vec<Outcome>> {
    let pending: Vec<usize> = (0..trials.len()).filter(|place| !trials[*place].is_complete()).collect();
    let mut outcomes = vec![Outcome::Complete; trials.len()];
    if pending.is_empty() {
        return Ok(outcomes);
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if threads == 0 { processors } else { threads };
    let workers = threads.min(pending.len());
    let pool = || rayon::ThreadPoolBuilder::new().num_threads(threads / workers).build();
    let pools: Vec<rayon::ThreadPool> =
        (0..workers).map(|_| pool().context("making a thread pool")).collect::<anyhow::Result<_>>()?;
    let (done, total) = ((trials.len() - pending.len()) as u64, trials.len() as u64);
    let progress = Mutex::new((done, Progress::new(voice, "trials", done, total)));
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| {
                while let Some(place) = pending.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let trial = trials[*place];
                    let outcome = if stop.load(Ordering::Relaxed) {
                        Outcome::Interrupted
                    } else {
                        pool.install(|| alone(trial, stop))
                    };
                    if outcome == Outcome::Complete {
                        let mut guard = progress.lock().expect("no thread panics while it holds the bar");
                        guard.0 += 1;
                        let done = guard.0;
                        guard.1.at(done, &trial.name);
                    }
                    ended.lock().expect("no thread panics while it holds the list").push((*place, outcome));
                }
            });
        }
    });
    progress.into_inner().expect("no thread panicked").1.finish();
    for (place, outcome) in ended.into_inner().expect("no thread panicked") {
        outcomes[place] = outcome;
    }
    Ok(outcomes)
}

/// Runs one trial; neither an error nor a panic leaves it.
pub(crate) fn alone(trial: &Trial, stop: &AtomicBool) -> Outcome {
    let reason = match caught(|| trial.run(Voice::Quiet, stop)) {
        Ok(Ended::Complete) => return Outcome::Complete,
        Ok(Ended::Interrupted) => return Outcome::Interrupted,
        Err(reason) => reason,
    };
    match trial.note_failure(&reason) {
        Ok(()) => Outcome::Failed(reason),
        Err(error) => Outcome::Failed(format!("{reason}; and {error:#}")),
    }
}

/// What a piece of work returned, or why it broke.
fn caught<T>(work: impl FnOnce() -> anyhow::Result<T>) -> Result<T, String> {
    // What a trial shares with others it only reads, and its own files are whole or not there.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{error:#}")),
        Err(panic) => Err(format!("it panicked: {}", message(panic.as_ref()))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, bail};

    use super::*;

    #[test]
    fn errors_and_panics_of_any_thread_of_the_pool_become_reasons() {
        assert_eq!(caught(|| Ok(3)), Ok(3));
        let failing = || -> anyhow::Result<()> { bail!("disk full") };
        assert_eq!(caught(|| failing().context("writing")), Err("writing: disk full".into()));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let broken = || -> anyhow::Result<()> {
            rayon::join(|| (), || panic!("M{} does not hold", 12));
            Ok(())
        };
        assert_eq!(pool.install(|| caught(broken)), Err("it panicked: M12 does not hold".into()));
    }
}
