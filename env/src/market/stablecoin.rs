//! Margin that is not dollars: who posted coins, what they count, and what becomes of them when the peg breaks.
//!
//! What coins count is *credited* in their owner's cash, so that equity, triggers and liquidation see one balance. A move
//! of the peg moves the credit, from outside: `net deposits = dollars paid in + Σ credit`, exactly (M1). Owners are put
//! anew into the trigger index then, and nobody else is looked at.

use serde::{Deserialize, Serialize};

use super::Market;
use super::ledger::AccountId;
use super::setup::Fixed;
use super::state::State;
use crate::margin::portfolio::CollateralSchedule;
use crate::rng::{Purpose, SeedTree};
use crate::scenario::{Scenario, StablecoinConfig};
use crate::units::{Price, Qty, Rate, Usd};
use crate::world::{Clock, between, between_ticks};

/// A dollar.
const PAR: Price = Price::from_raw(Price::SCALE);
/// Smallest move of the price, in units of 1e-6: a basis point of a dollar.
const TICK: i64 = 100;

/// One loss of the peg, in ticks.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Depeg {
    start: u64,
    low: f64,
    fall: u64,
    hold: u64,
    half_life: f64,
}

impl Depeg {
    /// Price at a tick, in dollars.
    #[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
    fn price(&self, tick: u64) -> f64 {
        let Some(elapsed) = tick.checked_sub(self.start) else { return 1.0 };
        let depth = if elapsed < self.fall {
            elapsed as f64 / self.fall as f64
        } else {
            let since = elapsed.saturating_sub(self.fall + self.hold);
            libm::exp2(-(since as f64) / self.half_life)
        };
        1.0 - (1.0 - self.low) * depth
    }
}

/// What the stablecoin has done, in exact money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StablecoinOutcome {
    /// Sum of all changes of credit by moves of the price.
    pub revalued: Usd,
    /// Dollars that sold coins fetched.
    pub proceeds: Usd,
    /// Accounts whose coins were sold.
    pub sales: u64,
    /// Lowest price.
    pub low: Price,
}

/// Coins that accounts posted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stablecoin {
    price: Price,
    /// By account.
    coins: Vec<Qty>,
    /// What of an account's cash is credit for coins.
    pub(super) credit: Vec<Usd>,
    /// Accounts with coins, in rising order.
    pub(super) holders: Vec<AccountId>,
    depegs: Vec<Depeg>,
    pub(super) outcome: StablecoinOutcome,
}

impl Stablecoin {
    /// Price, in dollars.
    #[must_use]
    pub const fn price(&self) -> Price {
        self.price
    }

    /// Draws anew every loss of the peg that has not begun by `now`; one that has shows where it leads.
    pub(super) fn redraw(&mut self, config: &StablecoinConfig, clock: Clock, now: u64, seeds: SeedTree) {
        let counter = seeds.counter(Purpose::Collateral, 1);
        for ((n, law), depeg) in (0..).zip(&config.depegs).zip(&mut self.depegs) {
            if depeg.start >= now {
                let [start, low] = counter.uniform2(0, n);
                depeg.start = between_ticks(start, law.start_fraction.map(|share| clock.tick_at(share).max(now)));
                depeg.low = between(low, law.low);
            }
        }
    }

    /// Coins that an account has posted.
    #[must_use]
    pub fn coins(&self, id: AccountId) -> Qty {
        self.coins[id as usize]
    }

    /// What an account's coins count in its cash.
    #[must_use]
    pub fn credit_of(&self, id: AccountId) -> Usd {
        self.credit[id as usize]
    }

    /// Credit of all coins.
    #[must_use]
    pub fn credit(&self) -> Usd {
        self.credit.iter().copied().sum()
    }
}

/// What follows from a stablecoin's configuration once and for all.
#[derive(Debug)]
pub(super) struct StablecoinRules {
    pub(super) schedule: CollateralSchedule,
    conversion: Rate,
}

impl StablecoinRules {
    pub(super) fn new(config: &StablecoinConfig) -> Self {
        Self {
            schedule: CollateralSchedule::new(&config.collateral()),
            conversion: Rate::from_f64(1e-4 * config.conversion_bp),
        }
    }
}

fn draw(config: &StablecoinConfig, clock: Clock, seeds: SeedTree) -> Vec<Depeg> {
    let counter = seeds.counter(Purpose::Collateral, 1);
    (0..)
        .zip(&config.depegs)
        .map(|(n, depeg)| {
            let [start, low] = counter.uniform2(0, n);
            Depeg {
                start: clock.tick_at(between(start, depeg.start_fraction)),
                low: between(low, depeg.low),
                fall: clock.ticks_in(depeg.fall_seconds).max(1),
                hold: clock.ticks_in(depeg.hold_seconds),
                half_life: depeg.recovery_half_life / clock.tick_seconds,
            }
        })
        .collect()
}

