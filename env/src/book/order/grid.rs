//! Prices in ticks, sizes in lots, and their way to and from money.

use serde::{Deserialize, Serialize};

use crate::book::Side;
use crate::error::{Problem, Problems};
use crate::units::{Price, Qty, Rounding, Usd, mul_div};

/// A price, in ticks. Zero is no price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u32);

/// A size, in lots, unsigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lots(pub u64);

/// Most ticks that a book can span: its directory of pages is an array.
pub(super) const TICKS_MAX: u32 = 1 << 24;
/// Largest order that any grid admits: a level's sum then fits 64 bits whatever the number of orders.
const LOTS_MAX: u64 = u32::MAX as u64;

/// The lattice of admissible prices and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    tick_size: Price,
    lot_size: Qty,
    ticks: u32,
    unit: i64,
    lots_max: u64,
}

impl Grid {
    /// A grid of prices `tick_size · 1 ..= tick_size · ticks` and sizes in multiples of `lot_size`.
    ///
    /// Records what is wrong, and returns `None`, unless one lot at one tick is a whole number of micro-dollars.
    pub(super) fn new(
        tick_size: Price,
        lot_size: Qty,
        ticks: u32,
        path: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let before = problems.0.len();
        let at = |name: &str| format!("{path}.{name}");
        problems.require(tick_size.raw() > 0, at("tick_size"), tick_size, "> 0");
        problems.require(lot_size.raw() > 0, at("lot_size"), lot_size, "> 0");
        problems.require((1..TICKS_MAX).contains(&ticks), at("ticks"), ticks, &format!("in [1, {TICKS_MAX})"));
        if problems.0.len() > before {
            return None;
        }
        let product = i128::from(tick_size.raw()) * i128::from(lot_size.raw());
        let whole = product % i128::from(Qty::SCALE) == 0;
        problems.require(
            whole,
            at("lot_size"),
            lot_size,
            "such that lot_size · tick_size is a whole number of micro-dollars, so that no trade's value is rounded",
        );
        let dearest = product / i128::from(Qty::SCALE) * i128::from(ticks);
        problems.require(
            dearest <= i128::from(i64::MAX),
            at("ticks"),
            ticks,
            "such that one lot at the highest price is worth less than 9.2 trillion dollars",
        );
        if problems.0.len() > before {
            return None;
        }
        let dearest = u64::try_from(dearest).expect("checked above");
        let unit = mul_div(tick_size.raw(), lot_size.raw(), Qty::SCALE, Rounding::Floor);
        let most = i64::MAX.unsigned_abs();
        let lots_max = LOTS_MAX.min(most / dearest).min(most / lot_size.raw().unsigned_abs());
        Some(Self { tick_size, lot_size, ticks, unit, lots_max })
    }

    /// Highest price.
    #[must_use]
    pub const fn tick_max(&self) -> Tick {
        Tick(self.ticks)
    }

    /// Largest order: it fits [`Qty`], and its value at the highest price fits [`Usd`].
    #[must_use]
    pub const fn lots_max(&self) -> Lots {
        Lots(self.lots_max)
    }

    /// Dollars per coin.
    #[inline]
    #[must_use]
    pub fn price(&self, tick: Tick) -> Price {
        Price::from_raw(self.tick_size.raw() * i64::from(tick.0))
    }

    /// Coins, positive for a buy and negative for a sell.
    ///
    /// # Panics
    /// If a sum of many orders exceeds [`Qty`].
    #[inline]
    #[must_use]
    pub fn qty(&self, side: Side, lots: Lots) -> Qty {
        let lots = i64::try_from(lots.0).expect("lots out of range");
        Qty::from_raw(lots.checked_mul(self.lot_size.raw()).expect("Qty overflow") * side.sign())
    }

    /// What `lots` cost at `tick`: exact.
    ///
    /// # Panics
    /// If `lots` is a sum of many orders and its value exceeds [`Usd`].
    #[inline]
    #[must_use]
    pub fn value(&self, tick: Tick, lots: Lots) -> Usd {
        let lots = i64::try_from(lots.0).expect("lots out of range");
        Usd::from_raw((self.unit * i64::from(tick.0)).checked_mul(lots).expect("Usd overflow"))
    }

