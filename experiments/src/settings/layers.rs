//! Layered configuration: a complete base, files over it, single keys over those, and every problem at once.

use std::fmt;

use seawall_env::Problem;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

/// A part of a configuration and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    /// File name or `--set`, as problems cite it.
    pub(crate) origin: String,
    /// The keys that it sets.
    pub(crate) table: Table,
}

/// Why a configuration was refused: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsError(pub(crate) Vec<(Problem, Option<String>)>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid settings:")?;
        for (Problem { field, value, bound }, origin) in &self.0 {
            let origin = origin.as_ref().map_or_else(String::new, |origin| format!(" ({origin})"));
            write!(f, "\n  {field} = {value}{origin}: must be {bound}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

impl Layer {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// [`SettingsError`] with line and column if it is not TOML.
    pub(crate) fn from_text(origin: &str, text: &str) -> Result<Self, SettingsError> {
        let table = text.parse::<Table>().map_err(|error| {
            let at = error.span().map_or_else(String::new, |span| position(text, span.start));
            let bound = format!("valid TOML: {}", error.message());
            SettingsError(vec![(Problem::new(at, "(text)", bound), Some(origin.to_owned()))])
        })?;
        Ok(Self { origin: origin.to_owned(), table })
    }

    /// A table whose keys may be whole paths, such as `"ppo.clip" = 0.1`.
    pub(crate) fn from_keys(origin: &str, keys: &Table) -> Self {
        let mut leaves = Vec::new();
        collect(keys, origin, &mut Vec::new(), &mut leaves);
        let mut table = Table::new();
        for leaf in leaves {
            let path: Vec<&str> = leaf.path.iter().flat_map(|key| key.split('.').map(str::trim)).collect();
            insert(&mut table, &path, leaf.value.clone());
        }
        Self { origin: origin.to_owned(), table }
    }

    /// Paths of the keys that it sets.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        collect(&self.table, &self.origin, &mut Vec::new(), &mut leaves);
        leaves.into_iter().map(|leaf| leaf.path.join(".")).collect()
    }

    /// Reads one `a.b=value`; a value that is not TOML is a plain string.
    ///
    /// # Errors
    /// [`SettingsError`] if there is no key or no `=`.
    pub(crate) fn from_set(argument: &str) -> Result<Self, SettingsError> {
        let refused = || {
            let problem = Problem::new("--set", argument, "section.key=value");
            SettingsError(vec![(problem, None)])
        };
        let (path, value) = argument.split_once('=').ok_or_else(refused)?;
        let path: Vec<&str> = path.split('.').map(str::trim).collect();
        if path.iter().any(|key| key.is_empty()) {
            return Err(refused());
        }
        let value = format!("value = {value}")
            .parse::<Table>()
            .ok()
            .filter(|table| table.len() == 1)
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(value.trim().to_owned()));
        let mut table = Table::new();
        insert(&mut table, &path, value);
        Ok(Self { origin: "--set".to_owned(), table })
    }
}

/// One key of a layer that is not a table.
struct Leaf<'a> {
    path: Vec<&'a str>,
    value: &'a Value,
    origin: &'a str,
}

/// Lays `layers` over `base`, the later the stronger, and reads the result; then asks `validate` about ranges.
///
/// # Errors
/// [`SettingsError`] with every unknown key, every value of a wrong type and every problem of `validate`.
///
/// # Panics
/// If `base` alone is not a complete, valid configuration.
pub(crate) fn resolve<T: DeserializeOwned>(
    base: &str,
    layers: &[Layer],
    validate: impl Fn(&T) -> Vec<Problem>,
) -> Result<T, SettingsError> {
    let base: Table = base.parse().expect("the embedded configuration is TOML");
    let mut leaves = Vec::new();
    for layer in layers {
        collect(&layer.table, &layer.origin, &mut Vec::new(), &mut leaves);
    }
    let with = |leaves: &[&Leaf<'_>]| {
        let mut table = base.clone();
        for leaf in leaves {
            insert(&mut table, &leaf.path, leaf.value.clone());
        }
        Value::Table(table).try_into::<T>()
    };
    let all: Vec<&Leaf<'_>> = leaves.iter().collect();
    let mut problems = Vec::new();
    let settings = match with(&all) {
        Ok(settings) => settings,
        Err(joint) => {
            // Serde stops at the first error, so each key is tried alone: those that fail are all the culprits.
            let mut sound = Vec::new();
            for leaf in &leaves {
                match with(&[leaf]) {
                    Ok(_) => sound.push(leaf),
                    Err(error) => problems.push(leaf.problem(error.message())),
                }
            }
            if problems.is_empty() {
                problems.push((Problem::new("the settings", "(together)", joint.message()), None));
            }
            match with(&sound) {
                Ok(settings) => settings,
                Err(_) => return Err(SettingsError(problems)),
            }
        }
    };
    for problem in validate(&settings) {
        let origin = leaves.iter().rev().find(|leaf| leaf.covers(&problem.field)).map(|leaf| leaf.origin.to_owned());
        problems.push((problem, origin));
    }
    if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems)) }
}

