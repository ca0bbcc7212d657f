//! Further features of a task in whose scenarios accounts post a stablecoin; nothing where they do not.

use super::{Writer, compress, feature};
use crate::market::Market;
use crate::spaces::Feature;

/// Features that a task with a stablecoin has behind those of options.
pub const STABLECOIN_COUNT: usize = 2;

/// The features, in order.
pub const STABLECOIN: [Feature; STABLECOIN_COUNT] = [
    feature("peg_discount", "1 %", "collateral", "distance of the stablecoin below a dollar; symmetric log"),
    feature(
        "stablecoin_credit",
        "1 % of open interest",
        "collateral",
        "what posted coins count as margin; symmetric log",
    ),
];

/// Writes the features of a market; nothing of one without a stablecoin.
pub(super) fn write(market: &Market, writer: &mut Writer<'_>) {
    let Some(coin) = market.stablecoin() else {
        writer.put([0.0; STABLECOIN_COUNT]);
        return;
    };
    let reference = market.state().outcome.reference_open_interest.as_f64();
    let discount = 1.0 - coin.price().as_f64();
    writer.put([compress(100.0 * discount), compress(100.0 * coin.credit().as_f64() / reference)]);
}
