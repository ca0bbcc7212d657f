//! `seawall validate`: the table of what the market does against what real markets do.

use std::path::PathBuf;

use anyhow::Context as _;
use seawall_eval::validation::{Row, Verdict as RowVerdict};

use super::{Verdict, use_threads};
use crate::output::show;
use crate::progress::Voice;
use crate::table;
use crate::validator::{self, Plan, page};

/// Arguments of `seawall validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// Folder of real series, as the list of windows names them; without it, rows that need them are skipped
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for the table as Markdown, CSV and JSON
    #[arg(long, value_name = "DIR", default_value = "runs/validation")]
    out: PathBuf,
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

fn cells(row: &Row) -> Vec<String> {
    let [value, interval, target, verdict] = page::figures(row);
    vec![row.id.clone(), row.title.clone(), value, interval, target, verdict]
}
