//! One trial: an arm with one training seed, trained and judged from one file.
//!
//! A trial's folder is that of a run: `seawall export` and `seawall train --resume` find in it what they look for. Its result
//! is written last and as a whole, so a trial with a result is complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail, ensure};
use seawall_agents::Shielded;
use seawall_eval::record::EpisodeRecord;
use seawall_eval::{Contender, Records, Split};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::plan::{Arm, Plan};
use super::registration::{self, REGISTRATION};
use super::{RUNS, TRIALS};
use crate::commands::train::refuse_leaks;
use crate::entry::{Entry, export_in};
use crate::exporter::{Export, Origin};
use crate::foresight::{self, write_settings};
use crate::judge::{self, Arena, Beside};
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::{MANIFEST, Manifest, RunFolder, sha256};
use crate::settings::{Layer, Settings};
use crate::shield::shield;
use crate::trainer::{self, End};
use crate::warm_start::warm_start;

/// Name of a trial's result in its folder.
const RESULT: &str = "result.json";
/// Name of the file that says why a trial failed.
const FAILURE: &str = "failure.txt";

/// A trial's file: all that it needs to know, on this machine or another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialFile {
    /// Name of the study.
    pub(crate) study: String,
    /// Hash of the study's registration.
    pub(crate) registration: String,
    /// Name of the arm.
    pub(crate) arm: String,
    /// Root seed of the training run; nothing where nothing is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) training_seed: Option<u64>,
    /// Whom it judges, if that is not what it trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// Whether the policy is judged behind the shield.
    pub(crate) shield: bool,
    /// Whether the counterfactuals are played too: the same episodes without liquidations, and with accounts let be.
    pub(crate) counterfactual: bool,
    /// Every setting of the training; nothing where nothing is trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) train: Option<Table>,
    /// Every setting of the judgement.
    pub(crate) judge: Table,
}

/// What a complete trial leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialResult {
    /// SHA-256 of the trial's file.
    pub(crate) trial_sha256: String,
    /// Version of the program that ran it, with the commit that it was built from.
    pub(crate) build: String,
    /// Decisions that it trained for.
    pub(crate) decisions: u64,
    /// Decisions that the shield saw, and those that it changed.
    pub(crate) shielded: Option<(u64, u64)>,
    /// Every judged episode.
    pub(crate) records: Records,
}

/// How a trial ended, when nothing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its result is written, now or before.
    Complete,
    /// An interrupt came; its checkpoint is whole.
    Interrupted,
}

/// A trial and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Name, of its file and of its folder.
    pub(crate) name: String,
    file: TrialFile,
    sha256: String,
    folder: PathBuf,
}

