//! A run's folder as the report's page needs it: read whole, or refused with everything that is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use seawall_eval::Report;
use seawall_eval::report::html::{Curve, CurvePoint, Provenance, Study};
use seawall_eval::report::json;
use seawall_eval::report::table::EpisodeTable;

use crate::ablation::pages;
use crate::arguments::layer_of;
use crate::judge::{EPISODES, REPORT};
use crate::run_folder::{MANIFEST, METRICS, Manifest, POLICIES, RESOLVED, sha256};
use crate::settings::Settings;

/// A run's folder, read.
pub(crate) struct Folder {
    path: PathBuf,
    /// Its settings.
    pub(crate) settings: Settings,
    /// Its report, episodes, learning curves and origin.
    pub(crate) study: Study,
}

impl Folder {
    /// Reads folders of `train`, `eval` and `ablate`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, one line each.
    pub(crate) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<Self>> {
        let (mut folders, mut problems) = (Vec::new(), Vec::new());
        for path in paths {
            match Self::read(path) {
                Ok(folder) => folders.push(folder),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            return Ok(folders);
        }
        anyhow::bail!("cannot report on this:\n  {}", problems.join("\n  "))
    }

    /// Where the policy of this name stands: among those that an evaluation was given, or a training run's chosen one.
    pub(crate) fn export(&self, name: &str) -> Option<PathBuf> {
        let given = self.path.join(POLICIES).join(name);
        let chosen = self.path.join("export");
        let is_own = name == self.settings.run.name;
        [Some(given), is_own.then_some(chosen)].into_iter().flatten().find(|path| path.is_dir())
    }

    fn read(path: &Path) -> Result<Self, Vec<String>> {
        if !path.is_dir() {
            return Err(vec![format!("{}: no such folder", path.display())]);
        }
        let mut problems = Vec::new();
        let mut note = |found: anyhow::Error| problems.push(format!("{found:#}").replace('\n', "\n    "));
        let settings = settings(path).map_err(&mut note).ok();
        let report = report(path).map_err(&mut note).ok();
        let episodes = episodes(path).map_err(&mut note).ok();
        let provenance = manifest(path).map_err(&mut note).ok();
        let curves = match &settings {
            Some(settings) => curves(path, settings).map_err(&mut note).ok(),
            None => None,
        };
        let (Some(settings), Some(report), Some(episodes), Some(provenance), Some(curves)) =
            (settings, report, episodes, provenance, curves)
        else {
            return Err(problems);
        };
        let faults = disagreements(path, &report, &episodes);
        if !faults.is_empty() {
            return Err(faults);
        }
        let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = name.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
        let ablation = pages::forest(path).map_err(|found| vec![format!("{found:#}")])?;
        let study = Study { name, report, episodes, curves, provenance, ablation, duels: Vec::new() };
        Ok(Self { path: path.to_owned(), settings, study })
    }
}

fn text(path: &Path, name: &str) -> anyhow::Result<String> {
    let file = path.join(name);
    fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

fn settings(path: &Path) -> anyhow::Result<Settings> {
    Ok(Settings::resolve(&[layer_of(&path.join(RESOLVED))?])?)
}

fn report(path: &Path) -> anyhow::Result<Report> {
    json::parse(&text(path, REPORT)?).with_context(|| format!("reading {}", path.join(REPORT).display()))
}

fn episodes(path: &Path) -> anyhow::Result<EpisodeTable> {
    EpisodeTable::parse(&text(path, EPISODES)?).with_context(|| format!("reading {}", path.join(EPISODES).display()))
}

/// Where it comes from. Evaluations of earlier versions wrote no manifest; one that is there must be whole and must
/// belong to the settings beside it.
fn manifest(path: &Path) -> anyhow::Result<Option<Provenance>> {
    let file = path.join(MANIFEST);
    if !file.is_file() {
        return Ok(None);
    }
    let found: Manifest =
        serde_json::from_str(&text(path, MANIFEST)?).with_context(|| format!("reading {}", file.display()))?;
    let hash = sha256(text(path, RESOLVED)?.as_bytes());
    anyhow::ensure!(
        hash == found.settings_sha256,
        "{}: settings_sha256 = {} is not that of {RESOLVED}, {hash}",
        file.display(),
        found.settings_sha256
    );
    let machine = &found.machine;
    Ok(Some(Provenance {
        machine: format!(
            "{} on {}, {} processors, {} build",
            machine.os, machine.architecture, machine.processors, machine.profile
        ),
        command: readable(found.command),
        version: found.version,
        commit: found.commit,
        settings_sha256: found.settings_sha256,
        inputs: found.inputs.into_iter().map(|input| (input.path, input.sha256)).collect(),
        started: found.started,
    }))
}

/// A command line with the program's name in place of the path that it had on one machine.
fn readable(mut command: Vec<String>) -> Vec<String> {
    if let Some(program) = command.first_mut() {
        "seawall".clone_into(program);
    }
    command
}

/// Learning curves of the training seeds, in the order of the seeds; none in the folder of an evaluation.
fn curves(path: &Path, settings: &Settings) -> anyhow::Result<Vec<Curve>> {
    let mut curves = Vec::new();
    for seed in settings.run.seed..settings.run.seed + settings.run.seeds {
        let name = format!("seed-{seed}/{METRICS}");
        if path.join(&name).is_file() {
            let found = curve(seed, &text(path, &name)?);
            curves.push(found.with_context(|| format!("reading {}", path.join(&name).display()))?);
        }
    }
    Ok(curves)
}

/// What [`crate::training_log`] wrote, as far as a curve needs it.
fn curve(seed: u64, text: &str) -> anyhow::Result<Curve> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        header.iter().position(|found| found == name).with_context(|| format!("there is no column {name}"))
    };
    let value = column("rollout/return_mean")?;
    let (steps, collect, learn) = (column("steps")?, column("time/collect_s")?, column("time/learn_s")?);
    let (mut points, mut wall) = (Vec::new(), 0.0);
    for (iteration, record) in reader.records().enumerate() {
        let record = record?;
        let number = |place: usize| -> anyhow::Result<f64> {
            let cell = record.get(place).unwrap_or_default();
            let parsed = cell.parse::<f64>().ok().filter(|value| value.is_finite());
            parsed.with_context(|| format!("line {}, {}: {cell:?} is no number", iteration + 2, &header[place]))
        };
        wall += number(collect)? + number(learn)?;
        let decisions = number(steps)?;
        // Empty where no episode ended in the iteration.
        if record.get(value).is_some_and(|cell| !cell.is_empty()) {
            points.push(CurvePoint { iteration, decisions, wall_seconds: wall, value: number(value)? });
        }
    }
    Ok(Curve { seed, points })
}

