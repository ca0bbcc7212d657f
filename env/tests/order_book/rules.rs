//! What each kind of order does, one row each. Orders are named by the order in which they were accepted.

use std::collections::BTreeMap;

use seawall_env::book::Side::{self, Buy, Sell};
use seawall_env::book::order::SelfTrade::{Allow, CancelBoth, CancelNewest, CancelOldest, DecrementAndCancel};
use seawall_env::book::order::TimeInForce::{FillOrKill, ImmediateOrCancel, PostOnly};
use seawall_env::book::order::{
    AccountId, Event, Fees, Lots, NetPositions, NewOrder, OrderBook, OrderBookConfig, OrderId, Tick,
};
use seawall_env::units::{Rate, Usd};

#[derive(Clone, Copy)]
enum Step {
    Send(NewOrder),
    Cancel(usize),
    CancelAll(u32),
    Amend(usize, u32, u64),
    /// Gives an account a position from outside.
    Position(u32, i64),
}

use Step::{Amend, Cancel, CancelAll, Position, Send};

fn limit(account: u32, side: Side, lots: u64, tick: u32) -> NewOrder {
    NewOrder::limit(AccountId(account), side, Tick(tick), Lots(lots))
}

fn market(account: u32, side: Side, lots: u64) -> NewOrder {
    NewOrder::market(AccountId(account), side, Lots(lots))
}

/// What the last step told, in short words.
fn told(steps: &[Step]) -> Vec<String> {
    let mut book = OrderBook::new(&OrderBookConfig { ticks: 1_000, ..OrderBookConfig::default() }).expect("valid");
    let mut positions = NetPositions::default();
    let mut names: Vec<OrderId> = Vec::new();
    let mut events = Vec::new();
    for &step in steps {
        events.clear();
        match step {
            Send(order) => names.extend(book.submit(order, &mut positions, &mut events)),
            Cancel(order) => drop(book.cancel(names[order - 1], &mut events)),
            CancelAll(account) => book.cancel_all(AccountId(account), &mut events),
            Amend(order, tick, lots) => {
                let _ = book.amend(names[order - 1], Tick(tick), Lots(lots), &mut positions, &mut events);
            }
            Position(account, lots) => positions.shift(AccountId(account), lots),
        }
        book.assert_consistent();
    }
    let numbers: BTreeMap<_, _> = names.iter().zip(1..).map(|(&name, number): (_, u32)| (name, number)).collect();
    events.iter().map(|event| short(event, &numbers)).collect()
}

fn short(event: &Event, numbers: &BTreeMap<OrderId, u32>) -> String {
    match *event {
        Event::Accepted { order, lots, .. } => format!("{} in {}", numbers[&order], lots.0),
        Event::Rejected { reason, .. } => format!("{reason:?}"),
        Event::Amended { order, tick, lots, kept_rank } => {
            let rank = if kept_rank { "kept" } else { "lost" };
            format!("{} now {} @ {} {rank}", numbers[&order], lots.0, tick.0)
        }
        Event::Trade(t) => format!("{} x {} {} @ {}", numbers[&t.maker], numbers[&t.taker], t.lots.0, t.tick.0),
        Event::Cancelled { order, lots, reason, .. } => format!("{} loses {} {reason:?}", numbers[&order], lots.0),
        Event::Done { order, .. } => format!("{} done", numbers[&order]),
    }
}

fn check(rows: &[(&str, &[Step], &[&str])]) {
    for (name, steps, expected) in rows {
        assert_eq!(told(steps), *expected, "{name}");
    }
}