impl Trial {
    /// The trials of a plan, arm by arm, with their files written.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write_all(plan: &Plan, registration: &str, study: &RunFolder) -> anyhow::Result<Vec<Vec<Self>>> {
        let trials = study.child(TRIALS)?;
        let write = |arm: &Arm, seed: Option<u64>| {
            let file = TrialFile::of(plan, arm, seed, registration)?;
            let text = toml::to_string(&file).context("writing a trial as TOML")?;
            let name = seed.map_or_else(|| arm.name.clone(), |seed| format!("{}-seed{seed}", arm.name));
            trials.write(&format!("{name}.toml"), text.as_bytes())?;
            Ok(Self { folder: study.path().join(RUNS).join(&name), name, sha256: sha256(text.as_bytes()), file })
        };
        plan.arms.iter().map(|arm| plan.seeds(arm).into_iter().map(|seed| write(arm, seed)).collect()).collect()
    }

    /// Reads a trial's file and makes sure that it belongs to the study that is registered beside it.
    ///
    /// # Errors
    /// If the file is no trial, or belongs to another study.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("reading the trial {}", path.display()))?;
        let file: TrialFile = toml::from_str(&text).with_context(|| format!("reading the trial {}", path.display()))?;
        let name =
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).context("a trial's file has a name")?;
        let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
        let study = path.parent().and_then(Path::parent).context("a trial stands in a study's folder of trials")?;
        let registered = registration::read(&study.join(REGISTRATION))?.sha256;
        if registered != file.registration {
            bail!("{} belongs to the study {}, and {registered} is registered here", path.display(), file.registration);
        }
        file.settings()?;
        Ok(Self { folder: study.join(RUNS).join(&name), name, sha256: sha256(text.as_bytes()), file })
    }

    /// Its result, if it is complete.
    ///
    /// # Errors
    /// If there is one that cannot be read, or that is another trial's.
    pub(crate) fn result(&self) -> anyhow::Result<Option<TrialResult>> {
        let path = self.folder.join(RESULT);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let result: TrialResult = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        ensure!(result.trial_sha256 == self.sha256, "{} is the result of another trial", path.display());
        Ok(Some(result))
    }

    /// Whether it has a result.
    pub(crate) fn is_complete(&self) -> bool {
        self.folder.join(RESULT).is_file()
    }

    /// Why it failed when it was last run, if it did.
    pub(crate) fn failure(&self) -> Option<String> {
        fs::read_to_string(self.folder.join(FAILURE)).ok().map(|text| text.trim_end().to_owned())
    }

    /// Trains, unless nothing is to be trained, judges, and writes the result; goes on from a checkpoint, and does nothing
    /// where there is a result.
    ///
    /// # Errors
    /// If a setting or a file is wrong, or training or judgement fails.
    pub(crate) fn run(&self, voice: Voice, stop: &AtomicBool) -> anyhow::Result<Ended> {
        if self.result()?.is_some() {
            return Ok(Ended::Complete);
        }
        let folder = RunFolder::at(&self.folder)?;
        let (train, judge) = self.file.settings()?;
        let trained = match &train {
            Some(settings) => match self.train(settings, &folder, voice, stop)? {
                Some(export) => Some(export),
                None => return Ok(Ended::Interrupted),
            },
            None => None,
        };
        let result = self.judge(&judge, train.as_ref().zip(trained.as_ref()), voice)?;
        let text = serde_json::to_string(&result).context("writing the result as JSON")?;
        folder.write(RESULT, (text + "\n").as_bytes())?;
        if folder.file(FAILURE).is_file() {
            fs::remove_file(folder.file(FAILURE)).context("taking back an earlier failure")?;
        }
        Ok(Ended::Complete)
    }

    /// Leaves a note of why it failed, for whoever looks into its folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn note_failure(&self, reason: &str) -> anyhow::Result<()> {
        RunFolder::at(&self.folder)?.write(FAILURE, format!("{reason}\n").as_bytes())
    }

    fn train(
        &self,
        settings: &Settings,
        folder: &RunFolder,
        voice: Voice,
        stop: &AtomicBool,
    ) -> anyhow::Result<Option<Export>> {
        let seed = settings.run.seed;
        let places = Places::gather(settings, &settings.task.scenarios, Voice::Quiet)?;
        let text = write_settings(folder, settings)?;
        if !folder.file(MANIFEST).is_file() {
            folder.write_manifest(&Manifest::new(&text, seed, places.inputs.clone()))?;
        }
        let own = folder.child(&format!("seed-{seed}"))?;
        let mut course = trainer::course(settings, &places, seed)?;
        if !trainer::restore(course.learner.as_mut(), &own, voice)? {
            warm_start(course.learner.as_mut(), &own, (settings, &places), seed, voice)?;
        }
        if !course.learner.is_done() && trainer::train(&mut course, &own, settings, voice, stop)? == End::Interrupted {
            return Ok(None);
        }
        let learner = &course.learner;
        let origin = Origin { seed, steps: learner.steps_done(), settings_sha256: &sha256(text.as_bytes()) };
        let export = Export::new(settings, &places, learner.policy(), origin)?;
        // What is judged is what stands on the disk.
        Export::read(&export.write(&own.child("export")?)?).map(Some)
    }

    fn judge(
        &self,
        settings: &Settings,
        trained: Option<(&Settings, &Export)>,
        voice: Voice,
    ) -> anyhow::Result<TrialResult> {
        let places = Places::gather(settings, settings.judged(), Voice::Quiet)?;
        let arena = Arena::new(settings, &places)?;
        let mut contender = self.contender(settings, &arena, trained.map(|(_, export)| export))?;
        if self.file.shield {
            let shield = shield(settings, &places, &arena.spec())?;
            let policy = Shielded::new(&contender.name, contender.policy, shield);
            contender = Contender { policy: Box::new(policy), ..contender };
        }
        let suite = arena.suite(settings, Split::Report);
        if let Some((train, _)) = trained {
            refuse_leaks(train, &suite)?;
        }
        let beside = if self.file.counterfactual { Beside::reported(settings) } else { Beside::Nothing };
        let records = judge::run(&arena, &suite, &[contender], beside, voice)?;
        let commit = option_env!("SEAWALL_COMMIT").map(|commit| format!(" ({commit})")).unwrap_or_default();
        Ok(TrialResult {
            trial_sha256: self.sha256.clone(),
            build: format!("{}{commit}", env!("CARGO_PKG_VERSION")),
            decisions: trained.map_or(0, |(_, export)| export.parameters.provenance.environment_steps),
            shielded: records.overruled(0),
            records,
        })
    }

    fn contender(&self, settings: &Settings, arena: &Arena, trained: Option<&Export>) -> anyhow::Result<Contender> {
        let spec = arena.spec();
        let found = match (trained, &self.file.policy) {
            (Some(export), _) => {
                export.check_foresight(settings)?;
                judge::learned(settings, &self.file.arm, export.seed(), export.policy(&spec)?)
            }
            (None, Some(policy)) => {
                let mut known = judge::baselines(settings, &spec)?;
                known.extend(judge::venues(std::slice::from_ref(policy)).unwrap_or_default());
                match known.into_iter().find(|contender| contender.name == *policy) {
                    Some(contender) => contender,
                    None => {
                        let entry = Entry::read(&export_in(Path::new(policy)))?;
                        entry.check()?;
                        entry.contender(settings, &self.file.arm, &spec)?
                    }
                }
            }
            (None, None) => bail!("the trial {} neither trains nor names a policy", self.name),
        };
        Ok(Contender { name: self.file.arm.clone(), ..found })
    }
}

