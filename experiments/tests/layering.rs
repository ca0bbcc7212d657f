//! The architecture is its absences: who may import whom, and what nobody below the binary may touch.
//!
//! The edges are read from ARCHITECTURE.md, so the page cannot say one thing and the manifests another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Heading of the block of ARCHITECTURE.md that draws the edges.
const HEADING: &str = "## Who may import whom";

/// Modules of the standard library through which files, arguments, the network and other programs are reached.
const MODULES: [&str; 4] = ["fs", "env", "net", "process"];

/// Printing, and clocks under any import.
const WORDS: [&str; 7] = ["println!(", "eprintln!(", "print!(", "eprint!(", "dbg!(", "Instant::now", "SystemTime::now"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    read(&path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Folders of the workspace's members, as the root manifest spells them.
fn members(root: &Table) -> Vec<String> {
    let list = root["workspace"]["members"].as_array().expect("members are a list");
    list.iter().map(|member| member.as_str().expect("a member is a path").to_owned()).collect()
}

/// Which section a dependency stands in, and the package that it really is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dependency {
    section: String,
    package: String,
}

/// Every dependency of a manifest: for building, testing and running, on every platform.
fn dependencies(manifest: &Table, root: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut collect = |path: &str, table: &Table| {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (key, entry) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                found.push(Dependency { section: format!("{path}{kind}"), package: package(key, entry, root) });
            }
        }
    };
    collect("", manifest);
    for (platform, table) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        collect(&format!("target.{platform}."), table.as_table().expect("a platform has a table"));
    }
    found
}

/// The package behind a key, which a manifest or the workspace may have renamed.
fn package(key: &str, entry: &Value, root: &Table) -> String {
    let is_shared = entry.get("workspace").and_then(Value::as_bool) == Some(true);
    let shared = root.get("workspace").and_then(|workspace| workspace.get("dependencies")?.get(key));
    let entry = if is_shared { shared.unwrap_or(entry) } else { entry };
    entry.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
}

/// The edges that a page draws: for each crate, those that it may import.
fn drawn(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let after = page.split_once(HEADING).expect("the page has the heading").1;
    let block = after.split("```").nth(1).expect("a fenced block follows the heading");
    let edges = block.lines().filter_map(|line| line.split_once('→')).map(|(from, to)| {
        let to = to.split(',').map(str::trim).filter(|name| !name.starts_with('(')).map(str::to_owned);
        (from.trim().to_owned(), to.collect())
    });
    edges.collect()
}

/// What is wrong with a crate's internal dependencies, in sentences.
fn undrawn(
    member: &str,
    dependencies: &[Dependency],
    drawn: &BTreeMap<String, BTreeSet<String>>,
    ours: &BTreeMap<String, String>,
) -> Vec<String> {
    let Some(allowed) = drawn.get(member) else { return vec![format!("{member} is not drawn at all")] };
    let internal =
        dependencies.iter().filter_map(|dependency| Some((&dependency.section, ours.get(&dependency.package)?)));
    internal
        .filter(|(_, to)| !allowed.contains(*to))
        .map(|(section, to)| format!("{member} → {to} ([{section}] of its Cargo.toml)"))
        .collect()
}

/// What a source below the binary touches and must not. Remarks may say what they like.
fn touched(source: &str) -> Vec<String> {
    let code: String = source
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .flat_map(str::chars)
        .filter(|character| !character.is_whitespace())
        .collect();
    let mut found: Vec<String> =
        WORDS.iter().filter(|word| starts_a_word(&code, word)).map(|&word| word.into()).collect();
    for (at, _) in code.match_indices("std::") {
        let rest = &code[at + "std::".len()..];
        for name in first_names(rest) {
            if MODULES.contains(&name) {
                found.push(format!("std::{name}"));
            }
        }
    }
    found
}

/// Whether `code` has `word` where no longer word ends: `print!(` is not found in `eprint!(`.
fn starts_a_word(code: &str, word: &str) -> bool {
    let continues = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(at, _)| !code[..at].ends_with(continues))
}

