use super::*;

fn exposure(venue: &Venue, book: &Book) -> [Exposure; 3] {
    let mut rows = [Exposure::default(); 3];
    venue.table.exposure(&book.account(), &mut rows);
    rows
}

#[test]
fn units_are_points_of_volatility_and_days() {
    let mut venue = Venue::new(PortfolioConfig::default());
    let book = Book::default().perp(1, -7.0, 3_000.0).option(6, 30.0).option(7, -10.0);
    let [bitcoin, ether, _] = exposure(&venue, &book);
    assert_eq!(bitcoin, Exposure::default());
    let equity = venue.assess(&book).equity.as_f64();
    for volatility in &mut venue.volatilities {
        *volatility += 0.01;
    }
    venue.refresh();
    let by_point = venue.assess(&book).equity.as_f64() - equity;
    // Of a point in sixty the vega itself changes by little; of a day in ninety the theta by 1 %.
    assert!((by_point / ether.vega_dollars_per_point - 1.0).abs() < 0.01, "{by_point} against {ether:?}");
    let mut venue = Venue::new(PortfolioConfig::default());
    venue.now = 86_400;
    venue.refresh();
    let by_day = venue.assess(&book).equity.as_f64() - equity;
    assert!((by_day / ether.theta_dollars_per_day - 1.0).abs() < 0.01, "{by_day} against {ether:?}");
    let mut venue = Venue::new(PortfolioConfig::default());
    venue.prices[1] += 10.0;
    venue.refresh();
    let [_, moved, _] = exposure(&venue, &book);
    let by_ten = moved.delta_coins - ether.delta_coins;
    assert!((by_ten / (10.0 * ether.gamma_coins_per_dollar) - 1.0).abs() < 0.01, "{by_ten} against {ether:?}");
}

#[test]
fn both_sides_of_a_trade_net_to_nothing_and_count_twice_in_the_gross() {
    let venue = Venue::new(PortfolioConfig::default());
    let (buyer, writer) = (Book::default().option(0, 5.0), Book::default().option(0, -5.0));
    let mut total = VenueExposure::default();
    total.add(exposure(&venue, &buyer)[0]);
    total.add(exposure(&venue, &writer)[0]);
    let one = exposure(&venue, &buyer)[0];
    assert_eq!(total.net, Exposure::default());
    let mut twice = one.abs();
    twice += one.abs();
    assert_eq!(total.gross, twice);
    assert!(twice.theta_dollars_per_day > 0.0 && one.theta_dollars_per_day < 0.0);
}
