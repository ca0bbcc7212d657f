//! What a flat vector of parameters stands for: a policy.

use std::fmt;
use std::sync::Arc;

use seawall_agents::Policy;
use seawall_runtime::format::Activation;
use seawall_runtime::network;

use crate::normaliser::ObservationNormaliser;
use crate::policy::{Dense, LearnedPolicy};

/// How candidates become policies.
pub trait Form: Sync + fmt::Debug {
    /// Text that names it with everything that decides it: a checkpoint resumes only under the same.
    fn id(&self) -> String;

    /// Entries of a candidate, `D`.
    fn dimension(&self) -> usize;

    /// Whether its policies standardise what they observe; statistics are kept for those alone.
    fn is_standardised(&self) -> bool;

    /// The policy of a candidate.
    ///
    /// # Panics
    /// If `parameters` is not `[D]`.
    fn policy(&self, parameters: &[f64], normaliser: &ObservationNormaliser) -> Box<dyn Policy>;
}

/// Dense networks on standardised observations, tanh throughout; linear policies with no hidden layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkForm {
    /// Entries of the observation, of each hidden layer and of the action.
    widths: Vec<usize>,
}

impl NetworkForm {
    /// Networks from `observation` entries over `hidden` layers to `action` entries.
    ///
    /// # Panics
    /// If a width is zero.
    #[must_use]
    pub fn new(observation: usize, hidden: &[usize], action: usize) -> Self {
        let widths: Vec<_> = [observation].iter().chain(hidden).copied().chain([action]).collect();
        assert!(widths.iter().all(|width| *width > 0), "every layer has units: {widths:?}");
        Self { widths }
    }

    /// The network of a candidate, for export.
    ///
    /// # Shapes
    /// `parameters` is `[D]`: for each layer its weights, `[inputs, outputs]` row-major, then its biases.
    ///
    /// # Panics
    /// If `parameters` is not `[D]`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
    pub fn network(&self, parameters: &[f64], normaliser: &ObservationNormaliser) -> LearnedPolicy {
        assert_eq!(parameters.len(), self.dimension(), "one number for each weight");
        let mut rest = parameters;
        let mut take = |count: usize| {
            let (taken, after) = rest.split_at(count);
            rest = after;
            taken.iter().map(|x| *x as f32).collect::<Vec<_>>()
        };
        let layers = self.widths.windows(2).map(|pair| {
            let (inputs, outputs) = (pair[0], pair[1]);
            Dense { inputs, outputs, weight: take(inputs * outputs), bias: take(outputs) }
        });
        LearnedPolicy {
            layers: layers.collect(),
            mean: normaliser.mean().to_vec(),
            inverse_deviation: normaliser.inverse_deviation().to_vec(),
            clip: normaliser.clip(),
            memory: None,
            hidden: Activation::Tanh,
        }
    }
}

impl Form for NetworkForm {
    fn id(&self) -> String {
        format!("network {:?}", self.widths)
    }

    fn is_standardised(&self) -> bool {
        true
    }

    fn dimension(&self) -> usize {
        self.widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    fn policy(&self, parameters: &[f64], normaliser: &ObservationNormaliser) -> Box<dyn Policy> {
        let network = self.network(parameters, normaliser);
        let layers: Vec<_> = network.layers.iter().map(Dense::view).collect();
        let scratch = vec![0.0; network::scratch_len(&layers, 1)];
        let normalised = vec![0.0; network.observation_len()];
        Box::new(NetworkPolicy { network: Arc::new(network), normalised, scratch })
    }
}

/// A network with the buffers that acting needs.
#[derive(Clone, Debug)]
struct NetworkPolicy {
    network: Arc<LearnedPolicy>,
    normalised: Vec<f32>,
    scratch: Vec<f32>,
}

impl Policy for NetworkPolicy {
    fn name(&self) -> &'static str {
        "network"
    }

    fn reset(&mut self, _seed: u64) {}

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        let Self { network: policy, normalised, scratch } = self;
        let layers: Vec<_> = policy.layers.iter().map(Dense::view).collect();
        network::normalise(observation, &policy.mean, &policy.inverse_deviation, policy.clip, normalised);
        network::forward(&layers, normalised, 1, scratch, action);
        action.iter_mut().for_each(|entry| *entry = network::tanh(*entry));
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_acts_as_the_network_that_is_exported() {
        let form = NetworkForm::new(2, &[3], 2);
        assert_eq!(form.dimension(), 3 * 3 + 4 * 2);
        let parameters: Vec<f64> = (0_u8..17).map(|k| f64::from(k) * 0.1 - 0.8).collect();
        let mut normaliser = ObservationNormaliser::new(2, 10.0);
        normaliser.observe(&[0.0, 1.0, 2.0, 5.0]);
        normaliser.refresh();
        let mut found = [0.0; 2];
        let mut expected = [0.0; 2];
        form.policy(&parameters, &normaliser).act(&[0.3, -2.0], &mut found);
        form.network(&parameters, &normaliser).act(&[0.3, -2.0], &mut expected);
        assert_eq!(found.map(f32::to_bits), expected.map(f32::to_bits));
        assert!(found.iter().any(|entry| *entry != 0.0));
    }
}
