//! What an engine needs to run a study's trials elsewhere: every one of them reads the same files and obeys one protocol.
//!
//! `seawall trial STUDY --index N` runs the trial on line N of `trials.txt`, counted from zero. It ends with 0 when the
//! result is written, now or before; with 75 when it was told to stop and its checkpoint is whole, so it is to be run again;
//! with anything else when running it again would fail again. Results do not depend on who ran what.

use std::path::Path;

use anyhow::Context;

use super::trial::Trial;
use crate::run_folder::{RunFolder, write_atomically};

/// List of the trials' files in a study's folder, one a line.
pub(crate) const LIST: &str = "trials.txt";
/// Most trials that may fail for lack of a node or a disk before an index is given up.
const RETRIES: u32 = 3;

/// An engine that runs trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Launcher {
    /// This machine, now.
    Local,
    /// A Slurm array job.
    Slurm,
    /// A Kubernetes indexed job.
    Kubernetes,
    /// Ray tasks.
    Ray,
}

/// What an engine is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Processors of one trial.
    pub(crate) processors: u32,
    /// Trials at the same time.
    pub(crate) parallel: u32,
    /// Container image with `seawall` on its path, of Kubernetes.
    pub(crate) image: String,
    /// Claim of the volume that holds the study's folder, of Kubernetes.
    pub(crate) claim: String,
}

impl Launcher {
    /// Name of the file that the engine is handed, and how it is handed it.
    const fn file(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Local => None,
            Self::Slurm => Some(("slurm.sh", "sbatch")),
            Self::Kubernetes => Some(("job.yaml", "kubectl apply -f")),
            Self::Ray => Some(("ray_driver.py", "python")),
        }
    }

    /// Writes the list of trials and what the engine needs; returns how it is started. Nothing for [`Launcher::Local`].
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(
        self,
        study: &RunFolder,
        (name, trials): (&str, &[&Trial]),
        request: &Request,
    ) -> anyhow::Result<Option<String>> {
        let list: String = trials.iter().map(|trial| format!("{}/{}.toml\n", super::TRIALS, trial.name)).collect();
        study.write(LIST, list.as_bytes())?;
        let Some((file, way)) = self.file() else { return Ok(None) };
        let path = study.path().canonicalize().with_context(|| format!("finding {}", study.path().display()))?;
        let text = self.text(&path.display().to_string(), name, trials.len(), request);
        let file = study.file(file);
        write_atomically(&file, text.as_bytes()).with_context(|| format!("writing {}", file.display()))?;
        Ok(Some(format!("{way} {}", file.display())))
    }

    fn text(self, folder: &str, name: &str, trials: usize, request: &Request) -> String {
        let template = match self {
            Self::Local => "",
            Self::Slurm => include_str!("slurm.sh"),
            Self::Kubernetes => include_str!("job.yaml"),
            Self::Ray => include_str!("ray_driver.py"),
        };
        // Names of studies are letters, digits, '-' and '_'; Kubernetes knows no '_'.
        let label = name.replace('_', "-");
        let (quoted, folder) = match self {
            Self::Slurm => (shell(folder), folder.to_owned()),
            Self::Local | Self::Kubernetes | Self::Ray => (json(folder), folder.to_owned()),
        };
        let values = [
            ("@FOLDER_QUOTED@", quoted),
            ("@FOLDER@", folder),
            ("@NAME@", label.trim_matches('-').to_owned()),
            ("@TRIALS@", trials.to_string()),
            ("@LAST@", trials.saturating_sub(1).to_string()),
            ("@PROCESSORS@", request.processors.to_string()),
            ("@PARALLEL@", request.parallel.min(u32::try_from(trials).unwrap_or(u32::MAX)).max(1).to_string()),
            ("@RETRIES@", RETRIES.to_string()),
            ("@IMAGE@", json(&request.image)),
            ("@CLAIM@", json(&request.claim)),
        ];
        values.iter().fold(template.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }
}

/// A text as a string of JSON, of YAML and of Python alike.
fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// A text as one word of a shell.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The trial on one line of a study's list.
///
/// # Errors
/// If there is no list, or no such line.
pub(crate) fn at(study: &Path, index: usize) -> anyhow::Result<Trial> {
    let path = study.join(LIST);
    let list = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let line = list.lines().nth(index);
    let line = line.with_context(|| format!("{} has no line {index}, counted from zero", path.display()))?;
    Trial::read(&study.join(line))
}
