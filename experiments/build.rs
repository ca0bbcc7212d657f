//! Tells the program which commit it was built from, for the manifests of its runs.

use std::path::Path;
use std::process::Command;

fn main() {
    // The sources of every crate decide whether the tree is clean.
    for path in
        ["../Cargo.lock", "../env", "../agents", "../training", "../eval", "../experiments", "../.git/logs/HEAD"]
    {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        let is_dirty =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_none_or(|changes| !changes.is_empty());
        println!("cargo::rustc-env=SEAWALL_COMMIT={commit}{}", if is_dirty { "-dirty" } else { "" });
    }
}

/// What git says, or nothing without git or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
