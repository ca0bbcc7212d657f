//! Rows to bars: every cell, bar and step in time is checked, and every fault kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use seawall_env::units::Price;
use seawall_env::world::Bar;
use serde::{Deserialize, Serialize};

use super::decimal::{self, DecimalError};
use super::fault::{Fault, FaultKind, Faults};
use super::layout::Layout;
use super::time::{self, TimeError, TimeUnit};
use super::{CandleError, Series, Window};

/// What to do about missing bars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gaps {
    /// Refuse the file.
    #[default]
    Error,
    /// Fill with flat bars of no volume at the last close, and say so.
    Hold,
    /// Cut the file into runs without a gap, and say so.
    Split,
}

/// What was found in a file and decided about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Bars read, before any were held.
    pub(crate) rows: usize,
    /// Open of the first and the last bar, milliseconds since 1970.
    pub(crate) span_ms: (i64, i64),
    /// Length of a bar, milliseconds.
    pub(crate) bar_ms: i64,
    /// Units that times were written in.
    pub(crate) units: BTreeSet<TimeUnit>,
    /// Column that volume was read from.
    pub(crate) volume_column: String,
    /// Whether the file ran from newest to oldest and was turned round.
    pub(crate) reversed: bool,
    /// Remarks above the header that were skipped.
    pub(crate) comments: Vec<String>,
    /// Missing bars, as (open of the bar before, number missing); none are missing where a file leaves its grid.
    pub(crate) gaps: Vec<(i64, i64)>,
    /// What was done about them.
    pub(crate) policy: Gaps,
    /// Bars without volume, held ones apart.
    pub(crate) silent: usize,
}

impl Report {
    /// The report in sentences.
    pub(crate) fn lines(&self) -> Vec<String> {
        let units: Vec<String> = self.units.iter().map(ToString::to_string).collect();
        let mut lines = vec![format!(
            "{} bars of {} from {} to {} (times in {}, volume from `{}`)",
            self.rows,
            time::show_duration(self.bar_ms),
            time::show(self.span_ms.0),
            time::show(self.span_ms.1),
            units.join(" and "),
            self.volume_column,
        )];
        lines.extend(self.comments.iter().map(|comment| format!("skipped the remark `{comment}`")));
        if self.reversed {
            lines.push("the file runs from newest to oldest; turned round".to_owned());
        }
        if self.silent > 0 {
            lines.push(format!("{} bars without volume", self.silent));
        }
        let missing: i64 = self.gaps.iter().map(|(_, missing)| missing).sum();
        let done = match self.policy {
            Gaps::Error | Gaps::Hold => "held at the last close",
            Gaps::Split => "cut there",
        };
        if !self.gaps.is_empty() {
            lines.push(format!("{} gaps, {missing} missing bars: {done}", self.gaps.len()));
        }
        lines
    }
}

/// Takes rows one by one and keeps the bars and the faults.
#[derive(Debug)]
pub(crate) struct Collector {
    path: PathBuf,
    window: Window,
    layout: Option<Layout>,
    bars: Vec<Row>,
    /// Open of the earliest and latest bar, inside the window or not.
    seen_ms: Option<(i64, i64)>,
    faults: Faults,
    report: Report,
}

/// A row whose time could be read. Its bar is absent if another cell is at fault.
#[derive(Clone, Copy, Debug)]
struct Row {
    line: u64,
    open_time_ms: i64,
    bar: Option<Bar>,
    /// Whether the row above has no readable time, so that no gap can be told here.
    after_unknown: bool,
}

/// Decimal places of a price's unit.
const PRICE_PLACES: u32 = Price::SCALE.ilog10();

impl Collector {
    /// A collector of the rows of `path` inside `window`.
    pub(crate) fn new(path: &Path, window: Window) -> Self {
        Self {
            path: path.to_owned(),
            window,
            layout: None,
            bars: Vec::new(),
            seen_ms: None,
            faults: Faults { counted: "line", ..Faults::default() },
            report: Report::default(),
        }
    }

    /// Whether the columns are known.
    pub(crate) const fn has_layout(&self) -> bool {
        self.layout.is_some()
    }

    /// Says which column holds what, and what the file counts its rows in.
    pub(crate) fn set_layout(&mut self, layout: Layout, counted: &'static str) {
        self.report.volume_column.clone_from(&layout.names[5]);
        self.faults.counted = counted;
        self.layout = Some(layout);
    }

    /// Records a remark above the header.
    pub(crate) fn skip_comment(&mut self, text: &str) {
        self.report.comments.push(text.to_owned());
    }

    /// Checks one row.
    pub(crate) fn push(&mut self, line: u64, row: &StringRecord) {
        let layout = self.layout.take().expect("the layout is set before the first row");
        self.push_row(&layout, line, row);
        self.layout = Some(layout);
    }

