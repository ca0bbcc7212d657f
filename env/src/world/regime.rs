//! Regimes: calm, tense and crisis, visited by a continuous-time Markov chain and by scripted windows.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_DAY};
use super::draw::exponential;
use crate::error::Problems;
use crate::rng::Counter;

/// State of the outside market. Ordered by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Ordinary days.
    #[default]
    Calm,
    /// Volatility about twice the ordinary.
    Tense,
    /// Days such as those of March 2020.
    Crisis,
}

impl Regime {
    /// Every regime, in order of severity.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Tense, Self::Crisis];

    /// Position in [`Regime::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Where an episode starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitialRegime {
    /// Drawn from the chain's long-run shares.
    #[default]
    Stationary,
    /// Calm.
    Calm,
    /// Tense.
    Tense,
    /// Crisis.
    Crisis,
}

/// One regime.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimeConfig {
    /// Annualised standard deviation of log returns, jumps included; > 0, at most 5.
    pub volatility: f64,
    /// Mean time in the regime, in hours; > 0.
    pub mean_hours: f64,
    /// Where it goes next: probabilities of calm, tense and crisis. Sums to 1, zero for itself.
    pub next: [f64; 3],
    /// Jumps per day that no earlier jump triggered; ≥ 0.
    pub jumps_per_day: f64,
    /// Correlation of the price's diffusion with the equity index, in [0, 1).
    pub equity_correlation: f64,
}

/// The three regimes and the start.
///
/// # Reference
/// Volatility, durations and transitions: hourly realised variance of BTC perpetuals, 2020 to January 2026 with three
/// windows held out, smoothed with a half-life of 24 h and cut at 60 % and 120 % a year (shares 0.71, 0.26, 0.03).
/// Jump rates: returns beyond 8 local standard deviations, 0.2–0.45 a day in every regime, a third of them triggered.
/// Correlations: the three states of the macro literature (0.0 before 2020, 0.37 since, 0.7 in early 2022).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegimesConfig {
    /// Regime at reset.
    pub initial: InitialRegime,
    /// Calm.
    pub calm: RegimeConfig,
    /// Tense.
    pub tense: RegimeConfig,
    /// Crisis.
    pub crisis: RegimeConfig,
}

impl Default for RegimesConfig {
    fn default() -> Self {
        Self {
            initial: InitialRegime::Stationary,
            calm: RegimeConfig {
                volatility: 0.40,
                mean_hours: 113.0,
                next: [0.0, 0.98, 0.02],
                jumps_per_day: 0.22,
                equity_correlation: 0.0,
            },
            tense: RegimeConfig {
                volatility: 0.80,
                mean_hours: 38.0,
                next: [0.9, 0.0, 0.1],
                jumps_per_day: 0.20,
                equity_correlation: 0.37,
            },
            crisis: RegimeConfig {
                volatility: 1.87,
                mean_hours: 36.0,
                next: [0.0, 1.0, 0.0],
                jumps_per_day: 0.25,
                equity_correlation: 0.7,
            },
        }
    }
}

impl RegimesConfig {
    /// The regimes in the order of [`Regime::ALL`].
    #[must_use]
    pub const fn all(&self) -> [RegimeConfig; 3] {
        [self.calm, self.tense, self.crisis]
    }

    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (index, (name, regime)) in ["calm", "tense", "crisis"].into_iter().zip(self.all()).enumerate() {
            let field = |field: &str| format!("{path}.{name}.{field}");
            problems.range(field("volatility"), regime.volatility, 1e-6, 5.0);
            problems.range(field("mean_hours"), regime.mean_hours, 1e-3, 1e6);
            problems.range(field("jumps_per_day"), regime.jumps_per_day, 0.0, 1_000.0);
            problems.range(field("equity_correlation"), regime.equity_correlation, 0.0, 0.999);
            let sum: f64 = regime.next.iter().sum();
            let is_law = regime.next.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() < 1e-9;
            problems.require(is_law, field("next"), format!("{:?}", regime.next), "probabilities that sum to 1");
            problems.require(
                regime.next[index] <= 0.0,
                field("next"),
                regime.next[index],
                "zero for the regime itself",
            );
        }
    }
}

/// The chain, ready to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegimeLaw {
    mean_ticks: [f64; 3],
    next: [[f64; 3]; 3],
    initial: [f64; 3],
    /// Whether the chain ever leaves its initial regime.
    moves: bool,
}

impl RegimeLaw {
    pub(super) fn new(config: &RegimesConfig, clock: Clock, moves: bool) -> Self {
        let all = config.all();
        let mean_ticks = all.map(|r| r.mean_hours * SECONDS_PER_DAY / 24.0 / clock.tick_seconds);
        let next = all.map(|r| r.next);
        let initial = match config.initial {
            InitialRegime::Stationary => stationary(mean_ticks, next),
            InitialRegime::Calm => [1.0, 0.0, 0.0],
            InitialRegime::Tense => [0.0, 1.0, 0.0],
            InitialRegime::Crisis => [0.0, 0.0, 1.0],
        };
        Self { mean_ticks, next, initial, moves }
    }
}

/// Long-run shares of time: the embedded chain's visits, weighted by how long a visit lasts.
fn stationary(mean_ticks: [f64; 3], next: [[f64; 3]; 3]) -> [f64; 3] {
    let mut visits = [1.0 / 3.0; 3];
    // Half a step of the lazy chain at a time, because the chain itself may alternate for ever.
    for _ in 0..2_000 {
        let mut after = visits.map(|v| 0.5 * v);
        for (from, row) in next.iter().enumerate() {
            for (to, p) in row.iter().enumerate() {
                after[to] += 0.5 * visits[from] * p;
            }
        }
        visits = after;
    }
    let time: [f64; 3] = std::array::from_fn(|i| visits[i] * mean_ticks[i]);
    let total: f64 = time.iter().sum();
    time.map(|t| t / total)
}

