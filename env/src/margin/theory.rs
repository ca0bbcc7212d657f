//! Closed forms that the simulation is held against. Floats: these judge and propose, they do not move money.

use crate::rng::normal_quantile;

/// What closing part of a position can do for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Restoration {
    /// The target ratio is met already.
    Met,
    /// Closing this share of the position, in (0, 1], brings it to the target.
    Close(f64),
    /// Beyond the toxic frontier: every coin closed lowers the margin ratio.
    Toxic,
}

/// Share of a position to close so that its margin ratio reaches a target.
///
/// `ratio` is equity over notional, `target` the ratio to end at, `exit_cost` the all-in cost of closing (fees and
/// impact) as a share of the notional closed.
///
/// Derivation. Closing a share `x` of notional `N` costs `s·x·N`: equity becomes `E - sxN`, notional `N(1 - x)`.
/// Their ratio `(e - sx)/(1 - x)` with `e = E/N` has derivative `(e - s)/(1 - x)²`, so closing helps exactly when
/// `e > s`. Set equal to the target `t`: `e - sx = t - tx`, hence `x* = (t - e)/(t - s)`. For `s < e < t` it lies in
/// (0, 1); at the frontier `e = s` it would take the whole position and leave nothing over. With a buffer `b` over
/// maintenance `m` the target is `m(1 + b)`; on a tier with deduction `d`, `m` is the average rate `m - d/N`.
///
/// # Panics
/// If an argument is not finite, or the target or the cost is negative.
#[must_use]
pub fn restoration(ratio: f64, target: f64, exit_cost: f64) -> Restoration {
    assert!(ratio.is_finite() && target.is_finite() && exit_cost.is_finite(), "{ratio}, {target}, {exit_cost}");
    assert!(target >= 0.0 && exit_cost >= 0.0, "target {target} and exit cost {exit_cost} are shares");
    if ratio >= target {
        Restoration::Met
    } else if ratio <= exit_cost {
        Restoration::Toxic
    } else {
        // From `exit_cost < ratio < target` the denominator is positive and exceeds the numerator.
        Restoration::Close((target - ratio) / (target - exit_cost))
    }
}

/// Ratio of equity to notional after a share `closed` in [0, 1) was closed at `exit_cost`.
///
/// # Panics
/// If `closed` is not in [0, 1).
#[must_use]
pub fn ratio_after_closing(ratio: f64, closed: f64, exit_cost: f64) -> f64 {
    assert!((0.0..1.0).contains(&closed), "a share of {closed} leaves no position");
    (ratio - exit_cost * closed) / (1.0 - closed)
}

/// An inventory that the venue took over at mark and unwinds linearly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unwind {
    /// Dollars taken over.
    pub notional: f64,
    /// Volatility of the price, as a share per square root of the unit of `horizon`.
    pub volatility: f64,
    /// Time until nothing is left.
    pub horizon: f64,
    /// Share of the price by which selling the whole inventory moves it.
    pub impact: f64,
}

/// Capital that covers an unwinding with probability `confidence`, in dollars.
///
/// Derivation. The inventory falls linearly over `T`, so the variance of its result is
/// `σ²N² ∫₀ᵀ (1 - t/T)² dt = σ²N²T/3`. Impact builds up linearly while the inventory shrinks, and its average over
/// what is sold is half of the whole: `K = z·σ·N·√(T/3) + ½·impact·N`. Jumps come on top. It grows without bound in
/// `N`, in `σ` and in `√T`: no finite fund makes a venue proof against insolvency.
///
/// # Panics
/// If `confidence` is not inside (0, 1) or a field is negative.
#[must_use]
pub fn principal_capital(unwind: Unwind, confidence: f64) -> f64 {
    let Unwind { notional, volatility, horizon, impact } = unwind;
    assert!(confidence > 0.0 && confidence < 1.0, "a confidence of {confidence}");
    assert!(notional >= 0.0 && volatility >= 0.0 && horizon >= 0.0 && impact >= 0.0, "{unwind:?}");
    normal_quantile(confidence) * volatility * notional * (horizon / 3.0).sqrt() + 0.5 * impact * notional
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: f64, want: f64, relative: f64) {
        assert!((got - want).abs() <= relative * want.abs(), "{got} instead of {want}");
    }

    #[test]
    fn restoring_takes_the_share_derived_by_hand() {
        // Maintenance 1 %, buffer 50 %: target 1.5 %. Exit cost 0.3 %.
        // e = 0.9 %: x = (1.5 - 0.9)/(1.5 - 0.3) = 0.5. e = 0.4 %: 1.1/1.2. e = 1.44 %: 0.06/1.2 = 0.05.
        for (ratio, share) in [(0.009, 0.5), (0.004, 1.1 / 1.2), (0.014_4, 0.05)] {
            let Restoration::Close(x) = restoration(ratio, 0.015, 0.003) else { panic!("{ratio} is restorable") };
            assert_close(x, share, 1e-12);
            assert_close(ratio_after_closing(ratio, x, 0.003), 0.015, 1e-12);
        }
        assert_eq!(restoration(0.015, 0.015, 0.003), Restoration::Met);
    }

    #[test]
    fn below_the_frontier_every_partial_close_makes_it_worse() {
        for (ratio, exit_cost) in [(0.004, 0.005), (0.005, 0.005), (-0.01, 0.0)] {
            assert_eq!(restoration(ratio, 0.015, exit_cost), Restoration::Toxic);
        }
        for share in [0.1, 0.5, 0.9] {
            assert!(ratio_after_closing(0.004, share, 0.005) < 0.004);
            assert!(ratio_after_closing(0.006, share, 0.005) > 0.006);
        }
        // A cost above the target cannot be restored from, though the ratio may still stand above it.
        assert_eq!(restoration(0.019, 0.02, 0.03), Restoration::Toxic);
        assert_eq!(restoration(0.025, 0.02, 0.03), Restoration::Met);
    }

    #[test]
    fn principal_capital_matches_the_worked_examples() {
        // z(99 %) = 2.326348. $1 bn over 3 days at 8 %/day: 2.326348 · 0.08 · 1e9 · √(3/3) = 186.1 M.
        let slow = Unwind { notional: 1e9, volatility: 0.08, horizon: 3.0, impact: 0.0 };
        assert_close(principal_capital(slow, 0.99), 186.107_83e6, 1e-6);
        // $2.1 bn over 12 minutes at 15 %/day: T = 1/120 day; 2.326348 · 0.15 · 2.1e9 · √(1/360) = 38.62 M.
        let fast = Unwind { notional: 2.1e9, volatility: 0.15, horizon: 12.0 / 1440.0, impact: 0.0 };
        assert_close(principal_capital(fast, 0.99), 38.621_93e6, 1e-6);
        // Half of a 4 % impact on $1 bn is 20 M more.
        assert_close(principal_capital(Unwind { impact: 0.04, ..slow }, 0.99), 206.107_83e6, 1e-6);
        // Four times the time, twice the capital.
        assert_close(principal_capital(Unwind { horizon: 12.0, ..slow }, 0.99), 372.215_66e6, 1e-6);
    }
}
