//! Makers' fair price: they see the price outside, and learn from flow where the latent book's price is.

use serde::{Deserialize, Serialize};

use super::latent::Latent;
use super::{BookConfig, LEVEL, Quotes, narrow};

/// Makers' fair price over the latent book.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FairPrice {
    outside: f64,
    /// Distance from the price outside, in levels.
    gap: f64,
    learning: f64,
    latent: Latent,
}

impl FairPrice {
    pub(super) fn new(config: &BookConfig, price: f64, seconds: f64) -> Self {
        let learning = 1.0 - libm::pow(1.0 - config.learning_rate, seconds);
        Self { outside: price, gap: 0.0, learning, latent: Latent::new(config, price, seconds) }
    }

    pub(super) fn bytes(&self) -> usize {
        self.latent.bytes()
    }

    /// In dollars.
    pub(super) fn price(&self) -> f64 {
        self.outside * (1.0 + self.gap * LEVEL)
    }

    /// In levels above the price outside.
    pub(super) const fn gap(&self) -> f64 {
        self.gap
    }

    /// Levels from here up to the latent book's price.
    pub(super) fn to_latent(&self) -> f64 {
        self.latent.zero() - self.gap
    }

    /// News moves it at once, the latent book and other venues step by step.
    pub(super) fn tick(&mut self, quotes: &Quotes) {
        self.outside = quotes.outside;
        self.latent.tick(quotes.latent);
        let learned = self.learning * self.to_latent();
        self.gap += learned + quotes.pull * (quotes.lean / LEVEL - self.gap);
    }

    /// Tells the latent book of a purchase (positive) or sale of `coins`, `levels` above here.
    pub(super) fn trade(&mut self, levels: f64, coins: f32) {
        self.latent.trade(self.gap + levels, coins);
    }

    /// As [`FairPrice::trade`], evenly from one level to another: quotes of a coarse grid stand for what lies between them.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand levels at most")]
    pub(super) fn trade_between(&mut self, from: f64, to: f64, coins: f64) {
        let parts = libm::ceil((to - from).abs()).clamp(1.0, 1e5) as u32;
        for part in 1..=parts {
            let level = from + (to - from) * f64::from(part) / f64::from(parts);
            self.trade(level, narrow(coins / f64::from(parts)));
        }
    }
}