    fn push_row(&mut self, layout: &Layout, line: u64, row: &StringRecord) {
        let after_unknown = self.faults.all.last().is_some_and(|fault| fault.line + 1 == line)
            && self.bars.last().is_none_or(|bar| bar.line + 1 != line);
        let mut fault = |column: &str, value: &str, kind| {
            self.faults.all.push(Fault { line, column: column.to_owned(), value: value.to_owned(), kind });
        };
        if row.len() != layout.width {
            self.faults.rows += 1;
            let found = format!("{} cells", row.len());
            return fault("the row", &found, FaultKind::Cells { expected: layout.width });
        }
        let cell = |index: usize| row.get(layout.columns[index]).unwrap_or_default().trim();
        let open_time_ms = match time::parse(cell(0)) {
            Ok((milliseconds, unit)) => {
                let (first, last) = self.seen_ms.unwrap_or((milliseconds, milliseconds));
                self.seen_ms = Some((first.min(milliseconds), last.max(milliseconds)));
                if !self.window.contains(milliseconds) {
                    return;
                }
                self.report.units.insert(unit);
                Some(milliseconds)
            }
            Err(error) => {
                fault(&layout.names[0], shown(cell(0)), time_fault(cell(0), error));
                None
            }
        };
        self.faults.rows += 1;
        let mut prices = [None; 4];
        for (index, price) in prices.iter_mut().enumerate() {
            match price_of(cell(index + 1)) {
                Ok(value) => *price = Some(value),
                Err(kind) => fault(&layout.names[index + 1], shown(cell(index + 1)), kind),
            }
        }
        let volume = volume_of(cell(5)).map_err(|kind| fault(&layout.names[5], shown(cell(5)), kind)).ok();
        let mut bar = None;
        if let [Some(open), Some(high), Some(low), Some(close)] = prices {
            let (body_low, body_high) = (open.min(close), open.max(close));
            if low > body_low {
                let limit = body_low.to_string();
                fault(&layout.names[3], cell(3), FaultKind::LowAboveBody { limit });
            }
            if high < body_high {
                let limit = body_high.to_string();
                fault(&layout.names[2], cell(2), FaultKind::HighBelowBody { limit });
            }
            bar = open_time_ms.zip(volume).map(|(open_time_ms, volume)| Bar {
                open_time_ms,
                open,
                high,
                low,
                close,
                volume,
            });
        }
        if let Some(open_time_ms) = open_time_ms {
            self.bars.push(Row { line, open_time_ms, bar, after_unknown });
        }
    }

    /// Checks the order of time and cuts or fills gaps.
    ///
    /// # Errors
    /// [`CandleError::TooShort`], or [`CandleError::Rows`] with every fault.
    pub(crate) fn finish(mut self, gaps: Gaps) -> Result<Series, CandleError> {
        if self.bars.len() < 2 && self.faults.all.is_empty() {
            return Err(self.too_short());
        }
        let descending = is_descending(&self.bars);
        if descending {
            self.bars.reverse();
        }
        let bar_ms = bar_length(&self.bars);
        let name = self.layout.as_ref().map_or_else(String::new, |layout| layout.names[0].clone());
        let found = self.order(bar_ms, descending, gaps, &name);
        if !self.faults.all.is_empty() {
            self.faults.all.sort_by_key(|fault| fault.line);
            return Err(CandleError::Rows { path: self.path, faults: self.faults });
        }
        let read: Vec<Bar> = self.bars.iter().filter_map(|row| row.bar).collect();
        assert_eq!(read.len(), self.bars.len(), "a row without a bar has a fault");
        self.report.rows = read.len();
        self.report.span_ms = (read[0].open_time_ms, read[read.len() - 1].open_time_ms);
        self.report.bar_ms = bar_ms;
        self.report.reversed = descending;
        self.report.silent = read.iter().filter(|bar| bar.volume <= 0.0).count();
        self.report.policy = gaps;
        self.report.gaps = found;
        let segments = match gaps {
            Gaps::Error | Gaps::Hold => vec![held(&read, bar_ms)],
            Gaps::Split => {
                read.chunk_by(|a, b| b.open_time_ms - a.open_time_ms == bar_ms).map(<[Bar]>::to_vec).collect()
            }
        };
        Ok(Series { bar_ms, segments, report: self.report })
    }

