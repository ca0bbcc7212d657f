//! How often traders act: intensity that answers price moves within the bar, and that actions themselves excite.
//!
//! In a tick of `Δt` seconds `λ Δt` actions are expected, with `λ = (1 − n) μ (1 + f (R − 1)) + n ∫ φ(t − s) dN(s)`. Here
//! `μ` is the population's rate in calm, `R` the squared return of the home price seen through two exponential kernels,
//! over long-run variance, `N` counts actions, and `φ` is an exponential kernel of mass one. Moves of whatever origin
//! excite, news as much as trades: that ties volume to volatility. Since news moves the price too, feedback of trades on
//! themselves by way of the price is below `(1 − n) f`, and all of it below one.
//!
//! Not here: who acts, which way, how large.
//!
//! # Reference
//! Blanc, Donier & Bouchaud 2017 (arXiv:1509.07710), equation 3: a quadratic Hawkes process with a diagonal kernel; its
//! memory of the trend is not modelled. Hawkes 1971 for the linear part. Kernels of seconds and of minutes stand for a
//! power law (Hardiman, Bercot & Bouchaud 2013, arXiv:1302.1405).

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Largest multiple of the calm rate that price moves bring about: the busiest minute of 10 to 30 January 2022 on an FTX
/// perpetual had 101 times the volume of the median one, and one in a thousand had 38 times.
const MOST: f64 = 100.0;

/// Parameters of traders' intensity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActivityConfig {
    /// Share of traders' own intensity that is proportional to squared returns over long-run variance. In [0, 1].
    pub feedback: f64,
    /// Half-lives of the two kernels through which squared returns are seen, in seconds. In [0.1, 1e5], rising.
    pub half_lives: [f64; 2],
    /// Weight of the first kernel. In [0, 1].
    pub fast_share: f64,
    /// Mean number of actions that one action triggers directly. In [0, 0.95].
    pub branching: f64,
    /// Half-life of that, in seconds. In [0.1, 1e5].
    pub memory: f64,
}

impl Default for ActivityConfig {
    fn default() -> Self {
        Self { feedback: 1.0, half_lives: [5.0, 120.0], fast_share: 0.8, branching: 0.3, memory: 30.0 }
    }
}

impl ActivityConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let [fast, slow] = self.half_lives;
        for (field, value, low, high) in [
            ("feedback", self.feedback, 0.0, 1.0),
            ("half_lives[0]", fast, 0.1, 1e5),
            ("half_lives[1]", slow, 0.1, 1e5),
            ("fast_share", self.fast_share, 0.0, 1.0),
            ("branching", self.branching, 0.0, 0.95),
            ("memory", self.memory, 0.1, 1e5),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        problems.require(fast <= slow, format!("{path}.half_lives"), format!("[{fast}, {slow}]"), "rising");
    }
}

/// What follows from the parameters for ticks of one length.
#[derive(Clone, Copy, Debug)]
pub struct ActivityLaw {
    config: ActivityConfig,
    decays: [f64; 2],
    memory: f64,
    /// One over the variance of a tick at long-run volatility.
    per_square: f64,
}

impl ActivityLaw {
    /// For ticks of `seconds` and a long-run volatility of `sigma` per root second.
    #[must_use]
    pub fn new(config: ActivityConfig, sigma: f64, seconds: f64) -> Self {
        let decay = |half_life: f64| libm::exp2(-seconds / half_life);
        let per_square = 1.0 / (sigma * sigma * seconds);
        Self { config, decays: config.half_lives.map(decay), memory: decay(config.memory), per_square }
    }
}

/// Excitation that moves and actions have left behind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Price at the last look, in dollars.
    price: f64,
    /// Squared returns through the two kernels, over their long-run mean.
    squares: [f64; 2],
    /// Expected actions in the next tick that past ones trigger.
    triggered: f64,
}

impl Activity {
    /// At rest at `price` dollars, with `rate` actions per tick in calm.
    #[must_use]
    pub fn new(law: &ActivityLaw, price: f64, rate: f64) -> Self {
        Self { price, squares: [1.0; 2], triggered: law.config.branching * rate }
    }

