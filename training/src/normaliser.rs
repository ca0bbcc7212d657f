//! Running scales of what a learner sees: observations and rewards.

use seawall_env::Status;
use seawall_runtime::network;
use serde::{Deserialize, Serialize};

use crate::config::{Limit, RewardTransform};
use crate::quantile::RunningQuantile;

/// Keeps a variance of zero from dividing; a deviation far below its root is treated as noise.
const VARIANCE_FLOOR: f64 = 1e-8;

/// Interquartile range of a Gaussian, in standard deviations.
const GAUSSIAN_RANGE: f64 = 1.348_979_500_392_163_6;

/// Running mean and variance of vectors, merged batch by batch in double precision.
///
/// # Reference
/// Chan, Golub & `LeVeque` 1979, "Updating formulae and a pairwise algorithm for computing sample variances", eq. 2.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: f64,
    mean: Vec<f64>,
    /// Sum of squared distances from the mean.
    square: Vec<f64>,
}

impl Moments {
    /// Of no vectors yet, with `width` entries each.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; width], square: vec![0.0; width] }
    }

    /// Entries of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// Vectors seen.
    #[must_use]
    pub const fn count(&self) -> f64 {
        self.count
    }

    /// Mean of each entry; zero before the first vector.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Population variance of entry `index`; one before the first vector.
    #[must_use]
    pub fn variance(&self, index: usize) -> f64 {
        if self.count > 0.0 { self.square[index] / self.count } else { 1.0 }
    }

    /// Merges a batch.
    ///
    /// # Shapes
    /// `batch` is row-major `[N, width]`.
    ///
    /// # Panics
    /// If `batch` does not consist of whole rows.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2⁵³")]
    pub fn update<T: Copy + Into<f64>>(&mut self, batch: &[T]) {
        let width = self.width();
        assert!(batch.len().is_multiple_of(width), "batch must be [N, {width}]");
        let rows = (batch.len() / width) as f64;
        if batch.is_empty() {
            return;
        }
        let total = self.count + rows;
        let mut mean = vec![0.0; width];
        for row in batch.chunks_exact(width) {
            for (sum, &x) in mean.iter_mut().zip(row) {
                *sum += x.into();
            }
        }
        for sum in &mut mean {
            *sum /= rows;
        }
        for row in batch.chunks_exact(width) {
            for ((square, mean), &x) in self.square.iter_mut().zip(&mean).zip(row) {
                let distance = x.into() - mean;
                *square += distance * distance;
            }
        }
        for ((old, square), new) in self.mean.iter_mut().zip(&mut self.square).zip(&mean) {
            let shift = new - *old;
            *old += shift * rows / total;
            *square += shift * shift * self.count * rows / total;
        }
        self.count = total;
    }
}

/// Standardises observations: what it does stays fixed until it is told to take over what it has seen since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObservationNormaliser {
    moments: Option<Moments>,
    mean: Vec<f32>,
    inverse_deviation: Vec<f32>,
    clip: f32,
}

impl ObservationNormaliser {
    /// Leaves observations of `width` entries as they are, but for the clip, until [`Self::refresh`].
    ///
    /// # Panics
    /// If `clip` is not positive.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
    pub fn new(width: usize, clip: f64) -> Self {
        assert!(clip > 0.0, "a clip of {clip} leaves nothing");
        Self {
            moments: Some(Moments::new(width)),
            mean: vec![0.0; width],
            inverse_deviation: vec![1.0; width],
            clip: clip as f32,
        }
    }

    /// Leaves observations as they are for good.
    #[must_use]
    pub fn identity(width: usize) -> Self {
        Self { moments: None, mean: vec![0.0; width], inverse_deviation: vec![1.0; width], clip: f32::MAX }
    }

    /// Takes raw observations, `[N, D]`, into the statistics; [`Self::apply`] does not change.
    pub fn observe(&mut self, observations: &[f32]) {
        if let Some(moments) = &mut self.moments {
            moments.update(observations);
        }
    }

    /// Whether statistics are kept and have seen nothing yet.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.moments.as_ref().is_some_and(|moments| moments.count() <= 0.0)
    }

    /// Makes [`Self::apply`] use everything observed so far.
    #[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
    pub fn refresh(&mut self) {
        let Some(moments) = self.moments.as_ref().filter(|moments| moments.count() > 0.0) else {
            return;
        };
        for (index, (mean, inverse)) in self.mean.iter_mut().zip(&mut self.inverse_deviation).enumerate() {
            *mean = moments.mean()[index] as f32;
            *inverse = (1.0 / (moments.variance(index) + VARIANCE_FLOOR).sqrt()) as f32;
        }
    }

    /// Standardises and clips raw observations, both `[N, D]`.
    pub fn apply(&self, raw: &[f32], output: &mut [f32]) {
        network::normalise(raw, &self.mean, &self.inverse_deviation, self.clip, output);
    }

    /// Mean that is subtracted, `[D]`.
    #[must_use]
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// Factor that follows, `[D]`.
    #[must_use]
    pub fn inverse_deviation(&self) -> &[f32] {
        &self.inverse_deviation
    }

    /// Clip that follows; `f32::MAX` if there is none.
    #[must_use]
    pub const fn clip(&self) -> f32 {
        self.clip
    }
}