#[test]
fn better_prices_trade_first_and_older_orders_at_one_price() {
    let asks = [Send(limit(1, Sell, 5, 102)), Send(limit(2, Sell, 5, 101)), Send(limit(3, Sell, 5, 101))];
    let with = |step| [asks[0], asks[1], asks[2], step];
    check(&[
        ("an older order at the best price", &with(Send(market(9, Buy, 2))), &["4 in 2", "2 x 4 2 @ 101", "4 done"]),
        (
            "through two orders and two prices",
            &with(Send(market(9, Buy, 12))),
            &["4 in 12", "2 x 4 5 @ 101", "2 done", "3 x 4 5 @ 101", "3 done", "1 x 4 2 @ 102", "4 done"],
        ),
        (
            "up to the limit, at the resting price, and the rest rests",
            &with(Send(limit(9, Buy, 12, 101))),
            &["4 in 12", "2 x 4 5 @ 101", "2 done", "3 x 4 5 @ 101", "3 done"],
        ),
        ("a limit short of the best price rests", &with(Send(limit(9, Buy, 1, 100))), &["4 in 1"]),
        (
            "bids: the highest first",
            &[Send(limit(1, Buy, 1, 99)), Send(limit(2, Buy, 1, 100)), Send(limit(3, Sell, 2, 99))],
            &["3 in 2", "2 x 3 1 @ 100", "2 done", "1 x 3 1 @ 99", "1 done", "3 done"],
        ),
        ("a cancelled order trades no more", &with(Cancel(2)), &["2 loses 5 Requested", "2 done"]),
        (
            "nor stands in the way",
            &[asks[0], asks[1], asks[2], Cancel(2), Send(market(9, Buy, 1))],
            &["4 in 1", "3 x 4 1 @ 101", "4 done"],
        ),
    ]);
}

#[test]
fn time_in_force_decides_over_the_rest() {
    let asks = [Send(limit(1, Sell, 5, 101)), Send(limit(2, Sell, 5, 102))];
    let with = |step| [asks[0], asks[1], step];
    let buy = |lots, tick, life| Send(limit(9, Buy, lots, tick).with_life(life));
    check(&[
        (
            "market: nobody left",
            &with(Send(market(9, Buy, 11))),
            &["3 in 11", "1 x 3 5 @ 101", "1 done", "2 x 3 5 @ 102", "2 done", "3 loses 1 Unfilled", "3 done"],
        ),
        ("market: nobody there", &[Send(market(9, Sell, 1))], &["1 in 1", "1 loses 1 Unfilled", "1 done"]),
        (
            "immediate or cancel",
            &with(buy(7, 101, ImmediateOrCancel)),
            &["3 in 7", "1 x 3 5 @ 101", "1 done", "3 loses 2 Unfilled", "3 done"],
        ),
        ("fill or kill, one lot short", &with(buy(6, 101, FillOrKill)), &["Unfillable"]),
        (
            "fill or kill, exactly",
            &with(buy(10, 102, FillOrKill)),
            &["3 in 10", "1 x 3 5 @ 101", "1 done", "2 x 3 5 @ 102", "2 done", "3 done"],
        ),
        ("post only at the other side's price", &with(buy(1, 101, PostOnly)), &["WouldTake"]),
        ("post only one tick before", &with(buy(1, 100, PostOnly)), &["3 in 1"]),
    ]);
}

#[test]
fn self_trade_prevention_follows_the_incoming_order() {
    // Account 1 has 3 lots in front of account 2's 5, and comes with 4.
    let book = [Send(limit(1, Sell, 3, 101)), Send(limit(2, Sell, 5, 101))];
    let with = |mode| [book[0], book[1], Send(limit(1, Buy, 4, 101).with_self_trade(mode))];
    let kill = |mode| [book[0], book[1], Send(limit(1, Buy, 4, 101).with_life(FillOrKill).with_self_trade(mode))];
    check(&[
        ("cancel newest", &with(CancelNewest), &["3 in 4", "3 loses 4 SelfTrade", "3 done"]),
        ("cancel oldest", &with(CancelOldest), &["3 in 4", "1 loses 3 SelfTrade", "1 done", "2 x 3 4 @ 101", "3 done"]),
        (
            "cancel both",
            &with(CancelBoth),
            &["3 in 4", "1 loses 3 SelfTrade", "3 loses 4 SelfTrade", "1 done", "3 done"],
        ),
        (
            "decrement and cancel, the resting one smaller",
            &with(DecrementAndCancel),
            &["3 in 4", "1 loses 3 SelfTrade", "3 loses 3 SelfTrade", "1 done", "2 x 3 1 @ 101", "3 done"],
        ),
        (
            "decrement and cancel, the incoming one smaller",
            &[book[0], Send(market(1, Buy, 2).with_self_trade(DecrementAndCancel))],
            &["2 in 2", "1 loses 2 SelfTrade", "2 loses 2 SelfTrade", "2 done"],
        ),
        ("allow", &with(Allow), &["3 in 4", "1 x 3 3 @ 101", "1 done", "2 x 3 1 @ 101", "3 done"]),
        ("fill or kill would be cancelled by its own", &kill(CancelNewest), &["Unfillable"]),
        ("fill or kill would lose lots to its own", &kill(DecrementAndCancel), &["Unfillable"]),
        (
            "fill or kill cancels its own on the way",
            &kill(CancelOldest),
            &["3 in 4", "1 loses 3 SelfTrade", "1 done", "2 x 3 4 @ 101", "3 done"],
        ),
    ]);
}

