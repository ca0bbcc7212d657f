//! Price levels: pages of 512 ticks, opened where orders rest, and a bitmap of the ticks that hold orders.
//!
//! One ladder for both sides: the book is never crossed, so an occupied tick at or below the best bid is a bid, and
//! one at or above the best ask an ask.

use serde::{Deserialize, Serialize};

use super::slab::NIL;
use crate::book::Side;

const BLOCK_BITS: u32 = 9;
/// Ticks of a page: a page is 8 KiB of levels, and one cache line of occupied ticks.
const BLOCK: u32 = 1 << BLOCK_BITS;
const WORDS: usize = BLOCK as usize / 64;

/// Best bid of an empty side: below every price.
pub(super) const NO_BID: u32 = 0;
/// Best ask of an empty side: above every price.
pub(super) const NO_ASK: u32 = u32::MAX;

/// Queue of one price, oldest first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) lots: u64,
}

const EMPTY: Level = Level { head: NIL, tail: NIL, lots: 0 };

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ladder {
    pub(super) best_bid: u32,
    pub(super) best_ask: u32,
    /// Page of each block of ticks, or `NIL`.
    pages: Vec<u32>,
    /// A bit for each block that has a page.
    blocks: Vec<u64>,
    /// Levels of all pages, one page after the other.
    pub(super) levels: Vec<Level>,
    /// A bit for each level that holds orders.
    occupied: Vec<u64>,
    /// Pages without orders.
    spare: Vec<u32>,
}

