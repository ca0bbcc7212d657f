//! Messages per second of the matching engine and of two peers, on the same streams in the same run.
//!
//! `cargo bench -p seawall-env --bench book [-- ours]`: with `ours` the peers are left out, for a profiler.
//! The clock is processor time; pin the process to one core to compare runs. Every engine hands every trade to the
//! caller, and all of them have to make the same trades.
#![expect(clippy::print_stdout, reason = "a benchmark is a report")]

mod peers;

use cpu_time::ProcessTime;
use peers::{Bourse, Engine, Fill, Lobster, Ours, Tally};
use seawall_env::book::order::streams::{DEEP, Message, SHALLOW};
use seawall_env::book::{Book, BookConfig, QuotedBook, Side};
use seawall_env::units::Qty;

const SEED: u64 = 7;
const RUNS: usize = 7;
/// Refreshes of the quoted book.
const TICKS: u32 = 20_000;

fn main() {
    let alone = std::env::args().any(|argument| argument == "ours");
    println!("| stream | engine | M messages/s | ns/message | ratio |");
    println!("|---|---|---|---|---|");
    let mut facts = Vec::new();
    for stream in [SHALLOW, DEEP] {
        let (messages, book) = stream.generate(SEED);
        let expected = fills::<Ours>(&messages);
        let ours = row::<Ours>(stream.name, &messages, &expected, None);
        if !alone {
            row::<Bourse>(stream.name, &messages, &expected, Some(ours));
            row::<Lobster>(stream.name, &messages, &expected, Some(ours));
        }
        let levels: Vec<_> = [Side::Buy, Side::Sell].iter().flat_map(|&side| book.levels(side)).collect();
        let resting: usize = levels.iter().map(|&(tick, _)| book.queue(tick).count()).sum();
        facts.push((stream.name, messages.len(), expected.len(), resting, levels.len()));
    }
    for (name, messages, fills, resting, levels) in facts {
        println!("\n{name}: {messages} messages, {fills} fills, {resting} orders on {levels} levels at the end");
    }
    quoted();
}

/// Prints what makers' quotes cost in a whole book: a refresh under moves of 1 bp, and an order of half a coin.
fn quoted() {
    const MAKERS: u32 = 8;
    let config = BookConfig::default();
    let mut book = QuotedBook::new(&config, MAKERS, 50_000.0, 1.0);
    let start = ProcessTime::now();
    for tick in 0..TICKS {
        book.refresh(if tick % 2 == 0 { 50_005.0 } else { 50_000.0 }, 5e-5, [1.0, 0.9], 0.0);
    }
    let refresh = start.elapsed().as_secs_f64() * 1e6 / f64::from(TICKS);
    let start = ProcessTime::now();
    for tick in 0..TICKS {
        let fill = book.take(Qty::from_f64(if tick % 2 == 0 { 0.5 } else { -0.5 }), None);
        if tick % 20 == 0 {
            book.refresh(50_000.0, 5e-5, [1.0, 1.0], 0.0);
        }
        assert!(!fill.qty.is_zero(), "refreshed often enough to have something to take");
    }
    let take = start.elapsed().as_secs_f64() * 1e6 / f64::from(TICKS);
    let quotes = 2 * MAKERS * config.levels;
    println!("\nQuotedBook: {refresh:.1} us a refresh of {quotes} quotes, {take:.2} us a take with a refresh every 20");
}

/// Every trade of a stream.
fn fills<E: Engine>(messages: &[Message]) -> Vec<Fill> {
    let mut engine = E::new(messages.len());
    let mut fills = Vec::new();
    for &message in messages {
        engine.apply(message, |fill| fills.push(fill));
    }
    fills
}

/// Prints one engine's row; returns its nanoseconds per message.
fn row<E: Engine>(stream: &str, messages: &[Message], expected: &[Fill], ours: Option<f64>) -> f64 {
    assert!(fills::<E>(messages) == expected, "{} makes other trades", E::NAME);
    let tally = Tally { fills: expected.len() as u64, lots: expected.iter().map(|fill| fill.2).sum() };
    let mut seconds: Vec<f64> = (0..RUNS).map(|_| run::<E>(messages, tally)).collect();
    seconds.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let nanoseconds = seconds[RUNS / 2] * 1e9 / messages.len() as f64;
    let ratio = ours.map_or(1.0, |ours| nanoseconds / ours);
    println!("| {stream} | {} | {:.1} | {nanoseconds:.1} | {ratio:.2} |", E::NAME, 1e3 / nanoseconds);
    nanoseconds
}

/// Processor seconds that a stream takes.
fn run<E: Engine>(messages: &[Message], expected: Tally) -> f64 {
    let mut engine = E::new(messages.len());
    let mut tally = Tally::default();
    let start = ProcessTime::now();
    for &message in messages {
        engine.apply(message, |(_, _, lots)| {
            tally.fills += 1;
            tally.lots += lots;
        });
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(tally, expected, "{}", E::NAME);
    seconds
}
