//! No panic on any input that a validator accepts: scenario and preset files with their numbers pushed to the bounds that
//! the validator itself names, fields exchanged, dropped and mistyped. What is refused has to be refused with an error.
//!
//! More cases: `PROPTEST_CASES=20000 cargo test --release -p seawall-env --test accepted`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use proptest::prelude::*;
use seawall_env::action::ACTIONS;
use seawall_env::error::{Error, Problem};
use seawall_env::liquidation::{Preset, presets};
use seawall_env::market::Site;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario, presets as scenarios};
use seawall_env::{CascadeEnv, Env, Groups, Task};
use toml::Value;

/// Accounts of the markets that run: bounds of the population are tested where nobody has to play it.
const ACCOUNTS: u32 = 192;
/// Ticks that an accepted market has to survive.
const TICKS: u32 = 150;
/// Most ticks between two looks at it.
const TICKS_PER_DECISION: u32 = 30;

/// Where a leaf of a document stands.
type Place = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Entry(usize),
}

/// All leaves below a value, in the document's order.
fn leaves(value: &Value, at: &mut Place, found: &mut Vec<Place>) {
    match value {
        Value::Table(table) => {
            for (key, below) in table {
                at.push(Step::Key(key.clone()));
                leaves(below, at, found);
                at.pop();
            }
        }
        Value::Array(entries) => {
            for (i, below) in entries.iter().enumerate() {
                at.push(Step::Entry(i));
                leaves(below, at, found);
                at.pop();
            }
        }
        _ => found.push(at.clone()),
    }
}

fn places(document: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    leaves(document, &mut Vec::new(), &mut found);
    found
}

fn leaf<'a>(document: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(document, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_str()),
        Step::Entry(i) => value.get_mut(*i),
    })
}

/// The path of a leaf as validators write it, without what stands before `market.` or `pipeline.`.
fn dotted(place: &[Step]) -> String {
    place.iter().fold(String::new(), |path, step| match step {
        Step::Key(key) if path.is_empty() => key.clone(),
        Step::Key(key) => format!("{path}.{key}"),
        Step::Entry(i) => format!("{path}[{i}]"),
    })
}

/// A number in the type that the leaf had.
#[expect(clippy::cast_possible_truncation, reason = "integers of a file are far below 2^52")]
fn set(leaf: &mut Value, number: f64) {
    match leaf {
        Value::Integer(integer) => *integer = number as i64,
        Value::Float(float) => *float = number,
        _ => {}
    }
}

