//! The same book in the most obvious way: a list of resting orders in the order of their arrival, searched whole.

use std::collections::BTreeMap;

use seawall_env::book::Side;
use seawall_env::book::order::{
    AccountId, CancelReason, Event, Kind, Lots, NewOrder, OrderBookConfig, OrderId, Reject, Request, SelfTrade, Tick,
    TimeInForce, Trade,
};
use seawall_env::units::Usd;

/// A resting order as it would be sent again, with what is left of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    pub(crate) id: OrderId,
    pub(crate) tick: Tick,
    pub(crate) order: NewOrder,
}

#[derive(Debug)]
pub(crate) struct Reference {
    config: OrderBookConfig,
    /// Oldest first; an order that loses its rank is taken out and put at the end.
    pub(crate) resting: Vec<Resting>,
    pub(crate) positions: BTreeMap<AccountId, i64>,
    accepted: u64,
}

impl Reference {
    pub(crate) fn new(config: &OrderBookConfig) -> Self {
        Self { config: config.clone(), resting: Vec::new(), positions: BTreeMap::new(), accepted: 0 }
    }

    /// Names orders 1, 2, 3, …
    pub(crate) fn submit(&mut self, order: NewOrder, events: &mut Vec<Event>) -> Option<OrderId> {
        if let Err(reason) = self.check(&order) {
            events.push(Event::Rejected { request: Request::New(order.account), reason });
            return None;
        }
        self.accepted += 1;
        let id = OrderId::from_raw(self.accepted).expect("numbers start at one");
        let limit = match order.kind {
            Kind::Market => None,
            Kind::Limit { tick, .. } => Some(tick),
        };
        let NewOrder { account, side, lots, .. } = order;
        events.push(Event::Accepted { order: id, account, side, limit, lots });
        self.enter(id, order, events);
        Some(id)
    }

    pub(crate) fn cancel(&mut self, id: OrderId, events: &mut Vec<Event>) {
        let Some(index) = self.find(id) else {
            events.push(Event::Rejected { request: Request::Cancel(id), reason: Reject::UnknownOrder });
            return;
        };
        let lots = self.resting[index].order.lots;
        self.reduce(index, lots, CancelReason::Requested, events);
    }

    pub(crate) fn cancel_all(&mut self, account: AccountId, events: &mut Vec<Event>) {
        let mut own: Vec<_> = self.resting.iter().copied().filter(|r| r.order.account == account).collect();
        own.sort_by_key(|resting| match resting.order.side {
            Side::Buy => (0, -i64::from(resting.tick.0)),
            Side::Sell => (1, i64::from(resting.tick.0)),
        });
        for resting in own {
            self.cancel(resting.id, events);
        }
    }

    pub(crate) fn amend(&mut self, id: OrderId, tick: Tick, lots: Lots, events: &mut Vec<Event>) {
        let reject = |reason| Event::Rejected { request: Request::Amend(id), reason };
        let Some(index) = self.find(id) else {
            events.push(reject(Reject::UnknownOrder));
            return;
        };
        let old = self.resting[index];
        let Kind::Limit { life, .. } = old.order.kind else { panic!("a market order rests") };
        let new = NewOrder { lots, kind: Kind::Limit { tick, life }, ..old.order };
        if let Err(reason) = self.in_range(&new) {
            events.push(reject(reason));
            return;
        }
        let kept_rank = tick == old.tick && lots <= old.order.lots;
        if kept_rank {
            self.resting[index].order = new;
        } else if let Err(reason) = self.check(&new) {
            events.push(reject(reason));
            return;
        }
        events.push(Event::Amended { order: id, tick, lots, kept_rank });
        if !kept_rank {
            self.resting.remove(index);
            self.enter(id, new, events);
        }
    }

    fn find(&self, id: OrderId) -> Option<usize> {
        self.resting.iter().position(|resting| resting.id == id)
    }

    fn in_range(&self, order: &NewOrder) -> Result<(), Reject> {
        if order.lots.0 == 0 || order.lots.0 > u64::from(u32::MAX) {
            return Err(Reject::SizeOutOfRange);
        }
        match order.kind {
            Kind::Limit { tick, .. } if tick.0 == 0 || tick.0 > self.config.ticks => Err(Reject::PriceOutOfRange),
            _ => Ok(()),
        }
    }

