//! `seawall eval`: exported policies against the baselines, everybody on the same held-out seeds.

use std::path::PathBuf;

use anyhow::bail;
use seawall_agents::{Shield, Shielded};
use seawall_eval::{Contender, Report, Split};

use super::{Verdict, use_threads};
use crate::arguments::SettingsArgs;
use crate::entry::{Entry, export_in, exports_in};
use crate::foresight::write_settings;
use crate::judge::{self, Arena, Beside};
use crate::openings;
use crate::output::show;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::{Manifest, POLICIES, RunFolder};
use crate::shield::{Rates, shield};

/// Arguments of `seawall eval`.
#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// Exports or run folders; the first is compared with everybody else. None judges the baselines alone
    #[arg(value_name = "POLICY")]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Documented venues that compete too, such as `hyperliquid`, or `all`
    #[arg(long, value_name = "NAME", num_args = 1..)]
    venues: Vec<String>,
    /// Judge every given policy behind the solvency shield too, and say how often it acted
    #[arg(long)]
    shield: bool,
    /// Judge every training run of a run folder and not the chosen one alone: one contender, with intervals over training
    /// seeds too
    #[arg(long)]
    every_seed: bool,
    /// Folder for the report, new or empty
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Who is compared with everybody else where nothing learned is judged.
const SUBJECT: &str = "gen3";

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong.
pub(crate) fn run(args: &EvalArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let exports: Vec<PathBuf> = args.policies.iter().map(|path| export_in(path)).collect();
    let settings = match exports.first() {
        Some(first) => args.settings.settings_beside(first)?,
        None => args.settings.settings(&[])?,
    };
    use_threads(settings.run.threads)?;
    let places = Places::gather(&settings, settings.judged(), voice)?;
    let arena = Arena::new(&settings, &places)?;
    let spec = arena.spec();
    let mut contenders = Vec::new();
    let mut entries = Vec::new();
    let mut inputs = places.inputs.clone();
    let mut hashes = Vec::new();
    for (given, chosen) in args.policies.iter().zip(&exports) {
        let (entry, _) = Entry::checked(chosen)?;
        let name =
            free_name(entry.name(), |name| contenders.iter().any(|contender: &Contender| contender.name == name));
        for path in if args.every_seed { exports_in(given)? } else { vec![chosen.clone()] } {
            let (entry, file) = Entry::checked(&path)?;
            hashes.push((name.clone(), file.sha256.clone()));
            inputs.push(file);
            contenders.push(entry.contender(&settings, &name, &spec)?);
        }
        entries.push((name, entry));
    }
    if args.shield {
        let shield = shield(&settings, &places, &spec)?;
        for contender in contenders.clone() {
            contenders.push(behind(contender, &shield));
        }
    }
    let subject = contenders.first().map_or_else(|| SUBJECT.to_owned(), |contender| contender.name.clone());
    let venues = judge::venues(&args.venues)?;
    for baseline in judge::baselines(&settings, &spec)?.into_iter().chain(venues) {
        if contenders.iter().any(|contender| contender.name == baseline.name) {
            bail!("a policy is called {}, like a baseline", baseline.name);
        }
        contenders.push(baseline);
    }
    let folder = match &args.out {
        Some(path) => Some(RunFolder::create(Some(path), &settings.run.name, settings.run.seed)?),
        None => None,
    };
    let suite = arena.suite(&settings, Split::Report);
    let notes = openings::look(&exports, folder.as_ref(), &arena.hash(&suite), &hashes.into_iter().collect())?;
    let records = judge::run(&arena, &suite, &contenders, Beside::reported(&settings), voice)?;
    let mut report = Report::build(&records, &subject, settings.evaluation.statistics, &suite.gates)?;
    report.notes = notes;
    judge::show_report(&report)?;
    let rates = Rates::new(Vec::new(), &records);
    rates.show()?;
    if let Some(folder) = folder {
        let text = write_settings(&folder, &settings)?;
        folder.write_manifest(&Manifest::new(&text, settings.run.seed, inputs))?;
        for (name, entry) in &entries {
            entry.write(&folder.child(POLICIES)?.child(name)?)?;
        }
        judge::write(&folder, &report, &records)?;
        rates.write(&folder)?;
        show(&format!("report: {}", folder.file("report.md").display()))?;
    }
    Ok(if report.passed() { Verdict::Done } else { Verdict::GateFailed })
}

/// A policy behind a shield, under a name that says so.
fn behind(contender: Contender, shield: &Shield) -> Contender {
    let name = format!("{}+shield", contender.name);
    let policy = Shielded::new(&name, contender.policy, shield.clone());
    Contender { name, policy: Box::new(policy), ..contender }
}

/// `name`, or `name-2`, `name-3` and so on if it is taken.
fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 1;
    while is_taken(&free) {
        number += 1;
        free = format!("{name}-{number}");
    }
    free
}
