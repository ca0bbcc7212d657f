//! Speed of the market, the environment, and the book.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Context;
use seawall_env::action::{ACTIONS, Controls};
use seawall_env::book::order::streams::{self, DEEP, Replay, SHALLOW};
use seawall_env::book::{Book, DepthBook, Quotes};
use seawall_env::liquidation::{Pipeline, presets};
use seawall_env::margin::Position;
use seawall_env::market::{Market, Site};
use seawall_env::units::{Price, Qty};
use seawall_env::world::{InitialRegime, Model, WorldConfig};
use seawall_env::{CascadeEnv, Env, Groups, SeedTree, Task, VecEnv};

use super::{Figures, repeat};
use crate::places::shipped;
use crate::settings::Settings;

/// Populations of the quiet market.
const ACCOUNTS: [u32; 5] = [1_000, 2_000, 10_000, 100_000, 1_000_000];

/// Environments of a `VecEnv`: enough for every thread to have several.
const ENVIRONMENTS: usize = 16;
/// Environments whose states fit into no cache together.
const MANY: usize = 256;

/// ABIDES-Gym, scenario rmsc04, 11.8 and 11.1 environment steps per processor second: both of its environments, snapshot
/// of December 2023, measured in November 2026 on one core of the kind that these figures were taken on.
const ABIDES_GYM: f64 = 12.0;
/// FLOX, `LiquidationEngine` at 100,000 accounts, which looks at each of them on every mark: measured likewise.
const FLOX_MARK_NS: f64 = 241_000.0;
/// Accounts of a mark move, as in that figure.
const MARKED: u32 = 100_000;

/// Measures market and environment.
///
/// # Errors
/// If the settings make no market.
pub(super) fn measure(settings: &Settings, seconds: f64, figures: &mut Figures) -> anyhow::Result<()> {
    let pipeline = presets::by_name(&settings.task.preset).context("the preset of the settings")?;
    for (key, scenario) in [("market.ticks_per_s", "calm"), ("market.crash_ticks_per_s", "crash_day")] {
        figures.add(format!("env.{key}"), ticks_per_second(settings, pipeline, scenario, seconds)?, "ticks / CPU s");
    }
    figures.add("env.reference.abides_gym_steps_per_s", ABIDES_GYM, "steps / CPU s, measured November 2026");
    for (key, scenario) in [("decisions_per_s", "calm"), ("crash_decisions_per_s", "crash_day")] {
        figures.add_against(
            format!("env.{key}"),
            decisions_per_second(settings, pipeline, scenario, seconds)?,
            "decisions / CPU s",
            "env.reference.abides_gym_steps_per_s",
        );
    }
    let key = "env.three_by_three.decisions_per_s";
    figures.add(key, decisions_per_second(settings, pipeline, "three_by_three", seconds)?, "decisions / CPU s");
    let ticks = f64::from(settings.market.clock.ticks_per_decision);
    let decisions = figures.value("env.decisions_per_s").expect("just measured");
    figures.add_against("env.ticks_per_s", decisions * ticks, "ticks / CPU s", "env.market.ticks_per_s");
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for count in std::iter::successors(Some(1), |count| Some(count * 2)).take_while(|count| *count <= threads) {
        let rate = lockstep_per_second(settings, pipeline, count, seconds)?;
        figures.add_against(
            format!("env.vec_decisions_per_s.{count}"),
            rate,
            "decisions / s",
            "env.vec_decisions_per_s.1",
        );
    }
    let few = lockstep_per_cpu_second(settings, pipeline, 1, seconds)?;
    figures.add("env.vec_cpu_decisions_per_s.1_environment", few, "decisions / CPU s");
    let many = lockstep_per_cpu_second(settings, pipeline, MANY, seconds)?;
    figures.add_against(
        format!("env.vec_cpu_decisions_per_s.{MANY}_environments"),
        many,
        "decisions / CPU s",
        "env.vec_cpu_decisions_per_s.1_environment",
    );
    mark_moves(settings, pipeline, seconds, figures);
    for accounts in ACCOUNTS {
        let nanoseconds = quiet_tick(settings, pipeline, accounts, seconds, figures);
        figures.add_against(format!("env.quiet_tick_ns.{accounts}"), nanoseconds, "CPU ns", "env.quiet_tick_ns.1000");
    }
    Ok(())
}

/// A bare market under neutral controls, without observation and reward.
fn ticks_per_second(settings: &Settings, pipeline: Pipeline, id: &str, seconds: f64) -> anyhow::Result<f64> {
    let scenario = shipped(settings, id)?;
    let horizon = scenario.horizon_ticks();
    let site = Site::new(Arc::new(scenario), pipeline);
    let mut seed = 0;
    let (ticks, _, cpu) = repeat(seconds, || {
        let mut market = site.open(seed);
        seed += 1;
        market.set_controls(Controls::default());
        (0..horizon).for_each(|_| market.tick());
        horizon
    });
    Ok(ticks / cpu)
}

