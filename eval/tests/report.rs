//! What a report says about records whose numbers were chosen by hand.

use seawall_env::outcome::Outcome;
use seawall_env::units::Usd;
use seawall_eval::gate::{Gate, Judge};
use seawall_eval::metric::metric;
use seawall_eval::record::{Arm, EpisodeRecord};
use seawall_eval::report::effect::{Contrast, effects};
use seawall_eval::report::{Comparison, Finding, TestUnit, csv, json::json, markdown::markdown};
use seawall_eval::statistics::{Method, NoFit};
use seawall_eval::{Records, Report, Settings, Split};

/// One arm: its name, and for each run the return of each episode, scenario by scenario.
type Line<'a> = (&'a str, Vec<Vec<f64>>);

/// Records with these returns; bad debt is what the return lacks to zero, in units of one basis point.
fn records(scenarios: &[&str], seeds: usize, lines: &[Line<'_>]) -> Records {
    let mut episodes = Vec::new();
    let mut arms = Vec::new();
    for (arm, (name, runs)) in lines.iter().enumerate() {
        let seed_of = |run: usize| (runs.len() > 1).then_some(run as u64 + 1);
        let training_seeds = (0..runs.len()).map(seed_of).collect();
        arms.push(Arm { name: (*name).into(), preset: "venue".into(), training_seeds });
        for (run, values) in runs.iter().enumerate() {
            assert_eq!(values.len(), scenarios.len() * seeds, "the test's own table");
            episodes.extend(values.iter().enumerate().map(|(cell, value)| EpisodeRecord {
                arm,
                run,
                training_seed: seed_of(run),
                scenario: cell / seeds,
                index: cell % seeds,
                seed: cell as u64,
                episode_return: *value,
                terms: vec![-value, 1.0],
                outcome: Outcome {
                    reference_open_interest: Usd::from_f64(10_000.0),
                    bad_debt: Usd::from_f64((-value).max(0.0)),
                    ..Outcome::default()
                },
                without_liquidations: None,
                path: None,
                let_be: None,
                overruled: None,
            }));
        }
    }
    Records {
        suite: "hand".into(),
        split: Split::Report,
        hash: "0123abcd".into(),
        scenarios: scenarios.iter().map(|id| (*id).to_owned()).collect(),
        seeds,
        terms: vec!["debt".into(), "one".into()],
        arms,
        episodes,
    }
}

fn settings() -> Settings {
    Settings { resamples: 500, flips: 999, ..Settings::default() }
}

fn build(records: &Records, gates: &[Gate]) -> Report {
    Report::build(records, &records.arms[0].name, settings(), gates).expect("valid records")
}

fn on<'a>(report: &'a Report, metric: &str, opponent: &str) -> &'a Comparison {
    report.section(None).and_then(|s| s.row(metric)).and_then(|row| row.comparison(opponent)).expect("compared")
}

fn near(found: Option<f64>, expected: f64) {
    let found = found.expect("defined");
    assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
}

/// Subject, one that is worse by one everywhere, one that differs without a pattern.
fn three() -> Records {
    let base = vec![-4.0, -2.0, -3.0, -1.0, -30.0, -20.0, -50.0, -40.0];
    let worse = base.iter().map(|value| value - 1.0).collect();
    let mixed = vec![-3.5, -2.5, -2.5, -1.5, -29.5, -20.5, -49.5, -40.5];
    records(&["calm", "crash"], 4, &[("subject", vec![base]), ("worse", vec![worse]), ("mixed", vec![mixed])])
}

