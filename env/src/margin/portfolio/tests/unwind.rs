use proptest::prelude::*;

use super::*;

struct Costs {
    perps: Vec<Price>,
    options: Vec<Price>,
}

impl Costs {
    /// 5 bp of the price in perpetuals, and 20 bp of the underlying's in options.
    fn new(venue: &Venue) -> Self {
        let share = |price: f64, share: f64| Price::from_f64(price * share);
        Self {
            perps: venue.prices.iter().map(|&price| share(price, 5e-4)).collect(),
            options: venue.series.iter().map(|series| share(venue.prices[series.asset], 2e-3)).collect(),
        }
    }

    fn costs(&self) -> ExitCosts<'_> {
        ExitCosts { perps: &self.perps, options: &self.options }
    }
}

fn plan(venue: &Venue, book: &Book) -> (Plan, Vec<Step>) {
    let (costs, mut unwinder) = (Costs::new(venue), Unwinder::new());
    let plan = unwinder.plan(&venue.margin, &venue.table, &book.account(), &costs.costs());
    (plan, unwinder.steps().to_vec())
}

/// The book after the steps, traded at marks and costs as an exchange would book them.
fn applied(venue: &Venue, book: &Book, steps: &[Step]) -> Book {
    let (mut after, costs) = (book.clone(), Costs::new(venue));
    let pay = |after: &mut Book, asset: usize, qty: Qty, price: Price, cost: Price| {
        let paid = qty.value(price) + qty.abs().value(cost);
        let settled = Position { qty: Qty::ZERO, cash: -paid, funding: Price::ZERO };
        after.perps.push(Perp { asset, position: settled });
    };
    for &step in steps {
        let (asset, hedge) = match step {
            Step::Hedge { asset, qty } => (asset, qty),
            Step::Close { holding, qty, hedge } => {
                let series = after.options[holding].series;
                after.options[holding].qty += qty;
                let mark = venue.table.series()[series];
                pay(&mut after, mark.asset, qty, mark.price, costs.options[series]);
                (mark.asset, hedge)
            }
        };
        pay(&mut after, asset, hedge, venue.table.asset(asset).0.price, costs.perps[asset]);
        let last = after.perps.len() - 1;
        after.perps[last].position.qty = hedge;
    }
    after
}

#[test]
fn healthy_account_has_no_plan() {
    let venue = Venue::new(PortfolioConfig::default());
    let book = Book::cash(1e7).option(0, -5.0);
    let (plan, steps) = plan(&venue, &book);
    assert!(steps.is_empty() && plan.is_restored && plan.cost.is_zero());
    assert_eq!(plan.before, plan.after);
}

#[test]
fn delta_is_hedged_before_any_option_is_closed() {
    let venue = Venue::new(PortfolioConfig::default());
    // Written calls and nothing else: short half a coin of delta each.
    let calls = Book::cash(0.0).option(0, -10.0);
    let maintenance = venue.assess(&calls).levels.maintenance;
    let owed = venue.assess(&calls).equity;
    let book = Book::cash((maintenance - owed).as_f64() - 100.0).option(0, -10.0);
    let (plan, steps) = plan(&venue, &book);
    assert!(plan.is_restored && plan.before.equity < plan.before.levels.maintenance);
    let [Step::Hedge { asset: 0, qty }] = steps[..] else { panic!("{steps:?}") };
    // Bought, no more than the delta of 10 · N(d₁) ≈ 5.2, and only as much as it takes.
    assert!(qty > Qty::ZERO && qty < Qty::from_f64(5.2), "{qty}");
    let less = applied(&venue, &book, &[Step::Hedge { asset: 0, qty: qty - Qty::from_f64(1e-3) }]);
    let short = venue.assess(&less);
    assert!(short.equity < short.levels.liquidation_end, "a little less is not enough");
}

#[test]
fn losing_perpetual_is_reduced_not_flipped() {
    let venue = Venue::new(PortfolioConfig::default());
    let book = Book::cash(40_000.0).perp(0, 10.0, 60_000.0);
    let (plan, steps) = plan(&venue, &book);
    let [Step::Hedge { asset: 0, qty }] = steps[..] else { panic!("{steps:?}") };
    assert!(plan.is_restored && qty < Qty::ZERO && qty > Qty::from_f64(-10.0));
    // Requirement 16 % of the notional, liquidation end 0.625 of that: 6,000 per coin. Closing x costs 30·x:
    // 40,000 - 30x = 6,000·(10 - x), so x = 20,000/5,970.
    assert!((qty.as_f64() + 20_000.0 / 5_970.0).abs() < 1e-4, "{qty}");
}

