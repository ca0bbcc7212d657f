//! Arguments as they are typed, shared by several commands, and what they mean: layers of settings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::{Table, Value};

use crate::candles::{Gaps, parse_end};
use crate::foresight::{beside, pinned};
use crate::run_folder::RESOLVED;
use crate::settings::{DEFAULT, Layer, SMOKE, Settings, SuiteFile, shipped_suite};

/// Arguments that change settings. Later layers win: the default, --config, --suite, the flags, --set.
#[derive(Debug, clap::Args)]
pub(crate) struct SettingsArgs {
    /// Settings over the default: a TOML file, or `smoke`, which is built in
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Scenarios to train on, choose by and report on that share none: a TOML file, or `held_out`, which is built in
    #[arg(long, value_name = "FILE")]
    suite: Option<PathBuf>,
    /// One setting, such as ppo.clip=0.1; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Root seed
    #[arg(long)]
    seed: Option<i64>,
    /// Let burn compute the gradients, on this tensor library
    #[arg(long, value_parser = ["flex", "ndarray"])]
    backend: Option<String>,
    /// Threads; 0 takes all processors
    #[arg(long)]
    threads: Option<i64>,
    /// Files of historical candles in place of scenarios: CSV, gzipped CSV or Parquet
    #[arg(long, value_name = "FILE", num_args = 1..)]
    replay: Vec<String>,
    /// First moment of the candles: a UTC date, an ISO 8601 time, or a time since 1970
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<String>,
    /// First moment after them
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<String>,
    /// What to do about missing bars
    #[arg(long)]
    gaps: Option<Gaps>,
}

/// Checks a time and keeps it as it was typed, so that the resolved settings read as the command did.
fn time(text: &str) -> Result<String, String> {
    parse_end(text).map(|_| text.to_owned())
}

impl SettingsArgs {
    /// A file of settings and single ones, for commands that take no others.
    pub(crate) fn of(config: Option<PathBuf>, sets: Vec<String>) -> Self {
        Self {
            config,
            suite: None,
            sets,
            seed: None,
            backend: None,
            threads: None,
            replay: Vec::new(),
            from: None,
            to: None,
            gaps: None,
        }
    }

    /// The settings that the arguments mean.
    ///
    /// # Errors
    /// If a file cannot be read, or with everything that is wrong with the settings.
    pub(crate) fn settings(&self, more: &[Layer]) -> anyhow::Result<Settings> {
        let mut layers = self.config_layer()?.into_iter().collect::<Vec<_>>();
        layers.extend(self.flags(more)?);
        pinned(Settings::resolve(&layers)?)
    }

    /// As [`SettingsArgs::settings`], over the settings that stand beside a policy unless a configuration is given.
    ///
    /// # Errors
    /// As [`SettingsArgs::settings`].
    pub(crate) fn settings_beside(&self, policy: &Path) -> anyhow::Result<Settings> {
        let folder = if policy.is_dir() { policy } else { policy.parent().unwrap_or(policy) };
        let file = folder.join(RESOLVED);
        if self.config.is_some() || !file.is_file() {
            return self.settings(&[]);
        }
        let mut layers = vec![layer_of(&file)?];
        layers.extend(self.flags(&[])?);
        pinned(Settings::resolve(&layers)?)
    }

    /// Whether an argument asks for other settings than those beside a policy.
    pub(crate) fn is_given(&self) -> bool {
        let Self { config, suite, sets, seed, backend, threads: _, replay, from, to, gaps } = self;
        config.is_some()
            || suite.is_some()
            || !sets.is_empty()
            || seed.is_some()
            || backend.is_some()
            || !replay.is_empty()
            || from.is_some()
            || to.is_some()
            || gaps.is_some()
    }

    /// Threads, if they are given.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.and_then(|threads| usize::try_from(threads).ok())
    }

    fn config_layer(&self) -> anyhow::Result<Option<Layer>> {
        let Some(path) = &self.config else { return Ok(None) };
        let built_in = [("default", DEFAULT), ("smoke", SMOKE)];
        match built_in.iter().find(|(name, _)| path.as_os_str() == *name && !path.exists()) {
            Some((name, text)) => Ok(Some(Layer::from_text(name, text)?)),
            None => layer_of(path).map(Some),
        }
    }

    fn suite_layer(&self) -> anyhow::Result<Option<Layer>> {
        let Some(path) = &self.suite else { return Ok(None) };
        let built_in = path.to_str().filter(|_| !path.exists()).and_then(shipped_suite);
        let origin = path.display().to_string();
        let suite = match built_in {
            Some(text) => SuiteFile::from_text(&origin, text)?,
            None => {
                let text = fs::read_to_string(path).with_context(|| format!("reading the suite {origin}"))?;
                SuiteFile::from_text(&origin, &text)?
            }
        };
        Ok(Some(suite.layer(&origin)))
    }

    fn flags(&self, more: &[Layer]) -> anyhow::Result<Vec<Layer>> {
        let strings = |list: &[String]| Value::Array(list.iter().cloned().map(Value::String).collect());
        let gaps = self.gaps.map(|gaps| match gaps {
            Gaps::Error => "error",
            Gaps::Hold => "hold",
            Gaps::Split => "split",
        });
        let given = [
            ("--seed", "run.seed", self.seed.map(Value::Integer)),
            ("--backend", "run.backend", self.backend.clone().map(Value::String)),
            ("--backend", "ppo.gradient", self.backend.as_ref().map(|_| Value::String("autodiff".to_owned()))),
            ("--threads", "run.threads", self.threads.map(Value::Integer)),
            ("--replay", "replay.files", (!self.replay.is_empty()).then(|| strings(&self.replay))),
            ("--from", "replay.from", self.from.clone().map(Value::String)),
            ("--to", "replay.to", self.to.clone().map(Value::String)),
            ("--gaps", "replay.gaps", gaps.map(|gaps| Value::String(gaps.to_owned()))),
        ];
        let mut layers: Vec<Layer> = self.suite_layer()?.into_iter().collect();
        layers.extend(given.into_iter().filter_map(|(flag, path, value)| Some(flag_layer(flag, path, value?))));
        layers.extend(more.iter().cloned());
        for set in &self.sets {
            layers.push(Layer::from_set(set)?);
        }
        Ok(layers)
    }
}

/// One setting that a flag stands for.
pub(crate) fn flag_layer(flag: &str, path: &str, value: Value) -> Layer {
    let (section, key) = path.split_once('.').expect("a setting stands in a section");
    let inner = Table::from_iter([(key.to_owned(), value)]);
    let table = Table::from_iter([(section.to_owned(), Value::Table(inner))]);
    Layer { origin: flag.to_owned(), table }
}

/// A file of settings as a layer.
///
/// # Errors
/// If it cannot be read or is not TOML.
pub(crate) fn layer_of(path: &Path) -> anyhow::Result<Layer> {
    let text = fs::read_to_string(path).with_context(|| format!("reading the settings {}", path.display()))?;
    Ok(beside(path, Layer::from_text(&path.display().to_string(), &text)?))
}
