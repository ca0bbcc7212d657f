//! Oracle, mark price, signals and funding.

use super::Market;
use crate::book::Book;
use crate::units::Price;

/// Seconds in the eight hours that funding rates are quoted for.
const FUNDING_PERIOD: f64 = 28_800.0;

impl Market {
    pub(super) fn move_marks(&mut self) {
        let state = &mut self.state;
        let outside = Price::from_f64(state.prices.outside);
        let reading = state.oracle.tick(&self.fixed.oracle, state.tick + 1, outside);
        let mid = state.book.mid();
        let last = Price::from_f64(state.prices.last);
        state.prices.oracle = reading.price.as_f64();
        state.prices.oracle_age = reading.age_seconds;
        state.prices.mark = state.mark.tick(&self.fixed.mark, reading.price, Price::from_f64(mid), last);
        let premium = mid / state.prices.outside - 1.0;
        state.signals.update(mid, premium);
        if (state.tick + 1).is_multiple_of(self.fixed.funding_ticks) {
            self.pay_funding();
        }
        if self.state.index.is_off_centre(self.state.prices.mark) {
            self.state.index.recentre(self.state.prices.mark);
        }
    }

    /// Longs pay shorts the smoothed premium and the interest part, within the clamp.
    ///
    /// # Reference
    /// Binance and Hyperliquid: `rate = premium + clamp(interest − premium, ±5 bp)` per eight hours.
    fn pay_funding(&mut self) {
        let config = &self.scenario.funding;
        let state = &mut self.state;
        let premium = state.signals.premium;
        let rate = (premium + (config.interest - premium).clamp(-5e-4, 5e-4)).clamp(-config.clamp, config.clamp);
        let share = config.interval / FUNDING_PERIOD;
        state.ledger.accrue_funding(Price::from_f64(state.prices.mark.as_f64() * rate * share));
    }
}
