//! The matching engine against a reference that is too simple to be wrong, and by tables.

mod pair;
mod reference;
mod rules;

use pair::{Pair, config};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use seawall_env::book::Side;
use seawall_env::book::order::{AccountId, Command, Event, Lots, NewOrder, OrderBook, OrderBookConfig, Tick};

/// Runs bytes through both books; returns the number of trades.
fn differ(bytes: &[u8]) -> u64 {
    let mut pair = Pair::new();
    for command in Command::from_bytes(bytes) {
        pair.run(command);
        pair.assert_equal();
    }
    pair.trades
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_and_the_reference_report_the_same(
        commands in prop::collection::vec(any::<[u8; Command::BYTES]>(), 1..300)
    ) {
        differ(&commands.concat());
    }

    #[test]
    fn a_restored_book_goes_on_as_the_original(
        before in prop::collection::vec(any::<[u8; Command::BYTES]>(), 1..150),
        after in prop::collection::vec(any::<[u8; Command::BYTES]>(), 1..150),
    ) {
        let mut pair = Pair::new();
        Command::from_bytes(&before.concat()).for_each(|command| pair.run(command));
        let bytes = postcard::to_allocvec(&pair.book).unwrap();
        pair.book = postcard::from_bytes(&bytes).unwrap();
        pair.assert_equal();
        Command::from_bytes(&after.concat()).for_each(|command| pair.run(command));
        pair.assert_equal();
    }
}

#[test]
fn random_streams_trade() {
    let mut bytes = vec![0; 4_000 * Command::BYTES];
    ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut bytes);
    // A stream of which less than a tenth trades would say little about matching.
    assert!(differ(&bytes) > 400);
}

#[test]
#[ignore = "half a minute: `cargo test --release -p seawall-env --test order_book -- --ignored`"]
fn long_random_streams_report_the_same() {
    for seed in 0..400 {
        let mut bytes = vec![0; 10_000 * Command::BYTES];
        ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
        differ(&bytes);
    }
}

/// Prices far apart, so that every command opens or closes a page.
#[test]
fn the_far_ends_of_the_grid_meet() {
    let mut book = OrderBook::new(&OrderBookConfig { ticks: (1 << 24) - 1, ..config() }).unwrap();
    let mut events = Vec::new();
    let limit = |side, tick| NewOrder::limit(AccountId(tick % 7), side, Tick(tick), Lots(1));
    for tick in [1, 512, 70_000, 8_000_000] {
        book.submit(limit(Side::Buy, tick), &mut (), &mut events).unwrap();
        book.submit(limit(Side::Sell, (1 << 24) - tick), &mut (), &mut events).unwrap();
        book.assert_consistent();
    }
    assert_eq!((book.best_bid(), book.best_ask()), (Some(Tick(8_000_000)), Some(Tick((1 << 24) - 8_000_000))));
    events.clear();
    let sell = NewOrder::market(AccountId(9), Side::Sell, Lots(9));
    book.submit(sell, &mut (), &mut events).unwrap();
    let ticks: Vec<_> =
        events.iter().filter_map(|e| if let Event::Trade(t) = e { Some(t.tick.0) } else { None }).collect();
    assert_eq!(ticks, [8_000_000, 70_000, 512, 1]);
    book.assert_consistent();
}
