//! One insurance fund behind all instruments of a venue.
//!
//! Each market's ledger has an account of the fund and one of the vault. Before a market settles its risk, everything
//! that they own elsewhere on the venue is moved to it, and what they owe elsewhere is paid from it: whichever
//! instrument needs the money has all of it. Inventory stays where it is and counts against one limit.

use super::Economy;
use crate::units::Usd;

impl Economy {
    /// Moves the backstop's money to one instrument of its venue.
    pub(super) fn pool_fund(&mut self, venue: usize, asset: usize) {
        let first = self.structure.at(venue, 0);
        let target = self.structure.at(venue, asset);
        let (mut held, mut covered) = (0.0, Usd::ZERO);
        for at in (first..first + self.structure.assets).filter(|&at| at != target) {
            let ids = self.markets[at].backstops().zip(self.markets[target].backstops());
            for (here, there) in ids {
                let equity = self.markets[at].equity_at_mark(here);
                if !equity.is_zero() {
                    self.move_money(at, here, -equity);
                    self.move_money(target, there, equity);
                }
            }
            held += self.markets[at].fund_inventory().as_f64().abs();
            covered += self.markets[at].outcome().covered_by_fund;
        }
        self.markets[target].join(held, covered);
    }
}
