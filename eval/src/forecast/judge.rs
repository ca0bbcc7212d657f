//! Whose forecasts are better, and how sure that is: losses, paired differences over days, calibration.

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::barrier::HalfT;
use super::score::{BIN_EDGES, Bin, auc, bin_of, bins, brier, log_score, qlike, reliability, squared_error};
use super::{BUCKETS, Column, HORIZONS, Set, bucket_name};
use crate::calibration::long_run;
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, holm, percentile, real};

/// Bootstrap replicates.
const REPLICATES: usize = 2_000;

/// What a forecast is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Quasi-likelihood of the variance.
    Qlike,
    /// Squared error of the variance, in squared basis points squared.
    Mse,
    /// Brier score, mean over buckets.
    Brier,
    /// Logarithmic score, mean over buckets, in nats.
    Log,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 4] = [Self::Qlike, Self::Mse, Self::Brier, Self::Log];

    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qlike => "qlike",
            Self::Mse => "mse",
            Self::Brier => "brier",
            Self::Log => "log",
        }
    }

    fn of(self, set: &Set, column: &Column, example: usize, horizon: usize) -> f64 {
        let (outcome, forecast) = (&set.examples[example].outcome, &column.forecasts[example]);
        let over_buckets = |loss: fn(bool, f64) -> f64| {
            let pairs = outcome.ruined(horizon).into_iter().zip(forecast.ruin[horizon]);
            pairs.map(|(happened, p)| loss(happened, p)).sum::<f64>() / real(BUCKETS)
        };
        match self {
            Self::Qlike => qlike(outcome.variance[horizon], forecast.variance[horizon]),
            Self::Mse => squared_error(outcome.variance[horizon], forecast.variance[horizon]),
            Self::Brier => over_buckets(brier),
            Self::Log => over_buckets(log_score),
        }
    }
}

/// Mean loss of one forecaster, over days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Who.
    pub forecaster: String,
    /// Within what.
    pub horizon: String,
    /// By what.
    pub loss: Loss,
    /// The mean.
    pub value: f64,
}

/// The subject's loss less a rival's: below zero the subject is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Against whom.
    pub rival: String,
    /// Within what.
    pub horizon: String,
    /// By what.
    pub loss: Loss,
    /// Mean over days.
    pub value: f64,
    /// 95 % interval by resampling days within each history.
    pub interval: [f64; 2],
    /// The mean over its standard error by Newey & West; nothing where days do not differ.
    pub diebold_mariano: Option<f64>,
    /// Two-sided p-value of that, by Student's law over days; one where there is none.
    pub p: f64,
    /// The same corrected for the whole family, by Holm.
    pub p_holm: f64,
}

impl Difference {
    /// What follows, in a word.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        let is_sure = self.p_holm < 0.05;
        match (is_sure, self.value < 0.0) {
            (true, true) => "better",
            (true, false) => "worse",
            _ => "undecided",
        }
    }
}

/// How one forecaster does in one bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Who.
    pub forecaster: String,
    /// Within what.
    pub horizon: String,
    /// Side and leverage.
    pub bucket: String,
    /// Forecasts.
    pub n: usize,
    /// Accounts that were ruined.
    pub events: usize,
    /// Mean forecast.
    pub forecast: f64,
    /// Brier score.
    pub brier: f64,
    /// Logarithmic score, in nats.
    pub log: f64,
    /// Area under the receiver operating characteristic; nothing without events.
    pub auc: Option<f64>,
}

/// Forecasts against what came, all buckets of a horizon together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Who.
    pub forecaster: String,
    /// Within what.
    pub horizon: String,
    /// In the order of [`BIN_EDGES`].
    pub bins: Vec<Bin>,
    /// Part of the Brier score that calibration alone would remove.
    pub reliability: f64,
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Moments that were forecast.
    pub examples: usize,
    /// Days that they lie in.
    pub days: usize,
    /// Losses.
    pub means: Vec<Mean>,
    /// The first forecaster against every other.
    pub differences: Vec<Difference>,
    /// Risk buckets.
    pub buckets: Vec<Bucket>,
    /// Calibration curves.
    pub curves: Vec<Curve>,
}

