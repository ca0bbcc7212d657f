use super::*;
use crate::margin::Zone;
use crate::margin::options::Black76;
use crate::units::Rate;

fn bare() -> PortfolioConfig {
    let floor = FloorConfig { net_delta: 0.0, hedged_delta: 0.0, short_option: 0.0, perpetual: 0.0 };
    PortfolioConfig { floor, ..PortfolioConfig::default() }
}

// L. G. McMillan, "Options as a Strategic Investment", ch. 34: risk array of one long S&P December 410 call.
const PRINTED_CALL: [i64; SCENARIOS] = [
    460, -610, 2_640, 1_730, -1_270, -2_340, 5_210, 4_540, -2_540, -3_430, 8_060, 7_640, -3_380, -3_990, 3_130, -1_500,
];

#[test]
fn scan_of_a_printed_risk_array_is_the_printed_requirement() {
    // A future whose range is 10,000 dollars and whose extreme move counts 7,000: twice the range, 35 % of it.
    let mut venue = Venue::new(PortfolioConfig {
        assets: vec![AssetScanConfig { price_range: 0.1, ..AssetScanConfig::default() }; 3],
        ..bare()
    });
    venue.prices[0] = 100_000.0;
    venue.refresh();
    let future = venue.table.asset(0).1.gain.map(|gain| gain.as_f64());
    for (scenario, printed) in [
        (0, 0.0),
        (2, 3_333.333_333),
        (5, -3_333.333_334),
        (7, 6_666.666_666),
        (10, 10_000.0),
        (13, -10_000.0),
        (14, 7_000.0),
        (15, -7_000.0),
    ] {
        // The book prints thirds to the nearest ten. A move of a third is rounded to 1e-9 of the price.
        assert!((future[scenario] - printed).abs() < 1e-3, "scenario {scenario}: {}", future[scenario]);
    }
    venue.table.series[0].risk.gain = PRINTED_CALL.map(|dollars| Price::from_raw(dollars * Price::SCALE));
    // Bought alone it costs 3,990 (down three thirds, volatility down), written against the future 6,620 (down three
    // thirds, volatility up). A written option is charged one unit per coin more.
    let long = venue.assess(&Book::default().option(0, 1.0));
    assert_eq!(long.worst, Some(WorstCase { scenario: 13, loss: Usd::from_f64(3_990.0) }));
    let covered = venue.assess(&Book::default().perp(0, 1.0, 100_000.0).option(0, -1.0));
    assert_eq!(covered.worst, Some(WorstCase { scenario: 12, loss: Usd::from_f64(6_620.000_001) }));
    assert_eq!(covered.requirement(), covered.scan);
}

#[test]
fn worst_scenario_of_a_written_straddle_is_the_one_revalued_by_hand() {
    let venue = Venue::new(bare());
    let assessment = venue.assess(&Book::default().option(0, -2.0).option(1, -2.0));
    let worst = assessment.worst.expect("it loses when prices move");
    assert_eq!(SPAN[worst.scenario].volatility, VolatilityMove::Up);
    assert_eq!(SPAN[worst.scenario].thirds.abs(), 3);
    // 30 days: the volatility range is not stretched.
    let value = |kind, volatility: f64, forward: f64| {
        Black76 { forward, strike: 60_000.0, years: 30.0 / 365.0, volatility, rate: 0.0 }.price(kind)
    };
    let forward = 60_000.0 * (1.0 + 0.16 * f64::from(SPAN[worst.scenario].thirds.signum()));
    let both = |up: f64, forward: f64| {
        value(OptionKind::Call, 0.40 * up, forward) + value(OptionKind::Put, 0.44 * up, forward)
    };
    let loss = 2.0 * (both(1.4, forward) - both(1.0, 60_000.0));
    assert_near(worst.loss, loss, 1e-4);
    assert_eq!(assessment.scan, worst.loss);
}

