//! Which trades bring a book of options back above its margin: hedge first, then unwind.
//!
//! Arithmetic only. The plan prices every trade at the mark plus a cost per coin that the caller names; what trades
//! really fetch is the market's business, and the plan is made again after it.

use super::table::dollars_ceil;
use super::{Account, Assessment, OptionHolding, Perp, PortfolioMargin, RiskTable, Scratch};
use crate::margin::Position;
use crate::units::{Price, Qty, Usd};

/// What trading one coin costs beyond its mark: half the spread, impact and fees, in dollars per coin.
#[derive(Clone, Copy, Debug)]
pub struct ExitCosts<'a> {
    /// By asset, for its perpetual.
    pub perps: &'a [Price],
    /// By series.
    pub options: &'a [Price],
}

/// One trade of a plan, or a trade and its hedge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Trade the perpetual.
    Hedge {
        /// Which perpetual.
        asset: usize,
        /// Signed coins to trade; positive buys.
        qty: Qty,
    },
    /// Close an option holding, or a part of it, and trade the perpetual of its asset along.
    Close {
        /// Number of the holding in the account.
        holding: usize,
        /// Signed coins to trade: the other sign than what is held.
        qty: Qty,
        /// Signed coins of the perpetual; may be nothing.
        hedge: Qty,
    },
}

/// What a plan comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The account as it is.
    pub before: Assessment,
    /// The account after all steps; its equity has paid the costs.
    pub after: Assessment,
    /// Costs of all steps beyond the marks, rounded up step by step.
    pub cost: Usd,
    /// Whether equity reaches the liquidation end.
    pub is_restored: bool,
}

/// Makes plans in memory that it keeps.
#[derive(Clone, Debug, Default)]
pub struct Unwinder {
    perps: Vec<Perp>,
    options: Vec<OptionHolding>,
    steps: Vec<Step>,
    scratch: Scratch,
}

/// The account while a plan is made.
#[derive(Clone, Copy, Debug)]
struct State {
    assessment: Assessment,
    /// From options closed.
    cash: Usd,
    cost: Usd,
}

impl State {
    fn equity(&self) -> Usd {
        self.assessment.equity + self.cash - self.cost
    }

    fn is_restored(&self) -> bool {
        self.equity() >= self.assessment.levels.liquidation_end
    }
}

/// What a trade needs to know that does not change while a plan is made.
#[derive(Clone, Copy)]
struct Terms<'a> {
    venue: &'a PortfolioMargin,
    table: &'a RiskTable,
    collateral: &'a [Qty],
    costs: &'a ExitCosts<'a>,
}

fn cost_of(qty: Qty, per_coin: Price) -> Usd {
    dollars_ceil(i128::from(qty.abs().raw()) * i128::from(per_coin.raw()))
}

impl Unwinder {
    /// One without memory yet. Its first plan allocates, and later ones only for larger accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the last plan, in the order to take them in.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Plans until equity reaches the liquidation end, or nothing left to do helps.
    ///
    /// 1. Asset by asset, the perpetual is traded towards a delta of nothing.
    /// 2. Then the option whose closing releases most margin per dollar of cost is closed, and again. Each is tried
    ///    with the perpetual traded along to a delta of nothing and without, and the better way counts.
    ///
    /// A step is taken only if the margin it releases, measured at the liquidation end, exceeds its cost; the step
    /// that restores the account is cut to what is needed, by bisection, as the requirement is convex in the size of
    /// a trade. Of equals the first holding comes first. An account that meets its liquidation end has no steps.
    ///
    /// # Panics
    /// If the account names an asset, a series or a collateral that is not there, costs are missing or negative, or
    /// something is out of range.
    ///
    /// # Reference
    /// Deribit support, article 25944769313309 ("Liquidations": futures are traded to hedge the deltas, opening new ones
    /// where needed) and its older page on auto-liquidation (futures first, then options); Bybit help centre 000001547 ("Liquidation Process (Options)": by the
    /// margin that closing releases). By the margin per cost is Dantzig's rule for the fractional knapsack (1957).
    pub fn plan(
        &mut self,
        venue: &PortfolioMargin,
        table: &RiskTable,
        account: &Account<'_>,
        costs: &ExitCosts<'_>,
    ) -> Plan {
        let terms = Terms { venue, table, collateral: account.collateral, costs };
        let is_cost = |cost: &Price| !cost.is_negative();
        assert!(costs.perps.iter().chain(costs.options).all(is_cost), "a cost is negative");
        self.steps.clear();
        self.options.clear();
        self.options.extend_from_slice(account.options);
        self.perps.clear();
        self.perps.extend_from_slice(account.perps);
        // The hedges of a plan are positions of their own, one per asset, behind the account's.
        self.perps.extend((0..venue.assets()).map(|asset| {
            let funding = table.assets[asset].0.funding;
            Perp { asset, position: Position { funding, ..Position::default() } }
        }));
        let before = self.assess(&terms);
        let mut state = State { assessment: before, cash: Usd::ZERO, cost: Usd::ZERO };
        for asset in 0..venue.assets() {
            self.hedge(&terms, &mut state, asset);
        }
        while !state.is_restored() && self.close_best(&terms, &mut state) {}
        let after = Assessment { equity: state.equity(), ..state.assessment };
        Plan { before, after, cost: state.cost, is_restored: state.is_restored() }
    }