#[test]
fn a_table_worked_by_hand() {
    let report = build(&three(), &[]);
    let row = report.section(None).unwrap().row("return").unwrap();
    let [subject, ..] = row.summaries.as_slice() else { panic!("three arms") };
    // Sum -150 over 8; without the two lowest and two highest, -30 - 20 - 4 - 3 over 4.
    near(subject.mean.map(|mean| mean.value), -18.75);
    near(subject.interquartile_mean.map(|iqm| iqm.value), -14.25);
    // 5 % of 8 is 0.4 of the lowest.
    near(subject.tail.map(|tail| tail.mean.value), -50.0);
    assert_eq!(subject.tail.unwrap().samples, 1);
    assert_eq!((subject.episodes, subject.undefined), (8, 0));
    let interval = subject.mean.unwrap().interval.unwrap();
    assert_eq!(interval.method, Method::Bca);
    assert!(interval.low < -18.75 && -18.75 < interval.high);
    // Strata keep their sizes, so the mean cannot leave what four calm and four crash episodes can give.
    assert!(interval.low >= -27.0 && interval.high <= -10.5, "{interval:?}");
    let calm = report.section(Some("calm")).unwrap().row("return").unwrap();
    near(calm.summaries[0].mean.map(|mean| mean.value), -2.5);
    assert_eq!(report.term_means[0].means, [18.75, 1.0]);
}

#[test]
fn a_comparison_worked_by_hand() {
    let report = build(&three(), &[]);
    let worse = on(&report, "return", "worse");
    let difference = worse.difference.unwrap();
    near(Some(difference.value), 1.0);
    near(difference.interval.map(|interval| interval.low), 1.0);
    near(worse.correlation, 1.0);
    assert_eq!((worse.pairs, worse.won, worse.lost), (8, Some(1.0), Some(0.0)));
    // Calm, against -5, -3, -4, -2: -4 exceeds one and ties one, -3 two and one, -2 three and one, -1 four: 11.5 of 16.
    // Crash, against -31, -21, -51, -41: -50 exceeds one, -40 two, -30 three, -20 four: 10 of 16.
    near(worse.improvement, f64::midpoint(11.5 / 16.0, 10.0 / 16.0));
    let test = worse.test.unwrap();
    // All eight differences agree: 2 patterns of 256, doubled by Holm against the other opponent.
    assert_eq!((test.unit, test.exact), (TestUnit::Episodes, true));
    near(Some(test.p), 2.0 / 256.0);
    near(Some(test.adjusted), 4.0 / 256.0);
    assert_eq!(worse.finding, Some(Finding::Better));
    let mixed = on(&report, "return", "mixed");
    near(mixed.difference.map(|difference| difference.value), 0.0);
    assert_eq!((mixed.won, mixed.lost), (Some(0.5), Some(0.5)));
    assert_eq!(mixed.finding, Some(Finding::Undecided));
    // Less bad debt is better, though the difference is negative.
    let debt = on(&report, "bad_debt", "worse");
    near(debt.difference.map(|difference| difference.value), -1.0);
    assert_eq!((debt.won, debt.finding), (Some(1.0), Some(Finding::Better)));
    // A neutral metric has no finding, an undefined one nothing at all.
    assert_eq!(on(&report, "keeper_profit", "worse").finding, None);
    assert_eq!(on(&report, "price_amplification", "worse").difference, None);
}

#[test]
fn the_verdict_says_what_the_findings_say_from_either_side() {
    let records = three();
    let report = build(&records, &[]);
    assert_eq!(
        report.verdict,
        [
            "On return, over 2 scenarios × 4 seeds of the report split, subject beats worse (1.00 [1.00, 1.00], Holm p 0.0156); \
             cannot be told apart from mixed (0.00 [-0.375, 0.250], Holm p 1.0000).",
            "Against mixed, the strongest of them by mean return: no difference beyond noise on 1 metric; the same in every \
             pair on 19 metrics.",
        ]
    );
    let report = Report::build(&records, "worse", settings(), &[]).unwrap();
    assert!(
        report.verdict[0].contains("worse loses to subject (-1.00 [-1.00, -1.00], Holm p 0.0156)"),
        "{:?}",
        report.verdict
    );
    assert!(report.verdict[1].contains("worse on bad_debt"), "{:?}", report.verdict);
}

