//! `seawall tune`: a rule's constants, searched for with the budget that a learner gets.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use clap::ValueEnum;
use seawall_agents::export::{Provenance, Search};
use seawall_agents::tuned::{Family, RuleEntry, RuleFile, RuleStory};
use seawall_eval::{Contender, Split};
use seawall_training::Strategy;
use seawall_training::search::Objective;

use super::train::interrupt_flag;
use super::{Verdict, use_threads};
use crate::arguments::{SettingsArgs, flag_layer, layer_of};
use crate::clock;
use crate::entry::Entry;
use crate::exporter::{Described, Export, Origin, PARAMETERS_FILE, clocks, provenance};
use crate::foresight::write_settings;
use crate::judge::{self, Arena, Beside};
use crate::output::show;
use crate::places::Places;
use crate::progress::Voice;
use crate::run_folder::{Manifest, RESOLVED, RunFolder, sha256};
use crate::score::Score;
use crate::settings::Settings;
use crate::table;
use crate::trainer::End;
use crate::tuner::{self, Tuner};

/// A rule that can be tuned, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Baseline {
    Gen1,
    Gen2,
    Gen3,
    Constant,
    Schedule,
}

impl Baseline {
    const fn family(self) -> Family {
        match self {
            Self::Gen1 => Family::Gen1,
            Self::Gen2 => Family::Gen2,
            Self::Gen3 => Family::Gen3,
            Self::Constant => Family::Constant,
            Self::Schedule => Family::Schedule,
        }
    }
}

/// Arguments of `seawall tune`.
#[derive(Debug, clap::Args)]
pub(crate) struct TuneArgs {
    /// Rule whose constants are tuned
    #[arg(required_unless_present = "resume")]
    baseline: Option<Baseline>,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Decisions of the whole search [default: those of the learner and its warm start]
    #[arg(long)]
    steps: Option<i64>,
    /// Folder of the run, new or empty [default: runs/BASELINE-tuned-seedSEED-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the search in this folder, bit for bit as if it had never stopped
    #[arg(
        long,
        value_name = "RUN",
        conflicts_with_all = ["baseline", "config", "sets", "seed", "backend", "replay", "from", "to", "gaps", "steps", "out"]
    )]
    resume: Option<PathBuf>,
}

/// A search: its settings, its folder, and where it takes place.
struct Run {
    settings: Settings,
    folder: RunFolder,
    settings_sha256: String,
    places: Places,
}

/// A set of constants that competes for being the answer.
struct Candidate {
    name: String,
    values: Vec<f64>,
}

/// Runs the command.
///
/// # Errors
/// If an argument, a setting or a file is wrong, or the search fails.
pub(crate) fn run(args: &TuneArgs, voice: Voice) -> anyhow::Result<Verdict> {
    let run = match (&args.resume, args.baseline) {
        (Some(path), _) => resume(path, voice)?,
        (None, Some(baseline)) => begin(args, baseline.family(), voice)?,
        (None, None) => bail!("name a baseline, or a run to go on with"),
    };
    use_threads(args.settings.threads().unwrap_or(run.settings.run.threads))?;
    voice.say(&format!("run folder: {}", run.folder.path().display()));
    let interrupts = interrupt_flag(voice)?;
    let mut tuner = tuner::tuner(&run.settings, &run.places)?;
    if tuner::restore(&mut tuner, &run.folder, voice)? {
        voice.say(&format!("going on after {} of {} decisions", tuner.steps_done(), tuner.config().total_steps));
    }
    let sites = (&run.settings, &run.places);
    let end = if tuner.is_done() {
        End::Complete
    } else {
        tuner::search(&mut tuner, sites, &run.folder, voice, &interrupts.stop)?
    };
    if end == End::Interrupted {
        voice.say(&format!("interrupted; go on with: seawall tune --resume {}", run.folder.path().display()));
        return Ok(Verdict::Interrupted);
    }
    interrupts.is_training.store(false, Ordering::Relaxed);
    conclude(&run, &tuner, voice)?;
    Ok(Verdict::Done)
}

fn begin(args: &TuneArgs, family: Family, voice: Voice) -> anyhow::Result<Run> {
    let text = |text: &str| toml::Value::String(text.to_owned());
    let mut layers = vec![
        flag_layer("BASELINE", "tune.baseline", text(family.name())),
        flag_layer("BASELINE", "run.name", text(&format!("{family}-tuned"))),
    ];
    layers.extend(args.steps.map(|steps| flag_layer("--steps", "search.total_steps", toml::Value::Integer(steps))));
    let settings = args.settings.settings(&layers)?;
    if settings.run.shield {
        bail!("run.shield = true: rules are tuned without a shield; `seawall eval RULE --shield` judges one behind it");
    }
    let places = Places::gather(&settings, &settings.task.scenarios, voice)?;
    // What can be known to fail fails now, and not after the search.
    tuner::tuner(&settings, &places)?;
    clocks(&places)?;
    let folder = RunFolder::create(args.out.as_deref(), &settings.run.name, settings.run.seed)?;
    let text = write_settings(&folder, &settings)?;
    folder.write_manifest(&Manifest::new(&text, settings.run.seed, places.inputs.clone()))?;
    Ok(Run { settings, folder, settings_sha256: sha256(text.as_bytes()), places })
}

