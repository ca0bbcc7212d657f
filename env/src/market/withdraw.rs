//! Traders take out what they do not need, more of them the more the market moves; and the gate that stops them.

use serde::{Deserialize, Serialize};

use super::Market;
use super::ledger::AccountId;
use crate::participants::traders::poisson;
use crate::rng::{Counter, Purpose, SeedTree};
use crate::units::Usd;

/// Most withdrawals in one tick.
const MOST: u32 = 64;
/// Smallest withdrawal worth asking for, in dollars.
const LEAST: f64 = 10.0;

/// What has been withdrawn, in exact money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalOutcome {
    /// Dollars that left: so much less is net deposits.
    pub paid: Usd,
    /// Dollars that the gate kept in, each time that they were asked for.
    pub refused: Usd,
    /// Times that the gate was shut.
    pub shut: u64,
}

/// State of withdrawals.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Withdrawals {
    draws: Counter,
    /// First tick at which the gate is open again.
    shut_until: u64,
    /// Bad debt when it was last looked at.
    bad_debt: Usd,
    pub(super) outcome: WithdrawalOutcome,
}

impl Withdrawals {
    pub(super) fn new(seeds: SeedTree) -> Self {
        let draws = seeds.counter(Purpose::Withdrawals, 0);
        Self { draws, shut_until: 0, bad_debt: Usd::ZERO, outcome: WithdrawalOutcome::default() }
    }

    /// Draws who withdraws from now on anew.
    pub(super) fn redraw(&mut self, seeds: SeedTree) {
        self.draws = seeds.counter(Purpose::Withdrawals, 0);
    }
}

impl Market {
    /// Totals of withdrawals so far, if the scenario has any.
    #[must_use]
    pub fn withdrawal_outcome(&self) -> Option<WithdrawalOutcome> {
        self.state.withdrawals.map(|withdrawals| withdrawals.outcome)
    }

    /// Whether a deficit that has shown keeps everybody's money in.
    #[must_use]
    pub fn is_gate_shut(&self) -> bool {
        self.state.withdrawals.is_some_and(|withdrawals| self.state.tick < withdrawals.shut_until)
    }

    pub(super) fn withdraw(&mut self) {
        let (Some(config), Some(mut state)) = (self.scenario.withdrawals, self.state.withdrawals) else { return };
        self.watch_gate(&mut state, config.gate_seconds);
        let stress = self.state.signals.stress_fast(self.fixed.reference_sigma);
        let rate = config.rate * (1.0 + config.panic * (stress - 1.0).max(0.0));
        let mean = rate * f64::from(self.scenario.traders.accounts) * self.fixed.seconds / 3_600.0;
        let [u, _] = state.draws.uniform2(self.state.tick, 0);
        // A Poisson law of a large mean: the bound is what a venue processes in a tick.
        for event in 0..poisson(mean.min(500.0), u, MOST) {
            let [who, _] = state.draws.uniform2(self.state.tick, 1 + u64::from(event));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a u32 count")]
            let id = ((who * f64::from(self.scenario.traders.accounts)) as u32).min(self.scenario.traders.accounts - 1);
            let amount = Usd::from_f64(config.share * self.free(id, config.notional_floor).as_f64());
            if amount.as_f64() < LEAST || self.state.in_liquidation[id as usize] {
                continue;
            }
            if self.state.tick < state.shut_until {
                state.outcome.refused += amount;
                continue;
            }
            state.outcome.paid += amount;
            self.state.ledger.deposit(id, -amount);
            self.touched(id);
        }
        self.state.withdrawals = Some(state);
    }

    /// Shuts the gate where an account in liquidation is under water, or bad debt has been booked since the last look.
    fn watch_gate(&self, state: &mut Withdrawals, gate_seconds: f64) {
        let (tick, mark) = (self.state.tick, self.state.prices.mark);
        let has_grown = self.state.outcome.bad_debt > state.bad_debt;
        state.bad_debt = self.state.outcome.bad_debt;
        if gate_seconds <= 0.0 {
            return;
        }
        let under_water = |id: AccountId| self.state.ledger.equity(id, mark).is_negative();
        if has_grown || self.state.queue.iter().any(|case| under_water(case.id)) {
            state.outcome.shut += u64::from(tick >= state.shut_until);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day in ticks at most")]
            let ticks = libm::ceil(gate_seconds / self.fixed.seconds) as u64;
            state.shut_until = tick + ticks;
        }
    }

    /// Dollars that an account may take out: what is above initial margin, a share of notional, and its credit for coins.
    pub(super) fn free(&self, id: AccountId, notional_floor: f64) -> Usd {
        let (ledger, mark) = (&self.state.ledger, self.state.prices.mark);
        let qty = ledger.qty(id);
        let floor = notional_floor * qty.notional(mark).as_f64();
        let needed = if qty.is_zero() { 0.0 } else { self.initial_margin(qty).max(floor) };
        let credit = self.stablecoin().map_or(Usd::ZERO, |coin| coin.credit_of(id));
        (ledger.equity(id, mark) - Usd::from_f64(libm::ceil(needed)).max(credit)).positive_part()
    }
}
