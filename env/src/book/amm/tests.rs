use proptest::prelude::*;

use super::*;
use crate::book::BookKind;
use crate::error::Problems;
use crate::units::Rounding;

const PRICE: f64 = 50_000.0;

fn config(curve: Curve) -> BookConfig {
    let amm = AmmConfig { curve, ..AmmConfig::default() };
    BookConfig { kind: BookKind::Amm, amm, ..BookConfig::default() }
}

fn book(curve: Curve) -> AmmBook {
    AmmBook::new(&config(curve), PRICE, 1.0)
}

fn free(curve: Curve) -> AmmBook {
    let mut config = config(curve);
    config.amm.fee_bp = 0.0;
    AmmBook::new(&config, PRICE, 1.0)
}

fn quotes(outside: f64, liquidity: f64) -> Quotes {
    Quotes { outside, pull: 1.0, lean: 1e-3, half_spread: 1e-3, liquidity: [liquidity; 2], latent: 1.0 }
}

fn mean(fill: Fill) -> f64 {
    fill.value.as_f64() / fill.qty.as_f64()
}

const CURVES: [Curve; 2] = [Curve::ConstantProduct, Curve::Concentrated];

#[test]
fn a_full_pool_has_the_configured_depth() {
    for curve in CURVES {
        let book = free(curve);
        for side in [Side::Buy, Side::Sell] {
            // An ask's coins are those of the formula; a bid's are as many dollars, of which the price has lost up to 1 %.
            let within = book.depth(side, 0.01) * PRICE;
            assert!((within / 12e6 - 1.0).abs() < 0.03, "{curve:?} {side:?}: {within}");
        }
    }
    // A constant product is that of 1 − 1/√(1 + w); 0.8 of a concentrated pool are as w^0.67, in steps of range.
    let ratio = |curve: Curve| {
        let book = free(curve);
        book.depth(Side::Buy, 0.1) / book.depth(Side::Buy, 0.01)
    };
    let product = (1.0 - 1.1_f64.sqrt().recip()) / (1.0 - 1.01_f64.sqrt().recip());
    assert!((ratio(Curve::ConstantProduct) - product).abs() < 1e-6);
    let dollars = CURVES.map(|curve| free(curve).depth(Side::Buy, 0.1) * PRICE);
    assert!((dollars[0] / 112.5e6 - 1.0).abs() < 0.01 && (dollars[1] / 67.1e6 - 1.0).abs() < 0.01, "{dollars:?}");
    let expected = 0.8 * libm::pow(10.0, 0.67) + 0.2 * product;
    assert!((ratio(Curve::Concentrated) / expected - 1.0).abs() < 0.03);
}

#[test]
fn a_constant_product_trades_by_its_closed_form() {
    // Coins x = d·(1 + 1 %)^½ / ((1 + 1 %)^½ − 1) / P for d dollars within 1 %, y = x·P; y′ = x·y / (x − q).
    let x = 12e6 / PRICE / (1.0 - 1.01_f64.sqrt().recip());
    for q in [0.01, 5.0, 240.0, 10_000.0] {
        for (sign, fee) in [(1.0, 1.0005), (-1.0, 0.9995)] {
            let mut book = book(Curve::ConstantProduct);
            let fill = book.take(Qty::from_f64(sign * q), None);
            let expected = x * PRICE * q / (x - sign * q) * fee;
            assert_eq!(fill.qty, Qty::from_f64(sign * q));
            // Two roundings to a micro-dollar.
            let off = (fill.value.abs().as_f64() - expected).abs();
            assert!(off < 2.1e-6 + 1e-9 * expected, "{sign} {q}: {fill:?}, {expected}");
            let root = x / (x - sign * q);
            let price = PRICE * root * root;
            assert!((book.price() / price - 1.0).abs() < 1e-9, "{} after, not {price}", book.price());
        }
    }
}

#[test]
fn ranges_trade_by_the_formulas_of_the_whitepaper_across_their_ends() {
    let mut book = free(Curve::Concentrated);
    let (edges, liquidity) = (book.pool.edges().to_vec(), book.pool.liquidity().to_vec());
    let centre = liquidity.len() / 2;
    assert_eq!(liquidity.len(), 17);
    assert!(liquidity.windows(2).take(8).all(|pair| pair[0] < pair[1]), "deepest at the centre: {liquidity:?}");
    // From the centre over two ends into the third range, half of its roots: Δx = L·Δ(1/√P), Δy = L·Δ√P.
    let target = (edges[centre + 2] + edges[centre + 3]) / 2;
    let roots = [book.pool.root(), edges[centre + 1], edges[centre + 2], target];
    let (mut coins, mut paid) = (0.0, 0.0);
    for (ends, &l) in roots.windows(2).zip(&liquidity[centre..]) {
        #[expect(clippy::cast_precision_loss, reason = "the expected value is a float")]
        let (from, to, l) = (float(ends[0]), float(ends[1]), l as f64);
        coins += l * (1.0 / from - 1.0 / to) / RAW_COINS;
        paid += l * (to - from) / RAW_DOLLARS;
    }
    let fill = book.take(Qty::from_f64(coins), None);
    assert!((fill.value.as_f64() / paid - 1.0).abs() < 1e-9, "{fill:?}, {paid}");
    assert!((float(book.pool.root()) / float(target) - 1.0).abs() < 1e-9);
}

