//! The page: what stands where, before the template lays it out.

use askama::Template;

use super::curves::{Against, BAND_MIN, chart as curve};
use super::frontier::chart as frontier;
use super::recording::{Duel, pack};
use super::study::{Provenance, Study};
use super::tables::{self, Forest, Sheet, Standing};
use super::tails::chart as tail;
use super::{forest, glossary, inks, typeset, words};
use crate::metric::PRIMARY;
use crate::report::Report;
use crate::report::extremes;
use crate::report::number::short;
use crate::report::verdict::caution;

/// Pairs of safety and what it costs, one chart each.
const FRONTIERS: [(&str, &str); 2] = [("bad_debt", "turned_away"), ("deleveraged", "margin_mean")];
/// Metrics whose tails are drawn.
const TAILS: [&str; 2] = ["bad_debt", "return"];

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: &'a str,
    style: &'static str,
    script: [&'static str; 3],
    chapters: Vec<Chapter<'a>>,
    runs: Option<Forest>,
    runs_note: String,
    episodes: Option<String>,
    has_curves: bool,
    has_scenarios: bool,
    extremes_note: String,
    glossary: &'static [(&'static str, &'static str)],
}

/// One run.
struct Chapter<'a> {
    /// Prefix of its anchors; empty for the first.
    id: String,
    name: &'a str,
    verdict: String,
    context: String,
    sentences: &'a [String],
    gates: Vec<(String, bool)>,
    key: Vec<(&'a str, String)>,
    subject: &'a str,
    standings: Vec<Standing>,
    ticks: Vec<forest::Tick>,
    method: String,
    caution: Option<String>,
    ablation: Option<&'a str>,
    frontiers: Vec<String>,
    tails: Vec<String>,
    tail_table: Sheet,
    tail_share: String,
    extremes: Option<Sheet>,
    curves: Vec<String>,
    curves_note: String,
    scenarios: Vec<Forest>,
    metrics: Sheet,
    provenance: Option<Origin<'a>>,
    suite: &'a str,
}

impl Chapter<'_> {
    const fn is_first(&self) -> bool {
        self.id.is_empty()
    }
}

struct Origin<'a> {
    command: String,
    provenance: &'a Provenance,
}

/// Renders studies as one HTML page that needs nothing else.
///
/// # Panics
/// If there is no study, or one has no contender.
#[must_use]
pub fn page(studies: &[Study]) -> String {
    let first = studies.first().expect("a page shows a study");
    let duels: Vec<(String, &Duel)> =
        studies.iter().flat_map(|study| study.duels.iter().map(|duel| (study.name.clone(), duel))).collect();
    let (runs, runs_note) = super::runs::forest(studies);
    let chapters: Vec<Chapter<'_>> = studies.iter().enumerate().map(|(place, study)| chapter(place, study)).collect();
    let page = Page {
        title: &first.name,
        style: include_str!("page.css"),
        script: [include_str!("unpack.js"), include_str!("draw.js"), include_str!("viewer.js")],
        runs,
        runs_note,
        episodes: (!duels.is_empty()).then(|| pack(&duels)),
        has_curves: chapters.iter().any(|chapter| !chapter.curves.is_empty()),
        has_scenarios: chapters.iter().any(|chapter| !chapter.scenarios.is_empty()),
        extremes_note: extremes::note(),
        chapters,
        glossary: &glossary::TERMS,
    };
    page.render().expect("memory takes the page")
}

fn chapter(place: usize, study: &Study) -> Chapter<'_> {
    let report = &study.report;
    let (standings, ticks) = tables::standings(report);
    let gates = report.gates.iter().map(|judged| (judged.gate.to_string(), judged.passed));
    Chapter {
        id: if place == 0 { String::new() } else { format!("run-{place}-") },
        name: &study.name,
        verdict: words::verdict(report),
        context: context(study),
        sentences: &report.verdict,
        gates: gates.collect(),
        key: inks(report).into_iter().map(|(name, ink)| (name, ink.variable())).collect(),
        subject: &report.subject,
        standings,
        ticks,
        method: method(study),
        caution: cautions(report),
        ablation: study.ablation.as_deref(),
        frontiers: FRONTIERS.iter().filter_map(|(safety, cost)| frontier(report, safety, cost)).collect(),
        tails: TAILS.iter().filter_map(|metric| tail(study, metric)).collect(),
        tail_table: tables::tails(report),
        tail_share: short(100.0 * report.settings.tail, 2),
        extremes: tables::extremes(report),
        curves: [Against::Decisions, Against::Wall]
            .into_iter()
            .filter_map(|against| curve(&study.curves, against, &report.settings))
            .collect(),
        curves_note: curves_note(study),
        scenarios: tables::by_scenario(report),
        metrics: tables::metrics(report),
        provenance: study
            .provenance
            .as_ref()
            .map(|provenance| Origin { command: words::shell(&provenance.command), provenance }),
        suite: &report.hash,
    }
}

/// What keeps the figures from meaning what they seem to.
fn cautions(report: &Report) -> Option<String> {
    let own = report.sections[0].row(PRIMARY).and_then(|row| caution(report, row));
    let all: Vec<String> = own.into_iter().chain(report.notes.iter().cloned()).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// What was played, in one sentence.
fn context(study: &Study) -> String {
    let report = &study.report;
    let runs = report.arms.iter().map(|arm| arm.training_seeds.len()).max().unwrap_or(1);
    let trained = if runs > 1 { format!(", {}", words::counted(runs, "training seed")) } else { String::new() };
    format!(
        "{} × {} of the {} split, the same for every contender{trained}: {}.",
        words::counted(report.scenarios.len(), "scenario"),
        words::counted(report.seeds, "seed"),
        report.split.name(),
        words::counted(study.episodes.rows.len(), "episode"),
    )
}

fn method(study: &Study) -> String {
    let report = &study.report;
    let mut sentences = vec![tables::method(report)];
    sentences.extend(tables::pairing(report));
    if tables::has_unconfirmed(report) {
        let level = short(1.0 - report.settings.confidence, 3);
        sentences.push(format!(
            "Ahead and behind rest on the interval alone; for beats and loses a permutation test, corrected for the number of \
             opponents (Holm), gives a p below {level}.",
        ));
    }
    typeset(&sentences.join(" "))
}

fn curves_note(study: &Study) -> String {
    let seeds = study.curves.len();
    let confidence = short(100.0 * study.report.settings.confidence, 1);
    let band = match seeds {
        1 => "One training seed gives no band.".into(),
        few if few < BAND_MIN => format!("{few} training seeds give no band."),
        seeds => {
            let few = if seeds < 10 { "; with fewer than ten it is narrower than it says" } else { "" };
            format!("The band is a {confidence} % bootstrap interval of the mean of {seeds} training seeds{few}.")
        }
    };
    format!("Mean return of the episodes that ended in each iteration, with the exploration noise of training. {band}")
}
