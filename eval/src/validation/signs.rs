//! Memory of the signs of market orders: whether a buy is followed by buys, and for how long.

use super::cascade::over_seeds;
use super::resampled::{ratio, resampled};
use super::row::Row;
use super::simulate::Recording;
use crate::calibration::regression::line;
use crate::statistics::{mean, real};

/// Lags over which memory has to be there at all.
const NEAR: usize = 20;
/// Orders in a block, least and most: lags over which the exponent is read.
const BLOCK: [usize; 2] = [10, 1_000];
/// Blocks that the longest width needs.
const BLOCKS_MIN: f64 = 10.0;

/// Correlation of a sign with that `lag` orders later.
#[must_use]
pub fn autocorrelation(signs: &[i8], lag: usize) -> Option<f64> {
    if signs.len() < lag + 8 {
        return None;
    }
    let pairs: Vec<(f64, f64)> = signs.iter().zip(&signs[lag..]).map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
    crate::statistics::correlation(&pairs)
}

/// Exponent γ of the decay `k^-γ` of that correlation, by the variance of sums over all days: blocks of `n` signs deviate
/// from their day's mean with a mean square that grows as `n^(2H)`, and `γ = 2 - 2H`. Signs without memory have one.
///
/// It is defined where the correlation itself is negative or noise, so that no memory is a number and not a gap. Each day is
/// taken as often as `times` says, with at least ten blocks of the longest width in all.
///
/// # Reference
/// Beran 1994, "Statistics for Long-Memory Processes", section 4.4 (variance of aggregated series); `γ` of order signs by
/// Lillo & Farmer 2004 (arXiv:cond-mat/0311053).
#[must_use]
pub fn decay(days: &[&[i8]], times: &[u32]) -> Option<f64> {
    exponent(&days.iter().map(|day| deviations(day)).collect::<Vec<Deviations>>(), times)
}

/// Squared deviations of one day's blocks from the day's mean, and their number, by width.
type Deviations = Vec<[f64; 2]>;

/// Widths of blocks, each half as wide again as the one before.
fn widths() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(BLOCK[0]), |width| Some(width * 3 / 2)).take_while(|width| *width <= BLOCK[1])
}

fn deviations(signs: &[i8]) -> Deviations {
    let sum = |signs: &[i8]| signs.iter().map(|sign| f64::from(*sign)).sum::<f64>();
    let centre = sum(signs) / real(signs.len().max(1));
    let of_width = |width: usize| {
        let blocks = signs.chunks_exact(width);
        let count = real(blocks.len());
        let squares = blocks.map(|block| sum(block) - real(width) * centre).map(|off| off * off).sum();
        [squares, count]
    };
    widths().map(of_width).collect()
}

fn exponent(days: &[Deviations], times: &[u32]) -> Option<f64> {
    let mut points = Vec::new();
    for (at, width) in widths().enumerate() {
        let pairs: Vec<[f64; 2]> = days.iter().map(|day| day[at]).collect();
        let count: f64 = pairs.iter().zip(times).map(|([_, count], times)| count * f64::from(*times)).sum();
        if count < BLOCKS_MIN {
            return None;
        }
        let variance = ratio(&pairs, times)?;
        if variance > 0.0 {
            points.push((libm::log(real(width)), libm::log(variance)));
        }
    }
    Some(2.0 - line(&[&points])?.slope.value)
}

/// Least autocorrelation over the nearest lags.
fn least(signs: &[i8]) -> Option<f64> {
    (1..=NEAR).map(|lag| autocorrelation(signs, lag)).try_fold(f64::INFINITY, |least, rho| Some(least.min(rho?)))
}

