//! The market recorded tick by tick: prices, volume, forced flow, depth.

use rayon::prelude::*;
use seawall_env::action::Controls;
use seawall_env::book::{Book, Side};
use seawall_env::market::{AccountId, AuctionRun, Concession, Market, Site, Takeover};
use seawall_env::outcome::Outcome;
use seawall_env::units::{Qty, Usd};

use crate::statistics::real;

/// Ticks between two looks at depth, which is a walk over levels.
const DEPTH_EVERY: u64 = 10;

/// One episode.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Seconds in a tick.
    pub tick_seconds: f64,
    /// Mid of the home book after each tick, the one at reset first.
    pub mid: Vec<f64>,
    /// Value traded on the home book in each tick, in dollars.
    pub volume: Vec<f64>,
    /// Value that left liquidated accounts in each tick, in dollars.
    pub liquidated: Vec<f64>,
    /// Accounts that entered liquidation in each tick.
    pub entered: Vec<f64>,
    /// Accounts in liquidation whose position shrank in each tick: forced orders, of which a venue's record of fills has one
    /// line or several.
    pub reduced: Vec<f64>,
    /// Value closed by auto-deleveraging in each tick, in dollars.
    pub deleveraged: Vec<f64>,
    /// Home mid over the price elsewhere, less one, in each tick.
    pub basis: Vec<f64>,
    /// Depth within 1 % over that at reset, every [`Recording::depth_seconds`].
    pub depth: Vec<f64>,
    /// Half the spread of the reference size over mid, as often.
    pub half_spread: Vec<f64>,
    /// Signs of the orders that traded on the home book, in their order: 1 bought, -1 sold.
    pub signs: Vec<i8>,
    /// What deleveraging took from whom.
    pub concessions: Vec<Concession>,
    /// Runs of falling-price auctions that ended.
    pub auctions: Vec<AuctionRun>,
    /// What keepers took over from liquidated accounts.
    pub takeovers: Vec<Takeover>,
    /// What accounts still in liquidation at the end owe beyond what they have, at mark, in dollars: bad debt that nobody
    /// has booked yet.
    pub stranded: f64,
    /// Largest sum over ticks of that and of the bad debt that had been booked, in dollars.
    pub owed_peak: f64,
    /// Open interest at the end over that at reset.
    pub interest_left: f64,
    /// Totals.
    pub outcome: Outcome,
}

impl Recording {
    /// Seconds between two looks at depth.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    pub const fn depth_seconds(&self) -> f64 {
        DEPTH_EVERY as f64 * self.tick_seconds
    }

    /// Log returns of the mid, and value traded, between moments `seconds` apart.
    #[must_use]
    pub fn sampled(&self, seconds: f64) -> (Vec<f64>, Vec<f64>) {
        let step = self.ticks(seconds).max(1);
        let closes: Vec<f64> = self.mid.iter().step_by(step).map(|mid| libm::log(*mid)).collect();
        let returns = closes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        (returns, self.volume.chunks_exact(step).map(|chunk| chunk.iter().sum()).collect())
    }

    /// Whole ticks nearest to a duration.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "durations within an episode")]
    pub fn ticks(&self, seconds: f64) -> usize {
        libm::round(seconds / self.tick_seconds) as usize
    }

    /// Largest sum of `series` within any window of so many seconds, and where it starts.
    #[must_use]
    pub fn densest(&self, series: &[f64], seconds: f64) -> (f64, usize) {
        let width = self.ticks(seconds).max(1).min(series.len());
        let mut sum: f64 = series[..width].iter().sum();
        let mut best = (sum, 0);
        for start in 1..=series.len() - width {
            sum += series[start + width - 1] - series[start - 1];
            if sum > best.0 {
                best = (sum, start);
            }
        }
        best
    }
}

/// Plays one episode to its horizon at the venue's own parameters.
#[must_use]
pub fn record(site: &Site, seed: u64) -> Recording {
    record_with(site, seed, Controls::default())
}

