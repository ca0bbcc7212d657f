//! The bytes that an engine embeds.

use seawall_env::Problems;
use seawall_env::action::PARAMETERS;
use seawall_runtime::format::Activation;
use seawall_runtime::network::Layer;
use seawall_runtime::{Contents, Gru, Policy, write};

use crate::error::Error;
use crate::exported::to_runtime;
use crate::schedule::FEATURE_CLIP;
use crate::shield::Shield;

/// What training leaves behind: the normaliser and the network.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    /// Names of the observation's entries, `[D]`.
    pub observation: &'a [String],
    /// Mean of each entry, `[D]`.
    pub mean: &'a [f32],
    /// Inverse deviation of each entry, `[D]`.
    pub inverse_deviation: &'a [f32],
    /// Distance from the mean at which entries are clipped, in deviations.
    pub clip: f32,
    /// What it remembers by, if it does: in front of the layers.
    pub memory: Option<Gru<'a>>,
    /// Layers from the observation, or from the memory, to one output per parameter.
    pub layers: &'a [Layer<'a>],
    /// What follows every layer but the last.
    pub hidden: Activation,
    /// What follows the last layer, before the clamp to `[-1, 1]`.
    pub output: Activation,
    /// What its actions are held by, if it was trained behind a shield.
    pub shield: Option<&'a Shield>,
}

/// Writes a policy over the parameters of [`PARAMETERS`], and parses it again before it leaves.
///
/// # Errors
/// [`Error::Invalid`] if the shapes disagree; [`Error::Format`] if a number is not finite, a name is not unique, or
/// anything else that [`seawall_runtime::format`] asks for does not hold.
pub fn write_runtime(learned: &Learned<'_>) -> Result<Vec<u8>, Error> {
    check_shapes(learned)?;
    let names: Vec<_> = learned.observation.iter().map(String::as_str).collect();
    let hidden = learned.layers.len() - 1;
    let after = |index: usize| if index < hidden { learned.hidden } else { learned.output };
    let layers: Vec<_> = learned.layers.iter().enumerate().map(|(index, layer)| (*layer, after(index))).collect();
    let contents = Contents {
        observation: &names,
        mean: learned.mean,
        inverse_deviation: learned.inverse_deviation,
        clip: learned.clip,
        memory: learned.memory,
        layers: &layers,
        parameters: &PARAMETERS.each_ref().map(to_runtime),
        shield: learned.shield.map(|shield| *shield.runtime()),
    };
    let mut bytes = Vec::new();
    write(&contents, |part| bytes.extend_from_slice(part))?;
    Policy::parse(bytes.as_slice())?;
    Ok(bytes)
}

/// Writes a rule as one linear layer on raw features, weights `[D, A]` and biases `[A]`, followed by the clamp.
///
/// # Errors
/// As [`write_runtime`].
pub fn write_rule(observation: &[String], weight: &[f32], bias: &[f32]) -> Result<Vec<u8>, Error> {
    write_runtime(&Learned {
        observation,
        mean: &vec![0.0; observation.len()],
        inverse_deviation: &vec![1.0; observation.len()],
        clip: FEATURE_CLIP,
        memory: None,
        layers: &[Layer { weight, bias }],
        hidden: Activation::Identity,
        output: Activation::Identity,
        shield: None,
    })
}

fn check_shapes(learned: &Learned<'_>) -> Result<(), Error> {
    let mut problems = Problems::default();
    let entries = learned.observation.len();
    let mut same = |field: String, found: usize, expected: usize| {
        problems.require(found == expected, field, found, &format!("{expected}"));
    };
    same("mean.len".to_owned(), learned.mean.len(), entries);
    same("inverse_deviation.len".to_owned(), learned.inverse_deviation.len(), entries);
    let mut width = entries;
    if let Some(Gru { input, state }) = &learned.memory {
        let sums = state.bias.len();
        width = sums / 3;
        same("memory.state.bias.len".to_owned(), sums, 3 * width);
        same("memory.input.bias.len".to_owned(), input.bias.len(), sums);
        same("memory.input.weight.len".to_owned(), input.weight.len(), entries * sums);
        same("memory.state.weight.len".to_owned(), state.weight.len(), width * sums);
    }
    for (index, layer) in learned.layers.iter().enumerate() {
        same(format!("layers[{index}].weight.len"), layer.weight.len(), width * layer.bias.len());
        width = layer.bias.len();
    }
    same("outputs".to_owned(), width, PARAMETERS.len());
    for (index, layer) in learned.layers.iter().enumerate() {
        problems.require(!layer.bias.is_empty(), format!("layers[{index}].bias.len"), 0, "positive");
    }
    problems.require(!learned.layers.is_empty(), "layers.len", 0, "positive");
    if problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}
