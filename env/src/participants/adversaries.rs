//! Adversaries: whales whose aim is the backstop. None by default.
//!
//! Either kind has two accounts: the *bait*, whose liquidation the backstop has to take over, and the *hand*, which moves
//! the price. They trade on the home book under the venue's own margin, halts and fees, with money that they bring.
//! Predictable: they follow a script and do not learn. Not here: several wallets in place of one, and what an adversary
//! pays on other venues.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::rng::{Purpose, SeedTree};
use crate::world::{Clock, WindowConfig, validate_range};

/// Accounts of each adversary: bait and hand.
pub const ACCOUNTS: u32 = 2;

/// An adversary.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdversaryConfig {
    /// Liquidates its own short into the backstop, and pushes the price on.
    Jelly(JellyConfig),
    /// Props the price up with a wall, levers up above it, and takes the wall away.
    Popcat(PopcatConfig),
}

/// A short (bait) and a long (hand) of the same size; margin is withdrawn from the short, and the price is pushed up
/// elsewhere, so that whoever takes the short over loses what the long gains.
///
/// # Reference
/// Hyperliquid, 26 March 2025: a short of 4.1 million dollars against two longs of 2.15 and 1.9, about 7.17 million of
/// deposits, the price up by 400–429 % within about an hour; the vault's loss stood at 10.6 to 13.5 million (announcements,
/// Arkham, Lookonchain).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JellyConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Notional of either position, over reference open interest. In (0, 1].
    pub size: f64,
    /// Money of either account, over reference open interest. In (0, 10].
    pub capital: f64,
    /// Time in which the positions are built, in seconds. In [1, 86400].
    pub build_seconds: f64,
    /// Log return that it gives prices elsewhere, drawn from this range within [0, 3]; what impact decays is lost to it.
    pub log_return: [f64; 2],
    /// Time that the push takes, in seconds. In [1, 86400].
    pub push_seconds: f64,
    /// Time in which the long is sold afterwards, in seconds. In [1, 86400].
    pub exit_seconds: f64,
}

/// A levered long (bait) above a wall of bids (hand) that is withdrawn before it has been eaten.
///
/// # Reference
/// Hyperliquid, 12 November 2025: longs of 26–30 million dollars on 3 million of capital in 19 wallets, a wall of 20
/// million, a fall by 25–43 % within minutes of its removal, 4.9 million lost by the vault (announcements, Arkham,
/// Lookonchain).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopcatConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Notional of the long, over reference open interest. In (0, 1].
    pub size: f64,
    /// Money behind the long, over reference open interest. In (0, 10].
    pub capital: f64,
    /// Time in which the long is built, in seconds. In [1, 86400].
    pub build_seconds: f64,
    /// Notional of the wall, over reference open interest; it is paid in full. In (0, 10].
    pub wall: f64,
    /// Distance of the wall from the price that the long was built up to, relative. In [0, 0.9].
    pub wall_distance: f64,
    /// Time that the wall stands, in seconds. In [1, 86400].
    pub hold_seconds: f64,
    /// Time in which what the wall has bought is sold afterwards, in seconds. In [1, 86400].
    pub exit_seconds: f64,
}

impl AdversaryConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let mut all = |fields: &[(&str, f64, f64, f64)]| {
            for &(field, value, low, high) in fields {
                problems.range(format!("{path}.{field}"), value, low, high);
            }
        };
        match self {
            Self::Jelly(jelly) => all(&[
                ("jelly.size", jelly.size, 1e-6, 1.0),
                ("jelly.capital", jelly.capital, 1e-6, 10.0),
                ("jelly.build_seconds", jelly.build_seconds, 1.0, 86_400.0),
                ("jelly.push_seconds", jelly.push_seconds, 1.0, 86_400.0),
                ("jelly.exit_seconds", jelly.exit_seconds, 1.0, 86_400.0),
            ]),
            Self::Popcat(popcat) => all(&[
                ("popcat.size", popcat.size, 1e-6, 1.0),
                ("popcat.capital", popcat.capital, 1e-6, 10.0),
                ("popcat.build_seconds", popcat.build_seconds, 1.0, 86_400.0),
                ("popcat.wall", popcat.wall, 1e-6, 10.0),
                ("popcat.wall_distance", popcat.wall_distance, 0.0, 0.9),
                ("popcat.hold_seconds", popcat.hold_seconds, 1.0, 86_400.0),
                ("popcat.exit_seconds", popcat.exit_seconds, 1.0, 86_400.0),
            ]),
        }
        match self {
            Self::Jelly(jelly) => {
                validate_range(&format!("{path}.jelly.start_fraction"), jelly.start_fraction, 0.0, 1.0, problems);
                validate_range(&format!("{path}.jelly.log_return"), jelly.log_return, 0.0, 3.0, problems);
            }
            Self::Popcat(popcat) => {
                validate_range(&format!("{path}.popcat.start_fraction"), popcat.start_fraction, 0.0, 1.0, problems);
            }
        }
    }

    /// Money of bait and hand, over reference open interest.
    #[must_use]
    pub const fn capital(&self) -> [f64; 2] {
        match self {
            Self::Jelly(jelly) => [jelly.capital, jelly.capital],
            Self::Popcat(popcat) => [popcat.capital, popcat.wall],
        }
    }

    /// Notional of the bait over reference open interest; positive is long.
    #[must_use]
    pub const fn bait(&self) -> f64 {
        match self {
            Self::Jelly(jelly) => -jelly.size,
            Self::Popcat(popcat) => popcat.size,
        }
    }

    const fn start_fraction(&self) -> [f64; 2] {
        match self {
            Self::Jelly(jelly) => jelly.start_fraction,
            Self::Popcat(popcat) => popcat.start_fraction,
        }
    }

    /// Lengths of building, acting and leaving, in seconds.
    const fn seconds(&self) -> [f64; 3] {
        match self {
            Self::Jelly(jelly) => [jelly.build_seconds, jelly.push_seconds, jelly.exit_seconds],
            Self::Popcat(popcat) => [popcat.build_seconds, popcat.hold_seconds, popcat.exit_seconds],
        }
    }
}