/// First names of a path or of a group: `fs::read` gives `fs`, `{fs,io::{self,Read}}` gives `fs` and `io`.
fn first_names(path: &str) -> Vec<&str> {
    let name = |path: &str| path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let Some(group) = path.strip_prefix('{') else { return vec![&path[..name(path)]] };
    let (mut names, mut depth, mut is_first) = (Vec::new(), 0_u32, true);
    for (at, character) in group.char_indices() {
        if depth == 0 && is_first {
            names.push(&group[at..at + name(&group[at..])]);
        }
        is_first = character == ',';
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// Sources of a crate. Tests may print and measure: files called `tests.rs` and folders called `tests` are left out,
/// like everything outside `src` (examples, integration tests).
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_crate_imports_one_that_architecture_does_not_draw() {
    let root = root();
    let workspace = manifest(&root);
    let drawn = drawn(&read(&root.join("ARCHITECTURE.md")));
    let members = members(&workspace);
    let names: BTreeSet<&String> = members.iter().collect();
    assert_eq!(drawn.keys().collect::<BTreeSet<_>>(), names, "the page draws the members of the workspace");
    let name = |member: &String| manifest(&root.join(member))["package"]["name"].as_str().map(str::to_owned);
    let ours: BTreeMap<String, String> =
        members.iter().map(|member| (name(member).expect("a package has a name"), member.clone())).collect();
    let wrong: Vec<String> = members
        .iter()
        .flat_map(|member| undrawn(member, &dependencies(&manifest(&root.join(member)), &workspace), &drawn, &ours))
        .collect();
    assert!(wrong.is_empty(), "not drawn in ARCHITECTURE.md: {wrong:#?}");
}

#[test]
fn only_training_names_burn() {
    let root = root();
    let workspace = manifest(&root);
    let is_burn = |dependency: &Dependency| dependency.package == "burn" || dependency.package.starts_with("burn-");
    let naming: Vec<String> = members(&workspace)
        .into_iter()
        .filter(|member| dependencies(&manifest(&root.join(member)), &workspace).iter().any(is_burn))
        .collect();
    assert_eq!(naming, ["training"]);
}

#[test]
fn the_runtime_needs_libm_and_nothing_else() {
    let root = root();
    let all = dependencies(&manifest(&root.join("agents/runtime")), &manifest(&root));
    let needed: Vec<&Dependency> =
        all.iter().filter(|dependency| !dependency.section.ends_with("dev-dependencies")).collect();
    assert_eq!(needed, [&Dependency { section: "dependencies".into(), package: "libm".into() }]);
}

#[test]
fn nothing_below_experiments_opens_a_file_reads_arguments_or_a_clock_or_prints() {
    let root = root();
    let mut wrong = Vec::new();
    for member in members(&manifest(&root)).into_iter().filter(|member| member != "experiments") {
        let sources = sources(&root.join(&member).join("src"));
        assert!(!sources.is_empty(), "{member} has sources");
        for path in sources {
            let file = path.strip_prefix(&root).expect("a source stands in the workspace").display().to_string();
            wrong.extend(touched(&read(&path)).into_iter().map(|what| format!("{file}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "only `experiments` may: {wrong:#?}");
}

#[test]
fn an_edge_that_is_not_drawn_is_named_with_its_section() {
    let page = format!("{HEADING}\nText.\n```text\neval   → agents, env\nenv → (nothing of ours)\n```\n");
    let drawn = drawn(&page);
    let root: Table =
        "[workspace.dependencies]\ntrainer = { path = 'training', package = 'seawall-training' }".parse().unwrap();
    let manifest: Table = "[dependencies]\nseawall-env = '1'\nserde = '1'\n\
                           [target.'cfg(unix)'.dev-dependencies]\ntrainer.workspace = true"
        .parse()
        .unwrap();
    let ours = [("seawall-env", "env"), ("seawall-training", "training")];
    let ours = ours.into_iter().map(|(package, member)| (package.to_owned(), member.to_owned())).collect();
    assert_eq!(
        undrawn("eval", &dependencies(&manifest, &root), &drawn, &ours),
        ["eval → training ([target.cfg(unix).dev-dependencies] of its Cargo.toml)"]
    );
    assert_eq!(undrawn("env", &dependencies(&manifest, &root), &drawn, &ours).len(), 2);
    assert_eq!(undrawn("ray", &[], &drawn, &ours), ["ray is not drawn at all"]);
}

#[test]
fn forbidden_doors_are_found_however_they_are_opened() {
    for (source, expected) in [
        ("use std::fs::File;", "std::fs"),
        ("use std::{collections::BTreeMap, env};", "std::env"),
        ("use std::{io::{self, Read}, fs};", "std::fs"),
        ("let file = std :: fs :: read(path);", "std::fs"),
        ("    println!(\"{x}\"); // why", "println!("),
        ("let start = Instant::now();", "Instant::now"),
    ] {
        assert_eq!(touched(source), [expected], "{source}");
    }
    for innocent in [
        "// std::fs is not for us",
        "use std::{io::{self, Read}, fmt};",
        "env!(\"CARGO_PKG_VERSION\")",
        "use crate::env;",
    ] {
        assert_eq!(touched(innocent), [""; 0], "{innocent}");
    }
}
