//! `seawall train`: settings to a trained policy, its judgement, its files, and the proof that they are the same.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use seawall_env::{Purpose, SeedTree};
use seawall_eval::{Contender, Report, Split, Suite};

use super::{Verdict, use_threads, verify};
use crate::arguments::{SettingsArgs, flag_layer, layer_of};
use crate::clock;
use crate::exporter::{Export, Origin, PARAMETERS_FILE};
use crate::foresight::write_settings;
use crate::judge::{self, Arena, Beside};
use crate::openings;
use crate::output::show;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::{Input, Manifest, RESOLVED, RunFolder, input, seed_folder, sha256};
use crate::score::Score;
use crate::settings::Settings;
use crate::shield::{Rates, Trained, shield};
use crate::tensorboard::Events;
use crate::trainer::{self, End};
use crate::training_log;
use crate::warm_start::warm_start;

/// Arguments of `seawall train`.
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Training runs that differ only in their seed
    #[arg(long)]
    seeds: Option<i64>,
    /// Folder of the run, new or empty [default: runs/NAME-seedSEED-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder, bit for bit as if it had never stopped
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["config", "sets", "seed", "seeds", "backend", "replay", "from", "to", "gaps", "out"]
    )]
    resume: Option<PathBuf>,
}

/// A run: its settings, its folder, and where it takes place.
struct Run {
    settings: Settings,
    folder: RunFolder,
    settings_sha256: String,
    field: Field,
}

/// Where a run trains and is judged, and by which episodes.
struct Field {
    trained: Places,
    judged: Places,
    arena: Arena,
    suite: Suite,
    /// Where one of the training seeds is chosen.
    selection: Arena,
}

/// What a handler of interrupts and the run tell each other.
#[derive(Clone, Debug)]
pub(super) struct Interrupts {
    /// Set by the first interrupt.
    pub(super) stop: Arc<AtomicBool>,
    /// Whether there is an iteration to finish.
    pub(super) is_training: Arc<AtomicBool>,
}

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong, or training fails.
pub(crate) fn run(args: &TrainArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let run = match &args.resume {
        Some(path) => resume(path, voice)?,
        None => begin(args, voice)?,
    };
    use_threads(args.settings.threads().unwrap_or(run.settings.run.threads))?;
    voice.say(&format!("run folder: {}", run.folder.path().display()));
    let (arena, suite) = (&run.field.arena, &run.field.suite);
    let interrupts = interrupt_flag(voice)?;
    let mut exports = Vec::new();
    for seed in seeds(&run.settings) {
        match train_one(&run, seed, voice, &interrupts.stop)? {
            Some(export) => exports.push(export),
            None => {
                let path = run.folder.path().display();
                voice.say(&format!("interrupted; go on with: seawall train --resume {path}"));
                return Ok(Verdict::Interrupted);
            }
        }
    }
    interrupts.is_training.store(false, Ordering::Relaxed);
    let chosen = select(&run, &exports, voice)?;
    let mut contenders = learned(&run.settings, arena, &exports)?;
    contenders.extend(judge::baselines(&run.settings, &arena.spec())?);
    let look = openings::open(&run.folder, &arena.hash(suite), &policies(&run)?)?;
    let records = judge::run(arena, suite, &contenders, Beside::reported(&run.settings), voice)?;
    let subject = &run.settings.run.name;
    let mut report = Report::build(&records, subject, run.settings.evaluation.statistics, &suite.gates)?;
    report.notes.extend(look.caution());
    judge::write(&run.folder, &report, &records)?;
    judge::show_report(&report)?;
    let rates = Rates::new(shielded_training(&run)?, &records);
    rates.show()?;
    rates.write(&run.folder)?;
    if run.field.judged.list.iter().any(|place| place.is_history()) {
        show("Judged on the history that it was trained on, with unseen seeds: `seawall eval` judges it on another.")?;
    }
    let verified = verify::verify(&chosen, &run.settings, &run.field.selection, true, voice)?;
    show(&format!("report: {}", run.folder.file("report.md").display()))?;
    Ok(if report.passed() && verified { Verdict::Done } else { Verdict::GateFailed })
}

fn begin(args: &TrainArgs, voice: Voice) -> anyhow::Result<Run> {
    let seeds = args.seeds.map(|seeds| flag_layer("--seeds", "run.seeds", toml::Value::Integer(seeds)));
    let settings = args.settings.settings(&seeds.into_iter().collect::<Vec<_>>())?;
    let field = Field::prepare(&settings, voice)?;
    let folder = RunFolder::create(args.out.as_deref(), &settings.run.name, settings.run.seed)?;
    let text = write_settings(&folder, &settings)?;
    folder.write_manifest(&Manifest::new(&text, settings.run.seed, field.inputs()))?;
    Ok(Run { settings, folder, settings_sha256: sha256(text.as_bytes()), field })
}

