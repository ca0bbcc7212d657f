//! Whether intervals and tests do what they promise, on samples whose truth is known.

use seawall_env::rng::normal_quantile;
use seawall_env::{Purpose, SeedTree};
use seawall_eval::statistics::bca::jackknife_mean;
use seawall_eval::statistics::{Plan, Sample, bca, mean, percentile, sign_flip};

const TRIALS: u32 = 600;
const RESAMPLES: usize = 400;

/// Standard normal draws that belong to one trial.
fn normals(trial: u64, count: u64) -> Vec<f64> {
    let counter = SeedTree::new(11).counter(Purpose::World, trial);
    (0..count).map(|slot| normal_quantile(counter.uniform2(0, slot)[0])).collect()
}

/// Share of trials in which a 95 % interval holds the truth.
fn coverage(covers: impl Fn(u64) -> bool) -> f64 {
    let hits: u32 = (0..TRIALS).map(|trial| u32::from(covers(trial.into()))).sum();
    f64::from(hits) / f64::from(TRIALS)
}

/// Coverage of the percentile interval for the mean of `count` normal draws.
fn percentile_coverage(count: u64) -> f64 {
    let strata = [usize::try_from(count).expect("a small count")];
    coverage(|trial| {
        let sample = Sample::complete(&normals(trial, count));
        let plan = Plan::draw(SeedTree::new(trial), 1, &strata, RESAMPLES);
        let (low, high) = percentile(&plan.means(&sample), 0.95).expect("there are resamples");
        low <= 0.0 && 0.0 <= high
    })
}

#[test]
fn an_interval_over_few_draws_covers_clearly_less_than_it_states() {
    let (three, ten, thirty) = (percentile_coverage(3), percentile_coverage(10), percentile_coverage(30));
    // The standard error of a coverage near 0.95 over 600 trials is 0.009.
    assert!(three < 0.85, "{three}");
    assert!((0.86..0.94).contains(&ten), "{ten}");
    assert!((0.91..0.98).contains(&thirty), "{thirty}");
}

#[test]
fn correcting_for_skew_covers_better_than_percentiles_do() {
    // Log-normal with σ = 1.5: mean exp(1.125), half of it carried by a tenth of the draws.
    let truth = libm::exp(1.125);
    let both = |trial: u64| {
        let values: Vec<f64> = normals(trial, 60).iter().map(|z| libm::exp(1.5 * z)).collect();
        let sample = Sample::complete(&values);
        let distribution =
            Plan::draw(SeedTree::new(trial), 1, &[60], RESAMPLES).distribution(|times| sample.mean(times));
        let jackknife = jackknife_mean(&values.iter().copied().map(Some).collect::<Vec<_>>());
        (percentile(&distribution, 0.95).unwrap(), bca(mean(&values), &distribution, &[jackknife], 0.95).unwrap())
    };
    let holds = |(low, high): (f64, f64)| low <= truth && truth <= high;
    let (plain, corrected) = (coverage(|trial| holds(both(trial).0)), coverage(|trial| holds(both(trial).1)));
    assert!(corrected > plain + 0.01, "{corrected} against {plain}");
}

#[test]
fn crossing_runs_with_cells_covers_what_pooling_them_misses() {
    // Twenty runs on common cells: a run's effect has variance 1, a cell's 1, the rest 1; the truth is zero.
    let (runs, cells) = (20, 40);
    let values = |trial: u64| -> Vec<f64> {
        let z = normals(trial, runs + cells + runs * cells);
        let at = |i: u64| z[usize::try_from(i).unwrap()];
        let value = move |run: u64, cell: u64| at(run) + at(runs + cell) + at(runs + cells + run * cells + cell);
        (0..runs).flat_map(|run| (0..cells).map(move |cell| (run, cell))).map(|(run, cell)| value(run, cell)).collect()
    };
    let interval = |trial: u64, runs: usize, strata: &[usize]| {
        let sample = Sample::complete(&values(trial));
        let plan = Plan::draw(SeedTree::new(trial), runs, strata, 200);
        let (low, high) = percentile(&plan.means(&sample), 0.95).unwrap();
        low <= 0.0 && 0.0 <= high
    };
    let crossed = coverage(|trial| interval(trial, 20, &[40]));
    let pooled = coverage(|trial| interval(trial, 1, &[800]));
    assert!((0.90..0.99).contains(&crossed), "{crossed}");
    assert!(pooled < 0.6, "{pooled}");
}

#[test]
fn the_permutation_test_errs_as_often_as_it_says() {
    // Under no difference a p-value is below 0.05 in at most 5 % of trials, drawn or enumerated.
    for count in [10, 40] {
        let rejected = coverage(|trial| sign_flip(&normals(trial, count), 1_023, SeedTree::new(trial)).p < 0.05);
        assert!((0.02..0.08).contains(&rejected), "{count}: {rejected}");
    }
}
