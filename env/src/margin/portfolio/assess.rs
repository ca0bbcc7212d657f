//! Portfolio margin of one account: what it is worth, what it would lose, and what it must hold.

use super::table::{Moves, RiskArray, charge, dollars_ceil, dollars_floor};
use super::{Account, CollateralSchedule, FloorConfig, PortfolioConfig, RiskTable, SCENARIOS, SPAN, ScanConfig};
use crate::margin::Levels;
use crate::units::{Price, Qty, Rate, Usd};

const ONE: Rate = Rate::from_raw(Rate::SCALE);

/// Charges on gross holdings, as integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Floors {
    /// Rate on net delta beyond that on gross delta.
    net_delta: Rate,
    gross_delta: Rate,
    short_option: Rate,
    perpetual: Rate,
}

/// A venue's rules of portfolio margin, validated and in integers.
#[derive(Clone, Debug, PartialEq)]
pub struct PortfolioMargin {
    pub(super) moves: Vec<Moves>,
    pub(super) collateral: Vec<CollateralSchedule>,
    pub(super) scan: ScanConfig,
    floors: Floors,
    initial: Rate,
    maintenance: Rate,
    buffer: Rate,
    backstop_share: Rate,
}

/// The scenario in which something loses most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorstCase {
    /// Its number in [`SPAN`].
    pub scenario: usize,
    /// What is lost in it, rounded up.
    pub loss: Usd,
}

/// What sets a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The scan with its contingencies.
    Scan,
    /// The least requirement on delta.
    DeltaFloor,
}

/// An account at one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Collateral after haircuts, perpetuals and options at their marks.
    pub equity: Usd,
    /// Loss by the scan after offsets between assets.
    pub scan: Usd,
    /// Added for short options and for perpetuals held.
    pub contingency: Usd,
    /// Least requirement on net and hedged delta.
    pub floor: Usd,
    /// Which of both sets the requirement.
    pub binding: Binding,
    /// Scenario in which all assets together, moving alike and fully netted, lose most; `None` if none loses.
    pub worst: Option<WorstCase>,
    /// What must be held.
    pub levels: Levels,
}

impl Assessment {
    /// The requirement that the levels are shares of.
    #[must_use]
    pub fn requirement(&self) -> Usd {
        (self.scan + self.contingency).max(self.floor)
    }
}

/// Sums over one asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    /// Gain by scenario, in units of 1e-14 dollar.
    gain: [i128; SCENARIOS],
    /// Units of 1e-17 coin.
    net_delta: i128,
    gross_delta: i128,
    /// Units of 1e-8 coin.
    short_options: i64,
    perpetual: i64,
    losses: [Usd; SCENARIOS],
    worst: Option<WorstCase>,
}

impl Sums {
    fn hold(&mut self, qty: Qty, risk: &RiskArray, delta: Rate) {
        risk.add(qty.raw(), &mut self.gain);
        let delta = i128::from(qty.raw()) * i128::from(delta.raw());
        self.net_delta = self.net_delta.checked_add(delta).expect("account out of range");
        self.gross_delta = self.gross_delta.checked_add(delta.abs()).expect("account out of range");
    }
}

/// Room for sums, kept by the caller so that an assessment allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    sums: Vec<Sums>,
}

impl Scratch {
    /// Room for a venue of that many assets.
    #[must_use]
    pub fn new(assets: usize) -> Self {
        Self { sums: vec![Sums::default(); assets] }
    }

    /// Scenario in which an asset alone lost most in the last assessment; `None` if none loses.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn worst(&self, asset: usize) -> Option<WorstCase> {
        self.sums[asset].worst
    }

    /// Loss of an asset alone by scenario in the last assessment, negative for a gain.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn losses(&self, asset: usize) -> &[Usd; SCENARIOS] {
        &self.sums[asset].losses
    }

    /// Delta of an asset in the last assessment, in coins, towards zero.
    ///
    /// # Panics
    /// If there is no such asset, or it is out of range.
    #[must_use]
    pub fn net_delta(&self, asset: usize) -> Qty {
        Qty::from_raw(i64::try_from(self.sums[asset].net_delta / i128::from(Rate::SCALE)).expect("delta out of range"))
    }
}

