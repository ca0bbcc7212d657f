//! How far a command is: a bar with ETA on a terminal, a line now and then elsewhere, JSON lines for machines, nothing when
//! asked for quiet.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::clock::Stopwatch;
use crate::output::remark;

/// How a command speaks while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// A bar that moves.
    Terminal,
    /// A line every few seconds.
    Lines,
    /// A JSON object a line, every second.
    Machine,
    /// Nothing.
    Quiet,
}

impl Voice {
    /// What fits standard error, unless something else is asked for.
    pub(crate) fn choose(quiet: bool, json: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if json {
            Self::Machine
        } else if std::io::stderr().is_terminal() {
            Self::Terminal
        } else {
            Self::Lines
        }
    }

    /// Says one sentence.
    pub(crate) fn say(self, sentence: &str) {
        if self != Self::Quiet {
            self.warn(sentence);
        }
    }

    /// Says one sentence that has to be heard even where quiet is asked for.
    pub(crate) fn warn(self, sentence: &str) {
        match self {
            Self::Machine => remark(&serde_json::json!({ "event": "remark", "text": sentence }).to_string()),
            Self::Terminal | Self::Lines | Self::Quiet => remark(sentence),
        }
    }
}

/// Wall time between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The same for machines, which do not tire.
const MACHINE_INTERVAL: Duration = Duration::from_secs(1);

/// How far a command is, for machines: one line of standard error. Its keys are stable.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'static str,
    /// What is under way: training, judging, tuning, planning, trials.
    task: &'a str,
    /// Steps that are behind, those of an interrupted run among them.
    done: u64,
    total: u64,
    /// Wall time of this session.
    elapsed_seconds: f64,
    /// Nothing before the first step of this session.
    remaining_seconds: Option<f64>,
    message: &'a str,
}

/// Progress through a known number of steps.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    total: u64,
    start: u64,
    voice: Voice,
    bar: ProgressBar,
    began: Stopwatch,
    spoke: Stopwatch,
}

impl Progress {
    /// Starts at `start` of `total` steps.
    pub(crate) fn new(voice: Voice, label: &str, start: u64, total: u64) -> Self {
        let bar = match voice {
            Voice::Terminal => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            Voice::Lines | Voice::Machine | Voice::Quiet => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{prefix:>12} [{bar:32}] {percent:>3} %  {elapsed} < {eta}  {msg}");
        bar.set_style(style.expect("the template is valid").progress_chars("=> "));
        bar.set_prefix(label.to_owned());
        bar.set_position(start);
        // The rate must not count what an interrupted run did before.
        bar.reset_eta();
        Self { label: label.to_owned(), total, start, voice, bar, began: Stopwatch::start(), spoke: Stopwatch::start() }
    }

    /// `done` steps are behind; `message` is what to say about them.
    pub(crate) fn at(&mut self, done: u64, message: &str) {
        match self.voice {
            Voice::Terminal => {
                self.bar.set_message(message.to_owned());
                self.bar.set_position(done);
            }
            Voice::Lines if self.spoke.wall() >= LINE_INTERVAL || done == self.total => {
                let line = line(&self.label, [self.start, done, self.total], self.began.wall(), message);
                remark(&line);
                self.spoke = Stopwatch::start();
            }
            Voice::Machine if self.spoke.wall() >= MACHINE_INTERVAL || done == self.total => {
                remark(&event(&self.label, [self.start, done, self.total], self.began.wall(), message));
                self.spoke = Stopwatch::start();
            }
            Voice::Lines | Voice::Machine | Voice::Quiet => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Progress that several threads tell of, out of order: it only goes forward.
#[derive(Debug)]
pub(crate) struct SharedProgress {
    furthest: Mutex<(u64, Progress)>,
}

impl SharedProgress {
    /// Starts at nothing of `total` steps.
    pub(crate) fn new(voice: Voice, label: &str, total: u64) -> Self {
        Self { furthest: Mutex::new((0, Progress::new(voice, label, 0, total))) }
    }

    /// `done` steps are behind, or more by now; `message` is what to say about them.
    ///
    /// # Panics
    /// If a thread panicked in here.
    pub(crate) fn at(&self, done: u64, message: &str) {
        let mut guard = self.furthest.lock().expect("no thread panics while it holds the bar");
        let (furthest, progress) = &mut *guard;
        *furthest = done.max(*furthest);
        progress.at(*furthest, message);
    }

    /// Takes the bar away.
    ///
    /// # Panics
    /// If a thread panicked while it told of progress.
    pub(crate) fn finish(self) {
        self.furthest.into_inner().expect("no thread panicked").1.finish();
    }
}

/// Wall time until everything is done, at the rate of this session; nothing before its first step.
#[expect(clippy::cast_precision_loss, reason = "an estimate for a reader")]
fn remaining([start, done, total]: [u64; 3], elapsed: Duration) -> Option<Duration> {
    let worked = done.saturating_sub(start);
    (worked > 0).then(|| elapsed.mul_f64(total.saturating_sub(done) as f64 / worked as f64))
}

fn event(task: &str, [start, done, total]: [u64; 3], elapsed: Duration, message: &str) -> String {
    let remaining_seconds = remaining([start, done, total], elapsed).map(|left| left.as_secs_f64());
    let elapsed_seconds = elapsed.as_secs_f64();
    let event = Event { event: "progress", task, done, total, elapsed_seconds, remaining_seconds, message };
    serde_json::to_string(&event).expect("an event is plain data")
}

fn line(label: &str, [start, done, total]: [u64; 3], elapsed: Duration, message: &str) -> String {
    let percent = done * 100 / total.max(1);
    let eta = remaining([start, done, total], elapsed).map_or_else(|| "?".to_owned(), span);
    format!("{label} {percent} % ({done} of {total}), {} elapsed, {eta} to go  {message}", span(elapsed))
}

/// A duration as `1h02m` or `3m04s` or `5s`.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_counts_only_this_session() {
        // A run resumed at 50 of 100 did 25 in 10 s: the remaining 25 take 10 s more.
        let line = line("training", [50, 75, 100], Duration::from_secs(10), "return 1");
        assert_eq!(line, "training 75 % (75 of 100), 10s elapsed, 10s to go  return 1");
    }

    #[test]
    fn machines_read_an_object_a_line() {
        let text = event("training", [50, 75, 100], Duration::from_secs(10), "return \"1\"");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["remaining_seconds"], 10.0);
        assert_eq!(
            (&found["done"], &found["total"], &found["message"]),
            (&75.into(), &100.into(), &"return \"1\"".into())
        );
        assert!(event("training", [50, 50, 100], Duration::ZERO, "").contains("\"remaining_seconds\":null"));
        assert!(!text.contains('\n'));
    }

    #[test]
    fn spans_print_two_units_at_most() {
        for (seconds, text) in [(5, "5s"), (184, "3m04s"), (3_720, "1h02m")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
