//! What the option desk knows: series and their marks, who holds what, and who is in liquidation.
//!
//! Positions come in lots of 0.01 coin and marks in ticks of 1e-4 dollars, so that a position times a change of mark is a
//! whole number of 1e-6 dollars: variation has no rounding and no dust. Per series `Σ positions = 0` (M2), so variations
//! sum to zero and move cash between accounts (M1).

use serde::{Deserialize, Serialize};

use super::ledger::{AccountId, Ledger};
use crate::margin::options::{Level, OptionKind};
use crate::margin::portfolio::{OptionSeries, ScanPoint};
use crate::participants::option_customers::Style;
use crate::rng::{Counter, Purpose, SeedTree};
use crate::units::{Price, Qty, Usd};

/// Units of 1e-8 coin in a lot.
const LOT: i64 = 1_000_000;
/// Units of 1e-6 dollar in a tick of a mark.
const TICK: i64 = 100;

/// A listed series.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) terms: OptionSeries,
    /// Last mark, in dollars per coin: what variation has been settled up to.
    pub(super) mark: Price,
    /// Volatility and delta at the last mark.
    pub(super) volatility: f64,
    pub(super) delta: f64,
    pub(super) has_expired: bool,
    /// Where it stood when accounts were last assessed.
    pub(super) assessed: ScanPoint,
}

/// A customer: how it trades, and what its last scan found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Customer {
    pub(super) style: Style,
    /// Coins that it trades.
    pub(super) size: Qty,
    /// None since it traded options.
    pub(super) assessed: Option<Assessed>,
}

/// What the last assessment found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Assessed {
    /// Scan loss and delta floor, in dollars.
    pub(super) scan: f64,
    pub(super) floor: f64,
    /// Perpetual held, in coins.
    pub(super) perpetual: f64,
}

/// A customer in liquidation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct PortfolioCase {
    pub(super) customer: usize,
    pub(super) since: u64,
    pub(super) last_step: Option<u64>,
    /// Direction opposite to the delta that it entered with.
    pub(super) other: i64,
}

/// What the desk has seen, in exact money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskOutcome {
    /// Accounts that entered liquidation under portfolio margin.
    pub liquidated_accounts: u64,
    /// Of them, those that left it above their margin.
    pub restored_accounts: u64,
    /// Notional that liquidations traded in the perpetual to hedge delta.
    pub hedged: Usd,
    /// Coins of options that liquidations closed, at the price of the underlying.
    pub unwound: Usd,
    /// What liquidated accounts paid option makers beyond marks.
    pub unwind_cost: Usd,
    /// What customers paid option makers beyond marks of their own will.
    pub spread_paid: Usd,
    /// Notional that hedgers and option makers traded in the perpetual of their own will.
    pub hedging_volume: Usd,
    /// Openings that initial margin refused.
    pub refused: u64,
    /// Full scans of all accounts.
    pub scans: u64,
    /// Times that the desk was marked.
    pub marks: u64,
    /// Tick of the first hedge that a liquidation traded.
    pub first_hedge: Option<u64>,
    /// Tick of the first option that a liquidation closed.
    pub first_unwind: Option<u64>,
}

/// The option desk of a market.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Desk {
    /// Ledger number of the first customer; customers, then option makers.
    pub(super) first: AccountId,
    pub(super) customers: Vec<Customer>,
    pub(super) makers: usize,
    pub(super) series: Vec<Listed>,
    /// Signed coins, account by account, one entry per series.
    held: Vec<Qty>,
    pub(super) level: Level,
    /// Tick and price of the last marks.
    pub(super) marked: (u64, f64),
    /// Price of the underlying when accounts were last assessed.
    pub(super) assessed_at: f64,
    pub(super) cases: Vec<PortfolioCase>,
    pub(super) draws: Counter,
    pub(super) outcome: DeskOutcome,
}

impl Desk {
    /// Draws what customers do from now on anew.
    pub(super) fn redraw(&mut self, seeds: SeedTree) {
        self.draws = seeds.counter(Purpose::Options, 1);
    }

    /// A desk on which nobody holds anything.
    pub(super) fn new(first: AccountId, makers: usize, series: Vec<Listed>, level: Level, draws: Counter) -> Self {
        Self {
            first,
            customers: Vec::new(),
            makers,
            series,
            held: Vec::new(),
            level,
            marked: (0, 0.0),
            assessed_at: 0.0,
            cases: Vec::new(),
            draws,
            outcome: DeskOutcome::default(),
        }
    }

