//! What a caller may watch while an iteration runs. This crate reads no clock: whoever times, times from here.

/// Part of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Environments are stepped under the current policy.
    Collect,
    /// The networks learn from what was collected.
    Learn,
}

/// Is told when an iteration enters a phase; a phase ends where the next begins, the last when the iteration returns.
pub trait Observer {
    /// `phase` begins now.
    fn phase(&mut self, phase: Phase);
}

/// Watches nothing.
impl Observer for () {
    fn phase(&mut self, _: Phase) {}
}