#[test]
fn five_training_seeds_are_ahead_but_not_confirmed() {
    let base = [-4.0, -2.0, -3.0, -1.0];
    let run = |gain: f64| base.iter().map(|value| value + gain).collect::<Vec<f64>>();
    let runs = [0.5, 0.6, 0.7, 0.4, 0.8].map(run).to_vec();
    let records = records(&["crash"], 4, &[("learned", runs), ("rule", vec![base.to_vec()])]);
    let report = build(&records, &[]);
    let comparison = on(&report, "return", "rule");
    let difference = comparison.difference.unwrap();
    near(Some(difference.value), 0.6);
    // Every pair of a run gains the same, so only the five gains vary.
    let interval = difference.interval.unwrap();
    assert_eq!(interval.method, Method::TwoLevel);
    assert!(interval.low > 0.4 && interval.low < 0.55 && interval.high > 0.65 && interval.high < 0.8, "{interval:?}");
    let test = comparison.test.unwrap();
    assert_eq!((test.unit, test.exact), (TestUnit::Runs, true));
    near(Some(test.p), 2.0 / 32.0);
    assert_eq!(comparison.finding, Some(Finding::Ahead));
    assert!(report.verdict[0].contains("is ahead of rule (0.600 ["), "{:?}", report.verdict);
    assert!(report.verdict[0].contains("not confirmed by the test"), "{:?}", report.verdict);
    assert!(
        report.verdict[2].starts_with("5 training seeds: fewer than 10") && report.verdict[2].contains("below 0.0625"),
        "{:?}",
        report.verdict
    );
    let runs = &report.training[0];
    assert_eq!(runs.seeds, [1, 2, 3, 4, 5]);
    // Run means -2.5 + gain; the interquartile mean of five cuts one at each end: -2.5 + 0.6.
    near(Some(runs.interquartile_mean.value), -1.9);
    near(Some(runs.median), -1.9);
}

#[test]
fn two_trained_arms_are_compared_seed_by_seed() {
    // The runs differ wildly, and alike in both arms: only the pairing by training seed sees the difference of 0.1.
    let runs = |gain: f64| (0..10).map(|run| vec![f64::from(run * run) + gain, f64::from(run) + gain]).collect();
    let report = build(&records(&["crash"], 2, &[("a", runs(0.1)), ("b", runs(0.0))]), &[]);
    let comparison = on(&report, "return", "b");
    assert_eq!(comparison.pairs, 20);
    let interval = comparison.difference.unwrap().interval.unwrap();
    assert!((interval.low - 0.1).abs() < 1e-9 && (interval.high - 0.1).abs() < 1e-9, "{interval:?}");
    assert_eq!(comparison.finding, Some(Finding::Better));
}

#[test]
fn one_seed_gives_no_interval_and_no_claim() {
    let report =
        build(&records(&["calm", "crash"], 1, &[("a", vec![vec![1.0, 2.0]]), ("b", vec![vec![0.0, 0.0]])]), &[]);
    assert_eq!(report.sections[0].rows[0].summaries[0].mean.unwrap().interval, None);
    assert_eq!(on(&report, "return", "b").finding, Some(Finding::Undecided));
}

#[test]
fn gates_pass_and_fail_by_their_numbers() {
    let gate = |metric: &str, at_most: Option<f64>, at_least: Option<f64>| Gate {
        metric: metric.into(),
        contender: None,
        versus: None,
        scenario: None,
        at_least,
        at_most,
        judge: Judge::Estimate,
    };
    let gates = [
        gate("return", None, Some(-18.75)),
        Gate { scenario: Some("calm".into()), ..gate("bad_debt", Some(2.4), None) },
        Gate { versus: Some("worse".into()), judge: Judge::Interval, ..gate("return", None, Some(0.99)) },
        Gate { contender: Some("worse".into()), ..gate("bad_debt", Some(19.0), None) },
        gate("price_amplification", Some(9.0), None),
    ];
    let report = build(&three(), &gates);
    assert_eq!(report.gates.iter().map(|judged| judged.passed).collect::<Vec<_>>(), [true, false, true, false, false]);
    assert!(!report.passed());
    assert_eq!(report.gates[4].estimate, None, "what is undefined passes nothing");
    let unknown =
        Gate { scenario: Some("storm".into()), versus: Some("nobody".into()), ..gate("return", Some(0.0), None) };
    let problems = Report::build(&three(), "ghost", settings(), &[unknown]).unwrap_err().to_string();
    for field in ["subject = ghost", "gates[0].scenario = storm", "gates[0].versus = nobody"] {
        assert!(problems.contains(field), "{problems}");
    }
}

