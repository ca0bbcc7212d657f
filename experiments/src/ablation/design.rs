//! From a design to arms and effects: who differs from the base in what, and which sums of arms are estimated.

use seawall_env::{Problem, Problems};
use seawall_eval::report::effect::Contrast;
use toml::{Table, Value};

use super::factorial::{FACTORS_MAX, Factorial, letter};
use super::file::{ArmFile, Expected, FactorFile, Kind, RangeFile, StudyFile};
use super::hypercube;

/// Name of the arm that has no differences.
pub(crate) const BASE: &str = "base";

/// An arm before its settings are resolved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawn {
    /// Name.
    pub(crate) name: String,
    /// Settings by their paths, in training and judgement.
    pub(crate) set: Table,
    /// Settings of the judgement alone.
    pub(crate) judge: Table,
    /// Whom it judges, if that is not what it trains.
    pub(crate) policy: Option<String>,
    /// Whether it is judged behind the shield.
    pub(crate) shield: bool,
}

/// An effect and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    /// The weights.
    pub(crate) contrast: Contrast,
    /// What is expected of it, if anything.
    pub(crate) expect: Option<Expected>,
}

/// A design: arms, effects, and what a reader has to know of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Design {
    /// At least one.
    pub(crate) arms: Vec<Drawn>,
    /// At least one.
    pub(crate) effects: Vec<Planned>,
    /// Generators, aliases, ranges: one line each.
    pub(crate) notes: Vec<String>,
}

/// Draws the design of a study, and records everything that is wrong with it.
pub(crate) fn draw(study: &StudyFile, problems: &mut Problems) -> Design {
    let StudyFile { design, arms, factors, ranges, samples, .. } = study;
    let given = [("arms", Kind::OneFactor, arms.len()), ("factors", Kind::FractionalFactorial, factors.len())];
    let given = given.into_iter().chain([("ranges", Kind::LatinHypercube, ranges.len())]);
    for (field, kind, count) in given.chain([("samples", Kind::LatinHypercube, *samples)]) {
        if kind == *design {
            problems.require(count > 0, field, count, "at least 1 in this design");
        } else {
            problems.require(count == 0, field, count, "left out in this design");
        }
    }
    let before = problems.0.len();
    match design {
        Kind::OneFactor => names("arms", arms.iter().map(|arm| &arm.name), problems),
        Kind::FractionalFactorial => {
            names("factors", factors.iter().map(|factor| &factor.name), problems);
            problems.require(factors.len() <= FACTORS_MAX, "factors", factors.len(), &format!("at most {FACTORS_MAX}"));
        }
        Kind::LatinHypercube => check_ranges(ranges, *samples, problems),
    }
    if problems.0.len() > before || [arms.len(), factors.len(), ranges.len()] == [0; 3] {
        return Design::default();
    }
    match design {
        Kind::OneFactor => one_factor(arms, study.policy.as_ref(), problems),
        Kind::FractionalFactorial => factorial(factors, study.policy.as_ref()),
        Kind::LatinHypercube => latin(study, problems),
    }
}

fn names<'a>(field: &str, names: impl Iterator<Item = &'a String>, problems: &mut Problems) {
    let is_clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let mut known = vec![BASE];
    for (index, name) in names.enumerate() {
        let fresh = !name.is_empty() && name.chars().all(is_clean) && !known.contains(&name.as_str());
        let bound = "lower-case letters, digits, '-' and '_', a name of its own and not base";
        problems.require(fresh, format!("{field}[{index}].name"), format!("{name:?}"), bound);
        known.push(name);
    }
}

fn one_factor(arms: &[ArmFile], policy: Option<&String>, problems: &mut Problems) -> Design {
    let base = Drawn { name: BASE.to_owned(), policy: policy.cloned(), ..Drawn::plain() };
    let drawn = arms.iter().map(|arm| Drawn {
        name: arm.name.clone(),
        set: arm.set.clone(),
        judge: arm.judge.clone(),
        policy: arm.policy.clone().or_else(|| policy.cloned()),
        shield: arm.shield,
    });
    let all: Vec<Drawn> = std::iter::once(base).chain(drawn).collect();
    let mut effects = Vec::with_capacity(arms.len());
    for (index, arm) in arms.iter().enumerate() {
        let against = arm.against.as_deref().unwrap_or(BASE);
        let other = all.iter().position(|other| other.name == against && other.name != arm.name);
        let bound = "base or another arm";
        problems.require(other.is_some(), format!("arms[{index}].against"), format!("{against:?}"), bound);
        let mut weights = vec![0.0; all.len()];
        weights[index + 1] = 1.0;
        weights[other.unwrap_or(0)] = -1.0;
        let name = if against == BASE { arm.name.clone() } else { format!("{} − {against}", arm.name) };
        effects.push(Planned { contrast: Contrast { name, weights }, expect: arm.expect });
    }
    Design {
        arms: all,
        effects,
        notes: vec!["Every effect is the arm less base, or less the arm that is named.".into()],
    }
}

