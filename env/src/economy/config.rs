//! What a scenario says about further assets and venues.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::liquidation::presets::{self, Preset};
use crate::scenario::Scenario;
use crate::world::WindowConfig;

/// Most assets of an economy.
pub const ASSETS_MAX: usize = 4;
/// Most venues of an economy, home included.
pub const VENUES_MAX: usize = 4;

/// One asset. The first is the one that the scenario's own sections describe; the others follow it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetConfig {
    /// Short name: lower-case letters and digits.
    pub id: String,
    /// Price at reset, in dollars. In [1e-4, 1e9]; the first asset's is the world's.
    pub initial_price: f64,
    /// Open interest over the scenario's. In [0.001, 100].
    #[serde(default = "one")]
    pub size: f64,
    /// Displayed and latent depth over the scenario's. In [0.001, 100].
    #[serde(default = "one")]
    pub depth: f64,
    /// Volatility over the first asset's. In [0.1, 5].
    #[serde(default = "one")]
    pub volatility: f64,
    /// Scripted log returns over the first asset's. In [-5, 5]; on 10 October 2025 majors lost 13–16 %, middling
    /// altcoins 26–31 %.
    #[serde(default = "one")]
    pub shock: f64,
    /// Correlation of fundamental returns with the first asset's, in calm, tense and crisis. In [0, 1], never falling.
    #[serde(default = "ones")]
    pub correlation: [f64; 3],
}

const fn one() -> f64 {
    1.0
}

const fn ones() -> [f64; 3] {
    [1.0; 3]
}

/// A venue beside home: a rule book of its own on books and accounts of its own, at neutral controls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalVenueConfig {
    /// Short name: lower-case letters and digits.
    pub id: String,
    /// Name of the venue preset that it runs on.
    pub preset: String,
    /// Open interest over home's, in every asset. In [0.001, 100].
    #[serde(default = "one")]
    pub size: f64,
    /// Displayed and latent depth over home's, in every asset. In [0.001, 100].
    #[serde(default = "one")]
    pub depth: f64,
    /// Accounts over home's. In [0.01, 100].
    #[serde(default = "one")]
    pub accounts: f64,
    /// Traders' median leverage over home's. In [0.01, 20]; nobody is levered below one.
    #[serde(default = "one")]
    pub leverage: f64,
    /// Insurance fund at reset, over its open interest. In [0, 1]; none is home's share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fund: Option<f64>,
    /// Scripted outages: nothing trades there and nobody is liquidated.
    #[serde(default)]
    pub outages: Vec<WindowConfig>,
}

/// What ties assets and venues together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinksConfig {
    /// Depth of markets that are not modelled, spot above all, over that of all modelled venues at reset. They trade
    /// at the fundamental price. In [0, 10].
    pub spot_share: f64,
    /// Share of owners whose positions in all assets of a venue are margined together; the others' are isolated. In
    /// [0, 1].
    pub cross_margin: f64,
    /// Share of standing positions that point the way their owner looks; the others are drawn one by one. In [0, 1].
    /// Owners who hold the same way everywhere are what makes forced sales raise correlation (Cont & Wagalath 2013).
    pub overlap: f64,
    /// Time that an arbitrageur's cash takes from venue to venue, in seconds. In [0, 1e6]; from 1 s in one custody to
    /// 30 minutes reported.
    pub transfer_seconds: f64,
}

