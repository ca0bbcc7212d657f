//! Classic control is Gymnasium's: the same starts, and from the same states and actions the same steps.

use std::process::Command;

use seawall_env::{Env, Status};
use seawall_training::classic::{CartPole, Classic, Dynamics, MountainCar, Pendulum};

/// What a state, an observation or a reward may differ by. Gymnasium computes the mountain car in single precision.
const ROOM: f64 = 1e-6;

/// What `steps.py` prints; nothing, with a word about why, where Python has no gymnasium.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn gymnasium() -> Option<String> {
    let has =
        Command::new("python3").args(["-c", "import gymnasium"]).output().is_ok_and(|found| found.status.success());
    if !has {
        println!("skipped: python3 has no gymnasium; `pip install gymnasium` in a virtual environment on the PATH");
        return None;
    }
    let script = include_str!("gymnasium/steps.py");
    let output = Command::new("python3").args(["-W", "ignore", "-c", script]).output().expect("python3 ran before");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("the script prints plain text"))
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(',').map(|number| number.parse().expect("a number")).collect()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < ROOM, "{what}: {found} against {expected}");
    }
}

/// The action of a step as the environment takes it.
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn action<D: Dynamics>(text: &str) -> Vec<f32> {
    match (D::ACTION.len(), text) {
        (2, "0") => vec![1.0, -1.0],
        (2, _) => vec![-1.0, 1.0],
        _ => numbers(text).into_iter().map(|entry| entry as f32).collect(),
    }
}

/// Repeats every step of one task; returns how many there were, and the last steps' statuses of all episodes.
fn repeat<D: Dynamics>(text: &str) -> (usize, Vec<Status>) {
    let mut env = Classic::<D>::new();
    let mut observation = vec![0.0; D::OBSERVATION.len()];
    let (mut count, mut ends, mut of_episode) = (0, Vec::new(), 0);
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["step", name, before, act, seen, after] = fields[..] else { continue };
        if name != D::NAME {
            continue;
        }
        if of_episode == 0 {
            env.start_at(&numbers(before), &mut observation);
        }
        assert_close(env.state(), &numbers(before), line);
        let step = env.step(&action::<D>(act), &mut observation);
        let seen = numbers(seen);
        let (seen, rest) = seen.split_at(observation.len());
        assert_close(&observation.iter().map(|&entry| f64::from(entry)).collect::<Vec<_>>(), seen, line);
        assert_close(&[step.reward], &rest[..1], line);
        let flags = [step.status == Status::Terminated, step.status == Status::Truncated];
        assert_eq!(
            flags.map(|flag| if flag { "1.0" } else { "0.0" }),
            [1, 2].map(|at| format!("{:?}", rest[at])),
            "{line}"
        );
        // The next step starts from Gymnasium's own state, so that rounding does not add up.
        of_episode += 1;
        count += 1;
        if step.status.is_over() {
            ends.push(step.status);
            of_episode = 0;
        } else {
            env.nudge(&numbers(after));
        }
    }
    (count, ends)
}

fn starts<D: Dynamics>(text: &str) -> Vec<Vec<f64>> {
    let prefix = format!("start {} ", D::NAME);
    text.lines().filter_map(|line| line.strip_prefix(&prefix)).map(numbers).collect()
}

#[test]
fn every_step_is_that_of_gymnasium() {
    let Some(text) = gymnasium() else { return };
    let (count, ends) = repeat::<CartPole>(&text);
    assert!(count > 500, "{count}");
    assert_eq!(ends.first(), Some(&Status::Terminated));
    assert!(ends.contains(&Status::Truncated), "{ends:?}");
    assert_eq!(repeat::<Pendulum>(&text), (600, vec![Status::Truncated; 3]));
    let (_, ends) = repeat::<MountainCar>(&text);
    assert_eq!(ends, [Status::Truncated, Status::Terminated]);
}

#[test]
fn the_fixed_starts_are_those_that_gymnasium_draws() {
    let Some(text) = gymnasium() else { return };
    for (fixed, drawn) in [
        (CartPole::fixed_starts(), starts::<CartPole>(&text)),
        (Pendulum::fixed_starts(), starts::<Pendulum>(&text)),
        (MountainCar::fixed_starts(), starts::<MountainCar>(&text)),
    ] {
        assert_eq!(fixed, drawn);
        assert_eq!(fixed.len(), 100);
    }
}

/// Extremes of each entry of the starts of many episodes.
fn extremes<D: Dynamics>() -> Vec<(f64, f64)> {
    let mut env = Classic::<D>::new();
    let mut observation = vec![0.0; D::OBSERVATION.len()];
    let mut found = vec![(f64::INFINITY, f64::NEG_INFINITY); D::STATE];
    for seed in 0..2_000 {
        env.reset(seed, &mut observation);
        for ((low, high), entry) in found.iter_mut().zip(env.state()) {
            (*low, *high) = (low.min(*entry), high.max(*entry));
        }
    }
    found
}

#[test]
fn episodes_start_all_over_gymnasiums_range_and_not_outside() {
    // Of 2,000 uniforms the extremes are within one part in 200 of the bounds, but for a chance of 2·e⁻¹⁰.
    let pi = core::f64::consts::PI;
    let bounds = [vec![(-0.05, 0.05); 4], vec![(-pi, pi), (-1.0, 1.0)], vec![(-0.6, -0.4), (0.0, 0.0)]];
    for (found, bounds) in
        [extremes::<CartPole>(), extremes::<Pendulum>(), extremes::<MountainCar>()].into_iter().zip(bounds)
    {
        for ((low, high), (least, most)) in found.into_iter().zip(bounds) {
            let room = (most - least) / 200.0;
            assert!((least..=least + room).contains(&low) && (most - room..=most).contains(&high), "{low} {high}");
        }
    }
}

#[test]
fn a_saved_episode_goes_on_to_the_bit() {
    let (mut one, mut two) = (Classic::<Pendulum>::new(), Classic::<Pendulum>::new());
    let (mut seen_by_one, mut seen_by_two) = ([0.0; 3], [0.0; 3]);
    one.reset(5, &mut seen_by_one);
    one.step(&[0.3], &mut seen_by_one);
    two.load(&one.save()).expect("it was saved by the same task");
    for _ in 1..200 {
        assert_eq!(one.step(&[-0.7], &mut seen_by_one), two.step(&[-0.7], &mut seen_by_two));
        assert_eq!(seen_by_one.map(f32::to_bits), seen_by_two.map(f32::to_bits));
    }
    assert!(Classic::<CartPole>::new().load(&one.save()).is_err());
}
