//! How fast forced flow may go: market-wide capacity, and the wait of each account.

use super::Market;
use super::liquidate::Measure;
use super::state::Case;
use crate::book::{Book, Side};
use crate::liquidation::Capacity;
use crate::units::Qty;

/// Capacity that may be saved up while nobody needs it, in seconds.
const SAVED_SECONDS: f64 = 10.0;
/// Distance from mid within which depth counts for capacity: 5 %, where quotes stay when makers leave.
const CAPACITY_DEPTH: f64 = 0.05;
/// Smallest slice worth an order, in dollars.
const LEAST_SLICE: f64 = 10.0;

impl Market {
    /// Adds this tick's capacity, once, in coins; windows start with all of theirs.
    pub(super) fn grant_capacity(&mut self) {
        if self.scratch.granted == Some(self.state.tick) {
            return;
        }
        self.scratch.granted = Some(self.state.tick);
        let book = &self.state.book;
        match self.state.rules.pace.capacity {
            Capacity::Unlimited => self.state.allowance = f64::MAX,
            Capacity::Depth(share) => {
                let per_second =
                    share * 0.5 * (book.depth(Side::Sell, CAPACITY_DEPTH) + book.depth(Side::Buy, CAPACITY_DEPTH));
                let saved = self.state.allowance.min(per_second * SAVED_SECONDS);
                self.state.allowance = saved + per_second * self.fixed.seconds;
            }
            Capacity::Window(dollars, seconds) => self.open_window(dollars / book.mid(), seconds),
            Capacity::Coins(coins, seconds) => self.open_window(coins, seconds),
            Capacity::Hole(dollars) => {
                let lots = self.state.queue.iter().filter_map(|case| case.lot);
                let in_flight: f64 = lots.map(|lot| lot.qty.abs().as_f64()).sum();
                self.state.allowance = (dollars / book.mid() - in_flight).max(0.0);
            }
            Capacity::Book { share, distance, seconds } => {
                let thinner = book.depth(Side::Sell, distance).min(book.depth(Side::Buy, distance));
                self.open_window(share * thinner, seconds);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "windows are days at most")]
    fn open_window(&mut self, coins: f64, seconds: f64) {
        let ticks = libm::round(seconds / self.fixed.seconds).max(1.0) as u64;
        // Windows are numbered from one, so that the first one opens.
        let window = self.state.tick / ticks + 1;
        if window != self.state.window {
            self.state.window = window;
            self.state.allowance = coins;
        }
    }

    /// Whether an account has to wait before its next slice.
    pub(super) fn is_waiting(&self, case: &Case, now: &Measure) -> bool {
        let Some(last) = case.last_slice else { return false };
        #[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
        let waited = (self.state.tick - last) as f64 * self.fixed.seconds;
        let fall = (case.ratio - now.ratio()) / now.rate.max(1e-9);
        waited < self.state.rules.pace.wait.after(fall)
    }

    /// A share of the position, as far as capacity goes; signed as the position.
    pub(super) fn within_capacity(&mut self, now: &Measure, share: f64) -> Qty {
        let wanted = now.qty.abs().as_f64() * share;
        let size = wanted.min(self.state.allowance);
        let price = self.state.prices.mark.as_f64();
        if size * price < LEAST_SLICE && size < wanted {
            return Qty::ZERO;
        }
        let qty = Qty::from_f64(size).min(now.qty.abs());
        // What rounding would leave of a whole position goes with it.
        let qty = if (now.qty.abs() - qty).raw() < 100 { now.qty.abs() } else { qty };
        self.state.allowance -= qty.as_f64();
        if now.qty.is_negative() { -qty } else { qty }
    }
}
