//! Known layouts: which names of columns make which kind of file, and what their cells may hold.

/// Kinds of files beside candles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bars of the mark price, which have no volume.
    Marks,
    /// Funding rates at settlement, as fractions.
    Funding,
    /// Funding rates by exchange, in percent.
    FundingByExchange,
    /// Resting value within 1 % of mid.
    BookDepth,
    /// Liquidated value by side.
    Liquidations,
    /// Open interest.
    OpenInterest,
    /// Open interest by exchange.
    OpenInterestByExchange,
    /// Taker flow.
    TakerFlow,
    /// Positioning and basis.
    Positioning,
    /// One row per day, exchange and contract.
    VenueSnapshots,
    /// Best quotes and cumulative depth, every second.
    Quotes,
    /// Levels of a book, every second.
    Levels,
    /// Public trades.
    Trades,
    /// Trades by user.
    Fills,
    /// Liquidations on a perpetuals venue, one by one.
    PerpLiquidations,
    /// Liquidations in a lending market, one by one.
    LendingLiquidations,
    /// Daily macro series.
    Macro,
    /// Implied volatility index.
    ImpliedVolatility,
    /// Margin brackets.
    Margin,
}

/// What a cell may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A number above zero.
    Positive,
    /// A number of at least zero.
    Natural,
    /// Any number.
    Number,
    /// A number or nothing.
    Optional,
    /// Anything.
    Text,
}

/// How times run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Each row is later than the one before.
    Rising,
    /// No row is earlier than the one before.
    Events,
    /// There is no order, or no time.
    None,
}

/// A known layout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// In words.
    pub(crate) title: &'static str,
    /// Column of time, if there is one.
    pub(crate) time: Option<&'static str>,
    pub(crate) order: Order,
    /// Columns that must be there; `*` stands for any beginning.
    pub(crate) needed: &'static [(&'static str, Cell)],
    /// Columns of text.
    pub(crate) texts: &'static [&'static str],
}

impl Shape {
    /// Whether a header is of this layout. A column of volume makes bars candles.
    pub(crate) fn fits(&self, header: &[String]) -> bool {
        let has = |name: &str| header.iter().any(|found| matches(name, found));
        self.time.is_none_or(has)
            && self.needed.iter().all(|(name, _)| has(name))
            && !(self.kind == Kind::Marks && header.iter().any(|name| name.starts_with("vol")))
    }

    /// What a column may hold.
    pub(crate) fn cell(&self, column: &str) -> Cell {
        if self.texts.contains(&column) {
            return Cell::Text;
        }
        self.needed.iter().find(|(name, _)| matches(name, column)).map_or(Cell::Optional, |(_, cell)| *cell)
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_prefix('*').map_or(pattern == name, |end| name.ends_with(end))
}

/// Every known layout; the first that fits counts.
pub(crate) const SHAPES: [Shape; 19] = {
    use Cell::{Natural, Number, Optional, Positive, Text};
    const MS: Option<&str> = Some("ts_ms");
    const fn shape(kind: Kind, title: &'static str, needed: &'static [(&'static str, Cell)]) -> Shape {
        Shape { kind, title, time: MS, order: Order::Rising, needed, texts: &[] }
    }
    const fn events(shape: Shape, texts: &'static [&'static str]) -> Shape {
        Shape { order: Order::Events, texts, ..shape }
    }
    [
        shape(Kind::Funding, "funding rates", &[("funding_rate", Number)]),
        shape(Kind::FundingByExchange, "funding by exchange", &[("btc_binance", Optional), ("btc_bybit", Optional)]),
        shape(Kind::BookDepth, "depth within 1 %", &[("*btc_bids_usd", Positive), ("*btc_asks_usd", Positive)]),
        shape(Kind::Liquidations, "liquidations by side", &[("*_long_liq_usd", Natural), ("*_short_liq_usd", Natural)]),
        shape(Kind::OpenInterest, "open interest", &[("*_oi_open", Positive), ("*_oi_close", Positive)]),
        shape(
            Kind::OpenInterestByExchange,
            "open interest by exchange",
            &[("price", Positive), ("binance", Optional), ("cme", Optional)],
        ),
        shape(Kind::TakerFlow, "taker flow", &[("*_buy_volume_usd", Optional), ("*_sell_volume_usd", Optional)]),
        shape(Kind::Positioning, "positioning and basis", &[("basis_close_basis", Number)]),
        Shape {
            time: None,
            order: Order::None,
            texts: &["snapshot", "coin", "exchange_name", "symbol", "instrument_id"],
            ..shape(
                Kind::VenueSnapshots,
                "daily snapshots by venue",
                &[("snapshot", Text), ("exchange_name", Text), ("current_price", Optional)],
            )
        },
        shape(
            Kind::Quotes,
            "best quotes and depth",
            &[
                ("best_bid", Positive),
                ("best_ask", Positive),
                ("spread_bps", Natural),
                ("*id_usd_10bp", Natural),
                ("*sk_usd_10bp", Natural),
            ],
        ),
        events(
            shape(Kind::Levels, "levels of a book", &[("level", Positive), ("price", Positive), ("qty", Natural)]),
            &["side"],
        ),
        Shape {
            time: Some("exch_ms"),
            order: Order::None,
            ..shape(
                Kind::Trades,
                "public trades",
                &[("price", Positive), ("qty", Positive), ("buyer_is_maker", Natural)],
            )
        },
        events(
            shape(Kind::Fills, "trades by user", &[("user_id", Natural), ("px", Positive), ("sz", Positive)]),
            &["coin"],
        ),
        events(
            shape(
                Kind::PerpLiquidations,
                "liquidations one by one",
                &[("notional_usd", Positive), ("leverage_at_liq", Number)],
            ),
            &["leverage_type"],
        ),
        events(
            shape(
                Kind::LendingLiquidations,
                "lending liquidations",
                &[("debt_usd", Optional), ("collateral_usd", Optional)],
            ),
            &["debt", "collateral"],
        ),
        Shape {
            time: Some("date"),
            ..shape(Kind::Macro, "daily macro series", &[("spx", Optional), ("vix", Optional), ("btc", Optional)])
        },
        shape(Kind::ImpliedVolatility, "implied volatility", &[("dvol_btc", Positive)]),
        Shape {
            time: None,
            order: Order::None,
            ..shape(
                Kind::Margin,
                "margin brackets",
                &[
                    ("symbol", Text),
                    ("margin_ccy", Text),
                    ("max_notional", Positive),
                    ("maint_margin_rate", Positive),
                    ("max_leverage", Positive),
                ],
            )
        },
        shape(
            Kind::Marks,
            "bars of the mark price",
            &[("open", Positive), ("high", Positive), ("low", Positive), ("close", Positive)],
        ),
    ]
};
