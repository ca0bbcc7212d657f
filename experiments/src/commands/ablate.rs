//! `seawall ablate`: a study's arms, trained and judged alike, and what follows.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};

use super::Verdict;
use crate::ablation::file::StudyFile;
use crate::ablation::interrupt::stop_flag;
use crate::ablation::plan::Plan;
use crate::ablation::registration::{Registered, Registration, register};
use crate::ablation::runner::{self, Outcome};
use crate::ablation::trial::Trial;
use crate::ablation::{findings, pages};
use crate::output::show;
use crate::progress::Voice;
use crate::run_folder::RunFolder;
use crate::table;

/// Exit code of an interrupted command.
const INTERRUPTED: u8 = 130;

/// Arguments of `seawall ablate`.
#[derive(Debug, clap::Args)]
pub(crate) struct AblateArgs {
    /// A study's file, or the name of a shipped one, such as `mechanisms` or `smoke`
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Folder of the study: registered there, and gone on with there
    #[arg(long, value_name = "DIR", required_unless_present = "plan")]
    out: Option<PathBuf>,
    /// Threads, shared out among the trials that run at the same time; 0 takes all processors
    #[arg(long, default_value_t = 0)]
    threads: usize,
    #[command(flatten)]
    rehearsal: Rehearsal,
    /// Print arms, design and hash, and run nothing
    #[arg(long)]
    plan: bool,
}

/// What makes a rehearsal of a study.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Rehearsal {
    /// Rehearse with the first so many training seeds alone: a study of its own, registered as such
    #[arg(long)]
    seeds: Option<usize>,
    /// Rehearse with so many decisions of each training run: a study of its own, registered as such
    #[arg(long)]
    decisions: Option<u64>,
}

/// A study whose trials are written.
pub(super) struct Prepared {
    /// The plan.
    pub(super) plan: Plan,
    /// Its folder.
    pub(super) folder: RunFolder,
    registration: Registration,
    trials: Vec<Vec<Trial>>,
}

/// Runs the command.
///
/// # Errors
/// If the study is wrong, or another is registered in its folder.
pub(crate) fn run(args: &AblateArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let study = args.rehearsal.study(&args.study)?;
    if args.plan {
        show_plan(&plan(study, &args.study)?)?;
        return Ok(Verdict::Done);
    }
    let out = args.out.as_deref().context("a study needs --out, a folder")?;
    let prepared = Prepared::of(study, &args.study, out)?;
    prepared.run(args.threads, &args.rehearsal.again(&args.study, out), voice)
}

impl Rehearsal {
    /// The study at `path`, cut down to a rehearsal if one is asked for.
    ///
    /// # Errors
    /// If there is no such study, or it has fewer seeds or trains nothing.
    pub(super) fn study(self, path: &Path) -> anyhow::Result<StudyFile> {
        let mut study = StudyFile::read(path)?;
        if let Some(seeds) = self.seeds {
            let there = study.training_seeds.len();
            ensure!((1..=there).contains(&seeds), "--seeds {seeds}: the study has {there} training seeds");
            study.training_seeds.truncate(seeds);
        }
        if let Some(decisions) = self.decisions {
            let there = study.decisions;
            ensure!(decisions > 0 && there > 0, "--decisions {decisions}: the study trains for {there}");
            study.decisions = decisions;
        }
        Ok(study)
    }

    /// The command that goes on with the study.
    pub(super) fn again(self, study: &Path, out: &Path) -> String {
        let mut again = format!("seawall ablate {} --out {}", study.display(), out.display());
        again.extend(self.seeds.map(|seeds| format!(" --seeds {seeds}")));
        again.extend(self.decisions.map(|decisions| format!(" --decisions {decisions}")));
        again
    }
}

/// The plan of a study that stands at `path`.
fn plan(study: StudyFile, path: &Path) -> anyhow::Result<Plan> {
    Plan::of(study, path.parent().unwrap_or(Path::new("")))
}

impl Prepared {
    /// Checks a study, registers it, and writes its trials.
    ///
    /// # Errors
    /// If the study is wrong, or another is registered in its folder.
    pub(super) fn of(study: StudyFile, path: &Path, out: &Path) -> anyhow::Result<Self> {
        let plan = plan(study, path)?;
        let folder = RunFolder::at(out)?;
        let registration = register(&plan, &folder)?;
        let trials = Trial::write_all(&plan, &registration.sha256, &folder)?;
        Ok(Self { plan, folder, registration, trials })
    }

    /// Every trial, arm by arm.
    pub(super) fn all(&self) -> Vec<&Trial> {
        self.trials.iter().flatten().collect()
    }

    /// Runs what is not complete, and says what follows from what is.
    ///
    /// # Errors
    /// If a result cannot be read, or a file cannot be written.
    pub(super) fn run(&self, threads: usize, again: &str, voice: Voice) -> anyhow::Result<Verdict> {
        let stop = stop_flag(INTERRUPTED, voice)?;
        let outcomes = self.trials(threads, voice, &stop)?;
        let found = findings::find(&self.plan, &self.registration, &self.trials)?;
        pages::write(&self.plan, &found, &self.folder)?;
        show(&pages::summary(&found.findings))?;
        show(&format!("table: {}", self.folder.file(pages::TABLE).display()))?;
        if found.report.is_some() {
            show(&format!("forest: {}", self.folder.file(pages::FOREST).display()))?;
        }
        if outcomes.contains(&Outcome::Interrupted) {
            voice.say(&format!("interrupted; go on with: {again}"));
            return Ok(Verdict::Interrupted);
        }
        let failed = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_)));
        Ok(if failed { Verdict::GateFailed } else { Verdict::Done })
    }

    fn trials(&self, threads: usize, voice: Voice, stop: &AtomicBool) -> anyhow::Result<Vec<Outcome>> {
        let all = self.all();
        let complete = all.iter().filter(|trial| trial.is_complete()).count();
        voice.say(&format!("{}: {} trials, {complete} of them complete", self.plan.study.name, all.len()));
        let outcomes = runner::run(&all, threads, voice, stop)?;
        for (trial, outcome) in all.iter().zip(&outcomes) {
            if let Outcome::Failed(reason) = outcome {
                voice.warn(&format!("{} FAILED: {reason}", trial.name));
            }
        }
        Ok(outcomes)
    }
}

fn show_plan(plan: &Plan) -> anyhow::Result<()> {
    let hash = Registered::of(plan)?.sha256();
    let rows = plan.arms.iter().map(|arm| {
        let who = arm.policy.clone().unwrap_or_else(|| arm.train.run.algorithm.name().to_owned());
        let is_shielded = arm.shield || (arm.policy.is_none() && arm.train.run.shield);
        let shield = if is_shielded { "yes" } else { "" };
        vec![arm.name.clone(), who, shield.to_owned(), plan.seeds(arm).len().to_string()]
    });
    show(&table::text_table(&["arm", "policy", "shield", "trials"], rows))?;
    if let Some(decisions) = plan.budget {
        show(&format!("{decisions} decisions for each training run"))?;
    }
    for note in &plan.notes {
        show(note)?;
    }
    show(&format!("hash: {hash}"))?;
    Ok(())
}
