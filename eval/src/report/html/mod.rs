//! The report as one page that opens offline: everything inside it, nothing fetched.
//!
//! [`page()`] takes what a run's folder holds and gives a string. Charts are inline SVG; recorded episodes are packed into
//! the page and drawn by a script of our own. Whatever comes from a file is escaped by the template or by
//! `figure`. A section without data is not there.
//!
//! Not here: reading folders, playing episodes.

mod curves;
mod effects;
mod figure;
mod forest;
mod frame;
mod frontier;
mod glossary;
mod labels;
mod page;
mod recording;
mod reliability;
mod rival;
mod runs;
mod study;
mod tables;
mod tails;
mod words;

pub use effects::{forest, forest_file};
pub use page::page;
pub use recording::{CHANNELS, Duel, Frame, Track};
pub use reliability::reliability_file;
pub use rival::{Choice, strongest, widest};
pub use study::{Curve, CurvePoint, Provenance, Study};

use figure::Ink;

use crate::report::Report;

/// Names of the contenders with their colours: the subject first, the others in the report's order.
fn inks(report: &Report) -> Vec<(&str, Ink)> {
    let others = report.arms.iter().map(|arm| arm.name.as_str()).filter(|name| *name != report.subject);
    let names = std::iter::once(report.subject.as_str()).chain(others);
    names.enumerate().map(|(place, name)| (name, Ink::Series(place))).collect()
}

/// A number with a minus sign in place of a hyphen.
fn typeset(text: &str) -> String {
    let mut set = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let is_sign =
            character == '-' && !before.is_alphanumeric() && characters.peek().is_some_and(char::is_ascii_digit);
        set.push(if is_sign { '−' } else { character });
        before = character;
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_signs_become_minus_signs() {
        assert_eq!(typeset("-1.2 [-3.0, 4.5], 1e-5, gen-3"), "−1.2 [−3.0, 4.5], 1e-5, gen-3");
    }
}
