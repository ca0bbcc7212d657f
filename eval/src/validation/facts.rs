//! Stylised facts of returns and volume, with block-bootstrap intervals.

use seawall_env::SeedTree;

use super::row::Row;
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, correlation, percentile, real};

/// Bootstrap replicates.
const REPLICATES: usize = 300;

/// Returns of equal bars without a hole, and what was traded in each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Log returns.
    pub returns: Vec<f64>,
    /// Volume, in any unit; as long as the returns.
    pub volumes: Vec<f64>,
}

/// One statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact {
    /// Correlation of a return with the one so many bars later.
    Memory(usize),
    /// Correlation of the absolute return with the one so many bars later.
    SizeMemory(usize),
    /// Exponent of the decay of that correlation over lags 1 to this.
    SizeDecay(usize),
    /// Kurtosis in excess of a Gaussian's.
    Kurtosis,
    /// Excess kurtosis of sums of so many returns.
    SumKurtosis(usize),
    /// Third standardised moment.
    Skew,
    /// Hill index of the largest share of absolute returns.
    Hill(f64),
    /// Variance of sums of so many returns over as many times the variance of one.
    VarianceRatio(usize),
    /// Correlation of absolute return and volume.
    VolumeLink,
    /// Correlation of a return and the next absolute one.
    Leverage,
    /// Standard deviation of a return, in basis points.
    Level,
}

impl Fact {
    /// The statistic over runs; nothing where it is undefined.
    #[must_use]
    pub fn of(self, runs: &[&Run]) -> Option<f64> {
        match self {
            Self::Memory(lag) => lagged(runs, lag, |r| r, |r| r),
            Self::SizeMemory(lag) => lagged(runs, lag, f64::abs, f64::abs),
            Self::SizeDecay(longest) => decay(runs, longest),
            Self::Kurtosis => kurtosis(runs.iter().flat_map(|run| run.returns.iter().copied())),
            Self::SumKurtosis(width) => kurtosis(sums(runs, width)),
            Self::Skew => moments(runs.iter().flat_map(|run| run.returns.iter().copied())).map(|m| m.skew),
            Self::Hill(share) => {
                let all: Vec<f64> = runs.iter().flat_map(|run| run.returns.iter().copied()).collect();
                crate::calibration::tails::hill(&all, share).map(|fitted| fitted.value)
            }
            Self::VarianceRatio(width) => {
                let one = moments(runs.iter().flat_map(|run| run.returns.iter().copied()))?;
                Some(moments(sums(runs, width))?.variance / (real(width) * one.variance))
            }
            Self::VolumeLink => {
                let pairs: Vec<(f64, f64)> = runs
                    .iter()
                    .flat_map(|run| run.returns.iter().map(|r| r.abs()).zip(run.volumes.iter().copied()))
                    .collect();
                correlation(&pairs)
            }
            Self::Leverage => lagged(runs, 1, |r| r, f64::abs),
            Self::Level => {
                moments(runs.iter().flat_map(|run| run.returns.iter().copied())).map(|m| 1e4 * m.variance.sqrt())
            }
        }
    }

    /// The statistic, and its percentile interval over resampled blocks of so many bars; blocks never span runs.
    #[must_use]
    pub fn with_interval(self, runs: &[Run], block: usize, seed: u64) -> (Option<f64>, Option<[f64; 2]>) {
        let whole: Vec<&Run> = runs.iter().collect();
        let blocks: Vec<Run> = runs.iter().flat_map(|run| cut(run, block)).collect();
        let value = self.of(&whole);
        if blocks.len() < 8 {
            return (value, None);
        }
        let resamples = Resamples::draw(SeedTree::new(seed), Level::Cells, &[blocks.len()], REPLICATES);
        let drawn = |times: &[u32]| {
            let runs: Vec<&Run> = blocks
                .iter()
                .zip(times)
                .flat_map(|(block, times)| std::iter::repeat_n(block, *times as usize))
                .collect();
            self.of(&runs)
        };
        let distribution: Vec<f64> = resamples.iter().filter_map(drawn).collect();
        (value, percentile(&distribution, 0.95).map(|(low, high)| [low, high]))
    }

    /// A row with this statistic of some runs.
    #[must_use]
    pub fn row(self, row: Row, runs: &[Run], block: usize) -> Row {
        let (value, interval) = self.with_interval(runs, block, 0);
        row.measured(value, interval).by_interval()
    }
}

fn cut(run: &Run, block: usize) -> Vec<Run> {
    let parts = run.returns.chunks_exact(block).zip(run.volumes.chunks_exact(block));
    parts.map(|(returns, volumes)| Run { returns: returns.to_vec(), volumes: volumes.to_vec() }).collect()
}