fn number(leaf: &Value) -> Option<f64> {
    match leaf {
        #[expect(clippy::cast_precision_loss, reason = "integers of a file are far below 2^52")]
        Value::Integer(integer) => Some(*integer as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

/// Bounds that a problem names, where it names an interval.
fn interval(problem: &Problem) -> Option<[f64; 2]> {
    let (low, high) = problem.bound.strip_prefix("in [")?.strip_suffix(']')?.split_once(", ")?;
    Some([low.parse().ok()?, high.parse().ok()?])
}

fn problems(refusal: &Error) -> &[Problem] {
    if let Error::Invalid(problems) = refusal { &problems.0 } else { &[] }
}

/// The bounds of a leaf, learned from how the reader refuses what is far outside.
fn bounds(document: &Value, place: &[Step], read: &dyn Fn(&Value) -> Result<(), Error>) -> Vec<f64> {
    let field = dotted(place);
    let mut found: Vec<f64> = Vec::new();
    for outside in [-9e14_f64, 9e14] {
        let mut moved = document.clone();
        // An earlier change may have taken it away.
        let Some(leaf) = leaf(&mut moved, place) else { return found };
        set(leaf, if matches!(leaf, Value::Integer(_)) { outside.clamp(0.0, 4e9) } else { outside });
        let Err(refusal) = read(&moved) else {
            found.push(outside);
            continue;
        };
        for problem in problems(&refusal).iter().filter(|problem| problem.field.ends_with(&field)) {
            found.extend(interval(problem).into_iter().flatten());
        }
    }
    found.sort_unstable_by(f64::total_cmp);
    found.dedup_by(|a, b| a.to_bits() == b.to_bits());
    found
}

fn document(scenario: &Scenario) -> Value {
    Value::try_from(scenario).expect("a scenario is made of what TOML can say")
}

fn read_scenario(document: &Value) -> Result<Scenario, Error> {
    Scenario::from_toml(&toml::to_string(document).expect("a document"))
}

fn read_preset(document: &Value) -> Result<Preset, Error> {
    Preset::from_toml(&toml::to_string(document).expect("a document"))
}

/// Plays an accepted market under parameters that jump between the ends of their ranges.
fn play(mut scenario: Scenario, preset: &Preset, seed: u64) {
    scenario.traders.accounts = scenario.traders.accounts.min(ACCOUNTS);
    scenario.clock.ticks_per_decision = scenario.clock.ticks_per_decision.min(TICKS_PER_DECISION);
    let decisions = TICKS / scenario.clock.ticks_per_decision;
    let site = Site::new(Arc::new(preset.furnish(scenario)), preset.pipeline);
    let task = Task::on_sites(vec![site], RewardConfig::default(), Groups::default()).expect("a site and its weights");
    let mut env = CascadeEnv::new(Arc::new(task));
    let (mut observation, mut action) = (vec![0.0; env.spec().observation.len()], [0.0; ACTIONS]);
    env.reset(seed, &mut observation);
    for decision in 0..u64::from(decisions) {
        for (i, action) in action.iter_mut().enumerate() {
            *action = if (seed >> (i % 60)) & 1 == decision % 2 { 1.0 } else { -1.0 };
        }
        if env.step(&action, &mut observation).status.is_over() {
            break;
        }
    }
    env.home().iter().for_each(|market| market.state().ledger.assert_invariants());
}

/// What a market panics with, if it does: so that one run names every number that breaks something.
fn panic_of(name: &str, run: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(run)).err()?;
    let said = panic.downcast_ref::<String>().cloned();
    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
    Some(format!("{name}: {}", said.unwrap_or_default()))
}

#[test]
fn every_number_of_a_scenario_may_stand_at_either_of_its_bounds() {
    let preset = Preset::shipped("seawall").expect("a preset");
    let (mut tried, mut accepted, mut broken) = (0, 0, Vec::new());
    for id in ["flash_crash", "jelly", "popcat"] {
        let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
        scenario.clock.decisions = 5;
        let whole = document(&scenario);
        let read = |document: &Value| read_scenario(document).map(|_| ());
        for place in places(&whole) {
            for bound in bounds(&whole, &place, &read) {
                let mut moved = whole.clone();
                set(leaf(&mut moved, &place).expect("a place of this document"), bound);
                tried += 1;
                let Ok(scenario) = read_scenario(&moved) else { continue };
                accepted += 1;
                let name = format!("{id}: {} = {bound}", dotted(&place));
                broken.extend(panic_of(&name, || play(scenario, &preset, tried)));
            }
        }
    }
    assert!(broken.is_empty(), "{} of {accepted} accepted markets broke:\n{}", broken.len(), broken.join("\n"));
    assert!(accepted > 300, "only {accepted} of {tried} bounds were accepted: the test has lost its subject");
}

#[test]
fn every_number_of_a_preset_may_stand_at_either_of_its_bounds() {
    let (mut tried, mut accepted, mut broken) = (0, 0, Vec::new());
    for name in presets::NAMES {
        let whole = Value::try_from(Preset::shipped(name).expect("a preset")).expect("a preset in TOML");
        let read = |document: &Value| read_preset(document).map(|_| ());
        for place in places(&whole) {
            for bound in bounds(&whole, &place, &read) {
                let mut moved = whole.clone();
                set(leaf(&mut moved, &place).expect("a place of this document"), bound);
                tried += 1;
                let Ok(preset) = read_preset(&moved) else { continue };
                accepted += 1;
                let name = format!("{name}: {} = {bound}", dotted(&place));
                let mut scenario = Scenario::shipped("crash_day").expect("a shipped scenario");
                // Its hours in coarse ticks, so that its shock comes.
                scenario.clock =
                    ClockConfig { tick_seconds: 60.0, ticks_per_decision: 10, decisions: 15, slow_interval: 10 };
                broken.extend(panic_of(&name, || play(scenario, &preset, tried)));
            }
        }
    }
    assert!(broken.is_empty(), "{} of {accepted} accepted markets broke:\n{}", broken.len(), broken.join("\n"));
    assert!(accepted > 100, "only {accepted} of {tried} bounds were accepted: the test has lost its subject");
}

/// What happens to one leaf.
#[derive(Clone, Debug)]
enum Change {
    /// To one of the bounds that the validator names.
    Bound(prop::sample::Index),
    /// To anything.
    Anything(f64),
    /// By a factor.
    Times(f64),
    /// To what another leaf has.
    As(prop::sample::Index),
    /// Out of the file.
    Gone,
    /// To another type.
    Mistyped,
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, Change)>> {
    let change = prop_oneof![
        8 => any::<prop::sample::Index>().prop_map(Change::Bound),
        2 => prop::sample::select(vec![0.0, -1.0, 1.0, 1e-300, 1e300, f64::NAN, f64::INFINITY]).prop_map(Change::Anything),
        4 => (-3.0..3.0_f64).prop_map(|exponent| Change::Times(libm::exp10(exponent))),
        2 => any::<prop::sample::Index>().prop_map(Change::As),
        1 => Just(Change::Gone),
        1 => Just(Change::Mistyped),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), change), 1..7)
}

