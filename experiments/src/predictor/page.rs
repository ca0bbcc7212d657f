//! The judgement as tables on a terminal, Markdown, CSV, JSON and drawings.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use seawall_eval::forecast::Frame;
use seawall_eval::forecast::judge::{Curve, Judgement, Loss};
use seawall_eval::forecast::rival::Rival;
use seawall_eval::forecast::score::BIN_EDGES;
use seawall_eval::report::html::reliability_file;
use seawall_training::predictor::{Epoch, PredictorConfig};
use serde::Serialize;

use super::{NETWORK, Outcome, file};
use crate::foresight::{PREDICTOR_FILE, PREDICTOR_VECTORS, PredictorFiles};
use crate::run_folder::write_atomically;
use crate::table::{self, interval, number};

/// Where the bars were from and how the network was made: what stands beside the numbers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Origin {
    pub(crate) version: &'static str,
    pub(crate) seed: u64,
    /// Bars, in words.
    pub(crate) source: String,
    /// Windows that were left out, and why.
    pub(crate) left_out: Vec<String>,
    /// Runs of bars that were fitted on.
    pub(crate) calibration: Vec<String>,
    /// Runs of bars that only judged.
    pub(crate) validation: Vec<String>,
    /// What moments are.
    #[serde(skip)]
    pub(crate) frame: Frame,
    pub(crate) config: PredictorConfig,
}

#[derive(Serialize)]
struct Page<'a> {
    origin: &'a Origin,
    parameters: usize,
    rivals: &'a [Rival],
    judgement: &'a Judgement,
    epochs: &'a [Epoch],
}

/// A title, a header and rows.
type Sheet = (String, Vec<String>, Vec<Vec<String>>);

/// Tables in the order in which they are read.
pub(crate) fn sheets(judgement: &Judgement) -> Vec<Sheet> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let mut sheets = Vec::new();
    let horizons = horizons(judgement);
    for horizon in horizons.iter().copied() {
        let forecasters = judgement.curves.iter().filter(|curve| curve.horizon == horizon);
        let losses = forecasters.map(|curve| {
            let mean = |loss: Loss| {
                let of = |mean: &&seawall_eval::forecast::judge::Mean| {
                    mean.forecaster == curve.forecaster && mean.horizon == horizon && mean.loss == loss
                };
                judgement.means.iter().find(of).map_or_else(|| "-".to_owned(), |mean| digits(loss, mean.value))
            };
            let [qlike, mse, brier, log] = Loss::ALL.map(mean);
            vec![curve.forecaster.clone(), qlike, mse, brier, log, number(1e6 * curve.reliability)]
        });
        let header = owned(&["forecaster", "QLIKE", "MSE, bp⁴", "Brier ×10³", "log score ×10³", "reliability ×10⁶"]);
        sheets.push((format!("Losses within {horizon}, lower is better"), header, losses.collect()));
    }
    for horizon in horizons {
        let mut rivals: Vec<&str> = Vec::new();
        for difference in &judgement.differences {
            if !rivals.contains(&difference.rival.as_str()) {
                rivals.push(&difference.rival);
            }
        }
        let row = |rival: &str| {
            let cell = |loss: Loss| {
                let found = judgement
                    .differences
                    .iter()
                    .find(|d| d.rival == rival && d.horizon == horizon && d.loss == loss)
                    .expect("every rival is compared by every loss");
                let scale = scale(loss);
                let text = interval(scale * found.value, scale * found.interval[0], scale * found.interval[1]);
                format!("{text}, {}", found.verdict())
            };
            let [qlike, mse, brier, log] = Loss::ALL.map(cell);
            vec![rival.to_owned(), qlike, mse, brier, log]
        };
        let header = owned(&["rival", "QLIKE", "MSE, bp⁴", "Brier ×10³", "log score ×10³"]);
        let title = format!("{NETWORK} less each rival within {horizon}: 95 % over days, verdict by Holm's p < 0.05");
        sheets.push((title, header, rivals.into_iter().map(row).collect()));
    }
    sheets.push(buckets(judgement));
    sheets
}

/// Names of the horizons, in order.
fn horizons(judgement: &Judgement) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for curve in &judgement.curves {
        if !names.contains(&curve.horizon.as_str()) {
            names.push(&curve.horizon);
        }
    }
    names
}

/// Risk buckets: the area under the curve of every forecaster.
fn buckets(judgement: &Judgement) -> Sheet {
    let first = horizons(judgement)[0];
    let names: Vec<&str> =
        judgement.curves.iter().filter(|curve| curve.horizon == first).map(|curve| curve.forecaster.as_str()).collect();
    let mut header = ["within", "account", "ruined", "of"].map(str::to_owned).to_vec();
    header.extend(names.iter().map(|name| (*name).to_owned()));
    let own = judgement.buckets.iter().filter(|bucket| bucket.forecaster == NETWORK);
    let rows = own.map(|bucket| {
        let mut row =
            vec![bucket.horizon.clone(), bucket.bucket.clone(), bucket.events.to_string(), bucket.n.to_string()];
        row.extend(names.iter().map(|name| {
            let same = |other: &&seawall_eval::forecast::judge::Bucket| {
                other.forecaster == **name && other.horizon == bucket.horizon && other.bucket == bucket.bucket
            };
            let auc = judgement.buckets.iter().find(same).and_then(|bucket| bucket.auc);
            auc.map_or_else(|| "-".to_owned(), |auc| format!("{auc:.3}"))
        }));
        row
    });
    ("Area under the ROC curve of ruin".to_owned(), header, rows.collect())
}

