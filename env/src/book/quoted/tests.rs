use proptest::prelude::*;

use super::*;

const HALF_SPREAD: f64 = 5e-5;

fn book() -> QuotedBook {
    QuotedBook::new(&BookConfig::default(), 8, 50_000.0, 1.0)
}

#[test]
fn a_full_book_shows_the_configured_depth_profile() {
    let book = book();
    let within = |bp: f64| book.depth(Side::Buy, bp * 1e-4 + HALF_SPREAD) * 50_000.0;
    // The grid has 320 steps of 2.7 %, and a step's size is on its outer edge.
    assert!((within(100.0) / 12e6 - 1.0).abs() < 0.03, "{}", within(100.0));
    assert!((within(10.0) / within(100.0) / 0.2138 - 1.0).abs() < 0.03);
    assert!((book.mid() - 50_000.0).abs() < 0.1, "a tick: {}", book.mid());
}

#[test]
fn a_larger_order_pays_more_and_never_beyond_its_limit() {
    let cost = |coins: f64| {
        let fill = book().take(Qty::from_f64(coins), None);
        fill.value.as_f64() / fill.qty.as_f64()
    };
    assert!(cost(100.0) > cost(10.0) && cost(10.0) > 50_000.0);
    for limit in [49_900.0, 49_900.03] {
        let fill = book().take(Qty::from_f64(-10_000.0), Some(Price::from_f64(limit)));
        assert!(fill.qty.is_negative() && fill.qty > Qty::from_f64(-10_000.0));
        assert!(fill.value.as_f64() / fill.qty.as_f64() > limit);
    }
    // Limits between two ticks are no worse than named: half a tick before the best price nothing trades.
    let (half_tick, grid) = (Price::from_f64(0.05), *book().orders().grid());
    let (bid, ask) = (book().orders().best_bid().unwrap(), book().orders().best_ask().unwrap());
    for (coins, limit, fills) in [
        (1.0, grid.price(ask) - half_tick, false),
        (1.0, grid.price(ask) + half_tick, true),
        (-1.0, grid.price(bid) + half_tick, false),
        (-1.0, grid.price(bid) - half_tick, true),
    ] {
        let fill = book().take(Qty::from_f64(coins), Some(limit));
        assert_eq!(!fill.qty.is_zero(), fills, "{coins} at {limit}");
    }
    for limit in [0.01, -5.0] {
        assert!(book().take(Qty::from_f64(1.0), Some(Price::from_f64(limit))).qty.is_zero());
    }
}

#[test]
fn the_cost_of_an_exit_is_what_the_exit_costs() {
    let mut book = book();
    let (mid, expected) = (book.mid(), book.impact(Side::Sell, 40.0));
    let fill = book.take(Qty::from_f64(-40.0), None);
    assert!((1.0 - fill.value.as_f64() / fill.qty.as_f64() / mid - expected).abs() < 1e-9);
}

#[test]
fn a_hole_heals_at_the_refill_rate() {
    let mut book = book();
    let full = book.depth(Side::Sell, 0.005);
    let eaten = -book.take(Qty::from_f64(-0.9 * full), None).qty.as_f64();
    // The quotes that were eaten whole come back by half in one half-life of 4 seconds.
    for _ in 0..4 {
        book.refresh(50_000.0, HALF_SPREAD, [1.0, 1.0], 0.0);
    }
    let back = book.depth(Side::Sell, 0.005) - (full - eaten);
    assert!((back / eaten - 0.5).abs() < 0.02, "{}", back / eaten);
    for _ in 0..100 {
        book.refresh(50_000.0, HALF_SPREAD, [1.0, 1.0], 0.0);
    }
    assert!((book.depth(Side::Sell, 0.005) - full).abs() < 1e-6);
}

#[test]
fn an_order_larger_than_the_book_empties_it() {
    let mut book = book();
    let fill = book.take(Qty::from_f64(80_000_000.0), None);
    assert!(fill.qty > Qty::from_f64(1_000.0) && book.orders().best_ask().is_none());
    assert!(book.take(Qty::from_f64(1.0), None).qty.is_zero());
    assert!(book.impact(Side::Buy, 1.0) > 0.1);
}

#[test]
fn withdrawn_makers_leave_the_far_quotes() {
    let mut book = book();
    let shown = |book: &QuotedBook| {
        let (near, far) = (book.depth(Side::Sell, 0.01), book.depth(Side::Sell, 0.2));
        (near, far - near)
    };
    let full = shown(&book);
    for _ in 0..100 {
        book.refresh(50_000.0, HALF_SPREAD, [0.1, 1.0], 0.0);
    }
    let left = shown(&book);
    // Within 1 % the far share is below 0.6 · (1/4)³, so a tenth of liquidity leaves about a tenth of depth.
    // Most of what stands between 1 % and 20 % is beyond 4 %, where more than 0.3 + 0.7 · 0.1 of it stay.
    assert!((left.0 / full.0 - 0.1).abs() < 0.02, "{}", left.0 / full.0);
    assert!(left.1 / full.1 > 0.37, "{}", left.1 / full.1);
}