#[test]
fn reduce_only_follows_the_position_at_the_time_of_the_trade() {
    let bid = Send(limit(2, Buy, 9, 100));
    let ask = Send(limit(1, Sell, 5, 101).reducing());
    check(&[
        ("no position", &[bid, Send(market(1, Sell, 1).reducing())], &["NothingToReduce"]),
        (
            "a position on the same side",
            &[Position(1, -3), bid, Send(market(1, Sell, 1).reducing())],
            &["NothingToReduce"],
        ),
        (
            "more than the position",
            &[Position(1, 3), bid, Send(market(1, Sell, 5).reducing())],
            &["2 in 5", "2 loses 2 ReduceOnly", "1 x 2 3 @ 100", "2 done"],
        ),
        (
            "a resting order, when the position has shrunk",
            &[Position(1, 5), ask, Position(1, -3), Send(market(9, Buy, 4))],
            &["2 in 4", "1 loses 3 ReduceOnly", "1 x 2 2 @ 101", "1 done", "2 loses 2 Unfilled", "2 done"],
        ),
        (
            "a resting order, when the position is gone",
            &[Position(1, 5), ask, Position(1, -5), Send(market(9, Buy, 4))],
            &["2 in 4", "1 loses 5 ReduceOnly", "1 done", "2 loses 4 Unfilled", "2 done"],
        ),
        (
            "two resting orders share one position",
            &[Position(1, 5), ask, ask, Send(market(9, Buy, 9))],
            &["3 in 9", "1 x 3 5 @ 101", "1 done", "2 loses 5 ReduceOnly", "2 done", "3 loses 4 Unfilled", "3 done"],
        ),
        (
            "fill or kill does not count on them",
            &[Position(1, 5), ask, Send(limit(9, Buy, 5, 101).with_life(FillOrKill))],
            &["Unfillable"],
        ),
        (
            "fill or kill is whole or nothing",
            &[Position(1, 3), bid, Send(limit(1, Sell, 5, 100).with_life(FillOrKill).reducing())],
            &["Unfillable"],
        ),
    ]);
}

#[test]
fn an_amended_order_keeps_its_rank_only_if_it_shrinks_in_place() {
    let book = [Send(limit(1, Buy, 5, 100)), Send(limit(2, Buy, 5, 100)), Send(limit(3, Sell, 5, 102))];
    let with = |step| [book[0], book[1], book[2], step];
    let then = |step| [book[0], book[1], book[2], step, Send(market(9, Sell, 1))];
    check(&[
        ("smaller", &with(Amend(1, 100, 2)), &["1 now 2 @ 100 kept"]),
        ("smaller stays first", &then(Amend(1, 100, 2)), &["4 in 1", "1 x 4 1 @ 100", "4 done"]),
        ("larger", &with(Amend(1, 100, 6)), &["1 now 6 @ 100 lost"]),
        ("larger is last", &then(Amend(1, 100, 6)), &["4 in 1", "2 x 4 1 @ 100", "4 done"]),
        ("another price", &with(Amend(1, 99, 2)), &["1 now 2 @ 99 lost"]),
        (
            "across the spread it trades, and rests with what is left",
            &with(Amend(1, 102, 7)),
            &["1 now 7 @ 102 lost", "3 x 1 5 @ 102", "3 done"],
        ),
        ("and may end there", &with(Amend(1, 103, 5)), &["1 now 5 @ 103 lost", "3 x 1 5 @ 102", "3 done", "1 done"]),
        (
            "post only stays post only",
            &[Send(limit(1, Buy, 5, 100).with_life(PostOnly)), book[2], Amend(1, 102, 5)],
            &["WouldTake"],
        ),
        ("to nothing", &with(Amend(1, 100, 0)), &["SizeOutOfRange"]),
        ("off the grid", &with(Amend(1, 1_001, 5)), &["PriceOutOfRange"]),
        ("one that is gone", &[book[0], Cancel(1), Amend(1, 100, 1)], &["UnknownOrder"]),
    ]);
}