impl Leaf<'_> {
    fn problem(&self, message: &str) -> (Problem, Option<String>) {
        (Problem::new(self.path.join("."), self.value, bound_of(message)), Some(self.origin.to_owned()))
    }

    /// Whether `field`, such as `ppo.actor_hidden[1]`, lies in this key.
    fn covers(&self, field: &str) -> bool {
        let path = self.path.join(".");
        field.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// Turns serde's sentence into the bound that it names.
fn bound_of(message: &str) -> String {
    let message = message.lines().next().unwrap_or(message);
    let Some((found, expected)) = message.split_once("expected ") else { return message.to_owned() };
    if found.starts_with("unknown field") {
        return format!("a known key: {expected}");
    }
    let expected = match expected {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "bool" | "a boolean" => "true or false",
        "a sequence" => "an array",
        other => other,
    };
    expected.to_owned()
}

fn collect<'a>(table: &'a Table, origin: &'a str, path: &mut Vec<&'a str>, leaves: &mut Vec<Leaf<'a>>) {
    for (key, value) in table {
        path.push(key);
        match value {
            Value::Table(inner) if !inner.is_empty() => collect(inner, origin, path, leaves),
            value => leaves.push(Leaf { path: path.clone(), value, origin }),
        }
        path.pop();
    }
}

/// Sets one key; a value in the way of a table makes room for it.
fn insert(table: &mut Table, path: &[&str], value: Value) {
    let (first, rest) = path.split_first().expect("a path has at least one key");
    if rest.is_empty() {
        table.insert((*first).to_owned(), value);
        return;
    }
    let inner = table.entry(*first).or_insert_with(|| Value::Table(Table::new()));
    if !inner.is_table() {
        *inner = Value::Table(Table::new());
    }
    if let Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}

fn position(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        run: Run,
        ppo: Ppo,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Run {
        seed: u64,
        name: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ppo {
        clip: f64,
        hidden: Vec<usize>,
        limit: Limit,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Limit {
        Off,
        At(f64),
    }

    const BASE: &str = "run = { seed = 1, name = 'a' }\nppo = { clip = 0.2, hidden = [64, 64], limit = { at = 0.03 } }";

    fn validate(settings: &Settings) -> Vec<Problem> {
        let mut problems = seawall_env::Problems::default();
        problems.range("ppo.clip", settings.ppo.clip, 0.0, 1.0);
        for (index, width) in settings.ppo.hidden.iter().enumerate() {
            problems.require(*width > 0, format!("ppo.hidden[{index}]"), width, "1 or more");
        }
        problems.0
    }

    fn resolved(file: &str, sets: &[&str]) -> Result<Settings, SettingsError> {
        let mut layers = vec![Layer::from_text("my.toml", file)?];
        for set in sets {
            layers.push(Layer::from_set(set)?);
        }
        resolve(BASE, &layers, validate)
    }

    #[test]
    fn later_layers_win_key_by_key() {
        let settings = resolved("[ppo]\nclip = 0.1\nhidden = [8]\n", &["ppo.clip=0.3", "run.name=crash day"]).unwrap();
        assert_eq!(
            settings,
            Settings {
                run: Run { seed: 1, name: "crash day".into() },
                ppo: Ppo { clip: 0.3, hidden: vec![8], limit: Limit::At(0.03) },
            }
        );
    }

    #[test]
    fn a_switch_replaces_a_table_and_a_table_a_switch() {
        assert_eq!(resolved("", &["ppo.limit=off"]).unwrap().ppo.limit, Limit::Off);
        assert_eq!(resolved("", &["ppo.limit=off", "ppo.limit.at=2"]).unwrap().ppo.limit, Limit::At(2.0));
        assert_eq!(resolved("", &["ppo.limit={ at = 2 }"]).unwrap().ppo.limit, Limit::At(2.0));
    }

    #[test]
    fn unknown_keys_wrong_types_and_ranges_come_together_with_their_origin() {
        let file = "[ppo]\nhidden = [4, 0]\nclap = 3\nlimit = 'on'\n[rum]\nseed = 1\n[run]\nseed = -1\n";
        let message = resolved(file, &["ppo.clip=1.5", "run.name=3"]).unwrap_err().to_string();
        assert_eq!(
            message,
            "invalid settings:\n  \
             ppo.clap = 3 (my.toml): must be a known key: one of `clip`, `hidden`, `limit`\n  \
             ppo.limit = \"on\" (my.toml): must be `off` or `at`\n  \
             rum.seed = 1 (my.toml): must be a known key: `run` or `ppo`\n  \
             run.seed = -1 (my.toml): must be a whole number, 0 or more\n  \
             run.name = 3 (--set): must be a string\n  \
             ppo.clip = 1.5 (--set): must be in [0, 1]\n  \
             ppo.hidden[1] = 0 (my.toml): must be 1 or more"
        );
    }

    #[test]
    fn keys_may_be_paths_beside_tables() {
        let keys: Table = "'ppo.clip' = 0.3\n[ppo]\nhidden = [8]\n[run]\nname = 'b'\n".parse().unwrap();
        let layer = Layer::from_keys("arm", &keys);
        assert_eq!(layer.paths(), ["ppo.clip", "ppo.hidden", "run.name"]);
        let settings = resolve(BASE, &[layer], validate).unwrap();
        assert_eq!((settings.ppo.clip.to_bits(), settings.ppo.hidden), (0.3_f64.to_bits(), vec![8]));
    }

    #[test]
    fn broken_text_is_refused_with_its_place() {
        let message = resolved("[ppo]\nclip = = 3\n", &[]).unwrap_err().to_string();
        assert!(message.contains("line 2, column 8 = (text) (my.toml): must be valid TOML"), "{message}");
        for set in ["clip", "=3", "ppo.=3"] {
            let message = resolved("", &[set]).unwrap_err().to_string();
            assert_eq!(message, format!("invalid settings:\n  --set = {set}: must be section.key=value"));
        }
    }
}
