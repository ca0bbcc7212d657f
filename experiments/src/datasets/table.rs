//! Rows to columns of numbers, every cell checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::shape::{Cell, Kind, Order, SHAPES, Shape};
use crate::candles::fault::{Fault, FaultKind, Faults};
use crate::candles::text::{delimiter, unreadable};
use crate::candles::{CandleError, Gaps, Window, time};

/// A checked file, by column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// What it is.
    pub(crate) kind: Kind,
    /// Times in milliseconds since 1970, one for each row; empty where the layout has none.
    pub(crate) times: Vec<i64>,
    /// Usual distance of two rows, in milliseconds; zero where rows are events.
    pub(crate) step_ms: i64,
    rows: usize,
    numbers: BTreeMap<String, Vec<Option<f64>>>,
    texts: BTreeMap<String, Vec<String>>,
    holes: usize,
    title: &'static str,
}

/// A file whose layout is known and whose rows are still to be read.
pub(crate) struct Rows {
    path: PathBuf,
    shape: &'static Shape,
    header: Vec<String>,
    reader: Reader<Box<dyn BufRead>>,
}

/// Opens a file of one of the known tables; nothing if it is not one and may be candles.
///
/// # Errors
/// [`CandleError::Read`] if it cannot be read.
pub(crate) fn open(path: &Path) -> Result<Option<Rows>, CandleError> {
    let failed = |source| CandleError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let start = file.fill_buf().map_err(failed)?;
    if start.starts_with(b"PAR1") || start.starts_with(b"PK\x03\x04") || start.starts_with(b"ARRO") {
        return Ok(None);
    }
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> = if is_gzip { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut text: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 16, text));
    let delimiter = delimiter(text.fill_buf().map_err(failed)?);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
    let mut row = StringRecord::new();
    if !reader.read_record(&mut row).map_err(|error| failed(unreadable(error)))? {
        return Ok(None);
    }
    let header: Vec<String> =
        row.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()).collect();
    let shape = SHAPES.iter().find(|shape| shape.fits(&header));
    Ok(shape.map(|shape| Rows { path: path.to_owned(), shape, header, reader }))
}

impl Rows {
    /// Reads what lies inside `window`.
    ///
    /// # Errors
    /// [`CandleError`], with every fault. A hole in time is one under [`Gaps::Error`] alone; nothing can be held.
    pub(crate) fn read(mut self, window: &Window, gaps: Gaps) -> Result<Table, CandleError> {
        let mut building = Building::new(self.shape, &self.header);
        let mut row = StringRecord::new();
        let failed = |path: &Path, error| CandleError::Read { path: path.to_owned(), source: unreadable(error) };
        while self.reader.read_record(&mut row).map_err(|error| failed(&self.path, error))? {
            building.push(row.position().map_or(0, csv::Position::line), &row, window);
        }
        building.order(gaps);
        if !building.faults.all.is_empty() {
            building.faults.all.sort_by_key(|fault| fault.line);
            return Err(CandleError::Rows { path: self.path, faults: building.faults });
        }
        if building.table.rows == 0 {
            let (window, hint) = (window.to_string(), String::new());
            return Err(CandleError::TooShort { path: self.path, rows: 0, window, hint });
        }
        Ok(building.table)
    }
}

struct Building<'a> {
    shape: &'static Shape,
    header: &'a [String],
    cells: Vec<Cell>,
    table: Table,
    lines: Vec<u64>,
    faults: Faults,
}

impl<'a> Building<'a> {
    fn new(shape: &'static Shape, header: &'a [String]) -> Self {
        let cells: Vec<Cell> = header.iter().map(|name| shape.cell(name)).collect();
        let is_time = |name: &String| Some(name.as_str()) == shape.time;
        let of = |text: bool| {
            let wanted = move |(_, cell): &(&String, &Cell)| (**cell == Cell::Text) == text;
            header.iter().zip(&cells).filter(wanted).map(|(name, _)| name.clone()).filter(|name| !is_time(name))
        };
        let numbers = of(false).map(|name| (name, Vec::new())).collect();
        let texts = of(true).map(|name| (name, Vec::new())).collect();
        let table = Table {
            kind: shape.kind,
            times: Vec::new(),
            step_ms: 0,
            rows: 0,
            numbers,
            texts,
            holes: 0,
            title: shape.title,
        };
        let faults = Faults { counted: "line", ..Faults::default() };
        Self { shape, header, cells, table, lines: Vec::new(), faults }
    }

