//! What the synthetic worlds look like from far away.

use super::{model, returns, run, shipped};
use crate::rng::SeedTree;
use crate::world::{InitialRegime, Model, Outside, ShockConfig, ShockStart, World, WorldConfig};

const MINUTES_PER_YEAR: f64 = 525_600.0;

#[expect(clippy::cast_precision_loss, reason = "samples are short of 2^52")]
fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn power_mean(x: &[f64], power: i32) -> f64 {
    let centre = mean(x);
    mean(&x.iter().map(|v| (v - centre).powi(power)).collect::<Vec<f64>>())
}

fn excess_kurtosis(x: &[f64]) -> f64 {
    power_mean(x, 4) / (power_mean(x, 2) * power_mean(x, 2)) - 3.0
}

fn autocorrelation(x: &[f64], lag: usize) -> f64 {
    correlation(&x[lag..], &x[..x.len() - lag])
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    let products: Vec<f64> = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).collect();
    mean(&products) / (power_mean(x, 2) * power_mean(y, 2)).sqrt()
}

/// Tail index of absolute values, from the largest `count` of them (Hill 1975).
#[expect(clippy::cast_precision_loss, reason = "samples are short of 2^52")]
fn hill(x: &[f64], count: usize) -> f64 {
    let mut sizes: Vec<f64> = x.iter().map(|v| v.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    count as f64 / sizes[..count].iter().map(|v| libm::log(v / sizes[count])).sum::<f64>()
}

/// Annualised root mean square of the returns between ticks of so many minutes.
fn annualised(path: &[Outside], tick_minutes: f64) -> f64 {
    let squares: Vec<f64> = returns(path, 1).iter().map(|r| r * r).collect();
    (mean(&squares) * MINUTES_PER_YEAR / tick_minutes).sqrt()
}

/// The default model, held in one regime.
fn held_in(initial: InitialRegime) -> WorldConfig {
    let mut config = WorldConfig::default();
    config.regimes.initial = initial;
    config.regimes.calm.mean_hours = 1e6;
    config.regimes.tense.mean_hours = 1e6;
    config.regimes.crisis.mean_hours = 1e6;
    config
}

#[test]
fn every_regime_has_the_volatility_and_the_jumps_of_its_config() {
    let days = 1_500;
    for (initial, index) in [(InitialRegime::Calm, 0), (InitialRegime::Tense, 1), (InitialRegime::Crisis, 2)] {
        let config = held_in(initial);
        let regime = config.regimes.all()[index];
        let path = run(&model(&config, 120.0, 720 * days), 11);
        assert!(path.iter().all(|outside| outside.regime.index() == index));
        let volatility = annualised(&path, 2.0);
        assert!((volatility / regime.volatility - 1.0).abs() < 0.06, "{initial:?}: {volatility}");
        // 470 jumps or so: the rate within four standard errors, which clustering widens by 1 / (1 - n).
        let jumps = f64::from(u32::try_from(path.iter().filter(|outside| outside.jumped).count()).unwrap());
        let expected = regime.jumps_per_day / (1.0 - config.jumps.branching) * 1_500.0;
        assert!((jumps / expected - 1.0).abs() < 0.27, "{initial:?}: {jumps} jumps for {expected}");
    }
}

#[test]
fn other_models_have_the_volatility_of_their_configs() {
    let mut config = WorldConfig::default();
    // Milder than the fit, whose fourth moment does not exist.
    (config.garch.alpha, config.garch.beta, config.garch.degrees_of_freedom) = (0.05, 0.9, 8.0);
    for kind in [Model::Gbm, Model::GarchT, Model::HestonJump] {
        config.model = kind;
        let path = run(&model(&config, 60.0, 1_440 * 400), 5);
        let volatility = annualised(&path, 1.0);
        assert!((volatility / 0.49 - 1.0).abs() < 0.05, "{kind:?}: {volatility}");
    }
}

#[test]
fn tails_are_gaussian_only_where_the_model_is() {
    let mut config = WorldConfig { model: Model::Gbm, ..WorldConfig::default() };
    let kurtosis = |config: &WorldConfig| excess_kurtosis(&returns(&run(&model(config, 60.0, 100_000), 7), 1));
    assert!(kurtosis(&config).abs() < 0.1);
    // Without memory, a GARCH step is a plain Student-t: with ten degrees of freedom its excess kurtosis is one.
    config.model = Model::GarchT;
    (config.garch.alpha, config.garch.beta, config.garch.degrees_of_freedom) = (0.0, 0.0, 10.0);
    let steps = returns(&run(&model(&config, 60.0, 1_000_000), 7), 5);
    assert!((excess_kurtosis(&steps) - 1.0).abs() < 0.3, "{}", excess_kurtosis(&steps));
    config.model = Model::HestonJump;
    assert!(kurtosis(&config) > 2.0);
    assert!(kurtosis(&held_in(InitialRegime::Calm)) > 10.0);
}

#[test]
fn volatility_clusters_and_returns_do_not() {
    let path = run(&model(&held_in(InitialRegime::Calm), 30.0, 2_880 * 200), 3);
    let five_minutes = returns(&path, 10);
    let sizes: Vec<f64> = five_minutes.iter().map(|r| r.abs()).collect();
    let [near, far] = [1, 10].map(|lag| autocorrelation(&sizes, lag));
    assert!(near > 0.2 && far > 0.05 && far < near, "{near} {far}");
    assert!(autocorrelation(&five_minutes, 1).abs() < 0.03);
    // The sum over a day of many such returns is closer to a Gaussian.
    assert!(excess_kurtosis(&returns(&path, 720)) < 0.5 * excess_kurtosis(&five_minutes));
}

#[test]
fn prices_load_on_equities_only_where_macro_leads() {
    for (probability, expected) in [(1.0, 0.7), (0.0, 0.0)] {
        let mut config = held_in(InitialRegime::Crisis);
        config.macro_factor.leads_probability = probability;
        // The loading is on the diffusion: jumps would blur it, and so would variances that move apart.
        config.regimes.crisis.jumps_per_day = 0.0;
        config.clustering.factors.clear();
        config.macro_factor.vix_deviation = 0.0;
        let path = run(&model(&config, 10.0, 500_000), 9);
        let equity: Vec<f64> = path.iter().step_by(6).map(|o| libm::log(o.macro_factor.equity_index)).collect();
        let equity: Vec<f64> = equity.windows(2).map(|w| w[1] - w[0]).collect();
        let measured = correlation(&returns(&path, 6), &equity);
        assert!((measured - expected).abs() < 0.03, "{probability}: {measured}");
    }
}

/// Rise of log VIX over the half hour before the scripted crash, and the largest rise of any half hour.
fn vix_rises(config: &WorldConfig, seed: u64) -> (bool, f64, f64) {
    let model = model(config, 10.0, 4_320);
    let world = World::new(&model, SeedTree::new(seed));
    let start = usize::try_from(world.shocks().next().unwrap().start).unwrap();
    let path = run(&model, seed);
    let rise = |end: usize| libm::log(path[end].macro_factor.vix / path[end - 180].macro_factor.vix);
    (world.macro_leads(), rise(start), (180..path.len()).map(rise).fold(f64::MIN, f64::max))
}

#[test]
fn macro_stress_comes_before_the_crash_where_it_leads_and_at_any_time_elsewhere() {
    let mut config = shipped("crash_day");
    config.macro_factor.lead_minutes = [10.0, 25.0];
    let episodes: Vec<(bool, f64, f64)> = (0..120).map(|seed| vix_rises(&config, seed)).collect();
    let leading: Vec<f64> = episodes.iter().filter(|e| e.0).map(|e| e.1).collect();
    let noise: Vec<(f64, f64)> = episodes.iter().filter(|e| !e.0).map(|e| (e.1, e.2)).collect();
    assert!((40..80).contains(&leading.len()), "{}", leading.len());
    // Ten minutes are two half-lives of the response: at least three quarters of the rise, which is 0.96 from calm and
    // 0.55 from a chain that has become tense by itself.
    assert!(leading.iter().all(|&rise| rise > 0.75 * 0.55 - 0.05), "{leading:?}");
    assert!(mean(&leading) > 0.75 * 0.96, "{leading:?}");
    let before: Vec<f64> = noise.iter().map(|n| n.0).collect();
    let largest: Vec<f64> = noise.iter().map(|n| n.1).collect();
    assert!(mean(&before) < 0.25, "{before:?}");
    assert!(mean(&largest) > 0.6, "noise must look like a signal: {largest:?}");
}

#[test]
fn volatility_scale_scales_the_returns() {
    let plain = held_in(InitialRegime::Calm);
    let scaled = WorldConfig { volatility_scale: [2.0, 2.0], ..plain.clone() };
    let [a, b] = [plain, scaled].map(|config| returns(&run(&model(&config, 1.0, 5_000), 4), 1));
    for (a, b) in a.iter().zip(&b) {
        // Up to the Itô correction, which is of second order.
        assert!((b - 2.0 * a).abs() < 1e-7);
    }
}

#[test]
fn shocks_multiply_volatility_in_every_model() {
    for kind in [Model::Gbm, Model::GarchT, Model::HestonJump, Model::RegimeHawkes] {
        let mut config = WorldConfig { model: kind, ..held_in(InitialRegime::Calm) };
        let calm = run(&model(&config, 1.0, 2_000), 8);
        config.shocks = vec![ShockConfig {
            start: ShockStart::Fraction([0.25, 0.25]),
            duration_seconds: [1_000.0, 1_000.0],
            volatility: 4.0,
            ..ShockConfig::default()
        }];
        let spike = run(&model(&config, 1.0, 2_000), 8);
        assert_eq!(calm[..=500], spike[..=500], "{kind:?}");
        assert!((spike[1_000].volatility / calm[1_000].volatility - 4.0).abs() < 1e-9, "{kind:?}");
    }
}

/// Prints the stylised facts of the default world, to be read beside those of real prices.
#[test]
#[ignore = "a table for the eye: run it in release with --nocapture"]
#[expect(clippy::print_stdout, reason = "a table, printed by hand")]
fn stylised_facts() {
    let model = model(&WorldConfig::default(), 10.0, 8_640 * 400);
    for seed in 1..=5 {
        let path = run(&model, seed);
        for (name, step) in [("1 min", 6), ("5 min", 30), ("1 h", 360), ("1 day", 8_640)] {
            let sample = returns(&path, step);
            let sizes: Vec<f64> = sample.iter().map(|r| r.abs()).collect();
            let memory: Vec<String> = [1, 10, 100, 1_000]
                .into_iter()
                .filter(|lag| lag * 3 < sizes.len())
                .map(|lag| format!("{:.3}", autocorrelation(&sizes, lag)))
                .collect();
            println!(
                "seed {seed} {name}: vol {:.2} kurtosis {:.1} Hill {:.2} {:.2} acf {:.3} acf|r| {memory:?}",
                annualised(&path, 1.0 / 6.0),
                excess_kurtosis(&sample),
                hill(&sample, sample.len() / 100),
                hill(&sample, sample.len() / 20),
                autocorrelation(&sample, 1),
            );
        }
    }
}