#[test]
fn signals_say_what_a_swap_does() {
    for curve in CURVES {
        for qty in [-3_000.0, -40.0, 0.5, 700.0] {
            let mut book = book(curve);
            let (side, mid) = (Side::of(Qty::from_f64(qty)), book.mid());
            let expected = book.impact(side, qty.abs());
            let paid = mean(book.take(Qty::from_f64(qty), None));
            assert!(((paid / mid - 1.0).abs() - expected).abs() < 1e-9, "{curve:?} {qty}: {paid}, {expected}");
            // What a limit at a distance lets through is the depth within it.
            let mut book = self::book(curve);
            let depth = book.depth(side, 0.03);
            let limit = Price::from_f64(mid * if qty < 0.0 { 0.97 } else { 1.03 });
            let filled = book.take(if qty < 0.0 { Qty::from_f64(-1e6) } else { Qty::from_f64(1e6) }, Some(limit));
            assert!((filled.qty.abs().as_f64() / depth - 1.0).abs() < 1e-7, "{filled:?}, {depth}");
        }
        let book = book(curve);
        assert!((book.mid() / PRICE - 1.0).abs() < 1e-6);
        // The fee, and half of what 50,000 dollars move the price by.
        assert!(book.half_spread() > 5e-4 && book.half_spread() < 5.5e-4, "{}", book.half_spread());
    }
}

#[test]
fn news_moves_no_pool_unless_its_providers_re_peg() {
    for curve in CURVES {
        let mut book = book(curve);
        book.refresh(&quotes(40_000.0, 1.0));
        assert!((book.mid() / PRICE - 1.0).abs() < 1e-6);
    }
    let mut config = config(Curve::Concentrated);
    config.amm.repeg_rate = 0.5;
    // Half of the gap in a second, in logarithms, whatever the tick.
    for (seconds, ticks) in [(1.0, 1), (0.5, 2)] {
        let mut book = AmmBook::new(&config, PRICE, seconds);
        for _ in 0..ticks {
            book.refresh(&quotes(40_000.0, 1.0));
        }
        assert!((book.price() / (PRICE * 40_000.0).sqrt() - 1.0).abs() < 1e-9, "{}", book.price());
    }
}

#[test]
fn providers_withdraw_and_return_without_moving_the_price() {
    for curve in CURVES {
        let mut book = free(curve);
        let _ = book.take(Qty::from_f64(120.0), None);
        let (root, full) = (book.pool.root(), book.depth(Side::Sell, 0.05));
        for share in [0.995, 0.25, 0.001, 1.0] {
            book.refresh(&quotes(PRICE, share));
            assert_eq!(book.pool.root(), root);
            // Less than a hundredth is not worth the gas.
            let expected = if share > 0.99 { 1.0 } else { share };
            // The reference size's own impact moves mid where little is left.
            let left = book.depth(Side::Sell, 0.05) / full;
            assert!((left / expected - 1.0).abs() < 0.02 || share < 0.01, "{curve:?} {share}: {left}");
        }
    }
}

#[test]
fn ranges_follow_a_price_that_left_their_centre() {
    let deep = |recentre_at: f64, coins: f64| {
        let mut config = config(Curve::Concentrated);
        config.amm.recentre_at = recentre_at;
        let mut book = AmmBook::new(&config, PRICE, 1.0);
        let _ = book.take(Qty::from_f64(coins), None);
        let root = book.pool.root();
        book.refresh(&quotes(PRICE, 1.0));
        assert_eq!(book.pool.root(), root, "the price stays");
        book.depth(Side::Buy, 0.005)
    };
    // 2,000 coins move the price by some 15 %, to where an untouched pool is thin.
    assert!(deep(0.02, 2_000.0) > 2.0 * deep(0.0, 2_000.0), "{}, {}", deep(0.02, 2_000.0), deep(0.0, 2_000.0));
    assert!((deep(0.5, 100.0) - deep(0.0, 100.0)).abs() < 1e-12, "too near to move");
}

