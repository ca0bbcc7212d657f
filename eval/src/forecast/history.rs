//! One run of bars without a hole, as logarithms.

use seawall_env::world::Bar;

/// Length of a bar, in milliseconds: five minutes, at which sampling of liquid markets is free of microstructure noise and
/// hard to beat (Liu, Patton & Sheppard 2015, "Does anything beat 5-minute RV?").
pub const BAR_MS: i64 = 300_000;

/// A run of bars of one length without a hole.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Where it is from.
    pub name: String,
    /// Length of a bar, in milliseconds.
    pub bar_ms: i64,
    /// Open of the first bar, in milliseconds since 1970.
    pub start_ms: i64,
    /// Logarithms of closes.
    pub close: Vec<f64>,
    /// Logarithms of highs.
    pub high: Vec<f64>,
    /// Logarithms of lows.
    pub low: Vec<f64>,
    /// Volume, in any unit.
    pub volume: Vec<f64>,
    /// Log returns from close to close; the first is from open to close.
    pub returns: Vec<f64>,
}

impl History {
    /// Takes over bars of [`BAR_MS`] without a hole.
    ///
    /// # Panics
    /// If there is no bar, or one does not open where the one before ends.
    #[must_use]
    pub fn new(name: &str, bars: &[Bar]) -> Self {
        Self::at_pace(name, bars, BAR_MS)
    }

    /// Takes over bars of `bar_ms` without a hole.
    ///
    /// # Panics
    /// As [`History::new`].
    #[must_use]
    pub fn at_pace(name: &str, bars: &[Bar], bar_ms: i64) -> Self {
        let first = bars.first().expect("a history has a bar");
        for pair in bars.windows(2) {
            assert_eq!(pair[1].open_time_ms - pair[0].open_time_ms, bar_ms, "bars follow one another");
        }
        let plain = |bar: &Bar| seawall_runtime::bars::Bar {
            high: bar.high.as_f64(),
            low: bar.low.as_f64(),
            close: bar.close.as_f64(),
            volume: bar.volume,
        };
        let start = (first.open_time_ms, first.open.as_f64());
        Self::of_prices(name, start, &bars.iter().map(plain).collect::<Vec<_>>(), bar_ms)
    }

    /// Takes over bars of `bar_ms` as an engine sees them; `start` is when the first opens, and at which price.
    #[must_use]
    pub fn of_prices(
        name: &str,
        (start_ms, open): (i64, f64),
        bars: &[seawall_runtime::bars::Bar],
        bar_ms: i64,
    ) -> Self {
        let log = |of: fn(&seawall_runtime::bars::Bar) -> f64| -> Vec<f64> {
            bars.iter().map(|bar| libm::log(of(bar))).collect()
        };
        let close = log(|bar| bar.close);
        let opens = std::iter::once(libm::log(open)).chain(close.iter().copied());
        Self {
            name: name.to_owned(),
            bar_ms,
            start_ms,
            high: log(|bar| bar.high),
            low: log(|bar| bar.low),
            volume: bars.iter().map(|bar| bar.volume).collect(),
            returns: close.iter().zip(opens).map(|(close, open)| close - open).collect(),
            close,
        }
    }

    /// Bars.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there is no bar: never.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// When bar `at` closes, in milliseconds since 1970.
    #[must_use]
    #[expect(clippy::cast_possible_wrap, reason = "bars of a file")]
    pub const fn closes_ms(&self, at: usize) -> i64 {
        self.start_ms + (at as i64 + 1) * self.bar_ms
    }
}

/// Joins bars of a divisor of `to_ms` to bars of `to_ms` that open on its multiples; what is left over at the ends of a
/// run is dropped. Nothing if bars are longer, or no divisor.
#[must_use]
pub fn coarsened(bars: &[Bar], bar_ms: i64, to_ms: i64) -> Option<Vec<Bar>> {
    if bar_ms <= 0 || to_ms % bar_ms != 0 {
        return None;
    }
    let group = |bar: &Bar| bar.open_time_ms.div_euclid(to_ms);
    let joined = bars.chunk_by(|a, b| group(a) == group(b)).filter_map(|part| {
        let (first, last) = (part.first()?, part.last()?);
        let is_whole =
            first.open_time_ms.rem_euclid(to_ms) == 0 && last.open_time_ms - first.open_time_ms == to_ms - bar_ms;
        is_whole.then(|| Bar {
            open_time_ms: first.open_time_ms,
            open: first.open,
            high: part.iter().map(|bar| bar.high).max().unwrap_or(first.high),
            low: part.iter().map(|bar| bar.low).min().unwrap_or(first.low),
            close: last.close,
            volume: part.iter().map(|bar| bar.volume).sum(),
        })
    });
    Some(joined.collect())
}

#[cfg(test)]
mod tests {
    use seawall_env::units::Price;

    use super::*;

    #[test]
    fn minutes_become_whole_bars_on_the_clock() {
        let minute = |k: i64| Bar {
            open_time_ms: 60_000 * k,
            open: Price::from_f64(100.0),
            high: Price::from_f64(101.0 + if k == 7 { 5.0 } else { 0.0 }),
            low: Price::from_f64(99.0),
            close: Price::from_f64(if k == 9 { 100.5 } else { 100.0 }),
            volume: 2.0,
        };
        // Minutes 3 to 12: of the bars that open at 0, 5 and 10, only the second is whole.
        let bars: Vec<Bar> = (3..13).map(minute).collect();
        let joined = coarsened(&bars, 60_000, BAR_MS).unwrap();
        let expected = Bar { open_time_ms: 300_000, high: Price::from_f64(106.0), volume: 10.0, ..minute(9) };
        assert_eq!(joined, vec![Bar { open: Price::from_f64(100.0), ..expected }]);
        assert_eq!(coarsened(&bars, 900_000, BAR_MS), None);
        let history = History::new("x", &joined);
        assert!((history.returns[0] - libm::log(1.005)).abs() < 1e-12);
        assert_eq!(history.closes_ms(0), 600_000);
    }
}
