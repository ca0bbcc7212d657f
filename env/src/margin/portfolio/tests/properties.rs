use proptest::prelude::*;

use super::*;

fn books() -> impl Strategy<Value = Book> {
    let perps = proptest::collection::vec((0..3_usize, -50.0..50.0_f64, 0.8..1.2_f64), 0..4);
    let options = proptest::collection::vec((any::<bool>(), -20.0..20.0_f64), 10);
    (perps, options, -1e5..1e6_f64).prop_map(|(perps, options, cash)| {
        // Sizes by the asset's price, so that no asset drowns the others.
        let scale = [1.0, 20.0, 120_000.0];
        let asset_of = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2];
        let mut book = Book::cash(cash);
        for (asset, coins, level) in perps {
            book = book.perp(asset, coins * scale[asset], level * [60_000.0, 3_000.0, 0.5][asset]);
        }
        for (series, (held, coins)) in options.into_iter().enumerate() {
            if held {
                book = book.option(series, coins * scale[asset_of[series]]);
            }
        }
        book
    })
}

/// Both books in one account: one holding per series.
fn merged(a: &Book, b: &Book) -> Book {
    let mut both = Book { perps: [&a.perps[..], &b.perps[..]].concat(), ..Book::default() };
    both.collateral = vec![a.collateral[0] + b.collateral[0]];
    for series in 0..10 {
        let held = |book: &Book| book.options.iter().filter(|x| x.series == series).map(|x| x.qty).sum::<Qty>();
        both.options.push(OptionHolding { series, qty: held(a) + held(b) });
    }
    both
}

fn opposite(book: &Book) -> Book {
    let mut other = book.clone();
    for perp in &mut other.perps {
        perp.position.qty = -perp.position.qty;
        perp.position.cash = -perp.position.cash;
    }
    for holding in &mut other.options {
        holding.qty = -holding.qty;
    }
    other.collateral[0] = Qty::ZERO;
    other
}

fn venue(offset: f64) -> Venue {
    let assets = vec![
        AssetScanConfig { offset, ..AssetScanConfig::default() },
        AssetScanConfig { offset: 0.5 * offset, price_range: 0.2, ..AssetScanConfig::default() },
        AssetScanConfig { price_range: 0.3, ..AssetScanConfig::default() },
    ];
    let floor = FloorConfig { perpetual: 0.003, ..FloorConfig::default() };
    Venue::new(PortfolioConfig { assets, floor, ..PortfolioConfig::default() })
}