#[expect(clippy::cast_precision_loss, reason = "arms are few")]
fn factorial(factors: &[FactorFile], policy: Option<&String>) -> Design {
    let design = Factorial::new(factors.len());
    let arm = |arm: usize| {
        let mut set = Table::new();
        let mut name = String::from("arm");
        for (index, factor) in factors.iter().enumerate() {
            let is_high = design.is_high(arm, index);
            set.extend(if is_high { factor.high.clone() } else { factor.low.clone() });
            if is_high {
                name += &format!("-{}", letter(index).to_ascii_lowercase());
            }
        }
        let name = if name == "arm" { "arm-low".to_owned() } else { name };
        Drawn { name, set, policy: policy.cloned(), ..Drawn::plain() }
    };
    let weight = 2.0 / design.arms() as f64;
    let effect = |(index, factor): (usize, &FactorFile)| {
        let sign = |arm| if design.is_high(arm, index) { weight } else { -weight };
        let contrast = Contrast { name: factor.name.clone(), weights: (0..design.arms()).map(sign).collect() };
        Planned { contrast, expect: factor.expect }
    };
    let mut notes =
        vec!["Every effect is the mean of the arms with the factor high less that of those with it low.".into()];
    notes.extend(factors.iter().enumerate().map(|(index, factor)| format!("{} is {}.", letter(index), factor.name)));
    let generators = design.generators();
    notes.push(match generators.is_empty() {
        true => "All combinations.".to_owned(),
        false => format!("Resolution IV or more; generators {}.", generators.join(", ")),
    });
    let aliases = design.aliases();
    if !aliases.is_empty() {
        notes.push(format!("Aliased, and so not to be told apart: {}.", aliases.join("; ")));
    }
    Design {
        arms: (0..design.arms()).map(arm).collect(),
        effects: factors.iter().enumerate().map(effect).collect(),
        notes,
    }
}

fn check_ranges(ranges: &[RangeFile], samples: usize, problems: &mut Problems) {
    for (index, range) in ranges.iter().enumerate() {
        let RangeFile { key, low, high, log, .. } = range;
        let at = |field: &str| format!("ranges[{index}].{field}");
        let first = ranges[..index].iter().all(|other| other.key != *key);
        problems.require(first, at("key"), format!("{key:?}"), "a setting of its own");
        problems.require(
            low.is_finite() && high.is_finite() && low < high,
            at("low"),
            low,
            &format!("below high, {high}"),
        );
        problems.require(!log || *low > 0.0, at("low"), low, "above 0, as equal steps are equal ratios");
    }
    // An intercept, a slope for each range, and one more for the residual.
    problems.require(samples >= ranges.len() + 2, "samples", samples, &format!("at least {}", ranges.len() + 2));
    problems.require(samples <= 1_000, "samples", samples, "at most 1000");
}

fn latin(study: &StudyFile, problems: &mut Problems) -> Design {
    let places = hypercube::places(study.samples, study.ranges.len(), study.design_seed);
    let Some(slopes) = hypercube::slopes(&places) else {
        problems.require(false, "design_seed", study.design_seed, "one whose samples tell the ranges apart");
        return Design::default();
    };
    let arm = |(index, place): (usize, &Vec<f64>)| {
        let set = study.ranges.iter().zip(place).map(|(range, share)| (range.key.clone(), range.value(*share)));
        Drawn { name: format!("sample-{index:03}"), set: set.collect(), policy: study.policy.clone(), ..Drawn::plain() }
    };
    let effect = |(range, weights): (&RangeFile, Vec<f64>)| Planned {
        contrast: Contrast { name: range.key.clone(), weights },
        expect: range.expect,
    };
    let mut notes = vec![
        "Every effect is the change from the lower to the upper end of the range, by least squares over all samples."
            .into(),
    ];
    notes.extend(study.ranges.iter().map(|range| {
        let scale = if range.log { ", in equal ratios" } else { "" };
        format!("{} from {} to {}{scale}.", range.key, range.low, range.high)
    }));
    Design {
        arms: places.iter().enumerate().map(arm).collect(),
        effects: study.ranges.iter().zip(slopes).map(effect).collect(),
        notes,
    }
}