    fn assess(&mut self, terms: &Terms<'_>) -> Assessment {
        let account = Account { perps: &self.perps, options: &self.options, collateral: terms.collateral };
        terms.venue.assess(&account, terms.table, &mut self.scratch)
    }

    /// The state after a step, which is taken in the working copy.
    fn take(&mut self, terms: &Terms<'_>, state: &State, step: Step) -> State {
        let mut next = *state;
        let (asset, traded) = match step {
            Step::Hedge { asset, qty } => (asset, qty),
            Step::Close { holding, qty, hedge } => {
                let held = &mut self.options[holding];
                held.qty += qty;
                // Sold at the mark rounded down, bought back at the mark rounded up.
                next.cash += (-qty).value(terms.table.series[held.series].price);
                next.cost += cost_of(qty, terms.costs.options[held.series]);
                (terms.table.series[held.series].asset, hedge)
            }
        };
        next.cost += cost_of(traded, terms.costs.perps[asset]);
        let first = self.perps.len() - terms.venue.assets();
        let hedge = &mut self.perps[first + asset].position;
        hedge.qty += traded;
        // Bought at the mark, rounded up: worth nothing, or a unit less.
        hedge.cash = (-hedge.qty).value(terms.table.assets[asset].0.price);
        next.assessment = self.assess(terms);
        next
    }

    fn take_back(&mut self, terms: &Terms<'_>, step: Step) {
        let (asset, traded) = match step {
            Step::Hedge { asset, qty } => (asset, qty),
            Step::Close { holding, qty, hedge } => {
                let held = &mut self.options[holding];
                held.qty -= qty;
                (terms.table.series[held.series].asset, hedge)
            }
        };
        let first = self.perps.len() - terms.venue.assets();
        let hedge = &mut self.perps[first + asset].position;
        hedge.qty -= traded;
        hedge.cash = (-hedge.qty).value(terms.table.assets[asset].0.price);
    }

    fn probe(&mut self, terms: &Terms<'_>, state: &State, step: Step) -> State {
        let next = self.take(terms, state, step);
        self.take_back(terms, step);
        next
    }

    fn hedge(&mut self, terms: &Terms<'_>, state: &mut State, asset: usize) {
        self.assess(terms);
        let qty = -self.scratch.net_delta(asset);
        if state.is_restored() || qty.is_zero() {
            return;
        }
        let step = Step::Hedge { asset, qty };
        let next = self.probe(terms, state, step);
        if released(state, &next) > next.cost - state.cost {
            self.take_as_needed(terms, state, step);
        }
    }

    /// Whether a step was found and taken.
    fn close_best(&mut self, terms: &Terms<'_>, state: &mut State) -> bool {
        let mut best: Option<(Step, Usd, Usd)> = None;
        for holding in 0..self.options.len() {
            let OptionHolding { series, qty } = self.options[holding];
            if qty.is_zero() {
                continue;
            }
            let plain = Step::Close { holding, qty: -qty, hedge: Qty::ZERO };
            let naked = self.probe(terms, state, plain);
            // Probing left the deltas of the account without the option in the scratch.
            let hedge = -self.scratch.net_delta(terms.table.series[series].asset);
            let hedged = Step::Close { holding, qty: -qty, hedge };
            for (step, next) in [(plain, naked), (hedged, self.probe(terms, state, hedged))] {
                let (released, cost) = (released(state, &next), next.cost - state.cost);
                let is_better = |&(_, most, least): &(Step, Usd, Usd)| {
                    // Ratios by their cross products; a cost of nothing counts as one unit.
                    let unit = |cost: Usd| i128::from(cost.raw().max(1));
                    i128::from(released.raw()) * unit(least) > i128::from(most.raw()) * unit(cost)
                };
                if released > cost && best.as_ref().is_none_or(is_better) {
                    best = Some((step, released, cost));
                }
            }
        }
        let Some((step, ..)) = best else { return false };
        self.take_as_needed(terms, state, step);
        true
    }

    /// Takes a step, and if that restores the account, only the least share of it that does, in parts of 2^-20.
    fn take_as_needed(&mut self, terms: &Terms<'_>, state: &mut State, step: Step) {
        const WHOLE: i64 = 1 << 20;
        let mut enough = WHOLE;
        if self.probe(terms, state, step).is_restored() {
            let mut short = 0;
            while enough - short > 1 {
                let middle = short + (enough - short) / 2;
                if self.probe(terms, state, share(step, middle, WHOLE)).is_restored() {
                    enough = middle;
                } else {
                    short = middle;
                }
            }
        }
        let step = share(step, enough, WHOLE);
        *state = self.take(terms, state, step);
        self.steps.push(step);
    }
}

/// Margin that a step released, at the liquidation end.
fn released(before: &State, after: &State) -> Usd {
    before.assessment.levels.liquidation_end - after.assessment.levels.liquidation_end
}

/// A part of a step, each trade rounded away from zero, and so never more than the whole.
fn share(step: Step, part: i64, whole: i64) -> Step {
    let cut = |qty: Qty| {
        let size = (i128::from(qty.abs().raw()) * i128::from(part) + i128::from(whole) - 1) / i128::from(whole);
        Qty::from_raw(i64::try_from(size).expect("no more than the whole") * qty.signum())
    };
    match step {
        Step::Hedge { asset, qty } => Step::Hedge { asset, qty: cut(qty) },
        Step::Close { holding, qty, hedge } => Step::Close { holding, qty: cut(qty), hedge: cut(hedge) },
    }
}