fn resume(path: &std::path::Path, voice: Voice) -> anyhow::Result<Run> {
    let folder = RunFolder::open(path)?;
    let text = folder.read_text(RESOLVED)?;
    let settings = Settings::resolve(&[layer_of(&folder.file(RESOLVED))?])?;
    let has_begun = folder.file(&seed_folder(settings.run.seed)).is_dir();
    if folder.file(judge::REPORT).exists() && !has_begun {
        bail!("{} is the folder of an evaluation: there is no training to go on with", path.display());
    }
    let mut manifest = folder.manifest()?;
    let settings_sha256 = sha256(text.as_bytes());
    if settings_sha256 != manifest.settings_sha256 {
        bail!("{} was changed after the run began: start a new run with it", folder.file(RESOLVED).display());
    }
    let field = Field::prepare(&settings, voice)?;
    for (before, now) in manifest.inputs.iter().zip(field.inputs()) {
        if before.sha256 != now.sha256 {
            bail!("{} was changed after the run began: put it back, or start a new run", before.path);
        }
    }
    manifest.resumed.push(clock::utc_now());
    folder.write_manifest(&manifest)?;
    Ok(Run { settings, folder, settings_sha256, field })
}

impl Field {
    /// Gathers the places and makes sure that what can be known to fail fails now, and not after training.
    fn prepare(settings: &Settings, voice: Voice) -> anyhow::Result<Self> {
        let trained = Places::gather(settings, &settings.task.scenarios, voice)?;
        let is_same = settings.judged() == settings.task.scenarios || !settings.replay.files.is_empty();
        let judged = if is_same { trained.clone() } else { Places::gather(settings, settings.judged(), voice)? };
        let arena = Arena::new(settings, &judged)?;
        let selection = Arena::selection(settings, Voice::Quiet)?;
        let suite = arena.suite(settings, Split::Report);
        refuse_leaks(settings, &suite)?;
        if settings.run.shield {
            shield(settings, &trained, &arena.spec())?;
        }
        let own = &settings.run.name;
        let mut names: Vec<String> =
            judge::baselines(settings, &arena.spec())?.into_iter().map(|baseline| baseline.name).collect();
        if names.contains(own) {
            bail!("run.name = {own}: a baseline is called so");
        }
        names.push(own.clone());
        judge::check_gates(&suite, &names)?;
        Ok(Self { trained, judged, arena, suite, selection })
    }

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = self.trained.inputs.clone();
        inputs.extend(self.judged.inputs.iter().filter(|input| !self.trained.inputs.contains(input)).cloned());
        inputs
    }
}

fn seeds(settings: &Settings) -> std::ops::Range<u64> {
    settings.run.seed..settings.run.seed + settings.run.seeds
}

/// Makes sure that no episode of training is one of the report's.
///
/// # Errors
/// If one is.
pub(crate) fn refuse_leaks(settings: &Settings, suite: &Suite) -> anyhow::Result<()> {
    // An episode has at least one decision, so this many per environment are more than training can meet.
    let episodes = settings.steps_per_environment_max() + 1;
    for seed in seeds(settings) {
        let tree = SeedTree::new(seed);
        let environments = 0..settings.run.environments as u64;
        let drawn = environments.flat_map(|b| (0..episodes).map(move |e| tree.seed(Purpose::Episode, (b << 24) + e)));
        if let Some(leaked) = suite.overlap(drawn) {
            bail!("training with seed {seed} would meet the held-out episode {leaked}: change evaluation.root");
        }
    }
    Ok(())
}

/// Hears interrupts: the first ends training after its iteration, any other and any later one the program.
pub(super) fn interrupt_flag(voice: Voice) -> anyhow::Result<Interrupts> {
    let interrupts =
        Interrupts { stop: Arc::new(AtomicBool::new(false)), is_training: Arc::new(AtomicBool::new(true)) };
    let heard = interrupts.clone();
    ctrlc::set_handler(move || {
        let is_first = !heard.stop.swap(true, Ordering::Relaxed);
        if is_first && heard.is_training.load(Ordering::Relaxed) {
            voice.warn("interrupted: this iteration is finished and saved; once more to stop at once");
        } else {
            // Whatever happens, the last checkpoint is whole.
            voice.warn("stopped; the last checkpoint is whole, --resume goes on from it");
            std::process::exit(130);
        }
    })
    .context("watching for interrupts")?;
    Ok(interrupts)
}