#[test]
fn an_account_that_leaves_takes_all_its_orders_along_and_no_other() {
    let book = [
        Send(limit(1, Sell, 1, 102)),
        Send(limit(1, Buy, 2, 99)),
        Send(limit(2, Buy, 3, 100)),
        Send(limit(1, Buy, 4, 100)),
        Send(limit(1, Sell, 5, 900)),
    ];
    let then = |step| [book[0], book[1], book[2], book[3], book[4], CancelAll(1), step];
    check(&[
        (
            "best first, bids first",
            &then(CancelAll(1))[..6],
            &[
                "4 loses 4 Requested",
                "4 done",
                "2 loses 2 Requested",
                "2 done",
                "1 loses 1 Requested",
                "1 done",
                "5 loses 5 Requested",
                "5 done",
            ],
        ),
        (
            "the other account's stay",
            &then(Send(market(9, Sell, 9))),
            &["6 in 9", "3 x 6 3 @ 100", "3 done", "6 loses 6 Unfilled", "6 done"],
        ),
        ("nothing to take", &then(CancelAll(1)), &[]),
    ]);
}

#[test]
fn wrong_messages_are_refused() {
    check(&[
        ("no lots", &[Send(limit(1, Buy, 0, 100))], &["SizeOutOfRange"]),
        ("too many lots", &[Send(market(1, Buy, 1 << 32))], &["SizeOutOfRange"]),
        ("no price", &[Send(limit(1, Sell, 1, 0))], &["PriceOutOfRange"]),
        ("a price above the grid", &[Send(limit(1, Sell, 1, 1_001))], &["PriceOutOfRange"]),
        ("the highest price", &[Send(limit(1, Sell, 1, 1_000))], &["1 in 1"]),
        ("cancelled twice", &[Send(limit(1, Buy, 1, 100)), Cancel(1), Cancel(1)], &["UnknownOrder"]),
        (
            "cancelled after it traded",
            &[Send(limit(1, Buy, 1, 100)), Send(market(2, Sell, 1)), Cancel(1)],
            &["UnknownOrder"],
        ),
        (
            "cancelled after its place went to another",
            &[Send(limit(1, Buy, 1, 100)), Cancel(1), Send(limit(2, Buy, 1, 100)), Cancel(1)],
            &["UnknownOrder"],
        ),
    ]);
}

#[test]
fn a_trade_tells_its_fees_in_money() {
    // 3 lots of 0.001 coin at tick 600 of 0.1 dollars are worth 0.18 dollars. 1 bp of it is 18 micro-dollars to the
    // maker; 2.5 bp, 45 micro-dollars, from the taker.
    let fees = Fees { maker: Rate::from_raw(-100_000), taker: Rate::from_raw(250_000) };
    let mut book = OrderBook::new(&OrderBookConfig { fees, ..OrderBookConfig::default() }).unwrap();
    let mut events = Vec::new();
    book.submit(limit(1, Sell, 5, 600), &mut (), &mut events).unwrap();
    book.submit(market(2, Buy, 3), &mut (), &mut events).unwrap();
    let Event::Trade(trade) = events[2] else { panic!("{:?}", events[2]) };
    assert_eq!((trade.maker_fee, trade.taker_fee), (Usd::from_raw(-18), Usd::from_raw(45)));
    assert_eq!((trade.maker_account, trade.taker_account), (AccountId(1), AccountId(2)));
}

#[test]
fn wrong_configurations_are_refused_with_every_problem() {
    let config = OrderBookConfig {
        ticks: 0,
        orders: u32::MAX,
        fees: Fees { maker: Rate::from_f64(2.0), taker: Rate::ZERO },
        ..OrderBookConfig::default()
    };
    let text = OrderBook::new(&config).unwrap_err().to_string();
    for field in ["book.ticks = 0", "book.orders = 4294967295", "book.fees.maker = 2"] {
        assert!(text.contains(field), "{text}");
    }
}
