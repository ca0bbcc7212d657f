//! A parsed policy: from an observation and what is remembered to an action, from an action to parameters.

use crate::error::{ActError, FormatError};
use crate::format::{Group, LayerView, Layout, Parameter, nth_parameter};
use crate::gru;
use crate::reader::{Reader, Word};
use crate::shield::Shield;

/// A policy over its bytes: `&'static [u8]` in an engine, anything that owns them elsewhere.
///
/// Weights are read where they lie. A borrowed policy takes a few dozen bytes beside the file.
#[derive(Clone, Copy, Debug)]
pub struct Policy<B> {
    bytes: B,
    layout: Layout,
}

impl<B: AsRef<[u8]>> Policy<B> {
    /// Checks `bytes` completely: after this, nothing about them can fail.
    ///
    /// `B` must hand out the same bytes whenever it is asked, as every ordinary container does.
    ///
    /// # Errors
    /// [`FormatError`] if the bytes are not a policy in the format of [`crate::format`].
    pub fn parse(bytes: B) -> Result<Self, FormatError> {
        let layout = Layout::parse(bytes.as_ref())?;
        Ok(Self { bytes, layout })
    }

    /// Entries of the observation, `D`.
    #[must_use]
    pub const fn observation_len(&self) -> usize {
        self.layout.observation
    }

    /// Entries of the action, `A`: one per parameter.
    #[must_use]
    pub const fn action_len(&self) -> usize {
        self.layout.parameters
    }

    /// Entries of the state that the policy carries from one decision to the next, `H`; none if it has no memory.
    #[must_use]
    pub const fn state_len(&self) -> usize {
        self.layout.memory
    }

