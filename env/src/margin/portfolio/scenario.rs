//! The sixteen scenarios of SPAN.

use serde::{Deserialize, Serialize};

/// How many scenarios there are.
pub const SCENARIOS: usize = 16;

/// Which way volatility goes in a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolatilityMove {
    /// By the volatility range, up.
    Up,
    /// By the volatility range, down.
    Down,
    /// Not at all.
    Unchanged,
}

/// One joint move of price and volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scenario {
    /// Price move in thirds of the price range. For an extreme scenario only its sign counts.
    pub thirds: i8,
    /// Whether the price moves by a multiple of its range and only a share of the result counts.
    pub is_extreme: bool,
    /// Volatility move.
    pub volatility: VolatilityMove,
}

const fn scan(thirds: i8, volatility: VolatilityMove) -> Scenario {
    Scenario { thirds, is_extreme: false, volatility }
}

const fn extreme(sign: i8) -> Scenario {
    Scenario { thirds: sign, is_extreme: true, volatility: VolatilityMove::Unchanged }
}

/// The scenarios in the order in which risk arrays publish them.
///
/// # Reference
/// CME, "Components of SPAN: risk arrays" (cme.com/clearing/rmspan/span/components.html); printed as a table in
/// "Options as a Strategic Investment", ch. 34, "Futures and Futures Options".
pub const SPAN: [Scenario; SCENARIOS] = {
    use VolatilityMove::{Down, Up};
    [
        scan(0, Up),
        scan(0, Down),
        scan(1, Up),
        scan(1, Down),
        scan(-1, Up),
        scan(-1, Down),
        scan(2, Up),
        scan(2, Down),
        scan(-2, Up),
        scan(-2, Down),
        scan(3, Up),
        scan(3, Down),
        scan(-3, Up),
        scan(-3, Down),
        extreme(1),
        extreme(-1),
    ]
};
