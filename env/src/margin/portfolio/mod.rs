//! Margin of a whole account: every position of it together, over several assets, with options and with collateral
//! that is not dollars.
//!
//! | file | question |
//! |---|---|
//! | `config` | which numbers does a venue set, and who publishes them? |
//! | `scenario` | which sixteen moves of price and volatility is an account put through? |
//! | `table` | what does one coin of each instrument lose in each scenario? Once per tick for everybody. |
//! | `collateral` | what is a balance worth as margin? |
//! | `account` | what does an account hold? |
//! | `assess` | portfolio margin: equity, worst scenario, levels |
//! | `standard` | cross margin: the same account position by position, and options by a formula |
//! | `exposure` | delta, gamma and vega of an account, and summed up over a venue |
//! | `drift` | how much can a requirement have grown since it was last computed? |
//! | `unwind` | hedge first, then which option is closed next? |
//!
//! Three modes. *Isolated* is [`super::Position`] against [`super::MarginSchedule`]: one position and its own cash.
//! *Cross* ([`CrossMargin`]) pools equity and adds requirements up. *Portfolio* ([`PortfolioMargin`]) pools both.
//!
//! # Rounding
//! Floats end in [`RiskTable::refresh`], once per series and tick. A mark is rounded to the nearest unit, the same
//! for a long and its short, so that values over all accounts sum to nothing. A change of value in a scenario is
//! rounded down for whoever is long, and counted one unit of 1e-6 dollar per coin higher for whoever is short; both
//! lose by it. From there on all is integer: sums are exact, what counts for the account is rounded down and what
//! counts against it up. Rounding up is subadditive, so netting lowers no requirement by rounding alone, and
//! `requirement(A + B) ≤ requirement(A) + requirement(B)` holds with `≤` on integers.
//!
//! Not here: interest on borrowed balances, open orders, charges for concentration or liquidity that grow faster
//! than the position (Deribit's delta and roll shocks, SPAN 2's concentration: they would break subadditivity), a
//! look-ahead in time, and anything that trades.

mod account;
mod assess;
mod collateral;
mod config;
mod drift;
mod exposure;
mod scenario;
mod standard;
mod table;
mod unwind;

pub use account::{Account, OptionHolding, OptionSeries, Perp};
pub use assess::{Assessment, Binding, PortfolioMargin, Scratch, WorstCase};
pub use collateral::{CollateralConfig, CollateralSchedule, CollateralTier};
pub use config::{AssetScanConfig, FloorConfig, PortfolioConfig, ScanConfig};
pub use drift::{Drift, ScanPoint, Since};
pub use exposure::{Exposure, VenueExposure};
pub use scenario::{SCENARIOS, SPAN, Scenario, VolatilityMove};
pub use standard::{CrossMargin, CrossTerms, StandardOptionConfig};
pub use table::{AssetMark, RiskArray, RiskTable, SeriesMark};
pub use unwind::{ExitCosts, Plan, Step, Unwinder};

#[cfg(test)]
mod tests;
