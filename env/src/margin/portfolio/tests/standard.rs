use super::*;
use crate::margin::{Adjustment, MarginConfig, MarginSchedule, Zone};

struct Tables {
    schedules: Vec<MarginSchedule>,
    open_interest: Vec<Usd>,
    adjustments: Vec<Adjustment>,
}

impl Tables {
    fn new() -> Self {
        Self {
            schedules: vec![MarginSchedule::new(&MarginConfig::default()); 3],
            open_interest: vec![Usd::ZERO; 3],
            adjustments: vec![Adjustment::default(); 3],
        }
    }

    fn terms(&self) -> CrossTerms<'_> {
        let Self { schedules, open_interest, adjustments } = self;
        CrossTerms { schedules, open_interest, adjustments }
    }
}

fn cross() -> CrossMargin {
    let (config, mut problems) = (StandardOptionConfig::default(), Problems::default());
    config.validate("options", &mut problems);
    assert!(problems.0.is_empty(), "{problems}");
    CrossMargin::new(&config, &[CollateralConfig::default()])
}

#[test]
fn one_position_in_cross_is_held_to_what_it_is_held_to_in_isolation() {
    let (venue, tables) = (Venue::new(PortfolioConfig::default()), Tables::new());
    let book = Book::cash(40_000.0).perp(0, 12.0, 61_000.0);
    let (equity, levels) = cross().assess(&book.account(), &venue.table, &tables.terms());
    let mut isolated = book.perps[0].position;
    isolated.cash += Usd::from_f64(40_000.0);
    let price = Price::from_f64(60_000.0);
    assert_eq!(equity, isolated.equity(price, Price::ZERO));
    assert_eq!(levels, tables.schedules[0].levels(&isolated, price, Usd::ZERO, Adjustment::default()));
}

#[test]
fn cross_pools_equity_and_adds_requirements_up() {
    let (venue, tables) = (Venue::new(PortfolioConfig::default()), Tables::new());
    let assess = |book: &Book| cross().assess(&book.account(), &venue.table, &tables.terms());
    // The bitcoin position has lost 12,000 and would be bankrupt alone; ether has gained 20,000.
    let (bitcoin, ether) = (Book::cash(8_000.0).perp(0, 4.0, 63_000.0), Book::default().perp(1, -100.0, 3_200.0));
    let both = Book { perps: [&bitcoin.perps[..], &ether.perps[..]].concat(), ..bitcoin.clone() };
    let ((first, alone), (second, other), (equity, sum)) = (assess(&bitcoin), assess(&ether), assess(&both));
    assert_eq!(alone.zone(first), Zone::Bankrupt);
    assert_eq!((equity, sum.zone(equity)), (first + second, Zone::Free));
    assert_eq!(sum.maintenance, alone.maintenance + other.maintenance);
    // Opposite positions in two assets get no relief here; the portfolio's scan with offsets gives it.
    assert_eq!(sum.initial, alone.initial + other.initial);
}

#[test]
fn written_options_are_held_to_the_published_formula() {
    let (venue, tables) = (Venue::new(PortfolioConfig::default()), Tables::new());
    for (series, initial, maintenance) in [
        // Call struck at 60,000, U = 60,000: 0.15 U; 0.075 U.
        (0, 9_000.0, 4_500.0),
        // Call at 72,000 is 12,000 out: 0.15 U less that is below 0.10 U.
        (2, 6_000.0, 4_500.0),
        // Call at 63,000 is 3,000 out: 9,000 - 3,000 = 0.10 U.
        (4, 6_000.0, 4_500.0),
        // Put on ether at 2,700 is 300 out: 450 - 300 is below 0.10 U = 300.
        (7, 300.0, 225.0),
    ] {
        let mark = venue.table.series()[series].price.as_f64();
        let book = Book::default().option(series, -2.0);
        let (equity, levels) = cross().assess(&book.account(), &venue.table, &tables.terms());
        assert_eq!(equity, Usd::ZERO);
        assert_near(levels.initial, 2.0 * (initial + mark), 1e-5);
        assert_near(levels.maintenance, 2.0 * (maintenance + mark), 1e-5);
        assert!(levels.initial >= levels.liquidation_end && levels.liquidation_end >= levels.maintenance);
        let bought = Book::default().option(series, 2.0);
        assert_eq!(cross().assess(&bought.account(), &venue.table, &tables.terms()), (Usd::ZERO, Default::default()));
    }
}

#[test]
fn portfolio_margin_of_a_hedge_is_below_cross_margin_of_it() {
    let (venue, tables) = (Venue::new(PortfolioConfig::default()), Tables::new());
    // A written call covered by the coin, and a written spread: cross sees two risks, the scan one.
    for book in
        [Book::cash(1e5).perp(0, 10.0, 60_000.0).option(0, -10.0), Book::cash(1e5).option(0, -10.0).option(2, 10.0)]
    {
        let (_, levels) = cross().assess(&book.account(), &venue.table, &tables.terms());
        let portfolio = venue.assess(&book).levels;
        assert!(portfolio.maintenance < levels.maintenance, "{portfolio:?} against {levels:?}");
    }
}
