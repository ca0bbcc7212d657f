//! One account let be in an episode: what a false liquidation is told by.

use super::CascadeEnv;
use crate::arena::Arena;
use crate::market::{AccountId, Market, Spared};

impl CascadeEnv {
    /// Begins to note who enters liquidation: see [`Market::note_entries`]. Returns whether it can: in an economy accounts are
    /// liquidated as a whole, and none can be let be by itself.
    pub fn note_entries(&mut self) -> bool {
        self.alone().map(Market::note_entries).is_some()
    }

    /// Accounts that entered liquidation since the last call: see [`Market::take_entries`].
    pub fn take_entries(&mut self) -> Vec<AccountId> {
        self.alone().map(Market::take_entries).unwrap_or_default()
    }

    /// Lets an account be from where it would next enter liquidation: see [`Market::spare`].
    ///
    /// # Panics
    /// In an economy, or if there is no such trader.
    pub fn spare(&mut self, account: AccountId) {
        let market = self.alone().expect("accounts of an economy are not let be by themselves");
        assert!(account < market.traders(), "no trader has number {account}");
        market.spare(account);
    }

    /// What became of the account that is let be, if there is one.
    #[must_use]
    pub fn spared(&self) -> Option<Spared> {
        self.market().spared()
    }

    fn alone(&mut self) -> Option<&mut Market> {
        match &mut self.arena {
            Arena::Market(market) => Some(market),
            Arena::Economy(_) => None,
        }
    }
}
