//! Every episode as Parquet: what [`super::csv::episodes`] writes, with types.

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::metric::metrics;
use crate::record::{EpisodeRecord, Records};

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

/// Renders one row for each episode, with every metric: undefined values are nulls, seeds are unsigned 64-bit integers.
///
/// # Errors
/// [`ParquetError`] if a reward term's name is none that a column may have.
///
/// # Panics
/// If a place in the suite exceeds 63 bits.
pub fn episodes(records: &Records) -> Result<Vec<u8>, ParquetError> {
    let metrics = metrics();
    let numbers = metrics.iter().map(|metric| format!("OPTIONAL DOUBLE {}; ", metric.name));
    let terms = records.terms.iter().map(|term| format!("REQUIRED DOUBLE term_{term}; "));
    let schema = format!(
        "message episodes {{ REQUIRED BYTE_ARRAY contender (STRING); REQUIRED BYTE_ARRAY preset (STRING); \
         OPTIONAL INT64 training_seed (INTEGER(64,false)); REQUIRED BYTE_ARRAY scenario (STRING); \
         REQUIRED INT64 index; REQUIRED INT64 seed (INTEGER(64,false)); {}{}}}",
        numbers.collect::<String>(),
        terms.collect::<String>(),
    );
    let codec = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(codec).build();
    let schema = Arc::new(parse_message_type(&schema)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let all = &records.episodes;
    let arm = |episode: &EpisodeRecord| &records.arms[episode.arm];
    texts(&mut group, all.iter().map(|episode| arm(episode).name.as_str()))?;
    texts(&mut group, all.iter().map(|episode| arm(episode).preset.as_str()))?;
    let trained = all.iter().map(|episode| episode.training_seed.map(u64::cast_signed));
    optional::<Int64Type>(&mut group, trained)?;
    texts(&mut group, all.iter().map(|episode| records.scenarios[episode.scenario].as_str()))?;
    let index = |episode: &EpisodeRecord| i64::try_from(episode.index).expect("a place in a suite");
    required::<Int64Type>(&mut group, &all.iter().map(index).collect::<Vec<_>>())?;
    required::<Int64Type>(&mut group, &all.iter().map(|episode| episode.seed.cast_signed()).collect::<Vec<_>>())?;
    for metric in metrics {
        optional::<DoubleType>(&mut group, all.iter().map(metric.value))?;
    }
    for term in 0..records.terms.len() {
        required::<DoubleType>(&mut group, &all.iter().map(|episode| episode.terms[term]).collect::<Vec<_>>())?;
    }
    group.close()?;
    writer.into_inner()
}

fn texts<'a>(group: &mut Group<'_>, values: impl Iterator<Item = &'a str>) -> Result<(), ParquetError> {
    required::<ByteArrayType>(group, &values.map(ByteArray::from).collect::<Vec<_>>())
}

fn required<T: parquet::data_type::DataType>(group: &mut Group<'_>, values: &[T::T]) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("a column of the schema");
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn optional<T: parquet::data_type::DataType>(
    group: &mut Group<'_>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = values.collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let defined: Vec<T::T> = values.into_iter().flatten().collect();
    let mut column = group.next_column()?.expect("a column of the schema");
    column.typed::<T>().write_batch(&defined, Some(&levels), None)?;
    column.close()
}