/// Picks by cumulated probability; what rounding leaves over goes to the last regime that can be.
fn pick(u: f64, weights: [f64; 3]) -> Regime {
    let mut left = u;
    let mut last = Regime::Calm;
    for (regime, weight) in Regime::ALL.into_iter().zip(weights) {
        if weight > 0.0 {
            last = regime;
            if left < weight {
                break;
            }
        }
        left -= weight;
    }
    last
}

/// A regime held between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) regime: Regime,
}

/// A regime for every tick: the worse of a chain and the scripted windows.
///
/// The chain's `k`-th sojourn is a pure function of (stream, `k`), so a second cursor on the same stream can run ahead
/// of the first: that is how macro stress leads without anybody peeking into drawn returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StressPath {
    counter: Counter,
    windows: Vec<Window>,
    sojourn: u64,
    chain: Regime,
    chain_until: u64,
    regime: Regime,
    until: u64,
}

impl StressPath {
    pub(super) fn new(law: &RegimeLaw, counter: Counter, windows: Vec<Window>) -> Self {
        let [start, length] = counter.uniform2(0, 0);
        let chain = pick(start, law.initial);
        let chain_until = sojourn_ticks(law, chain, length);
        Self { counter, windows, sojourn: 0, chain, chain_until, regime: chain, until: 0 }
    }

    /// The regime at `tick`; ticks must not decrease.
    #[inline]
    pub(super) fn at(&mut self, law: &RegimeLaw, tick: u64) -> Regime {
        if tick >= self.until {
            self.refresh(law, tick);
        }
        self.regime
    }

    /// Draws the path anew from behind `tick`, the last one that was asked for: how long the chain stays where it is has no
    /// memory.
    pub(super) fn redraw(&mut self, law: &RegimeLaw, counter: Counter, tick: u64, windows: Vec<Window>) {
        (self.counter, self.windows) = (counter, windows);
        let [_, length] = counter.uniform2(self.sojourn, 0);
        self.chain_until = tick.saturating_add(sojourn_ticks(law, self.chain, length));
        self.until = 0;
    }

    /// The scripted windows.
    pub(super) fn windows(&self) -> &[Window] {
        &self.windows
    }

    fn refresh(&mut self, law: &RegimeLaw, tick: u64) {
        while tick >= self.chain_until {
            self.sojourn += 1;
            let [next, length] = self.counter.uniform2(self.sojourn, 0);
            self.chain = pick(next, law.next[self.chain.index()]);
            self.chain_until = self.chain_until.saturating_add(sojourn_ticks(law, self.chain, length));
        }
        self.regime = self.chain;
        self.until = self.chain_until;
        for window in &self.windows {
            if (window.start..window.end).contains(&tick) {
                self.regime = self.regime.max(window.regime);
            }
            for boundary in [window.start, window.end] {
                if boundary > tick {
                    self.until = self.until.min(boundary);
                }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at a sojourn without end")]
fn sojourn_ticks(law: &RegimeLaw, regime: Regime, u: f64) -> u64 {
    if law.moves { (exponential(u, law.mean_ticks[regime.index()]) as u64).max(1) } else { u64::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_seconds: 60.0, ticks: 1_000 };

    #[test]
    fn long_run_shares_are_those_of_the_stationary_law() {
        let law = RegimeLaw::new(&RegimesConfig::default(), CLOCK, true);
        // Visits of calm, tense and crisis stand as 0.9, 1, 0.118, times the mean hours.
        let expected = [0.9 * 113.0, 38.0, 0.118 * 36.0];
        let total: f64 = expected.iter().sum();
        for (share, hours) in law.initial.iter().zip(expected) {
            assert!((share - hours / total).abs() < 1e-12, "{:?}", law.initial);
        }
        let mut path = StressPath::new(&law, Counter::new(5), Vec::new());
        let ticks = 20_000_000;
        let mut time = [0_u32; 3];
        for tick in 0..ticks {
            time[path.at(&law, tick).index()] += 1;
        }
        // About 3,500 sojourns of each of the first two regimes: shares within 3 %.
        for (measured, share) in time.iter().zip(law.initial) {
            assert!((f64::from(*measured) / 20e6 - share).abs() < 0.03, "{time:?}");
        }
    }

    #[test]
    fn a_window_raises_the_regime_only_while_it_lasts() {
        let config = RegimesConfig { initial: InitialRegime::Calm, ..RegimesConfig::default() };
        let law = RegimeLaw::new(&config, CLOCK, false);
        let windows = vec![
            Window { start: 10, end: 20, regime: Regime::Tense },
            Window { start: 15, end: 18, regime: Regime::Crisis },
        ];
        let mut path = StressPath::new(&law, Counter::new(1), windows);
        for tick in 0..40 {
            let expected = match tick {
                15..18 => Regime::Crisis,
                10..20 => Regime::Tense,
                _ => Regime::Calm,
            };
            assert_eq!(path.at(&law, tick), expected, "tick {tick}");
        }
    }

    #[test]
    fn a_cursor_that_runs_ahead_sees_the_same_path() {
        let law = RegimeLaw::new(&RegimesConfig::default(), CLOCK, true);
        let mut now = StressPath::new(&law, Counter::new(9), Vec::new());
        let mut ahead = now.clone();
        let future: Vec<Regime> = (0..300_000).map(|tick| ahead.at(&law, tick + 37)).collect();
        for tick in 37..300_000_u64 {
            assert_eq!(now.at(&law, tick), future[usize::try_from(tick - 37).unwrap()]);
        }
    }
}
