//! The table as Markdown, CSV and JSON.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use seawall_eval::validation::{Row, Verdict, plot};

use super::Section;
use super::sensitivity::{Tornado, WATCHED};
use crate::calibrator::windows;
use crate::run_folder::write_atomically;
use crate::table::number;

/// Value, interval, target and verdict in words.
pub(crate) fn figures(row: &Row) -> [String; 4] {
    let value = row.value.map_or_else(|| "-".to_owned(), number);
    let interval = row.interval.map_or_else(String::new, |[low, high]| format!("{} to {}", number(low), number(high)));
    let target = match row.target {
        [Some(low), Some(high)] => format!("{} to {}", number(low), number(high)),
        [Some(low), None] => format!("at least {}", number(low)),
        [None, Some(high)] => format!("at most {}", number(high)),
        [None, None] => String::new(),
    };
    let verdict = match row.verdict() {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail if row.required => "FAIL".to_owned(),
        Verdict::Fail => "fails, not required".to_owned(),
        Verdict::Skipped(reason) => format!("skipped: {reason}"),
    };
    [value, interval, target, verdict]
}

/// Writes `validation.md`, `validation.csv` and `validation.json` into a folder, and a drawing of each section whose rows
/// have targets of two ends.
///
/// # Errors
/// If the folder or a file cannot be written.
pub(crate) fn write(folder: &Path, sections: &[Section]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let rows: Vec<&Row> = sections.iter().flat_map(|section| &section.rows).collect();
    let plots: Vec<Option<String>> = sections.iter().map(|section| plot::against_targets(&section.rows)).collect();
    for (number, svg) in plots.iter().enumerate().filter_map(|(number, plot)| Some((number, plot.as_ref()?))) {
        write_atomically(&folder.join(plot_name(number)), svg.as_bytes())?;
    }
    write_atomically(&folder.join("validation.md"), markdown(sections, &plots).as_bytes())?;
    write_atomically(&folder.join("validation.json"), (serde_json::to_string_pretty(&rows)? + "\n").as_bytes())?;
    write_atomically(&folder.join("validation.csv"), &csv(&rows)?)?;
    Ok(())
}

/// Writes `sensitivity.csv` and `sensitivity.json` into a folder.
///
/// # Errors
/// If the folder or a file cannot be written.
pub(crate) fn write_tornado(folder: &Path, tornado: &Tornado) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let errors = WATCHED.map(|name| format!("standard error of {name}"));
    let header = ["parameter", "moved", "value"].into_iter().chain(WATCHED).chain(errors.iter().map(String::as_str));
    writer.write_record(header)?;
    for bar in &tornado.bars {
        let cells = |numbers: Option<[f64; 3]>| {
            numbers.map_or_else(|| [const { String::new() }; 3], |numbers| numbers.map(|x| x.to_string()))
        };
        let [change, error] = [cells(bar.change), cells(bar.error)];
        let start = [bar.parameter.clone(), bar.moved.to_owned(), bar.value.to_string()];
        writer.write_record(start.into_iter().chain(change).chain(error))?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("writing CSV: {error}"))?;
    write_atomically(&folder.join("sensitivity.csv"), &bytes)?;
    write_atomically(&folder.join("sensitivity.json"), (serde_json::to_string_pretty(tornado)? + "\n").as_bytes())?;
    Ok(())
}

fn csv(rows: &[&Row]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "row",
        "what",
        "value",
        "low",
        "high",
        "target_low",
        "target_high",
        "required",
        "verdict",
        "source",
        "note",
    ])?;
    for row in rows {
        let cell = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let [.., verdict] = figures(row);
        writer.write_record([
            row.id.clone(),
            row.title.clone(),
            cell(row.value),
            cell(row.interval.map(|i| i[0])),
            cell(row.interval.map(|i| i[1])),
            cell(row.target[0]),
            cell(row.target[1]),
            row.required.to_string(),
            verdict,
            row.source.clone(),
            row.note.clone(),
        ])?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!("writing CSV: {error}"))
}

/// File of the drawing of a section, by its place.
fn plot_name(number: usize) -> String {
    format!("validation-{}.svg", number + 1)
}

fn markdown(sections: &[Section], plots: &[Option<String>]) -> String {
    let mut text = String::from("# Validation\n\nWritten by `seawall validate`. Windows ");
    let _ = writeln!(text, "{}.", windows::describe().replace('\n', "; "));
    for (number, (section, plot)) in sections.iter().zip(plots).enumerate() {
        let _ = writeln!(text, "\n## {}\n", section.title);
        if plot.is_some() {
            let _ = writeln!(text, "![numbers and intervals against their targets]({})\n", plot_name(number));
        }
        text.push_str("| row | what | value | 95 % | target | verdict | source | note |\n");
        text.push_str("|---|---|---|---|---|---|---|---|\n");
        for row in &section.rows {
            let [value, interval, target, verdict] = figures(row);
            let cells = [&row.id, &row.title, &value, &interval, &target, &verdict, &row.source, &row.note];
            let escaped = cells.map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(text, "| {} |", escaped.join(" | "));
        }
    }
    text
}