    /// Steps through time; returns the gaps and records everything else, and the gaps if they are not accepted.
    fn order(&mut self, bar_ms: i64, descending: bool, gaps: Gaps, column: &str) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        let mut last: Option<Row> = None;
        for row in &self.bars {
            let Some(previous) = last else {
                last = Some(*row);
                continue;
            };
            // A descending file is walked backwards, so the row at fault is the one nearer to its end.
            let (at, other) = if descending { (&previous, row) } else { (row, &previous) };
            let (line, step) = (other.line, row.open_time_ms - previous.open_time_ms);
            let unknown = if descending { previous.after_unknown } else { row.after_unknown };
            let missing = step / bar_ms - 1;
            let kind = if step == 0 {
                FaultKind::Duplicate { line }
            } else if step < 0 {
                FaultKind::OutOfOrder { line, descending }
            } else if step % bar_ms != 0 {
                found.push((previous.open_time_ms, missing.max(0)));
                FaultKind::OffGrid { line, bar_ms }
            } else if missing > 0 && !unknown {
                found.push((previous.open_time_ms, missing));
                FaultKind::Gap { line, missing, bar_ms }
            } else {
                last = Some(*row);
                continue;
            };
            if step > 0 {
                last = Some(*row);
            }
            let is_accepted = match gaps {
                Gaps::Error => false,
                Gaps::Hold => matches!(kind, FaultKind::Gap { .. }),
                // Each run has a grid of its own.
                Gaps::Split => matches!(kind, FaultKind::Gap { .. } | FaultKind::OffGrid { .. }),
            };
            if !is_accepted {
                let value = time::show(at.open_time_ms);
                self.faults.all.push(Fault { line: at.line, column: column.to_owned(), value, kind });
            }
        }
        let held: i64 = found.iter().map(|(_, missing)| missing).sum();
        if gaps == Gaps::Hold && usize::try_from(held).is_ok_and(|held| held > self.bars.len()) {
            let worst = found.iter().max_by_key(|(_, missing)| *missing).expect("bars are missing");
            let row = self.bars.iter().find(|row| row.open_time_ms == worst.0).expect("a gap follows a bar");
            let kind = FaultKind::HeldOutnumberRead { held };
            let value = format!("{} missing bars after {}", worst.1, time::show(worst.0));
            self.faults.all.push(Fault { line: row.line, column: column.to_owned(), value, kind });
        }
        found
    }

    fn too_short(self) -> CandleError {
        let hint = match self.seen_ms {
            Some((first, last)) if self.window != Window::default() => {
                format!("; the file runs from {} to {}", time::show(first), time::show(last))
            }
            _ => String::new(),
        };
        CandleError::TooShort { path: self.path, rows: self.bars.len(), window: self.window.to_string(), hint }
    }
}

fn shown(cell: &str) -> &str {
    if cell.is_empty() { "(empty)" } else { cell }
}

const fn time_fault(cell: &str, error: TimeError) -> FaultKind {
    match error {
        _ if cell.is_empty() => FaultKind::Empty,
        TimeError::Unknown => FaultKind::NotATime,
        TimeError::SubMillisecond => FaultKind::SubMillisecond,
    }
}

fn price_of(cell: &str) -> Result<Price, FaultKind> {
    match decimal::parse(cell, PRICE_PLACES) {
        _ if cell.is_empty() => Err(FaultKind::Empty),
        Ok(raw) if raw > 0 => Ok(Price::from_raw(raw)),
        Ok(_) => Err(FaultKind::NotPositive),
        Err(DecimalError::NotANumber) => Err(FaultKind::NotANumber),
        Err(DecimalError::TooFine) if cell.starts_with('-') => Err(FaultKind::NotPositive),
        Err(DecimalError::TooFine) => Err(FaultKind::TooFine),
        Err(DecimalError::TooLarge) => Err(FaultKind::TooLarge),
    }
}

fn volume_of(cell: &str) -> Result<f64, FaultKind> {
    match cell.parse::<f64>() {
        _ if cell.is_empty() => Err(FaultKind::Empty),
        Ok(volume) if !volume.is_finite() => Err(FaultKind::NotANumber),
        Ok(volume) if volume < 0.0 => Err(FaultKind::Negative),
        Ok(volume) => Ok(volume),
        Err(_) => Err(FaultKind::NotANumber),
    }
}

fn is_descending(rows: &[Row]) -> bool {
    let falls = rows.windows(2).filter(|pair| pair[1].open_time_ms < pair[0].open_time_ms).count();
    falls * 2 > rows.len().saturating_sub(1)
}

/// The most frequent step forward, the shorter of two as frequent: gaps and doubled rows are the exception.
fn bar_length(rows: &[Row]) -> i64 {
    let mut steps = BTreeMap::<i64, usize>::new();
    for pair in rows.windows(2) {
        let step = pair[1].open_time_ms - pair[0].open_time_ms;
        if step > 0 {
            *steps.entry(step).or_default() += 1;
        }
    }
    let most = steps.values().max().copied().unwrap_or(0);
    steps.into_iter().find(|(_, count)| *count == most).map_or(1, |(step, _)| step)
}

fn held(read: &[Bar], bar_ms: i64) -> Vec<Bar> {
    let mut filled: Vec<Bar> = Vec::with_capacity(read.len());
    for bar in read {
        while let Some(last) = filled.last().filter(|last| last.open_time_ms + bar_ms < bar.open_time_ms) {
            let close = last.close;
            let open_time_ms = last.open_time_ms + bar_ms;
            filled.push(Bar { open_time_ms, open: close, high: close, low: close, close, volume: 0.0 });
        }
        filled.push(*bar);
    }
    filled
}