/// Rows of recorded quiet days, with intervals over days.
///
/// # Reference
/// Lillo & Farmer 2004: exponents of 0.36 to 0.77 by stock in London, about 0.6; Gould, Porter & Howison 2015
/// (arXiv:1504.04354): a Hurst exponent of 0.7 in foreign exchange.
#[must_use]
pub fn rows(recordings: &[Recording]) -> Vec<Row> {
    const LONDON: &str = "Lillo & Farmer 2004: 0.36 to 0.77 by stock; Gould et al. 2015: 0.6";
    let days: Vec<Deviations> = recordings.iter().map(|day| deviations(&day.signs)).collect();
    let (gamma, gamma_interval) = resampled(days.len(), |times| exponent(&days, times));
    let (rho, rho_interval) = over_seeds(recordings, |day| least(&day.signs));
    let orders = mean(&recordings.iter().map(|day| real(day.signs.len())).collect::<Vec<f64>>());
    let shown = [1, 10, 100, 1_000].map(|lag| {
        let of_day = |day: &Recording| autocorrelation(&day.signs, lag);
        over_seeds(recordings, of_day).0.map_or_else(|| "-".to_owned(), |rho| format!("{rho:.3}"))
    });
    vec![
        Row::new(
            "F7",
            "exponent of the decay of order signs' autocorrelation, 10 to 1,000 orders (1 is no memory)",
            [Some(0.35), Some(0.8)],
            LONDON,
        )
        .measured(gamma, gamma_interval)
        .by_interval()
        .noted(format!("{orders:.0} orders a day")),
        Row::new("F7b", "least autocorrelation of order signs over lags 1 to 20", [Some(0.0), None], LONDON)
            .measured(rho, rho_interval)
            .by_interval()
            .noted(format!("mean at lags 1, 10, 100 and 1,000: {}", shown.join(", "))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_env::{Purpose, SeedTree};

    #[test]
    fn correlations_by_hand() {
        let pairs: Vec<i8> = [1, 1, -1, -1].repeat(10);
        // Of neighbours half agree, and those two apart never do.
        assert!(autocorrelation(&pairs, 1).unwrap().abs() < 0.03);
        assert!((autocorrelation(&pairs, 2).unwrap() + 1.0).abs() < 1e-12);
        assert!((autocorrelation(&pairs, 4).unwrap() - 1.0).abs() < 1e-12);
        assert!((least(&pairs).unwrap() + 1.0).abs() < 1e-12);
        assert_eq!(autocorrelation(&pairs[..10], 4), None);
    }

    /// Signs in runs whose lengths have the tail `P(L > l) = l^-tail`: large orders that are split have γ = tail - 1
    /// (Lillo, Mike & Farmer 2005).
    fn split_orders(tail: f64, count: usize) -> Vec<i8> {
        let draws = SeedTree::new(11).counter(Purpose::Traders, 0);
        let mut signs = Vec::with_capacity(count);
        let mut order = 0;
        while signs.len() < count {
            let [length, side] = draws.uniform2(order, 0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of at most 1e7")]
            let pieces = libm::pow(length.max(1e-7), -1.0 / tail).min(1e7) as usize;
            signs.extend(std::iter::repeat_n(if side < 0.5 { 1_i8 } else { -1 }, pieces));
            order += 1;
        }
        signs.truncate(count);
        signs
    }

    #[test]
    fn split_orders_have_the_exponent_of_their_sizes_and_coins_have_none() {
        // Runs of 1.5: γ is one half. Blocks of a thousand are short against the longest runs, hence the tolerance.
        let gamma = decay(&[&split_orders(1.5, 400_000)], &[1]).unwrap();
        assert!((gamma - 0.5).abs() < 0.12, "{gamma}");
        // Runs all of length one: a fair coin.
        let coin = decay(&[&split_orders(50.0, 400_000)], &[1]).unwrap();
        assert!((coin - 1.0).abs() < 0.1, "{coin}");
        // Strict alternation has less than no memory.
        assert!(decay(&[&[1, -1].repeat(10_000)], &[1]).is_none_or(|gamma| gamma > 1.5));
        // Days differ in their balance, which is no memory: one that only buys and one that only sells, blended with coins.
        let (buys, sells) = (vec![1; 200_000], vec![-1; 200_000]);
        let coins = split_orders(50.0, 200_000);
        let blended = decay(&[&buys, &coins, &sells], &[1, 1, 1]).unwrap();
        assert!((blended - 1.0).abs() < 0.1, "{blended}");
        assert_eq!(decay(&[&[1; 500]], &[1]), None, "too few");
    }
}
