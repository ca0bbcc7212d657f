//! Execution over several venues: a slice goes to all open books of its instrument, where the next coin costs least.
//!
//! The venue has no account with its rivals; arbitrageurs have one everywhere, and act for it. One of them trades abroad what
//! an account has to close, and takes that part of its position over at home, at the price that it got less its taker
//! fee, its contribution to the fund there, and the venue's `cost`. It is left with a pair, at home and abroad, that moves no
//! money of its own but the cost that it earns, and leaves it as it leaves its own pairs (`economy::arbitrage`): a
//! little at a time, and the money that prices carry from one leg to the other follows by transfer. What can be routed
//! ends where its money on either venue does. No cent moves between ledgers, so each stays balanced by itself.
//!
//! Close size, capacity and what the backstop expects to pay are measured on the home book alone: routing is cheaper
//! than they say, never dearer. The backstop's own inventory is sold at home.

use super::Market;
use super::ledger::AccountId;
use crate::book::{Book, Fill, Side};
use crate::economy::VENUES_MAX;
use crate::liquidation::{Route, split};
use crate::units::{Price, Qty, Rate, Rounding, Usd, mul_div};

/// Concessions that are looked at, either way, relative to home's mid: books show quotes as far as a quarter.
const WIDEST: f64 = 0.5;
/// Most arbitrageurs of a scenario.
const ARBITRAGEURS_MAX: usize = 64;

/// The same instrument on the other venues that trade, while one of them settles its risk.
#[derive(Debug, Default)]
pub(crate) struct Abroad<'a> {
    markets: [Option<&'a mut Market>; VENUES_MAX - 1],
    /// What was sold or bought there, at the prices there.
    routed: Usd,
}

/// An order that closes a part of an account's position.
#[derive(Clone, Copy, Debug)]
struct Order {
    id: AccountId,
    /// Signed as a trade: opposite to the position.
    qty: Qty,
    /// Worst price after costs.
    limit: Option<Price>,
    cost: Rate,
}

impl Order {
    const fn side(&self) -> Side {
        Side::of(self.qty)
    }

    fn sized(&self, size: Qty) -> Qty {
        if self.qty.is_negative() { -size } else { size }
    }
}

impl<'a> Abroad<'a> {
    /// Adds a venue's market, unless it is halted or out.
    pub(crate) fn add(&mut self, market: &'a mut Market) {
        if market.is_trading() {
            let free = self.markets.iter_mut().find(|slot| slot.is_none());
            *free.expect("a slot for every venue but one") = Some(market);
        }
    }

    /// What was routed there so far.
    pub(crate) const fn routed(&self) -> Usd {
        self.routed
    }
}

impl Market {
    /// Closes `slice` on the book, or, where the venue routes, on all open venues' books; the rest of it on the own one.
    pub(super) fn sell_on_books(&mut self, id: AccountId, slice: Qty, limit: Option<Price>, abroad: &mut Abroad<'_>) {
        let mut rest = slice;
        if let Route::Routed { cost } = self.state.rules.route {
            rest += self.route(&Order { id, qty: -slice, limit, cost: Rate::from_f64(cost) }, abroad);
        }
        self.sell_on_book(id, rest, limit);
    }

    /// Trades abroad what is cheaper there, and returns it.
    fn route(&mut self, order: &Order, abroad: &mut Abroad<'_>) -> Qty {
        let mut routed = Qty::ZERO;
        if order.qty.is_zero() || abroad.markets[0].is_none() {
            return routed;
        }
        let coins = self.split_over(order, abroad);
        for (there, coins) in abroad.markets.iter_mut().flatten().zip(&coins[1..]) {
            let size = Qty::from_f64(*coins).min((order.qty - routed).abs());
            if !size.is_zero() {
                let fill = self.trade_through(order, order.sized(size), there);
                routed += fill.qty;
                abroad.routed += fill.value.abs();
            }
        }
        routed
    }

