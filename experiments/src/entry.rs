//! A policy folder, whatever stands in it: an exported network, or a rule with its constants.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use seawall_agents::tuned::{RULE_SCHEMA, RuleFile};
use seawall_env::Spec;
use seawall_eval::Contender;
use serde::Deserialize;

use crate::arguments::layer_of;
use crate::exporter::{Export, PARAMETERS_FILE};
use crate::run_folder::{Input, MANIFEST, RESOLVED, RunFolder, input, seed_folder};
use crate::settings::Settings;

/// A policy that competes.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// Bytes that an engine embeds, and the file that describes them.
    Export(Box<Export>),
    /// A rule that no engine's network expresses, and its constants.
    Rule(Box<RuleFile>),
}

/// What every kind of file says first.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Entry {
    /// Reads a policy: its file, or the folder with it.
    ///
    /// # Errors
    /// If a file is missing, or is no policy.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = file_of(path);
        let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let is_rule = serde_json::from_str(&text).is_ok_and(|head: Head| head.schema == RULE_SCHEMA);
        if is_rule {
            let rule = RuleFile::parse(&text).with_context(|| format!("reading {}", file.display()))?;
            return Ok(Self::Rule(Box::new(rule)));
        }
        Export::read(&file).map(|export| Self::Export(Box::new(export)))
    }

    /// Reads a policy and checks that what belongs together fits; with its file, for a manifest.
    ///
    /// # Errors
    /// As [`Entry::read`] and [`Entry::check`].
    pub(crate) fn checked(path: &Path) -> anyhow::Result<(Self, Input)> {
        let entry = Self::read(path)?;
        entry.check()?;
        Ok((entry, input(&file_of(path))?))
    }

    /// Writes the policy into a folder, as it was read.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, folder: &RunFolder) -> anyhow::Result<()> {
        match self {
            Self::Export(export) => export.write(folder).map(drop),
            Self::Rule(file) => folder.write(PARAMETERS_FILE, file.to_json()?.as_bytes()),
        }
    }

    /// Name of the policy.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Export(export) => &export.parameters.name,
            Self::Rule(file) => &file.name,
        }
    }

    /// Checks that what belongs together fits, and replays the vectors bit for bit; says what was found.
    ///
    /// # Errors
    /// Everything in which the files disagree, or the first vector that does not replay.
    pub(crate) fn check(&self) -> Result<String, seawall_agents::Error> {
        match self {
            Self::Export(export) => {
                let (report, bars) = export.check()?;
                let (acted, refused, held) = (report.acted, report.refused, report.held);
                let shield = if held > 0 { format!("; the shield acts in {held}") } else { String::new() };
                let predictor =
                    bars.map(|bars| format!("; the predictor's replay over {bars} bars")).unwrap_or_default();
                Ok(format!(
                    "{acted} vectors replay bit for bit, {refused} are refused as they should be{shield}{predictor}"
                ))
            }
            Self::Rule(file) => Ok(format!("{} vectors replay bit for bit", file.check()?)),
        }
    }

    /// The policy as a contender: a rule on its own venue preset, a network on that of the settings.
    ///
    /// # Errors
    /// If it was made for another list of observations or parameters.
    pub(crate) fn contender(&self, settings: &Settings, name: &str, spec: &Spec) -> anyhow::Result<Contender> {
        let (preset, seed, policy) = match self {
            Self::Export(export) => {
                export.check_foresight(settings)?;
                let rule = export.parameters.rule.as_ref();
                let preset = rule.map_or(settings.task.preset.as_str(), |rule| rule.preset.as_str());
                (preset, export.seed(), Box::new(export.policy(spec)?) as Box<dyn seawall_agents::Policy>)
            }
            Self::Rule(file) => {
                let policy = file.policy(spec).with_context(|| format!("using the policy {}", file.name))?;
                (file.rule.preset.as_str(), file.provenance.seeds[0], policy)
            }
        };
        Ok(Contender::new(name, preset, policy).trained_with(seed))
    }
}

/// The file of a policy: the path itself, or what lies in that folder.
fn file_of(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(PARAMETERS_FILE) } else { path.to_owned() }
}

/// The run folder that an export lies in, if it lies in one: its own, that of a seed, or one that an evaluation copied it to.
pub(crate) fn run_of(export: &Path) -> Option<PathBuf> {
    let is_run = |path: &&Path| path.join(MANIFEST).is_file() && path.join(RESOLVED).is_file();
    export.ancestors().take(4).filter(|path| !path.as_os_str().is_empty()).find(is_run).map(Path::to_owned)
}

/// The exports of every training run that a path means: those of a run folder, or the path itself.
///
/// # Errors
/// If the run's settings cannot be read.
pub(crate) fn exports_in(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.join(MANIFEST).is_file() || !path.join("export").is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let run = Settings::resolve(&[layer_of(&path.join(RESOLVED))?])?.run;
    let export = |seed| path.join(seed_folder(seed)).join("export").join(PARAMETERS_FILE);
    let exports: Vec<PathBuf> = (run.seed..run.seed + run.seeds).map(export).collect();
    // A search for a rule's constants has one export and no folder for its seed.
    Ok(if exports.iter().any(|export| export.is_file()) { exports } else { vec![export_in(path)] })
}

/// The export that a path means: a run folder's chosen one, or the path itself.
pub(crate) fn export_in(path: &Path) -> PathBuf {
    let chosen = path.join("export");
    if path.join(MANIFEST).is_file() && chosen.is_dir() { chosen.join(PARAMETERS_FILE) } else { path.to_owned() }
}