#[test]
fn nobody_bids_above_the_latent_price_and_asks_stay() {
    let mut book = book();
    let asks = |book: &QuotedBook| book.orders().levels(Side::Sell).collect::<Vec<_>>();
    let bid = |book: &QuotedBook| book.orders().grid().price(book.orders().best_bid().unwrap()).as_f64() / 50_000.0;
    let before = asks(&book);
    for _ in 0..100 {
        book.refresh(50_000.0, HALF_SPREAD, [1.0, 1.0], -0.005);
    }
    assert_eq!(asks(&book), before);
    assert!((bid(&book) - 0.995).abs() < 5e-4, "the best bid is at {} of the fair price", bid(&book));
    for _ in 0..100 {
        book.refresh(50_000.0, HALF_SPREAD, [1.0, 1.0], 0.0);
    }
    assert!(bid(&book) > 0.999_8, "they come back once the latent price does: {}", bid(&book));
}

#[test]
fn near_quotes_follow_a_small_move_and_far_ones_stay() {
    let mut book = book();
    let ends = |book: &QuotedBook| {
        let mut asks = book.orders().levels(Side::Sell).map(|(tick, _)| tick);
        (asks.next(), asks.last())
    };
    let (nearest, farthest) = ends(&book);
    // 2 bp: the nearest quote is 1 bp from the fair price, the farthest 25 %.
    book.refresh(50_010.0, HALF_SPREAD, [1.0, 1.0], 0.0);
    assert!(ends(&book).0 > nearest && ends(&book).1 == farthest);
    // 3 %: more than a tenth of 25 %.
    book.refresh(51_500.0, HALF_SPREAD, [1.0, 1.0], 0.0);
    assert!(ends(&book).1 > farthest);
}

#[test]
fn a_restored_book_goes_on_as_the_original() {
    let mut book = book();
    let _ = book.take(Qty::from_f64(-30.0), None);
    let mut restored: QuotedBook = postcard::from_bytes(&postcard::to_allocvec(&book).unwrap()).unwrap();
    for book in [&mut book, &mut restored] {
        book.refresh(50_100.0, HALF_SPREAD, [0.9, 0.4], 0.0);
    }
    let order = Qty::from_f64(55.0);
    assert_eq!(book.take(order, None), restored.take(order, None));
    assert_eq!(postcard::to_allocvec(&book).unwrap(), postcard::to_allocvec(&restored).unwrap());
}

#[test]
fn any_price_finds_a_grid_that_it_can_quadruple_on() {
    for price in [0.02, 0.3, 1.0, 9.99, 61_234.5, 99_999.0, 100_000.0, 3e6] {
        let mut book = QuotedBook::new(&BookConfig::default(), 8, price, 1.0);
        let tick = book.orders().grid().price(Tick(1)).as_f64();
        assert!(tick <= 1e-4 * price, "{tick} at {price}");
        book.refresh(4.0 * price, 5e-5, [1.0, 1.0], 0.0);
        assert!((book.mid() / price - 4.0).abs() < 1e-3, "{} at {price}", book.mid());
        let fill = book.take(Qty::from_f64(50_000.0 / price), None);
        assert!((fill.value.as_f64() / 200_000.0 - 1.0).abs() < 0.01, "{fill:?} at {price}");
    }
}

/// A change of the fair price, half a spread, liquidity, distance of the latent price, coins that are taken.
fn steps() -> impl Strategy<Value = (f64, f64, [f64; 2], f64, f64)> {
    // Large moves, and small ones within which far quotes stay.
    let factor = prop_oneof![0.6..1.6_f64, 0.999..1.001_f64];
    (factor, 0.0..0.01_f64, [0.0..1.5_f64, 0.0..1.5_f64], -0.02..0.02_f64, -400.0..400.0_f64)
}

proptest! {
    #[test]
    fn quotes_never_meet_and_makers_are_the_other_side(
        mut fair in prop_oneof![0.5..20.0_f64, 1_000.0..200_000.0_f64],
        steps in prop::collection::vec(steps(), 1..60),
    ) {
        let mut book = QuotedBook::new(&BookConfig::default(), 8, fair, 1.0);
        let mut total = Fill::default();
        for (factor, half_spread, liquidity, latent, coins) in steps {
            fair = (fair * factor).clamp(0.2, 400_000.0);
            book.refresh(fair, half_spread, liquidity, latent);
            book.orders().assert_consistent();
            let fill = book.take(Qty::from_f64(coins), None);
            prop_assert!(fill.qty.abs() <= Qty::from_f64(coins).abs());
            prop_assert!(book.mid().is_finite() && book.half_spread() > 0.0);
            total.qty += fill.qty;
            total.value += fill.value;
        }
        let mut makers = Fill::default();
        book.settle(|_, fill| {
            makers.qty += fill.qty;
            makers.value += fill.value;
        });
        prop_assert_eq!((makers.qty, makers.value), (-total.qty, -total.value));
        book.settle(|_, fill| assert_eq!(fill, Fill::default(), "a fill was settled twice"));
    }
}
