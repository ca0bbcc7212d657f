//! Bars from ticks.

use seawall_env::Print;
use seawall_runtime::bars::Bar;

/// Numbers of a [`BarMaker`]: ticks of the bar so far, its high, low, close and volume.
pub(super) const MAKER: usize = 5;

/// The bar that is under way, in numbers that somebody keeps: it opens where the one before closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BarMaker;

impl BarMaker {
    /// Begins the first bar.
    pub(super) fn open(mid: f64, memory: &mut [f64]) {
        memory.copy_from_slice(&[0.0, mid, mid, mid, 0.0]);
    }

    /// Takes in a tick; the bar that it closes, if it closes one.
    ///
    /// # Panics
    /// If a bar is not whole ticks, which is checked where an instrument and a market are brought together.
    pub(super) fn tick(bar_ms: u32, print: &Print, memory: &mut [f64]) -> Option<Bar> {
        let ticks = ticks(bar_ms, print.seconds).expect("a bar is whole ticks");
        let [count, high, low, close, volume] = memory else { unreachable!("a bar under way has {MAKER} numbers") };
        *count += 1.0;
        (*high, *low, *close) = (high.max(print.mid), low.min(print.mid), print.mid);
        *volume += print.volume;
        if *count < ticks {
            return None;
        }
        let bar = Bar { high: *high, low: *low, close: *close, volume: *volume };
        Self::open(bar.close, memory);
        Some(bar)
    }
}

/// Ticks of a bar; nothing if they are not whole.
pub(super) fn ticks(bar_ms: u32, tick_seconds: f64) -> Option<f64> {
    let exact = f64::from(bar_ms) / (1e3 * tick_seconds);
    let ticks = libm::round(exact);
    // A tick of a tenth of a second is no binary fraction.
    (ticks >= 1.0 && (exact - ticks).abs() <= 1e-9 * ticks).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ticks_are_a_bar_that_opens_where_the_last_closed() {
        let mut memory = [f64::NAN; MAKER];
        BarMaker::open(100.0, &mut memory);
        let mut tick = |mid: f64| BarMaker::tick(600, &Print { seconds: 0.2, mid, volume: 2.0 }, &mut memory);
        assert_eq!((tick(99.0), tick(103.0)), (None, None));
        assert_eq!(tick(102.0), Some(Bar { high: 103.0, low: 99.0, close: 102.0, volume: 6.0 }));
        assert_eq!((tick(101.0), tick(101.0)), (None, None));
        assert_eq!(tick(101.0), Some(Bar { high: 102.0, low: 101.0, close: 101.0, volume: 6.0 }));
    }

    #[test]
    fn a_bar_of_broken_ticks_is_none() {
        assert_eq!(ticks(60_000, 4.0), Some(15.0));
        assert_eq!(ticks(300, 0.1), Some(3.0));
        assert_eq!(ticks(60_000, 7.0), None);
        assert_eq!(ticks(1_000, 2.0), None);
    }
}
