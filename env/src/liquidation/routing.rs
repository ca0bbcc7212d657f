//! How an order is split over several books: water-filling over their depth.
//!
//! What any coin costs on the book that gets it last is what it would have cost on every other book that gets some, so no
//! other split is cheaper. What carries a split out, and on whose money, is in `market::routed`.

/// Width of the last bracket of a concession: a thousandth of a basis point.
const PRECISION: f64 = 1e-7;

/// Coins for each of some books, `wanted` of them together or as many as there are at `worst`.
///
/// `offered` is what each book has at a concession or better: a relative distance from a common price, net of what it costs to
/// trade there. It must not fall in any book as the concession rises from `best` to `worst`. What several books
/// offer at the very same price is shared in proportion.
#[must_use]
pub fn split<const BOOKS: usize>(
    wanted: f64,
    [best, worst]: [f64; 2],
    offered: impl Fn(f64) -> [f64; BOOKS],
) -> [f64; BOOKS] {
    let sum = |coins: &[f64; BOOKS]| coins.iter().sum::<f64>();
    let mut more = offered(worst);
    if sum(&more) <= wanted {
        return more;
    }
    let mut less = offered(best.min(worst));
    if sum(&less) >= wanted {
        let all = sum(&less);
        return less.map(|coins| wanted * coins / all);
    }
    let [mut low, mut high] = [best.min(worst), worst];
    while high - low > PRECISION {
        let middle = 0.5 * (low + high);
        let coins = offered(middle);
        if sum(&coins) < wanted { (low, less) = (middle, coins) } else { (high, more) = (middle, coins) }
    }
    let part = (wanted - sum(&less)) / (sum(&more) - sum(&less));
    for (coins, more) in less.iter_mut().zip(more) {
        *coins += part * (more - *coins);
    }
    less
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Books of constant density beyond their best concession: `density · (c − best)`.
    fn linear(books: [(f64, f64); 3]) -> impl Fn(f64) -> [f64; 3] {
        move |concession| books.map(|(best, density)| density * (concession - best).max(0.0))
    }

    #[test]
    fn an_order_on_linear_books_ends_at_the_concession_that_algebra_says() {
        // 100·(c − 0.01) + 300·(c − 0.02) = 11 at c = 0.045; the third book begins beyond.
        let books = [(0.01, 100.0), (0.02, 300.0), (0.05, 1_000.0)];
        let coins = split(11.0, [-0.5, 0.5], linear(books));
        for (coins, expected) in coins.into_iter().zip([3.5, 7.5, 0.0]) {
            assert!((coins - expected).abs() < 1e-9, "{coins} for {expected}");
        }
        // At most 3 % away: 100·0.02 and 300·0.01, and nothing for the rest of the order.
        let coins = split(11.0, [-0.5, 0.03], linear(books));
        assert!((coins[0] - 2.0).abs() < 1e-9 && (coins[1] - 3.0).abs() < 1e-9, "{coins:?}");
        let nothing = split(11.0, [-0.5, 0.0], linear(books));
        assert!(nothing.iter().all(|coins| coins.abs() <= 0.0), "nothing is offered there: {nothing:?}");
    }

    #[test]
    fn equal_prices_share_in_proportion() {
        // Two orders of 4 and 12 at the same price, wanted 8.
        let coins = split(8.0, [-0.5, 0.5], |c| if c >= 0.01 { [4.0, 12.0] } else { [0.0, 0.0] });
        assert!((coins[0] - 2.0).abs() < 1e-9 && (coins[1] - 6.0).abs() < 1e-9, "{coins:?}");
        // Even where they are the best price that is looked at.
        let coins = split(8.0, [-0.5, -0.6], |_| [4.0, 12.0]);
        assert!((coins[0] - 2.0).abs() < 1e-12 && (coins[1] - 6.0).abs() < 1e-12, "{coins:?}");
    }

    proptest! {
        #[test]
        fn no_coin_is_cheaper_elsewhere(
            books in prop::array::uniform3((-0.05..0.05_f64, 0.0..1e4_f64)),
            wanted in 1e-3..1e4_f64,
            worst in -0.02..0.2_f64,
        ) {
            let coins = split(wanted, [-0.5, worst], linear(books));
            let all: f64 = coins.iter().sum();
            let there: f64 = linear(books)(worst).iter().sum();
            prop_assert!((all - wanted.min(there)).abs() <= 1e-9 * (1.0 + wanted), "{all} of {wanted}, {there} there");
            // Concession of the last coin of a book, and of the next one of any.
            let last = |at: usize| books[at].0 + coins[at] / books[at].1;
            for at in (0..3).filter(|&at| coins[at] > 0.0) {
                for other in (0..3).filter(|&other| books[other].1 > 0.0) {
                    prop_assert!(last(at) <= last(other) + 2.0 * PRECISION, "{at} before {other}: {coins:?}");
                }
            }
        }
    }
}