#[test]
fn volatility_range_stretches_towards_expiry() {
    // 7 days: (30/7)^0.3 = 1.547. 90 days: (30/90)^0.13 = 0.8669. One hour counts as one day: 30^0.3 = 2.774.
    let venue = Venue::new(bare());
    for (series, stretch) in [(4, 1.547415577), (6, 0.866910448), (5, 2.774191115)] {
        let mark = venue.table.series()[series];
        let listed = venue.series[series];
        let market = Black76 {
            forward: venue.prices[mark.asset],
            strike: mark.strike.as_f64(),
            years: listed.years(0),
            volatility: mark.volatility * (1.0 + 0.4 * stretch),
            rate: 0.0,
        };
        let gain = market.price(mark.kind) - mark.price.as_f64();
        assert!((mark.risk.gain[0].as_f64() - gain).abs() < 1e-3, "series {series}: {gain}");
    }
}

#[test]
fn offset_between_two_assets_is_the_spread_credit_of_span() {
    for (share, credited) in [(0.0, 0.0), (0.6, 0.6), (1.0, 1.0)] {
        let assets = vec![AssetScanConfig { offset: share, ..AssetScanConfig::default() }; 3];
        let venue = Venue::new(PortfolioConfig { assets, ..bare() });
        // Ranges of 16 %: 1 bitcoin loses 9,600, 15 ether lose 7,200.
        let (large, small) = (9_600.0, 7_200.0);
        let spread = venue.assess(&Book::default().perp(0, 1.0, 60_000.0).perp(1, -15.0, 3_000.0));
        assert_near(spread.scan, large + small - 2.0 * credited * small, 1e-3);
        let outright = venue.assess(&Book::default().perp(0, 1.0, 60_000.0).perp(1, 15.0, 3_000.0));
        assert_near(outright.scan, large + small, 1e-3);
    }
}

#[test]
fn hedged_book_is_held_to_the_delta_floor() {
    // A long perpetual against a written synthetic future: nothing moves it, and 10 coins are hedged by 10.
    let mut venue = Venue::new(PortfolioConfig {
        floor: FloorConfig { short_option: 0.0, ..FloorConfig::default() },
        ..PortfolioConfig::default()
    });
    venue.volatilities[1] = venue.volatilities[0];
    venue.refresh();
    let book = Book::default().perp(0, 10.0, 60_000.0).option(0, -10.0).option(1, 10.0);
    let assessment = venue.assess(&book);
    // With one volatility for both, only what shorts are charged in rounding is left.
    assert!(assessment.scan < Usd::from_f64(1e-3), "{}", assessment.scan);
    assert_eq!(assessment.binding, Binding::DeltaFloor);
    // Gross 20 coins, net none: 1 % of 20 · 60,000.
    assert_near(assessment.requirement(), 12_000.0, 0.01);
    assert_near(assessment.levels.maintenance, 6_000.0, 0.01);
    // Alone, 2 % of what is net.
    assert_near(venue.assess(&Book::default().perp(0, 10.0, 60_000.0)).floor, 12_000.0, 1e-6);
}

#[test]
fn contingencies_are_charged_on_what_is_written_and_on_perpetuals() {
    let floor = FloorConfig { short_option: 0.01, perpetual: 0.002, ..FloorConfig::default() };
    let venue = Venue::new(PortfolioConfig { floor, ..PortfolioConfig::default() });
    // 3 written on bitcoin, 20 on ether, bought ones free: 1 % of 180,000 and of 60,000. 0.2 % of 120,000.
    let book = Book::default().option(0, -3.0).option(1, 5.0).option(7, -20.0).perp(0, -2.0, 60_000.0);
    assert_near(venue.assess(&book).contingency, 1_800.0 + 600.0 + 240.0, 1e-6);
}

#[test]
fn stablecoin_that_leaves_its_peg_takes_the_account_with_it() {
    let venue = Venue::new(PortfolioConfig::default());
    // 10 bitcoin long: requirement 16 % of 600,000 = 96,000, of which maintenance is half.
    let book = Book::cash(70_000.0).perp(0, 10.0, 60_000.0);
    let assess = |peg: f64| {
        let mut table = venue.table.clone();
        table.collateral[0] = Price::from_f64(peg);
        venue.margin.assess(&book.account(), &table, &mut Scratch::new(3))
    };
    let zone = |peg: f64| assess(peg).levels.zone(assess(peg).equity);
    assert_near(assess(0.65).equity, 45_500.0, 1e-6);
    assert_eq!([1.0, 0.8, 0.65, 0.4].map(zone), [Zone::Committed, Zone::Called, Zone::Liquidatable, Zone::Backstop]);
    assert_eq!(zone(0.0), Zone::Backstop);
}