    fn check(&self, order: &NewOrder) -> Result<(), Reject> {
        self.in_range(order)?;
        let reducible = self.reducible(order.account, order.side);
        if order.reduce_only && reducible == 0 {
            return Err(Reject::NothingToReduce);
        }
        let opposite = self.opposite(order);
        match order.kind {
            Kind::Limit { life: TimeInForce::PostOnly, .. } if !opposite.is_empty() => Err(Reject::WouldTake),
            Kind::Limit { life: TimeInForce::FillOrKill, .. } => {
                let own = |resting: &Resting| resting.order.account == order.account;
                let reach: Vec<_> = match order.self_trade {
                    SelfTrade::Allow => opposite,
                    SelfTrade::CancelOldest => opposite.into_iter().filter(|resting| !own(resting)).collect(),
                    _ => opposite.into_iter().take_while(|resting| !own(resting)).collect(),
                };
                let sure: u64 = reach.iter().filter(|r| !r.order.reduce_only).map(|r| r.order.lots.0).sum();
                let capped = order.reduce_only && reducible < order.lots.0;
                if sure < order.lots.0 || capped { Err(Reject::Unfillable) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// What an order can meet, in the order in which it meets it.
    fn opposite(&self, order: &NewOrder) -> Vec<Resting> {
        let within = |tick: Tick| match (order.kind, order.side) {
            (Kind::Market, _) => true,
            (Kind::Limit { tick: limit, .. }, Side::Buy) => tick <= limit,
            (Kind::Limit { tick: limit, .. }, Side::Sell) => tick >= limit,
        };
        let mut met: Vec<_> =
            self.resting.iter().copied().filter(|r| r.order.side != order.side && within(r.tick)).collect();
        // A stable sort: at one price the older order stays first.
        met.sort_by_key(|resting| match order.side {
            Side::Buy => i64::from(resting.tick.0),
            Side::Sell => -i64::from(resting.tick.0),
        });
        met
    }

    fn reducible(&self, account: AccountId, side: Side) -> u64 {
        let position = self.positions.get(&account).copied().unwrap_or(0);
        match side {
            Side::Buy => (-position).max(0).unsigned_abs(),
            Side::Sell => position.max(0).unsigned_abs(),
        }
    }

    fn enter(&mut self, id: OrderId, mut order: NewOrder, events: &mut Vec<Event>) {
        let account = order.account;
        let lose = |order: &mut NewOrder, lots: u64, reason, events: &mut Vec<Event>| {
            order.lots.0 -= lots;
            events.push(Event::Cancelled { order: id, account, lots: Lots(lots), reason });
        };
        if order.reduce_only {
            let excess = order.lots.0.saturating_sub(self.reducible(account, order.side));
            if excess > 0 {
                lose(&mut order, excess, CancelReason::ReduceOnly, events);
            }
        }
        while order.lots.0 > 0
            && let Some(&maker) = self.opposite(&order).first()
        {
            let index = self.find(maker.id).expect("it rests");
            let both = order.lots.min(maker.order.lots);
            if maker.order.account == account && order.self_trade != SelfTrade::Allow {
                let (old, new) = match order.self_trade {
                    SelfTrade::CancelNewest => (Lots(0), order.lots),
                    SelfTrade::CancelOldest => (maker.order.lots, Lots(0)),
                    SelfTrade::CancelBoth => (maker.order.lots, order.lots),
                    _ => (both, both),
                };
                // The resting order's loss is told first, its end last.
                let end = self.reduce_quietly(index, old, CancelReason::SelfTrade, events);
                if new.0 > 0 {
                    lose(&mut order, new.0, CancelReason::SelfTrade, events);
                }
                events.extend(end);
                continue;
            }
            if maker.order.reduce_only {
                let cap = self.reducible(account_of(&maker), maker.order.side);
                let excess = maker.order.lots.0.saturating_sub(cap);
                if excess > 0 {
                    self.reduce(index, Lots(excess), CancelReason::ReduceOnly, events);
                    // Look again: it may be gone.
                    continue;
                }
            }
            self.trade(id, &mut order, index, both, events);
        }
        let rests = matches!(order.kind, Kind::Limit { life: TimeInForce::GoodTillCancel | TimeInForce::PostOnly, .. });
        match order.kind {
            Kind::Limit { tick, .. } if rests && order.lots.0 > 0 => self.resting.push(Resting { id, tick, order }),
            _ => {
                if order.lots.0 > 0 {
                    let lots = order.lots.0;
                    lose(&mut order, lots, CancelReason::Unfilled, events);
                }
                events.push(Event::Done { order: id, account });
            }
        }
    }

    fn trade(&mut self, id: OrderId, taker: &mut NewOrder, index: usize, lots: Lots, events: &mut Vec<Event>) {
        let maker = self.resting[index];
        let value = i128::from(lots.0) * i128::from(maker.tick.0) * self.unit();
        let fee = |rate: i64| {
            let product = value * i128::from(rate);
            Usd::from_raw(i64::try_from(-(-product).div_euclid(1_000_000_000)).expect("a small fee"))
        };
        events.push(Event::Trade(Trade {
            maker: maker.id,
            taker: id,
            maker_account: maker.order.account,
            taker_account: taker.account,
            taker_side: taker.side,
            tick: maker.tick,
            lots,
            maker_fee: fee(self.config.fees.maker.raw()),
            taker_fee: fee(self.config.fees.taker.raw()),
        }));
        let signed = i64::try_from(lots.0).expect("a small order") * taker.side.sign();
        *self.positions.entry(taker.account).or_default() += signed;
        *self.positions.entry(maker.order.account).or_default() -= signed;
        taker.lots.0 -= lots.0;
        self.resting[index].order.lots.0 -= lots.0;
        events.extend(self.bury(index));
    }

    fn unit(&self) -> i128 {
        i128::from(self.config.tick_size.raw()) * i128::from(self.config.lot_size.raw()) / 100_000_000
    }

    /// Cancels part of a resting order.
    fn reduce(&mut self, index: usize, lots: Lots, reason: CancelReason, events: &mut Vec<Event>) {
        let end = self.reduce_quietly(index, lots, reason, events);
        events.extend(end);
    }

    /// The same, but hands the end of the order back.
    fn reduce_quietly(
        &mut self,
        index: usize,
        lots: Lots,
        reason: CancelReason,
        events: &mut Vec<Event>,
    ) -> Option<Event> {
        if lots.0 > 0 {
            let resting = &mut self.resting[index];
            resting.order.lots.0 -= lots.0;
            events.push(Event::Cancelled { order: resting.id, account: resting.order.account, lots, reason });
        }
        self.bury(index)
    }

    /// Removes a resting order of which nothing is left.
    fn bury(&mut self, index: usize) -> Option<Event> {
        let Resting { id, order, .. } = self.resting[index];
        (order.lots.0 == 0).then(|| {
            self.resting.remove(index);
            Event::Done { order: id, account: order.account }
        })
    }
}

fn account_of(resting: &Resting) -> AccountId {
    resting.order.account
}