/// Scales rewards by the running standard deviation of the discounted return, without moving their mean.
///
/// # Reference
/// Engstrom et al. 2020 (arXiv:2005.12729), "reward scaling"; the logarithm is Hafner et al. 2023
/// (arXiv:2301.04104), eq. 9.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RewardScaler {
    transform: RewardTransform,
    clip: Limit,
    discount: f64,
    moments: Moments,
    /// Lower and upper quartile of the discounted return.
    quartiles: [RunningQuantile; 2],
    /// Discounted return of each environment's running episode, `[B]`.
    running: Vec<f64>,
}

impl RewardScaler {
    /// For `environments` whose returns are discounted by `discount`.
    #[must_use]
    pub fn new(transform: RewardTransform, clip: Limit, discount: f64, environments: usize) -> Self {
        Self {
            transform,
            clip,
            discount,
            moments: Moments::new(1),
            quartiles: [0.25, 0.75].map(RunningQuantile::new),
            running: vec![0.0; environments],
        }
    }

    /// Takes a rollout's returns into the statistics, then transforms its rewards; returns how many were clipped.
    ///
    /// # Shapes
    /// Row-major `[T, B]`.
    ///
    /// # Panics
    /// If the shapes disagree.
    #[expect(clippy::cast_possible_truncation, reason = "learning is single precision")]
    pub fn transform(&mut self, rewards: &[f64], statuses: &[Status], output: &mut [f32]) -> usize {
        assert_eq!(rewards.len(), statuses.len(), "rewards and statuses must be [T, B]");
        assert_eq!(rewards.len(), output.len(), "input and output must be [T, B]");
        assert!(rewards.len().is_multiple_of(self.running.len()), "a rollout must be [T, B]");
        self.observe(rewards, statuses);
        let scale = self.scale();
        let mut clipped = 0;
        for (reward, output) in rewards.iter().zip(output) {
            let mut scaled = self.shape(reward * scale);
            if let Limit::At(clip) = self.clip
                && scaled.abs() > clip
            {
                clipped += 1;
                scaled = scaled.clamp(-clip, clip);
            }
            *output = scaled as f32;
        }
        clipped
    }

    /// Forgets the running episodes and keeps the statistics: what follows was not seen to begin.
    pub(crate) fn forget_running(&mut self) {
        self.running.fill(0.0);
    }

    /// Takes the returns of a rollout, `[T, B]`, into the statistics.
    pub(crate) fn observe(&mut self, rewards: &[f64], statuses: &[Status]) {
        match self.transform {
            RewardTransform::None => {}
            RewardTransform::RunningStd | RewardTransform::Symlog => {
                let returns = self.returns(rewards, statuses);
                self.moments.update(&returns);
            }
            RewardTransform::QuantileRange => {
                for value in self.returns(rewards, statuses) {
                    self.quartiles.iter_mut().for_each(|quartile| quartile.observe(value));
                }
            }
        }
    }

    /// Factor that the statistics so far put before a reward.
    pub(crate) fn scale(&self) -> f64 {
        match self.transform {
            RewardTransform::None => 1.0,
            RewardTransform::RunningStd | RewardTransform::Symlog => {
                1.0 / (self.moments.variance(0) + VARIANCE_FLOOR).sqrt()
            }
            RewardTransform::QuantileRange => {
                let [low, high] = self.quartiles.each_ref().map(RunningQuantile::value);
                let deviation = (high - low) / GAUSSIAN_RANGE;
                1.0 / (deviation * deviation + VARIANCE_FLOOR).sqrt()
            }
        }
    }

    /// What follows the factor, but for the clip.
    pub(crate) fn shape(&self, scaled: f64) -> f64 {
        match self.transform {
            RewardTransform::None | RewardTransform::RunningStd | RewardTransform::QuantileRange => scaled,
            RewardTransform::Symlog => libm::log1p(scaled.abs()).copysign(scaled),
        }
    }

