use seawall_env::rng::normal_quantile;
use seawall_env::{Purpose, SeedTree};

use super::learner::Member;
use super::loss::{OUTPUTS, loss};
use super::*;
use crate::network::pairs;

struct Draws {
    counter: seawall_env::Counter,
    at: u64,
}

impl Draws {
    fn new(seed: u64) -> Self {
        Self { counter: SeedTree::new(seed).counter(Purpose::Workload, 0), at: 0 }
    }

    fn normal(&mut self) -> f64 {
        self.at += 1;
        normal_quantile(self.counter.uniform2(self.at, 0)[0])
    }
}

fn ladder() -> Ladder {
    let distances = [0.01, 0.02, 0.05].map(libm::log).to_vec();
    Ladder { log_distances: [distances.clone(), distances] }
}

/// Examples of noise, with excursions on both sides of every distance.
fn noise(n: usize, seed: u64) -> Examples {
    let mut draws = Draws::new(seed);
    let mut examples = Examples { width: 4, horizons: 2, ..Examples::default() };
    for _ in 0..n {
        #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
        examples.input.extend((0..4).map(|_| draws.normal() as f32));
        examples.variance.extend((0..2).map(|_| 1e-4 * draws.normal().powi(2)));
        examples.excursion.extend((0..4).map(|_| 0.03 * draws.normal().abs()));
    }
    examples
}

#[test]
fn the_gradient_by_outputs_is_that_of_finite_differences() {
    let ladder = ladder();
    let examples = noise(20, 1);
    let mut draws = Draws::new(2);
    for row in 0..examples.len() {
        let at = |draws: &mut Draws| [-9.0, -4.0, 1.0, -4.5, 0.8].map(|centre| centre + 0.5 * draws.normal());
        let output: Vec<f64> = [at(&mut draws), at(&mut draws)].concat();
        let mut gradient = [0.0; 2 * OUTPUTS];
        let value = loss(&output, examples.outcome(row), &ladder, &mut gradient);
        assert!(value.is_finite());
        for k in 0..output.len() {
            let moved = |by: f64| {
                let mut output = output.clone();
                output[k] += by;
                loss(&output, examples.outcome(row), &ladder, &mut [0.0; 2 * OUTPUTS])
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((numeric - gradient[k]).abs() < 1e-6 * (1.0 + numeric.abs()), "{k}: {numeric}, {}", gradient[k]);
        }
    }
}

#[test]
fn the_gradient_by_weights_is_that_of_finite_differences() {
    let (config, ladder, examples) = (PredictorConfig::default(), ladder(), noise(100, 3));
    let widths = [pairs(4, &[6, 5], 2 * OUTPUTS), pairs(4, &[], 2 * OUTPUTS)];
    let mut member = Member::new(&config, &widths, &ladder, (SeedTree::new(1), 0), &examples);
    // Away from where outputs are constant.
    let mut draws = Draws::new(4);
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    member.flat.iter_mut().for_each(|weight| *weight += 0.2 * draws.normal() as f32);
    let rows: Vec<usize> = (0..100).collect();
    let mut gradient = vec![0.0; member.flat.len()];
    member.evaluate(&examples, &rows, Some(&mut gradient));
    let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    for (k, derived) in gradient.iter().enumerate() {
        let start = member.flat[k];
        let mut moved = |to: f32| {
            member.flat[k] = to;
            member.evaluate(&examples, &rows, None) / 100.0
        };
        let (up, down) = (start + 4e-3, start - 4e-3);
        let numeric = (moved(up) - moved(down)) / f64::from(up - down);
        member.flat[k] = start;
        // Outputs are single precision: a part in ten million of them over a step of 8e-3, and the curvature of the step.
        assert!((numeric - f64::from(*derived)).abs() < 3e-3 * (1.0 + norm), "{k}: {numeric}, {derived}");
    }
}

#[test]
fn probabilities_fall_with_distance_and_are_means_of_members() {
    let (ladder, examples) = (ladder(), noise(300, 5));
    let config = PredictorConfig { members: 2, epochs_max: 3, hidden: vec![8], ..PredictorConfig::default() };
    let predictor = train(&config, [&examples, &examples], &ladder, SeedTree::new(3)).unwrap().predictor;
    let both = predictor.outlooks(&examples.input);
    let alone = |k: usize| {
        Predictor { members: vec![predictor.members[k].clone()], ..predictor.clone() }.outlooks(&examples.input)
    };
    let (first, second) = (alone(0), alone(1));
    for row in 0..both.len() {
        let at = |distance: f64| both.beyond(row, 1, 0, distance);
        assert!(at(0.005) > at(0.01) && at(0.01) > at(0.1) && at(0.1) > 0.0);
        let mean = 0.5 * (first.beyond(row, 1, 0, 0.02) + second.beyond(row, 1, 0, 0.02));
        assert!((at(0.02) - mean).abs() < 1e-15);
        assert!((both.variance(row, 0) - 0.5 * (first.variance(row, 0) + second.variance(row, 0))).abs() < 1e-15);
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let (ladder, examples) = (ladder(), noise(500, 6));
    let config = PredictorConfig { members: 3, epochs_max: 4, hidden: vec![8], ..PredictorConfig::default() };
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(&config, [&examples, &examples], &ladder, SeedTree::new(seed)).unwrap())
    };
    let one = run(1, 7);
    assert_eq!(one, run(2, 7));
    assert_eq!(one, run(5, 7));
    assert_ne!(one.predictor, run(2, 8).predictor);
    assert_ne!(one.predictor.members[0], one.predictor.members[1]);
}