fn resume(path: &Path, voice: Voice) -> anyhow::Result<Run> {
    let folder = RunFolder::open(path)?;
    let text = folder.read_text(RESOLVED)?;
    let settings = Settings::resolve(&[layer_of(&folder.file(RESOLVED))?])?;
    let mut manifest = folder.manifest()?;
    let settings_sha256 = sha256(text.as_bytes());
    if settings_sha256 != manifest.settings_sha256 {
        bail!("{} was changed after the run began: start a new run with it", folder.file(RESOLVED).display());
    }
    let places = Places::gather(&settings, &settings.task.scenarios, voice)?;
    for (before, now) in manifest.inputs.iter().zip(&places.inputs) {
        if before.sha256 != now.sha256 {
            bail!("{} was changed after the run began: put it back, or start a new run", before.path);
        }
    }
    manifest.resumed.push(clock::utc_now());
    folder.write_manifest(&manifest)?;
    Ok(Run { settings, folder, settings_sha256, places })
}

/// Chooses among the documented constants and the search's centres on the selection seeds, and writes the policy.
fn conclude(run: &Run, tuner: &Tuner, voice: Voice) -> anyhow::Result<()> {
    let rule = &tuner.form().rule;
    let candidates = candidates(tuner);
    let arena = Arena::selection(&run.settings, Voice::Quiet)?;
    let suite = arena.suite(&run.settings, Split::Select);
    let spec = arena.spec();
    let mut contenders = Vec::new();
    for candidate in &candidates {
        contenders.push(Contender::new(&candidate.name, rule.preset(), rule.policy(&candidate.values, &spec)?));
    }
    let records = judge::run(&arena, &suite, &contenders, Beside::Nothing, voice)?;
    let scores: Vec<Score> = candidates.iter().map(|candidate| Score::of(&records, &candidate.name, 0)).collect();
    // Of equal means the first: the documented constants stay unless something is better.
    let order = (0..scores.len()).rev();
    let best = order.max_by(|a, b| scores[*a].mean().total_cmp(&scores[*b].mean())).expect("at least two candidates");
    let rows = candidates.iter().zip(&scores).enumerate().map(|(index, (candidate, score))| {
        let mark = if index == best { " (chosen)" } else { "" };
        vec![format!("{}{mark}", candidate.name), table::number(score.mean())]
    });
    show(&table::table(&["constants".to_owned(), format!("return, {} selection seeds", suite.seeds)], rows))?;
    let constants = rule.tunables().iter().zip(&candidates[best].values).map(|(tunable, value)| {
        vec![tunable.name.clone(), table::number(tunable.documented), table::number(*value), tunable.unit.clone()]
    });
    show(&table::table(&["constant", "documented", "tuned", "unit"], constants))?;

    let folder = run.folder.child("export")?;
    scores[best].write(&folder)?;
    write_settings(&folder, &run.settings)?;
    let found = provenance_of(run, tuner, &records.hash, &candidates[best].name);
    let path = write(run, tuner, &candidates[best].values, found)?;
    // What will be judged is what stands on the disk.
    Entry::read(&path)?.check()?;
    show(&format!("policy: {}", path.display()))?;
    Ok(())
}

/// The documented constants, then the centre at each quarter of the budget.
fn candidates(tuner: &Tuner) -> Vec<Candidate> {
    let rule = &tuner.form().rule;
    let documented =
        Candidate { name: "documented".to_owned(), values: rule.tunables().iter().map(|t| t.documented).collect() };
    let quarter = |(index, centre): (usize, &Vec<f64>)| Candidate {
        name: format!("after {} % of the budget", 25 * (index + 1)),
        values: rule.values(centre),
    };
    std::iter::once(documented).chain(tuner.milestones().iter().enumerate().map(quarter)).collect()
}

fn provenance_of(run: &Run, tuner: &Tuner, selection: &str, chosen: &str) -> Provenance {
    let Run { settings, places, settings_sha256, .. } = run;
    let origin = Origin { seed: settings.run.seed, steps: tuner.steps_done(), settings_sha256 };
    let config = tuner.config();
    let objective = match config.objective {
        Objective::Mean => "mean return".to_owned(),
        Objective::Cvar(share) => format!("mean of the worst {share} of returns"),
    };
    let search = Search {
        algorithm: config.algorithm.name().to_owned(),
        objective,
        budget: config.total_steps,
        generations: tuner.strategy().generation(),
        episodes: config.episodes as u64,
        root: settings.run.seed,
        scenarios_sha256: places.list.iter().map(|place| sha256(&place.configuration())).collect(),
        selection: selection.to_owned(),
        chosen: chosen.to_owned(),
    };
    Provenance { search: Some(search), ..provenance(&settings.run.name, places, origin) }
}

/// Writes the policy: as bytes for engines if the rule is linear in its features, as constants with vectors if not.
fn write(run: &Run, tuner: &Tuner, values: &[f64], provenance: Provenance) -> anyhow::Result<PathBuf> {
    let Run { settings, places, folder, .. } = run;
    let (rule, name) = (&tuner.form().rule, settings.run.name.clone());
    let folder = folder.child("export")?;
    let entry = RuleEntry::new(rule, values);
    let spec = tuner.form().spec();
    if let Some(layer) = rule.layer(values, spec)? {
        let described = Described { name, provenance, rule: Some(entry), shield: None };
        return Export::of_rule(settings, places, described, &layer)?.write(&folder);
    }
    let story = RuleStory { name, clocks: clocks(places)?, provenance };
    let file = RuleFile::new(story, entry, spec).context("describing the rule")?;
    folder.write(PARAMETERS_FILE, file.to_json()?.as_bytes())?;
    Ok(folder.file(PARAMETERS_FILE))
}