impl Default for LinksConfig {
    fn default() -> Self {
        Self { spot_share: 0.05, cross_margin: 1.0, overlap: 0.7, transfer_seconds: 600.0 }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

impl AssetConfig {
    fn validate(&self, path: &str, problems: &mut Problems) {
        problems.require(is_name(&self.id), format!("{path}.id"), &self.id, "lower-case letters and digits");
        for (field, value, low, high) in [
            ("initial_price", self.initial_price, 1e-4, 1e9),
            ("size", self.size, 1e-3, 100.0),
            ("depth", self.depth, 1e-3, 100.0),
            ("volatility", self.volatility, 0.1, 5.0),
            ("shock", self.shock, -5.0, 5.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        let [calm, tense, crisis] = self.correlation;
        let holds = 0.0 <= calm && calm <= tense && tense <= crisis && crisis <= 1.0;
        let shown = format!("{:?}", self.correlation);
        problems.require(holds, format!("{path}.correlation"), shown, "in [0, 1], and none below the one before");
    }

    /// The first asset is what the world section says, and moves as it says.
    fn validate_first(&self, price: f64, path: &str, problems: &mut Problems) {
        let same = self.initial_price.to_bits() == price.to_bits();
        problems.require(same, format!("{path}.initial_price"), self.initial_price, "world.initial_price");
        let plain = [self.volatility, self.shock, self.correlation[0]].iter().all(|x| (x - 1.0).abs() < 1e-12);
        let shown = format!("{:?}", [self.volatility, self.shock, self.correlation[0]]);
        problems.require(plain, format!("{path}.volatility, shock, correlation"), shown, "1 for the first asset");
    }
}

impl ExternalVenueConfig {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let free = is_name(&self.id) && self.id != "home";
        problems.require(free, format!("{path}.id"), &self.id, "lower-case letters and digits, and not home");
        let known = presets::NAMES.contains(&self.preset.as_str());
        let bound = || format!("one of {}", presets::NAMES.join(", "));
        problems.require(known, format!("{path}.preset"), format!("{:?}", self.preset), &bound());
        for (field, value, low, high) in [
            ("size", self.size, 1e-3, 100.0),
            ("depth", self.depth, 1e-3, 100.0),
            ("accounts", self.accounts, 0.01, 100.0),
            ("leverage", self.leverage, 0.01, 20.0),
            ("fund", self.fund.unwrap_or(0.0), 0.0, 1.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        for (i, outage) in self.outages.iter().enumerate() {
            outage.validate(&format!("{path}.outages[{i}]"), problems);
        }
    }
}

impl LinksConfig {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("spot_share", self.spot_share, 0.0, 10.0),
            ("cross_margin", self.cross_margin, 0.0, 1.0),
            ("overlap", self.overlap, 0.0, 1.0),
            ("transfer_seconds", self.transfer_seconds, 0.0, 1e6),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }
}

/// Records every problem of a scenario's assets, venues and links, and of each instrument that they make.
pub(crate) fn validate(scenario: &Scenario, path: &str, problems: &mut Problems) {
    let at = |field: &str| format!("{path}.{field}");
    scenario.links.validate(&at("links"), problems);
    if !scenario.is_economy() {
        return;
    }
    let before = problems.0.len();
    let (assets, venues) = (&scenario.assets, &scenario.venues);
    problems.require(
        (1..=ASSETS_MAX).contains(&assets.len()),
        at("assets"),
        assets.len(),
        "1 to 4 of them, where there are venues",
    );
    problems.require(venues.len() < VENUES_MAX, at("venues"), venues.len(), "at most 3 of them, beside home");
    problems.require(
        scenario.adversaries.is_empty(),
        at("adversaries"),
        scenario.adversaries.len(),
        "none where there are assets or venues",
    );
    for (field, is_there) in [
        ("options", scenario.options.is_some()),
        ("stablecoin", scenario.stablecoin.is_some()),
        ("withdrawals", scenario.withdrawals.is_some()),
    ] {
        problems.require(!is_there, at(field), "a section", "none where there are assets or venues");
    }
    for (i, asset) in assets.iter().enumerate() {
        let path = at(&format!("assets[{i}]"));
        asset.validate(&path, problems);
        let unique = assets[..i].iter().all(|other| other.id != asset.id);
        problems.require(unique, format!("{path}.id"), &asset.id, "unlike those before");
    }
    if let Some(first) = assets.first() {
        first.validate_first(scenario.world.initial_price, &at("assets[0]"), problems);
    }
    for (i, venue) in venues.iter().enumerate() {
        let path = at(&format!("venues[{i}]"));
        venue.validate(&path, problems);
        let unique = venues[..i].iter().all(|other| other.id != venue.id);
        problems.require(unique, format!("{path}.id"), &venue.id, "unlike those before");
    }
    if problems.0.len() == before {
        validate_instruments(scenario, path, problems);
    }
}

/// Factors that are in their bounds can still make an instrument that is not.
fn validate_instruments(scenario: &Scenario, path: &str, problems: &mut Problems) {
    let mut own = Problems::default();
    Scenario { assets: Vec::new(), venues: Vec::new(), ..scenario.clone() }.validate(path, &mut own);
    if !own.0.is_empty() {
        return;
    }
    for venue in std::iter::once(None).chain(scenario.venues.iter().map(Some)) {
        for asset in &scenario.assets {
            let instrument = instrument(scenario, asset, venue);
            instrument.validate(&format!("{path}.{}", instrument.id), problems);
        }
    }
}

/// One asset on one venue as a scenario of its own.
pub(crate) fn instrument(scenario: &Scenario, asset: &AssetConfig, venue: Option<&ExternalVenueConfig>) -> Scenario {
    let mut this = Scenario {
        id: format!("{}-{}", venue.map_or("home", |venue| &venue.id), asset.id),
        assets: Vec::new(),
        venues: Vec::new(),
        ..scenario.clone()
    };
    let (size, depth) = venue.map_or((1.0, 1.0), |venue| (venue.size, venue.depth));
    this.world.initial_price = asset.initial_price;
    this.venue.reference_volatility *= asset.volatility;
    this.traders.open_interest *= asset.size * size;
    this.book.depth_1pct *= asset.depth * depth;
    this.book.latent_1pct *= asset.depth * depth;
    this.book.latent_volatility *= asset.volatility;
    let Some(venue) = venue else { return this };
    this = Preset::shipped(&venue.preset).expect("validated: a shipped preset").furnish(this);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bounded count of accounts")]
    let accounts = libm::round(f64::from(this.traders.accounts) * venue.accounts) as u32;
    this.traders.accounts = accounts;
    for class in &mut this.traders.classes {
        class.leverage = (class.leverage * venue.leverage).max(1.0);
    }
    this.venue.fund = venue.fund.unwrap_or(this.venue.fund);
    this.venue.outages.clone_from(&venue.outages);
    this
}
