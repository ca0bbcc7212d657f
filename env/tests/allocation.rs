//! The matching engine allocates while it warms up, and never again.

use allocation_counter::measure;
use seawall_env::book::order::streams::{DEEP, Message, Replay, SHALLOW, Stream, book};

#[test]
fn a_warm_book_allocates_nothing() {
    for (stream, warm) in [(SHALLOW, 50_000), (DEEP, 400_000)] {
        let (messages, _) = Stream { messages: 2 * warm, ..stream }.generate(7);
        let (first, second) = messages.split_at(warm as usize);
        let mut replay = Replay::new(book()).with_capacity(messages.len());
        let mut allocations = |messages: &[Message]| {
            let run = || {
                for &message in messages {
                    replay.apply(message);
                }
            };
            measure(run).count_total
        };
        assert!(allocations(first) > 0, "{}: pages are opened where orders first rest", stream.name);
        assert_eq!(allocations(second), 0, "{}", stream.name);
    }
}
