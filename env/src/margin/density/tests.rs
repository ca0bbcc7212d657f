use super::*;

#[test]
fn sums_over_groups_equal_sums_over_buckets() {
    // Bucket k holds k coins, so [a, b) holds b(b-1)/2 - a(a-1)/2.
    let mut sums = BucketSums::new(256);
    for bucket in 0..256 {
        sums.add(bucket, Qty::from_raw(i64::try_from(bucket).unwrap() + 5));
        sums.subtract(bucket, Qty::from_raw(5));
    }
    let below = |bucket: usize| i64::try_from(bucket * bucket.saturating_sub(1) / 2).unwrap();
    for (from, to) in [(0, 0), (0, 256), (64, 128), (63, 65), (1, 255), (10, 20), (70, 100), (60, 130), (256, 256)] {
        assert_eq!(sums.total(from..to).raw(), below(to) - below(from), "{from}..{to}");
    }
}

#[test]
fn cascade_dies_out_below_one() {
    // 30 M falls short and 60 M stands in the book per 1 %; 80 % is sold before the book refills: R = 0.4, and the
    // first dollar becomes 1/0.6.
    let reproduction = reproduction_number(0.8, 30e6, 60e6);
    assert!((reproduction - 0.4).abs() < 1e-15);
    assert!((amplification(reproduction).unwrap() - 1.0 / 0.6).abs() < 1e-12);
    assert_eq!(amplification(1.0), None);
    assert_eq!(amplification(reproduction_number(1.0, 90e6, 60e6)), None);
}

#[test]
fn no_depth_is_infinite_only_if_something_is_sold() {
    assert!(reproduction_number(0.5, 1.0, 0.0).is_infinite());
    assert!(reproduction_number(0.5, 0.0, 0.0).abs() < f64::MIN_POSITIVE);
    assert!(reproduction_number(0.0, 1.0, 0.0).abs() < f64::MIN_POSITIVE);
    assert_eq!(amplification(f64::INFINITY), None);
}

#[test]
fn gamma_is_coins_per_dollar_in_both_directions() {
    // 50 coins forced over 200 dollars, down or up.
    let (low, high) = (Price::from_f64(59_900.0), Price::from_f64(60_100.0));
    for (from, to) in [(high, low), (low, high)] {
        assert!((liquidation_gamma(Qty::from_f64(50.0), from, to) - 0.25).abs() < 1e-12);
    }
}
