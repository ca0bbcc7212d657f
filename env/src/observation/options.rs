//! Further features of a task in whose scenarios options are traded; nothing where they are not.

use super::{Writer, compress, feature, ratio};
use crate::market::{Holders, Market};
use crate::spaces::Feature;

/// Features that a task with options has behind all others.
pub const OPTIONS_COUNT: usize = 10;

/// The features, in order.
pub const OPTIONS: [Feature; OPTIONS_COUNT] = [
    feature("implied_volatility", "1", "options", "volatility at the money over its long-run level; log2"),
    feature("option_delta", "1 % of open interest", "options", "net delta of portfolio accounts; symmetric log"),
    feature(
        "option_gamma",
        "1 % of open interest",
        "options",
        "change of portfolio accounts' delta in a rise of 1 %; symmetric log",
    ),
    feature(
        "option_vega",
        "1 bp of open interest",
        "options",
        "gain of portfolio accounts per volatility point; symmetric log",
    ),
    feature("hedging_down_1", "1 % of open interest", "options", "what hedgers buy in a fall of 1 %; symmetric log"),
    feature("hedging_down_5", "1 % of open interest", "options", "what hedgers buy in a fall of 5 %; symmetric log"),
    feature("hedging_up_1", "1 % of open interest", "options", "what hedgers buy in a rise of 1 %; symmetric log"),
    feature("hedging_up_5", "1 % of open interest", "options", "what hedgers buy in a rise of 5 %; symmetric log"),
    feature("portfolios_in_liquidation", "1", "options", "share of portfolio accounts in liquidation"),
    feature("option_interest", "1", "options", "coins of options over open interest of the perpetual at reset"),
];

/// Writes the features of a market; nothing of one without a desk.
pub(super) fn write(market: &Market, writer: &mut Writer<'_>) {
    let Some(desk) = market.desk() else {
        writer.put([0.0; OPTIONS_COUNT]);
        return;
    };
    let reference = market.state().outcome.reference_open_interest.as_f64();
    let price = market.state().prices.mark.as_f64();
    let share = |dollars: f64| compress(100.0 * dollars / reference);
    let held = market.portfolio_exposure(Holders::Customers).net;
    let flow = |moved: f64| share(market.hedging_flow(moved));
    writer.put([
        ratio(desk.implied_over_long_run(market.scenario())),
        share(held.delta_coins * price),
        share(held.gamma_coins_per_dollar * 0.01 * price * price),
        compress(1e4 * held.vega_dollars_per_point / reference),
        flow(-0.01),
        flow(-0.05),
        flow(0.01),
        flow(0.05),
        desk.share_in_liquidation(),
        desk.open_interest_coins() * price / reference,
    ]);
}
