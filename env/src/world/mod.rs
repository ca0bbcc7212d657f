//! The world outside the venue: exogenous prices, volatility, liquidity and macro factor, tick by tick.
//!
//! Every draw is a pure function of (stream, tick, slot), so nothing that a venue does changes anybody's luck here.
//! [`WorldModel`] is the prepared configuration that environments share, [`World`] the state of one episode. The venue's
//! own view of it, late and noisy, is [`Oracle`]; what it marks positions at is [`Mark`].
//!
//! Not here: other venues' books, the cascade's feedback on outside prices, and intraday seasonality.

mod bridge;
mod clock;
mod config;
mod draw;
mod follower;
mod fundamental;
mod garch;
mod hawkes;
mod heston;
mod macro_factor;
mod macro_series;
mod mark;
mod model;
mod oracle;
mod process;
mod regime;
mod replay;
mod shock;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub use clock::{Clock, SECONDS_PER_DAY, SECONDS_PER_YEAR};
pub use config::{GbmConfig, Model, ReplayConfig, WorldConfig};
pub(crate) use draw::{between, between_ticks};
pub use follower::{Follower, FollowerLaw};
pub use fundamental::{ClusteringConfig, FACTORS_MAX, VolatilityFactor};
pub use garch::GarchConfig;
pub use hawkes::JumpsConfig;
pub use heston::HestonConfig;
pub use macro_factor::{Macro, MacroConfig};
pub use macro_series::{MacroRow, MacroSeries};
pub use mark::{Guard, Mark, MarkConfig, MarkModel, median};
pub use model::WorldModel;
pub use oracle::{Oracle, OracleConfig, OracleModel, Reading, SlowdownConfig};
pub use regime::{InitialRegime, Regime, RegimeConfig, RegimesConfig};
pub use replay::{Bar, ReplaySeries, ReplayStart, Segment};
pub(crate) use shock::validate_range;
pub use shock::{LiquidityConfig, ShockConfig, ShockShape, ShockStart};
pub use state::{DrawnShock, Outside, World};
pub use window::WindowConfig;