/// Judges forecasters on a set, the first of them against each of the others.
///
/// A day's mean difference is one observation. Days are resampled within histories for intervals; the test is that of Diebold
/// & Mariano with errors by Newey & West over neighbouring days, and corrected by Holm over rivals, horizons and losses.
///
/// # Panics
/// If there is no forecaster, no example, or a column of another length.
///
/// # Reference
/// Diebold & Mariano 1995, "Comparing predictive accuracy"; Harvey, Leybourne & Newbold 1997 for its law; Newey & West 1994
/// for the lags; Holm 1979.
#[must_use]
pub fn judge(set: &Set, columns: &[Column], seeds: SeedTree) -> Judgement {
    let (subject, rivals) = columns.split_first().expect("somebody forecasts");
    assert!(!set.examples.is_empty(), "there is something to forecast");
    assert!(columns.iter().all(|column| column.forecasts.len() == set.examples.len()), "a forecast for each example");
    let days = set.days();
    let strata: Vec<usize> = days.iter().map(Vec::len).collect();
    let resamples = Resamples::draw(seeds, Level::Cells, &strata, REPLICATES);
    let daily = |column: &Column, horizon: usize, loss: Loss| -> Vec<Vec<f64>> {
        let mean = |places: &Vec<usize>| {
            places.iter().map(|place| loss.of(set, column, *place, horizon)).sum::<f64>() / real(places.len())
        };
        days.iter().map(|history| history.iter().map(mean).collect()).collect()
    };
    let (mut means, mut differences) = (Vec::new(), Vec::new());
    for (horizon, name) in set.frame.horizon_names().iter().enumerate() {
        for loss in Loss::ALL {
            let own = daily(subject, horizon, loss);
            let mut note = |column: &Column, days: &[Vec<f64>]| {
                let all: Vec<f64> = days.iter().flatten().copied().collect();
                let value = all.iter().sum::<f64>() / real(all.len());
                means.push(Mean { forecaster: column.name.clone(), horizon: name.clone(), loss, value });
            };
            note(subject, &own);
            for rival in rivals {
                let other = daily(rival, horizon, loss);
                note(rival, &other);
                let paired: Vec<Vec<f64>> =
                    own.iter().zip(&other).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
                let (value, interval, diebold_mariano) = difference(&paired, &resamples);
                // Student's law for what is but a few days (Harvey, Leybourne & Newbold 1997, §3).
                let law = HalfT { scale: 1.0, degrees: real(strata.iter().sum::<usize>().max(2) - 1) };
                let p = diebold_mariano.map_or(1.0, |t| law.beyond(t.abs(), 1.0));
                let (rival, horizon) = (rival.name.clone(), name.clone());
                differences.push(Difference { rival, horizon, loss, value, interval, diebold_mariano, p, p_holm: 1.0 });
            }
        }
    }
    let corrected = holm(&differences.iter().map(|difference| difference.p).collect::<Vec<f64>>());
    differences.iter_mut().zip(corrected).for_each(|(difference, p)| difference.p_holm = p);
    let all = || columns.iter().flat_map(|column| (0..HORIZONS.len()).map(move |horizon| (column, horizon)));
    Judgement {
        examples: set.examples.len(),
        days: strata.iter().sum(),
        means,
        differences,
        buckets: all().flat_map(|(column, horizon)| buckets(set, column, horizon)).collect(),
        curves: all().map(|(column, horizon)| curve(set, column, horizon, (&days, &resamples))).collect(),
    }
}

