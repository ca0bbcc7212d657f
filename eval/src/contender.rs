//! Who is compared: a policy on a venue preset, under a name.

use seawall_agents::Policy;
use seawall_env::Problems;

use crate::error::{Error, check};
use crate::record::Arm;

/// A policy that enters the comparison.
///
/// Contenders that share a name are the training seeds of one arm: they are reported together, and their spread is
/// part of every interval.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Name in tables.
    pub name: String,
    /// Venue preset that the policy runs on.
    pub preset: String,
    /// Seed that the policy was trained with; nothing for a policy that was not trained.
    pub training_seed: Option<u64>,
    /// The policy.
    pub policy: Box<dyn Policy>,
}

impl Contender {
    /// A policy that was not trained.
    #[must_use]
    pub fn new(name: impl Into<String>, preset: impl Into<String>, policy: Box<dyn Policy>) -> Self {
        Self { name: name.into(), preset: preset.into(), training_seed: None, policy }
    }

    /// The same contender as one training run of its arm.
    #[must_use]
    pub fn trained_with(self, seed: u64) -> Self {
        Self { training_seed: Some(seed), ..self }
    }
}

/// Gathers contenders into arms, in order of first appearance; each run with its index among the contenders.
///
/// # Errors
/// [`Error::Invalid`] if there is no contender, if an arm mixes presets, repeats a training seed or mixes trained and
/// untrained policies, or if two arms have several training seeds and not the same ones: runs are compared seed by
/// seed.
pub(crate) fn line_up(contenders: &[Contender]) -> Result<Vec<(Arm, Vec<usize>)>, Error> {
    let mut problems = Problems::default();
    problems.require(!contenders.is_empty(), "contenders", "[]", "at least one contender");
    let mut arms: Vec<(Arm, Vec<usize>)> = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let Contender { name, preset, training_seed, .. } = contender;
        let path = format!("contenders[{index}]");
        problems.require(!name.is_empty(), format!("{path}.name"), name, "a name");
        let Some((arm, runs)) = arms.iter_mut().find(|(arm, _)| arm.name == *name) else {
            let arm = Arm { name: name.clone(), preset: preset.clone(), training_seeds: vec![*training_seed] };
            arms.push((arm, vec![index]));
            continue;
        };
        problems.require(arm.preset == *preset, format!("{path}.preset"), preset, "the preset of its other runs");
        let fresh = training_seed.is_some() && !arm.training_seeds.contains(training_seed);
        let fresh = fresh && arm.training_seeds[0].is_some();
        let shown = training_seed.map_or_else(|| "none".into(), |seed| seed.to_string());
        problems.require(fresh, format!("{path}.training_seed"), shown, "a seed of its own, as its name is taken");
        arm.training_seeds.push(*training_seed);
        runs.push(index);
    }
    let mut several = arms.iter().map(|(arm, _)| arm).filter(|arm| arm.training_seeds.len() > 1);
    if let Some(first) = several.next() {
        let listed = |arm: &Arm| {
            let seeds: Vec<String> = arm.training_seeds.iter().flatten().map(u64::to_string).collect();
            format!("[{}]", seeds.join(", "))
        };
        for arm in several {
            let same = arm.training_seeds == first.training_seeds;
            let bound = format!("{}, the training seeds of {}, in the same order", listed(first), first.name);
            problems.require(same, format!("{}.training_seeds", arm.name), listed(arm), &bound);
        }
    }
    check(problems)?;
    Ok(arms)
}