#[test]
fn records_that_are_not_a_complete_grid_are_refused() {
    let mut short = three();
    short.episodes.pop();
    let mut swapped = three();
    swapped.episodes.swap(0, 1);
    for broken in [short, swapped] {
        let problems = Report::build(&broken, "subject", settings(), &[]).unwrap_err().to_string();
        assert!(problems.contains("records.episodes = "), "{problems}");
    }
}

#[test]
fn the_page_for_people_is_as_it_was_agreed() {
    let gate = Gate {
        metric: "bad_debt".into(),
        contender: None,
        versus: None,
        scenario: Some("crash".into()),
        at_least: None,
        at_most: Some(50.0),
        judge: Judge::Interval,
    };
    let page = markdown(&build(&three(), &[gate]));
    assert_eq!(page, include_str!("golden/report.md"), "\n{page}");
}

#[test]
fn tables_for_machines_hold_every_number_in_full() {
    let records = three();
    let report = build(&records, &[]);
    let table = csv::summaries(&report);
    let lines: Vec<&str> = table.lines().collect();
    // All scenarios and each of two, 40 metrics, three arms.
    assert_eq!(lines.len(), 1 + 3 * 40 * 3);
    assert!(
        lines[0]
            .starts_with("scenario,metric,unit,direction,contender,episodes,undefined,lowest,highest,mean,mean_low")
    );
    assert!(lines[1].starts_with(",return,reward,higher,subject,8,0,-50,-1,-18.75,"), "{}", lines[1]);
    assert!(lines[1].ends_with(",,,,,,,,,,,"), "the subject is not compared with itself: {}", lines[1]);
    assert!(lines[2].contains(",1,1,1,percentile,8,1,0,0.671875,"), "{}", lines[2]);
    assert!(lines.iter().all(|line| line.split(',').count() == lines[0].split(',').count()));

    let episodes = csv::episodes(&records);
    assert_eq!(episodes.lines().count(), 1 + 24);
    assert!(episodes.lines().nth(1).unwrap().starts_with("subject,venue,,calm,0,0,-4,4,100,0,"), "{episodes}");

    let value: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    assert_eq!(value["sections"][0]["rows"][0]["summaries"][0]["mean"]["value"], -18.75);
    assert_eq!(value["sections"][0]["rows"][0]["comparisons"][0]["finding"], "better");
    assert_eq!(value["sections"][0]["rows"][0]["metric"]["unit"], "reward");
    assert_eq!(value["hash"], "0123abcd");
}

