//! Whether the market behaves like a real one: rows of statistics, each with its target, and pass or fail.
//!
//! [`simulate`] records the market tick by tick; every other file is one family of rows. Targets come from the literature
//! and from recorded events, with their source beside them, and are not moved to fit the market.
//!
//! Not here: files, printing, and what a row that fails means: that is for whoever reads it.

pub mod auctions;
pub mod books;
pub mod cascade;
pub mod concessions;
pub mod contagion;
pub mod counterfactual;
pub mod facts;
pub mod impact;
pub mod plot;
pub mod procyclicality;
mod resampled;
pub mod row;
pub mod signs;
pub mod simulate;
pub mod toxic;

pub use row::{Row, Rule, Verdict};