    /// Coins for home and for each venue abroad, in order, at one marginal price net of costs.
    fn split_over(&self, order: &Order, abroad: &Abroad<'_>) -> [f64; VENUES_MAX] {
        let (side, mid) = (order.side(), self.state.book.mid());
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let (mut carried, mut costs) = ([0.0; VENUES_MAX - 1], [0.0; VENUES_MAX - 1]);
        for (at, there) in abroad.markets.iter().flatten().enumerate() {
            costs[at] = there.routing_rate(order.cost).as_f64();
            let pairs = self.fixed.arbitrageurs().zip(there.fixed.arbitrageurs());
            carried[at] = pairs.map(|pair| self.pair_room(pair, order, there)).sum();
        }
        let offered = |concession: f64| {
            let net = mid * (1.0 + sign * concession);
            let mut coins = [0.0; VENUES_MAX];
            coins[0] = self.state.book.reachable(side, Price::from_f64(net));
            for (at, there) in abroad.markets.iter().flatten().enumerate() {
                let gross = Price::from_f64(net / (1.0 + sign * costs[at]));
                coins[at + 1] = there.state.book.reachable(side, gross).min(carried[at]);
            }
            coins
        };
        let worst = order.limit.map_or(WIDEST, |limit| sign * (limit.as_f64() / mid - 1.0)).min(WIDEST);
        if worst <= -WIDEST {
            return [0.0; VENUES_MAX];
        }
        let coins = split(order.qty.abs().as_f64(), [-WIDEST, worst], offered);
        // All that is traded abroad has its other leg at home.
        let here: f64 = self.fixed.arbitrageurs().map(|id| self.arbitrage_room(id, side.opposite()).max(0.0)).sum();
        if coins[1..].iter().sum::<f64>() * mid <= here {
            return coins;
        }
        split(here / mid, [-WIDEST, worst], |concession| {
            let mut coins = offered(concession);
            coins[0] = 0.0;
            coins
        })
    }

    /// Coins that an arbitrageur with these two accounts can take over here and trade there.
    fn pair_room(&self, (here, yonder): (AccountId, AccountId), order: &Order, there: &Self) -> f64 {
        let side = order.side();
        let own = self.arbitrage_room(here, side.opposite()) / self.state.book.mid();
        let other = there.arbitrage_room(yonder, side) / there.state.book.mid();
        let admitted = there.admitted(yonder, order.qty).abs().as_f64();
        own.min(other).min(admitted).max(0.0)
    }

    /// What an order pays here beyond the price, if a venue routed it that asks `cost`.
    fn routing_rate(&self, cost: Rate) -> Rate {
        let [fee, contribution] = self.charged_rates();
        Rate::from_raw(fee.raw() + contribution.raw() + cost.raw())
    }

    /// Trades `qty` there, and gives each arbitrageur its part of both legs, by what it can carry.
    fn trade_through(&mut self, order: &Order, qty: Qty, there: &mut Self) -> Fill {
        let limit = order.limit.map(|limit| before_costs(limit, order.side(), there.routing_rate(order.cost)));
        let ids = self.fixed.arbitrageurs().zip(there.fixed.arbitrageurs());
        let mut rooms = [0.0; ARBITRAGEURS_MAX];
        for (room, pair) in rooms.iter_mut().zip(ids.clone()) {
            *room = self.pair_room(pair, order, there);
        }
        // What went to another venue has taken of their room here.
        let together: f64 = rooms.iter().sum();
        let fill = there.take(order.sized(Qty::from_f64(together.min(qty.abs().as_f64())).min(qty.abs())), limit);
        if fill.qty.is_zero() {
            return fill;
        }
        let shares = rooms.map(|room| Rate::from_f64(room / together).raw());
        let all: i64 = shares.iter().sum();
        let (mut up_to, mut given) = (0, Fill::default());
        for ((here, yonder), share) in ids.zip(shares).filter(|(_, share)| *share > 0) {
            up_to += share;
            // Each one's part is what all up to it get, rounded down, less what those before it got.
            let part = |whole: i64| mul_div(whole, up_to, all, Rounding::Floor);
            let (qty, value) = (Qty::from_raw(part(fill.qty.raw())), Usd::from_raw(part(fill.value.raw())));
            let leg = Fill { qty: qty - given.qty, value: value - given.value };
            given = Fill { qty, value };
            let charged = there.book_willing(yonder, leg);
            let value = leg.value + charged + leg.value.abs().share_ceil(order.cost);
            self.state.ledger.trade(order.id, leg.qty, value);
            self.state.ledger.trade(here, -leg.qty, -value);
            self.book_cost(order.id, -leg.qty, -value);
        }
        assert_eq!(given, fill, "every part of a fill abroad is somebody's");
        // That venue may have settled its risk in this tick already.
        there.settle_makers();
        fill
    }
}

/// The worst price that is no worse than `limit` once costs at `rate` are paid.
fn before_costs(limit: Price, side: Side, rate: Rate) -> Price {
    let (signed, rounding) = match side {
        Side::Buy => (rate.raw(), Rounding::Floor),
        Side::Sell => (-rate.raw(), Rounding::Ceil),
    };
    Price::from_raw(mul_div(limit.raw(), Rate::SCALE, Rate::SCALE + signed, rounding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_before_costs_keeps_the_limit_after_them() {
        // 100 dollars and 10 bp: a buyer may pay 99.900099…, a seller has to get 100.100100….
        let limit = Price::from_f64(100.0);
        let rate = Rate::from_f64(1e-3);
        assert_eq!(before_costs(limit, Side::Buy, rate), Price::from_f64(99.900_099));
        assert_eq!(before_costs(limit, Side::Sell, rate), Price::from_f64(100.100_101));
        assert_eq!(before_costs(limit, Side::Sell, Rate::ZERO), limit);
    }
}