/// Sums of neighbours within runs.
fn sums<'a>(runs: &'a [&Run], width: usize) -> impl Iterator<Item = f64> + Clone + 'a {
    runs.iter().flat_map(move |run| run.returns.chunks_exact(width).map(|chunk| chunk.iter().sum()))
}

#[derive(Clone, Copy, Debug)]
struct Moments {
    variance: f64,
    skew: f64,
    kurtosis: f64,
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<Moments> {
    let (count, sum) = values.clone().fold((0_usize, 0.0), |(n, sum), x| (n + 1, sum + x));
    let n = real(count);
    let mean = sum / n.max(1.0);
    let (mut second, mut third, mut fourth) = (0.0, 0.0, 0.0);
    for x in values {
        let d = x - mean;
        second += d * d / n;
        third += d * d * d / n;
        fourth += d * d * d * d / n;
    }
    (count >= 8 && second > 0.0).then(|| Moments {
        variance: second,
        skew: third / (second * second.sqrt()),
        kurtosis: fourth / (second * second) - 3.0,
    })
}

fn kurtosis(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    moments(values).map(|moments| moments.kurtosis)
}

fn lagged(runs: &[&Run], lag: usize, first: impl Fn(f64) -> f64, later: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut n, mut sums) = (0_usize, [0.0; 5]);
    for run in runs {
        for (a, b) in run.returns.iter().zip(run.returns.iter().skip(lag)) {
            let (a, b) = (first(*a), later(*b));
            n += 1;
            for (sum, x) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                *sum += x;
            }
        }
    }
    let [a, b, aa, bb, ab] = sums.map(|sum| sum / real(n.max(1)));
    let (va, vb) = (aa - a * a, bb - b * b);
    (n >= 8 && va > 0.0 && vb > 0.0).then(|| (ab - a * b) / (va * vb).sqrt())
}

/// Least-squares slope of the logarithm of the memory of sizes on that of the lag, over lags where it is positive.
fn decay(runs: &[&Run], longest: usize) -> Option<f64> {
    let mut lag = 1;
    let mut points = Vec::new();
    while lag <= longest {
        if let Some(rho) = Fact::SizeMemory(lag).of(runs).filter(|rho| *rho > 0.0) {
            points.push((libm::log(real(lag)), libm::log(rho)));
        }
        lag = (lag + 1).max(lag * 3 / 2);
    }
    let line = crate::calibration::regression::line(&[&points])?;
    Some(-line.slope.value)
}

/// The table of stylised facts in calm, on bars of one minute; `block` bars are resampled together.
///
/// Beside each, where it was measured, what the default of the best-known simulator gives (ABIDES rmsc04, seeds 1–3, 60 s).
///
/// # Reference
/// Cont 2001; Vyetrenko et al. 2019 (arXiv:1912.04941). Ranges: Bitcoin perpetuals, open windows of 2020–2026.
#[must_use]
pub fn calm_table(runs: &[Run], block: usize) -> Vec<Row> {
    const CONT: &str = "Cont 2001; BTC perpetuals";
    let row = |id: &str, title: &str, low: Option<f64>, high: Option<f64>| Row::new(id, title, [low, high], CONT);
    let abides = |text: &str| format!("ABIDES rmsc04: {text}");
    let mut rows = vec![
        Fact::Memory(1)
            .row(row("F1", "autocorrelation of returns, 1 min", Some(-0.08), Some(0.08)), runs, block)
            .noted(abides("0.30 to 0.41, fails")),
        Fact::Memory(5).row(row("F1b", "the same at lag 5", Some(-0.03), Some(0.03)), runs, block),
        Fact::Memory(10).row(row("F1c", "the same at lag 10", Some(-0.03), Some(0.03)), runs, block),
        Fact::Kurtosis
            .row(row("F2", "excess kurtosis, 1 min", Some(8.0), Some(100.0)), runs, block)
            .noted(abides("2.5 to 4.9")),
        Fact::Hill(0.05)
            .row(row("F2b", "Hill index, top 5 %", Some(2.2), Some(4.0)), runs, block)
            .noted(abides("2.8 to 4.8")),
        Fact::Hill(0.01).row(row("F2c", "Hill index, top 1 %", Some(2.2), Some(4.0)), runs, block),
        Fact::SizeMemory(1)
            .row(row("F4", "autocorrelation of |r|, lag 1", Some(0.20), Some(0.45)), runs, block)
            .noted(abides("0.18 to 0.24")),
        Fact::SizeMemory(60)
            .row(row("F4b", "autocorrelation of |r|, lag 60", Some(0.08), None), runs, block)
            .noted(abides("about 0 at lag 50, fails")),
        Fact::SizeDecay(720).row(
            row("F4c", "exponent of its decay, lags 1 to 720", Some(0.15), Some(0.45)),
            runs,
            block,
        ),
        Fact::VolumeLink
            .row(row("F6", "correlation of |r| and volume", Some(0.35), Some(0.75)), runs, block)
            .noted(abides("-0.16 to -0.05, fails")),
        Fact::Skew.row(row("F18", "skewness", Some(-2.0), Some(0.0)), runs, block),
        Fact::Leverage.row(row("F18b", "correlation of r and the next |r|", Some(-0.15), Some(0.05)), runs, block),
        Fact::Level
            .row(
                row("F0", "deviation of 1 min, bp (3 to 10 are 22 to 72 % a year)", Some(3.0), Some(10.0)),
                runs,
                block,
            )
            .noted(abides("0.9 bp, fails")),
    ];
    for width in [5, 15, 60] {
        let title = format!("variance ratio, {width} min");
        rows.push(Fact::VarianceRatio(width).row(
            row(&format!("F5.{width}"), &title, Some(0.85), Some(1.10)),
            runs,
            block,
        ));
    }
    rows.push(aggregation(runs, block));
    rows
}

