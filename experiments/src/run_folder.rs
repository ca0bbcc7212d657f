//! A run's folder: what was asked for, where it ran, and files that are whole or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock;

/// The settings that the run has, every key named.
pub(crate) const RESOLVED: &str = "resolved.toml";
/// What ran, where and when.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The learner's whole state after the last checkpointed iteration.
pub(crate) const CHECKPOINT: &str = "checkpoint.bin";
/// The checkpoint before that, for when a disk spoils the last.
pub(crate) const CHECKPOINT_BEFORE: &str = "checkpoint.previous.bin";
/// Copies of the policies that an evaluation was given, by their names in its report.
pub(crate) const POLICIES: &str = "policies";
/// One row for each iteration.
pub(crate) const METRICS: &str = "metrics.csv";

/// Name of the folder of the training run that `seed` names.
pub(crate) fn seed_folder(seed: u64) -> String {
    format!("seed-{seed}")
}

/// What ran, where and when: enough to run it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of this program.
    pub(crate) version: String,
    /// Git commit that it was built from, `-dirty` with uncommitted changes; nothing outside a repository.
    pub(crate) commit: Option<String>,
    /// The command line, program name included.
    pub(crate) command: Vec<String>,
    /// SHA-256 of the resolved settings' text.
    pub(crate) settings_sha256: String,
    /// Root seed of this run.
    pub(crate) seed: u64,
    /// Input files by the names they were given by, each with its SHA-256.
    pub(crate) inputs: Vec<Input>,
    /// Where it ran.
    pub(crate) machine: Machine,
    /// When the run began, UTC.
    pub(crate) started: String,
    /// When it was resumed, UTC, each time.
    pub(crate) resumed: Vec<String>,
}

/// One file that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Input {
    /// As it was named on the command line.
    pub(crate) path: String,
    /// SHA-256 of its bytes.
    pub(crate) sha256: String,
}

/// The machine that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Operating system.
    pub(crate) os: String,
    /// Processor architecture.
    pub(crate) architecture: String,
    /// Processors that the process may use.
    pub(crate) processors: usize,
    /// Profile that the program was built with.
    pub(crate) profile: String,
}

impl Manifest {
    /// A manifest of now and here.
    pub(crate) fn new(settings: &str, seed: u64, inputs: Vec<Input>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("SEAWALL_COMMIT").map(str::to_owned),
            command: std::env::args().collect(),
            settings_sha256: sha256(settings.as_bytes()),
            seed,
            inputs,
            machine: Machine::here(),
            started: clock::utc_now(),
            resumed: Vec::new(),
        }
    }
}

impl Machine {
    /// This machine.
    pub(crate) fn here() -> Self {
        Self {
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }
}

/// Hex SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes a file that a run reads.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn input(path: &Path) -> anyhow::Result<Input> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(Input { path: path.display().to_string(), sha256: sha256(&bytes) })
}