impl TrialFile {
    fn of(plan: &Plan, arm: &Arm, training_seed: Option<u64>, registration: &str) -> anyhow::Result<Self> {
        let seeded = |settings: &Settings| {
            let mut settings = settings.clone();
            settings.run.name = plan.study.name.clone();
            settings.run.seeds = 1;
            // A trial takes the threads that it is given.
            settings.run.threads = 0;
            settings.run.seed = training_seed.unwrap_or(settings.run.seed);
            foresight::absolute(&mut settings);
            settings.to_toml().parse::<Table>().context("reading settings back")
        };
        Ok(Self {
            study: plan.study.name.clone(),
            registration: registration.to_owned(),
            arm: arm.name.clone(),
            training_seed,
            policy: arm.policy.as_deref().map(absolute),
            shield: arm.shield,
            counterfactual: plan.needs_counterfactual(),
            train: training_seed.map(|_| seeded(&arm.train)).transpose()?,
            judge: seeded(&arm.judge)?,
        })
    }

    /// Settings of training and judgement, checked again: a file may have been edited.
    fn settings(&self) -> anyhow::Result<(Option<Settings>, Settings)> {
        let read = |origin: &str, table: &Table| {
            Settings::resolve(&[Layer { origin: format!("trial, {origin}"), table: table.clone() }])
        };
        Ok((self.train.as_ref().map(|table| read("train", table)).transpose()?, read("judge", &self.judge)?))
    }
}

/// A policy as a trial names it: a baseline's name, or a path that holds wherever the trial is started.
fn absolute(policy: &str) -> String {
    Path::new(policy).canonicalize().map_or_else(|_| policy.to_owned(), |path| path.display().to_string())
}

/// The records of complete arms as one grid: every arm met the same scenarios on the same seeds.
///
/// # Errors
/// If results contradict each other.
pub(crate) fn gathered(arms: &[(String, Vec<TrialResult>)]) -> anyhow::Result<Records> {
    let first = &arms.first().and_then(|(_, results)| results.first()).context("no arm is complete")?.records;
    let mut records = Records { arms: Vec::new(), episodes: Vec::new(), ..first.clone() };
    for (place, (name, results)) in arms.iter().enumerate() {
        let mut arm = results[0].records.arms[0].clone();
        arm.name.clone_from(name);
        arm.training_seeds = results.iter().flat_map(|result| result.records.arms[0].training_seeds.clone()).collect();
        for (run, result) in results.iter().enumerate() {
            let own = &result.records;
            let is_same = own.scenarios == first.scenarios && own.seeds == first.seeds && own.terms == first.terms;
            ensure!(is_same, "{name} was judged on other scenarios or seeds than {}", arms[0].0);
            let moved = |episode: &EpisodeRecord| EpisodeRecord { arm: place, run, ..episode.clone() };
            records.episodes.extend(own.episodes.iter().map(moved));
        }
        records.arms.push(arm);
    }
    let seeds = |arm: usize| records.arm(arm).iter().map(|episode| episode.seed).collect::<Vec<_>>();
    let cells = first.episodes.len();
    for arm in 1..records.arms.len() {
        ensure!(seeds(arm)[..cells] == seeds(0)[..cells], "{} met other seeds than {}", arms[arm].0, arms[0].0);
    }
    Ok(records)
}
