//! The paired grid, on a market of one price that a test can see through.

use std::sync::Mutex;

use rayon::ThreadPoolBuilder;
use seawall_agents::Policy;
use seawall_env::outcome::Outcome;
use seawall_env::rng::{Counter, normal_quantile};
use seawall_env::units::{Price, Usd};
use seawall_env::{Env, Error, Spec, Status, Step};
use seawall_eval::counterfactual::Sampling;
use seawall_eval::{Contender, Episodes, Grid, Records, Report, Settings, Split, Suite, run};

/// A price that falls by what is sold: forced selling follows every fall, unless the venue liquidates nobody.
#[derive(Clone)]
struct Pond {
    spec: Spec,
    volatility: f64,
    liquidates: bool,
    luck: Counter,
    tick: u64,
    price: f64,
    low: f64,
    debt: f64,
    terms: [f64; 2],
}

const TICKS: u64 = 12;

impl Env for Pond {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: u64, observation: &mut [f32]) {
        (self.luck, self.tick, self.price, self.low, self.debt) = (Counter::new(seed), 0, 1.0, 1.0, 0.0);
        observation[0] = 0.0;
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let caution = f64::midpoint(f64::from(action[0]), 1.0);
        let shock = self.volatility * normal_quantile(self.luck.uniform2(self.tick, 0)[0]);
        let forced = if self.liquidates { (-shock).max(0.0) * (1.0 - 0.5 * caution) } else { 0.0 };
        self.tick += 1;
        self.price *= libm::exp(shock - 0.5 * forced);
        self.low = self.low.min(self.price);
        let debt = (forced - self.volatility).max(0.0);
        self.debt += debt;
        self.terms = [debt, caution];
        observation[0] = 0.0;
        let status = if self.tick == TICKS { Status::Truncated } else { Status::Running };
        Step { reward: -debt - 0.001 * caution, status }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    fn save(&self) -> Vec<u8> {
        unimplemented!("an evaluation takes no snapshots")
    }

    fn load(&mut self, _bytes: &[u8]) -> Result<(), Error> {
        unimplemented!("an evaluation takes no snapshots")
    }
}

struct Ponds;

const VOLATILITY: [f64; 2] = [0.01, 0.08];

impl Episodes for Ponds {
    type E = Pond;

    fn make(&self, scenario: usize, contender: &Contender) -> Pond {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Pond {
            spec: Spec {
                observation: names(&["nothing"]),
                action: names(&["caution"]),
                reward: names(&["debt", "caution"]),
            },
            volatility: VOLATILITY[scenario],
            liquidates: contender.preset != "no_liquidation",
            luck: Counter::new(0),
            tick: TICKS,
            price: 1.0,
            low: 1.0,
            debt: 0.0,
            terms: [0.0; 2],
        }
    }

    fn outcome(&self, env: &Pond) -> Outcome {
        Outcome {
            ticks: env.tick,
            reference_open_interest: Usd::from_f64(1.0),
            bad_debt: Usd::from_f64(env.debt),
            price_start: Price::from_f64(100.0),
            mark_low: Price::from_f64(100.0 * env.low),
            mark_high: Price::from_f64(100.0),
            ..Outcome::default()
        }
    }

    fn configuration(&self, scenario: usize) -> Vec<u8> {
        VOLATILITY[scenario].to_string().into_bytes()
    }
}

/// The same caution always.
#[derive(Clone, Debug)]
struct Fixed(f32);

impl Policy for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn reset(&mut self, _seed: u64) {}

    fn act(&mut self, _observation: &[f32], action: &mut [f32]) {
        action[0] = self.0;
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// Draws from its own seed, and forgets to forget: a copy that outlived an episode would act differently.
#[derive(Clone, Debug, Default)]
struct Restless {
    seed: u64,
    acts: u64,
}

impl Policy for Restless {
    fn name(&self) -> &'static str {
        "restless"
    }

    fn reset(&mut self, seed: u64) {
        self.seed = seed;
    }

    fn act(&mut self, _observation: &[f32], action: &mut [f32]) {
        self.acts += 1;
        assert!(self.acts <= TICKS, "a copy lives for one episode");
        action[0] = if Counter::new(self.seed).block(self.acts, 0)[0].is_multiple_of(2) { 1.0 } else { -1.0 };
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

fn suite() -> Suite {
    let scenarios = ["calm", "crash"].map(String::from).to_vec();
    Suite { name: "ponds".into(), split: Split::Report, root: 5, seeds: 9, scenarios, gates: vec![] }
}

fn contenders() -> Vec<Contender> {
    let learned =
        |seed: u64, caution: f32| Contender::new("learned", "venue", Box::new(Fixed(caution))).trained_with(seed);
    vec![
        learned(1, 0.5),
        Contender::new("careless", "venue", Box::new(Fixed(-1.0))),
        learned(2, 0.7),
        Contender::new("restless", "venue", Box::<Restless>::default()),
    ]
}

fn evaluate(contenders: &[Contender]) -> Records {
    let mirror = Contender::new("mirror", "no_liquidation", Box::new(Fixed(0.0)));
    let grid =
        Grid { suite: &suite(), contenders, without_liquidations: Some(&mirror), counterfactuals: Sampling::NONE };
    run(&grid, &Ponds, &|_, _| {}).expect("a valid grid")
}

#[test]
fn records_and_report_are_equal_bit_for_bit_on_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let records = evaluate(&contenders());
            let settings = Settings { resamples: 200, flips: 499, ..Settings::default() };
            let report = Report::build(&records, "learned", settings, &[]).unwrap();
            (postcard::to_stdvec(&records).unwrap(), seawall_eval::report::json::json(&report))
        })
    };
    let alone = on(1);
    assert_eq!(alone, on(2));
    assert_eq!(alone, on(8));
}