/// The greatest of the losses, if it is one. Of equals the first.
fn worst_of(losses: &[Usd; SCENARIOS]) -> Option<WorstCase> {
    let mut worst = WorstCase { scenario: 0, loss: losses[0] };
    for (scenario, &loss) in losses.iter().enumerate() {
        if loss > worst.loss {
            worst = WorstCase { scenario, loss };
        }
    }
    (worst.loss > Usd::ZERO).then_some(worst)
}

fn loss_of(worst: Option<WorstCase>) -> Usd {
    worst.map_or(Usd::ZERO, |worst| worst.loss)
}

/// Coins of a delta, rounded up.
fn coins(delta: i128) -> i64 {
    let scale = i128::from(Rate::SCALE);
    i64::try_from((delta + scale - 1).div_euclid(scale)).expect("delta out of range")
}

impl PortfolioMargin {
    /// From a validated configuration. Moves and rates are rounded to the nearest 1e-9.
    #[must_use]
    pub fn new(config: &PortfolioConfig) -> Self {
        let FloorConfig { net_delta, hedged_delta, short_option, perpetual } = config.floor;
        let gross_delta = Rate::from_f64(hedged_delta);
        let moves = config.assets.iter().map(|asset| Moves {
            price: SPAN.map(|scenario| {
                let thirds = f64::from(scenario.thirds);
                let ranges = if scenario.is_extreme { thirds * config.scan.extreme_multiple } else { thirds / 3.0 };
                Rate::from_f64(asset.price_range * ranges)
            }),
            share: SPAN.map(
                |scenario| {
                    if scenario.is_extreme { Rate::from_f64(config.scan.extreme_share) } else { ONE }
                },
            ),
            volatility_up: asset.volatility_up,
            volatility_down: asset.volatility_down,
            offset: Rate::from_f64(asset.offset),
        });
        Self {
            moves: moves.collect(),
            collateral: config.collateral.iter().map(CollateralSchedule::new).collect(),
            scan: config.scan,
            floors: Floors {
                net_delta: Rate::from_f64(net_delta) - gross_delta,
                gross_delta,
                short_option: Rate::from_f64(short_option),
                perpetual: Rate::from_f64(perpetual),
            },
            initial: Rate::from_f64(config.initial),
            maintenance: Rate::from_f64(config.maintenance),
            buffer: Rate::from_f64(config.buffer),
            backstop_share: Rate::from_f64(config.backstop_share),
        }
    }

    /// How many assets it knows.
    #[must_use]
    pub const fn assets(&self) -> usize {
        self.moves.len()
    }

    /// Charges on net delta beyond gross, on gross delta, per short option and per perpetual.
    pub(super) const fn floor_rates(&self) -> [Rate; 4] {
        let Floors { net_delta, gross_delta, short_option, perpetual } = self.floors;
        [net_delta, gross_delta, short_option, perpetual]
    }

    /// Maintenance margin, in units of the requirement.
    pub(super) const fn maintenance_rate(&self) -> Rate {
        self.maintenance
    }

    /// Collateral after haircuts, rounded down.
    ///
    /// # Panics
    /// If there are more balances than kinds of collateral.
    #[must_use]
    pub fn collateral_value(&self, balances: &[Qty], prices: &[Price]) -> Usd {
        assert!(balances.len() <= self.collateral.len(), "more balances than kinds of collateral");
        let kinds = self.collateral.iter().zip(prices).zip(balances);
        kinds.map(|((schedule, &price), &balance)| schedule.value(balance, price)).sum()
    }

    /// Equity: collateral after haircuts, each perpetual rounded down, and all options at their marks rounded down.
    ///
    /// # Panics
    /// If the account names an asset, a series or a collateral that is not there, or is out of range.
    #[must_use]
    pub fn equity(&self, account: &Account<'_>, table: &RiskTable) -> Usd {
        let perps = account.perps.iter().map(|perp| {
            let mark = table.assets[perp.asset].0;
            perp.position.equity(mark.price, mark.funding)
        });
        let options = account.options.iter().fold(0_i128, |sum, holding| {
            let worth = i128::from(holding.qty.raw()) * i128::from(table.series[holding.series].price.raw());
            sum.checked_add(worth).expect("account out of range")
        });
        self.collateral_value(account.collateral, &table.collateral) + perps.sum() + dollars_floor(options)
    }

