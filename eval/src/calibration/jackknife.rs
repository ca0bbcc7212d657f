//! Standard error of any statistic of a dependent series, by leaving out one long block at a time.

use std::ops::Range;

use super::Fitted;
use crate::statistics::real;

/// The statistic of observations `0..n`, and its delete-a-block standard error over `blocks` consecutive blocks.
///
/// `statistic` is told which observations to leave out, and answers nothing where it is undefined. Nothing if it is
/// undefined on the whole; no standard error if it is undefined without a block, or there are fewer than two blocks.
///
/// # Reference
/// Künsch 1989, "The jackknife and the bootstrap for general stationary observations", with disjoint blocks.
pub fn by_blocks(n: usize, blocks: usize, statistic: impl Fn(&Range<usize>) -> Option<f64>) -> Option<Fitted> {
    let value = statistic(&(0..0))?;
    let edge = |block: usize| n * block / blocks;
    let without: Option<Vec<f64>> = (0..blocks).map(|block| statistic(&(edge(block)..edge(block + 1)))).collect();
    let Some(without) = without.filter(|values| values.len() >= 2) else {
        return Some(Fitted::bare(value, n));
    };
    let g = real(blocks);
    let centre = without.iter().sum::<f64>() / g;
    let squares: f64 = without.iter().map(|x| (x - centre) * (x - centre)).sum();
    Some(Fitted::new(value, (squares * (g - 1.0) / g).sqrt(), n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_a_mean_of_single_observations_it_is_the_textbook_error() {
        // 1, 2, 3, 4: variance 5/3 over four observations gives √(5/12).
        let values = [1.0, 2.0, 3.0, 4.0];
        let mean = |out: &Range<usize>| {
            let kept: Vec<f64> = (0..4).filter(|i| !out.contains(i)).map(|i| values[i]).collect();
            Some(kept.iter().sum::<f64>() / real(kept.len()))
        };
        let fitted = by_blocks(4, 4, mean).unwrap();
        assert!((fitted.standard_error.unwrap() - (5.0_f64 / 12.0).sqrt()).abs() < 1e-12);
        assert!((fitted.value - 2.5).abs() < 1e-12);
    }

    #[test]
    fn what_is_undefined_has_no_error() {
        assert_eq!(by_blocks(4, 2, |_| None), None);
        let only_whole = |out: &Range<usize>| out.is_empty().then_some(1.0);
        assert_eq!(by_blocks(4, 2, only_whole).unwrap().standard_error, None);
    }
}