#[test]
fn a_pool_ends_and_starts_again_from_its_end() {
    for curve in CURVES {
        let mut book = book(curve);
        let bought = book.take(Qty::from_f64(80_000_000.0), None);
        assert!((book.price() / PRICE / 9.0 - 1.0).abs() < 1e-9 && bought.qty < Qty::from_f64(80_000_000.0));
        assert!(book.take(Qty::from_f64(1.0), None).qty.is_zero() && book.impact(Side::Buy, 1.0).is_finite());
        book.refresh(&quotes(PRICE, 0.5));
        let sold = book.take(Qty::from_f64(-80_000_000.0), None);
        assert!((book.price() / PRICE * 9.0 - 1.0).abs() < 1e-9 && sold.qty.is_negative());
        assert!(book.take(Qty::from_f64(-1.0), None).qty.is_zero());
        assert!(book.take(Qty::from_f64(100.0), None).qty == Qty::from_f64(100.0));
    }
}

#[test]
fn a_restored_pool_goes_on_as_the_original() {
    let mut book = book(Curve::Concentrated);
    let _ = book.take(Qty::from_f64(-300.0), None);
    let mut restored: AmmBook = postcard::from_bytes(&postcard::to_allocvec(&book).unwrap()).unwrap();
    for book in [&mut book, &mut restored] {
        book.refresh(&quotes(51_000.0, 0.7));
    }
    let order = Qty::from_f64(55.0);
    assert_eq!(book.take(order, None), restored.take(order, None));
    assert_eq!(postcard::to_allocvec(&book).unwrap(), postcard::to_allocvec(&restored).unwrap());
}

#[test]
fn wrong_parameters_are_named_all_at_once() {
    let mut config = config(Curve::ConstantProduct);
    config.depth_1pct = 2e9;
    config.amm = AmmConfig { fee_bp: -1.0, narrowest: 0.3, widest: 0.2, repeg_rate: 0.1, ranges: 1, ..config.amm };
    let mut problems = Problems::default();
    config.validate("book", &mut problems);
    let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        ["book.depth_1pct", "book.amm.fee_bp", "book.amm.ranges", "book.amm.widest", "book.amm.repeg_rate"]
    );
}

/// A pool at any price.
fn pools() -> impl Strategy<Value = AmmBook> {
    let price = prop_oneof![1e-6..1e-3_f64, 0.01..20.0_f64, 1_000.0..200_000.0_f64, 1e7..1e9_f64];
    let amm = (0..2_usize, prop_oneof![Just(0.0), 0.0..500.0_f64], 2..20_u32, 0.01..1.0_f64, 0.0..0.1_f64);
    (price, amm, 1e4..1e9_f64).prop_map(|(price, (curve, fee_bp, ranges, full_range, recentre_at), depth_1pct)| {
        let curve = CURVES[curve];
        let amm = AmmConfig { curve, fee_bp, ranges, full_range, recentre_at, ..AmmConfig::default() };
        AmmBook::new(&BookConfig { depth_1pct, ..BookConfig { amm, ..config(curve) } }, price, 1.0)
    })
}

/// Size of an order relative to the pool's depth within 1 %, from dust to many times as much; and its sign.
fn orders() -> impl Strategy<Value = f64> {
    (-12.0..1.2_f64, any::<bool>()).prop_map(|(power, buys)| libm::pow(10.0, power) * if buys { 1.0 } else { -1.0 })
}

/// As far as a dozen of them fit in a size.
fn sized(order: f64, depth: f64) -> Qty {
    Qty::from_f64((order * depth).clamp(-5e9, 5e9))
}

