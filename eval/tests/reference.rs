//! The statistics against the packages that define them: numbers that were committed, and the packages themselves where
//! they are installed. `reference.py` says how to make them.

use std::process::Command;

use seawall_env::SeedTree;
use seawall_eval::statistics::bca::jackknife_mean;
use seawall_eval::statistics::{
    ParetoTail, Plan, Resamples, Sample, Side, bca, conditional_value_at_risk, correlation, holm, interquartile_mean,
    mean, optimality_gap, pareto_tail, percentile, performance_profile, probability_of_improvement, quantile,
    sign_flip,
};
use serde_json::Value;

#[test]
fn statistics_agree_with_the_committed_reference() {
    check(include_str!("reference.json"));
}

#[test]
fn statistics_agree_with_the_packages_themselves() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference.py");
    match Command::new("python3").arg(script).output() {
        Ok(output) if output.status.success() => check(&String::from_utf8(output.stdout).unwrap()),
        Ok(output) if output.status.code() == Some(77) => skip(&String::from_utf8_lossy(&output.stderr)),
        Ok(output) => panic!("{script} failed: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => skip(&error.to_string()),
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
fn skip(reason: &str) {
    eprintln!("SKIPPED, the committed reference alone was checked: {reason}");
}

fn check(text: &str) {
    let reference: Value = serde_json::from_str(text).expect("the script prints JSON");
    let confidence = number(&reference["confidence"]);
    location(&reference["location"]);
    scores(&reference["scores"], confidence);
    bias_corrected(&reference["bias_corrected"], confidence);
    two_level(&reference["two_level"], confidence);
    tests(&reference["tests"]);
    independent(&reference["independent"], confidence);
    pareto(&reference["pareto"]);
}

fn location(given: &Value) {
    let values = numbers(&given["values"]);
    for (place, length) in indices(&given["prefixes"]).into_iter().enumerate() {
        close("mean", mean(&values[..length]), &given["mean"][place]);
        close("interquartile mean", interquartile_mean(&values[..length]), &given["iqm"][place]);
    }
    for (place, level) in numbers(&given["levels"]).into_iter().enumerate() {
        close("quantile", quantile(&values, level), &given["quantile"][place]);
    }
    for (place, share) in numbers(&given["shares"]).into_iter().enumerate() {
        let tail = |side| conditional_value_at_risk(&values, side, share).mean;
        close("upper tail", tail(Side::High), &given["tail_high"][place]);
        close("lower tail", tail(Side::Low), &given["tail_low"][place]);
    }
}

fn scores(given: &Value, confidence: f64) {
    let (x, y) = (matrix(&given["x"]), matrix(&given["y"]));
    let (runs, tasks) = (x.len(), x[0].len());
    let column = |scores: &[Vec<f64>], task: usize| scores.iter().map(|run| run[task]).collect::<Vec<f64>>();
    // Strata are consecutive: task by task.
    let flat: Vec<f64> = (0..tasks).flat_map(|task| column(&x, task)).collect();
    close("interquartile mean", interquartile_mean(&flat), &given["iqm"]);
    close("optimality gap", optimality_gap(&flat, 0.7), &given["optimality_gap"]);
    let pairs: Vec<(Vec<f64>, Vec<f64>)> = (0..tasks).map(|task| (column(&x, task), column(&y, task))).collect();
    close("probability of improvement", probability_of_improvement(&pairs), &given["improvement"]);
    let profile = performance_profile(&flat, &numbers(&given["thresholds"]));
    profile.iter().enumerate().for_each(|(place, share)| close("profile", *share, &given["profile"][place]));
    let two: Vec<(f64, f64)> = x.iter().map(|run| (run[0], run[1])).collect();
    close("correlation", correlation(&two).expect("both vary"), &given["correlation"]);

    let rows = list(&given["indices"]).iter().map(|replicate| {
        let drawn = list(replicate).iter().map(indices);
        drawn
            .flat_map(|run| run.into_iter().enumerate().map(|(task, run)| task * runs + run).collect::<Vec<_>>())
            .collect()
    });
    let plan = Plan::OneLevel(Resamples::from_indices(flat.len(), &rows.collect::<Vec<_>>()));
    let sample = Sample::complete(&flat);
    interval(
        "stratified interval",
        percentile(&plan.distribution(|times| sample.interquartile_mean(times)), confidence),
        &given["iqm_interval"],
    );
}

fn bias_corrected(given: &Value, confidence: f64) {
    let strata = matrix(&given["strata"]);
    let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
    let flat: Vec<f64> = strata.concat();
    let starts: Vec<usize> = (0..sizes.len()).map(|stratum| sizes[..stratum].iter().sum()).collect();
    let rows = list(&given["indices"]).iter().map(|replicate| {
        let drawn = list(replicate).iter().map(indices).zip(&starts);
        drawn.flat_map(|(row, start)| row.into_iter().map(move |index| start + index)).collect()
    });
    let plan = Plan::OneLevel(Resamples::from_indices(flat.len(), &rows.collect::<Vec<_>>()));
    let sample = Sample::complete(&flat);
    let distribution = plan.means(&sample);
    let without = jackknife_mean(&flat.iter().copied().map(Some).collect::<Vec<_>>());
    let jackknife: Vec<Vec<f64>> =
        starts.iter().zip(&sizes).map(|(start, size)| without[*start..start + size].to_vec()).collect();
    interval("bca", bca(mean(&flat), &distribution, &jackknife, confidence), &given["bca"]);
    interval("percentile", percentile(&distribution, confidence), &given["percentile"]);
}

/// One stratum, as `arch` resamples.
fn independent(given: &Value, confidence: f64) {
    let values = numbers(&given["values"]);
    let rows: Vec<Vec<usize>> = list(&given["indices"]).iter().map(indices).collect();
    let plan = Plan::OneLevel(Resamples::from_indices(values.len(), &rows));
    let sample = Sample::complete(&values);
    let distribution = plan.means(&sample);
    let without = [jackknife_mean(&values.iter().copied().map(Some).collect::<Vec<_>>())];
    interval("arch, percentile", percentile(&distribution, confidence), &given["percentile"]);
    interval("arch, bca", bca(mean(&values), &distribution, &without, confidence), &given["bca"]);
    let share = number(&given["tail_share"]);
    let tails = plan.distribution(|times| sample.tail(times, Side::High, share).map(|tail| tail.mean));
    interval("arch, tail", percentile(&tails, confidence), &given["tail_percentile"]);
}

fn pareto(given: &Value) {
    let (values, excesses) = (numbers(&given["values"]), numbers(&given["excesses"]));
    let found = pareto_tail(&values, Side::High, number(&given["share"])).expect("a regular fit");
    assert_eq!(found.exceedances, excesses.len());
    close("threshold", found.threshold, &given["threshold"]);
    close("likelihood at the fit", found.log_likelihood(&excesses), &given["log_likelihood"]);
    // A likelihood is flat at its maximum: scipy's simplex cannot tell two parameters apart whose likelihoods agree to the
    // last bit, which is the square root of that in a parameter.
    for (name, found, given) in [("shape", found.shape, &given["shape"]), ("scale", found.scale, &given["scale"])] {
        let given = number(given);
        assert!((found - given).abs() < 1e-6, "{name}: {found} here, {given} there");
    }
    let (shape, scale) = (number(&given["given"]["shape"]), number(&given["given"]["scale"]));
    let tail = ParetoTail { shape, scale, ..found };
    close("likelihood", tail.log_likelihood(&excesses), &given["given_log_likelihood"]);
    for (place, share) in numbers(&given["shares"]).into_iter().enumerate() {
        close("value at risk", tail.value_at_risk(share).expect("within the fit"), &given["value_at_risk"][place]);
        close(
            "shortfall",
            tail.expected_shortfall(share).expect("within the fit"),
            &given["expected_shortfall"][place],
        );
    }
}

fn two_level(given: &Value, confidence: f64) {
    let values = matrix(&given["values"]);
    let rows = |name: &str| list(&given[name]).iter().map(indices).collect::<Vec<_>>();
    let plan = Plan::TwoLevel {
        runs: Resamples::from_indices(values.len(), &rows("runs")),
        cells: Resamples::from_indices(values[0].len(), &rows("cells")),
    };
    let sample = Sample::complete(&values.concat());
    let distribution = plan.means(&sample);
    interval("two-level interval", percentile(&distribution, confidence), &given["interval"]);
}

fn tests(given: &Value) {
    let test = sign_flip(&numbers(&given["differences"]), 9_999, SeedTree::new(0));
    assert!(test.exact, "eleven differences are enumerated");
    close("sign flip", test.p, &given["sign_flip"]);
    let adjusted = holm(&numbers(&given["p_values"]));
    adjusted.iter().enumerate().for_each(|(place, p)| close("holm", *p, &given["holm"][place]));
}

fn interval(name: &str, found: Option<(f64, f64)>, given: &Value) {
    let (low, high) = found.expect("the interval is defined");
    close(name, low, &given[0]);
    close(name, high, &given[1]);
}

fn close(name: &str, found: f64, given: &Value) {
    let given = number(given);
    assert!((found - given).abs() <= 1e-9 * given.abs().max(1.0), "{name}: {found} here, {given} there");
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    list(value).iter().map(numbers).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    list(value).iter().map(|index| usize::try_from(index.as_u64().expect("an index")).expect("an index")).collect()
}
