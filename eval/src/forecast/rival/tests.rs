use super::*;
use crate::calibration::simulated::Draws;
use crate::forecast::History;
use crate::forecast::score::qlike;
use crate::forecast::target::tests::bars;

/// Bars of a GARCH(1,1) with Gaussian innovations around a deviation of one thousandth, and the variance of each beforehand.
fn garch([alpha, beta]: [f64; 2], n: usize, seed: u64) -> (History, Vec<f64>) {
    let mut draws = Draws::new(seed);
    let (mut variance, mut price) = (1e-6_f64, 10_000.0);
    let mut known = Vec::with_capacity(n);
    let step = |_| {
        known.push(variance);
        let r = variance.sqrt() * draws.normal();
        variance = 1e-6 * (1.0 - alpha - beta) + alpha * r * r + beta * variance;
        price *= libm::exp(r);
        price
    };
    let closes: Vec<f64> = (0..n).map(step).collect();
    let mut history = History::new("garch", &bars(&closes));
    // Volume that says nothing, but differs: a constant would be one regressor too many.
    history.volume.iter_mut().for_each(|volume| *volume = 1.0 + draws.uniform());
    (history, known)
}

fn mean_qlike(set: &Set, forecast: impl Fn(usize) -> [f64; HORIZONS.len()]) -> [f64; HORIZONS.len()] {
    core::array::from_fn(|horizon| {
        let loss = |(place, example): (usize, &crate::forecast::Example)| {
            qlike(example.outcome.variance[horizon], forecast(place)[horizon])
        };
        set.examples.iter().enumerate().map(loss).sum::<f64>() / real(set.examples.len())
    })
}

#[test]
fn on_garch_bars_garch_comes_next_to_the_truth_and_every_other_rival_behind_it() {
    let set = Set::new(vec![garch([0.1, 0.85], 20_000, 1).0]);
    let rivals = Rival::fit_all(&set);
    let names: Vec<&str> = rivals.iter().map(|rival| rival.name).collect();
    assert_eq!(names, NAMES);
    let (history, known) = garch([0.1, 0.85], 20_000, 2);
    let test = Set::new(vec![history]);
    let truth = GarchT { omega: 5e-8, alpha: 0.1, beta: 0.85 };
    let oracle = mean_qlike(&test, |place| truth.ahead(known[test.examples[place].at + 1]));
    let losses: Vec<[f64; HORIZONS.len()]> = rivals
        .iter()
        .map(|rival| {
            let column = rival.forecast(&test);
            mean_qlike(&test, |place| column.forecasts[place].variance)
        })
        .collect();
    for horizon in 0..HORIZONS.len() {
        let excess: Vec<f64> = losses.iter().map(|loss| loss[horizon] - oracle[horizon]).collect();
        assert!(excess.iter().all(|x| *x > 0.0), "nothing beats the truth: {excess:?}");
        assert!(excess[3] < 5e-3, "garch is the truth but for its estimates: {excess:?}");
        assert!([0, 1, 2].iter().all(|k| excess[*k] > 2.0 * excess[3]), "{excess:?}");
    }
    // HAR knows as much of a single time scale as four averages can: more than a constant.
    assert!((0..HORIZONS.len()).all(|h| losses[4][h] < losses[0][h]), "{losses:?}");
}

#[test]
fn a_known_law_of_ruin_is_forecast_as_often_as_it_comes() {
    let set = Set::new(vec![garch([0.1, 0.85], 12_000, 3).0]);
    let test = Set::new(vec![garch([0.1, 0.85], 12_000, 4).0]);
    let rivals = Rival::fit_all(&set);
    // Four hours of a thousandth a bar deviate by 0.7 %: accounts at 100 times are ruined now and then, by a fall or a rise.
    for rival in &rivals {
        let column = rival.forecast(&test);
        let forecast: f64 = column.forecasts.iter().map(|f| f.ruin[2][3] + f.ruin[2][7]).sum();
        let ruined = |e: &crate::forecast::Example| {
            let ruined = e.outcome.ruined(2);
            u32::from(ruined[3]) + u32::from(ruined[7])
        };
        let came: u32 = test.examples.iter().map(ruined).sum();
        assert!((forecast / f64::from(came) - 1.0).abs() < 0.2, "{}: {forecast} against {came}", rival.name);
    }
}

#[test]
fn a_har_regression_returns_the_weights_that_made_its_target() {
    let mut set = Set::new(vec![garch([0.1, 0.85], 8_000, 5).0]);
    let weights = [-1.0, 0.1, 0.2, 0.3, 0.25];
    for example in &mut set.examples {
        let log = weights[0] + weights[1..].iter().zip(&example.features).map(|(w, x)| w * x).sum::<f64>();
        example.outcome.variance = [libm::exp(log); HORIZONS.len()];
    }
    let fit = Har::fit(&set, 4).unwrap();
    // But for what is added before the logarithm, a ten-thousandth of these variances.
    for (fitted, weight) in fit.weights[0].iter().zip(weights) {
        assert!((fitted - weight).abs() < 0.02, "{:?}", fit.weights[0]);
    }
    assert!((fit.smearing[0] - 1.0).abs() < 1e-3);
}