    /// Takes customers in, before anybody trades.
    pub(super) fn admit(&mut self, customers: Vec<Customer>) {
        self.held = vec![Qty::ZERO; (customers.len() + self.makers) * self.series.len()];
        self.customers = customers;
    }

    /// Accounts, option makers last.
    pub(super) fn len(&self) -> usize {
        self.customers.len() + self.makers
    }

    /// Numbers of the customers in the ledger.
    pub(super) fn customer_ids(&self) -> std::ops::Range<AccountId> {
        self.first..self.id(self.customers.len())
    }

    /// Number in the ledger.
    pub(super) fn id(&self, account: usize) -> AccountId {
        self.first + u32::try_from(account).expect("a few thousand accounts")
    }

    /// Positions of an account, one per series.
    pub(super) fn held(&self, account: usize) -> &[Qty] {
        let count = self.series.len();
        &self.held[account * count..(account + 1) * count]
    }

    /// Coins of options that an account holds, gross.
    pub(super) fn gross(&self, account: usize) -> f64 {
        self.held(account).iter().map(|qty| qty.abs().as_f64()).sum()
    }

    /// Delta of an account's options at the last marks, in coins.
    pub(super) fn delta(&self, account: usize) -> f64 {
        self.held(account).iter().zip(&self.series).map(|(qty, series)| qty.as_f64() * series.delta).sum()
    }

    /// Books a trade in a series: `qty` to one account from another, at the mark.
    pub(super) fn trade(&mut self, series: usize, to: usize, from: usize, qty: Qty) {
        assert_eq!(qty.raw() % LOT, 0, "options trade in lots");
        let count = self.series.len();
        self.held[to * count + series] += qty;
        self.held[from * count + series] -= qty;
        for account in [to, from] {
            if let Some(customer) = self.customers.get_mut(account) {
                customer.assessed = None;
            }
        }
    }

    /// The option maker that a trade of `qty` to a customer leaves with the smallest position; of equals the first.
    pub(super) fn maker_for(&self, series: usize, qty: Qty) -> usize {
        let makers = self.customers.len()..self.len();
        let after = |maker: usize| (self.held(maker)[series] - qty).abs();
        makers.min_by_key(|&maker| (after(maker), maker)).expect("a desk has an option maker")
    }

    /// Moves a series to a new mark and settles the variation, through the last account.
    pub(super) fn settle(&mut self, series: usize, mark: Price, ledger: &mut Ledger) {
        assert_eq!(mark.raw() % TICK, 0, "marks come in ticks");
        let change = mark - self.series[series].mark;
        self.series[series].mark = mark;
        if change.is_zero() {
            return;
        }
        let clearing = self.len() - 1;
        for account in 0..clearing {
            let gained = exact(self.held(account)[series], change);
            if !gained.is_zero() {
                ledger.transfer(self.id(clearing), self.id(account), gained);
            }
        }
    }

    /// Takes a series that has been settled at its payoff off every account.
    pub(super) fn expire(&mut self, series: usize) {
        let count = self.series.len();
        for account in 0..self.len() {
            self.held[account * count + series] = Qty::ZERO;
        }
        self.series[series].has_expired = true;
        self.series[series].delta = 0.0;
        for customer in &mut self.customers {
            customer.assessed = None;
        }
    }

    /// The listed series of a kind and expiry with the strike nearest to a price; of equals the lower.
    pub(super) fn nearest(&self, kind: OptionKind, expiry_seconds: u64, strike: Price) -> Option<usize> {
        let fits = |listed: &Listed| {
            let terms = &listed.terms;
            !listed.has_expired && terms.kind == kind && terms.expiry_seconds == expiry_seconds
        };
        let rows = self.series.iter().enumerate().filter(|(_, listed)| fits(listed));
        rows.min_by_key(|(_, listed)| (listed.terms.strike - strike).abs()).map(|(index, _)| index)
    }

