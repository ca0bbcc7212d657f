//! A bound on what an episode costs, kept by a multiplier: Lagrangian proximal policy optimisation.
//!
//! The learner maximises `(R − λ f(C)) / (1 + λ)`, where `C` is an episode's total of one reward term and `f` turns the
//! bounded measure into a mean: `C` itself, whether `C` is beyond the bound (a quantile is within the bound if at most
//! that share of episodes is beyond it), or the excess over a quantile in units of the tail (Rockafellar & Uryasev 2000,
//! theorem 1). `f` is paid step by step as the difference that each step makes to it. The multiplier follows the measured
//! violation by a controller with proportional, integral and derivative parts: the integral alone is dual ascent, and
//! oscillates.
//!
//! There is one value function, of the penalised reward: the multiplier moves slowly, and values follow. A second one for
//! costs is deliberately not here. Values are those of observations alone: whoever wants them to know `C` observes it.
//!
//! # Reference
//! Stooke, Achiam & Abbeel 2020 (arXiv:2007.03964), algorithm 2 and equation 10; one penalised value after Tessler,
//! Mankowitz & Mannor 2019 (arXiv:1805.11074); measures as constraints after Chow et al. 2017 (arXiv:1512.01629).

use std::collections::VecDeque;

use seawall_env::Status;
use serde::{Deserialize, Serialize};

use crate::config::{LagrangianConfig, Measure};

/// The multiplier, and what it has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Constraint {
    config: LagrangianConfig,
    /// Cost so far of each environment's running episode, `[B]`.
    running: Vec<f64>,
    /// Costs of the latest episodes, oldest first.
    finished: VecDeque<f64>,
    multiplier: f64,
    integral: f64,
    /// Measure at the last update.
    previous: Option<f64>,
}

impl Constraint {
    /// Before the first episode of `environments`.
    pub(super) fn new(config: &LagrangianConfig, environments: usize) -> Self {
        Self {
            running: vec![0.0; environments],
            finished: VecDeque::new(),
            multiplier: config.multiplier,
            integral: config.multiplier,
            previous: None,
            config: config.clone(),
        }
    }

    pub(super) const fn multiplier(&self) -> f64 {
        self.multiplier
    }

    /// The measure over the latest episodes: a mean cost, a share of episodes beyond the bound, or a tail's mean cost.
    #[expect(clippy::cast_precision_loss, reason = "a number of episodes")]
    pub(super) fn measured(&self) -> Option<f64> {
        if self.finished.is_empty() {
            return None;
        }
        let count = self.finished.len() as f64;
        let mean = |of: &dyn Fn(f64) -> f64| self.finished.iter().map(|cost| of(*cost)).sum::<f64>() / count;
        Some(match self.config.measure {
            Measure::Mean => mean(&|cost| cost),
            Measure::Quantile(_) => mean(&|cost| f64::from(u8::from(cost > self.config.bound))),
            Measure::Cvar(share) => {
                let start = self.tail_start();
                start + mean(&|cost| (cost - start).max(0.0)) / share
            }
        })
    }

    /// What the measure must not exceed.
    pub(super) fn limit(&self) -> f64 {
        match self.config.measure {
            Measure::Mean | Measure::Cvar(_) => self.config.bound,
            Measure::Quantile(level) => 1.0 - level,
        }
    }

    /// Cost at which the worst share of the latest episodes starts; zero before there are any.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a short list"
    )]
    fn tail_start(&self) -> f64 {
        let Measure::Cvar(share) = self.config.measure else {
            return 0.0;
        };
        let mut sorted: Vec<f64> = self.finished.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        // The best of the tail is the first that a share `1 − share` of all lies below or at.
        let below = ((1.0 - share) * sorted.len() as f64).ceil() as usize;
        below.checked_sub(1).map_or(0.0, |index| sorted[index])
    }

    /// Penalises raw rewards of a rollout by its costs, both `[T, B]`, with the multiplier of the episodes before.
    pub(super) fn apply(&mut self, rewards: &[f64], costs: &[f64], statuses: &[Status]) -> Vec<f64> {
        let (start, bound, measure) = (self.tail_start(), self.config.bound, self.config.measure);
        let paid = |cost: f64| match measure {
            Measure::Mean => cost,
            Measure::Quantile(_) => f64::from(u8::from(cost > bound)),
            Measure::Cvar(share) => (cost - start).max(0.0) / share,
        };
        let environments = self.running.len();
        let mut penalised = Vec::with_capacity(rewards.len());
        for (at, ((reward, cost), status)) in rewards.iter().zip(costs).zip(statuses).enumerate() {
            let running = &mut self.running[at % environments];
            let after = *running + cost;
            let penalty = paid(after) - paid(*running);
            penalised.push((reward - self.multiplier * penalty) / (1.0 + self.multiplier));
            *running = after;
            if status.is_over() {
                self.finished.push_back(after);
                *running = 0.0;
            }
        }
        while self.finished.len() > self.config.episodes {
            self.finished.pop_front();
        }
        penalised
    }

    /// Moves the multiplier by the violation that is measured now.
    pub(super) fn update(&mut self) {
        let Some(measured) = self.measured() else {
            return;
        };
        let LagrangianConfig { proportional, integral, derivative, multiplier_max, .. } = self.config;
        let violation = measured - self.limit();
        let rise = self.previous.map_or(0.0, |previous| (measured - previous).max(0.0));
        // Held within the multiplier's own range, so that a long violation is not paid off for as long again.
        self.integral = (self.integral + integral * violation).clamp(0.0, multiplier_max);
        self.multiplier = (proportional * violation + self.integral + derivative * rise).clamp(0.0, multiplier_max);
        self.previous = Some(measured);
    }

    /// Whether it belongs to this run; what a checkpoint brings is asked.
    pub(super) fn is_sound(&self, environments: usize) -> bool {
        self.running.len() == environments && self.finished.len() <= self.config.episodes
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "tables of numbers that double precision holds exactly")]
mod tests {
    use super::Status::{Running, Terminated, Truncated};
    use super::*;