impl RangeFile {
    /// The setting at a share of the range.
    #[expect(clippy::cast_possible_truncation, reason = "settings that are whole numbers are far below 2^53")]
    fn value(&self, share: f64) -> Value {
        let value = if self.log {
            self.low * libm::pow(self.high / self.low, share)
        } else {
            self.low + share * (self.high - self.low)
        };
        if self.whole { Value::Integer(libm::round(value) as i64) } else { Value::Float(value) }
    }
}

impl Drawn {
    fn plain() -> Self {
        Self { name: String::new(), set: Table::new(), judge: Table::new(), policy: None, shield: false }
    }
}

/// A problem of the study itself, as the settings' problems are printed.
pub(crate) fn cited(problems: Problems) -> Vec<(Problem, Option<String>)> {
    problems.0.into_iter().map(|problem| (problem, Some("study".to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(text: &str) -> StudyFile {
        let head = "name = 'x'\nquestion = 'q'\nhypothesis = 'h'\n";
        toml::from_str(&format!("{head}{text}")).unwrap()
    }

    fn drawn(text: &str) -> Design {
        let mut problems = Problems::default();
        let design = draw(&study(text), &mut problems);
        assert_eq!(problems, Problems::default());
        design
    }

    #[test]
    fn an_arm_is_compared_with_the_base_or_with_whom_it_names() {
        let design = drawn(
            "design = 'one_factor'\n[[arms]]\nname = 'a'\nset = { 'ppo.clip' = 0.1 }\n[[arms]]\nname = 'b'\nagainst = 'a'\n",
        );
        let weights: Vec<&[f64]> = design.effects.iter().map(|effect| effect.contrast.weights.as_slice()).collect();
        assert_eq!(weights, [[-1.0, 1.0, 0.0], [0.0, -1.0, 1.0]]);
        assert_eq!(design.effects[1].contrast.name, "b − a");
    }

    #[test]
    fn a_factors_effect_is_high_less_low() {
        let design = drawn(
            "design = 'fractional_factorial'\n[[factors]]\nname = 'one'\nhigh = { 'ppo.clip' = 0.1 }\n[[factors]]\nname = 'two'\n",
        );
        assert_eq!(design.arms.len(), 4);
        let names: Vec<&str> = design.arms.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(names, ["arm-low", "arm-a", "arm-b", "arm-a-b"]);
        assert_eq!(design.effects[0].contrast.weights, [-0.5, 0.5, -0.5, 0.5]);
        assert!(design.arms[1].set.contains_key("ppo.clip") && design.arms[2].set.is_empty());
    }

    #[test]
    fn ranges_are_sampled_in_their_own_scale() {
        let range = |log, whole| RangeFile { key: "k".into(), low: 1.0, high: 100.0, log, whole, expect: None };
        assert_eq!(range(true, true).value(0.5), Value::Integer(10));
        assert_eq!(range(false, false).value(0.5), Value::Float(50.5));
    }

    #[test]
    fn everything_wrong_with_a_design_is_named() {
        let mut problems = Problems::default();
        draw(
            &study("design = 'one_factor'\nsamples = 3\n[[arms]]\nname = 'A b'\n[[arms]]\nname = 'base'\n"),
            &mut problems,
        );
        let ranges = "[[ranges]]\nkey = 'k'\nlow = 0.0\nhigh = 1.0\nlog = true\n";
        draw(&study(&format!("design = 'latin_hypercube'\nsamples = 2\n{ranges}")), &mut problems);
        draw(&study("design = 'one_factor'\n[[arms]]\nname = 'a'\nagainst = 'c'\n"), &mut problems);
        let text = problems.to_string();
        for part in [
            "samples = 3: must be left out in this design",
            "arms[0].name = \"A b\"",
            "arms[1].name = \"base\"",
            "ranges[0].low = 0: must be above 0",
            "samples = 2: must be at least 3",
            "arms[0].against = \"c\": must be base or another arm",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