    /// Expiries that have not passed, each once, in rising order.
    pub(super) fn expiries(&self) -> Vec<u64> {
        let open = self.series.iter().filter(|listed| !listed.has_expired);
        let mut times: Vec<u64> = open.map(|listed| listed.terms.expiry_seconds).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Volatility at the money over its long-run level.
    pub(crate) fn implied_over_long_run(&self, scenario: &crate::scenario::Scenario) -> f64 {
        let options = scenario.options.as_ref().expect("a market with a desk has its section");
        self.level.volatility() / options.surface.volatility
    }

    /// Share of customers in liquidation.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand accounts")]
    pub(crate) fn share_in_liquidation(&self) -> f64 {
        self.cases.len() as f64 / self.customers.len() as f64
    }

    /// Coins of all series that are held long.
    #[must_use]
    pub fn open_interest_coins(&self) -> f64 {
        (0..self.series.len()).map(|series| self.open_interest(series).as_f64()).sum()
    }

    /// Coins of a series that are held long.
    #[must_use]
    pub fn open_interest(&self, series: usize) -> Qty {
        let rows = (0..self.len()).map(|account| self.held(account)[series].positive_part());
        Qty::from_raw(rows.map(Qty::raw).sum())
    }

    /// Asserts M2 for every series by a full scan.
    ///
    /// # Panics
    /// If it is broken.
    pub fn assert_invariants(&self) {
        for (series, listed) in self.series.iter().enumerate() {
            let net: i64 = (0..self.len()).map(|account| self.held(account)[series].raw()).sum();
            assert_eq!(net, 0, "M2: positions in option series {series} do not sum to zero");
            let lots = (0..self.len()).all(|account| self.held(account)[series].raw() % LOT == 0);
            assert!(lots && listed.mark.raw() % TICK == 0, "M1: series {series} is off its lots or ticks");
            assert!(!listed.has_expired || self.open_interest(series).is_zero(), "an expired option is held");
        }
    }
}

/// Exact value of a position in lots at a price in ticks.
///
/// # Panics
/// If it does not fit.
pub(super) fn exact(qty: Qty, price: Price) -> Usd {
    let product = i128::from(qty.raw() / LOT) * i128::from(price.raw() / TICK);
    Usd::from_raw(i64::try_from(product).expect("variation out of range"))
}

/// A size in whole lots, rounded to the nearest, and at most `most`.
pub(super) fn lots(coins: f64, most: Qty) -> Qty {
    #[expect(clippy::cast_precision_loss, reason = "a power of ten")]
    let lot = LOT as f64;
    let raw = Qty::from_f64(libm::round(coins.abs() * 1e8 / lot) * lot * 1e-8).raw();
    let size = (raw - raw % LOT).min(most.abs().raw());
    Qty::from_raw(if coins < 0.0 { -size } else { size })
}

/// A price in whole ticks, rounded to the nearest.
pub(super) fn ticks(dollars: f64) -> Price {
    let raw = Price::from_f64(dollars).raw();
    Price::from_raw((raw + TICK / 2).div_euclid(TICK) * TICK)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::margin::options::LevelConfig;
    use crate::rng::{Purpose, SeedTree};

    fn desk(accounts: usize) -> Desk {
        let terms =
            OptionSeries { asset: 0, kind: OptionKind::Put, strike: Price::from_f64(90.0), expiry_seconds: 86_400 };
        let listed = Listed {
            terms,
            mark: Price::ZERO,
            volatility: 0.4,
            delta: -0.3,
            has_expired: false,
            assessed: ScanPoint::default(),
        };
        let level = Level::new(&LevelConfig::default(), 100.0);
        let mut desk = Desk::new(0, 2, vec![listed], level, SeedTree::new(0).counter(Purpose::Options, 1));
        let customer = Customer { style: Style::Writer, size: Qty::from_f64(1.0), assessed: None };
        desk.admit(vec![customer; accounts]);
        desk
    }

    proptest! {
        #[test]
        fn variation_is_a_transfer_whatever_the_marks(
            trades in prop::collection::vec((0..5_usize, -1_000..1_000_i64), 1..20),
            marks in prop::collection::vec(0.0..9e4_f64, 1..20),
        ) {
            let (mut desk, mut ledger) = (desk(5), Ledger::new(7));
            for (customer, size) in trades {
                let qty = Qty::from_raw(size * LOT);
                let maker = desk.maker_for(0, qty);
                desk.trade(0, customer, maker, qty);
            }
            for mark in &marks {
                desk.settle(0, ticks(*mark), &mut ledger);
                desk.assert_invariants();
                ledger.assert_invariants();
            }
            // From nothing to the last mark, whatever lay in between: also for the account that clears.
            let mark = ticks(marks[marks.len() - 1]);
            for account in 0..7_u32 {
                prop_assert_eq!(ledger.cash(account), exact(desk.held(account as usize)[0], mark));
            }
            desk.expire(0);
            desk.assert_invariants();
        }
    }

    #[test]
    fn sizes_are_whole_lots_and_prices_whole_ticks() {
        assert_eq!(lots(1.234_6, Qty::from_f64(9.0)), Qty::from_f64(1.23));
        assert_eq!(lots(-12.0, Qty::from_f64(9.0)), Qty::from_f64(-9.0));
        assert_eq!(lots(0.004, Qty::from_f64(9.0)), Qty::ZERO);
        assert_eq!(ticks(1.000_051), Price::from_f64(1.000_1));
    }
}