    /// Entries of the scratch buffer that [`Policy::act`] and [`Policy::step`] need.
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        self.layout.observation + GATES * self.layout.memory + 2 * self.layout.widest
    }

    /// Distance from the mean, in deviations, at which an entry of the observation is clipped.
    #[must_use]
    pub const fn clip(&self) -> f32 {
        self.layout.clip
    }

    /// Hash of the observation's names, as [`crate::format`] defines it.
    #[must_use]
    pub const fn observation_hash(&self) -> u64 {
        self.layout.observation_hash
    }

    /// Hash of the list of parameters, as [`crate::format`] defines it.
    #[must_use]
    pub const fn action_hash(&self) -> u64 {
        self.layout.action_hash
    }

    /// Schema version of the file.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.layout.version
    }

    /// Checksum of the file: names it in its conformance vectors.
    #[must_use]
    pub const fn checksum(&self) -> u32 {
        self.layout.checksum
    }

    /// The bytes that were parsed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// Names of the observation's entries, in order.
    pub fn observation_names(&self) -> impl Iterator<Item = &str> {
        let mut reader = Reader::at(self.bytes(), crate::format::HEADER);
        (0..self.layout.observation).map(move |_| checked(reader.text()))
    }

    /// Mean and inverse deviation of the observation's entries, in order.
    pub fn statistics(&self) -> impl Iterator<Item = (f32, f32)> {
        let (mean, inverse_deviation) = self.normaliser();
        mean.iter()
            .zip(inverse_deviation)
            .map(|(mean, inverse)| (f32::from_le_bytes(*mean), f32::from_le_bytes(*inverse)))
    }

    /// What the policy remembers by: its layers from the observation and from its state, in [`crate::Gru`]'s order.
    #[must_use]
    pub fn memory(&self) -> Option<[LayerView<'_>; 2]> {
        let mut reader = Reader::at(self.bytes(), self.layout.memory_at);
        (self.layout.memory > 0).then(|| [(); 2].map(|()| checked(LayerView::read(&mut reader))))
    }

    /// The layers, from the observation or the memory to the action.
    pub fn layers(&self) -> impl Iterator<Item = LayerView<'_>> {
        let mut reader = Reader::at(self.bytes(), self.layout.layers_at);
        (0..self.layout.layers).map(move |_| checked(LayerView::read(&mut reader)))
    }

    /// The parameters, in the order of the action's entries.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        let mut reader = Reader::at(self.bytes(), self.layout.parameters_at);
        (0..self.layout.parameters).map(move |_| checked(Parameter::read(&mut reader)))
    }

    /// The shield that actions are held by, if there is one.
    #[must_use]
    pub fn shield(&self) -> Option<Shield> {
        let (layout, bytes) = (&self.layout, self.bytes());
        let mut reader = Reader::at(bytes, layout.shield_at?);
        let parameters = Reader::at(bytes, layout.parameters_at);
        Some(checked(Shield::read_from(&mut reader, |index| nth_parameter(parameters, layout.parameters, index))))
    }

    /// As [`Policy::step`], for policies without memory.
    ///
    /// # Errors
    /// As [`Policy::step`]: for a policy with memory, [`ActError::Length`] of its state.
    pub fn act(&self, observation: &[f32], scratch: &mut [f32], action: &mut [f32]) -> Result<bool, ActError> {
        self.step(observation, &mut [], scratch, action)
    }

    /// The action for an observation: every entry in `[-1, 1]`; takes the observation into `state`. Returns whether the
    /// policy's shield changed the action: never without one.
    ///
    /// An engine keeps `state` from one decision to the next and sets it to zeros where it starts, and wherever it has
    /// been without observations for long.
    ///
    /// The same state and observation give the same bits on every machine. On an error the action is unspecified, the
    /// state is as it was, and the engine runs with [`Policy::fallback`].
    ///
    /// # Shapes
    /// `observation` is `[D]`, `state` is `[H]`, `action` is `[A]`, `scratch` has at least [`Policy::scratch_len`] entries, whose values
    /// do not matter.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Observation`] if an entry is NaN or infinite, [`ActError::Overflow`] if the
    /// network's output is.
    pub fn step(
        &self,
        observation: &[f32],
        state: &mut [f32],
        scratch: &mut [f32],
        action: &mut [f32],
    ) -> Result<bool, ActError> {
        check_length("observation", self.observation_len(), observation.len())?;
        check_length("state", self.state_len(), state.len())?;
        check_length("action", self.action_len(), action.len())?;
        let needed = self.scratch_len();
        let scratch = scratch_of(scratch, needed)?;
        if let Some(index) = observation.iter().position(|x| !x.is_finite()) {
            return Err(ActError::Observation { index });
        }

        let (input, rest) = scratch.split_at_mut(self.layout.observation);
        let (memory, hidden) = rest.split_at_mut(GATES * self.layout.memory);
        let (mut source, mut target) = hidden.split_at_mut(self.layout.widest);
        self.normalise(observation, input);
        let next = self.remember(input, state, memory);
        let first: &[f32] = if next.is_empty() { input } else { next };
        let mut width = 0;
        for (index, layer) in self.layers().enumerate() {
            let from: &[f32] = if index == 0 { first } else { &source[..width] };
            width = layer.outputs();
            affine(&layer, from, &mut target[..width]);
            layer.activation.apply(&mut target[..width]);
            core::mem::swap(&mut source, &mut target);
        }
        for (index, (entry, value)) in action.iter_mut().zip(&source[..width]).enumerate() {
            if !value.is_finite() {
                return Err(ActError::Overflow { index });
            }
            *entry = value.clamp(-1.0, 1.0);
        }
        // Only now, so that a refusal leaves no trace.
        state.copy_from_slice(next);
        Ok(self.shield().is_some_and(|shield| shield.project(observation, action)))
    }

    /// The state behind a normalised observation, in the front of `scratch`; nothing without a memory.
    fn remember<'a>(&self, input: &[f32], state: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let Some([from_input, from_state]) = self.memory() else {
            return &[];
        };
        let (next, sums) = scratch.split_at_mut(state.len());
        let (a, b) = sums.split_at_mut(3 * state.len());
        affine(&from_input, input, a);
        affine(&from_state, state, b);
        next.copy_from_slice(state);
        gru::update(a, b, next);
        next
    }

    /// How many entries of an observation lie at or beyond the clip: how far it is from what was trained on.
    ///
    /// # Errors
    /// [`ActError::Length`].
    pub fn clipped(&self, observation: &[f32]) -> Result<usize, ActError> {
        check_length("observation", self.observation_len(), observation.len())?;
        let distances = observation.iter().zip(self.statistics()).map(|(x, (mean, inverse))| (x - mean) * inverse);
        Ok(distances.filter(|distance| distance.abs() >= self.layout.clip).count())
    }

    /// Holds `action` within what one update may change, in place.
    ///
    /// Every entry stays within its parameter's `max_change` of `previous`; entries of the slow group stay at
    /// `previous` unless `slow_is_due`, that is, unless the engine's slow interval has passed since they last moved.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Action`] if an entry of either is not in `[-1, 1]`.
    pub fn limit(&self, previous: &[f32], slow_is_due: bool, action: &mut [f32]) -> Result<(), ActError> {
        check_length("previous action", self.action_len(), previous.len())?;
        check_length("action", self.action_len(), action.len())?;
        check_box(previous)?;
        check_box(action)?;
        for ((entry, previous), parameter) in action.iter_mut().zip(previous).zip(self.parameters()) {
            let is_held = parameter.group == Group::Slow && !slow_is_due;
            *entry = if is_held { *previous } else { limit(*previous, *entry, parameter.max_change) };
        }
        Ok(())
    }

    /// The parameters' values for an action, `[A]`, in the units that the parameters name.
    ///
    /// # Errors
    /// [`ActError::Length`], [`ActError::Action`] if an entry is not in `[-1, 1]`.
    pub fn decode(&self, action: &[f32], values: &mut [f64]) -> Result<(), ActError> {
        check_length("action", self.action_len(), action.len())?;
        check_length("values", self.action_len(), values.len())?;
        for (index, ((value, entry), parameter)) in values.iter_mut().zip(action).zip(self.parameters()).enumerate() {
            *value = parameter.decode(*entry).ok_or(ActError::Action { index })?;
        }
        Ok(())
    }

    /// The parameters' values when there is no action: every one at neutral, `[A]`.
    ///
    /// # Errors
    /// [`ActError::Length`].
    pub fn fallback(&self, values: &mut [f64]) -> Result<(), ActError> {
        check_length("values", self.action_len(), values.len())?;
        values.iter_mut().zip(self.parameters()).for_each(|(value, parameter)| *value = parameter.neutral);
        Ok(())
    }

    fn normaliser(&self) -> (&[Word], &[Word]) {
        let mut reader = Reader::at(self.bytes(), self.layout.statistics_at);
        let mean = checked(reader.words(self.layout.observation));
        (mean, checked(reader.words(self.layout.observation)))
    }

    fn normalise(&self, observation: &[f32], output: &mut [f32]) {
        let clip = self.layout.clip;
        for ((y, x), (mean, inverse)) in output.iter_mut().zip(observation).zip(self.statistics()) {
            *y = ((x - mean) * inverse).clamp(-clip, clip);
        }
    }
}

