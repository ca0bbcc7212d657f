//! Replayed macro rows: each is held from the moment at which it became known.

use serde::{Deserialize, Serialize};

use super::macro_factor::{Macro, stress};
use crate::error::{Error, Problems};

/// One row of macro values. Not interpolated: a row holds until the next one is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacroRow {
    /// First moment at which the values were public, in milliseconds since 1970 UTC: the close, not the date.
    pub known_from_ms: i64,
    /// Level of the equity index; > 0.
    pub equity: f64,
    /// VIX, in percent a year; > 0.
    pub vix: f64,
    /// DXY; > 0.
    pub dxy: f64,
    /// Rate, in percent a year.
    pub rate: f64,
}

/// Macro rows in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroSeries {
    rows: Vec<MacroRow>,
}

impl MacroSeries {
    /// Checks and takes the rows.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every row that is out of order or has a value that is not positive and finite.
    pub fn new(rows: Vec<MacroRow>) -> Result<Self, Error> {
        let mut problems = Problems::default();
        problems.require(!rows.is_empty(), "macro.rows", rows.len(), "at least one");
        for (i, row) in rows.iter().enumerate() {
            let field = |field: &str| format!("macro.rows[{i}].{field}");
            problems.range(field("equity"), row.equity, 1e-9, 1e12);
            problems.range(field("vix"), row.vix, 1e-9, 1e6);
            problems.range(field("dxy"), row.dxy, 1e-9, 1e6);
            problems.range(field("rate"), row.rate, -1e3, 1e3);
            let ordered = i == 0 || rows[i - 1].known_from_ms < row.known_from_ms;
            problems.require(ordered, field("known_from_ms"), row.known_from_ms, "after the previous row");
        }
        problems.into_result()?;
        Ok(Self { rows })
    }

    /// The first moment of which anything is known, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn known_from_ms(&self) -> i64 {
        self.rows[0].known_from_ms
    }
}

/// The row in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MacroCursor {
    start_ms: i64,
    tick_ms: i64,
    row: usize,
    /// Row in force at reset, the base of the index.
    base: usize,
}

impl MacroCursor {
    /// The row in force at `start_ms`.
    ///
    /// # Panics
    /// If nothing was known yet.
    pub(super) fn new(series: &MacroSeries, start_ms: i64, tick_ms: i64) -> Self {
        let after = series.rows.partition_point(|row| row.known_from_ms <= start_ms);
        let row = after.checked_sub(1).expect("the episode starts after the first macro row");
        Self { start_ms, tick_ms, row, base: row }
    }

    pub(super) fn advance(&mut self, series: Option<&MacroSeries>, tick: u64, vix_mean: f64, published: &mut Macro) {
        let rows = &series.expect("a replayed macro factor has a series").rows;
        let now = self.start_ms + i64::try_from(tick).expect("ticks fit in time") * self.tick_ms;
        let mut moved = tick == 0;
        while rows.get(self.row + 1).is_some_and(|next| next.known_from_ms <= now) {
            self.row += 1;
            moved = true;
        }
        if moved {
            let row = rows[self.row];
            let previous = if self.row == 0 { row } else { rows[self.row - 1] };
            *published = Macro {
                equity_index: row.equity / rows[self.base].equity,
                equity_return: libm::log(row.equity / previous.equity),
                vix: row.vix,
                dxy: row.dxy,
                rate: row.rate,
                stress: stress(row.vix, vix_mean),
            };
        }
    }
}
