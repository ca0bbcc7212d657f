//! Which markets are played and which windows are read for the validation table.

pub(crate) mod page;
pub(crate) mod sensitivity;
mod squeeze;
mod windows;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use seawall_env::liquidation::Preset;
use seawall_env::market::Site;
use seawall_env::scenario::{ClockConfig, Scenario};
use seawall_env::world::{ShockConfig, ShockStart};
use seawall_env::{Purpose, SeedTree};
use seawall_eval::validation::facts::{self, Run};
use seawall_eval::validation::simulate::{Recording, record_all};
use seawall_eval::validation::{
    Row, auctions, books, cascade, concessions, contagion, counterfactual, impact, procyclicality, signs, toxic,
};

use crate::calibrator::windows as list;
use crate::progress::Voice;

/// How much is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    seed: u64,
    /// Quiet days for stylised facts.
    days: usize,
    /// Seeds of crash days, shocks and metaorders.
    seeds: usize,
    /// Days that a window of real bars is held against.
    window_days: usize,
    /// Seeds of each scenario on which policies are ranked on two books.
    ranked: usize,
}

impl Plan {
    /// The full table, or a look at it.
    pub(crate) const fn new(seed: u64, quick: bool) -> Self {
        if quick {
            Self { seed, days: 4, seeds: 4, window_days: 4, ranked: 2 }
        } else {
            Self { seed, days: 32, seeds: 20, window_days: 21, ranked: 8 }
        }
    }

    /// Held-out seeds of one family of rows.
    fn seeds(&self, family: u64, count: usize) -> Vec<u64> {
        let tree = SeedTree::new(self.seed);
        (0..count as u64).map(|index| tree.seed(Purpose::Episode, family << 32 | index)).collect()
    }
}

/// Rows that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// The venue that crash days are played on: the one whose crash was replayed fill by fill.
const CRASH_VENUE: &str = "hyperliquid";
/// The venue whose keepers bid in auctions: the one whose keepers dropped out in March 2020, by its later rules.
const AUCTION_VENUE: &str = "maker_liq2";
/// Where in its horizon the sudden fall comes.
const FALL_START: f64 = 0.5;

/// Measures every row that can be.
///
/// # Errors
/// If a file of data is there and wrong, or policies cannot be ranked.
pub(crate) fn measure(plan: &Plan, data: Option<&Path>, voice: Voice) -> anyhow::Result<Vec<Section>> {
    voice.say(&list::describe());
    voice.say("quiet days");
    let calm = record_all(&site("calm", CRASH_VENUE, Some(day(1.0))), &plan.seeds(1, plan.days));
    let mut sections = vec![facts_of(&calm)];
    voice.say("metaorders");
    sections.push(liquidity(plan));
    voice.say("crashes");
    sections.push(crashes(plan, &calm));
    voice.say("counterfactuals");
    sections.push(counterfactuals(plan));
    sections.push(margin(&calm, data)?);
    voice.say("two books");
    let ranked = books::ranking(plan.seed, plan.ranked).context("ranking policies on two books")?;
    sections.push(Section { title: "Sim to sim".to_owned(), rows: vec![ranked] });
    match data {
        None => {
            let reason = "no --data: real windows are not compared";
            let row = Row::new("windows", "simulated against real bars", [None, None], "").skip(reason);
            sections.push(Section { title: "Real windows".to_owned(), rows: vec![row] });
        }
        Some(data) => sections.extend(windows::sections(plan, data, &calm, voice)?),
    }
    Ok(sections)
}

/// A shipped scenario on a shipped venue, with another clock if one is given.
fn site(scenario: &str, venue: &str, clock: Option<ClockConfig>) -> Site {
    let scenario = Scenario::shipped(scenario).expect("the scenario is shipped");
    with_venue(scenario, venue, clock)
}

fn with_venue(mut scenario: Scenario, venue: &str, clock: Option<ClockConfig>) -> Site {
    let venue = Preset::shipped(venue).expect("the venue is shipped");
    if let Some(clock) = clock {
        scenario.clock = clock;
    }
    Site::new(Arc::new(venue.furnish(scenario)), venue.pipeline)
}

/// Whole days in ticks of so many seconds.
fn day(tick_seconds: f64) -> ClockConfig {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ticks of a decision")]
    let ticks_per_decision = libm::round(60.0 / tick_seconds) as u32;
    ClockConfig { tick_seconds, ticks_per_decision, decisions: 1_440, slow_interval: 60 }
}

