//! Parquet, by rows: every cell becomes the shortest text that stands for it, and takes the way of a CSV cell.

use std::fs::File;
use std::path::Path;

use csv::StringRecord;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::CandleError;
use super::check::Collector;
use super::layout::Layout;

/// Milliseconds of a day, for date columns.
const DAY_MS: i64 = 86_400_000;

/// Feeds every row of `file` to `collector`.
///
/// # Errors
/// [`CandleError::Unreadable`] if it is not intact Parquet, [`CandleError::Columns`] if a column is missing.
pub(crate) fn read(path: &Path, file: File, mut collector: Collector) -> Result<Collector, CandleError> {
    let failed = |error: ParquetError| CandleError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    let reader = SerializedFileReader::new(file).map_err(failed)?;
    let schema = reader.metadata().file_metadata().schema();
    let names = schema.get_fields().iter().map(|field| field.name());
    let layout = Layout::from_names(names, true).map_err(|reason| CandleError::Columns {
        path: path.to_owned(),
        line: 0,
        reason,
    })?;
    collector.set_layout(layout, "row");
    let mut cells = StringRecord::new();
    for (row, line) in reader.get_row_iter(None).map_err(failed)?.zip(1..) {
        let row = row.map_err(failed)?;
        cells.clear();
        for (_, field) in row.get_column_iter() {
            cells.push_field(&text_of(field));
        }
        collector.push(line, &cells);
    }
    Ok(collector)
}

fn text_of(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Double(value) => value.to_string(),
        Field::Float(value) => value.to_string(),
        Field::TimestampMillis(value) | Field::TimestampMicros(value) | Field::Long(value) => value.to_string(),
        Field::Date(days) => (i64::from(*days) * DAY_MS).to_string(),
        other => other.to_string(),
    }
}
