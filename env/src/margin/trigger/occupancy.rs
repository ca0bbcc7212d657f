//! Which buckets hold anybody.

use super::GROUP;

/// One bit per bucket, and one bit per word of those, so that the next occupied bucket is two steps away.
#[derive(Clone, Debug)]
pub(super) struct Occupancy {
    /// Words per lane, at most 64.
    words: usize,
    bits: Vec<u64>,
    summary: Vec<u64>,
}

impl Occupancy {
    pub(super) fn new(lanes: usize, buckets: usize) -> Self {
        let words = buckets / GROUP;
        Self { words, bits: vec![0; lanes * words], summary: vec![0; lanes] }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.bits.capacity() + self.summary.capacity()) * size_of::<u64>()
    }

    pub(super) fn clear(&mut self) {
        self.bits.fill(0);
        self.summary.fill(0);
    }

    /// Marks a bucket, counted over all lanes.
    #[inline]
    pub(super) fn set(&mut self, place: usize) {
        let word = place / GROUP;
        if self.bits[word] == 0 {
            self.summary[word / self.words] |= 1 << (word % self.words);
        }
        self.bits[word] |= 1 << (place % GROUP);
    }

    /// Unmarks a bucket, counted over all lanes.
    #[inline]
    pub(super) fn unset(&mut self, place: usize) {
        let word = place / GROUP;
        self.bits[word] &= !(1 << (place % GROUP));
        if self.bits[word] == 0 {
            self.summary[word / self.words] &= !(1 << (word % self.words));
        }
    }

    /// Greatest marked bucket of a lane that is not above `bucket`.
    pub(super) fn up_to(&self, lane: usize, bucket: usize) -> Option<usize> {
        let (first, word) = (lane * self.words, bucket / GROUP);
        let here = self.bits[first + word] & low_bits(bucket % GROUP);
        if here != 0 {
            return Some(word * GROUP + top(here));
        }
        let below = self.summary[lane] & low_bits(word) & !(1 << word);
        (below != 0).then(|| top(below) * GROUP + top(self.bits[first + top(below)]))
    }
}

/// Bits 0 to `bit`.
const fn low_bits(bit: usize) -> u64 {
    u64::MAX >> (63 - bit)
}

/// Greatest bit set in a word that is not zero.
const fn top(word: u64) -> usize {
    63 - word.leading_zeros() as usize
}