    /// Assesses an account in time proportional to what it holds.
    ///
    /// Asset `a` loses `L_a(s)` in scenario `s`; `θ_a` is its offset. The scan is
    /// `Σ_a (1 - θ_a)·max_s L_a(s)⁺ + (max_s Σ_a θ_a·L_a(s))⁺`: one part of each asset stands alone, the other moves
    /// with all assets at once. For two perpetuals of opposite sign that is SPAN's inter-commodity spread credit of
    /// rate `θ`: with losses `R₁ ≥ R₂` it comes to `R₁ + R₂ - 2θR₂`, a credit of `θ` on the matched part of both legs.
    /// Unlike SPAN's table of spreads in order of priority it is convex, so netting never costs.
    ///
    /// The requirement is `max(scan + contingencies, delta floor)`, each part rounded up.
    ///
    /// # Panics
    /// If the account names an asset, a series or a collateral that is not there, or is out of range.
    ///
    /// # Reference
    /// CME, "Components of SPAN"; Artzner, Delbaen, Eber & Heath 1999, "Coherent measures of risk" (subadditivity;
    /// SPAN's scan is their example 3.2).
    pub fn assess(&self, account: &Account<'_>, table: &RiskTable, scratch: &mut Scratch) -> Assessment {
        assert_eq!(table.assets.len(), self.assets(), "the table is of another venue");
        self.sum_up(account, table, scratch);
        let (mut alone, mut contingency, mut floor) = (Usd::ZERO, Usd::ZERO, Usd::ZERO);
        let (mut joint, mut total) = ([Usd::ZERO; SCENARIOS], [Usd::ZERO; SCENARIOS]);
        for ((sums, moves), (mark, _)) in scratch.sums.iter_mut().zip(&self.moves).zip(&table.assets) {
            for (scenario, &gain) in sums.gain.iter().enumerate() {
                let loss = dollars_ceil(-gain);
                sums.losses[scenario] = loss;
                total[scenario] += loss;
                joint[scenario] += loss.share_ceil(moves.offset);
            }
            sums.worst = worst_of(&sums.losses);
            alone += loss_of(sums.worst).share_ceil(ONE - moves.offset);
            contingency += charge(sums.short_options, mark.price, self.floors.short_option);
            contingency += charge(sums.perpetual.abs(), mark.price, self.floors.perpetual);
            floor += charge(coins(sums.net_delta.abs()), mark.price, self.floors.net_delta);
            floor += charge(coins(sums.gross_delta), mark.price, self.floors.gross_delta);
        }
        let scan = alone + loss_of(worst_of(&joint));
        let binding = if scan + contingency >= floor { Binding::Scan } else { Binding::DeltaFloor };
        Assessment {
            equity: self.equity(account, table),
            scan,
            contingency,
            floor,
            binding,
            worst: worst_of(&total),
            levels: self.levels((scan + contingency).max(floor)),
        }
    }

    /// Positions of one asset's perpetual are one position; options add up holding by holding.
    fn sum_up(&self, account: &Account<'_>, table: &RiskTable, scratch: &mut Scratch) {
        scratch.sums.clear();
        scratch.sums.resize(self.assets(), Sums::default());
        for perp in account.perps {
            let held = &mut scratch.sums[perp.asset].perpetual;
            *held = held.checked_add(perp.position.qty.raw()).expect("account out of range");
        }
        for (sums, (_, risk)) in scratch.sums.iter_mut().zip(&table.assets) {
            sums.hold(Qty::from_raw(sums.perpetual), risk, ONE);
        }
        for (schedule, &balance) in self.collateral.iter().zip(account.collateral) {
            if let Some(asset) = schedule.hedges {
                scratch.sums[asset].hold(balance, &table.assets[asset].1, ONE);
            }
        }
        for holding in account.options {
            let mark = &table.series[holding.series];
            let sums = &mut scratch.sums[mark.asset];
            sums.hold(holding.qty, &mark.risk, mark.delta);
            let short = (-holding.qty).positive_part().raw();
            sums.short_options = sums.short_options.checked_add(short).expect("account out of range");
        }
    }

    /// Levels of a requirement, each rounded up; initial margin is at least the liquidation end (M3).
    #[must_use]
    pub fn levels(&self, requirement: Usd) -> Levels {
        let maintenance = requirement.share_ceil(self.maintenance);
        let liquidation_end = maintenance + maintenance.share_ceil(self.buffer);
        Levels {
            initial: requirement.share_ceil(self.initial).max(liquidation_end),
            liquidation_end,
            maintenance,
            backstop: maintenance.share_ceil(self.backstop_share),
        }
    }
}