impl State {
    /// Says of some traders and portfolio accounts that a part of their equity is coins.
    pub(super) fn post_stablecoins(&mut self, scenario: &Scenario, fixed: &Fixed, seeds: SeedTree) {
        let (Some(config), Some(rules)) = (&scenario.stablecoin, &fixed.stablecoin) else { return };
        let accounts = fixed.accounts();
        let mut coin = Stablecoin {
            price: PAR,
            coins: vec![Qty::ZERO; accounts],
            credit: vec![Usd::ZERO; accounts],
            holders: Vec::new(),
            depegs: draw(config, scenario.world_clock(), seeds),
            outcome: StablecoinOutcome { low: PAR, ..StablecoinOutcome::default() },
        };
        let who = seeds.counter(Purpose::Collateral, 0);
        let portfolios = self.desk.as_ref().map_or(0..0, |desk| desk.customer_ids());
        let traders = (0..fixed.traders).filter(|&id| !fixed.is_adversary(id));
        for id in traders.chain(portfolios) {
            let [u, _] = who.uniform2(0, u64::from(id));
            let equity = self.ledger.equity(id, self.prices.mark).positive_part().as_f64();
            let posted = Qty::from_f64((config.equity * equity / config.tiers[0].ratio.max(1e-9)).min(1e9));
            if u < config.accounts && !posted.is_zero() {
                coin.coins[id as usize] = posted;
                coin.credit[id as usize] = rules.schedule.value(posted, PAR);
                coin.holders.push(id);
            }
        }
        self.stablecoin = Some(Box::new(coin));
    }
}

impl Market {
    /// The stablecoin that accounts post, if the scenario has one.
    #[must_use]
    pub fn stablecoin(&self) -> Option<&Stablecoin> {
        self.state.stablecoin.as_deref()
    }

    /// Totals of the stablecoin so far.
    #[must_use]
    pub fn stablecoin_outcome(&self) -> Option<StablecoinOutcome> {
        self.stablecoin().map(|coin| coin.outcome)
    }

    /// Moves the peg. Where it has moved, all coins are credited anew, and owners without a position who owe more than
    /// they have are closed.
    pub(super) fn move_peg(&mut self) {
        let Some(coin) = self.state.stablecoin.as_deref() else { return };
        let next = coin.depegs.iter().map(|depeg| depeg.price(self.state.tick + 1)).fold(1.0, f64::min);
        let price = Price::from_raw(Price::from_f64(next).raw() / TICK * TICK);
        if price != coin.price {
            self.credit_anew(price);
        }
    }

    fn credit_anew(&mut self, price: Price) {
        let fixed = std::sync::Arc::clone(&self.fixed);
        let rules = fixed.stablecoin.as_ref().expect("a market with a stablecoin has its rules");
        let mut coin = self.state.stablecoin.take().expect("looked at before");
        coin.price = price;
        coin.outcome.low = coin.outcome.low.min(price);
        for &id in &coin.holders {
            let credit = rules.schedule.value(coin.coins[id as usize], price);
            let change = credit - coin.credit[id as usize];
            coin.credit[id as usize] = credit;
            coin.outcome.revalued += change;
            self.state.ledger.deposit(id, change);
            self.touched(id);
        }
        let indebted = |id: &AccountId| {
            let owes = self.state.ledger.qty(*id).is_zero() && self.state.ledger.cash(*id).is_negative();
            owes && *id < fixed.traders && !self.state.in_liquidation[*id as usize]
        };
        let indebted: Vec<AccountId> = coin.holders.iter().copied().filter(indebted).collect();
        self.state.stablecoin = Some(coin);
        for id in indebted {
            self.sell_collateral(id);
            // No position made this deficit, so either side may bear it.
            self.cover_deficit(id, 1);
        }
    }

    /// Sells all coins of an account for dollars.
    pub(super) fn sell_collateral(&mut self, id: AccountId) {
        let Some(coin) = self.state.stablecoin.as_deref_mut() else { return };
        let coins = std::mem::take(&mut coin.coins[id as usize]);
        if coins.is_zero() {
            return;
        }
        let rules = self.fixed.stablecoin.as_ref().expect("a market with a stablecoin has its rules");
        let value = coins.value(coin.price);
        let proceeds = value - value.share_ceil(rules.conversion);
        let credit = std::mem::take(&mut coin.credit[id as usize]);
        coin.holders.retain(|&holder| holder != id);
        coin.outcome.proceeds += proceeds;
        coin.outcome.sales += 1;
        self.state.ledger.deposit(id, proceeds - credit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peg_falls_in_a_line_holds_and_comes_back_by_halves() {
        let depeg = Depeg { start: 10, low: 0.65, fall: 100, hold: 20, half_life: 50.0 };
        let close = |tick: u64, price: f64| assert!((depeg.price(tick) - price).abs() < 1e-12, "{tick}");
        close(0, 1.0);
        close(10, 1.0);
        close(60, 0.825);
        close(110, 0.65);
        close(130, 0.65);
        close(180, 0.825);
        close(230, 0.9125);
    }
}