impl Ladder {
    /// A ladder of ticks `1..=ticks`.
    pub(super) fn new(ticks: u32) -> Self {
        let blocks = (ticks >> BLOCK_BITS) as usize + 1;
        Self {
            best_bid: NO_BID,
            best_ask: NO_ASK,
            pages: vec![NIL; blocks],
            blocks: vec![0; blocks.div_ceil(64)],
            levels: Vec::new(),
            occupied: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Best price on the side that an order of `side` meets, if it is no worse than `limit`.
    #[inline]
    pub(super) fn opposite_within(&self, side: Side, limit: u32) -> Option<u32> {
        match side {
            Side::Buy => (self.best_ask <= limit).then_some(self.best_ask),
            Side::Sell => (self.best_bid >= limit).then_some(self.best_bid),
        }
    }

    /// Index of a level whose page is open.
    #[inline]
    pub(super) fn locate(&self, tick: u32) -> u32 {
        self.pages[(tick >> BLOCK_BITS) as usize] << BLOCK_BITS | tick & (BLOCK - 1)
    }

    /// Index of a level, if its page is open.
    pub(super) fn find(&self, tick: u32) -> Option<u32> {
        let page = *self.pages.get((tick >> BLOCK_BITS) as usize)?;
        (page != NIL).then_some(page << BLOCK_BITS | tick & (BLOCK - 1))
    }

    /// Index of the level where an order is about to rest, marked as occupied.
    #[inline]
    pub(super) fn occupy(&mut self, side: Side, tick: u32) -> u32 {
        if self.pages[(tick >> BLOCK_BITS) as usize] == NIL {
            self.open(tick >> BLOCK_BITS);
        }
        let at = self.locate(tick);
        if self.levels[at as usize].head == NIL {
            self.occupied[(at / 64) as usize] |= 1 << (at % 64);
            match side {
                Side::Buy => self.best_bid = self.best_bid.max(tick),
                Side::Sell => self.best_ask = self.best_ask.min(tick),
            }
        }
        at
    }

    /// Marks a level as empty, which it is; moves the best price on and gives an empty page back.
    #[inline]
    pub(super) fn vacate(&mut self, tick: u32, at: u32) {
        let word = &mut self.occupied[(at / 64) as usize];
        *word &= !(1 << (at % 64));
        let empty = *word == 0;
        if tick == self.best_bid {
            self.best_bid = self.next_below(tick, at);
        } else if tick == self.best_ask {
            self.best_ask = self.next_above(tick, at);
        }
        if empty {
            self.close_if_empty(tick >> BLOCK_BITS, at >> BLOCK_BITS);
        }
    }

    /// Lowest occupied tick above `tick`, whose page is open.
    #[inline]
    pub(super) fn next_above(&self, tick: u32, at: u32) -> u32 {
        let bits = self.occupied[(at / 64) as usize] & (!1 << (at % 64));
        if bits != 0 {
            return tick - at % 64 + bits.trailing_zeros();
        }
        self.far_above(tick, at)
    }

    /// Highest occupied tick below `tick`, whose page is open.
    #[inline]
    pub(super) fn next_below(&self, tick: u32, at: u32) -> u32 {
        let bits = self.occupied[(at / 64) as usize] & ((1 << (at % 64)) - 1);
        if bits != 0 {
            return tick - at % 64 + 63 - bits.leading_zeros();
        }
        self.far_below(tick, at)
    }

    #[cold]
    fn far_above(&self, tick: u32, at: u32) -> u32 {
        let block = tick >> BLOCK_BITS;
        if let Some(tick) = self.first_in(block, at % BLOCK / 64 + 1) {
            return tick;
        }
        let mut word = (block / 64) as usize;
        let mut bits = self.blocks[word] & (!1 << (block % 64));
        while bits == 0 {
            word += 1;
            match self.blocks.get(word) {
                Some(&next) => bits = next,
                None => return NO_ASK,
            }
        }
        self.first_in(bit(word, bits.trailing_zeros()), 0).expect("an open page holds orders")
    }

    #[cold]
    fn far_below(&self, tick: u32, at: u32) -> u32 {
        let block = tick >> BLOCK_BITS;
        if let Some(tick) = self.last_in(block, at % BLOCK / 64) {
            return tick;
        }
        let mut word = (block / 64) as usize;
        let mut bits = self.blocks[word] & ((1 << (block % 64)) - 1);
        while bits == 0 {
            match word.checked_sub(1) {
                Some(next) => word = next,
                None => return NO_BID,
            }
            bits = self.blocks[word];
        }
        self.last_in(bit(word, 63 - bits.leading_zeros()), BLOCK / 64).expect("an open page holds orders")
    }

    /// Lowest occupied tick of an open block, from word `from` on.
    fn first_in(&self, block: u32, from: u32) -> Option<u32> {
        let words = self.words(block);
        (from..BLOCK / 64)
            .find(|&word| words[word as usize] != 0)
            .map(|word| (block << BLOCK_BITS) + word * 64 + words[word as usize].trailing_zeros())
    }

    /// Highest occupied tick of an open block, before word `before`.
    fn last_in(&self, block: u32, before: u32) -> Option<u32> {
        let words = self.words(block);
        (0..before)
            .rev()
            .find(|&word| words[word as usize] != 0)
            .map(|word| (block << BLOCK_BITS) + word * 64 + 63 - words[word as usize].leading_zeros())
    }

    fn words(&self, block: u32) -> &[u64] {
        let page = self.pages[block as usize] as usize;
        &self.occupied[page * WORDS..(page + 1) * WORDS]
    }

    #[cold]
    fn open(&mut self, block: u32) {
        let page = self.spare.pop().unwrap_or_else(|| {
            let page = self.levels.len() >> BLOCK_BITS;
            self.levels.resize(self.levels.len() + BLOCK as usize, EMPTY);
            self.occupied.resize(self.occupied.len() + WORDS, 0);
            // So that giving pages back never allocates.
            self.spare.reserve(page + 1);
            u32::try_from(page).expect("there are fewer pages than ticks")
        });
        self.pages[block as usize] = page;
        self.blocks[(block / 64) as usize] |= 1 << (block % 64);
    }

    #[inline]
    fn close_if_empty(&mut self, block: u32, page: u32) {
        if self.words(block).iter().all(|&word| word == 0) {
            self.pages[block as usize] = NIL;
            self.blocks[(block / 64) as usize] &= !(1 << (block % 64));
            self.spare.push(page);
        }
    }
}

fn bit(word: usize, bit: u32) -> u32 {
    u32::try_from(word * 64).expect("there are fewer blocks than ticks") + bit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks a level as one that holds an order.
    fn fill(ladder: &mut Ladder, side: Side, tick: u32) {
        let at = ladder.occupy(side, tick);
        ladder.levels[at as usize] = Level { head: 0, tail: 0, lots: 1 };
    }

    fn empty(ladder: &mut Ladder, tick: u32) {
        let at = ladder.locate(tick);
        ladder.levels[at as usize] = EMPTY;
        ladder.vacate(tick, at);
    }

    #[test]
    fn the_best_price_moves_over_words_pages_and_distant_blocks() {
        // Neighbours, another word, another page, another word of the directory of pages, the far end.
        let bids = [1, 70_000, 99_900, 99_990, 99_999, 100_000];
        let asks = [100_001, 100_002, 100_100, 100_900, 170_000, 16_000_000];
        let mut ladder = Ladder::new(16_000_000);
        for tick in bids {
            fill(&mut ladder, Side::Buy, tick);
        }
        for tick in asks.into_iter().rev() {
            fill(&mut ladder, Side::Sell, tick);
        }
        for (index, &tick) in bids.iter().enumerate().rev() {
            assert_eq!(ladder.best_bid, tick);
            empty(&mut ladder, tick);
            assert_eq!(ladder.best_bid, index.checked_sub(1).map_or(NO_BID, |i| bids[i]));
        }
        for (index, &tick) in asks.iter().enumerate() {
            assert_eq!(ladder.best_ask, tick);
            empty(&mut ladder, tick);
            assert_eq!(ladder.best_ask, asks.get(index + 1).copied().unwrap_or(NO_ASK));
        }
        assert_eq!(ladder.spare.len(), ladder.levels.len() / BLOCK as usize, "every page came back");
    }

    #[test]
    fn a_page_is_used_again() {
        let mut ladder = Ladder::new(1 << 20);
        for block in 0..1_000 {
            fill(&mut ladder, Side::Buy, 1 + block * BLOCK);
            empty(&mut ladder, 1 + block * BLOCK);
        }
        assert_eq!(ladder.levels.len(), BLOCK as usize);
    }
}