    fn constraint(measure: Measure, bound: f64) -> Constraint {
        let config = LagrangianConfig {
            measure,
            bound,
            multiplier: 3.0,
            proportional: 0.5,
            integral: 0.25,
            derivative: 2.0,
            multiplier_max: 10.0,
            episodes: 10,
            ..LagrangianConfig::default()
        };
        Constraint::new(&config, 1)
    }

    #[test]
    fn what_is_paid_adds_up_to_each_measures_penalty() {
        // Costs 1, 4, 2 of one episode: a total of 7. With a multiplier of 3 a penalty p takes (0 − 3 p) / 4.
        for (measure, bound, total) in [
            (Measure::Mean, 5.0, 7.0),
            (Measure::Quantile(0.9), 5.0, 1.0),
            (Measure::Quantile(0.9), 7.0, 0.0),
            (Measure::Cvar(0.5), 5.0, 14.0),
        ] {
            let mut constraint = constraint(measure, bound);
            let paid = constraint.apply(&[0.0; 3], &[1.0, 4.0, 2.0], &[Running, Running, Truncated]);
            assert_eq!(paid.iter().sum::<f64>(), -0.75 * total, "{measure:?}");
        }
        let mut constraint = constraint(Measure::Quantile(0.9), 2.0);
        let paid = constraint.apply(&[8.0; 3], &[1.0, 4.0, 2.0], &[Running, Running, Terminated]);
        // The penalty falls where the bound is crossed.
        assert_eq!(paid, [2.0, 1.25, 2.0]);
    }

    #[test]
    fn measures_are_those_of_the_latest_episodes() {
        let costs: Vec<f64> = (1..=12_u8).map(f64::from).collect();
        let measured = |measure, bound| {
            let mut constraint = constraint(measure, bound);
            assert_eq!(constraint.measured(), None);
            constraint.apply(&[0.0; 12], &costs, &[Terminated; 12]);
            constraint.measured().unwrap()
        };
        // Of 3, 4, …, 12: mean 7.5, one in five beyond 10, the worst fifth is 11 and 12.
        assert_eq!(measured(Measure::Mean, 0.0), 7.5);
        assert_eq!(measured(Measure::Quantile(0.9), 10.0), 0.2);
        assert!((measured(Measure::Cvar(0.2), 0.0) - 11.5).abs() < 1e-12);
    }

    #[test]
    fn the_multiplier_follows_the_controllers_formula_and_never_leaves_its_range() {
        let mut constraint = constraint(Measure::Mean, 2.0);
        let mut costs = |cost: f64| {
            for _ in 0..10 {
                constraint.apply(&[0.0], &[cost], &[Terminated]);
            }
            constraint.update();
            (constraint.integral, constraint.multiplier())
        };
        // Violation 2: integral 3 + 0.5, proportional 1, no derivative yet.
        assert_eq!(costs(4.0), (3.5, 4.5));
        // Violation 4 and a rise of 2: integral 4.5, proportional 2, derivative 4, held at 10.
        assert_eq!(costs(6.0), (4.5, 10.0));
        // Violation −2 and a fall, which counts for nothing: integral 4, proportional −1.
        assert_eq!(costs(0.0), (4.0, 3.0));
        for _ in 0..20 {
            costs(0.0);
        }
        assert_eq!(costs(0.0), (0.0, 0.0));
    }
}