/// Trains with one seed and writes its export; nothing if an interrupt came first.
fn train_one(run: &Run, seed: u64, voice: Voice, stop: &AtomicBool) -> anyhow::Result<Option<Export>> {
    let folder = run.folder.child(&seed_folder(seed))?;
    let mut course = trainer::course(&run.settings, &run.field.trained, seed)?;
    let learner = course.learner.as_mut();
    if trainer::restore(learner, &folder, voice)? {
        voice.say(&format!("seed {seed}: going on after {} of {} steps", learner.steps_done(), learner.total_steps()));
    } else {
        voice.say(&format!("seed {seed}: {} steps", learner.total_steps()));
        warm_start(learner, &folder, (&run.settings, &run.field.trained), seed, voice)?;
    }
    if !learner.is_done() && trainer::train(&mut course, &folder, &run.settings, voice, stop)? == End::Interrupted {
        return Ok(None);
    }
    let learner = &course.learner;
    let origin = Origin { seed, steps: learner.steps_done(), settings_sha256: &run.settings_sha256 };
    let export = Export::new(&run.settings, &run.field.trained, learner.policy(), origin)?;
    // What is judged is what stands on the disk.
    Export::read(&export.write(&folder.child("export")?)?).map(Some)
}

/// Name and hash of every policy that the run has trained.
fn policies(run: &Run) -> anyhow::Result<BTreeSet<(String, String)>> {
    let of = |seed: u64| {
        let file = run.folder.file(&seed_folder(seed)).join("export").join(PARAMETERS_FILE);
        Ok((run.settings.run.name.clone(), input(&file)?.sha256))
    };
    seeds(&run.settings).map(of).collect()
}

/// How often the shield acted in each training run, if there is one.
fn shielded_training(run: &Run) -> anyhow::Result<Vec<Trained>> {
    if !run.settings.run.shield {
        return Ok(Vec::new());
    }
    let rates = |seed| -> anyhow::Result<Option<Trained>> {
        let rates = training_log::shield_rates(&run.folder.child(&seed_folder(seed))?)?;
        Ok(rates.map(|(rate, last)| Trained { seed, rate, last }))
    };
    seeds(&run.settings).filter_map(|seed| rates(seed).transpose()).collect()
}

fn learned(settings: &Settings, arena: &Arena, exports: &[Export]) -> anyhow::Result<Vec<Contender>> {
    let name = &settings.run.name;
    let spec = arena.spec();
    exports.iter().map(|export| Ok(judge::learned(settings, name, export.seed(), export.policy(&spec)?))).collect()
}

/// Copies the export of the run with the best mean return on the selection split; returns where it stands.
fn select(run: &Run, exports: &[Export], voice: Voice) -> anyhow::Result<PathBuf> {
    let arena = &run.field.selection;
    let suite = arena.suite(&run.settings, Split::Select);
    let records = judge::run(arena, &suite, &learned(&run.settings, arena, exports)?, Beside::Nothing, voice)?;
    let scores: Vec<Score> = (0..exports.len()).map(|k| Score::of(&records, &run.settings.run.name, k)).collect();
    for (export, score) in exports.iter().zip(&scores) {
        log(&run.folder.child(&seed_folder(export.seed()))?, export, score)?;
    }
    // Of equal means the first: the choice must not depend on anything else.
    let order = (0..scores.len()).rev();
    let best = order.max_by(|a, b| scores[*a].mean().total_cmp(&scores[*b].mean())).expect("at least one run");
    let folder = run.folder.child("export")?;
    scores[best].write(&folder)?;
    write_settings(&folder, &run.settings)?;
    let path = exports[best].write(&folder)?;
    voice.say(&format!("exported seed {}: {}", exports[best].seed(), path.display()));
    Ok(path)
}

/// Adds a run's score to its TensorBoard log.
fn log(folder: &RunFolder, export: &Export, score: &Score) -> anyhow::Result<()> {
    let by_scenario = score.scenarios.iter().zip(score.means());
    let mut values = vec![("eval/return_mean".to_owned(), score.mean())];
    values.extend(by_scenario.map(|(scenario, mean)| (format!("eval/return_mean/{scenario}"), mean)));
    let mut events = Events::create(folder.path()).context("opening the TensorBoard log")?;
    events.scalars(export.parameters.provenance.environment_steps, &values).context("writing the TensorBoard log")?;
    events.flush().context("writing the TensorBoard log")
}
