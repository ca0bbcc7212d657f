//! `seawall bench`: speed, as one JSON object with stable keys or as a table with ratios.
//!
//! Unless a name says otherwise, a figure is per second of processor time: it holds on a machine that is shared.

mod env;
mod infer;
mod train;

use std::collections::BTreeMap;

use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::clock::Stopwatch;
use crate::output::show;
use crate::progress::Voice;
use crate::table;

/// Arguments of `seawall bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// What to measure; nothing measures everything
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Seconds of processor time for each figure
    #[arg(long, default_value_t = 2.0, value_parser = positive)]
    seconds: f64,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Market and environment.
    Env,
    /// The home book.
    Book,
    /// The trainer.
    Train,
    /// An exported policy.
    Infer,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rows: Vec<Figure>,
}

/// One figure; its key is stable.
#[derive(Debug)]
struct Figure {
    key: String,
    value: f64,
    unit: &'static str,
    /// Key of the figure that it is printed as a multiple of.
    against: Option<&'static str>,
}

impl Figures {
    /// Adds a figure.
    pub(crate) fn add(&mut self, key: impl Into<String>, value: f64, unit: &'static str) {
        self.rows.push(Figure { key: key.into(), value, unit, against: None });
    }

    /// Adds a figure that is also printed as a multiple of an earlier one.
    pub(crate) fn add_against(&mut self, key: impl Into<String>, value: f64, unit: &'static str, other: &'static str) {
        self.rows.push(Figure { key: key.into(), value, unit, against: Some(other) });
    }

    fn value(&self, key: &str) -> Option<f64> {
        self.rows.iter().find(|figure| figure.key == key).map(|figure| figure.value)
    }

    fn json(&self) -> anyhow::Result<String> {
        let object: BTreeMap<&str, f64> = self.rows.iter().map(|figure| (figure.key.as_str(), figure.value)).collect();
        Ok(serde_json::to_string_pretty(&object)?)
    }

    fn table(&self) -> String {
        let rows = self.rows.iter().map(|figure| {
            let ratio = figure.against.and_then(|other| Some((other, figure.value / self.value(other)?)));
            let ratio = ratio.map_or_else(String::new, |(other, ratio)| format!("{} × {other}", table::number(ratio)));
            vec![figure.key.clone(), table::number(figure.value), figure.unit.to_owned(), ratio]
        });
        table::table(&["figure", "value", "unit", "ratio"], rows)
    }
}

/// Runs the command.
///
/// # Errors
/// If an argument or a setting is wrong.
pub(crate) fn run(args: &BenchArgs, json: bool, voice: Voice) -> anyhow::Result<Verdict> {
    let settings = args.settings.settings(&[])?;
    use_threads(settings.run.threads)?;
    let wanted = |part| args.parts.is_empty() || args.parts.contains(&part);
    let mut figures = Figures::default();
    if wanted(Part::Env) {
        voice.say("measuring market and environment");
        env::measure(&settings, args.seconds, &mut figures)?;
    }
    if wanted(Part::Book) {
        voice.say("measuring the book");
        env::measure_book(&settings, args.seconds, &mut figures);
    }
    if wanted(Part::Train) {
        voice.say("measuring the trainer");
        train::measure(&settings, args.seconds, &mut figures)?;
    }
    if wanted(Part::Infer) {
        voice.say("measuring inference");
        infer::measure(&settings, args.seconds, &mut figures)?;
    }
    show(&if json { figures.json()? } else { figures.table() })?;
    Ok(Verdict::Done)
}

/// Repeats `work` for at least `seconds` of processor time; returns the units of work that it counts and the time.
pub(crate) fn repeat(seconds: f64, mut work: impl FnMut() -> u64) -> (f64, Stopwatch, f64) {
    let watch = Stopwatch::start();
    let mut units = 0_u64;
    loop {
        units += work();
        let cpu = watch.cpu().as_secs_f64();
        if cpu >= seconds {
            #[expect(clippy::cast_precision_loss, reason = "a count of work, far below 2^53")]
            return (units as f64, watch, cpu);
        }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if value > 0.0 && value <= 3_600.0 { Ok(value) } else { Err("expected more than 0 and at most 3600".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_one_flat_object_and_the_table_has_ratios() {
        let mut figures = Figures::default();
        figures.add("env.quiet_tick_ns.1000", 500.0, "ns");
        figures.add_against("env.quiet_tick_ns.1000000", 750.0, "ns", "env.quiet_tick_ns.1000");
        let object: BTreeMap<String, f64> = serde_json::from_str(&figures.json().unwrap()).unwrap();
        assert_eq!(object["env.quiet_tick_ns.1000000"].to_bits(), 750.0_f64.to_bits());
        assert!(figures.table().contains("1.50 × env.quiet_tick_ns.1000"), "{}", figures.table());
    }
}
