//! European options on a forward: what they are worth, how that moves, and the surface their volatility is read from.
//!
//! | file | question |
//! |---|---|
//! | `black76` | what is an option worth at a volatility, and how does that move with price, volatility and time? |
//! | `implied` | which volatility does a price stand for? |
//! | `svi` | which volatility does each strike of one expiry have, and is that free of butterfly arbitrage? |
//! | `surface` | which volatility at any strike and time, free of calendar arbitrage as well? |
//! | `level` | where does volatility go when the price moves? |
//!
//! Floats throughout: these are values and signals. They become money in [`super::portfolio::RiskTable`], once per
//! series and with a named rounding. All transcendental functions are `libm`'s, so results are the same bits on
//! every platform.
//!
//! Not here: early exercise, calibration to quotes.

mod black76;
mod implied;
mod level;
mod normal;
mod surface;
mod svi;

pub use black76::{Black76, Greeks, OptionKind};
pub use implied::implied_volatility;
pub use level::{Level, LevelConfig};
pub use surface::{SliceConfig, SsviConfig, SurfaceConfig, VolatilitySurface};
pub use svi::SviSlice;
