//! The venue and its participants: what a scenario takes for granted.

use seawall_env::book::BookConfig;
use seawall_env::margin::MarginConfig;
use seawall_env::participants::adversaries::AdversaryConfig;
use seawall_env::participants::arbitrageurs::ArbitrageConfig;
use seawall_env::participants::keepers::KeeperConfig;
use seawall_env::participants::makers::MakerConfig;
use seawall_env::participants::traders::TraderConfig;
use seawall_env::scenario::{ClockConfig, FundingConfig, Scenario, VenueConfig};
use seawall_env::world::{MarkConfig, OracleConfig, WorldConfig};
use seawall_env::{Problem, Problems};
use serde::{Deserialize, Serialize};

/// Everything of a [`Scenario`] but its name and what happens in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MarketSettings {
    /// Clocks.
    pub(crate) clock: ClockConfig,
    /// The home book.
    pub(crate) book: BookConfig,
    /// Leveraged traders.
    pub(crate) traders: TraderConfig,
    /// Market makers.
    pub(crate) makers: MakerConfig,
    /// Keepers.
    pub(crate) keepers: KeeperConfig,
    /// Arbitrageurs.
    pub(crate) arbitrage: ArbitrageConfig,
    /// Oracle.
    pub(crate) oracle: OracleConfig,
    /// Mark price.
    pub(crate) mark: MarkConfig,
    /// Margin tiers.
    pub(crate) margin: MarginConfig,
    /// Funding.
    pub(crate) funding: FundingConfig,
    /// Fees and fund.
    pub(crate) venue: VenueConfig,
    /// Adversaries, in scenarios that bring none of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) adversaries: Vec<AdversaryConfig>,
}

impl MarketSettings {
    /// A scenario of this market in a world.
    pub(crate) fn scenario(&self, id: &str, title: &str, world: WorldConfig) -> Scenario {
        let Self {
            clock,
            book,
            traders,
            makers,
            keepers,
            arbitrage,
            oracle,
            mark,
            margin,
            funding,
            venue,
            adversaries,
        } = self.clone();
        let (id, title) = (id.to_owned(), title.to_owned());
        Scenario {
            id,
            title,
            clock,
            world,
            book,
            traders,
            makers,
            keepers,
            arbitrage,
            oracle,
            mark,
            margin,
            funding,
            venue,
            adversaries,
            // Several assets or venues, options, a stablecoin are a file's own matter.
            ..Scenario::default()
        }
    }

    /// Every problem, with field paths below `path`.
    pub(crate) fn validate(&self, path: &str, problems: &mut Problems) {
        let mut found = Problems::default();
        self.scenario("market", "", WorldConfig::default()).validate(path, &mut found);
        // The identifier and the world are this function's own.
        let own = |problem: &Problem| {
            problem.field == format!("{path}.id") || problem.field.starts_with(&format!("{path}.world"))
        };
        problems.0.extend(found.0.into_iter().filter(|problem| !own(problem)));
    }
}