#[test]
fn option_that_releases_most_per_dollar_goes_first_and_protection_stays() {
    let venue = Venue::new(PortfolioConfig::default());
    // Written at-the-money straddle, protected by bought wings; and a small written put on ether.
    let book = Book::cash(0.0).option(0, -4.0).option(1, -4.0).option(2, 4.0).option(3, 4.0).option(7, -1.0);
    let before = venue.assess(&book);
    let cash = 0.9 * before.levels.maintenance.as_f64() - before.equity.as_f64();
    let book = Book { collateral: vec![Qty::from_f64(cash)], ..book };
    let (plan, steps) = plan(&venue, &book);
    let closed: Vec<usize> = steps
        .iter()
        .filter_map(|step| if let Step::Close { holding, .. } = step { Some(*holding) } else { None })
        .collect();
    assert!(!closed.is_empty() && closed.iter().all(|&holding| holding != 2 && holding != 3), "{steps:?}");
    // The first closed releases most per dollar of cost of all five, each hedged or not, by the same trades booked.
    let costs = Costs::new(&venue);
    let end = |book: &Book| venue.assess(book).levels.liquidation_end.as_f64();
    let start: Vec<Step> = steps.iter().copied().take_while(|step| matches!(step, Step::Hedge { .. })).collect();
    let hedged = applied(&venue, &book, &start);
    let ratio = |holding: usize, is_hedged: bool| {
        let qty = -hedged.options[holding].qty;
        let series = hedged.options[holding].series;
        let asset = venue.series[series].asset;
        let (mut rows, mut hedge) = ([Exposure::default(); 3], 0.0);
        if is_hedged {
            let after = applied(&venue, &hedged, &[Step::Close { holding, qty, hedge: Qty::ZERO }]);
            venue.table.exposure(&after.account(), &mut rows);
            hedge = -rows[asset].delta_coins;
        }
        let step = Step::Close { holding, qty, hedge: Qty::from_f64(hedge) };
        let cost = qty.as_f64().abs() * costs.options[series].as_f64() + hedge.abs() * costs.perps[asset].as_f64();
        (end(&hedged) - end(&applied(&venue, &hedged, &[step]))) / cost
    };
    let candidates = || (0..5).flat_map(|holding| [(holding, false), (holding, true)]);
    let best = candidates().max_by(|&(a, x), &(b, y)| ratio(a, x).total_cmp(&ratio(b, y))).unwrap();
    let Step::Close { holding, hedge, .. } = steps[start.len()] else { panic!("{steps:?}") };
    assert_eq!((holding, !hedge.is_zero()), best, "{steps:?}");
    assert!(plan.is_restored, "{plan:?}");
}

#[test]
fn where_every_trade_costs_more_than_it_releases_nothing_is_done() {
    let venue = Venue::new(PortfolioConfig::default());
    let book = Book::cash(-1e6).option(0, -10.0).perp(1, 5.0, 3_000.0);
    let dear = Costs { perps: vec![Price::from_f64(1e6); 3], options: vec![Price::from_f64(1e6); 10] };
    let mut unwinder = Unwinder::new();
    let plan = unwinder.plan(&venue.margin, &venue.table, &book.account(), &dear.costs());
    assert!(unwinder.steps().is_empty() && !plan.is_restored && plan.before == plan.after);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn plan_is_what_its_steps_come_to(
        sizes in proptest::collection::vec(-10.0..10.0_f64, 10), perp in -20.0..20.0_f64, share in -0.5..1.1_f64,
    ) {
        let venue = Venue::new(PortfolioConfig::default());
        let scale = [1.0, 20.0, 120_000.0];
        let mut book = Book::cash(0.0).perp(0, perp, 60_000.0);
        for (series, size) in sizes.iter().enumerate() {
            book = book.option(series, size * scale[venue.series[series].asset]);
        }
        // Anywhere from bankrupt to just healthy.
        let before = venue.assess(&book);
        let equity = before.levels.liquidation_end.as_f64() * share;
        book.collateral[0] = Qty::from_f64(equity - before.equity.as_f64());
        let (plan, steps) = plan(&venue, &book);
        let after = venue.assess(&applied(&venue, &book, &steps));
        prop_assert_eq!(after.levels, plan.after.levels);
        // Nothing appears or vanishes but the cost; every booking may round by a unit or two.
        let units = 4 * i64::try_from(steps.len()).unwrap() + 8;
        let paid = plan.before.equity - plan.after.equity;
        prop_assert!((paid - plan.cost).raw().abs() <= units, "{} paid, {} planned", paid, plan.cost);
        prop_assert!((after.equity - plan.after.equity).raw().abs() <= units);
        prop_assert_eq!(plan.is_restored, plan.after.equity >= plan.after.levels.liquidation_end);
        // M4: the account never ends further from its liquidation end than it began.
        let gap = |x: &Assessment| x.levels.liquidation_end - x.equity;
        prop_assert!(gap(&plan.after) <= gap(&plan.before) + Usd::from_raw(units));
        // Closing never opens: what is left has the sign it had.
        let left = applied(&venue, &book, &steps);
        for (held, left) in book.options.iter().zip(&left.options) {
            prop_assert!(left.qty.is_zero() || left.qty.signum() == held.qty.signum());
            prop_assert!(left.qty.abs() <= held.qty.abs());
        }
        // Hedges come first.
        let first_close = steps.iter().position(|step| matches!(step, Step::Close { .. })).unwrap_or(steps.len());
        let rest_closes = steps[first_close..].iter().all(|step| matches!(step, Step::Close { .. }));
        prop_assert!(rest_closes, "{:?}", steps);
    }
}
