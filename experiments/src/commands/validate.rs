//! `seawall validate`: the table of what the market does against what real markets do.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use seawall_eval::validation::{Row, Verdict as RowVerdict};

use super::{Verdict, use_threads};
use crate::output::show;
use crate::progress::Voice;
use crate::table;
use crate::validator::{self, Plan, page, sensitivity};

/// Arguments of `seawall validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Folder of real series, as the list of windows names them; without it, rows that need them are skipped
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for the table as Markdown, CSV and JSON
    #[arg(long, value_name = "DIR", default_value = "runs/validation")]
    out: PathBuf,
    /// Move each estimate of a `calibration.json` by its standard error and by half, and rank what moves a crash day most
    #[arg(long, value_name = "FILE")]
    sensitivity: Option<PathBuf>,
    /// Fewer days and seeds: a look, not a judgement
    #[arg(long)]
    quick: bool,
    /// Root of the seeds
    #[arg(long, default_value_t = 2027)]
    seed: u64,
    /// Threads; 0 takes all processors
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Runs the command.
///
/// # Errors
/// If a file of data is wrong, or the table cannot be written.
pub(crate) fn run(args: &ValidateArgs, voice: Voice) -> anyhow::Result<Verdict> {
    use_threads(args.threads)?;
    let plan = Plan::new(args.seed, args.quick);
    if let Some(estimates) = &args.sensitivity {
        return tornado(args, &plan, estimates, voice);
    }
    let sections = validator::measure(&plan, args.data.as_deref(), voice)?;
    for section in &sections {
        show(&format!("\n{}", section.title))?;
        show(&table::text_table(&["row", "what", "value", "95 %", "target", ""], section.rows.iter().map(cells)))?;
    }
    let rows: Vec<&Row> = sections.iter().flat_map(|section| &section.rows).collect();
    page::write(&args.out, &sections).with_context(|| format!("writing to {}", args.out.display()))?;
    let count = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).count();
    let failed = count(&|row| row.verdict() == RowVerdict::Fail && row.required);
    show(&format!(
        "\n{} pass, {failed} required rows FAIL, {} others fail, {} skipped; {}",
        count(&|row| row.verdict() == RowVerdict::Pass),
        count(&|row| row.verdict() == RowVerdict::Fail && !row.required),
        count(&|row| matches!(row.verdict(), RowVerdict::Skipped(_))),
        args.out.display()
    ))?;
    Ok(if failed > 0 { Verdict::GateFailed } else { Verdict::Done })
}

/// Bars that are printed for each of the watched.
const SHOWN: usize = 12;

fn tornado(args: &ValidateArgs, plan: &Plan, estimates: &Path, voice: Voice) -> anyhow::Result<Verdict> {
    let tornado = sensitivity::tornado(plan, estimates, voice)?;
    for (watched, name) in sensitivity::WATCHED.iter().enumerate() {
        show(&format!("\n{name}: {} on the fitted crash day", table::number(tornado.base[watched])))?;
        let rows = tornado.ranked(watched).into_iter().take(SHOWN).map(|bar| {
            let change = bar.change.map_or_else(|| "refused".to_owned(), |change| table::number(change[watched]));
            let error = bar.error.map_or_else(String::new, |error| table::number(error[watched]));
            vec![bar.parameter.clone(), bar.moved.to_owned(), table::number(bar.value), change, error]
        });
        show(&table::table(&["parameter", "moved", "to", "change", "standard error"], rows))?;
    }
    page::write_tornado(&args.out, &tornado).with_context(|| format!("writing to {}", args.out.display()))?;
    show(&format!("\n{}", args.out.display()))?;
    Ok(Verdict::Done)
}

fn cells(row: &Row) -> Vec<String> {
    let [value, interval, target, verdict] = page::figures(row);
    vec![row.id.clone(), row.title.clone(), value, interval, target, verdict]
}
