//! From files to a fitted scenario: which estimator reads which file, and what becomes of its numbers.

pub(crate) mod context;
pub(crate) mod findings;
pub(crate) mod liquidity;
pub(crate) mod prices;
pub(crate) mod scenario;
pub(crate) mod windows;

pub(crate) use findings::Findings;
