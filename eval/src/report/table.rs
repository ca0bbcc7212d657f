//! Episodes as a table of metrics, read back from what [`super::csv::episodes`] wrote.

use seawall_env::{Problem, Problems};

use crate::error::{Error, check};
use crate::metric::metrics;

/// Columns before the metrics.
const FIXED: [&str; 6] = ["contender", "preset", "training_seed", "scenario", "index", "seed"];

/// One episode of one contender.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeRow {
    /// Name of the contender.
    pub contender: String,
    /// Venue preset that it ran on.
    pub preset: String,
    /// Seed that it was trained with, if it was trained.
    pub training_seed: Option<u64>,
    /// Id of the scenario.
    pub scenario: String,
    /// Seed of the episode.
    pub seed: u64,
    /// Values in the order of [`EpisodeTable::metrics`]; nothing where undefined.
    pub values: Vec<Option<f64>>,
}

/// Every judged episode, in the order of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeTable {
    /// Names of the metrics.
    pub metrics: Vec<String>,
    /// The episodes.
    pub rows: Vec<EpisodeRow>,
}

impl EpisodeTable {
    /// Reads the CSV of [`super::csv::episodes`].
    ///
    /// # Errors
    /// [`Error::Invalid`] with every column that is missing and every cell that cannot be read, as `line N, column`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut problems = Problems::default();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().cloned().unwrap_or_default();
        for (place, name) in FIXED.iter().enumerate() {
            let found = header.get(place).unwrap_or("nothing");
            problems.require(found == *name, format!("column {}", place + 1), found, &format!("called {name}"));
        }
        let known = metrics();
        let is_metric = |name: &&str| known.iter().any(|metric| metric.name == *name);
        let names: Vec<String> = header.iter().skip(FIXED.len()).take_while(is_metric).map(str::to_owned).collect();
        problems.require(
            names.iter().any(|name| name == crate::metric::PRIMARY),
            "header",
            names.len(),
            "a metric called return among its columns",
        );
        check(problems)?;
        let mut problems = Problems::default();
        let mut rows = Vec::new();
        for (line, record) in (2..).zip(reader.records()) {
            match record {
                Ok(record) => rows.extend(row(&record, &names, line, &mut problems)),
                Err(error) => problems.0.push(Problem::new(format!("line {line}"), error, "a line of CSV")),
            }
        }
        problems.require(!rows.is_empty() || !problems.0.is_empty(), "episodes", 0, "at least one");
        check(problems)?;
        Ok(Self { metrics: names, rows })
    }

    /// Place of a metric among the values of a row.
    #[must_use]
    pub fn place(&self, metric: &str) -> Option<usize> {
        self.metrics.iter().position(|name| name == metric)
    }

    /// Values of a metric in the episodes of one contender, all runs, in grid order.
    #[must_use]
    pub fn of(&self, contender: &str, metric: &str) -> Vec<Option<f64>> {
        let Some(place) = self.place(metric) else { return Vec::new() };
        let rows = self.rows.iter().filter(|row| row.contender == contender);
        rows.map(|row| row.values[place]).collect()
    }
}

fn row(record: &csv::StringRecord, names: &[String], line: usize, problems: &mut Problems) -> Option<EpisodeRow> {
    let before = problems.0.len();
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let mut whole = |place: usize| -> u64 {
        let parsed = cell(place).parse();
        let field = format!("line {line}, {}", FIXED[place]);
        problems.require(parsed.is_ok(), field, format!("{:?}", cell(place)), "a whole number");
        parsed.unwrap_or_default()
    };
    let training_seed = (!cell(2).is_empty()).then(|| whole(2));
    let seed = whole(5);
    let mut values = Vec::with_capacity(names.len());
    for (place, name) in (FIXED.len()..).zip(names) {
        let parsed = cell(place).parse::<f64>().ok().filter(|value| value.is_finite());
        let holds = cell(place).is_empty() || parsed.is_some();
        problems.require(holds, format!("line {line}, {name}"), format!("{:?}", cell(place)), "a number, or empty");
        values.push(parsed);
    }
    (problems.0.len() == before).then(|| EpisodeRow {
        contender: cell(0).to_owned(),
        preset: cell(1).to_owned(),
        training_seed,
        scenario: cell(3).to_owned(),
        seed,
        values,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "contender,preset,training_seed,scenario,index,seed,return,bad_debt,term_x";

    #[test]
    fn what_was_written_is_read_back_to_the_bit() {
        let text = format!("{HEAD}\nppo,seawall,7,calm,0,{},-0.1,,9\ngen1,full,,calm,0,3,1e-300,2,9\n", u64::MAX);
        let table = EpisodeTable::parse(&text).unwrap();
        assert_eq!(table.metrics, ["return", "bad_debt"]);
        let row = &table.rows[0];
        assert_eq!((row.training_seed, row.seed, row.values[1]), (Some(7), u64::MAX, None));
        assert_eq!(row.values[0].unwrap().to_bits(), (-0.1_f64).to_bits());
        assert_eq!(table.of("gen1", "return"), [Some(1e-300)]);
    }

    #[test]
    fn everything_wrong_is_listed() {
        let foreign = EpisodeTable::parse("time,open,high\n1,2,3\n").unwrap_err().to_string();
        assert!(foreign.contains("column 1 = time") && foreign.contains("column 6 = nothing"), "{foreign}");
        let text = format!("{HEAD}\nppo,v,x,calm,0,1,-1,0,9\nppo,v,,calm,0,-2,NaN,?,9\nppo,v\n");
        let broken = EpisodeTable::parse(&text).unwrap_err().to_string();
        for part in
            ["line 2, training_seed", "line 3, seed", "line 3, return = \"NaN\"", "line 3, bad_debt", "line 4 = "]
        {
            assert!(broken.contains(part), "{part} is missing from: {broken}");
        }
        assert!(EpisodeTable::parse(&format!("{HEAD}\n")).is_err(), "no episode");
    }
}