/// What a loss is multiplied by in tables.
const fn scale(loss: Loss) -> f64 {
    match loss {
        Loss::Qlike | Loss::Mse => 1.0,
        Loss::Brier | Loss::Log => 1e3,
    }
}

fn digits(loss: Loss, value: f64) -> String {
    match loss {
        Loss::Qlike => format!("{value:.4}"),
        Loss::Mse | Loss::Brier | Loss::Log => number(scale(loss) * value),
    }
}

/// Writes everything into a folder.
///
/// # Errors
/// If the folder or a file cannot be written.
pub(crate) fn write(folder: &Path, origin: &Origin, outcome: &Outcome) -> anyhow::Result<()> {
    let judgement = &outcome.judgement;
    let page = Page {
        origin,
        parameters: outcome.predictor.parameters(),
        rivals: &outcome.rivals,
        judgement,
        epochs: &outcome.epochs,
    };
    fs::create_dir_all(folder)?;
    let put = |name: &str, bytes: &[u8]| write_atomically(&folder.join(name), bytes);
    for horizon in horizons(judgement) {
        let curves: Vec<&Curve> = judgement.curves.iter().filter(|curve| curve.horizon == horizon).collect();
        put(&drawing(horizon), reliability_file(&format!("Ruin within {horizon}"), &curves).as_bytes())?;
    }
    put("predictor.json", file::to_json(&outcome.predictor, origin.frame)?.as_bytes())?;
    if let Some(PredictorFiles { bytes, vectors }) = &outcome.runtime {
        put(PREDICTOR_FILE, bytes)?;
        put(PREDICTOR_VECTORS, vectors)?;
    }
    put("losses.csv", &losses(judgement)?)?;
    put("buckets.csv", &rows(judgement.buckets.iter())?)?;
    put("calibration.csv", &calibration(judgement)?)?;
    put("predict.json", (serde_json::to_string_pretty(&page)? + "\n").as_bytes())?;
    put("predict.md", markdown(origin, judgement).as_bytes())?;
    Ok(())
}

/// File of the calibration curves within a horizon.
fn drawing(horizon: &str) -> String {
    format!("calibration-{}.svg", horizon.replace(' ', ""))
}

fn rows<T: Serialize>(rows: impl Iterator<Item = T>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!("writing CSV: {error}"))
}

/// One row for each forecaster, horizon and loss, with the network's difference from it.
fn losses(judgement: &Judgement) -> anyhow::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Line<'a> {
        forecaster: &'a str,
        horizon: &'a str,
        loss: &'static str,
        mean: f64,
        network_less_it: Option<f64>,
        low: Option<f64>,
        high: Option<f64>,
        diebold_mariano: Option<f64>,
        p: Option<f64>,
        p_holm: Option<f64>,
    }
    rows(judgement.means.iter().map(|mean| {
        let found = judgement
            .differences
            .iter()
            .find(|d| d.rival == mean.forecaster && d.horizon == mean.horizon && d.loss == mean.loss);
        Line {
            forecaster: &mean.forecaster,
            horizon: &mean.horizon,
            loss: mean.loss.name(),
            mean: mean.value,
            network_less_it: found.map(|d| d.value),
            low: found.map(|d| d.interval[0]),
            high: found.map(|d| d.interval[1]),
            diebold_mariano: found.and_then(|d| d.diebold_mariano),
            p: found.map(|d| d.p),
            p_holm: found.map(|d| d.p_holm),
        }
    }))
}

/// One row for each bin of each curve.
fn calibration(judgement: &Judgement) -> anyhow::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Line<'a> {
        forecaster: &'a str,
        horizon: &'a str,
        up_to: f64,
        n: usize,
        ruined: usize,
        mean_forecast: f64,
        low: Option<f64>,
        high: Option<f64>,
    }
    rows(judgement.curves.iter().flat_map(|curve| {
        curve.bins.iter().zip(BIN_EDGES).map(|(bin, up_to)| Line {
            forecaster: &curve.forecaster,
            horizon: &curve.horizon,
            up_to,
            n: bin.n,
            ruined: bin.events,
            mean_forecast: bin.forecast,
            low: bin.interval.map(|i| i[0]),
            high: bin.interval.map(|i| i[1]),
        })
    }))
}

fn markdown(origin: &Origin, judgement: &Judgement) -> String {
    let mut text = String::from("# Risk predictor\n\nWritten by `seawall predict`. ");
    let _ = writeln!(
        text,
        "{}; seed {}. Fitted on {}. Judged on {} moments of {} {}: {}.",
        origin.source,
        origin.seed,
        origin.calibration.join(", "),
        judgement.examples,
        judgement.days,
        origin.frame.unit(),
        origin.validation.join(", ")
    );
    for sentence in &origin.left_out {
        let _ = writeln!(text, "Left out: {sentence}.");
    }
    for (title, header, rows) in sheets(judgement) {
        let _ = writeln!(text, "\n## {title}\n\n| {} |\n|{}", header.join(" | "), "---|".repeat(header.len()));
        for row in rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
    }
    text.push_str("\n## Calibration\n\n");
    for horizon in horizons(judgement) {
        let name = drawing(horizon);
        let _ = writeln!(text, "![share of ruined accounts over the forecast probability, within {horizon}]({name})\n");
    }
    text
}

/// The tables, for a terminal.
pub(crate) fn terminal(judgement: &Judgement) -> String {
    let sheet = |(title, header, rows): Sheet| format!("\n{title}\n{}", table::table(&header, rows));
    sheets(judgement).into_iter().map(sheet).collect::<Vec<String>>().join("\n")
}
