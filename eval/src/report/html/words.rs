//! Sentences and names of the page.

use crate::metric::PRIMARY;
use crate::report::number::without_zeros;
use crate::report::{Finding, Report};

/// A metric's name in prose.
pub(super) fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

/// The word for a finding from the subject's side, and the style that goes with it.
pub(super) const fn finding(finding: Option<Finding>) -> (&'static str, &'static str) {
    match finding {
        Some(Finding::Better) => ("beats it", "better"),
        Some(Finding::Ahead) => ("ahead", "ahead"),
        Some(Finding::Undecided) | None => ("undecided", "undecided"),
        Some(Finding::Behind) => ("behind", "behind"),
        Some(Finding::Worse) => ("loses to it", "worse"),
    }
}

/// Names of the opponents with this finding on the primary metric.
fn with(report: &Report, wanted: Finding) -> Vec<String> {
    let row = report.sections[0].row(PRIMARY);
    let comparisons = row.map(|row| row.comparisons.as_slice()).unwrap_or_default();
    let fits = comparisons.iter().filter(|c| c.finding.unwrap_or(Finding::Undecided) == wanted);
    fits.map(|comparison| comparison.opponent.clone()).collect()
}

/// The verdict in one sentence: whom the subject beats, whom it loses to, and what is open.
pub(super) fn verdict(report: &Report) -> String {
    let verbs = [
        ("beats", Finding::Better),
        ("is ahead of", Finding::Ahead),
        ("is behind", Finding::Behind),
        ("loses to", Finding::Worse),
    ];
    let found: Vec<(&str, Vec<String>)> = verbs.map(|(verb, finding)| (verb, with(report, finding))).into();
    sentence(&report.subject, &found, &with(report, Finding::Undecided))
}

fn sentence(subject: &str, found: &[(&str, Vec<String>)], open: &[String]) -> String {
    let total = open.len() + found.iter().map(|(_, names)| names.len()).sum::<usize>();
    if total == 0 {
        return format!("{subject} stands alone: nothing is compared.");
    }
    if open.len() == total {
        let them = if total == 1 { open[0].clone() } else { format!("any of the {total} others") };
        return format!("{subject} cannot be told apart from {them}.");
    }
    let clause = |(verb, names): &(&str, Vec<String>)| match names.len() {
        0 => None,
        all if all == total && total > 1 => Some(format!("{verb} all {total} others")),
        _ => Some(format!("{verb} {}", list(names))),
    };
    let clauses: Vec<String> = found.iter().filter_map(clause).collect();
    let end = if open.is_empty() { String::new() } else { format!("; against {} it is undecided", list(open)) };
    format!("{subject} {}{end}.", list(&clauses))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `1 seed`, `2 seeds`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let number = crate::report::number::decimals(crate::statistics::real(count), 0);
    format!("{number} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A command line as one types it.
pub(super) fn shell(arguments: &[String]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    let quoted = |argument: &String| {
        if !argument.is_empty() && argument.chars().all(is_plain) {
            return argument.clone();
        }
        format!("'{}'", argument.replace('\'', "'\\''"))
    };
    arguments.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A count on an axis: `20 k`, `1.5 M`.
pub(super) fn short_count(value: f64) -> String {
    let text = |value: f64, unit: &str| format!("{}{unit}", without_zeros(&format!("{value:.1}")));
    match value.abs() {
        size if size < 1e3 => text(value, ""),
        size if size < 1e6 => text(value / 1e3, " k"),
        _ => text(value / 1e6, " M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_says_them() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(list(&names(&["a"])), "a");
        assert_eq!(list(&names(&["a", "b", "c"])), "a, b and c");
        assert_eq!((counted(1, "seed"), counted(2_400, "pair")), ("1 seed".into(), "2,400 pairs".into()));
    }

    #[test]
    fn the_headline_names_everybody_or_says_all() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let said = |ahead: &[&str], behind: &[&str], open: &[&str]| {
            sentence("ppo", &[("is ahead of", names(ahead)), ("is behind", names(behind))], &names(open))
        };
        assert_eq!(said(&["a", "b"], &[], &[]), "ppo is ahead of all 2 others.");
        assert_eq!(said(&["a"], &["b"], &["c"]), "ppo is ahead of a and is behind b; against c it is undecided.");
        assert_eq!(said(&[], &[], &["a", "b"]), "ppo cannot be told apart from any of the 2 others.");
        assert_eq!(said(&[], &["a"], &[]), "ppo is behind a.");
        assert_eq!(said(&[], &[], &[]), "ppo stands alone: nothing is compared.");
    }

    #[test]
    fn a_command_can_be_pasted() {
        let arguments = ["seawall", "eval", "it's here", "--set", "evaluation.seeds=12", ""].map(String::from);
        assert_eq!(shell(&arguments), "seawall eval 'it'\\''s here' --set evaluation.seeds=12 ''");
    }

    #[test]
    fn axes_print_short_numbers() {
        assert_eq!([0.0, 500.0, 20_000.0, 1_500_000.0].map(short_count), ["0", "500", "20 k", "1.5 M"]);
    }
}