    /// Takes in the price of a tick; returns the actions to expect in it, with `rate` of them in calm.
    #[inline]
    pub fn expect(&mut self, law: &ActivityLaw, price: f64, rate: f64) -> f64 {
        let change = price / self.price - 1.0;
        let square = change * change * law.per_square;
        self.price = price;
        for (seen, decay) in self.squares.iter_mut().zip(law.decays) {
            *seen = square + (*seen - square) * decay;
        }
        let [fast, slow] = self.squares;
        let ActivityConfig { feedback, fast_share, branching, .. } = law.config;
        let seen = slow + fast_share * (fast - slow);
        (1.0 - branching) * rate * (1.0 + feedback * (seen - 1.0)).min(MOST) + self.triggered
    }

    /// Takes in the actions of the tick.
    #[inline]
    pub fn note(&mut self, law: &ActivityLaw, actions: u32) {
        let news = law.config.branching * f64::from(actions);
        self.triggered = news + (self.triggered - news) * law.memory;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participants::traders::poisson;
    use crate::rng::Counter;

    const SIGMA: f64 = 1e-4;
    const RATE: f64 = 0.2;

    fn law(config: ActivityConfig) -> ActivityLaw {
        ActivityLaw::new(config, SIGMA, 1.0)
    }

    #[test]
    fn moves_of_the_long_run_size_keep_the_calm_rate() {
        let law = law(ActivityConfig { branching: 0.0, ..ActivityConfig::default() });
        let mut activity = Activity::new(&law, 100.0, RATE);
        let mut price = 100.0;
        for tick in 0..1_000 {
            price *= if tick % 2 == 0 { 1.0 + SIGMA } else { 1.0 - SIGMA };
            let expected = activity.expect(&law, price, RATE);
            assert!((expected / RATE - 1.0).abs() < 1e-3, "{expected}");
        }
    }

    #[test]
    fn a_jump_is_answered_in_its_own_tick_and_forgotten_within_minutes() {
        let law = law(ActivityConfig::default());
        let mut activity = Activity::new(&law, 100.0, RATE);
        let before = activity.expect(&law, 100.0, RATE);
        let at_once = activity.expect(&law, 100.0 * (1.0 + 20.0 * SIGMA), RATE);
        assert!(at_once > 20.0 * before, "{at_once} after {before}");
        for _ in 0..1_800 {
            let _ = activity.expect(&law, 100.0 * (1.0 + 20.0 * SIGMA), RATE);
        }
        let after = activity.expect(&law, 100.0 * (1.0 + 20.0 * SIGMA), RATE);
        assert!(after < before, "{after}");
    }

    #[test]
    fn no_move_excites_beyond_the_most() {
        let law = law(ActivityConfig { branching: 0.0, ..ActivityConfig::default() });
        let expected = Activity::new(&law, 100.0, RATE).expect(&law, 1e6, RATE);
        assert!((expected / (MOST * RATE) - 1.0).abs() < 1e-12, "{expected}");
    }

    #[test]
    fn actions_trigger_as_many_as_the_branching_ratio_says() {
        for branching in [0.0, 0.3, 0.8] {
            // Without moves and without feedback of them: a linear Hawkes process in steps.
            let law = law(ActivityConfig { feedback: 0.0, branching, memory: 5.0, ..ActivityConfig::default() });
            let mut activity = Activity::new(&law, 100.0, RATE);
            let draws = Counter::new(7);
            let (mut window, mut counts) = (0, Vec::new());
            for tick in 0..2_000_000_u64 {
                let actions = poisson(activity.expect(&law, 100.0, RATE), draws.uniform2(tick, 0)[0], 64);
                activity.note(&law, actions);
                window += actions;
                if tick % 2_000 == 1_999 {
                    counts.push(f64::from(window));
                    window = 0;
                }
            }
            let mean = counts.iter().sum::<f64>() / 1e3;
            let variance = counts.iter().map(|c| (c - mean) * (c - mean)).sum::<f64>() / 999.0;
            // The rate stays, and counts in long windows have the variance-to-mean ratio 1 / (1 - n)^2.
            assert!((mean / (2_000.0 * RATE) - 1.0).abs() < 0.03, "{branching}: {mean}");
            let measured = 1.0 - (mean / variance).sqrt();
            assert!((measured - branching).abs() < 0.08, "{branching}: {measured}");
        }
    }

    #[test]
    fn every_parameter_out_of_its_bounds_is_named() {
        let config = ActivityConfig {
            feedback: 1.5,
            half_lives: [60.0, 5.0],
            fast_share: -0.1,
            branching: 1.0,
            memory: f64::NAN,
        };
        let mut problems = Problems::default();
        config.validate("a", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["a.feedback", "a.fast_share", "a.branching", "a.memory", "a.half_lives"]);
    }
}
