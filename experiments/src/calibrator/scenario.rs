//! Findings as a scenario file: each fitted number with its source above it, and nothing that the market would refuse.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use seawall_env::Error;
use seawall_env::scenario::Scenario;

use super::findings::{Findings, Setting};

/// Columns of a remark.
const WIDTH: usize = 118;

/// A scenario file, and the settings that the market's bounds kept out of it, each with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    pub(crate) refused: Vec<String>,
}

/// Renders the scenario. A value out of the market's bounds is left at its default and named in a remark.
///
/// # Errors
/// If the file is not a scenario even without those.
pub(crate) fn render(id: &str, title: &str, initial: &str, findings: &Findings) -> anyhow::Result<Rendered> {
    let mut kept: Vec<Setting> = Vec::new();
    for setting in &findings.settings {
        // The last file that says something about a parameter has the word.
        kept.retain(|earlier| earlier.path != setting.path);
        kept.push(setting.clone());
    }
    let regime =
        Setting { path: "world.regimes.initial".to_owned(), literal: format!("{initial:?}"), remark: String::new() };
    kept.push(regime);
    let mut refused = Vec::new();
    loop {
        let text = text(id, title, &kept, &refused);
        let problems = match Scenario::from_toml(&text) {
            Ok(_) => return Ok(Rendered { text, refused }),
            Err(Error::Invalid(problems)) => problems,
            Err(error) => return Err(error.into()),
        };
        let fields: BTreeSet<&str> =
            problems.0.iter().map(|problem| problem.field.split_once('.').map_or("", |(_, path)| path)).collect();
        let before = kept.len();
        for problem in &problems.0 {
            let path = problem.field.split_once('.').map_or("", |(_, path)| path);
            if kept.iter().any(|setting| setting.path == path) {
                refused.push(format!("{path} = {}: the market wants it {}", problem.value, problem.bound));
            }
        }
        kept.retain(|setting| !fields.contains(setting.path.as_str()));
        // What regimes cannot do without falls back on its default.
        anyhow::ensure!(kept.len() < before, "the fitted values do not make a scenario:\n{problems}");
        restore_regimes(&mut kept);
    }
}

/// A regime is written in full or not at all.
fn restore_regimes(kept: &mut Vec<Setting>) {
    let defaults = seawall_env::world::RegimesConfig::default();
    for (name, regime) in ["calm", "tense", "crisis"].into_iter().zip(defaults.all()) {
        let begins = format!("world.regimes.{name}.");
        if !kept.iter().any(|setting| setting.path.starts_with(&begins)) {
            continue;
        }
        let next = regime.next.map(super::findings::literal).join(", ");
        for (field, literal) in [
            ("volatility", super::findings::literal(regime.volatility)),
            ("mean_hours", super::findings::literal(regime.mean_hours)),
            ("next", format!("[{next}]")),
            ("jumps_per_day", super::findings::literal(regime.jumps_per_day)),
            ("equity_correlation", super::findings::literal(regime.equity_correlation)),
        ] {
            let path = format!("{begins}{field}");
            if !kept.iter().any(|setting| setting.path == path) {
                kept.push(Setting { path, literal, remark: "Not fitted: the default.".to_owned() });
            }
        }
    }
}

