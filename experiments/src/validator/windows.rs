//! Simulated bars against each real window that was kept for validation.

use std::path::Path;

use seawall_eval::validation::Row;
use seawall_eval::validation::facts::{COMPARED, Run};
use seawall_eval::validation::simulate::{Recording, record_all};

use super::{CRASH_VENUE, Plan, Section, day, runs, site};
use crate::calibrator::findings::Source;
use crate::calibrator::prices::Prices;
use crate::calibrator::windows::{Kind, Use, Window, all};
use crate::candles::{self, Gaps};
use crate::datasets::{self, Kind as TableKind};
use crate::progress::Voice;

/// One section for each validation window whose file is there.
///
/// # Errors
/// If a file is there and wrong.
pub(super) fn sections(plan: &Plan, data: &Path, calm: &[Recording], voice: Voice) -> anyhow::Result<Vec<Section>> {
    let (mut tense, mut crash) = (None::<Vec<Recording>>, None::<Vec<Recording>>);
    let mut sections = Vec::new();
    for window in all().into_iter().filter(|window| window.purpose == Use::Validation) {
        let title = format!("Real window {}: {}", window.id, window.file);
        let Some(real) = bars(data, &window)? else {
            let row = Row::new(&window.id, "simulated against real bars", [None, None], "");
            sections.push(Section { title, rows: vec![row.skip(format!("{} is not in the folder", window.file))] });
            continue;
        };
        voice.say(&format!("window {}", window.id));
        let play = |scenario: &str, family: u64, days: usize| {
            record_all(&site(scenario, CRASH_VENUE, Some(day(2.0))), &plan.seeds(family, days))
        };
        let quiet = match window.kind {
            Kind::Calm => calm,
            Kind::Tense | Kind::Crash => tense.get_or_insert_with(|| play("tense", 6, plan.window_days)).as_slice(),
        };
        // A window of weeks has one day of crash among its others.
        let simulated = match window.kind {
            Kind::Calm | Kind::Tense => quiet,
            Kind::Crash => crash.get_or_insert_with(|| [&quiet[1..], &play("crash_day", 7, 1)].concat()).as_slice(),
        };
        sections.push(Section { title, rows: compare(&window, &real, simulated) });
    }
    Ok(sections)
}

/// Real runs of a window's bars.
fn bars(data: &Path, window: &Window) -> anyhow::Result<Option<Prices>> {
    let path = data.join(&window.file);
    if !path.is_file() {
        return Ok(None);
    }
    let [from, to] = window.span_ms();
    let span = candles::Window { from_ms: Some(from), to_ms: Some(to) };
    let series = candles::read(&path, &span, Gaps::Split)?;
    let source = Source::new(&window.file, Some((from, to)));
    Ok(Some(Prices { runs: series.segments, bar_ms: series.bar_ms, source }))
}

/// Whether the intervals of the simulated and the real statistic overlap.
fn compare(window: &Window, real: &Prices, simulated: &[Recording]) -> Vec<Row> {
    let seconds = real.series().bar_seconds();
    let simulated = runs(simulated, seconds);
    let returns = real.series().returns();
    let real: Vec<Run> = real
        .runs
        .iter()
        .zip(returns)
        .map(|(bars, returns)| Run { returns, volumes: bars.iter().skip(1).map(|bar| bar.volume).collect() })
        .collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bars of half a day")]
    let block = libm::round(43_200.0 / seconds) as usize;
    let row = |(fact, title): &(_, &str)| {
        let (fact, title): (seawall_eval::validation::facts::Fact, &str) = (*fact, title);
        let (value, interval) = fact.with_interval(&simulated, block, 0);
        let (truth, real_interval) = fact.with_interval(&real, block, 1);
        let target = real_interval.map_or([None, None], |[low, high]| [Some(low), Some(high)]);
        let id = format!("{} {title}", window.id);
        let row = Row::new(&id, &format!("{title}, bars of {seconds} s"), target, &window.file);
        match truth {
            Some(truth) => row.measured(value, interval).by_interval().noted(format!("real {truth:.3}")),
            None => row.skip("undefined on the real window"),
        }
        // One scenario stands for windows that differ: a level that is off says which scenario is missing.
        .optional()
    };
    COMPARED.iter().map(row).collect()
}

/// Daily log returns of BTC from the macro file, for margin tools.
///
/// # Errors
/// If the file is not there or wrong.
pub(super) fn daily_returns(data: &Path) -> anyhow::Result<Vec<f64>> {
    let path = data.join("macro/macro_daily.csv.gz");
    let dataset = datasets::read(&path, &candles::Window::default(), Gaps::Split)?;
    let closes = dataset.table(TableKind::Macro).and_then(|table| table.runs("btc")).unwrap_or_default();
    Ok(closes.iter().flat_map(|run| run.windows(2).map(|pair| libm::log(pair[1] / pair[0]))).collect())
}
