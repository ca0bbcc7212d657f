//! The outside world from bars: which estimator sees what, in the order in which they need one another.
//!
//! Regimes first, on blocks of hours; then jumps, in the units of the regime that they fall into; then the memory of
//! volatility, within regimes. GARCH, tails and the link to volume stand alone.

use seawall_env::world::{Bar, ClusteringConfig, SECONDS_PER_DAY, SECONDS_PER_YEAR};

use super::garch::{self, Garch};
use super::jumps::{self, Jump, Jumps};
use super::regimes::{self, Block, REGIMES, Regimes};
use super::{Fitted, clustering, long_run, rank, tails, variance};
use crate::statistics::real;

/// Length of a block of the regimes' chain, in hours, and its bars at least: fewer say little of their variance.
const BLOCK_HOURS: f64 = 4.0;
const BLOCK_BARS: usize = 16;
/// Bars per day below which a jump cannot be told from an ordinary day.
const JUMP_BARS: usize = 24;
/// A silent block has no logarithm: a ten-thousandth of a basis point keeps it calm.
const VARIANCE_MIN: f64 = 1e-16;

/// Bars in runs without a hole.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The runs, in the order of time.
    pub runs: &'a [Vec<Bar>],
    /// Length of a bar, in milliseconds.
    pub bar_ms: i64,
}

/// What bars say of the world.
#[derive(Clone, Debug)]
pub struct WorldFit {
    /// Annualised standard deviation of returns, with a Newey–West error over a day.
    pub volatility: Option<Fitted>,
    /// Regimes.
    pub regimes: Option<Regimes>,
    /// Hours in a block of theirs.
    pub block_hours: f64,
    /// Number of returns that are jumps.
    pub jumps_found: usize,
    /// Jumps.
    pub jumps: Option<Jumps>,
    /// Untriggered jumps per day, by regime.
    pub jumps_by_regime: [Option<Fitted>; REGIMES],
    /// Memory of volatility: half-lives in seconds and deviations; no deviation where a component fades within half a bar.
    pub memory: Option<Vec<(f64, Option<Fitted>)>>,
    /// GARCH.
    pub garch: Option<Garch>,
    /// Hill index of the top 5 % and 1 % of absolute returns.
    pub hill: [Option<Fitted>; 2],
    /// Rank correlation of absolute return and volume.
    pub volume_link: Option<Fitted>,
}