fn text(id: &str, title: &str, settings: &[Setting], refused: &[String]) -> String {
    let mut settings = settings.to_vec();
    restore_regimes(&mut settings);
    let mut out = String::new();
    comment(
        &mut out,
        "Fitted by `seawall calibrate`: value, standard error, number of observations, source file and window.",
    );
    for sentence in refused {
        comment(&mut out, &format!("Fitted and left at its default: {sentence}."));
    }
    let _ = writeln!(out, "id = {id:?}\ntitle = {title:?}");
    let mut tables: Vec<&str> = Vec::new();
    for setting in &settings {
        let table = setting.path.rsplit_once('.').map_or("", |(table, _)| table);
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    // TOML wants elements of an array in order, and a file is easier to compare when it is sorted.
    tables.sort_by_key(|table| element(table));
    for table in tables {
        let header = table.split_once('[').map_or_else(|| format!("[{table}]"), |(name, _)| format!("[[{name}]]"));
        let _ = writeln!(out, "\n{header}");
        for setting in settings.iter().filter(|s| s.path.rsplit_once('.').is_some_and(|(t, _)| t == table)) {
            comment(&mut out, &setting.remark);
            let name = setting.path.rsplit_once('.').map_or("", |(_, name)| name);
            let _ = writeln!(out, "{name} = {}", setting.literal);
        }
    }
    out
}

/// A table's name, and its number in an array of tables.
fn element(table: &str) -> (&str, usize) {
    let (name, index) = table.split_once('[').unwrap_or((table, "0"));
    (name, index.trim_end_matches(']').parse().unwrap_or(0))
}

/// A remark, broken into lines.
fn comment(out: &mut String, remark: &str) {
    let mut line = String::new();
    for word in remark.split_whitespace() {
        if line.len() + word.len() + 3 > WIDTH {
            let _ = writeln!(out, "#{line}");
            line.clear();
        }
        line.push(' ');
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "#{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrator::findings::Source;
    use seawall_eval::calibration::Fitted;

    fn source() -> Source {
        Source::new("a.csv.gz", Some((1_583_971_200_000, 1_584_057_600_000)))
    }

    #[test]
    fn a_fitted_scenario_reads_back_with_its_sources_beside_the_numbers() {
        let mut findings = Findings::default();
        findings.set("book.depth_exponent", Fitted::new(0.71, 0.02, 300), "exponent", &source());
        findings.set("world.regimes.calm.volatility", Fitted::new(0.31, 0.01, 90), "volatility", &source());
        for tier in 0..11 {
            let table = format!("margin.tiers[{tier}]");
            findings.write(&format!("{table}.notional_cap_usd"), format!("{}e5", tier + 1), "Bracket");
            findings.write(&format!("{table}.maintenance"), format!("{}e-3", tier + 1), "");
            findings.write(&format!("{table}.max_leverage"), "50.0".to_owned(), "");
        }
        let rendered = render("btc_fit", "A fit.", "calm", &findings).unwrap();
        let scenario = Scenario::from_toml(&rendered.text).unwrap();
        assert!((scenario.book.depth_exponent - 0.71).abs() < 1e-12);
        assert!((scenario.world.regimes.calm.volatility - 0.31).abs() < 1e-12);
        // What was not fitted of a regime is the default's, and said to be.
        assert!((scenario.world.regimes.calm.mean_hours - 113.0).abs() < 1e-12);
        assert_eq!(scenario.margin.tiers.len(), 11);
        assert!((scenario.margin.tiers[10].notional_cap_usd - 11e5).abs() < 1e-6, "the tenth after the ninth");
        let text = &rendered.text;
        assert!(text.contains("Standard error 2.00e-2, n 300; a.csv.gz, 2020-03-12 to 2020-03-13"), "{text}");
        assert!(text.contains("[[margin.tiers]]") && text.contains("# Not fitted: the default."), "{text}");
    }

    #[test]
    fn a_value_out_of_bounds_is_named_and_left_at_its_default() {
        let mut findings = Findings::default();
        findings.set("book.half_spread_bp", Fitted::new(0.008, 0.0, 9), "spread", &source());
        findings.set("world.regimes.tense.volatility", Fitted::new(7.0, 0.0, 9), "volatility", &source());
        let rendered = render("btc_fit", "A fit.", "stationary", &findings).unwrap();
        let scenario = Scenario::from_toml(&rendered.text).unwrap();
        let default = Scenario::default();
        assert!((scenario.book.half_spread_bp - default.book.half_spread_bp).abs() < 1e-12);
        assert!((scenario.world.regimes.tense.volatility - 0.8).abs() < 1e-12);
        assert_eq!(rendered.refused.len(), 2);
        assert!(rendered.text.contains("left at its default: book.half_spread_bp = 0.008"), "{}", rendered.text);
    }
}
