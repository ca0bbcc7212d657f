//! How often a report set was looked at: written into a run's folder before it is played, so that nothing hides a look.
//!
//! Whatever is chosen after a look at these episodes is no longer judged on held-out ones. Nobody can be kept from looking;
//! what can be done is to say so beside the figures.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::entry::run_of;
use crate::run_folder::RunFolder;

/// The looks, in a run's folder.
pub(crate) const OPENINGS: &str = "openings.json";

/// One look at a report set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opening {
    /// Hash of the suite: scenarios, seeds and split.
    pub(crate) suite: String,
    /// SHA-256 of what every given policy is, and its name; the hand-written baselines are the program's.
    pub(crate) policies: BTreeSet<(String, String)>,
    /// When, UTC.
    pub(crate) opened: String,
}

/// What a look is, after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nobody has looked at these episodes, or with these policies and others: what is judged was chosen before any look.
    First,
    /// They were looked at with other policies before some of these came, this often with this look.
    Again(usize),
}

impl Look {
    /// What has to be said beside the figures.
    pub(crate) fn caution(self) -> Option<String> {
        let Self::Again(times) = self else { return None };
        Some(format!(
            "This report set has been opened {times} times, each time with policies that had not been judged on it \
             ({OPENINGS}): whatever was chosen after the first is not judged on held-out episodes.",
        ))
    }
}

/// What a look with these policies is, and whether it is to be written down.
fn judged(before: &[Opening], suite: &str, policies: &BTreeSet<(String, String)>) -> (Look, bool) {
    let of_suite: Vec<&Opening> = before.iter().filter(|opening| opening.suite == suite).collect();
    // Only the bytes of a policy are looked at: under another name it is the same.
    let is_among = |openings: &[&Opening]| {
        let seen: BTreeSet<&String> =
            openings.iter().flat_map(|opening| &opening.policies).map(|(_, sha256)| sha256).collect();
        policies.iter().all(|(_, sha256)| seen.contains(sha256))
    };
    match of_suite.as_slice() {
        [] => (Look::First, true),
        [first, ..] if is_among(&[first]) => (Look::First, false),
        all if is_among(all) => (Look::Again(all.len()), false),
        all => (Look::Again(all.len() + 1), true),
    }
}

/// Writes down that the episodes of `suite` are about to be played with these policies; says what that look is.
///
/// # Errors
/// If what was written before cannot be read, or the folder cannot be written to.
pub(crate) fn open(folder: &RunFolder, suite: &str, policies: &BTreeSet<(String, String)>) -> anyhow::Result<Look> {
    let mut openings = read(folder)?;
    let (look, is_new) = judged(&openings, suite, policies);
    if is_new {
        let (suite, policies) = (suite.to_owned(), policies.clone());
        openings.push(Opening { suite, policies, opened: clock::utc_now() });
        let text = serde_json::to_string_pretty(&openings).context("writing the openings as JSON")?;
        folder.write(OPENINGS, (text + "\n").as_bytes())?;
    }
    Ok(look)
}

/// Writes into the folder of every run, and into that of this judgement, that the report set is opened; what is to be said
/// about it.
///
/// # Errors
/// If what was written before cannot be read, or a folder cannot be written to.
pub(crate) fn look(
    exports: &[PathBuf],
    own: Option<&RunFolder>,
    suite: &str,
    policies: &BTreeSet<(String, String)>,
) -> anyhow::Result<Vec<String>> {
    if let Some(own) = own {
        open(own, suite, policies)?;
    }
    let runs: BTreeSet<PathBuf> = exports.iter().filter_map(|path| run_of(path)).collect();
    let mut notes = Vec::new();
    for run in runs {
        let opened = open(&RunFolder::open(&run)?, suite, policies)?;
        notes.extend(opened.caution().map(|caution| format!("{}: {caution}", run.display())));
    }
    Ok(notes)
}

/// The looks so far; none in a folder of a version that did not write them.
fn read(folder: &RunFolder) -> anyhow::Result<Vec<Opening>> {
    if !folder.file(OPENINGS).is_file() {
        return Ok(Vec::new());
    }
    let text = folder.read_text(OPENINGS)?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", folder.file(OPENINGS).display()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn policies(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        list.iter().map(|(name, sha256)| ((*name).to_owned(), (*sha256).to_owned())).collect()
    }

    #[test]
    fn a_second_look_with_other_policies_is_counted_and_a_repetition_is_not() {
        let directory = TempDir::new().unwrap();
        let folder = RunFolder::at(directory.path()).unwrap();
        let both = policies(&[("ppo", "a1"), ("ppo", "b2")]);
        assert_eq!(open(&folder, "set", &both).unwrap(), Look::First);
        // The one that was chosen of both, under another name; and nobody but the baselines.
        assert_eq!(open(&folder, "set", &policies(&[("chosen", "b2")])).unwrap(), Look::First);
        assert_eq!(open(&folder, "set", &policies(&[])).unwrap(), Look::First);
        assert_eq!(open(&folder, "other", &both).unwrap(), Look::First);
        assert_eq!(read(&folder).unwrap().len(), 2);
        let later = policies(&[("ppo", "a1"), ("ppo", "c3")]);
        let again = open(&folder, "set", &later).unwrap();
        assert_eq!(again, Look::Again(2));
        assert!(again.caution().unwrap().contains("opened 2 times"));
        // What came later does not become what was there before by being judged twice.
        assert_eq!(open(&folder, "set", &later).unwrap(), Look::Again(2));
        assert_eq!(open(&folder, "set", &policies(&[("ppo", "d4")])).unwrap(), Look::Again(3));
        assert_eq!(open(&folder, "set", &both).unwrap(), Look::First);
        assert_eq!(read(&folder).unwrap().len(), 4);
        std::fs::write(folder.file(OPENINGS), "[{}]").unwrap();
        assert!(open(&folder, "set", &both).unwrap_err().to_string().contains(OPENINGS));
    }
}
