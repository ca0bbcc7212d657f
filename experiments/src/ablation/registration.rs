//! What a study commits itself to, written before its first trial: nobody moves the goal once the ball is under way.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::file::{Expected, Kind};
use super::plan::{Arm, Plan};
use crate::clock;
use crate::entry::export_in;
use crate::run_folder::{RunFolder, input, sha256};
use crate::settings::Settings;

/// Name of the file in a study's folder.
pub(crate) const REGISTRATION: &str = "registration.json";

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// SHA-256 of `registered` as JSON without spaces, in this order of fields.
    pub(crate) sha256: String,
    /// When it was written, UTC.
    pub(crate) written: String,
    /// Version of the program that wrote it.
    pub(crate) version: String,
    /// Commit that the program was built from.
    pub(crate) commit: Option<String>,
    /// What the hash is of.
    pub(crate) registered: Registered,
}

/// Everything that decides what a study finds, and what it said that it would find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registered {
    format: u32,
    name: String,
    question: String,
    hypothesis: String,
    design: Kind,
    primary: String,
    secondary: Vec<String>,
    decisions: Option<u64>,
    training_seeds: Vec<u64>,
    statistics: seawall_eval::Settings,
    evaluation_seeds: usize,
    evaluation_root: u64,
    arms: Vec<RegisteredArm>,
    effects: Vec<RegisteredEffect>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisteredArm {
    name: String,
    policy: Option<String>,
    policy_sha256: Option<String>,
    shield: bool,
    train_sha256: Option<String>,
    judge_sha256: String,
    places_sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisteredEffect {
    name: String,
    weights: Vec<f64>,
    expect: Option<Expected>,
}

impl Registered {
    /// What a plan commits to.
    ///
    /// # Errors
    /// If a policy cannot be read.
    pub(crate) fn of(plan: &Plan) -> anyhow::Result<Self> {
        let evaluation = &plan.arms[0].judge.evaluation;
        let study = &plan.study;
        let arms = plan.arms.iter().zip(&plan.places).map(|(arm, places)| RegisteredArm::of(arm, places));
        let effects = plan.effects.iter().map(|effect| RegisteredEffect {
            name: effect.contrast.name.clone(),
            weights: effect.contrast.weights.clone(),
            expect: effect.expect,
        });
        Ok(Self {
            format: 1,
            name: study.name.clone(),
            question: study.question.clone(),
            hypothesis: study.hypothesis.clone(),
            design: study.design,
            primary: study.primary.clone(),
            secondary: study.secondary.clone(),
            decisions: plan.budget,
            training_seeds: study.training_seeds.clone(),
            statistics: evaluation.statistics,
            evaluation_seeds: evaluation.seeds,
            evaluation_root: evaluation.root,
            arms: arms.collect::<anyhow::Result<_>>()?,
            effects: effects.collect(),
        })
    }

    /// SHA-256 of the canonical text.
    pub(crate) fn sha256(&self) -> String {
        sha256(&serde_json::to_vec(self).expect("numbers and texts are JSON"))
    }
}

impl RegisteredArm {
    fn of(arm: &Arm, places: &str) -> anyhow::Result<Self> {
        let policy_sha256 = match arm.policy.as_deref().map(|policy| export_in(Path::new(policy))) {
            Some(path) if path.is_file() => Some(input(&path)?.sha256),
            Some(_) | None => None,
        };
        Ok(Self {
            name: arm.name.clone(),
            policy: arm.policy.clone(),
            policy_sha256,
            shield: arm.shield,
            train_sha256: arm.policy.is_none().then(|| of_settings(&arm.train)),
            judge_sha256: of_settings(&arm.judge),
            places_sha256: places.to_owned(),
        })
    }
}

/// Threads decide nothing; seeds of training stand by themselves.
fn of_settings(settings: &Settings) -> String {
    let mut settings = settings.clone();
    (settings.run.threads, settings.run.seed) = (0, 0);
    sha256(settings.to_toml().as_bytes())
}

/// Registers a plan in a study's folder, or finds it registered there.
///
/// # Errors
/// If another study, or another version of this one, is registered there; if the file cannot be read or written.
pub(crate) fn register(plan: &Plan, folder: &RunFolder) -> anyhow::Result<Registration> {
    let registered = Registered::of(plan)?;
    let hash = registered.sha256();
    let path = folder.file(REGISTRATION);
    if path.is_file() {
        let found = read(&path)?;
        if found.sha256 != hash {
            bail!(
                "{} holds another study, or this one before it was changed:\n  registered {} on {}\n  now        {hash}\n\
                 choose another folder, or put the study back",
                folder.path().display(),
                found.sha256,
                found.written
            );
        }
        return Ok(found);
    }
    let registration = Registration {
        sha256: hash,
        written: clock::utc_now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("SEAWALL_COMMIT").map(str::to_owned),
        registered,
    };
    let text = serde_json::to_string_pretty(&registration).context("writing the registration as JSON")?;
    folder.write(REGISTRATION, (text + "\n").as_bytes())?;
    Ok(registration)
}

/// Reads a registration and makes sure that its hash is its own.
///
/// # Errors
/// If it cannot be read, or was edited.
pub(crate) fn read(path: &Path) -> anyhow::Result<Registration> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let found: Registration = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    let own = found.registered.sha256();
    if own != found.sha256 {
        bail!("{} was edited: it says {} and is {own}", path.display(), found.sha256);
    }
    Ok(found)
}
