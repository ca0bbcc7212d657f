use proptest::prelude::*;

use super::*;

fn line(rate: f64, deduction: f64) -> Requirement {
    Requirement { rate: Rate::from_f64(rate), deduction: Usd::from_f64(deduction) }
}

fn position(qty: f64, cash: f64) -> Position {
    Position { qty: Qty::from_f64(qty), cash: Usd::from_f64(cash), funding: Price::ZERO }
}

#[test]
fn equity_takes_price_and_funding_into_account() {
    // Bought 2 at 60,000 with 3,000 of its own: cash -117,000. At 59,000 with 10 of funding since: 1,000 - 20.
    let mut long = position(2.0, -117_000.0);
    long.funding = Price::from_f64(-5.0);
    assert_eq!(long.equity(Price::from_f64(59_000.0), Price::from_f64(5.0)), Usd::from_f64(980.0));
    // The short on the other side holds the rest of the 6,000 that both brought.
    let short = Position { qty: -long.qty, cash: Usd::from_f64(123_000.0), ..long };
    assert_eq!(short.equity(Price::from_f64(59_000.0), Price::from_f64(5.0)), Usd::from_f64(5_020.0));
    // Rounded down on both sides of zero.
    let dust = Position { qty: Qty::from_raw(1), cash: Usd::ZERO, funding: Price::ZERO };
    assert_eq!(dust.equity(Price::from_raw(1), Price::ZERO), Usd::ZERO);
    assert_eq!(Position { qty: -dust.qty, ..dust }.equity(Price::from_raw(1), Price::ZERO), Usd::from_raw(-1));
}

#[test]
fn liquidation_price_follows_binance() {
    // (wallet + cum - side·q·entry)/(|q|·(MMR - side)). Long 10 at 60,000, wallet 30,000, third tier (0.65 %, 950):
    // (30,000 + 950 - 600,000)/(10·(0.0065 - 1)) = 569,050/9.935 = 57,277.302466…
    let long = position(10.0, 30_000.0 - 600_000.0);
    let price = long.trigger_price(line(0.006_5, 950.0), Price::ZERO);
    assert_eq!(price, Some(Price::from_raw(57_277_302_466)));
    // Short 10 at 60,000: (30,000 + 950 + 600,000)/(10·1.0065) = 62,687.531048…, above which it falls short.
    let short = position(-10.0, 630_000.0);
    let price = short.trigger_price(line(0.006_5, 950.0), Price::ZERO);
    assert_eq!(price, Some(Price::from_raw(62_687_531_049)));
}

#[test]
fn liquidation_price_follows_hyperliquid() {
    // px - side·margin_available/size/(1 - l·side), l = 1/maintenance leverage; margin available = equity - l·notional.
    // Long 2 at 50,000, equity 5,000, l = 1.25 %: 50,000 - (5,000 - 1,250)/2/0.9875 = 48,101.265822…
    let long = position(2.0, -95_000.0);
    assert_eq!(long.trigger_price(line(0.012_5, 0.0), Price::ZERO), Some(Price::from_raw(48_101_265_822)));
    // Short: 50,000 + 3,750/2/1.0125 = 51,851.851851…
    let short = position(-2.0, 105_000.0);
    assert_eq!(short.trigger_price(line(0.012_5, 0.0), Price::ZERO), Some(Price::from_raw(51_851_851_852)));
}

#[test]
fn a_paid_up_long_has_no_liquidation_price() {
    assert_eq!(position(1.0, 0.0).trigger_price(line(0.01, 0.0), Price::ZERO), None);
    assert_eq!(position(1.0, 5.0).trigger_price(line(0.01, 0.0), Price::ZERO), None);
    // A short that owes more than it holds is short at every price.
    assert_eq!(position(-1.0, -5.0).trigger_price(line(0.01, 0.0), Price::ZERO), Some(Price::from_raw(1)));
}

