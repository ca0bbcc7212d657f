//! What a controller sees of the rest of an economy: other venues, other assets, and what ties them.
//!
//! The list is the same for every economy, so that one policy plays several: what an economy lacks is zero, and so is
//! everything in a market by itself.

use super::{Recent, compress, feature, ratio};
use crate::book::Book;
use crate::economy::{ASSETS_MAX, Economy, VENUES_MAX};
use crate::market::Market;
use crate::spaces::Feature;

/// Number of features beyond those of a market.
pub(super) const COUNT: usize = 12;

/// The features of an economy, in order, after those of the market.
pub const ECONOMY: [Feature; COUNT] = [
    feature("others_depth", "1", "economy", "depth on other venues over home's, relative to reset; log2"),
    feature("basis_venue_1", "20 bp", "economy", "home mid over the first other venue's, widest asset; symmetric log"),
    feature("basis_venue_2", "20 bp", "economy", "home mid over the second other venue's, widest asset; symmetric log"),
    feature("basis_venue_3", "20 bp", "economy", "home mid over the third other venue's, widest asset; symmetric log"),
    feature("stress_asset_2", "1", "economy", "ten-minute volatility of the second asset over long-run; log2"),
    feature("stress_asset_3", "1", "economy", "ten-minute volatility of the third asset over long-run; log2"),
    feature("stress_asset_4", "1", "economy", "ten-minute volatility of the fourth asset over long-run; log2"),
    feature("correlation", "1", "economy", "mean correlation of home's one-minute returns, half-life half an hour"),
    feature(
        "in_liquidation_elsewhere",
        "1 % of open interest",
        "economy",
        "notional in liquidation on other venues over their open interest at reset; symmetric log",
    ),
    feature(
        "shared_out",
        "1 % of open interest",
        "economy",
        "money that cross margin moved between positions in the last decision; symmetric log",
    ),
    feature("arbitrage_use", "1", "economy", "arbitrageurs' positions over their money, fullest venue; symmetric log"),
    feature("arbitrage_transit", "1", "economy", "arbitrageurs' money under way over what they were endowed with"),
];

/// The values of [`ECONOMY`].
pub(super) fn values(economy: &Economy, recent: &Recent) -> [f64; COUNT] {
    let mut values = [0.0; COUNT];
    values[0] = ratio(economy.others_depth());
    for (value, venue) in values[1..VENUES_MAX].iter_mut().zip(1..economy.venues()) {
        *value = compress(widest_basis(economy, venue) / 20e-4);
    }
    for (value, market) in values[VENUES_MAX..VENUES_MAX + ASSETS_MAX - 1].iter_mut().zip(&economy.home()[1..]) {
        *value = ratio(market.state().signals.stress(market.reference_sigma()));
    }
    values[7] = economy.correlation();
    values[8] = compress(100.0 * in_liquidation(&economy.markets()[economy.assets()..]));
    values[9] = compress(100.0 * recent.shared_out);
    values[10] = compress(economy.arbitrage_use());
    values[11] = economy.in_transit().as_f64() / economy.arbitrage_endowment().max(1.0);
    values
}

/// Home mid over another venue's, less one, of the asset in which they differ most.
fn widest_basis(economy: &Economy, venue: usize) -> f64 {
    let mid = |venue: usize, asset: usize| economy.market(venue, asset).state().book.mid();
    let bases = (0..economy.assets()).map(|asset| mid(0, asset) / mid(venue, asset) - 1.0);
    bases.fold(0.0, |widest: f64, basis| if basis.abs() > widest.abs() { basis } else { widest })
}

/// Share of open interest at reset that is in liquidation.
fn in_liquidation(markets: &[Market]) -> f64 {
    let reference: f64 = markets.iter().map(|market| market.outcome().reference_open_interest.as_f64()).sum();
    let held: f64 = markets.iter().map(|market| market.in_liquidation().as_f64()).sum();
    held / reference.max(1.0)
}
