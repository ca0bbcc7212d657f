//! Who owns what: every position and every dollar of the venue, in exact integers.
//!
//! An account holds a signed position and `cash`: its balance after paying for the position. Equity at a price is
//! `cash + qty · price`, less funding since the account was last touched. There is no split into realised and
//! unrealised profit, so a trade moves one integer from one account to another and conservation is exact:
//!
//! **M1** `Σ cash + fees + funding pool + deficit = net deposits`, after every operation.
//! **M2** `Σ qty = 0`, after every settled tick.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::units::{Price, Qty, Rounding, Usd, mul_div};

/// Index of an account.
pub type AccountId = u32;

/// One account: half a cache line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    qty: Qty,
    cash: Usd,
    entry: Price,
    /// Cumulative funding at the account's last touch.
    funding_paid: Price,
}

impl Account {
    /// Funding due at the venue's cumulative `funding`; longs pay rounded up, shorts receive rounded down.
    #[inline]
    fn funding_due(&self, funding: Price) -> Usd {
        let change = funding - self.funding_paid;
        if change.is_zero() || self.qty.is_zero() {
            return Usd::ZERO;
        }
        Usd::from_raw(mul_div(self.qty.raw(), change.raw(), Qty::SCALE, Rounding::Ceil))
    }

    /// Pays the funding that is due, and says how much it was.
    #[inline]
    fn settle(&mut self, funding: Price) -> Usd {
        let due = self.funding_due(funding);
        self.cash -= due;
        self.funding_paid = funding;
        due
    }

    /// Takes a leg of a trade in, and says by how much the part of the position above zero has grown.
    #[inline]
    fn trade(&mut self, qty: Qty, value: Usd) -> Qty {
        let before = self.qty;
        let after = before + qty;
        self.entry = entry_after(self.entry, before, qty, value);
        self.qty = after;
        self.cash -= value;
        after.positive_part() - before.positive_part()
    }
}

/// Positions and balances of everybody on the home venue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    accounts: Vec<Account>,
    /// Cumulative funding per coin of a long position.
    funding: Price,
    /// Funding collected and not yet paid out; what rounding leaves here is the named dust of M7.
    funding_pool: Usd,
    /// Fees that left the accounts.
    fees: Usd,
    /// Deficits written off and not covered by anybody; never positive.
    deficit: Usd,
    /// Deposits less withdrawals.
    net_deposits: Usd,
    long: Qty,
    short: Qty,
}

const fn index(id: AccountId) -> usize {
    id as usize
}

impl Ledger {
    /// A ledger of `accounts` empty accounts.
    #[must_use]
    pub fn new(accounts: usize) -> Self {
        Self { accounts: vec![Account::default(); accounts], ..Self::default() }
    }

