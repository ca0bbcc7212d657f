//! Who trades on the home venue. Behaviour is a pure function of class parameters, own row, market row and draws
//! that belong to the row; state and orders are the market's business.

pub mod activity;
pub mod adversaries;
pub mod arbitrageurs;
pub mod keepers;
pub mod makers;
pub mod option_customers;
pub mod option_makers;
pub mod population;
pub mod traders;