    /// Discounted return up to each step, `[T, B]`; starts anew with each episode.
    fn returns(&mut self, rewards: &[f64], statuses: &[Status]) -> Vec<f64> {
        let environments = self.running.len();
        let mut returns = Vec::with_capacity(rewards.len());
        for (rewards, statuses) in rewards.chunks_exact(environments).zip(statuses.chunks_exact(environments)) {
            for ((running, reward), status) in self.running.iter_mut().zip(rewards).zip(statuses) {
                *running = self.discount * *running + reward;
                returns.push(*running);
                if status.is_over() {
                    *running = 0.0;
                }
            }
        }
        returns
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "expected numbers are exact in single precision")]
mod tests {
    use super::Status::{Running, Terminated};
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} against {b}");
    }

    #[test]
    fn merging_batches_equals_one_pass_over_everything() {
        // Far from zero, where a sum of squares would lose every digit of the variance.
        let data: Vec<f64> = (0..60).map(|i| 1e8 + f64::from(i * i % 17)).collect();
        let mut merged = Moments::new(2);
        for batch in [&data[..2], &data[2..20], &[], &data[20..60]] {
            merged.update(batch);
        }
        for column in 0..2 {
            let x: Vec<f64> = data.iter().skip(column).step_by(2).copied().collect();
            let mean = x.iter().sum::<f64>() / 30.0;
            let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 30.0;
            close(merged.mean()[column], mean);
            assert!((merged.variance(column) - variance).abs() < 1e-6, "{} {variance}", merged.variance(column));
        }
        close(merged.count(), 30.0);
    }

    #[test]
    fn observations_keep_their_scale_until_the_refresh() {
        let mut normaliser = ObservationNormaliser::new(2, 10.0);
        assert!(normaliser.is_blank());
        // Column 0 has mean 3 and deviation 2, column 1 is constant.
        normaliser.observe(&[1.0, 7.0, 5.0, 7.0]);
        let mut output = [0.0; 4];
        normaliser.apply(&[5.0, 7.0, 1_000.0, 7.0], &mut output);
        assert_eq!(output, [5.0, 7.0, 10.0, 7.0]);
        normaliser.refresh();
        normaliser.apply(&[5.0, 7.0, 1_000.0, 7.0], &mut output);
        assert_eq!(output, [1.0, 0.0, 10.0, 0.0]);
    }

    #[test]
    fn identity_neither_learns_nor_clips() {
        let mut normaliser = ObservationNormaliser::identity(1);
        normaliser.observe(&[1.0, 5.0]);
        normaliser.refresh();
        let mut output = [0.0];
        normaliser.apply(&[1e30], &mut output);
        assert_eq!(output, [1e30]);
        assert!(!normaliser.is_blank());
    }

    #[test]
    fn rewards_are_divided_by_the_deviation_of_discounted_returns() {
        // Discount 0.5, one environment: returns 2, 1 + 3 = 4 (ends), 6, so mean 4 and variance 8/3.
        let mut scaler = RewardScaler::new(RewardTransform::RunningStd, Limit::Off, 0.5, 1);
        let mut output = [0.0; 3];
        scaler.transform(&[2.0, 3.0, 6.0], &[Running, Terminated, Running], &mut output);
        let deviation = (8.0_f64 / 3.0 + 1e-8).sqrt();
        for (output, reward) in output.iter().zip([2.0, 3.0, 6.0]) {
            assert!((f64::from(*output) - reward / deviation).abs() < 1e-6);
        }
        // The running episode carries over: 0.5·6 + 1 = 4, which leaves the mean and gives variance 8/4.
        scaler.transform(&[1.0], &[Running], &mut output[..1]);
        assert!((f64::from(output[0]) - 1.0 / (2.0_f64 + 1e-8).sqrt()).abs() < 1e-6);
    }

    #[test]
    fn symlog_compresses_both_tails_and_keeps_order() {
        let mut scaler = RewardScaler::new(RewardTransform::Symlog, Limit::Off, 0.0, 1);
        let rewards = [-1e6, -1.0, 0.0, 1.0, 1e6];
        let mut output = [0.0; 5];
        scaler.transform(&rewards, &[Terminated; 5], &mut output);
        // Discount 0: returns are rewards, variance (2e12 + 2) / 5.
        let deviation = ((2e12_f64 + 2.0) / 5.0 + 1e-8).sqrt();
        for (output, reward) in output.iter().zip(rewards) {
            let expected = libm::log1p(reward.abs() / deviation).copysign(reward);
            assert!((f64::from(*output) - expected).abs() < 1e-6);
        }
        assert!(output.is_sorted());
    }

    #[test]
    fn one_crash_does_not_move_the_interquartile_range() {
        // Discount 0: returns are rewards. Of 0, 1, …, 99 in any order the quartiles are near 25 and 74.
        let rewards: Vec<f64> = (0..400).map(|i| f64::from(i * 37 % 100)).collect();
        let statuses = vec![Terminated; 400];
        let mut output = vec![0.0; 400];
        let mut scaler = RewardScaler::new(RewardTransform::QuantileRange, Limit::Off, 0.0, 1);
        scaler.transform(&rewards, &statuses, &mut output);
        let before = scaler.scale();
        assert!((GAUSSIAN_RANGE / before - 49.5).abs() < 2.5, "{}", GAUSSIAN_RANGE / before);
        scaler.transform(&[-1e9], &[Terminated], &mut output[..1]);
        assert!((scaler.scale() / before - 1.0).abs() < 0.03);
        assert!(f64::from(output[0]) < -1e7, "the crash itself is not clipped: {}", output[0]);
    }

    #[test]
    fn clipped_rewards_are_counted_and_only_then_changed() {
        let mut scaler = RewardScaler::new(RewardTransform::None, Limit::At(2.0), 0.9, 2);
        let mut output = [0.0; 4];
        let clipped = scaler.transform(&[2.0, -3.0, 0.5, 9.0], &[Running; 4], &mut output);
        assert_eq!((clipped, output), (2, [2.0, -2.0, 0.5, 2.0]));
    }
}