    /// Number of accounts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is no account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Memory of the accounts, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.accounts.capacity() * size_of::<Account>()
    }

    /// Signed position.
    #[inline]
    #[must_use]
    pub fn qty(&self, id: AccountId) -> Qty {
        self.accounts[index(id)].qty
    }

    /// Balance after paying for the position.
    #[inline]
    #[must_use]
    pub fn cash(&self, id: AccountId) -> Usd {
        self.accounts[index(id)].cash
    }

    /// Average entry price of the position; informational, rounded.
    #[inline]
    #[must_use]
    pub fn entry(&self, id: AccountId) -> Price {
        self.accounts[index(id)].entry
    }

    /// Cumulative funding at the account's last touch, per coin.
    #[inline]
    #[must_use]
    pub fn funding_paid(&self, id: AccountId) -> Price {
        self.accounts[index(id)].funding_paid
    }

    /// Cumulative funding per coin of a long position.
    #[inline]
    #[must_use]
    pub fn funding(&self) -> Price {
        self.funding
    }

    /// Fees collected.
    #[must_use]
    pub fn fees(&self) -> Usd {
        self.fees
    }

    /// Deficits written off; never positive.
    #[must_use]
    pub fn deficit(&self) -> Usd {
        self.deficit
    }

    /// Funding collected and not yet paid out.
    #[must_use]
    pub fn funding_pool(&self) -> Usd {
        self.funding_pool
    }

    /// Open interest: the sum of long positions (M9).
    #[inline]
    #[must_use]
    pub fn open_interest(&self) -> Qty {
        self.long
    }

    /// Funding that the account would pay now if touched; longs pay rounded up, shorts receive rounded down.
    #[inline]
    #[must_use]
    pub fn funding_due(&self, id: AccountId) -> Usd {
        self.accounts[index(id)].funding_due(self.funding)
    }

    /// Equity at `price`, funding due included; rounded down.
    #[inline]
    #[must_use]
    pub fn equity(&self, id: AccountId, price: Price) -> Usd {
        let account = &self.accounts[index(id)];
        account.cash + account.qty.value(price) - account.funding_due(self.funding)
    }

    /// Settles the account's funding: every operation on a position does this first.
    #[inline]
    pub fn settle_funding(&mut self, id: AccountId) {
        self.funding_pool += self.accounts[index(id)].settle(self.funding);
    }

    /// Charges `per_coin` dollars to every coin of long position, in favour of shorts.
    pub fn accrue_funding(&mut self, per_coin: Price) {
        self.funding += per_coin;
    }

    /// Books one leg of a trade: the position changes by `qty` and the account pays `value`.
    ///
    /// The caller books the opposite leg with the same two integers.
    #[inline]
    pub fn trade(&mut self, id: AccountId, qty: Qty, value: Usd) {
        let account = &mut self.accounts[index(id)];
        if account.funding_paid != self.funding {
            self.funding_pool += account.settle(self.funding);
        }
        let lengthened = account.trade(qty, value);
        self.long += lengthened;
        // What a position gains and does not lie above zero lies below it.
        self.short += lengthened - qty;
    }

    /// As [`Ledger::trade`], one leg for each of some accounts in a row.
    #[inline]
    pub fn trade_each(&mut self, ids: Range<AccountId>, legs: impl Iterator<Item = (Qty, Usd)>) {
        let (mut lengthened, mut net) = (Qty::ZERO, Qty::ZERO);
        for (account, (qty, value)) in self.accounts[index(ids.start)..index(ids.end)].iter_mut().zip(legs) {
            if account.funding_paid != self.funding {
                self.funding_pool += account.settle(self.funding);
            }
            lengthened += account.trade(qty, value);
            net += qty;
        }
        self.long += lengthened;
        self.short += lengthened - net;
    }

    /// Says at which price a position was really entered; informational, so no money moves.
    pub fn backdate(&mut self, id: AccountId, entry: Price) {
        self.accounts[index(id)].entry = entry;
    }

    /// Moves `amount` from one account to another.
    #[inline]
    pub fn transfer(&mut self, from: AccountId, to: AccountId, amount: Usd) {
        self.accounts[index(from)].cash -= amount;
        self.accounts[index(to)].cash += amount;
    }

    /// Moves the whole position and balance of one account to another, at no price: a takeover.
    pub fn take_over(&mut self, from: AccountId, to: AccountId) {
        self.settle_funding(from);
        let (qty, cash, entry) = (self.qty(from), self.cash(from), self.entry(from));
        let value = qty.value(entry);
        self.trade(from, -qty, -value);
        self.trade(to, qty, value);
        self.transfer(from, to, cash + value);
    }

    /// Collects a fee.
    #[inline]
    pub fn charge(&mut self, id: AccountId, fee: Usd) {
        self.accounts[index(id)].cash -= fee;
        self.fees += fee;
    }

    /// Adds outside money.
    #[inline]
    pub fn deposit(&mut self, id: AccountId, amount: Usd) {
        self.accounts[index(id)].cash += amount;
        self.net_deposits += amount;
    }

    /// Writes off a negative balance as a deficit that nobody covered.
    ///
    /// # Panics
    /// If the account still has a position or its balance is positive.
    pub fn write_off(&mut self, id: AccountId) -> Usd {
        let cash = self.cash(id);
        assert!(self.qty(id).is_zero() && cash <= Usd::ZERO, "only a closed account's deficit is written off");
        self.accounts[index(id)].cash = Usd::ZERO;
        self.deficit += cash;
        -cash
    }

    /// Asserts M1, M2 and M9 by a full scan.
    ///
    /// # Panics
    /// If one of them is broken.
    pub fn assert_invariants(&self) {
        let cash: i128 = self.accounts.iter().map(|account| i128::from(account.cash.raw())).sum();
        let held = cash + i128::from((self.fees + self.funding_pool + self.deficit).raw());
        assert_eq!(held, i128::from(self.net_deposits.raw()), "M1: money appeared or vanished");
        let net: i128 = self.accounts.iter().map(|account| i128::from(account.qty.raw())).sum();
        assert_eq!(net, 0, "M2: positions do not sum to zero");
        let long: i128 = self.accounts.iter().map(|account| i128::from(account.qty.raw().max(0))).sum();
        assert_eq!(long, i128::from(self.long.raw()), "M9: open interest is not the sum of longs");
        assert_eq!(self.long, self.short, "M9: longs and shorts differ");
        assert!(self.deficit <= Usd::ZERO, "M8: a deficit turned into money");
    }

    /// Settles everybody's funding and returns the dust that rounding left (M7: between zero and the number of
    /// accounts' touches, in units of 1e-6 dollar).
    ///
    /// # Panics
    /// If there are 2^32 accounts or more.
    pub fn settle_all_funding(&mut self) -> Usd {
        for id in 0..u32::try_from(self.len()).expect("populations are bounded by 2^31") {
            self.settle_funding(id);
        }
        self.funding_pool
    }
}

