//! The way of an episode, decision by decision: what its totals do not tell.

use seawall_env::CascadeEnv;
use seawall_env::book::{Book, Side};
use seawall_env::market::Market;
use seawall_env::observation::reproduction;
use serde::{Deserialize, Serialize};

use crate::calibration::hawkes::branching_from_counts;
use crate::statistics::real;

/// Decisions over which margin calls are measured.
///
/// # Reference
/// Murphy, Vasios & Vause 2016 (Bank of England SWP 597): the largest call over 1, 5 and 20 periods.
pub const CALL_PERIODS: [usize; 3] = [1, 5, 20];

/// The market as it stands between two decisions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glance {
    /// Ticks since reset.
    pub tick: u64,
    /// Accounts that have entered liquidation since reset.
    pub liquidated_accounts: u64,
    /// Larger of the cascade reproduction numbers of a fall and a rise by 1 %; of several assets the largest.
    pub reproduction: f64,
    /// Depth within 1 % of mid over that at reset; of several assets the mean.
    pub depth: f64,
    /// Multiplier of initial margin in force; of several assets the mean.
    pub margin: f64,
}

impl Glance {
    /// Looks at the home venue of an environment.
    #[must_use]
    pub fn at(env: &CascadeEnv) -> Self {
        let home = env.home();
        let mean = |of: &dyn Fn(&Market) -> f64| home.iter().map(of).sum::<f64>() / real(home.len());
        let depth = |market: &Market| {
            let state = market.state();
            0.5 * (state.book.depth(Side::Buy, 0.01) + state.book.depth(Side::Sell, 0.01)) / state.depth_reference
        };
        Self {
            tick: home[0].state().tick,
            liquidated_accounts: env.outcome().liquidated_accounts,
            reproduction: home.iter().flat_map(reproduction).fold(0.0, f64::max),
            depth: mean(&depth),
            margin: mean(&Market::margin_multiplier),
        }
    }
}

/// Figures of one episode's way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// Branching ratio of liquidations, by the spread of their counts per decision.
    pub branching: Option<f64>,
    /// Highest reproduction number.
    pub reproduction_peak: f64,
    /// Share of decisions at which the reproduction number is at least one.
    pub supercritical: f64,
    /// Ticks from the lowest depth to half of the way back.
    pub depth_recovery: Option<u64>,
    /// Largest rise of the margin multiplier over each of [`CALL_PERIODS`]; nothing where the episode is shorter.
    pub margin_calls: [Option<f64>; CALL_PERIODS.len()],
}

impl Path {
    /// The figures of an episode that was looked at after reset and after every decision.
    ///
    /// # Panics
    /// If there is no glance.
    #[must_use]
    pub fn of(glances: &[Glance]) -> Self {
        let entered = glances.windows(2).map(|pair| pair[1].liquidated_accounts - pair[0].liquidated_accounts);
        let counts: Vec<f64> = entered.map(|count| real(usize::try_from(count).unwrap_or(usize::MAX))).collect();
        let supercritical = glances.iter().filter(|glance| glance.reproduction >= 1.0).count();
        Self {
            branching: branching_from_counts(&counts),
            reproduction_peak: glances.iter().map(|glance| glance.reproduction).fold(0.0, f64::max),
            supercritical: real(supercritical) / real(glances.len()),
            depth_recovery: depth_recovery(glances),
            margin_calls: CALL_PERIODS.map(|periods| largest_call(glances, periods)),
        }
    }
}

/// Ticks from the lowest depth until half of what the opening had beyond it is back, or else until the end; nothing if less
/// than half of the opening's depth was ever missing.
fn depth_recovery(glances: &[Glance]) -> Option<u64> {
    let (place, lowest) = glances.iter().enumerate().min_by(|a, b| a.1.depth.total_cmp(&b.1.depth))?;
    if lowest.depth > 0.5 {
        return None;
    }
    let half = f64::midpoint(1.0, lowest.depth);
    let back = glances[place..].iter().find(|glance| glance.depth >= half).or(glances.last())?;
    Some(back.tick - lowest.tick)
}

fn largest_call(glances: &[Glance], periods: usize) -> Option<f64> {
    let rises = glances.windows(periods + 1).map(|window| window[periods].margin - window[0].margin);
    rises.reduce(f64::max).map(|rise| rise.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glances(depths: &[f64], margins: &[f64]) -> Vec<Glance> {
        let glance = |(k, (depth, margin)): (u64, (&f64, &f64))| Glance {
            tick: 30 * k,
            liquidated_accounts: 0,
            reproduction: if k == 1 { 1.5 } else { 0.25 },
            depth: *depth,
            margin: *margin,
        };
        (0..).zip(depths.iter().zip(margins)).map(glance).collect()
    }

    #[test]
    fn a_way_worked_by_hand() {
        let path = Path::of(&glances(&[1.0, 0.2, 0.5, 0.6, 0.7], &[1.0, 1.5, 1.0, 1.25, 2.0]));
        // Lowest 0.2, half way back 0.6: two decisions of 30 ticks later. The reproduction number exceeds one once in five.
        assert_eq!((path.depth_recovery, path.supercritical, path.reproduction_peak), (Some(60), 0.2, 1.5));
        // Steps +0.5, -0.5, +0.25, +0.75; nothing is five decisions apart.
        assert_eq!(path.margin_calls, [Some(0.75), None, None]);
        assert_eq!(path.branching, None, "nobody was liquidated");
    }

    #[test]
    fn depth_that_does_not_come_back_counts_to_the_end_and_a_dent_counts_for_nothing() {
        assert_eq!(Path::of(&glances(&[1.0, 0.3, 0.4], &[1.0; 3])).depth_recovery, Some(30));
        assert_eq!(Path::of(&glances(&[1.0, 0.6, 1.0], &[1.0; 3])).depth_recovery, None);
        assert_eq!(Path::of(&glances(&[1.0], &[1.0])).margin_calls, [None; 3]);
    }

    #[test]
    fn margin_that_only_falls_calls_for_nothing() {
        let falling: Vec<f64> = (0..30).map(|k| 2.0 - 0.05 * f64::from(k)).collect();
        assert_eq!(Path::of(&glances(&[1.0; 30], &falling)).margin_calls, [Some(0.0); 3]);
    }

    #[test]
    fn liquidations_that_come_in_bursts_branch_more_than_even_ones() {
        let way = |counts: &[u64]| {
            let mut all = glances(&[1.0; 21], &[1.0; 21]);
            let mut sum = 0;
            for (glance, count) in all[1..].iter_mut().zip(counts) {
                sum += count;
                glance.liquidated_accounts = sum;
            }
            Path::of(&all).branching.unwrap()
        };
        let burst: Vec<u64> = (0..20).map(|k| if k == 10 { 100 } else { 0 }).collect();
        let even: Vec<u64> = (0..20).map(|k| 4 + k % 3).collect();
        // Mean 5, variance 100²/20 · (20 - 1)/19 = 500: 1 - √(5/500) = 0.9.
        assert!((way(&burst) - 0.9).abs() < 1e-12);
        assert!(way(&even) < 0.0, "less spread than a Poisson process");
    }
}