/// Kurtosis falls from one minute to five to sixty: the smaller of the two falls has to be positive.
fn aggregation(runs: &[Run], block: usize) -> Row {
    let at = |width: usize| Fact::SumKurtosis(width).with_interval(runs, block, 0).0;
    let row = Row::new(
        "F3",
        "fall of kurtosis from 1 to 5 to 60 min",
        [Some(0.0), None],
        "aggregational Gaussianity, Cont 2001",
    );
    let (Some(one), Some(five), Some(sixty)) = (at(1), at(5), at(60)) else { return row.measured(None, None) };
    row.measured(Some((one - five).min(five - sixty)), None).noted(format!("{one:.1}, {five:.1}, {sixty:.1}"))
}

/// Statistics that a window of real bars and simulated ones are compared by.
pub const COMPARED: [(Fact, &str); 8] = [
    (Fact::Level, "deviation of a bar, bp"),
    (Fact::Kurtosis, "excess kurtosis"),
    (Fact::Hill(0.05), "Hill index, top 5 %"),
    (Fact::SizeMemory(1), "autocorrelation of |r|, lag 1"),
    (Fact::SizeMemory(10), "autocorrelation of |r|, lag 10"),
    (Fact::SizeMemory(100), "autocorrelation of |r|, lag 100"),
    (Fact::VolumeLink, "correlation of |r| and volume"),
    (Fact::Memory(1), "autocorrelation of returns"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn run(returns: &[f64]) -> Run {
        Run { returns: returns.to_vec(), volumes: returns.iter().map(|r| 2.0 * r.abs()).collect() }
    }

    #[test]
    fn statistics_by_hand() {
        // ±1 in turn: variance 1, fourth moment 1, so kurtosis -2; neighbours are opposite, sizes do not vary.
        let alternating = run(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0]);
        let runs = [&alternating];
        assert!((Fact::Kurtosis.of(&runs).unwrap() + 2.0).abs() < 1e-12);
        assert!((Fact::Memory(1).of(&runs).unwrap() + 1.0).abs() < 1e-12);
        assert!((Fact::Level.of(&runs).unwrap() - 1e4).abs() < 1e-9);
        assert_eq!(Fact::SizeMemory(1).of(&runs), None);
        // 1, -1, …, 3 in the middle: |r| and volume are proportional.
        let varied = run(&[1.0, -2.0, 3.0, -1.0, 2.0, -3.0, 1.0, -1.0, 2.0, 3.0]);
        assert!((Fact::VolumeLink.of(&[&varied]).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn pairs_do_not_span_runs() {
        let (a, b) = (run(&[1.0, 1.0, 1.0, 1.0, 1.0]), run(&[-1.0, -1.0, -1.0, -1.0, -1.0]));
        // Within runs neighbours are equal; the one pair across them would be opposite.
        assert!((Fact::Memory(1).of(&[&a, &b]).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_interval_holds_the_estimate_and_is_the_same_again() {
        let returns: Vec<f64> = (0..4_000).map(|i| libm::sin(f64::from(i) * f64::from(i))).collect();
        let runs = [run(&returns[..1_500]), run(&returns[1_500..])];
        let (value, interval) = Fact::Kurtosis.with_interval(&runs, 100, 1);
        let [low, high] = interval.unwrap();
        assert!(low < value.unwrap() && value.unwrap() < high, "{value:?} in {interval:?}");
        assert_eq!(Fact::Kurtosis.with_interval(&runs, 100, 1), (value, interval));
        assert_eq!(Fact::Kurtosis.with_interval(&runs, 1_000, 1).1, None, "too few blocks");
    }
}