/// Plays one episode to its horizon at constant parameters.
#[must_use]
pub fn record_with(site: &Site, seed: u64, controls: Controls) -> Recording {
    let mut market = site.open(seed);
    market.set_controls(controls);
    market.listen();
    let ticks = site.scenario().horizon_ticks();
    let capacity = usize::try_from(ticks).unwrap_or(0);
    let new = || Vec::with_capacity(capacity);
    let mut recording = Recording {
        tick_seconds: market.tick_seconds(),
        mid: new(),
        volume: new(),
        liquidated: new(),
        entered: new(),
        reduced: new(),
        deleveraged: new(),
        basis: new(),
        depth: Vec::new(),
        half_spread: Vec::new(),
        signs: Vec::new(),
        concessions: Vec::new(),
        auctions: Vec::new(),
        takeovers: Vec::new(),
        stranded: 0.0,
        owed_peak: 0.0,
        interest_left: 1.0,
        outcome: *market.outcome(),
    };
    recording.mid.push(market.state().book.mid());
    let mut cases = Vec::new();
    for tick in 0..ticks {
        market.tick();
        note(&mut recording, &market, tick);
        hear(&mut recording, &mut market);
        recording.stranded = stranded(&market);
        recording.owed_peak = recording.owed_peak.max(recording.outcome.bad_debt.as_f64() + recording.stranded);
        let reduced = reduced(&mut cases, &market, recording.entered.last().copied().unwrap_or(0.0));
        recording.reduced.push(reduced);
    }
    let interest = market.open_interest().as_f64();
    recording.interest_left = interest / market.outcome().reference_open_interest.as_f64();
    recording
}

fn note(recording: &mut Recording, market: &Market, tick: u64) {
    let (before, now) = (recording.outcome, *market.outcome());
    let traded = |outcome: &Outcome| (outcome.natural_volume + outcome.forced_volume).as_f64();
    let state = market.state();
    let mid = state.book.mid();
    recording.mid.push(mid);
    recording.volume.push(traded(&now) - traded(&before));
    recording.liquidated.push((now.liquidated - before.liquidated).as_f64());
    recording.deleveraged.push((now.deleveraged - before.deleveraged).as_f64());
    let entered = now.liquidated_accounts - before.liquidated_accounts;
    recording.entered.push(real(usize::try_from(entered).unwrap_or(0)));
    recording.basis.push(mid / state.prices.outside - 1.0);
    if tick.is_multiple_of(DEPTH_EVERY) {
        let depth = 0.5 * (state.book.depth(Side::Buy, 0.01) + state.book.depth(Side::Sell, 0.01));
        recording.depth.push(depth / state.depth_reference);
        recording.half_spread.push(state.book.half_spread());
    }
    recording.outcome = now;
}

/// Takes over what the market has noted of single events since the last tick.
fn hear(recording: &mut Recording, market: &mut Market) {
    let Some(events) = market.events_mut() else { return };
    recording.signs.extend(events.orders.iter().map(|order| if order.value.is_negative() { -1 } else { 1 }));
    recording.concessions.extend_from_slice(&events.concessions);
    recording.auctions.extend_from_slice(&events.auctions);
    recording.takeovers.extend_from_slice(&events.takeovers);
    events.clear();
}

/// What accounts in liquidation owe beyond what they have, at mark.
fn stranded(market: &Market) -> f64 {
    let (ledger, mark) = (&market.state().ledger, market.state().prices.mark);
    let owed = |(id, _): (AccountId, _)| (-ledger.equity(id, mark)).positive_part();
    market.forced_cases().map(owed).sum::<Usd>().as_f64()
}

/// Accounts whose position liquidation cut in the last tick, in which `entered` came under it. `cases` holds those under it
/// after the tick before, with their positions, and is brought up to date.
fn reduced(cases: &mut Vec<(AccountId, Qty)>, market: &Market, entered: f64) -> f64 {
    let ledger = &market.state().ledger;
    let of_old = cases.iter().filter(|(id, qty)| ledger.qty(*id) != *qty).count();
    let is_new = |id: AccountId| cases.iter().all(|(old, _)| *old != id);
    let (mut stayed, mut of_new) = (0, 0);
    for (_, [start, now]) in market.forced_cases().filter(|(id, _)| is_new(*id)) {
        stayed += 1;
        of_new += usize::from(start != now);
    }
    // Whoever came and went within the tick was closed or restored by an order.
    let gone = (entered - real(stayed)).max(0.0);
    cases.clear();
    cases.extend(market.forced_cases().map(|(id, [_, now])| (id, now)));
    real(of_old + of_new) + gone
}

/// Plays the episodes of some seeds in parallel, in the order of the seeds.
#[must_use]
pub fn record_all(site: &Site, seeds: &[u64]) -> Vec<Recording> {
    seeds.par_iter().map(|seed| record(site, *seed)).collect()
}