impl Series<'_> {
    /// Seconds in a bar.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bars are shorter than a year")]
    pub fn bar_seconds(&self) -> f64 {
        self.bar_ms as f64 / 1_000.0
    }

    /// Log returns from close to close, by run.
    #[must_use]
    pub fn returns(&self) -> Vec<Vec<f64>> {
        let log = |bar: &Bar| libm::log(bar.close.as_f64());
        self.runs.iter().map(|run| run.windows(2).map(|pair| log(&pair[1]) - log(&pair[0])).collect()).collect()
    }

    fn bars_per_day(&self) -> f64 {
        SECONDS_PER_DAY / self.bar_seconds()
    }

    fn block_bars(&self) -> usize {
        whole(BLOCK_HOURS * 3_600.0 / self.bar_seconds()).max(BLOCK_BARS)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of bars")]
fn whole(x: f64) -> usize {
    libm::round(x) as usize
}

/// Fits everything that bars can say.
///
/// # Panics
/// If a bar has no length.
#[must_use]
pub fn fit(series: Series<'_>) -> WorldFit {
    assert!(series.bar_ms > 0, "a bar lasts");
    let returns = series.returns();
    let runs: Vec<&[f64]> = returns.iter().map(Vec::as_slice).collect();
    let all: Vec<f64> = returns.iter().flatten().copied().collect();
    let volumes = series.runs.iter().flat_map(|run| run.iter().skip(1).map(|bar| bar.volume));
    let pairs: Vec<(f64, f64)> = all.iter().map(|r| r.abs()).zip(volumes).collect();
    let mut fit = WorldFit {
        volatility: volatility(series, &returns),
        regimes: regimes_of(series, &returns),
        block_hours: real(series.block_bars()) * series.bar_seconds() / 3_600.0,
        jumps_found: 0,
        jumps: None,
        jumps_by_regime: [None; REGIMES],
        memory: None,
        garch: garch::fit(&runs),
        hill: [tails::hill(&all, 0.05), tails::hill(&all, 0.01)],
        volume_link: rank::spearman(&pairs),
    };
    if let Some(regimes) = &fit.regimes {
        let lengths: Vec<usize> = returns.iter().map(Vec::len).collect();
        let likely = likely_regimes(series, regimes, &lengths);
        fit.memory = memory(series, &likely);
        let levels = regimes.regimes.map(|regime| regime.volatility.value);
        (fit.jumps_found, fit.jumps, fit.jumps_by_regime) = jumps_of(series, &runs, &likely, levels);
    }
    fit
}

fn volatility(series: Series<'_>, returns: &[Vec<f64>]) -> Option<Fitted> {
    let squares: Vec<Vec<f64>> = returns.iter().map(|run| run.iter().map(|r| r * r).collect()).collect();
    let slices: Vec<&[f64]> = squares.iter().map(Vec::as_slice).collect();
    let mean = long_run::mean(&slices, whole(series.bars_per_day()).max(1))?;
    let annual = (mean.value * SECONDS_PER_YEAR / series.bar_seconds()).sqrt();
    (mean.value > 0.0).then(|| mean.through(annual, 0.5 * annual / mean.value))
}

/// Blocks of whole bars, and the chain behind them.
fn regimes_of(series: Series<'_>, returns: &[Vec<f64>]) -> Option<Regimes> {
    let size = series.block_bars();
    let years = real(size) * series.bar_seconds() / SECONDS_PER_YEAR;
    let block = |part: &[f64]| Block {
        log_variance: libm::log(variance::bipower(part).max(VARIANCE_MIN)),
        variance: variance::realised(part) / years,
    };
    let blocks: Vec<Vec<Block>> = returns.iter().map(|run| run.chunks_exact(size).map(block).collect()).collect();
    regimes::fit(&blocks.into_iter().filter(|run: &Vec<Block>| !run.is_empty()).collect::<Vec<_>>())
}

/// Most likely regime of every return, by run; returns after the last whole block go with it, and a run too short for a
/// block is calm.
fn likely_regimes(series: Series<'_>, fit: &Regimes, lengths: &[usize]) -> Vec<Vec<usize>> {
    let size = series.block_bars();
    let mut posterior = fit.posterior.iter();
    let likely = |p: &[f64; REGIMES]| (0..REGIMES).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap_or(0);
    let of_run = |length: &usize| {
        let blocks = if *length >= size { posterior.next() } else { None };
        let of = |bar: usize| blocks.map_or(0, |blocks| likely(&blocks[(bar / size).min(blocks.len() - 1)]));
        (0..*length).map(of).collect()
    };
    lengths.iter().map(of_run).collect()
}

type JumpFit = (usize, Option<Jumps>, [Option<Fitted>; REGIMES]);

/// How many jumps there are, what they look like, and untriggered ones per day by regime.
fn jumps_of(series: Series<'_>, runs: &[&[f64]], likely: &[Vec<usize>], levels: [f64; REGIMES]) -> JumpFit {
    let day = whole(series.bars_per_day());
    if day < JUMP_BARS {
        return (0, None, [None; REGIMES]);
    }
    let found = jumps::detect(runs, day, jumps::THRESHOLD);
    let daily: Vec<f64> = found.iter().map(|jump| levels[likely[jump.run][jump.index]] / 365_f64.sqrt()).collect();
    // The first day of a run is not judged, so it is not counted either.
    let judged: Vec<usize> = runs.iter().map(|run| run.len().saturating_sub(day)).collect();
    let shifted: Vec<Jump> = found.iter().map(|jump| Jump { index: jump.index - day, ..*jump }).collect();
    let described = jumps::describe(&shifted, &daily, &judged, series.bars_per_day());
    let branching = described.as_ref().and_then(|jumps| jumps.arrival).map_or(0.0, |arrival| arrival.branching.value);
    let by_regime = std::array::from_fn(|regime| {
        let bars: usize = likely.iter().map(|run| run.iter().skip(day).filter(|at| **at == regime).count()).sum();
        let count = found.iter().filter(|jump| likely[jump.run][jump.index] == regime).count();
        let per_jump = (1.0 - branching) * series.bars_per_day() / real(bars.max(1));
        (described.is_some() && bars > 0)
            .then(|| Fitted::new(real(count) * per_jump, real(count.max(1)).sqrt() * per_jump, count))
    });
    (found.len(), described, by_regime)
}

fn memory(series: Series<'_>, likely: &[Vec<usize>]) -> Option<Vec<(f64, Option<Fitted>)>> {
    let bar_of = |bar: &Bar, regime: usize| {
        let range = libm::log(bar.high.as_f64()) - libm::log(bar.low.as_f64());
        let slot = usize::try_from(bar.open_time_ms.rem_euclid(86_400_000) / series.bar_ms).unwrap_or(0);
        clustering::Bar { log_range: (range > 0.0).then(|| libm::log(range)), slot, regime }
    };
    let bars: Vec<Vec<clustering::Bar>> = series
        .runs
        .iter()
        .zip(likely)
        .map(|(run, regimes)| run.iter().skip(1).zip(regimes).map(|(bar, regime)| bar_of(bar, *regime)).collect())
        .collect();
    let runs: Vec<&[clustering::Bar]> = bars.iter().map(Vec::as_slice).collect();
    let half_lives: Vec<f64> = ClusteringConfig::default().factors.iter().map(|f| f.half_life_seconds).collect();
    // A component that fades within half a bar cannot be told from noise.
    let is_seen = |seconds: &f64| seconds / series.bar_seconds() >= 0.5;
    let seen: Vec<f64> = half_lives.iter().filter(|s| is_seen(s)).map(|s| s / series.bar_seconds()).collect();
    let mut fitted = clustering::fit(&runs, &seen)?.into_iter();
    let component = |seconds: f64| (seconds, if is_seen(&seconds) { fitted.next() } else { None });
    Some(half_lives.into_iter().map(component).collect())
}