/// The value nearest to `wanted` that is within `max_change` of `previous`, to single precision; exactly `wanted` if
/// that is allowed.
///
/// # Panics
/// If `max_change` is negative or a number is NaN.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
pub fn limit(previous: f32, wanted: f32, max_change: f64) -> f32 {
    let (low, high) = (f64::from(previous) - max_change, f64::from(previous) + max_change);
    f64::from(wanted).clamp(low, high) as f32
}

/// What was readable when the bytes were parsed still is.
fn checked<T>(read: Result<T, FormatError>) -> T {
    read.expect("the bytes were checked when they were parsed")
}

fn check_length(buffer: &'static str, expected: usize, found: usize) -> Result<(), ActError> {
    if found == expected { Ok(()) } else { Err(ActError::Length { buffer, expected, found }) }
}

fn scratch_of(scratch: &mut [f32], expected: usize) -> Result<&mut [f32], ActError> {
    let found = scratch.len();
    scratch.get_mut(..expected).ok_or(ActError::Length { buffer: "scratch", expected, found })
}

fn check_box(action: &[f32]) -> Result<(), ActError> {
    match action.iter().position(|entry| !(-1.0..=1.0).contains(entry)) {
        Some(index) => Err(ActError::Action { index }),
        None => Ok(()),
    }
}

/// `output = bias + input · weight`, bit for bit what [`crate::network::forward`] computes, from unaligned weights.
pub(crate) fn affine(layer: &LayerView<'_>, input: &[f32], output: &mut [f32]) {
    let outputs = layer.outputs();
    let mut at = 0;
    while at + WIDE <= outputs {
        tile::<WIDE>(layer, at, input, output);
        at += WIDE;
    }
    while at < outputs {
        tile::<1>(layer, at, input, output);
        at += 1;
    }
}

/// Scratch for each unit of the memory: its next state, and three sums from the observation and from the state.
const GATES: usize = 7;

/// Outputs whose sums stay in registers together.
const WIDE: usize = 32;

/// `C` outputs from `at` on, each summed in the order of the inputs.
#[inline]
fn tile<const C: usize>(layer: &LayerView<'_>, at: usize, input: &[f32], output: &mut [f32]) {
    let mut sums = [0.0; C];
    for (sum, bias) in sums.iter_mut().zip(&layer.bias[at..at + C]) {
        *sum = f32::from_le_bytes(*bias);
    }
    for (x, weights) in input.iter().zip(layer.weight.chunks_exact(layer.outputs())) {
        for (sum, weight) in sums.iter_mut().zip(&weights[at..at + C]) {
            *sum += x * f32::from_le_bytes(*weight);
        }
    }
    output[at..at + C].copy_from_slice(&sums);
}
