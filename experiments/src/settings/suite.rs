//! Suites as files: what is trained on, chosen by and reported on, in sets that share no scenario.

use seawall_env::Problems;
use seawall_eval::gate::Gate;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Layer, SettingsError, quoted, whole};

/// The suites that come with the program.
const SHIPPED: [(&str, &str); 1] = [("held_out", include_str!("../../suites/held_out.toml"))];

/// A suite, as its file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuiteFile {
    /// Name: lower-case letters, digits, `-` and `_`.
    name: String,
    /// Root of the held-out seeds. 0 to 2^63 - 1.
    root: i64,
    /// What is trained on; its seeds are the learner's.
    train: TrainSet,
    /// What checkpoints, training seeds and constants are chosen by.
    select: SelectSet,
    /// What is reported.
    report: ReportSet,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrainSet {
    scenarios: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectSet {
    scenarios: Vec<String>,
    /// Seeds for each scenario. 1 to 1,048,576.
    seeds: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportSet {
    scenarios: Vec<String>,
    /// Seeds for each scenario. 2 to 1,048,576.
    seeds: i64,
    /// Bounds that decide the exit code.
    #[serde(default)]
    gates: Vec<Gate>,
}

/// The text of the shipped suite of this name.
pub(crate) fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl SuiteFile {
    /// Reads a suite and checks it by itself; scenarios and gates are checked with the settings that it becomes part of.
    ///
    /// # Errors
    /// [`SettingsError`] if it is no suite, or with everything that is wrong with it.
    pub(crate) fn from_text(origin: &str, text: &str) -> Result<Self, SettingsError> {
        let table = Layer::from_text(origin, text)?.table;
        let refused = |bound: String| {
            let problem = seawall_env::Problem::new("suite", quoted(origin), bound);
            SettingsError(vec![(problem, None)])
        };
        let this: Self =
            Value::Table(table).try_into().map_err(|error| refused(format!("a suite: {}", one_line(&error))))?;
        let mut problems = Problems::default();
        this.validate(&mut problems);
        if problems.0.is_empty() {
            return Ok(this);
        }
        Err(SettingsError(problems.0.into_iter().map(|problem| (problem, Some(origin.to_owned()))).collect()))
    }

    /// The settings that it stands for.
    pub(crate) fn layer(&self, origin: &str) -> Layer {
        let names = |list: &[String]| Value::Array(list.iter().cloned().map(Value::String).collect());
        let gates = Value::try_from(&self.report.gates).expect("gates are made of what TOML can say");
        let evaluation = [
            ("suite", Value::String(self.name.clone())),
            ("scenarios", names(&self.report.scenarios)),
            ("selection_scenarios", names(&self.select.scenarios)),
            ("seeds", Value::Integer(self.report.seeds)),
            ("selection_seeds", Value::Integer(self.select.seeds)),
            ("root", Value::Integer(self.root)),
            ("gates", gates),
        ];
        let section = |keys: Vec<(&str, Value)>| {
            Value::Table(keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Table>())
        };
        let table = [
            ("task".to_owned(), section(vec![("scenarios", names(&self.train.scenarios))])),
            ("evaluation".to_owned(), section(evaluation.into())),
        ];
        Layer { origin: origin.to_owned(), table: table.into_iter().collect() }
    }

    fn validate(&self, problems: &mut Problems) {
        let is_clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.name.is_empty() && self.name.chars().all(is_clean);
        problems.require(named, "name", quoted(&self.name), "lower-case letters, digits, '-' and '_'");
        problems.require(self.root >= 0, "root", self.root, "at least 0");
        let seeds = |seeds: i64| u64::try_from(seeds).unwrap_or_default();
        whole(problems, "select.seeds", seeds(self.select.seeds), 1, 1 << 20);
        whole(problems, "report.seeds", seeds(self.report.seeds), 2, 1 << 20);
        let sets = [
            ("train.scenarios", &self.train.scenarios),
            ("select.scenarios", &self.select.scenarios),
            ("report.scenarios", &self.report.scenarios),
        ];
        for (field, names) in sets {
            problems.require(!names.is_empty(), field, "[]", "at least one scenario");
        }
        disjoint(sets.map(|(field, names)| (field, names.as_slice())), problems);
    }
}

/// Records every name that stands in two of the sets.
pub(super) fn disjoint(sets: [(&str, &[String]); 3], problems: &mut Problems) {
    for (place, (field, names)) in sets.iter().enumerate() {
        for (index, name) in names.iter().enumerate() {
            if let Some((other, _)) = sets[..place].iter().find(|(_, before)| before.contains(name)) {
                let bound = format!("a scenario that is not in {other}: the sets of a suite share none");
                problems.require(false, format!("{field}[{index}]"), quoted(name), &bound);
            }
        }
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    const FILE: &str = "name = \"mine\"\nroot = 5\n[train]\nscenarios = [\"calm\"]\n[select]\nscenarios = [\"tense\"]\nseeds = 3\n\
                        [report]\nscenarios = [\"crash_day\"]\nseeds = 4\n\
                        gates = [{ metric = \"bad_debt\", at_most = 5.0, judge = \"interval\" }]\n";

    #[test]
    fn a_suite_becomes_settings_and_stays_what_it_is_when_they_are_read_back() {
        let suite = SuiteFile::from_text("mine.toml", FILE).unwrap();
        let settings = Settings::resolve(&[suite.layer("mine.toml")]).unwrap();
        assert_eq!(
            (settings.judged(), settings.selected()),
            (&["crash_day".to_owned()][..], &["tense".to_owned()][..])
        );
        assert_eq!((settings.evaluation.seeds, settings.evaluation.selection_seeds), (4, 3));
        assert_eq!((settings.evaluation.root, settings.evaluation.gates.len()), (5, 1));
        let again = Settings::resolve(&[Layer::from_text("resolved.toml", &settings.to_toml()).unwrap()]).unwrap();
        assert_eq!(again, settings);
        // The promise holds whatever is laid over it.
        let leak = Layer::from_set("evaluation.scenarios=[\"calm\"]").unwrap();
        let message = Settings::resolve(&[suite.layer("mine.toml"), leak]).unwrap_err().to_string();
        assert!(message.contains("evaluation.scenarios[0] = \"calm\""), "{message}");
    }

    #[test]
    fn every_shipped_suite_is_sound() {
        for (name, text) in SHIPPED {
            let suite = SuiteFile::from_text(name, text).unwrap();
            assert_eq!(suite.name, name);
            Settings::resolve(&[suite.layer(name)]).unwrap();
        }
    }

    #[test]
    fn shared_scenarios_and_everything_else_wrong_are_listed() {
        let shared = FILE.replace("tense", "calm").replace("crash_day", "calm").replace("seeds = 4", "seeds = 1");
        let message = SuiteFile::from_text("mine.toml", &shared).unwrap_err().to_string();
        for part in ["select.scenarios[0] = \"calm\" (mine.toml)", "report.scenarios[0] = ", "report.seeds = 1"] {
            assert!(message.contains(part), "{part} is missing from {message}");
        }
        let unknown = FILE.replace("root", "roots");
        let message = SuiteFile::from_text("mine.toml", &unknown).unwrap_err().to_string();
        assert!(message.contains("suite = \"mine.toml\": must be a suite: "), "{message}");
    }
}
