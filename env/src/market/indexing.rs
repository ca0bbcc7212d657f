//! Where traders stand in the trigger index, and the thresholds that the controller moves.

use super::ledger::{AccountId, Ledger};
use super::setup::Fixed;
use super::{Market, State};
use crate::margin::{Adjustment, Direction, Lane, Position, TriggerGrid, TriggerIndex};
use crate::units::{Price, Qty, Rate, Usd};

/// Largest share of notional that pre-emption can ask for: 25 %.
const FLOOR_MAX: f64 = 0.25;

impl Fixed {
    /// Lines of margin in the index.
    pub(super) fn lines(&self) -> u32 {
        u32::try_from(self.schedule.lines()).expect("a table of at most 32 rows")
    }

    /// Lanes: a direction on a line.
    pub(super) fn lanes(&self) -> usize {
        2 * self.schedule.lines()
    }

    /// An empty index around a price. Traders whose line deducts have a second entry on the flat line, at their
    /// number plus the number of traders.
    pub(super) fn index(&self, centre: f64) -> TriggerIndex {
        TriggerIndex::new(
            2 * self.traders,
            self.lines(),
            TriggerGrid::for_accounts(Price::from_f64(centre), self.traders),
        )
    }

    /// Takes a trader out of the index.
    pub(super) fn unindex(&self, index: &mut TriggerIndex, id: AccountId) {
        index.remove(id);
        index.remove(id + self.traders);
    }

    /// Puts a trader where its position belongs now.
    #[inline]
    pub(super) fn reindex(&self, ledger: &Ledger, index: &mut TriggerIndex, id: AccountId, multiplier: Rate) {
        let qty = ledger.qty(id);
        if qty.is_zero() {
            self.unindex(index, id);
            return;
        }
        let position = position_of(ledger, id);
        let direction = Direction::of(qty);
        let row = self.schedule.binding_tier(&position, ledger.funding(), multiplier);
        let deduction = self.schedule.deduction(row);
        let lane = |line: usize| Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
        index.update(id, lane(row), position.key(deduction), qty.abs());
        if deduction.is_zero() {
            index.remove(id + self.traders);
        } else {
            let flat = lane(self.schedule.flat_line());
            index.update(id + self.traders, flat, position.key(Usd::ZERO), Qty::ZERO);
        }
    }
}

/// A trader's position, for margin arithmetic.
pub(super) fn position_of(ledger: &Ledger, id: AccountId) -> Position {
    Position { qty: ledger.qty(id), cash: ledger.cash(id), funding: ledger.funding_paid(id) }
}

impl State {
    /// What the controls do to the margin table, with initial margin times `initial`.
    pub(super) fn adjustment(&self, initial: f64) -> Adjustment {
        Adjustment {
            initial: Rate::from_f64(initial),
            maintenance: Rate::from_f64(self.controls.maintenance_margin_multiplier),
            floor: Rate::from_f64(self.floor()),
        }
    }

    /// Least share of notional that an account must hold: pre-emption's, or that of the hazard rule.
    pub(super) fn floor(&self) -> f64 {
        let hazard = self.rules.hazard_z * self.signals.sigma_medium() * TEN_MINUTES_ROOT;
        hazard.max(self.rules.preemption).min(FLOOR_MAX)
    }
}

/// √600: ten minutes in root seconds.
const TEN_MINUTES_ROOT: f64 = 24.494_897_427_831_78;

impl Market {
    /// Puts a trader where it belongs after its account changed; others have no place in the index.
    #[inline]
    pub(super) fn touched(&mut self, id: AccountId) {
        if id < self.fixed.traders && !self.state.in_liquidation[id as usize] {
            let multiplier = Rate::from_f64(self.state.controls.maintenance_margin_multiplier);
            self.fixed.reindex(&self.state.ledger, &mut self.state.index, id, multiplier);
            self.note_overdraft(id);
        }
    }
}