#[test]
fn every_contender_meets_the_same_seeds_in_grid_order() {
    let records = evaluate(&contenders());
    let names: Vec<&str> = records.arms.iter().map(|arm| arm.name.as_str()).collect();
    assert_eq!(names, ["learned", "careless", "restless"], "training seeds are gathered");
    assert_eq!(records.arms[0].training_seeds, [Some(1), Some(2)]);
    assert_eq!(records.episodes.len(), 4 * 2 * 9);
    let seeds: Vec<u64> = [suite().seeds(0), suite().seeds(1)].concat();
    for run in records.episodes.chunks_exact(18) {
        assert_eq!(run.iter().map(|episode| episode.seed).collect::<Vec<_>>(), seeds);
        assert!(run.iter().enumerate().all(|(cell, e)| (e.scenario, e.index) == (cell / 9, cell % 9)));
    }
    assert_eq!(records.arm(1).iter().map(|e| e.training_seed).collect::<Vec<_>>(), [None; 18]);
    assert!(records.arm(1).iter().all(|episode| episode.arm == 1));
    assert_eq!(records.hash, suite().hash(&[b"0.01".to_vec(), b"0.08".to_vec()]));
}

#[test]
fn a_contender_fares_the_same_in_any_company() {
    let all = evaluate(&contenders());
    let alone = evaluate(&contenders()[3..]);
    let returns = |records: &Records, arm: usize| records.arm(arm).iter().map(|e| e.episode_return).collect::<Vec<_>>();
    assert_eq!(returns(&all, 2), returns(&alone, 0));
    assert_ne!(returns(&all, 2), returns(&all, 1));
}

#[test]
fn returns_are_the_sums_of_what_the_steps_gave() {
    let records = evaluate(&contenders());
    for episode in records.arm(1) {
        // Never cautious: the return is the debt, which the outcome holds in millionths.
        assert!(episode.terms[1].abs() < 1e-12);
        assert!((episode.episode_return + episode.terms[0]).abs() < 1e-12);
        assert!((episode.outcome.bad_debt.as_f64() - episode.terms[0]).abs() < 1e-6);
    }
    let debt = |arm: usize| records.arm(arm).iter().map(|e| e.terms[0]).sum::<f64>();
    assert!(debt(0) / 2.0 < debt(1), "caution sells less");
}

#[test]
fn amplification_is_against_the_mirror_of_the_same_cell() {
    let records = evaluate(&contenders());
    let mirror = Contender::new("mirror", "no_liquidation", Box::new(Fixed(0.0)));
    let grid =
        Grid { suite: &suite(), contenders: &[mirror], without_liquidations: None, counterfactuals: Sampling::NONE };
    let mirrors = run(&grid, &Ponds, &|_, _| {}).unwrap();
    for run in records.episodes.chunks_exact(18) {
        for (episode, mirror) in run.iter().zip(&mirrors.episodes) {
            assert_eq!(episode.without_liquidations, Some(mirror.outcome));
            assert!(episode.outcome.mark_low <= mirror.outcome.mark_low, "forced selling only pushes down");
        }
    }
    assert_eq!(mirrors.episodes[0].without_liquidations, None);
}

#[test]
fn progress_counts_every_episode_once() {
    let contenders = contenders();
    let grid =
        Grid { suite: &suite(), contenders: &contenders, without_liquidations: None, counterfactuals: Sampling::NONE };
    let seen = Mutex::new(Vec::new());
    run(&grid, &Ponds, &|done, total| seen.lock().unwrap().push((done, total))).unwrap();
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(grid.episodes(), 72);
    assert_eq!(seen, (1..=72).map(|done| (done, 72)).collect::<Vec<_>>());
}

#[test]
fn every_problem_of_a_line_up_is_listed() {
    let fixed = |name: &str, preset: &str| Contender::new(name, preset, Box::new(Fixed(0.0)));
    let contenders = [
        fixed("a", "venue").trained_with(1),
        fixed("a", "other").trained_with(1),
        fixed("b", "venue"),
        fixed("b", "venue"),
        fixed("c", "venue").trained_with(1),
        fixed("c", "venue").trained_with(3),
        fixed("", "venue"),
    ];
    let grid =
        Grid { suite: &suite(), contenders: &contenders, without_liquidations: None, counterfactuals: Sampling::NONE };
    let problems = run(&grid, &Ponds, &|_, _| {}).unwrap_err().to_string();
    for field in [
        "contenders[1].preset = other",
        "contenders[1].training_seed = 1",
        "contenders[3].training_seed = none",
        "c.training_seeds = [1, 3]",
        "contenders[6].name = ",
    ] {
        assert!(problems.contains(field), "{field} is not in\n{problems}");
    }
    let empty = Grid { suite: &suite(), contenders: &[], without_liquidations: None, counterfactuals: Sampling::NONE };
    assert!(run(&empty, &Ponds, &|_, _| {}).is_err());
}
