//! Gradient steps: critics, actor, temperature, targets.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::config::{Exploration, SacConfig, Temperature};
use super::gradient::{Batch, Differentiator};
use super::head::Noise;
use super::networks::Networks;
use super::replay::{Reading, Replay};
use super::rollout::normals;
use crate::Error;
use crate::config::Limit;
use crate::optimiser::{Adam, EPSILON_OFF_POLICY, clip_global_norm};

/// What gradient steps change beside the networks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Optimisers {
    actor: Adam,
    critics: Vec<Adam>,
    /// Logarithm of the temperature.
    log_temperature: f32,
    temperature: Adam,
    /// Which transitions.
    sampling: ChaCha8Rng,
    /// Actions that targets and the actor's loss are taken at.
    noise: ChaCha8Rng,
}

/// Sums over the gradient steps of an iteration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) steps: f64,
    pub(super) critic_loss: f64,
    pub(super) actor_loss: f64,
    pub(super) value: f64,
    pub(super) target: f64,
    pub(super) entropy: f64,
    pub(super) critic_norm: f64,
    pub(super) actor_norm: f64,
}

/// How to make one gradient step.
pub(super) struct Plan<'a> {
    pub(super) config: &'a SacConfig,
    pub(super) learning_rate: f64,
    /// Environment steps done so far, for errors.
    pub(super) step: u64,
}

/// Buffers that one gradient step leaves to the next.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    batch: Batch,
    actor: Vec<f32>,
    critics: Vec<Vec<f32>>,
}

impl Optimisers {
    #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
    pub(super) fn new(config: &SacConfig, networks: &Networks, sampling: ChaCha8Rng, noise: ChaCha8Rng) -> Self {
        let (Temperature::Automatic(start) | Temperature::Fixed(start)) = config.temperature;
        Self {
            actor: Adam::new(networks.actor.len()),
            critics: networks.critics.iter().map(|critic| Adam::new(critic.len())).collect(),
            log_temperature: libm::log(start) as f32,
            temperature: Adam::new(1),
            sampling,
            noise,
        }
    }

    /// Weight of the entropy against the reward.
    pub(super) fn temperature(&self, config: &SacConfig) -> f64 {
        match config.temperature {
            Temperature::Automatic(_) => libm::exp(f64::from(self.log_temperature)),
            Temperature::Fixed(value) => value,
        }
    }

    /// Whether the states fit these networks; what a checkpoint brings is asked.
    pub(super) fn fits(&self, networks: &Networks) -> bool {
        let critics = self.critics.iter().map(Adam::len);
        self.actor.len() == networks.actor.len()
            && self.temperature.len() == 1
            && critics.eq(networks.critics.iter().map(Vec::len))
    }
}

impl Scratch {
    pub(super) fn new(networks: &Networks) -> Self {
        let critics = networks.critics.iter().map(|critic| vec![0.0; critic.len()]).collect();
        Self { batch: Batch::default(), actor: vec![0.0; networks.actor.len()], critics }
    }
}

impl Plan<'_> {
    /// Makes one gradient step of everything; `differentiator` has the networks' weights, before and after.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a loss or a gradient is not finite.
    ///
    /// # Reference
    /// Haarnoja et al. 2018b (arXiv:1812.05905), algorithm 1, eqs. 6, 9 and 18.
    pub(super) fn step(
        &self,
        networks: &mut Networks,
        (differentiator, optimisers): (&mut Differentiator, &mut Optimisers),
        (replay, reading): (&Replay, &Reading<'_>),
        scratch: &mut Scratch,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Scratch { batch, actor, critics } = scratch;
        let config = self.config;
        replay.sample(config.minibatch, &mut optimisers.sampling, reading, batch);
        let temperature = optimisers.temperature(config);

        let noise = self.noise(networks, &mut optimisers.noise);
        let evaluation = differentiator.critics(batch, &noise, temperature, critics);
        self.check("critic loss", evaluation.loss)?;
        let rate = (self.learning_rate, EPSILON_OFF_POLICY);
        let parts = networks.critics.iter_mut().zip(critics).zip(&mut optimisers.critics);
        for ((parameters, gradient), adam) in parts {
            report.critic_norm += self.hold(gradient)?;
            adam.step_with(rate, parameters, gradient);
        }
        differentiator.load_critics(networks);
        report.critic_loss += evaluation.loss;
        report.value += evaluation.value;
        report.target += evaluation.target;

        let noise = self.noise(networks, &mut optimisers.noise);
        let evaluation = differentiator.actor(batch, &noise, temperature, actor);
        self.check("actor loss", evaluation.loss)?;
        report.actor_norm += self.hold(actor)?;
        optimisers.actor.step_with(rate, &mut networks.actor, actor);
        differentiator.load_actor(networks);
        report.actor_loss += evaluation.loss;
        report.entropy -= evaluation.log_density;

        self.warm(optimisers, networks.shape().action, evaluation.log_density);
        networks.follow(config.target_rate);
        differentiator.load_targets(networks);
        report.steps += 1.0;
        Ok(())
    }

    fn noise(&self, networks: &Networks, rng: &mut ChaCha8Rng) -> Noise {
        let shape = networks.shape();
        match shape.exploration {
            Exploration::Gaussian => Noise::Rows(normals(rng, self.config.minibatch * shape.action)),
            Exploration::StateDependent => Noise::Matrix(normals(rng, shape.features() * shape.action)),
        }
    }

    /// Raises the temperature where the entropy is below its target, lowers it where it is above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "parameters are single precision")]
    fn warm(&self, optimisers: &mut Optimisers, actions: usize, log_density: f64) {
        if let Temperature::Automatic(_) = self.config.temperature {
            let target = self.config.entropy_target * actions as f64;
            // The slope of −ln α · (ln π + target) by ln α.
            let gradient = [-(log_density + target) as f32];
            let mut parameter = [optimisers.log_temperature];
            optimisers.temperature.step_with((self.learning_rate, EPSILON_OFF_POLICY), &mut parameter, &gradient);
            optimisers.log_temperature = parameter[0];
        }
    }

    /// Holds a gradient to the largest norm; returns the norm that it had.
    fn hold(&self, gradient: &mut [f32]) -> Result<f64, Error> {
        let limit = match self.config.gradient_norm_max {
            Limit::Off => f64::INFINITY,
            Limit::At(limit) => limit,
        };
        let norm = clip_global_norm(gradient, limit);
        self.check("gradient", norm)?;
        Ok(norm)
    }

    const fn check(&self, quantity: &'static str, value: f64) -> Result<(), Error> {
        if value.is_finite() { Ok(()) } else { Err(Error::NotFinite { quantity, step: self.step }) }
    }
}