#[test]
fn exactly_at_the_line_is_not_below() {
    // Equity 500 on 50,000 at 1 %: at the line. Either millionth decides.
    let long = position(1.0, -49_500.0);
    let (line, mark) = (line(0.01, 0.0), Price::from_f64(50_000.0));
    assert!(!long.is_below(line, mark, Price::ZERO));
    assert!(long.is_below(line, mark - Price::from_raw(1), Price::ZERO));
    assert!(long.is_below(line, mark, Price::from_raw(1)));
}

#[test]
fn a_speck_with_a_fortune_has_the_lowest_key() {
    // A million dollars behind 1e-8 coin is 1e14 dollars per coin, beyond 64 bits.
    let long = Position { qty: Qty::from_raw(1), cash: Usd::from_f64(1e6), funding: Price::ZERO };
    assert_eq!(long.key(Usd::ZERO).raw(), -KEY_LIMIT);
    let short = Position { qty: Qty::from_raw(-1), ..long };
    assert_eq!(short.key(Usd::ZERO).raw(), -KEY_LIMIT);
    // And the same as debt has the greatest.
    let ruined = Position { cash: -long.cash, ..long };
    assert_eq!(ruined.key(Usd::ZERO).raw(), KEY_LIMIT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn key_never_misses_and_errs_by_one_unit_at_most(
        (digits, long) in (0.0..13.0_f64, any::<bool>()),
        ratio in -0.5..1.5_f64,
        nudge in -3..=3_i64,
        near in any::<bool>(),
        mark in 1_i64..200_000_000_000,
        (funding, settled) in (-1_000_000_000_i64..1_000_000_000, -1_000_000_000_i64..1_000_000_000),
        (rate, deducted) in (0_i64..600_000_000, prop_oneof![Just(0.0), 0.0..0.1_f64]),
    ) {
        let coins = libm::pow(10.0, digits - 8.0);
        let (qty, mark) = (Qty::from_f64(if long { coins } else { -coins }), Price::from_raw(mark));
        let (funding, settled) = (Price::from_raw(funding), Price::from_raw(settled));
        let value = qty.value(mark);
        let line = Requirement { rate: Rate::from_raw(rate), deduction: Usd::from_f64(value.abs().as_f64() * deducted) };
        let cash = Usd::from_f64(value.abs().as_f64() * ratio) - value;
        let position = Position { qty, cash, funding: settled };
        // Half of the time right at the boundary.
        let mark = match position.trigger_price(line, funding) {
            Some(price) if near && price.raw() < i64::MAX / 8 => Price::from_raw((price.raw() + nudge).max(1)),
            _ => mark,
        };
        let threshold = threshold(line.rate, Direction::of(qty), mark, funding);
        let ahead = position.key(line.deduction).raw() - threshold.raw();
        let below = position.is_below(line, mark, funding);
        prop_assert!(!below || ahead > 0, "missed: key is {ahead} ahead of the threshold");
        prop_assert!(below || ahead < 2, "wrongly certain: key is {ahead} ahead of the threshold");
    }

    #[test]
    fn trigger_price_is_the_first_price_below(
        qty in -1_000_000_000_000_i64..=1_000_000_000_000,
        ratio in 0.0..1.5_f64,
        funding in -1_000_000_000_i64..1_000_000_000,
        rate in 0_i64..600_000_000,
    ) {
        prop_assume!(qty != 0);
        let (qty, entry, funding) = (Qty::from_raw(qty), Price::from_f64(60_000.0), Price::from_raw(funding));
        let value = qty.value(entry);
        let position = Position { qty, cash: Usd::from_f64(value.abs().as_f64() * ratio) - value, funding: Price::ZERO };
        let line = Requirement { rate: Rate::from_raw(rate), deduction: Usd::ZERO };
        let Some(price) = position.trigger_price(line, funding) else {
            prop_assert!(!position.is_below(line, Price::from_raw(1), funding));
            return Ok(());
        };
        prop_assert!(position.is_below(line, price, funding));
        let healthier = price + Price::from_raw(Direction::of(qty).sign());
        prop_assert!(healthier.raw() == 0 || !position.is_below(line, healthier, funding));
    }
}