proptest! {
    #[test]
    fn netting_never_raises_the_requirement(a in books(), b in books(), offset in 0.0..1.0_f64) {
        let venue = venue(offset);
        let (one, other, both) = (venue.assess(&a), venue.assess(&b), venue.assess(&merged(&a, &b)));
        prop_assert!(both.scan <= one.scan + other.scan);
        prop_assert!(both.contingency <= one.contingency + other.contingency);
        prop_assert!(both.floor <= one.floor + other.floor);
        prop_assert!(both.requirement() <= one.requirement() + other.requirement());
    }

    #[test]
    fn doubling_an_account_doubles_its_requirement_and_no_more(a in books(), offset in 0.0..1.0_f64) {
        let venue = venue(offset);
        let (once, twice) = (venue.assess(&a).requirement(), venue.assess(&merged(&a, &a)).requirement());
        prop_assert!(twice <= once + once);
        // What rounding up took twice: a unit per amount rounded, of which there are two dozen.
        prop_assert!(twice >= once + once - Usd::from_raw(50), "{} against {}", twice, once);
    }

    #[test]
    fn levels_are_in_order_and_nothing_is_required_of_nothing(a in books(), offset in 0.0..1.0_f64) {
        let venue = venue(offset);
        let assessment = venue.assess(&a);
        let levels = assessment.levels;
        prop_assert_eq!(levels, venue.margin.levels(assessment.requirement()));
        prop_assert!(levels.initial >= levels.liquidation_end && levels.liquidation_end >= levels.maintenance);
        prop_assert!(levels.maintenance >= levels.backstop && !levels.backstop.is_negative());
        prop_assert!(!assessment.scan.is_negative() && assessment.requirement() >= assessment.floor);
        let empty = venue.assess(&Book::cash(5.0));
        prop_assert_eq!((empty.requirement(), empty.worst), (Usd::ZERO, None));
    }

    #[test]
    fn offsets_only_lower_the_scan_and_never_below_everything_at_once(a in books(), offset in 0.0..1.0_f64) {
        let (none, some, full) = (venue(0.0).assess(&a), venue(offset).assess(&a), venue(1.0).assess(&a));
        // Three assets, each rounded up once more.
        prop_assert!(some.scan <= none.scan + Usd::from_raw(6));
        prop_assert!(some.worst == none.worst && full.worst == none.worst);
        let together = none.worst.map_or(Usd::ZERO, |worst| worst.loss);
        prop_assert!(some.scan + Usd::from_raw(6) >= together);
    }

    #[test]
    fn order_of_holdings_does_not_matter(a in books()) {
        let mut reversed = a.clone();
        reversed.perps.reverse();
        reversed.options.reverse();
        prop_assert_eq!(venue(0.4).assess(&a), venue(0.4).assess(&reversed));
    }

    #[test]
    fn what_one_side_gains_the_other_loses(a in books(), moves in [0.5..2.0_f64, 0.5..2.0, 0.5..2.0], now in 0..8_000_000_u64) {
        // M1: perpetuals and options of both sides are worth nothing together, but for what each rounds down.
        let mut venue = venue(0.0);
        for (price, by) in venue.prices.iter_mut().zip(moves) {
            *price *= by;
        }
        venue.now = now;
        venue.refresh();
        let collateral = venue.margin.collateral_value(&a.collateral, &[Price::from_f64(1.0)]);
        let sum = venue.assess(&a).equity - collateral + venue.assess(&opposite(&a)).equity;
        let rounded = i64::try_from(a.perps.len()).unwrap() + 1;
        prop_assert!((-rounded..=0).contains(&sum.raw()), "{} over {} amounts", sum, rounded);
    }

    #[test]
    fn greater_haircut_leaves_less_equity_and_the_same_requirement(a in books(), cut in 0.0..1.0_f64) {
        let mut config = venue(0.0).config;
        let full = Venue::new(config.clone()).assess(&a);
        config.collateral[0].tiers[0].ratio -= cut;
        let less = Venue::new(config).assess(&a);
        prop_assert!(less.equity <= full.equity);
        prop_assert_eq!(less.levels, full.levels);
    }

    #[test]
    fn exposure_is_the_slope_of_equity_and_always_a_number(a in books(), now in 0..8_000_000_u64) {
        let mut venue = venue(0.0);
        let mut rows = [Exposure::default(); 3];
        venue.now = now;
        venue.refresh();
        venue.table.exposure(&a.account(), &mut rows);
        for row in rows {
            let parts = [row.delta_coins, row.gamma_coins_per_dollar, row.vega_dollars_per_point, row.theta_dollars_per_day];
            prop_assert!(parts.iter().all(|part| part.is_finite()));
        }
        // Central difference by 0.01 % of the price, away from expiry, where gamma is spread wider than that.
        venue.now = 0;
        let book = Book { options: a.options.iter().copied().filter(|x| x.series != 5).collect(), ..a };
        venue.refresh();
        venue.table.exposure(&book.account(), &mut rows);
        for (asset, row) in rows.iter().enumerate() {
            let (price, mut sides) = (venue.prices[asset], [0.0; 2]);
            for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
                venue.prices[asset] = price * (1.0 + sign * 1e-4);
                venue.refresh();
                *side = venue.assess(&book).equity.as_f64();
            }
            venue.prices[asset] = price;
            let slope = (sides[0] - sides[1]) / (2e-4 * price);
            let gross: f64 = book.options.iter().map(|x| x.qty.as_f64().abs()).sum::<f64>() + 1.0;
            prop_assert!((slope - row.delta_coins).abs() < 0.02 * gross, "{asset}: {slope}");
        }
    }
}
