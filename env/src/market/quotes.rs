//! Makers requote: one of them looks at the market in each tick, and the book refreshes to what all of them quote.

use super::Market;
use crate::book::Quotes;
use crate::participants::makers::MakerView;

/// Widest half spread that makers still call a quote: 50 bp.
const WIDEST: f64 = 50e-4;
/// Share of the pull towards other venues that stays when every maker has left.
const ABSENT: f64 = 0.2;
/// Share of the latent book that stays when every maker has left: end investors.
const PATIENT: f64 = 0.3;

impl Market {
    pub(super) fn refresh_quotes(&mut self) {
        self.one_maker_looks();
        let state = &mut self.state;
        let config = &self.scenario.makers;
        let count = self.fixed.maker_share;
        let (mut bid, mut ask, mut size) = (0.0, 0.0, 0.0);
        for maker in &state.makers {
            bid += maker.bid;
            ask += maker.ask;
            size += maker.size;
        }
        let liquidity = state.outside.liquidity;
        let quoted = |sum: f64| (sum * count).max(config.floor) * liquidity;
        state.liquidity = [quoted(bid), quoted(ask)];
        let stress = state.signals.stress_fast(self.fixed.reference_sigma);
        let wide = self.scenario.book.half_spread_bp * 1e-4 * (1.0 + config.widening * (stress - 1.0).max(0.0));
        // A lean of quotes: makers that are long lower their price.
        let lean = (ask - bid) / (ask + bid).max(1e-9) * config.skew_bp * 1e-4;
        // News is what everybody knows at once: the fundamental price and what has been learned from home for good. What
        // other books stand above it is a gap to close. Were it news, home would follow itself by way of them.
        let (news, target) = match self.scratch.joined.gap {
            Some(gap) => (state.prices.fundamental, gap - lean),
            None => {
                let (prices, known) = (&state.prices, state.prices.learned + state.pushed());
                (prices.fundamental * libm::exp(known), libm::expm1(prices.spill - known) - lean)
            }
        };
        state.book.refresh(Quotes {
            outside: news,
            pull: self.fixed.coupling * (ABSENT + (1.0 - ABSENT) * size * count),
            lean: target,
            half_spread: wide.min(WIDEST),
            liquidity: state.liquidity,
            latent: liquidity * (PATIENT + (1.0 - PATIENT) * size * count),
        });
    }

    fn one_maker_looks(&mut self) {
        let state = &mut self.state;
        let count = state.makers.len() as u64;
        let which = state.tick % count;
        let maker = &mut state.makers[usize::try_from(which).expect("a handful of makers")];
        let id = self.fixed.makers_ids().start + u32::try_from(which).expect("a handful of makers");
        let mark = state.prices.mark;
        maker.requote(
            &self.scenario.makers,
            &MakerView {
                tick: state.tick,
                recovery: self.fixed.maker_recovery,
                stress: state.signals.stress_fast(self.fixed.reference_sigma),
                equity: state.ledger.equity(id, mark).as_f64(),
                inventory: state.ledger.qty(id).value(mark).as_f64() / self.fixed.maker_limit,
                ticks_per_second: 1.0 / self.fixed.seconds,
            },
        );
    }
}
