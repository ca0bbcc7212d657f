//! Settings of the risk predictor.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// Settings of the risk predictor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PredictorConfig {
    /// Units of the hidden layers; 1 to 1,024 each, at most 8.
    pub hidden: Vec<usize>,
    /// Networks whose forecasts are averaged; 1 to 64. Lakshminarayanan et al. 2017 (arXiv:1612.01474) find little beyond 5.
    pub members: usize,
    /// Step size of Adam; above 0, at most 1.
    pub learning_rate: f64,
    /// Share of the weights, times the step size, that every step takes off them (Loshchilov & Hutter 2019,
    /// arXiv:1711.05101); 0 to 1. The default was chosen among 0.01 and 0.1 by the loss on the kept part of real windows for
    /// calibration: -12.161 and -12.164 nats.
    pub weight_decay: f64,
    /// Examples of a step; 1 to 65,536.
    pub minibatch: usize,
    /// Epochs at most; 1 to 10,000.
    pub epochs_max: usize,
    /// Epochs without a better loss on the examples that are kept from it, after which a member stops; 1 to 10,000.
    pub patience: usize,
    /// Largest norm of a gradient; above 0.
    pub gradient_norm_max: f64,
}

impl Default for PredictorConfig {
    fn default() -> Self {
        Self {
            hidden: vec![32, 32],
            members: 5,
            learning_rate: 1e-3,
            weight_decay: 0.1,
            minibatch: 256,
            epochs_max: 200,
            patience: 15,
            gradient_norm_max: 1.0,
        }
    }
}

impl PredictorConfig {
    /// Notes every field that is out of its bounds, under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |field: &str| format!("{path}.{field}");
        let is_small = self.hidden.len() <= 8 && self.hidden.iter().all(|units| (1..=1_024).contains(units));
        problems.require(is_small, at("hidden"), format!("{:?}", self.hidden), "at most 8 layers of 1 to 1,024 units");
        problems.range(at("members"), as_float(self.members), 1.0, 64.0);
        problems.range(at("learning_rate"), self.learning_rate, f64::MIN_POSITIVE, 1.0);
        problems.range(at("weight_decay"), self.weight_decay, 0.0, 1.0);
        problems.range(at("minibatch"), as_float(self.minibatch), 1.0, 65_536.0);
        problems.range(at("epochs_max"), as_float(self.epochs_max), 1.0, 10_000.0);
        problems.range(at("patience"), as_float(self.patience), 1.0, 10_000.0);
        problems.range(at("gradient_norm_max"), self.gradient_norm_max, f64::MIN_POSITIVE, 1e9);
    }
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
const fn as_float(count: usize) -> f64 {
    count as f64
}