/// Returns and volumes at bars of so many seconds, one run for each episode.
fn runs(recordings: &[Recording], seconds: f64) -> Vec<Run> {
    let run = |recording: &Recording| {
        let (returns, volumes) = recording.sampled(seconds);
        Run { returns, volumes }
    };
    recordings.iter().map(run).collect()
}

fn facts_of(calm: &[Recording]) -> Section {
    let mut rows = facts::calm_table(&runs(calm, 60.0), 720);
    rows.extend(cascade::calm_market(calm));
    rows.extend(signs::rows(calm));
    let title = format!("Stylised facts: {} quiet days, bars of one minute", calm.len());
    Section { title, rows }
}

fn liquidity(plan: &Plan) -> Section {
    let calm = site("calm", CRASH_VENUE, Some(day(1.0)));
    let mut rows = impact::metaorders(&calm, &plan.seeds(2, plan.seeds));
    rows.push(impact::book_alone(&calm));
    rows.push(impact::depth_profile(&calm, &plan.seeds(3, plan.seeds)));
    Section { title: "Liquidity".to_owned(), rows }
}

fn crashes(plan: &Plan, calm: &[Recording]) -> Section {
    let mut shocked = Scenario::shipped("calm").expect("the scenario is shipped");
    shocked.world.shocks = vec![ShockConfig {
        start: ShockStart::Fraction([FALL_START, FALL_START]),
        log_return: [libm::log(0.97); 2],
        duration_seconds: [1.0, 1.0],
        ..ShockConfig::default()
    }];
    let mut rows =
        vec![cascade::sudden_fall(&with_venue(shocked, "legacy_full", None), FALL_START, &plan.seeds(4, plan.seeds))];
    // The recorded total is that of fourteen hours.
    let clock = ClockConfig { decisions: 1_680, ..ClockConfig::default() };
    rows.extend(cascade::crash_day(&site("crash_day", CRASH_VENUE, Some(clock)), &plan.seeds(5, plan.seeds)));
    rows.push(cascade::calm_branching(calm));
    let title = format!("Cascades: fourteen hours of crash_day on {CRASH_VENUE}, {} seeds", plan.seeds);
    Section { title, rows }
}

fn counterfactuals(plan: &Plan) -> Section {
    let venue = Preset::shipped(CRASH_VENUE).expect("the venue is shipped");
    let furnished = |id: &str| venue.furnish(Scenario::shipped(id).expect("the scenario is shipped"));
    let tense = Scenario { clock: day(2.0), ..furnished("tense") };
    let mut rows = counterfactual::leverage(&tense, venue.pipeline, &plan.seeds(8, plan.seeds));
    rows.push(counterfactual::pooled_vault(&furnished("jelly"), venue.pipeline, &plan.seeds(9, plan.seeds)));
    rows.push(contagion::correlation_by_forced_sales(&plan.seeds(11, plan.seeds)));
    rows.push(concessions::queue_over_pro_rata(&furnished("crash_day"), venue.pipeline, &plan.seeds(12, plan.seeds)));
    let maker = Preset::shipped(AUCTION_VENUE).expect("the venue is shipped");
    let dropout = Scenario::shipped("keeper_dropout").expect("the scenario is shipped");
    rows.extend(auctions::dropout(&maker.furnish(dropout), maker.pipeline, &plan.seeds(13, plan.seeds)));
    let (squeezed, lender) = squeeze::november_2022();
    rows.extend(toxic::rows(&squeezed, lender, &plan.seeds(14, plan.seeds)));
    Section { title: "One thing changed".to_owned(), rows }
}

/// Margin tools, on real days where there are any.
fn margin(calm: &[Recording], data: Option<&Path>) -> anyhow::Result<Section> {
    let title = "Margin and procyclicality".to_owned();
    let Some(data) = data else {
        // Quarter hours of quiet days stand in for days: there are enough of them.
        let returns: Vec<f64> = runs(calm, 900.0).into_iter().flat_map(|run| run.returns).collect();
        return Ok(Section { title, rows: procyclicality::rows(&returns, "simulated quarter hours") });
    };
    let returns = windows::daily_returns(data).context("reading daily returns")?;
    Ok(Section { title, rows: procyclicality::rows(&returns, "BTC, daily, 2017 to 2026") })
}