/// A folder that belongs to one run.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run: `out` itself, or `runs/<name>-seed<seed>-<utc>` for want of one.
    ///
    /// # Errors
    /// If it exists and is not empty, or cannot be made.
    pub(crate) fn create(out: Option<&Path>, name: &str, seed: u64) -> anyhow::Result<Self> {
        let path = match out {
            Some(path) => path.to_owned(),
            None => PathBuf::from("runs").join(format!("{name}-seed{seed}-{}", clock::utc_compact())),
        };
        if path.exists() {
            let mut entries = fs::read_dir(&path).with_context(|| format!("opening the folder {}", path.display()))?;
            if entries.next().is_some() {
                let shown = path.display();
                let is_run = path.join(MANIFEST).is_file();
                let way = if is_run { format!(", or continue that run with --resume {shown}") } else { String::new() };
                bail!("{shown} is not empty: choose another folder{way}");
            }
        }
        fs::create_dir_all(&path).with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self { path })
    }

    /// A folder that goes on from whatever stands in it, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn at(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the folder of an earlier run.
    ///
    /// # Errors
    /// If it is not such a folder.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let this = Self { path: path.to_owned() };
        for needed in [RESOLVED, MANIFEST] {
            if !this.file(needed).is_file() {
                bail!("{} is not a run folder: it has no {needed}", path.display());
            }
        }
        Ok(this)
    }

    /// A folder inside, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn child(&self, name: &str) -> anyhow::Result<Self> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).with_context(|| format!("making the folder {}", path.display()))?;
        Ok(Self { path })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a text file in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read_text(&self, name: &str) -> anyhow::Result<String> {
        let path = self.file(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Writes a file as a whole: nobody ever sees a part of it, whatever happens meanwhile.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.file(name);
        write_atomically(&path, bytes).with_context(|| format!("writing {}", path.display()))
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write_manifest(&self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(manifest).context("writing the manifest as JSON")?;
        self.write(MANIFEST, (text + "\n").as_bytes())
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// If it cannot be read or is none.
    pub(crate) fn manifest(&self) -> anyhow::Result<Manifest> {
        let text = self.read_text(MANIFEST)?;
        serde_json::from_str(&text).with_context(|| format!("reading {}", self.file(MANIFEST).display()))
    }

    /// Writes a checkpoint and keeps the one before it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write_checkpoint(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let (current, before) = (self.file(CHECKPOINT), self.file(CHECKPOINT_BEFORE));
        if current.exists() {
            // A kill between this and the next rename leaves only the earlier one, which `checkpoints` then finds.
            fs::rename(&current, &before).with_context(|| format!("keeping {}", current.display()))?;
        }
        self.write(CHECKPOINT, bytes)
    }

    /// Checkpoints to resume from, the newest first.
    ///
    /// # Errors
    /// If one exists and cannot be read.
    pub(crate) fn checkpoints(&self) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
        let mut found = Vec::new();
        for name in [CHECKPOINT, CHECKPOINT_BEFORE] {
            let path = self.file(name);
            match fs::read(&path) {
                Ok(bytes) => found.push((path, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
            }
        }
        Ok(found)
    }
}

/// Writes beside the file, syncs, renames over it, and syncs the folder.
///
/// # Errors
/// If it cannot be written; what was there before then stays.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&beside, path)) {
        // The first error is the one to report; a leftover temporary file harms nobody.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    sync_folder(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Only Unix lets a folder be opened and synced.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn folder() -> (TempDir, RunFolder) {
        let directory = TempDir::new().unwrap();
        let folder = RunFolder::create(Some(&directory.path().join("run")), "x", 7).unwrap();
        (directory, folder)
    }

    #[test]
    fn a_folder_with_anything_in_it_is_not_overwritten() {
        let (_directory, folder) = folder();
        RunFolder::create(Some(folder.path()), "x", 7).unwrap();
        folder.write(METRICS, b"a").unwrap();
        let message = RunFolder::create(Some(folder.path()), "x", 7).unwrap_err().to_string();
        assert!(message.ends_with("is not empty: choose another folder"), "{message}");
        folder.write(MANIFEST, b"{}").unwrap();
        let message = RunFolder::create(Some(folder.path()), "x", 7).unwrap_err().to_string();
        assert!(message.contains("or continue that run with --resume "), "{message}");
    }

    #[test]
    fn a_folder_without_manifest_is_no_run() {
        let (_directory, folder) = folder();
        let message = RunFolder::open(folder.path()).unwrap_err().to_string();
        assert!(message.ends_with("is not a run folder: it has no resolved.toml"), "{message}");
    }

    #[test]
    fn the_last_two_checkpoints_are_kept_and_no_temporary_file_stays() {
        let (_directory, folder) = folder();
        assert_eq!(folder.checkpoints().unwrap(), []);
        for content in [b"one", b"two", b"six"] {
            folder.write_checkpoint(content).unwrap();
        }
        let contents: Vec<Vec<u8>> = folder.checkpoints().unwrap().into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(contents, [b"six", b"two"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_kill_between_the_renames_leaves_the_earlier_checkpoint() {
        let (_directory, folder) = folder();
        folder.write_checkpoint(b"one").unwrap();
        fs::rename(folder.file(CHECKPOINT), folder.file(CHECKPOINT_BEFORE)).unwrap();
        fs::write(folder.file("checkpoint.bin.123.tmp"), b"half").unwrap();
        assert_eq!(folder.checkpoints().unwrap()[0].1, b"one");
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let (_directory, folder) = folder();
        folder.write(METRICS, b"old").unwrap();
        // The temporary file's place is taken by a folder, so the write must fail.
        fs::create_dir(folder.file(&format!("{METRICS}.{}.tmp", std::process::id()))).unwrap();
        folder.write(METRICS, b"new").unwrap_err();
        assert_eq!(folder.read_text(METRICS).unwrap(), "old");
    }

    #[test]
    fn a_manifest_survives_the_round_trip() {
        let (_directory, folder) = folder();
        let input = input(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap();
        let manifest = Manifest::new("a = 1\n", u64::MAX, vec![input]);
        folder.write_manifest(&manifest).unwrap();
        assert_eq!(folder.manifest().unwrap(), manifest);
        // printf 'a = 1\n' | sha256sum
        assert_eq!(manifest.settings_sha256, "cb78bd8a17f7b751fe0d4663366dcbc257204033ef7ddd64b1f2969573b5b2e2");
    }
}