/// What a pool holds beyond what its liquidity requires, in units of 2⁻³² raw coins and dollars, rounded down.
fn surplus(book: &AmmBook) -> [U256; 2] {
    let root = U256::from(book.pool.root());
    let mut required = [U256::ZERO; 2];
    for (ends, &liquidity) in book.pool.edges().windows(2).zip(book.pool.liquidity()) {
        let [low, high] = [ends[0], ends[1]].map(U256::from);
        let (at, liquidity) = (root.clamp(low, high), U256::from(liquidity));
        required[0] += (liquidity << 96) * (high - at) / (at * high) + U256::ONE;
        required[1] += ((liquidity * (at - low)) >> 32) + U256::ONE;
    }
    let reserves = book.pool.reserves();
    std::array::from_fn(|i| {
        let held = U256::from(reserves[i]) << 32;
        // One unit of rounding for each range.
        held + U256::from(64_u32) - required[i]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_pool_holds_beyond_its_liquidity_never_falls(
        mut book in pools(),
        steps in prop::collection::vec((orders(), prop::option::weighted(0.3, 0.9..1.1_f64), 0.001..1.2_f64), 1..30),
    ) {
        let depth = book.depth(Side::Buy, 0.01);
        let (mut before, ends) = (surplus(&book), [book.pool.edges()[0], *book.pool.edges().last().unwrap()]);
        for (order, limit, liquidity) in steps {
            let mid = book.mid();
            let qty = sized(order, depth);
            let reserves = book.pool.reserves();
            let fill = book.take(qty, limit.map(|limit| Price::from_f64(mid * limit)));
            prop_assert!(fill.qty.abs() <= qty.abs() && fill.qty.signum() * qty.signum() >= 0);
            // The trader's coins are the pool's; the fee is the providers' own.
            let moved = book.pool.reserves();
            let coins = i128::try_from(reserves[0]).unwrap() - i128::try_from(moved[0]).unwrap();
            let dollars = i128::try_from(moved[1]).unwrap() - i128::try_from(reserves[1]).unwrap();
            prop_assert_eq!(coins, i128::from(fill.qty.raw()));
            let fee = i128::from(fill.value.raw()) - dollars;
            let rate = i128::from(book.fee.raw());
            prop_assert!(fee * 1_000_000_000 >= dollars.abs() * rate && (fee - 1) * 1_000_000_000 <= dollars.abs() * rate);
            let after = surplus(&book);
            for (after, before) in after.iter().zip(before) {
                prop_assert!(*after + U256::from(64_u32) >= before, "{after} after {before}");
            }
            // x·y ≥ L² with virtual reserves (eq. 2.2), where one liquidity is everywhere.
            if let [liquidity] = book.pool.liquidity() {
                let [x, y] = moved.map(U256::from);
                let x = x + (U256::from(*liquidity) << FRACTION) / U256::from(ends[1]) + 1;
                let y = y + ((U256::from(*liquidity) * U256::from(ends[0])) >> FRACTION) + 1;
                prop_assert!(x * y >= U256::from(*liquidity) * U256::from(*liquidity));
            }
            book.refresh(&quotes(1.0, liquidity));
            prop_assert!(book.mid().is_finite() && book.half_spread() > 0.0);
            let [coins, dollars] = book.pool.required(Rounding::Floor);
            prop_assert!(book.pool.reserves()[0] >= coins && book.pool.reserves()[1] >= dollars);
            before = surplus(&book);
        }
    }

    #[test]
    fn swaps_that_add_up_to_no_coins_never_profit(book in pools(), orders in prop::collection::vec(orders(), 1..12)) {
        let depth = book.depth(Side::Buy, 0.01);
        let mut book = book;
        let (mut held, mut paid) = (Qty::ZERO, Usd::ZERO);
        for order in orders {
            let fill = book.take(sized(order, depth), None);
            held += fill.qty;
            paid += fill.value;
        }
        let back = book.take(-held, None);
        prop_assert_eq!(back.qty, -held, "what a pool gave it takes back");
        prop_assert!(paid + back.value >= Usd::ZERO, "gained {}", -(paid + back.value));
    }

    #[test]
    fn an_order_in_pieces_is_never_cheaper(book in pools(), order in orders(), cuts in prop::collection::vec(0.0..1.0_f64, 1..6)) {
        let qty = sized(order, book.depth(Side::Buy, 0.01));
        let (mut whole, mut pieces) = (book.clone(), book);
        let once = whole.take(qty, None);
        // Only what fills whole: at a pool's end, pieces could fill less.
        prop_assume!(once.qty == qty);
        let (mut left, mut paid) = (qty, Usd::ZERO);
        for cut in cuts {
            let piece = Qty::from_f64(left.as_f64() * cut);
            let fill = pieces.take(piece, None);
            left -= fill.qty;
            paid += fill.value;
        }
        let last = pieces.take(left, None);
        // Rounding inside the pieces may leave the pool's last coin out of reach.
        prop_assume!(last.qty == left);
        paid += last.value;
        prop_assert!(paid >= once.value, "{} whole, {paid} in pieces", once.value);
    }

    #[test]
    fn a_limit_is_never_exceeded(book in pools(), order in orders(), distance in -0.02..0.05_f64, near in any::<bool>()) {
        let mut book = book;
        let qty = sized(order, book.depth(Side::Buy, 0.01));
        // Near: within rounding of the fee's edge.
        let distance = if near { book.half_spread() + 1e-6 * distance } else { distance };
        let sign = if qty.is_negative() { -1.0 } else { 1.0 };
        let limit = Price::from_f64(book.mid() * (1.0 + sign * distance));
        let fill = book.take(qty, Some(limit));
        let paid = i128::from(fill.value.raw()) * i128::from(Qty::SCALE);
        prop_assert!(paid <= i128::from(fill.qty.raw()) * i128::from(limit.raw()), "{fill:?} at {limit}");
        // Nor is the next coin worse than the limit, nor better by more than rounding if something is left.
        let next = book.price() * book.with_fee(Side::of(qty));
        if !fill.qty.is_zero() {
            prop_assert!(sign * (next / limit.as_f64() - 1.0) <= 1e-9, "{next} at {limit}");
        }
    }
}