#[test]
fn a_tail_is_told_from_two_sides_or_said_not_to_be_estimable() {
    // Losses with quantiles of an exponential distribution of mean one, against losses in three episodes of 400.
    let losses: Vec<f64> = (0..400).map(|k| libm::log((f64::from(k) + 0.5) / 400.0)).collect();
    let rare: Vec<f64> = (0..400).map(|k| if k < 3 { f64::from(-k - 1) } else { 0.0 }).collect();
    let records = records(&["calm"], 400, &[("thick", vec![losses]), ("rare", vec![rare])]);
    let settings = Settings { resamples: 100, flips: 99, ..settings() };
    let report = Report::build(&records, "thick", settings, &[]).unwrap();
    let row = report.section(None).unwrap().row("bad_debt").unwrap();
    let [thick, rare] = [0, 1].map(|arm| row.summaries[arm].extremes.clone().unwrap());
    assert_eq!(thick.levels.iter().map(|level| level.samples).collect::<Vec<_>>(), [40, 20, 4]);
    assert_eq!((thick.exceedances(), thick.not_estimable), (40, None));
    // The worst hundredth of an exponential distribution of mean one has mean 1 + ln 100; four observations say less.
    let (seen, fitted) = (thick.levels[2].mean.value, thick.levels[2].pareto.unwrap());
    assert!((fitted - 5.605).abs() < 0.2, "{fitted} by the fit, {seen} as it was seen");
    assert_eq!((rare.fit, rare.not_estimable), (None, Some(NoFit::TooFew { exceedances: 3 })));
    assert!(rare.levels.iter().all(|level| level.pareto.is_none()));
    let page = markdown(&report);
    assert!(
        page.contains("| bad debt, rare |") && page.contains("| not estimable | 3 beyond the threshold, 25 needed |")
    );
    let tails = csv::tails(&report);
    let line = |start: &str| tails.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line(",bad_debt,open_interest_bp,rare,high,0.01,").ends_with(",4,,,3,,,,too_few"), "{tails}");
    assert!(line(",bad_debt,open_interest_bp,thick,high,0.01,").ends_with(','), "{tails}");
    assert!(tails.lines().all(|line| line.split(',').count() == 17));
}

#[test]
fn effects_are_weighted_sums_cell_by_cell_and_corrected_as_one_family() {
    // Two trained arms with two runs of two cells, and a rule with one: rule stands beside either run.
    let base = vec![vec![-4.0, -2.0], vec![-6.0, -8.0]];
    let arm = vec![vec![-5.0, -3.0], vec![-9.0, -7.0]];
    let records = records(&["calm"], 2, &[("base", base), ("arm", arm), ("rule", vec![vec![-1.0, -2.0]])]);
    let contrast = |name: &str, weights: &[f64]| Contrast { name: name.into(), weights: weights.to_vec() };
    let family =
        [contrast("arm", &[-1.0, 1.0, 0.0]), contrast("rule", &[-1.0, 0.0, 1.0]), contrast("both", &[-1.0, 0.5, 0.5])];
    let metric = metric("return").unwrap();
    let found = effects(&records, &family, metric, settings()).unwrap();
    // arm − base: −1, −1, −3, 1. rule − base: 3, 0, 5, 6. Their mean for both.
    for (effect, mean) in found.iter().zip([-1.0, 3.5, 1.25]) {
        near(effect.estimate.map(|estimate| estimate.value), mean);
        assert_eq!(effect.cells, 4);
        assert_eq!(effect.estimate.unwrap().interval.unwrap().method, Method::TwoLevel);
        let test = effect.test.unwrap();
        // Two runs have four patterns of signs: the smallest p is one half, and three of them corrected come to one.
        assert_eq!((test.unit, test.exact), (TestUnit::Runs, true));
        near(Some(test.adjusted), 1.0);
    }
    // One contrast is what the report's own comparison says, the other way round.
    let report = Report::build(&records, "base", settings(), &[]).unwrap();
    let comparison = on(&report, "return", "rule").difference.unwrap();
    let (ours, theirs) = (found[1].estimate.unwrap().interval.unwrap(), comparison.interval.unwrap());
    assert!((ours.low + theirs.high).abs() < 1e-12 && (ours.high + theirs.low).abs() < 1e-12);

    let wrong = [contrast("short", &[1.0]), contrast("nothing", &[0.0; 3]), contrast("nan", &[f64::NAN, 0.0, 1.0])];
    let text = effects(&records, &wrong, metric, settings()).unwrap_err().to_string();
    for index in 0..3 {
        assert!(text.contains(&format!("contrasts[{index}].weights")), "{text}");
    }
}
