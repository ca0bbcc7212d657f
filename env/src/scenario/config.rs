//! Validated configuration of a market.

use serde::{Deserialize, Serialize};

use super::{OptionsConfig, StablecoinConfig, WithdrawalConfig};
use crate::book::BookConfig;
use crate::economy::{AssetConfig, ExternalVenueConfig, LinksConfig};
use crate::error::Problems;
use crate::halts::BreakerConfig;
use crate::margin::MarginConfig;
use crate::participants::adversaries::AdversaryConfig;
use crate::participants::arbitrageurs::ArbitrageConfig;
use crate::participants::keepers::KeeperConfig;
use crate::participants::makers::MakerConfig;
use crate::participants::traders::TraderConfig;
use crate::reward::{NAMES, TERMS};
use crate::world::{Clock, MarkConfig, OracleConfig, WindowConfig, WorldConfig};

/// Most coins of open interest at the initial price: a ninetieth of what a [`Qty`](crate::units::Qty) holds, so that
/// prices may fall and positions be taken over.
const COINS_MAX: f64 = 1e9;

/// Funding between longs and shorts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FundingConfig {
    /// Seconds between two payments. In [1, 86400]; 3,600 on Hyperliquid and dYdX, 28,800 on Binance and Bybit.
    pub interval: f64,
    /// Interest part per eight hours. In [-0.01, 0.01]; 1 bp on most venues.
    pub interest: f64,
    /// Largest rate per eight hours. In [0, 0.5].
    pub clamp: f64,
}

impl Default for FundingConfig {
    fn default() -> Self {
        Self { interval: 3_600.0, interest: 1e-4, clamp: 0.04 }
    }
}

/// What the venue charges and owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VenueConfig {
    /// Taker fee, in basis points. In [0, 100].
    pub taker_fee_bp: f64,
    /// Liquidation fee to the insurance fund, in basis points of the closed notional. In [0, 2000]; dYdX takes up to
    /// 150, Synthetix 35, GMX 20, Maker 1,300.
    pub liquidation_fee_bp: f64,
    /// Insurance fund at reset, over open interest. In [0, 1].
    pub fund: f64,
    /// Deficit that closes the venue, over open interest: socialised losses and write-offs. In (0, 1].
    pub failure: f64,
    /// Home's share of the whole market, in [0, 1]: how far the home price moves prices elsewhere, at once and for good.
    pub home_share: f64,
    /// Half-life of the passing part of home's impact on prices elsewhere, in seconds. In [1, 1e6]. The lasting part
    /// forms as the latent book forgets, by [`BookConfig::latent_half_life`].
    pub impact_half_life: f64,
    /// Long-run volatility, annualised: what stress is measured against. In [0.01, 5].
    pub reference_volatility: f64,
    /// Scripted outages: nothing trades and nobody is liquidated; quotes, oracle, mark and funding go on.
    pub outages: Vec<WindowConfig>,
    /// Circuit breaker.
    pub breaker: BreakerConfig,
}

impl Default for VenueConfig {
    fn default() -> Self {
        Self {
            taker_fee_bp: 4.5,
            liquidation_fee_bp: 10.0,
            fund: 0.006,
            failure: 0.05,
            home_share: 0.5,
            impact_half_life: 900.0,
            reference_volatility: 0.5,
            outages: Vec::new(),
            breaker: BreakerConfig::default(),
        }
    }
}

/// Weights of the reward's terms; each term is in basis points of reference open interest per decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RewardConfig {
    /// Bad debt.
    pub bad_debt: f64,
    /// Notional auto-deleveraged.
    pub deleveraged: f64,
    /// Liquidated traders' slippage, bonus and fees.
    pub liquidation_cost: f64,
    /// Distance of mark from fundamental beyond 30 bp, times open interest, per hour.
    pub deviation: f64,
    /// Loss of the insurance fund at exit cost; a gain counts against it, what traders contribute included.
    pub fund_loss: f64,
    /// Capital locked by initial margin above neutral, at 20 % a year.
    pub margin_cost: f64,
    /// Fees of positions that margin, cap or contribution kept out. Above one, because a trader who is turned away
    /// takes its later business elsewhere. At 2, four times the initial margin as a constant loses 31 of weighted basis
    /// points against neutral and the lowest gains 9; at 8 they are 119 and 32, and business is all that counts (`seawall
    /// probe --only initial_margin_multiplier --levels 17 --episodes 12 --set evaluation.root=2028`).
    pub interest_lost: f64,
    /// Change of normalised parameters.
    pub churn: f64,
    /// Closing the venue, once.
    pub failure: f64,
}

impl Default for RewardConfig {
    fn default() -> Self {
        Self {
            bad_debt: 2.0,
            deleveraged: 0.25,
            liquidation_cost: 1.0,
            deviation: 0.3,
            fund_loss: 1.0,
            margin_cost: 20.0,
            interest_lost: 2.0,
            churn: 0.002,
            failure: 200.0,
        }
    }
}

impl RewardConfig {
    /// The weights in the order of the reward's terms.
    #[must_use]
    pub const fn to_array(self) -> [f64; TERMS] {
        [
            self.bad_debt,
            self.deleveraged,
            self.liquidation_cost,
            self.deviation,
            self.fund_loss,
            self.margin_cost,
            self.interest_lost,
            self.churn,
            self.failure,
        ]
    }

    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, value) in NAMES.iter().zip(self.to_array()) {
            problems.range(format!("{path}.{name}"), value, 0.0, 1e6);
        }
    }
}