/// What an adversary is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing yet, or nothing any more.
    Idle,
    /// Builds its positions; ticks left, this one included.
    Build(u64),
    /// Pushes, or holds its wall; ticks left, this one included.
    Act(u64),
    /// Leaves; ticks left, this one included.
    Exit(u64),
}

/// An adversary's script in one episode, and how far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adversary {
    /// First ticks of building, acting and leaving, and the first tick after.
    pub ticks: [u64; 4],
    /// Log return that it gives prices elsewhere in a tick of the push.
    pub push: f64,
    /// Coins of the bait, once it has begun; positive is long.
    pub coins: Option<f64>,
    /// Whether margin has been withdrawn.
    pub has_withdrawn: bool,
    /// Price of the wall, in dollars, while it stands.
    pub wall: Option<f64>,
}

impl Adversary {
    /// The script that the `n`-th adversary of an episode draws.
    #[must_use]
    pub fn draw(config: &AdversaryConfig, n: u64, clock: Clock, seeds: SeedTree) -> Self {
        let [at, strength] = seeds.counter(Purpose::Adversaries, n).uniform2(0, 0);
        let [start, _] = start_of(config).draw(clock, [at, 0.5]);
        let ticks = stages(config, clock, start);
        let push = push(config, ticks, strength);
        Self { ticks, push, coins: None, has_withdrawn: false, wall: None }
    }

    /// Draws anew what the ticks before `now` have not shown: the strength of a push that has not begun, and the start of
    /// a script that has not.
    pub(crate) fn redraw(&mut self, config: &AdversaryConfig, n: u64, clock: Clock, now: u64, seeds: SeedTree) {
        let [at, strength] = seeds.counter(Purpose::Adversaries, n).uniform2(0, 0);
        let [start, act, ..] = self.ticks;
        if start >= now {
            let [start, _] = start_of(config).redraw(clock, [start; 2], now, [at, 0.5]);
            self.ticks = stages(config, clock, start);
        }
        if act >= now {
            self.push = push(config, self.ticks, strength);
        }
    }

    /// What it is doing at `tick`.
    #[must_use]
    pub const fn stage(&self, tick: u64) -> Stage {
        let [start, act, exit, end] = self.ticks;
        if tick < start || tick >= end {
            Stage::Idle
        } else if tick < act {
            Stage::Build(act - tick)
        } else if tick < exit {
            Stage::Act(exit - tick)
        } else {
            Stage::Exit(end - tick)
        }
    }
}

fn start_of(config: &AdversaryConfig) -> WindowConfig {
    WindowConfig { start_fraction: config.start_fraction(), seconds: [0.0, 0.0] }
}

/// First ticks of building, acting and leaving, and the first tick after, of a script that starts at `start`.
fn stages(config: &AdversaryConfig, clock: Clock, start: u64) -> [u64; 4] {
    let [build, act, exit] = config.seconds().map(|seconds| clock.ticks_in(seconds).max(1));
    [start, start + build, start + build + act, start + build + act + exit]
}

#[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
fn push(config: &AdversaryConfig, [_, act, exit, _]: [u64; 4], strength: f64) -> f64 {
    match config {
        AdversaryConfig::Jelly(jelly) => {
            let [low, high] = jelly.log_return;
            (low + (high - low) * strength) / (exit - act) as f64
        }
        AdversaryConfig::Popcat(_) => 0.0,
    }
}