/// Mean over days, its interval, and its ratio to the error by Newey & West.
fn difference(paired: &[Vec<f64>], resamples: &Resamples) -> (f64, [f64; 2], Option<f64>) {
    let flat: Vec<f64> = paired.iter().flatten().copied().collect();
    let value = flat.iter().sum::<f64>() / real(flat.len());
    let replicate =
        |times: &[u32]| times.iter().zip(&flat).map(|(times, x)| f64::from(*times) * x).sum::<f64>() / real(flat.len());
    let distribution: Vec<f64> = resamples.iter().map(replicate).collect();
    let is_finite = distribution.iter().all(|x| x.is_finite());
    let (low, high) =
        if is_finite { percentile(&distribution, 0.95).unwrap_or((value, value)) } else { (value, value) };
    let runs: Vec<&[f64]> = paired.iter().map(Vec::as_slice).collect();
    let error = long_run::mean(&runs, long_run::lags(flat.len())).and_then(|fitted| fitted.standard_error);
    (value, [low, high], error.filter(|error| *error > 0.0).map(|error| value / error))
}

fn buckets(set: &Set, column: &Column, horizon: usize) -> Vec<Bucket> {
    let name = &set.frame.horizon_names()[horizon];
    let bucket = |bucket: usize| {
        let pair = |(example, forecast): (&super::Example, &super::Forecast)| {
            (example.outcome.ruined(horizon)[bucket], forecast.ruin[horizon][bucket])
        };
        let pairs: Vec<(bool, f64)> = set.examples.iter().zip(&column.forecasts).map(pair).collect();
        let mean =
            |of: &dyn Fn(bool, f64) -> f64| pairs.iter().map(|(y, p)| of(*y, *p)).sum::<f64>() / real(pairs.len());
        Bucket {
            forecaster: column.name.clone(),
            horizon: name.clone(),
            bucket: bucket_name(bucket),
            n: pairs.len(),
            events: pairs.iter().filter(|(happened, _)| *happened).count(),
            forecast: mean(&|_, p| p),
            brier: mean(&brier),
            log: mean(&log_score),
            auc: auc(&pairs),
        }
    };
    (0..BUCKETS).map(bucket).collect()
}