fn environment(settings: &Settings, pipeline: Pipeline, id: &str) -> anyhow::Result<CascadeEnv> {
    let scenario = shipped(settings, id)?;
    let task = Task::new(vec![scenario], pipeline, settings.reward, Groups::default())?;
    Ok(CascadeEnv::new(Arc::new(task)))
}

fn decisions_per_second(settings: &Settings, pipeline: Pipeline, id: &str, seconds: f64) -> anyhow::Result<f64> {
    let mut env = environment(settings, pipeline, id)?;
    let mut observation = vec![0.0; env.spec().observation.len()];
    let action = Controls::default().encode();
    let mut seed = 0;
    let (decisions, _, cpu) = repeat(seconds, || {
        env.reset(seed, &mut observation);
        seed += 1;
        let mut decisions = 1;
        while !env.step(&action, &mut observation).status.is_over() {
            decisions += 1;
        }
        decisions
    });
    Ok(decisions / cpu)
}

/// Wall time, because that is what threads buy.
fn lockstep_per_second(settings: &Settings, pipeline: Pipeline, threads: usize, seconds: f64) -> anyhow::Result<f64> {
    let env = environment(settings, pipeline, "calm")?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("making a thread pool")?;
    let mut envs = VecEnv::new(vec![env; ENVIRONMENTS], SeedTree::new(0));
    let actions = Controls::default().encode().repeat(ENVIRONMENTS);
    assert_eq!(actions.len(), ENVIRONMENTS * ACTIONS, "one action for each environment");
    // Twice the processor time on two threads is the same wall time.
    #[expect(clippy::cast_precision_loss, reason = "a count of threads")]
    let budget = seconds * threads as f64;
    let (decisions, watch, _) = repeat(budget, || {
        pool.install(|| (0..16).for_each(|_| envs.step(&actions)));
        16 * ENVIRONMENTS as u64
    });
    Ok(decisions / watch.wall().as_secs_f64())
}

/// On one thread, so that only caches tell many environments from one.
fn lockstep_per_cpu_second(
    settings: &Settings,
    pipeline: Pipeline,
    environments: usize,
    seconds: f64,
) -> anyhow::Result<f64> {
    let env = environment(settings, pipeline, "calm")?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().context("making a thread pool")?;
    let mut envs = VecEnv::new(vec![env; environments], SeedTree::new(0));
    let actions = Controls::default().encode().repeat(environments);
    let rounds = (MANY / environments).max(16);
    let (decisions, _, cpu) = repeat(seconds, || {
        pool.install(|| (0..rounds).for_each(|_| envs.step(&actions)));
        (rounds * environments) as u64
    });
    Ok(decisions / cpu)
}

/// A market in which prices stand still and nobody acts.
fn quiet_market(settings: &Settings, pipeline: Pipeline, accounts: u32) -> Market {
    let mut world = WorldConfig { model: Model::Gbm, ..WorldConfig::default() };
    world.gbm.volatility = 1e-6;
    world.regimes.initial = InitialRegime::Calm;
    let mut scenario = settings.market.scenario("quiet", "Nothing happens.", world);
    scenario.traders.accounts = accounts;
    // Interest would carry accounts to their triggers, however still the price.
    scenario.funding.interest = 0.0;
    // Nor do other venues learn what the first liquidations have done: it would come back over hours.
    scenario.venue.home_share = 0.0;
    for class in &mut scenario.traders.classes {
        class.rate = 0.0;
    }
    let mut market = Site::new(Arc::new(scenario), pipeline).open(0);
    market.set_controls(Controls::default());
    // What the draw at reset left near a trigger is gone after this.
    (0..2_000).for_each(|_| market.tick());
    market
}