/// In what a report and its episodes contradict each other.
fn disagreements(path: &Path, report: &Report, episodes: &EpisodeTable) -> Vec<String> {
    let mut found = Vec::new();
    for arm in &report.arms {
        let expected = arm.training_seeds.len() * report.scenarios.len() * report.seeds;
        let count = episodes.rows.iter().filter(|row| row.contender == arm.name).count();
        if count != expected {
            let file = path.join(EPISODES);
            found.push(format!(
                "{}: {count} episodes of {}, where {REPORT} counts {expected}",
                file.display(),
                arm.name
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_sums_wall_time_and_skips_iterations_without_episodes() {
        let text = "steps,rollout/return_mean,time/collect_s,time/learn_s\n10,,1,2\n20,-5.5,1,0.5\n";
        let found = curve(7, text).unwrap();
        let point = CurvePoint { iteration: 1, decisions: 20.0, wall_seconds: 4.5, value: -5.5 };
        assert_eq!(found, Curve { seed: 7, points: vec![point] });
        let message = format!("{:#}", curve(7, "steps,x\n1,2\n").unwrap_err());
        assert_eq!(message, "there is no column rollout/return_mean");
        let message = format!("{:#}", curve(7, &text.replace("-5.5", "fine")).unwrap_err());
        assert_eq!(message, "line 3, rollout/return_mean: \"fine\" is no number");
    }
}