#[test]
fn collateral_that_hedges_enters_the_scan() {
    let coin = CollateralConfig { tiers: vec![CollateralTier { quantity_cap: 100.0, ratio: 0.95 }], hedges: Some(0) };
    let venue = Venue::new(PortfolioConfig { collateral: vec![coin], ..bare() });
    let mut book = Book::default().perp(0, -5.0, 60_000.0);
    assert_near(venue.assess(&book).scan, 48_000.0, 1e-3);
    book.collateral = vec![Qty::from_f64(5.0)];
    assert!(venue.assess(&book).scan <= Usd::from_f64(1e-4), "cash and carry");
}

#[test]
fn worst_scenario_is_told_per_asset() {
    let venue = Venue::new(bare());
    let book = Book::default().perp(0, 1.0, 60_000.0).perp(1, -1.0, 3_000.0);
    let mut scratch = Scratch::new(3);
    let assessment = venue.margin.assess(&book.account(), &venue.table, &mut scratch);
    assert_eq!(scratch.worst(0).map(|worst| worst.scenario), Some(12), "down three thirds");
    assert_eq!(scratch.worst(1).map(|worst| worst.scenario), Some(10), "up three thirds");
    assert_eq!(scratch.worst(2), None);
    assert_eq!(assessment.worst.map(|worst| worst.scenario), Some(12));
    assert_eq!(scratch.net_delta(1), Qty::from_f64(-1.0));
    assert_eq!(scratch.losses(0)[12], Usd::from_f64(9_600.0));
}

#[test]
fn expired_option_is_its_payoff_and_risks_what_a_coin_does() {
    let mut venue = Venue::new(bare());
    venue.now = EXPIRIES[3] + 5;
    venue.prices[0] = 66_000.0;
    venue.refresh();
    let mark = venue.table.series()[0];
    assert_eq!((mark.price, mark.delta), (Price::from_f64(6_000.0), Rate::from_f64(1.0)));
    assert!(mark.risk.gain.iter().zip(&venue.table.asset(0).1.gain).all(|(option, coin)| option >= coin));
    assert_eq!(venue.table.series()[1].price, Price::ZERO);
}

#[test]
fn initial_margin_is_no_less_than_the_liquidation_end_of_a_few_units() {
    // M3 where rounding up decides: of one unit, half is one, and a quarter of that one more.
    let venue = Venue::new(PortfolioConfig { initial: 0.625, ..PortfolioConfig::default() });
    for raw in 0..50 {
        let levels = venue.margin.levels(Usd::from_raw(raw));
        assert!(levels.initial >= levels.liquidation_end && levels.liquidation_end >= levels.maintenance, "{levels:?}");
        assert!(levels.maintenance >= levels.backstop, "{levels:?}");
    }
    assert_eq!(venue.margin.levels(Usd::from_raw(1)).initial, Usd::from_raw(2));
}

#[test]
fn every_problem_of_a_configuration_is_named() {
    let config = PortfolioConfig {
        assets: vec![AssetScanConfig { price_range: 0.6, offset: 1.5, ..AssetScanConfig::default() }],
        collateral: vec![CollateralConfig { hedges: Some(3), ..CollateralConfig::default() }],
        floor: FloorConfig { hedged_delta: 0.03, ..FloorConfig::default() },
        initial: 0.6,
        ..PortfolioConfig::default()
    };
    let mut problems = Problems::default();
    config.validate("portfolio", &mut problems);
    let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "portfolio.assets[0].price_range",
            "portfolio.assets[0].offset",
            "portfolio.collateral[0].hedges",
            "portfolio.floor.hedged_delta",
            "portfolio.initial",
        ]
    );
}