    fn push(&mut self, line: u64, row: &StringRecord, window: &Window) {
        let faults = &mut self.faults.all;
        let mut fault = |column: &str, value: &str, kind| {
            let value = if value.is_empty() { "(empty)" } else { value };
            faults.push(Fault { line, column: column.to_owned(), value: value.to_owned(), kind });
        };
        self.faults.rows += 1;
        if row.len() != self.header.len() {
            let expected = self.header.len();
            return fault("the row", &format!("{} cells", row.len()), FaultKind::Cells { expected });
        }
        let cell = |index: usize| row.get(index).unwrap_or_default().trim();
        if let Some(at) = self.header.iter().position(|name| Some(name.as_str()) == self.shape.time) {
            match time::parse(cell(at)) {
                Ok((milliseconds, _)) if !window.contains(milliseconds) => {
                    self.faults.rows -= 1;
                    return;
                }
                Ok((milliseconds, _)) => self.table.times.push(milliseconds),
                Err(_) => return fault(&self.header[at], cell(at), FaultKind::NotATime),
            }
        }
        self.lines.push(line);
        self.table.rows += 1;
        for (index, (name, kind)) in self.header.iter().zip(&self.cells).enumerate() {
            let text = cell(index);
            if *kind == Cell::Text {
                self.table.texts.entry(name.clone()).or_default().push(text.to_owned());
            } else if let Some(column) = self.table.numbers.get_mut(name) {
                match number(text, *kind) {
                    Ok(value) => column.push(value),
                    Err(wrong) => {
                        column.push(None);
                        fault(name, text, wrong);
                    }
                }
            }
        }
    }

    /// Checks how times run, and counts the holes.
    fn order(&mut self, gaps: Gaps) {
        let (times, Some(column)) = (&self.table.times, self.shape.time) else { return };
        if self.shape.order == Order::Rising {
            self.table.step_ms = usual_step(times);
        }
        let step = self.table.step_ms;
        for (at, pair) in times.windows(2).enumerate() {
            let line = self.lines[at];
            let wrong = match (self.shape.order, pair[1] - pair[0]) {
                (Order::None, _) | (Order::Events, 0..) => continue,
                (Order::Rising, 0) => FaultKind::Duplicate { line },
                (_, ..0) => FaultKind::OutOfOrder { line, descending: false },
                // Business days have weekends; whatever reads them knows.
                (_, distance) if self.shape.kind == Kind::Macro || distance < 2 * step => continue,
                (_, distance) => {
                    self.table.holes += 1;
                    if gaps == Gaps::Split {
                        continue;
                    }
                    FaultKind::Gap { line, missing: distance / step - 1, bar_ms: step }
                }
            };
            let value = time::show(pair[1]);
            self.faults.all.push(Fault { line: self.lines[at + 1], column: column.to_owned(), value, kind: wrong });
        }
    }
}

fn number(text: &str, kind: Cell) -> Result<Option<f64>, FaultKind> {
    if text.is_empty() {
        return if kind == Cell::Optional { Ok(None) } else { Err(FaultKind::Empty) };
    }
    match text.parse::<f64>() {
        Ok(value) if !value.is_finite() => Err(FaultKind::NotANumber),
        Ok(value) if kind == Cell::Positive && value <= 0.0 => Err(FaultKind::NotPositive),
        Ok(value) if kind == Cell::Natural && value < 0.0 => Err(FaultKind::Negative),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(FaultKind::NotANumber),
    }
}

fn usual_step(times: &[i64]) -> i64 {
    let mut steps = BTreeMap::<i64, usize>::new();
    for pair in times.windows(2).filter(|pair| pair[1] > pair[0]) {
        *steps.entry(pair[1] - pair[0]).or_default() += 1;
    }
    let most = steps.values().max().copied().unwrap_or(0);
    steps.into_iter().find(|(_, count)| *count == most).map_or(1, |(step, _)| step)
}

impl Table {
    /// A column of numbers, empty cells as nothing.
    pub(crate) fn column(&self, name: &str) -> Option<&[Option<f64>]> {
        self.numbers.get(name).map(Vec::as_slice)
    }

    /// A column of text.
    pub(crate) fn text(&self, name: &str) -> Option<&[String]> {
        self.texts.get(name).map(Vec::as_slice)
    }

    /// Names of the columns of numbers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.numbers.keys().map(String::as_str)
    }

    /// A column cut at holes in time and at empty cells.
    pub(crate) fn runs(&self, name: &str) -> Option<Vec<Vec<f64>>> {
        let column = self.column(name)?;
        let mut runs = vec![Vec::new()];
        for (at, value) in column.iter().enumerate() {
            let follows = at == 0
                || self.times.is_empty()
                || self.kind == Kind::Macro
                || self.times[at] - self.times[at - 1] < 2 * self.step_ms.max(1);
            if !follows || value.is_none() {
                runs.push(Vec::new());
            }
            if let (Some(value), Some(run)) = (value, runs.last_mut()) {
                run.push(*value);
            }
        }
        runs.retain(|run| !run.is_empty());
        Some(runs)
    }

    /// What was found, in a sentence.
    pub(crate) fn summary(&self) -> String {
        let span = match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => format!(" from {} to {}", time::show(*first), time::show(*last)),
            _ => String::new(),
        };
        let holes = if self.holes > 0 { format!("; {} holes in time: cut there", self.holes) } else { String::new() };
        format!("{} rows of {}{span}{holes}", self.rows, self.title)
    }
}