    /// The price on the grid that is next to `price` in the named direction.
    ///
    /// A buyer's limit is rounded down and a seller's up: neither then trades at a worse price than it named.
    ///
    /// # Errors
    /// [`Problem`] if the rounded price is not between one tick and [`Self::tick_max`].
    pub fn tick(&self, price: Price, rounding: Rounding) -> Result<Tick, Problem> {
        let tick = mul_div(price.raw(), 1, self.tick_size.raw(), rounding);
        match u32::try_from(tick) {
            Ok(tick) if (1..=self.ticks).contains(&tick) => Ok(Tick(tick)),
            _ => {
                let (low, high) = (self.tick_size, self.price(self.tick_max()));
                Err(Problem::new("price", price, format!("in [{low}, {high}]")))
            }
        }
    }

    /// Whole lots in a signed size, the remainder cut off.
    ///
    /// # Errors
    /// [`Problem`] if that is no lot, or more than [`Self::lots_max`].
    pub fn lots(&self, qty: Qty) -> Result<Lots, Problem> {
        let lots = mul_div(qty.abs().raw(), 1, self.lot_size.raw(), Rounding::Floor).unsigned_abs();
        if (1..=self.lots_max).contains(&lots) {
            return Ok(Lots(lots));
        }
        let (low, high) = (self.lot_size, self.lots_max);
        Err(Problem::new("qty", qty, format!("at least {low} and at most {high} lots of it")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(tick: f64, lot: f64, ticks: u32) -> Result<Grid, Problems> {
        let mut problems = Problems::default();
        Grid::new(Price::from_f64(tick), Qty::from_f64(lot), ticks, "book", &mut problems).ok_or(problems)
    }

    #[test]
    fn limits_round_so_that_nobody_trades_worse_than_named() {
        let grid = grid(0.1, 0.001, 1_000_000).unwrap();
        for (price, floor, ceil) in [(60_000.0, 600_000, 600_000), (60_000.01, 600_000, 600_001), (0.1, 1, 1)] {
            let price = Price::from_f64(price);
            assert_eq!(grid.tick(price, Rounding::Floor), Ok(Tick(floor)));
            assert_eq!(grid.tick(price, Rounding::Ceil), Ok(Tick(ceil)));
        }
    }

    #[test]
    fn what_is_off_the_grid_is_refused_with_its_bounds() {
        let grid = grid(0.1, 0.001, 1_000).unwrap();
        let price = |price: f64| grid.tick(Price::from_f64(price), Rounding::Floor).unwrap_err().to_string();
        assert_eq!(price(0.05), "price = 0.05: must be in [0.1, 100]");
        assert_eq!(price(100.1), "price = 100.1: must be in [0.1, 100]");
        assert_eq!(price(-3.0), "price = -3: must be in [0.1, 100]");
        assert!(grid.lots(Qty::from_f64(0.000_9)).is_err());
        assert!(grid.lots(Qty::from_f64(4_294_967.296)).is_err(), "2³² lots");
        assert_eq!(grid.lots(Qty::from_f64(-0.002_9)), Ok(Lots(2)));
    }

    #[test]
    fn a_trade_is_worth_exactly_lots_times_ticks() {
        // 3 lots of 0.001 coin at 60,000.1 dollars: 180.0003.
        let grid = grid(0.1, 0.001, 1_000_000).unwrap();
        assert_eq!(grid.value(Tick(600_001), Lots(3)), Usd::from_f64(180.000_3));
        assert_eq!(grid.value(Tick(600_001), Lots(3)), grid.qty(Side::Buy, Lots(3)).value(grid.price(Tick(600_001))));
        assert_eq!(grid.qty(Side::Sell, Lots(3)), Qty::from_f64(-0.003));
    }

    #[test]
    fn a_grid_that_would_round_values_is_refused() {
        // 1e-4 dollar · 1e-3 coin is a tenth of a micro-dollar.
        let problems = grid(1e-4, 1e-3, 1_000).unwrap_err();
        assert_eq!(problems.0[0].field, "book.lot_size");
        let problems = grid(0.0, -1.0, 0).unwrap_err();
        assert_eq!(
            problems.0.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(),
            ["book.tick_size", "book.lot_size", "book.ticks"]
        );
    }

    #[test]
    fn the_largest_order_at_the_highest_price_fits() {
        let grid = grid(1_000.0, 1_000.0, 1_000_000).unwrap();
        // One lot at the top is 10¹² dollars; 9 of them fit into 9.2 · 10¹².
        assert_eq!(grid.lots_max(), Lots(9));
        assert_eq!(grid.value(grid.tick_max(), grid.lots_max()), Usd::from_f64(9e12));
    }
}