#[test]
fn bad_settings_and_bad_examples_are_listed_together() {
    let config = PredictorConfig { hidden: vec![0], members: 0, ..PredictorConfig::default() };
    let mut bad = noise(10, 1);
    bad.variance[0] = -1.0;
    bad.input[0] = f32::NAN;
    let empty = Examples { width: 4, horizons: 2, ..Examples::default() };
    let text = train(&config, [&bad, &empty], &ladder(), SeedTree::new(1)).unwrap_err().to_string();
    for part in ["predictor.hidden", "predictor.members", "2 bad numbers", "0 examples"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Steps over which a simulated variance is forecast.
const AHEAD: usize = 12;

/// A GARCH(1,1) with Gaussian innovations: returns, and the variance of each as its own recursion knows it beforehand.
fn garch([omega, alpha, beta]: [f64; 3], n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut draws = Draws::new(seed);
    let mut variance = omega / (1.0 - alpha - beta);
    let step = |_| {
        let (now, r) = (variance, variance.sqrt() * draws.normal());
        variance = omega + alpha * r * r + beta * variance;
        (r, now)
    };
    (0..n).map(step).unzip()
}

/// Exponentially weighted means of squared returns up to and with each of them.
fn smoothed(returns: &[f64], decay: f64) -> Vec<f64> {
    let mut mean = returns.iter().map(|r| r * r).sum::<f64>() / f64::from(u32::try_from(returns.len()).unwrap());
    let step = |r: &f64| {
        mean = decay * mean + (1.0 - decay) * r * r;
        mean
    };
    returns.iter().map(step).collect()
}

/// Smoothed squares at four speeds as inputs, what the next dozen returns did as outcome.
fn from_returns(returns: &[f64]) -> Examples {
    let smooth = [0.6, 0.85, 0.93, 0.98].map(|decay| smoothed(returns, decay));
    let mut examples = Examples { width: 4, horizons: 1, ..Examples::default() };
    for at in 200..returns.len() - AHEAD {
        #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
        examples.input.extend(smooth.iter().map(|mean| libm::log(mean[at]) as f32));
        let ahead = &returns[at + 1..=at + AHEAD];
        examples.variance.push(ahead.iter().map(|r| r * r).sum());
        let (mut now, mut low, mut high) = (0.0_f64, 0.0_f64, 0.0_f64);
        for r in ahead {
            now += r;
            (low, high) = (low.min(now), high.max(now));
        }
        examples.excursion.extend([-low, high]);
    }
    examples
}

#[test]
fn a_known_variance_is_recovered_better_than_by_any_moving_average() {
    let law @ [omega, alpha, beta] = [2e-6, 0.15, 0.75];
    let [fit, kept] = [12_000, 4_000].map(|n| from_returns(&garch(law, n, 10 + n as u64).0));
    let config = PredictorConfig { members: 2, hidden: vec![16], ..PredictorConfig::default() };
    let predictor = train(&config, [&fit, &kept], &ladder(), SeedTree::new(1)).unwrap().predictor;
    let (returns, variances) = garch(law, 12_000, 99);
    let test = from_returns(&returns);
    let outlooks = predictor.outlooks(&test.input);
    let qlike = |row: usize, forecast: f64| libm::log(forecast) + test.variance[row] / forecast;
    let mean = |forecast: &dyn Fn(usize) -> f64| {
        let n = u32::try_from(test.len()).unwrap();
        (0..test.len()).map(|row| qlike(row, forecast(row))).sum::<f64>() / f64::from(n)
    };
    // The next variance is known exactly, and those after it go on by their mean.
    let oracle = |row: usize| {
        let mut variance = variances[200 + row + 1];
        let mut sum = 0.0;
        for _ in 0..AHEAD {
            sum += variance;
            variance = omega + (alpha + beta) * variance;
        }
        sum
    };
    let best_average = [0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99]
        .map(|decay| smoothed(&returns, decay))
        .iter()
        .map(|average| mean(&|row| 12.0 * average[200 + row]))
        .fold(f64::INFINITY, f64::min);
    let (oracle, network) = (mean(&oracle), mean(&|row| outlooks.variance(row, 0)));
    assert!(oracle < network, "nothing beats the truth: {oracle} against {network}");
    // What there is between the truth and the best moving average, chosen with hindsight: three quarters of it are won.
    assert!(network - oracle < 0.25 * (best_average - oracle), "{oracle}, {network}, {best_average}");
    // And falls beyond a hundredth happen as often as they are forecast, within four deviations of a dependent share.
    let n = f64::from(u32::try_from(test.len()).unwrap());
    let forecast = (0..test.len()).map(|row| outlooks.beyond(row, 0, 0, 0.02)).sum::<f64>() / n;
    let happened = test.excursion.iter().step_by(2).filter(|x| **x >= 0.02).count();
    let happened = f64::from(u32::try_from(happened).unwrap()) / n;
    assert!((forecast / happened - 1.0).abs() < 0.25, "{forecast} against {happened}");
}

#[test]
fn the_file_forecasts_to_the_bit_what_was_trained() {
    use seawall_runtime::bars::{Bar, INPUTS, TAPE, Tape};
    use seawall_runtime::predictor::{BUCKETS, HORIZONS, LEVERAGES, distances, outputs};

    let wide = |n: usize, seed: u64| {
        let mut draws = Draws::new(seed);
        let mut examples = Examples { width: INPUTS.len(), horizons: HORIZONS.len(), ..Examples::default() };
        for _ in 0..n {
            #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
            examples.input.extend((0..INPUTS.len()).map(|_| draws.normal() as f32));
            examples.variance.extend(HORIZONS.map(|_| 1e-6 * draws.normal().powi(2)));
            examples.excursion.extend((0..2 * HORIZONS.len()).map(|_| 0.01 * draws.normal().abs()));
        }
        examples
    };
    let logs = distances().map(libm::log);
    let (falls, rises) = logs.split_at(LEVERAGES.len());
    let ladder = Ladder { log_distances: [falls.to_vec(), rises.to_vec()] };
    let config = PredictorConfig { members: 3, epochs_max: 3, hidden: vec![9, 33], ..PredictorConfig::default() };
    let predictor = train(&config, [&wide(300, 1), &wide(100, 2)], &ladder, SeedTree::new(3)).unwrap().predictor;
    let reference = [1e-6, 2e-6, 3e-6];
    let bytes = predictor.to_runtime(60_000, reference).unwrap();
    let file = seawall_runtime::Predictor::parse(bytes.as_slice()).unwrap();
    let mut scratch = vec![f32::NAN; file.scratch_len()];
    let (mut tape, mut draws, mut price) = ([0.0; TAPE], Draws::new(9), 100.0);
    Tape::open(&mut tape, price).unwrap();
    // Beyond the longest span, so that the first bars have left the tape.
    for _ in 0..300 {
        price *= libm::exp(1e-3 * draws.normal());
        let (high, low) = (price * 1.001, price * 0.999);
        Tape::push(&mut tape, &Bar { high, low, close: price, volume: 1.0 }).unwrap();
        let window = Tape::window(&tape).unwrap().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "inputs are single precision")]
        let row: Vec<f32> = window.inputs().iter().map(|x| *x as f32).collect();
        let outlooks = predictor.outlooks(&row);
        let variance = core::array::from_fn(|h| outlooks.variance(0, h));
        let ruin: [f64; BUCKETS] = core::array::from_fn(|b| outlooks.beyond(0, 2, b / LEVERAGES.len(), distances()[b]));
        let expected = outputs(&variance, &reference, &ruin);
        let found = file.forecast(Some(&window), &mut scratch).unwrap();
        assert_eq!(expected.map(f32::to_bits), found.map(f32::to_bits));
    }
    // An ensemble over other inputs is no engine's.
    let narrow = train(&config, [&noise(50, 1), &noise(20, 2)], &self::ladder(), SeedTree::new(1)).unwrap().predictor;
    narrow.to_runtime(60_000, reference).unwrap_err();
}