/// A mark that moves by up to 10 bp and brings nobody to call or trigger: what the market does about it, against asking
/// every account, here and in the engine that does so.
fn mark_moves(settings: &Settings, pipeline: Pipeline, seconds: f64, figures: &mut Figures) {
    let market = quiet_market(settings, pipeline, MARKED);
    let mark = market.state().prices.mark;
    let around = |parts: i64| (0..64).map(|i| Price::from_raw(mark.raw() + (i - 32) * (mark.raw() / parts))).collect();
    // Nearer to the mark where somebody stands within 10 bp of a call.
    let mut ranges = (0..16).map(|halvings| around(32_000 << halvings));
    let marks: Vec<Price> = ranges
        .find(|marks: &Vec<Price>| marks.iter().all(|&mark| market.is_quiet_at(mark)))
        .expect("a market at rest is quiet at its mark");
    let (scans, _, cpu) = repeat(seconds, || {
        let short: usize = marks[..2].iter().map(|&mark| short_of_margin(&market, black_box(mark))).sum();
        assert_eq!(black_box(short), 0, "the scan and the index agree");
        2
    });
    figures.add(format!("env.mark_scan_ns.{MARKED}"), 1e9 * cpu / scans, "CPU ns, every account asked");
    figures.add("env.reference.flox_mark_ns", FLOX_MARK_NS, "CPU ns, every account asked; measured November 2026");
    let (moves, _, cpu) = repeat(seconds, || {
        let mut quiet = 0;
        for _ in 0..1_000 {
            quiet += marks.iter().filter(|&&mark| black_box(&market).is_quiet_at(black_box(mark))).count() as u64;
        }
        quiet
    });
    let key = "env.reference.flox_mark_ns";
    figures.add_against(format!("env.mark_move_ns.{MARKED}"), 1e9 * cpu / moves, "CPU ns", key);
    figures.add_against("env.mark_move_against_scan", 1e9 * cpu / moves, "CPU ns", "env.mark_scan_ns.100000");
}

/// Accounts below the marginal maintenance of their notional at a mark, by asking each of them.
fn short_of_margin(market: &Market, mark: Price) -> usize {
    let (ledger, schedule, adjustment) = (&market.state().ledger, market.schedule(), market.adjustment());
    let ids = 0..market.scenario().traders.accounts;
    ids.filter(|&id| {
        let qty = ledger.qty(id);
        !qty.is_zero() && {
            let position = Position { qty, cash: ledger.cash(id), funding: ledger.funding_paid(id) };
            schedule.is_short(&position, mark, ledger.funding(), adjustment)
        }
    })
    .count()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53 bytes")]
fn bytes(market: &Market) -> f64 {
    market.bytes() as f64
}

/// A tick in which prices stand still and nobody acts: what merely having accounts costs.
fn quiet_tick(settings: &Settings, pipeline: Pipeline, accounts: u32, seconds: f64, figures: &mut Figures) -> f64 {
    let mut market = quiet_market(settings, pipeline, accounts);
    figures.add(format!("env.memory_bytes.{accounts}"), bytes(&market), "bytes of one market");
    figures.add(format!("env.memory_bytes_per_account.{accounts}"), bytes(&market) / f64::from(accounts), "bytes");
    let before = market.outcome().liquidated_accounts;
    let (ticks, _, cpu) = repeat(seconds, || {
        (0..1_000).for_each(|_| market.tick());
        1_000
    });
    assert_eq!(market.outcome().liquidated_accounts, before, "nobody is liquidated in a quiet market");
    1e9 * cpu / ticks
}

/// Measures the home book.
pub(super) fn measure_book(settings: &Settings, seconds: f64, figures: &mut Figures) {
    let quotes = Quotes {
        outside: 60_000.0,
        pull: 0.0,
        lean: 0.0,
        half_spread: settings.market.book.half_spread_bp * 1e-4,
        liquidity: [1.0, 1.0],
        latent: 1.0,
    };
    let clock = settings.market.clock.tick_seconds;
    let mut book = DepthBook::new(&settings.market.book, 60_000.0, clock);
    let (refreshes, _, cpu) = repeat(seconds, || {
        (0..1_000).for_each(|_| book.refresh(quotes));
        1_000
    });
    figures.add("book.depth.refreshes_per_s", refreshes / cpu, "refreshes / CPU s");
    for (key, dollars) in [("book.depth.small_takes_per_s", 10_000.0), ("book.depth.large_takes_per_s", 1_000_000.0)] {
        let qty = Qty::from_f64(dollars / 60_000.0);
        let mut book = DepthBook::new(&settings.market.book, 60_000.0, clock);
        let (takes, _, cpu) = repeat(seconds, || {
            // A refresh in between refills the book: an empty one would be measured otherwise.
            for _ in 0..100 {
                book.take(qty, None);
                book.take(-qty, None);
                book.refresh(quotes);
            }
            200
        });
        figures.add(key, takes / cpu, "takes / CPU s, half a refresh each");
    }
    for (stream, key) in [(&SHALLOW, "book.shallow.messages_per_s"), (&DEEP, "book.deep.messages_per_s")] {
        let (messages, _) = stream.generate(settings.run.seed);
        let (handled, _, cpu) = repeat(seconds, || {
            let mut replay = Replay::new(streams::book()).with_capacity(messages.len());
            messages.iter().for_each(|&message| {
                black_box(replay.apply(message));
            });
            messages.len() as u64
        });
        figures.add(key, handled / cpu, "messages / CPU s, events and fees included");
    }
}