/// Average entry price after a trade: unchanged by a reduction, the trade's own price after a flip.
#[inline]
fn entry_after(entry: Price, before: Qty, qty: Qty, value: Usd) -> Price {
    let after = before + qty;
    if after.is_zero() {
        return Price::ZERO;
    }
    let adds = before.is_zero() || (before.is_negative() == qty.is_negative() && !qty.is_zero());
    if !adds && after.is_negative() == before.is_negative() {
        return entry;
    }
    let (paid, coins) = if adds { (before.value(entry) + value, after) } else { (value, qty) };
    paid.abs().per_coin(coins.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(dollars: f64) -> Usd {
        Usd::from_f64(dollars)
    }

    #[test]
    fn a_round_trip_leaves_the_profit_with_the_right_account() {
        let mut ledger = Ledger::new(2);
        ledger.deposit(0, usd(100.0));
        ledger.deposit(1, usd(100.0));
        let (qty, value) = (Qty::from_f64(2.0), usd(20.0));
        ledger.trade(0, qty, value);
        ledger.trade(1, -qty, -value);
        ledger.assert_invariants();
        assert_eq!(ledger.equity(0, Price::from_f64(11.0)), usd(102.0));
        assert_eq!(ledger.equity(1, Price::from_f64(11.0)), usd(98.0));
        assert_eq!(ledger.entry(0), Price::from_f64(10.0));
        ledger.trade(0, -qty, usd(-22.0));
        ledger.trade(1, qty, usd(22.0));
        ledger.assert_invariants();
        assert_eq!((ledger.cash(0), ledger.cash(1), ledger.open_interest()), (usd(102.0), usd(98.0), Qty::ZERO));
    }

    #[test]
    fn legs_in_a_row_are_booked_as_one_by_one() {
        let mut one_by_one = Ledger::new(5);
        one_by_one.deposit(4, usd(50.0));
        let mut in_a_row = one_by_one.clone();
        // Openings, additions, reductions, flips and nothing at all, with funding in between.
        for round in 0..40_i64 {
            let legs = [0, 1, 2, 3].map(|k| {
                let qty = (round * 37 + k * 101) % 211 - 105;
                (Qty::from_raw(qty * 1_000_003), Usd::from_raw(qty * 999_983))
            });
            for (id, (qty, value)) in (0..).zip(legs) {
                one_by_one.trade(id, qty, value);
            }
            in_a_row.trade_each(0..4, legs.into_iter());
            let (qty, value) = legs.iter().fold((Qty::ZERO, Usd::ZERO), |sum, leg| (sum.0 + leg.0, sum.1 + leg.1));
            for ledger in [&mut one_by_one, &mut in_a_row] {
                ledger.trade(4, -qty, -value);
                ledger.accrue_funding(Price::from_raw(round - 17));
                ledger.assert_invariants();
            }
            assert_eq!(in_a_row, one_by_one, "round {round}");
        }
    }

    #[test]
    fn funding_is_paid_as_received_up_to_named_dust() {
        let mut ledger = Ledger::new(3);
        for (id, qty) in [(0, 3), (1, -1), (2, -2)] {
            ledger.deposit(id, usd(10.0));
            ledger.trade(id, Qty::from_raw(qty), Usd::ZERO);
        }
        // One unit of 1e-6 dollar per coin on 1e-8 coins: everything is rounding.
        ledger.accrue_funding(Price::from_raw(1));
        let dust = ledger.settle_all_funding();
        ledger.assert_invariants();
        assert_eq!(dust, Usd::from_raw(1));
    }

    #[test]
    fn a_takeover_moves_everything_and_creates_nothing() {
        let mut ledger = Ledger::new(3);
        ledger.deposit(0, usd(5.0));
        ledger.trade(0, Qty::from_f64(1.0), usd(10.0));
        ledger.trade(1, Qty::from_f64(-1.0), usd(-10.0));
        let before = ledger.equity(0, Price::from_f64(4.0));
        ledger.take_over(0, 2);
        ledger.assert_invariants();
        assert_eq!((ledger.qty(0), ledger.cash(0)), (Qty::ZERO, Usd::ZERO));
        assert_eq!(ledger.equity(2, Price::from_f64(4.0)), before);
        assert!(before.is_negative());
    }
}
