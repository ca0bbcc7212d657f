//! Which observations a bootstrap draws: a pure function of seed, replicate and strata.

use rand_chacha::rand_core::Rng;
use rayon::prelude::*;
use seawall_env::{Purpose, SeedTree};

use crate::statistics::Sample;

/// What is resampled; each level has streams of its own. Discriminants are append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// Episodes, or pairs of episodes.
    Cells = 0,
    /// Training seeds.
    Runs = 1,
    /// Signs of a permutation test.
    Signs = 2,
}

impl Level {
    /// Stream index of a replicate.
    pub(crate) fn index(self, replicate: usize) -> u64 {
        (self as u64) << 40 | replicate as u64
    }
}

/// Bootstrap resamples of one set of observations, as multiplicities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resamples {
    times: Vec<u32>,
    width: usize,
}

impl Resamples {
    /// Draws `replicates` resamples with replacement, each stratum keeping its size.
    ///
    /// Strata are consecutive blocks of observations. Replicate `b` depends on the seed, the level, `b` and the
    /// strata alone: not on threads, and not on how many replicates there are.
    ///
    /// # Panics
    /// If there is no stratum, or one is empty.
    #[must_use]
    pub fn draw(seeds: SeedTree, level: Level, strata: &[usize], replicates: usize) -> Self {
        assert!(!strata.is_empty() && !strata.contains(&0), "a bootstrap needs observations in every stratum");
        let width = strata.iter().sum();
        let mut times = vec![0; replicates * width];
        times.par_chunks_exact_mut(width).enumerate().for_each(|(replicate, row)| {
            let mut rng = seeds.stream(Purpose::Bootstrap, level.index(replicate));
            let mut rest = row;
            for size in strata {
                let (stratum, after) = rest.split_at_mut(*size);
                for _ in 0..*size {
                    stratum[place(rng.next_u64(), *size)] += 1;
                }
                rest = after;
            }
        });
        Self { times, width }
    }

    /// Takes resamples that were drawn elsewhere: each row lists the observations drawn.
    ///
    /// # Panics
    /// If an index is not below `width`.
    #[must_use]
    pub fn from_indices(width: usize, rows: &[Vec<usize>]) -> Self {
        let mut times = vec![0; rows.len() * width];
        for (row, drawn) in times.chunks_exact_mut(width).zip(rows) {
            for index in drawn {
                row[*index] += 1;
            }
        }
        Self { times, width }
    }

    /// The multiplicities of each replicate in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> + '_ {
        self.times.chunks_exact(self.width)
    }
}

/// Maps 64 random bits to `0..size`; the bias is below `size / 2^64`.
#[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below `size`")]
fn place(bits: u64, size: usize) -> usize {
    ((u128::from(bits) * size as u128) >> 64) as usize
}

/// A bootstrap over episodes, or over training seeds crossed with episodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Observations are episodes.
    OneLevel(Resamples),
    /// Observations are `[runs, cells]`, row-major: every run met the same cells, so a replicate draws runs, draws
    /// cells once, and takes every drawn run on every drawn cell. Pairs stay together, and noise that a cell
    /// brings to all runs alike is not mistaken for as many independent draws as there are runs.
    ///
    /// # Reference
    /// Owen 2007, "The pigeonhole bootstrap" (arXiv:0712.1111).
    TwoLevel {
        /// Resamples of runs.
        runs: Resamples,
        /// Resamples of cells, as many replicates.
        cells: Resamples,
    },
}

impl Plan {
    /// Draws a plan for `runs` training seeds over cells in `strata`; one run makes it a one-level plan.
    ///
    /// # Panics
    /// If there is no run, no stratum, or an empty stratum.
    #[must_use]
    pub fn draw(seeds: SeedTree, runs: usize, strata: &[usize], replicates: usize) -> Self {
        let cells = Resamples::draw(seeds, Level::Cells, strata, replicates);
        if runs == 1 {
            return Self::OneLevel(cells);
        }
        Self::TwoLevel { runs: Resamples::draw(seeds, Level::Runs, &[runs], replicates), cells }
    }

    /// The mean of each replicate in order, leaving out those in which it is undefined.
    ///
    /// # Panics
    /// If the plan is not for observations of this sample's width.
    #[must_use]
    pub fn means(&self, sample: &Sample) -> Vec<f64> {
        match self {
            Self::OneLevel(cells) => cells.iter().filter_map(|times| sample.mean(times)).collect(),
            Self::TwoLevel { runs, cells } => {
                runs.iter().zip(cells.iter()).filter_map(|(runs, cells)| sample.crossed_mean(runs, cells)).collect()
            }
        }
    }

    /// The statistic of each replicate in order, leaving out those in which it is undefined.
    pub fn distribution(&self, statistic: impl Fn(&[u32]) -> Option<f64>) -> Vec<f64> {
        match self {
            Self::OneLevel(cells) => cells.iter().filter_map(statistic).collect(),
            Self::TwoLevel { runs, cells } => {
                let mut crossed = Vec::with_capacity(runs.width * cells.width);
                let replicate = |(runs, cells): (&[u32], &[u32])| {
                    crossed.clear();
                    crossed.extend(runs.iter().flat_map(|run| cells.iter().map(move |cell| run * cell)));
                    statistic(&crossed)
                };
                runs.iter().zip(cells.iter()).filter_map(replicate).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stratum_keeps_its_size_and_every_member_its_share() {
        let resamples = Resamples::draw(SeedTree::new(1), Level::Cells, &[3, 5], 4_000);
        let mut drawn = [0; 8];
        for times in resamples.iter() {
            assert_eq!(times[..3].iter().sum::<u32>(), 3);
            assert_eq!(times[3..].iter().sum::<u32>(), 5);
            drawn.iter_mut().zip(times).for_each(|(sum, n)| *sum += n);
        }
        // Each member is drawn once per replicate on average, with variance 1 - 1/size: five deviations is 316.
        assert!(drawn.iter().all(|sum| sum.abs_diff(4_000) < 316), "{drawn:?}");
    }

    #[test]
    fn a_replicate_depends_neither_on_threads_nor_on_the_number_of_replicates() {
        let draw = |threads: usize, replicates: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Resamples::draw(SeedTree::new(9), Level::Cells, &[7, 4], replicates))
        };
        let alone = draw(1, 64);
        assert_eq!(alone, draw(2, 64));
        assert_eq!(alone, draw(8, 64));
        assert_eq!(alone.times[..20 * 11], draw(8, 20).times);
        assert_ne!(alone, Resamples::draw(SeedTree::new(10), Level::Cells, &[7, 4], 64));
        assert_ne!(alone, Resamples::draw(SeedTree::new(9), Level::Runs, &[7, 4], 64));
    }

    #[test]
    fn a_two_level_replicate_takes_every_drawn_run_on_every_drawn_cell() {
        // Run 1 twice, run 0 never; cell 0 once, cell 2 twice.
        let plan = Plan::TwoLevel {
            runs: Resamples::from_indices(2, &[vec![1, 1]]),
            cells: Resamples::from_indices(3, &[vec![0, 2, 2]]),
        };
        let seen = std::cell::RefCell::new(Vec::new());
        plan.distribution(|times| {
            seen.borrow_mut().extend_from_slice(times);
            None
        });
        assert_eq!(seen.into_inner(), vec![0, 0, 0, 2, 0, 4]);
    }
}