fn changed(
    mut document: Value,
    changes: &[(prop::sample::Index, Change)],
    read: &dyn Fn(&Value) -> Result<(), Error>,
) -> Value {
    let places = places(&document);
    for (which, change) in changes {
        let place = which.get::<Place>(&places);
        let found = if matches!(change, Change::Bound(_)) { bounds(&document, place, read) } else { Vec::new() };
        let other = if let Change::As(other) = change {
            leaf(&mut document, other.get::<Place>(&places)).cloned()
        } else {
            None
        };
        // An earlier change may have taken the leaf away.
        let Some(leaf) = leaf(&mut document, place) else { continue };
        match change {
            Change::Bound(which) if !found.is_empty() => set(leaf, *which.get(&found)),
            Change::Bound(_) => {}
            Change::Anything(value) => set(leaf, *value),
            Change::Times(factor) => {
                if let Some(value) = number(leaf) {
                    set(leaf, value * factor);
                }
            }
            Change::As(_) => *leaf = other.unwrap_or(Value::Boolean(true)),
            Change::Mistyped => *leaf = Value::String("nobody".to_owned()),
            Change::Gone => {
                let (last, above) = place.split_last().expect("a leaf stands in a table");
                if let (Step::Key(key), Some(Value::Table(table))) = (last, self::leaf(&mut document, above)) {
                    table.remove(key);
                }
            }
        }
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_validators_accept_runs(
        id in prop::sample::select(scenarios::NAMES.to_vec()),
        name in prop::sample::select(presets::NAMES.to_vec()),
        of_scenario in changes(),
        of_preset in prop::option::of(changes()),
        seed in any::<u64>(),
    ) {
        let whole = document(&Scenario::shipped(id).expect("a shipped scenario"));
        let scenario = read_scenario(&changed(whole, &of_scenario, &|document| read_scenario(document).map(|_| ())));
        let whole = Value::try_from(Preset::shipped(name).expect("a preset")).expect("a preset in TOML");
        let of_preset = of_preset.unwrap_or_default();
        let preset = read_preset(&changed(whole, &of_preset, &|document| read_preset(document).map(|_| ())));
        if let (Ok(scenario), Ok(preset)) = (scenario, preset) {
            play(scenario, &preset, seed);
        }
    }

    #[test]
    fn bytes_are_a_scenario_or_refused(
        id in prop::sample::select(scenarios::NAMES.to_vec()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        noise in any::<String>(),
    ) {
        let mut bytes = scenarios::file(id).expect("a shipped scenario").as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let edited = String::from_utf8_lossy(&bytes).into_owned();
        for text in [edited, noise] {
            if let Ok(scenario) = Scenario::from_toml(&text) {
                play(scenario, &Preset::shipped("seawall").expect("a preset"), 1);
            }
            let _ = Preset::from_toml(&text);
        }
    }
}
