//! Bars to a trained predictor, its rivals, and the judgement of all of them on bars that none has seen.

pub(crate) mod file;
pub(crate) mod page;
pub(crate) mod source;
pub(crate) mod task;

use anyhow::{Context, bail};
use seawall_env::SeedTree;
use seawall_eval::forecast::judge::{Judgement, judge};
use seawall_eval::forecast::rival::{NAMES, Rival};
use seawall_eval::forecast::{BUCKETS, Column, Forecast, Frame, HORIZONS, LEVERAGES, Set, distances, side};
use seawall_training::predictor::{Epoch, Examples, Ladder, Predictor, PredictorConfig, train};

use crate::foresight::PredictorFiles;
use crate::progress::Voice;

/// Name of the network in tables.
pub(crate) const NETWORK: &str = "network";
/// Share of each calibration run, its last, on which training is stopped and nothing is fitted.
const KEPT: f64 = 0.2;

/// Both halves of some bars.
#[derive(Clone, Debug)]
pub(crate) struct Halves {
    /// What may be fitted on.
    pub(crate) calibration: Set,
    /// What only judges.
    pub(crate) validation: Set,
}

impl Halves {
    /// The file that engines run, for episodes: its forecasts stand over the mean variances of the calibration half; nothing for
    /// days, whose calendar no engine keeps.
    ///
    /// # Errors
    /// If a number is not sound, as where the market stands still.
    pub(crate) fn to_runtime(&self, predictor: &Predictor) -> anyhow::Result<Option<Vec<u8>>> {
        let Frame::Episodes { bar_ms, .. } = self.calibration.frame else { return Ok(None) };
        let examples = &self.calibration.examples;
        #[expect(clippy::cast_precision_loss, reason = "a count of examples")]
        let mean = |horizon: usize| {
            examples.iter().map(|example| example.outcome.variance[horizon]).sum::<f64>() / examples.len() as f64
        };
        let bar_ms = u32::try_from(bar_ms).context("a bar of so many milliseconds")?;
        let bytes =
            predictor.to_runtime(bar_ms, core::array::from_fn(mean)).context("writing the predictor for engines")?;
        Ok(Some(bytes))
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) predictor: Predictor,
    /// The predictor as engines and `observation.predictor` take it, if its moments are those of episodes.
    pub(crate) runtime: Option<PredictorFiles>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) rivals: Vec<Rival>,
    pub(crate) judgement: Judgement,
}

/// Fits everybody on the calibration half and judges them on the other; a predictor that is given is not trained again.
///
/// # Errors
/// If a half has no examples, or training fails.
pub(crate) fn run(
    halves: &Halves,
    config: &PredictorConfig,
    given: Option<Predictor>,
    seed: u64,
    voice: Voice,
) -> anyhow::Result<Outcome> {
    for (name, set) in [("calibration", &halves.calibration), ("validation", &halves.validation)] {
        if set.examples.is_empty() {
            match set.frame {
                Frame::Days => bail!("the {name} half has no run of bars as long as a day and four hours"),
                Frame::Episodes { bar_ms, .. } => {
                    let longest = HORIZONS[HORIZONS.len() - 1];
                    bail!("the {name} half has no run longer than the longest horizon, {longest} bars of {bar_ms} ms")
                }
            }
        }
    }
    let seeds = SeedTree::new(seed);
    voice.say("fitting the rivals");
    let rivals = Rival::fit_all(&halves.calibration);
    for name in NAMES.iter().filter(|name| rivals.iter().all(|rival| rival.name != **name)) {
        voice.say(&format!("left out: {name} cannot be fitted to these bars"));
    }
    let (predictor, epochs) = match given {
        Some(predictor) => (predictor, Vec::new()),
        None => {
            voice.say("training the network");
            let [early, late] = halves.calibration.cut(KEPT);
            let [fit, kept] = [early, late].map(|places| examples(&halves.calibration, &places));
            let trained = train(config, [&fit, &kept], &ladder(), seeds)?;
            (trained.predictor, trained.epochs)
        }
    };
    voice.say("judging");
    let mut columns = vec![forecasts(&predictor, &halves.validation)];
    columns.extend(rivals.iter().map(|rival| rival.forecast(&halves.validation)));
    let judgement = judge(&halves.validation, &columns, seeds);
    let runtime = halves.to_runtime(&predictor)?.map(PredictorFiles::new).transpose()?;
    Ok(Outcome { predictor, runtime, epochs, rivals, judgement })
}

/// Distances of all buckets, as logarithms, by side.
fn ladder() -> Ladder {
    let logs = distances().map(libm::log);
    let (falls, rises) = logs.split_at(LEVERAGES.len());
    Ladder { log_distances: [falls.to_vec(), rises.to_vec()] }
}

/// Some examples of a set, as the trainer takes them.
#[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
fn examples(set: &Set, places: &[usize]) -> Examples {
    let mut examples = Examples { width: set.frame.features().len(), horizons: HORIZONS.len(), ..Examples::default() };
    for example in places.iter().map(|place| &set.examples[*place]) {
        examples.input.extend(example.features.iter().map(|x| *x as f32));
        examples.variance.extend(example.outcome.variance);
        examples.excursion.extend(example.outcome.excursion.iter().flatten());
    }
    examples
}

/// What the network says of every example.
fn forecasts(predictor: &Predictor, set: &Set) -> Column {
    let places: Vec<usize> = (0..set.examples.len()).collect();
    let outlooks = predictor.outlooks(&examples(set, &places).input);
    let distances = distances();
    let forecast = |row: usize| Forecast {
        variance: core::array::from_fn(|horizon| outlooks.variance(row, horizon)),
        ruin: core::array::from_fn(|horizon| {
            core::array::from_fn::<f64, BUCKETS, _>(|bucket| {
                outlooks.beyond(row, horizon, side(bucket), distances[bucket])
            })
        }),
    };
    Column { name: NETWORK.to_owned(), forecasts: places.iter().map(|row| forecast(*row)).collect() }
}
