//! What a counterfactual needs: who enters liquidation, and one account that the venue lets be.
//!
//! Nothing of it is part of a snapshot, and nothing changes for anybody else until the spared account would have entered.

use super::Market;
use super::ledger::AccountId;
use crate::units::Usd;

/// What became of an account that was let be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spared {
    /// The account.
    pub account: AccountId,
    /// Tick at which it would have entered liquidation.
    pub entered: Option<u64>,
    /// Lowest equity at mark at the end of a tick since then.
    pub lowest: Usd,
}

/// What is listened for. Kept out of the state: it changes no result.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    /// Accounts that entered since they were last taken, if anybody listens.
    entries: Option<Vec<AccountId>>,
    spared: Option<Spared>,
}

impl Witness {
    /// Forgets what belonged to another episode; whoever listened still does.
    pub(super) fn forget(&mut self) {
        self.spared = None;
        if let Some(entries) = &mut self.entries {
            entries.clear();
        }
    }
}

impl Market {
    /// Begins to note who enters liquidation on margin of its own; portfolios are not noted.
    pub fn note_entries(&mut self) {
        self.scratch.witness.entries.get_or_insert_default();
    }

    /// Accounts that entered liquidation since the last call, in the order in which they did; none unless they are noted.
    pub fn take_entries(&mut self) -> Vec<AccountId> {
        self.scratch.witness.entries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Lets an account be from the moment at which it would enter liquidation: its position stays as it is, it does nothing,
    /// and nothing is done to it, auto-deleveraging included. Only one account is spared at a time.
    pub fn spare(&mut self, account: AccountId) {
        self.scratch.witness.spared = Some(Spared { account, entered: None, lowest: Usd::ZERO });
    }

    /// What became of the spared account, if there is one.
    #[must_use]
    pub const fn spared(&self) -> Option<Spared> {
        self.scratch.witness.spared
    }

    /// Notes that an account enters; whether it is one to let be.
    pub(super) fn lets_be(&mut self, id: AccountId) -> bool {
        let tick = self.state.tick;
        if let Some(spared) = self.scratch.witness.spared.as_mut().filter(|spared| spared.account == id) {
            spared.entered.get_or_insert(tick);
            spared.lowest = self.state.ledger.equity(id, self.state.prices.mark);
            return true;
        }
        if let Some(entries) = &mut self.scratch.witness.entries {
            entries.push(id);
        }
        false
    }

    /// Looks at the spared account once it is let be.
    pub(super) fn follow_spared(&mut self) {
        let Some(spared) = self.scratch.witness.spared.as_mut().filter(|spared| spared.entered.is_some()) else {
            return;
        };
        spared.lowest = spared.lowest.min(self.state.ledger.equity(spared.account, self.state.prices.mark));
    }
}