/// One market.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Short name, unique in a suite.
    pub id: String,
    /// What happens, in one sentence.
    pub title: String,
    /// Clocks.
    pub clock: ClockConfig,
    /// Prices and macro outside.
    pub world: WorldConfig,
    /// The home book.
    pub book: BookConfig,
    /// Leveraged traders.
    pub traders: TraderConfig,
    /// Market makers.
    pub makers: MakerConfig,
    /// Keepers.
    pub keepers: KeeperConfig,
    /// Arbitrageurs.
    pub arbitrage: ArbitrageConfig,
    /// Oracle.
    pub oracle: OracleConfig,
    /// Mark price.
    pub mark: MarkConfig,
    /// Margin tiers.
    pub margin: MarginConfig,
    /// Funding.
    pub funding: FundingConfig,
    /// Fees and fund.
    pub venue: VenueConfig,
    /// Adversaries; at most 8.
    pub adversaries: Vec<AdversaryConfig>,
    /// Assets, at most 4; none is one market on one venue. The sections above are the first asset's on the home venue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetConfig>,
    /// Venues beside home, at most 3.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub venues: Vec<ExternalVenueConfig>,
    /// What ties assets and venues together.
    #[serde(skip_serializing_if = "LinksConfig::is_default")]
    pub links: LinksConfig,
    /// Option desk; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsConfig>,
    /// Stablecoin that accounts post as margin; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stablecoin: Option<StablecoinConfig>,
    /// Withdrawals of surplus money; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawals: Option<WithdrawalConfig>,
}

/// The market's and the controller's clocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockConfig {
    /// Seconds in a tick. In [0.2, 60].
    pub tick_seconds: f64,
    /// Ticks in a decision. In [1, 100000].
    pub ticks_per_decision: u32,
    /// Decisions in an episode. In [1, 10^6].
    pub decisions: u32,
    /// Decisions between two moves of the slow parameters. In [1, 10^6].
    pub slow_interval: u32,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self { tick_seconds: 1.0, ticks_per_decision: 30, decisions: 480, slow_interval: 120 }
    }
}

impl Scenario {
    /// Whether it has assets or venues, and is played by an [`Economy`](crate::economy::Economy).
    #[must_use]
    pub const fn is_economy(&self) -> bool {
        !self.assets.is_empty() || !self.venues.is_empty()
    }

    /// Ticks in an episode.
    #[must_use]
    pub fn horizon_ticks(&self) -> u64 {
        u64::from(self.clock.ticks_per_decision) * u64::from(self.clock.decisions)
    }

    /// The clock that the outside world runs on.
    #[must_use]
    pub fn world_clock(&self) -> Clock {
        Clock { tick_seconds: self.clock.tick_seconds, ticks: self.horizon_ticks() }
    }

    /// Every problem of the scenario, with field paths below `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        let clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let named = !self.id.is_empty() && self.id.chars().all(clean);
        problems.require(named, at("id"), format!("{:?}", self.id), "lower-case letters, digits, '-' and '_'");
        problems.range(at("clock.tick_seconds"), self.clock.tick_seconds, 0.2, 60.0);
        problems.range(at("clock.ticks_per_decision"), f64::from(self.clock.ticks_per_decision), 1.0, 1e5);
        problems.range(at("clock.decisions"), f64::from(self.clock.decisions), 1.0, 1e6);
        problems.range(at("clock.slow_interval"), f64::from(self.clock.slow_interval), 1.0, 1e6);
        self.world.validate(&at("world"), problems);
        self.book.validate(&at("book"), problems);
        self.traders.validate(&at("traders"), problems);
        self.makers.validate(&at("makers"), problems);
        self.keepers.validate(&at("keepers"), problems);
        self.arbitrage.validate(&at("arbitrage"), problems);
        self.oracle.validate(&at("oracle"), problems);
        self.mark.validate(&at("mark"), problems);
        self.margin.validate(&at("margin"), problems);
        for (field, value, low, high) in [
            ("funding.interval", self.funding.interval, 1.0, 86_400.0),
            ("funding.interest", self.funding.interest, -0.01, 0.01),
            ("funding.clamp", self.funding.clamp, 0.0, 0.5),
            ("venue.taker_fee_bp", self.venue.taker_fee_bp, 0.0, 100.0),
            ("venue.liquidation_fee_bp", self.venue.liquidation_fee_bp, 0.0, 2_000.0),
            ("venue.fund", self.venue.fund, 0.0, 1.0),
            ("venue.failure", self.venue.failure, 1e-6, 1.0),
            ("venue.home_share", self.venue.home_share, 0.0, 1.0),
            ("venue.impact_half_life", self.venue.impact_half_life, 1.0, 1e6),
            ("venue.reference_volatility", self.venue.reference_volatility, 0.01, 5.0),
        ] {
            problems.range(at(field), value, low, high);
        }
        let coins = self.traders.open_interest / self.world.initial_price;
        problems.require(
            coins <= COINS_MAX,
            at("traders.open_interest"),
            self.traders.open_interest,
            &format!("at most {COINS_MAX:e} coins at world.initial_price, here {coins:e}"),
        );
        for (i, outage) in self.venue.outages.iter().enumerate() {
            outage.validate(&at(&format!("venue.outages[{i}]")), problems);
        }
        problems.require(self.adversaries.len() <= 8, at("adversaries"), self.adversaries.len(), "at most 8 of them");
        for (i, adversary) in self.adversaries.iter().enumerate() {
            adversary.validate(&at(&format!("adversaries[{i}]")), problems);
        }
        self.venue.breaker.validate(&at("venue.breaker"), problems);
        crate::economy::validate(self, path, problems);
        if let Some(options) = &self.options {
            options.validate(&at("options"), problems);
        }
        if let Some(stablecoin) = &self.stablecoin {
            stablecoin.validate(&at("stablecoin"), problems);
        }
        if let Some(withdrawals) = &self.withdrawals {
            withdrawals.validate(&at("withdrawals"), problems);
        }
    }
}