/// All buckets of a horizon in bins, each with an interval by resampling days.
fn curve(set: &Set, column: &Column, horizon: usize, (days, resamples): (&[Vec<Vec<usize>>], &Resamples)) -> Curve {
    let pairs_of = |place: usize| {
        let happened = set.examples[place].outcome.ruined(horizon);
        happened.into_iter().zip(column.forecasts[place].ruin[horizon])
    };
    let mut bins = bins((0..set.examples.len()).flat_map(pairs_of));
    let tally = |places: &Vec<usize>| {
        let mut counts = [[0_u32; 2]; BIN_EDGES.len()];
        for (happened, probability) in places.iter().flat_map(|place| pairs_of(*place)) {
            let count = &mut counts[bin_of(probability)];
            count[0] += 1;
            count[1] += u32::from(happened);
        }
        counts
    };
    let counts: Vec<[[u32; 2]; BIN_EDGES.len()]> = days.iter().flatten().map(tally).collect();
    for (k, bin) in bins.iter_mut().enumerate() {
        let share = |times: &[u32]| {
            let (n, events) = times.iter().zip(&counts).fold((0_u64, 0_u64), |(n, events), (times, counts)| {
                let weight = u64::from(*times);
                (n + weight * u64::from(counts[k][0]), events + weight * u64::from(counts[k][1]))
            });
            #[expect(clippy::cast_precision_loss, reason = "counts of forecasts")]
            (n > 0).then(|| events as f64 / n as f64)
        };
        let shares: Vec<f64> = resamples.iter().filter_map(share).collect();
        bin.interval = if bin.n > 0 { percentile(&shares, 0.95).map(|(low, high)| [low, high]) } else { None };
    }
    Curve {
        forecaster: column.name.clone(),
        horizon: set.frame.horizon_names()[horizon].clone(),
        reliability: reliability(&bins),
        bins: bins.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::bars;
    use super::super::{BUCKETS, Forecast, History};
    use super::*;
    use crate::calibration::simulated::Draws;

    /// Two months of a random walk of one thousandth a bar.
    fn set() -> Set {
        let mut draws = Draws::new(3);
        let mut price = 100.0;
        let step = |_| {
            price *= libm::exp(1e-3 * draws.normal());
            price
        };
        let closes: Vec<f64> = (0..60 * 288).map(step).collect();
        Set::new(vec![History::new("a", &bars(&closes[..10_000])), History::new("b", &bars(&closes[10_000..]))])
    }

    /// Whoever says the same of every example; `ruin` of each bucket.
    fn constant(set: &Set, name: &str, factor: f64, ruin: f64) -> Column {
        let variance = HORIZONS.map(|bars| factor * 1e-6 * real(bars));
        let forecast = Forecast { variance, ruin: [[ruin; BUCKETS]; HORIZONS.len()] };
        Column { name: name.into(), forecasts: vec![forecast; set.examples.len()] }
    }

    #[test]
    fn the_truth_beats_what_is_off_and_ties_with_itself() {
        let set = set();
        let columns =
            [constant(&set, "truth", 1.0, 0.01), constant(&set, "twin", 1.0, 0.01), constant(&set, "off", 2.0, 0.5)];
        let judgement = judge(&set, &columns, SeedTree::new(1));
        let of = |rival: &str, loss: Loss| {
            judgement.differences.iter().filter(move |d| d.rival == rival && d.loss == loss).collect::<Vec<_>>()
        };
        for loss in Loss::ALL {
            for tie in of("twin", loss) {
                assert!(tie.value == 0.0 && tie.diebold_mariano.is_none() && tie.verdict() == "undecided", "{tie:?}");
            }
        }
        for found in of("off", Loss::Qlike) {
            // E[ln h + σ²/h] at twice the variance: ln 2 + 1/2 - 1 more than at the variance itself.
            let expected = -(core::f64::consts::LN_2 - 0.5);
            assert!((found.value - expected).abs() < 0.05, "{found:?}");
            assert!(found.interval[0] < expected && expected < found.interval[1] && found.verdict() == "better");
        }
        assert!(of("off", Loss::Brier).iter().all(|d| d.verdict() == "better"));
        // Whoever is worse is called that when the roles are exchanged.
        let [truth, _, off] = columns;
        let judgement = judge_pair(&set, off, truth);
        assert!(judgement.differences.iter().all(|d| d.loss == Loss::Mse || d.verdict() == "worse"), "{judgement:?}");
    }

    fn judge_pair(set: &Set, subject: Column, rival: Column) -> Judgement {
        judge(set, &[subject, rival], SeedTree::new(1))
    }

    #[test]
    fn the_statistic_is_that_worked_by_hand() {
        // Differences 1, 2, 3, 4 of one run with one lag: deviations ∓1.5, ∓0.5; squares sum to 5, neighbours to 0.75 - 0.25
        // + 0.75 = 1.25, halved by Bartlett and doubled: 6.25. The error of the mean is 2.5/4, the statistic 2.5/0.625 = 4.
        let error = long_run::mean(&[&[1.0, 2.0, 3.0, 4.0]], 1).unwrap().standard_error.unwrap();
        assert!((2.5 / error - 4.0).abs() < 1e-12);
        // With four days the rule has 4 (4/100)^(2/9) = 1 lag.
        assert_eq!(long_run::lags(4), 1);
        let resamples = Resamples::from_indices(4, &[vec![0, 0, 0, 0], vec![3, 3, 3, 3]]);
        let (value, [low, high], statistic) = difference(&[vec![1.0, 2.0, 3.0, 4.0]], &resamples);
        assert!((value - 2.5).abs() < 1e-12 && (statistic.unwrap() - 4.0).abs() < 1e-12);
        // Two replicates at 1 and 4: the 2.5 % and 97.5 % between them.
        assert!((low - 1.075).abs() < 1e-12 && (high - 3.925).abs() < 1e-12);
    }

    #[test]
    fn a_judgement_does_not_depend_on_threads() {
        let set = set();
        let columns = [constant(&set, "a", 1.0, 0.01), constant(&set, "b", 1.5, 0.02)];
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| judge(&set, &columns, SeedTree::new(5)))
        };
        assert_eq!(run(1), run(3));
    }
}
