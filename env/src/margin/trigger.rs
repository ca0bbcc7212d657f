//! Who is short of margin now, without asking everybody.
//!
//! Every account stands at a key that changes only when it acts ([`Position::key`](super::Position::key)); mark,
//! funding and margin rates move one threshold per lane ([`threshold`](super::threshold)). Keys lie in buckets of a
//! fixed width in price, with a bitmap of those occupied. A tick in which nobody crosses is one comparison per lane,
//! whatever the number of accounts.
//!
//! The index decides nothing: it reports, and an account stays in it until its owner removes or moves it.

mod grid;
mod occupancy;
mod stored;

pub use grid::{Lane, TriggerGrid};

use super::density::BucketSums;
use crate::units::{Price, Qty};
use occupancy::Occupancy;

const NONE: u32 = u32::MAX;
/// Buckets per word of the bitmap, and per group of the sums.
pub(super) const GROUP: usize = 64;

/// One account's place. Thirty-two bytes, so that a visit touches one cache line.
#[derive(Clone, Copy, Debug)]
struct Row {
    key: Price,
    qty: Qty,
    next: u32,
    prev: u32,
    /// Bucket, counted over all lanes; `NONE` while the account is not in the index.
    place: u32,
}

const ABSENT: Row = Row { key: Price::ZERO, qty: Qty::ZERO, next: NONE, prev: NONE, place: NONE };
/// Below every key, and as the bound of an empty lane below every threshold.
const LOWEST: Price = Price::from_raw(i64::MIN);

/// Accounts by trigger key.
///
/// Nothing it answers depends on the order in which accounts came. Nothing allocates after construction, except the
/// caller's `out` when it is too small.
#[derive(Clone, Debug)]
pub struct TriggerIndex {
    grid: TriggerGrid,
    lines: u32,
    rows: Vec<Row>,
    /// First account of each bucket.
    heads: Vec<u32>,
    occupied: Occupancy,
    /// Per lane, no key is greater. May lie too high after a removal, never too low.
    bounds: Vec<Price>,
    /// Per lane, a key above this one raises the alarm.
    alarms: Vec<Price>,
    alarmed: bool,
    sums: BucketSums,
}

impl TriggerIndex {
    /// An empty index for ids below `capacity` on `lines` lines in both directions.
    ///
    /// # Panics
    /// If the grid is out of its range, or there are more than 16,777,216 accounts or 256 lines.
    #[must_use]
    pub fn new(capacity: u32, lines: u32, grid: TriggerGrid) -> Self {
        assert!(grid.is_valid(), "no index over {grid:?}");
        assert!(fits(capacity, lines), "{capacity} accounts on {lines} lines are too many");
        let (lanes, buckets) = (lines as usize * 2, grid.buckets as usize);
        Self {
            grid,
            lines,
            rows: vec![ABSENT; capacity as usize],
            heads: vec![NONE; lanes * buckets],
            occupied: Occupancy::new(lanes, buckets),
            bounds: vec![LOWEST; lanes],
            alarms: vec![LOWEST; lanes],
            alarmed: true,
            sums: BucketSums::new(lanes * buckets),
        }
    }

    /// Ids below this fit in.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "built from a u32")]
    pub const fn capacity(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Memory in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let lanes = (self.bounds.capacity() + self.alarms.capacity()) * size_of::<Price>();
        let buckets = self.heads.capacity() * size_of::<u32>() + self.occupied.bytes() + self.sums.bytes();
        self.rows.capacity() * size_of::<Row>() + buckets + lanes
    }

    /// Lines of margin.
    #[must_use]
    pub const fn lines(&self) -> u32 {
        self.lines
    }

    /// Where the buckets are.
    #[must_use]
    pub const fn grid(&self) -> TriggerGrid {
        self.grid
    }

    /// Whether an account is in the index.
    #[inline]
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.rows[id as usize].place != NONE
    }

    /// Where an account is, with its key and size.
    #[must_use]
    pub fn entry(&self, id: u32) -> Option<(Lane, Price, Qty)> {
        let row = self.rows[id as usize];
        (row.place != NONE).then(|| (Lane::at(row.place / self.grid.buckets), row.key, row.qty))
    }

    /// All accounts in the index, by rising id.
    pub fn entries(&self) -> impl Iterator<Item = (u32, Lane, Price, Qty)> {
        (0..self.capacity()).filter_map(|id| self.entry(id).map(|(lane, key, qty)| (id, lane, key, qty)))
    }

    /// Puts an account in. `qty` is its unsigned size, for the density; an account with several entries gives its
    /// size to one of them.
    ///
    /// # Panics
    /// If the account is in the index, `qty` is negative, or lane or id are out of range.
    #[inline]
    pub fn insert(&mut self, id: u32, lane: Lane, key: Price, qty: Qty) {
        assert!(!self.contains(id), "account {id} is in the index already");
        assert!(!qty.is_negative(), "the density counts unsigned sizes, not {qty}");
        let place = self.place(lane, key);
        self.link(id, lane, place, key, qty);
    }

    /// Takes an account out; one that is not in the index is left alone.
    #[inline]
    pub fn remove(&mut self, id: u32) {
        let row = self.rows[id as usize];
        if row.place == NONE {
            return;
        }
        let place = row.place as usize;
        if row.prev != NONE {
            self.rows[row.prev as usize].next = row.next;
        } else {
            self.heads[place] = row.next;
            if row.next == NONE {
                self.occupied.unset(place);
            }
        }
        if row.next != NONE {
            self.rows[row.next as usize].prev = row.prev;
        }
        self.sums.subtract(place, row.qty);
        self.rows[id as usize] = ABSENT;
    }

    /// Moves an account to where it belongs now, or puts it in.
    ///
    /// # Panics
    /// As [`insert`](Self::insert).
    #[inline]
    pub fn update(&mut self, id: u32, lane: Lane, key: Price, qty: Qty) {
        let place = self.place(lane, key);
        let row = &mut self.rows[id as usize];
        if row.place as usize != place {
            self.remove(id);
            self.insert(id, lane, key, qty);
            return;
        }
        assert!(!qty.is_negative(), "the density counts unsigned sizes, not {qty}");
        let before = std::mem::replace(&mut row.qty, qty);
        row.key = key;
        self.sums.subtract(place, before);
        self.sums.add(place, qty);
        self.raise_bound(lane, key);
    }

    /// Appends the ids whose key is greater than `threshold`, in rising order. They stay in the index.
    ///
    /// One comparison if there are none. A key above the threshold by one unit only asks for
    /// [`is_below`](super::Position::is_below); all others have their answer.
    #[inline]
    pub fn crossed(&mut self, lane: Lane, threshold: Price, out: &mut Vec<u32>) {
        if threshold < self.bounds[lane.index()] {
            self.collect(lane, threshold, out);
        }
    }

    #[inline(never)]
    fn collect(&mut self, lane: Lane, threshold: Price, out: &mut Vec<u32>) {
        let start = out.len();
        let boundary = self.grid.bucket(lane.direction, threshold);
        let mut bound = LOWEST;
        let mut next = self.occupied.up_to(lane.index(), self.grid.buckets as usize - 1);
        while let Some(bucket) = next {
            if bucket < boundary {
                // Nobody in there has crossed, and its upper edge bounds all that is left.
                bound = bound.max(self.grid.ceiling(lane.direction, bucket));
                break;
            }
            self.each(lane, bucket, |id, key, _| {
                bound = bound.max(key);
                if key > threshold {
                    out.push(id);
                }
            });
            next = self.occupied_below(lane, bucket);
        }
        self.bounds[lane.index()] = bound;
        out[start..].sort_unstable();
    }

    /// Appends the ids whose key is in `(low, high]`, in rising order: those that cross while the threshold falls
    /// from `high` to `low`. Visits the buckets in between and no other.
    pub fn band(&self, lane: Lane, low: Price, high: Price, out: &mut Vec<u32>) {
        let start = out.len();
        self.visit(lane, low, high, |id, _| out.push(id));
        out[start..].sort_unstable();
    }

    /// Moves the grid to a new centre, in one pass over all accounts and buckets.
    ///
    /// Worth it when the mark [has left the middle](Self::is_off_centre); beyond the grid, answers stay right but
    /// get slow.
    ///
    /// # Panics
    /// If `centre` is not positive.
    pub fn recentre(&mut self, centre: Price) {
        self.grid.centre = centre;
        assert!(self.grid.is_valid(), "no index over {:?}", self.grid);
        self.heads.fill(NONE);
        self.occupied.clear();
        self.bounds.fill(LOWEST);
        self.sums.clear();
        for id in 0..self.capacity() {
            if let Some((lane, key, qty)) = self.entry(id) {
                self.link(id, lane, self.place(lane, key), key, qty);
            }
        }
    }

    /// Whether `mark` has left the middle half of the grid.
    #[must_use]
    pub fn is_off_centre(&self, mark: Price) -> bool {
        self.grid.is_off_centre(mark)
    }

    /// A key that none of a lane's exceeds; `None` if the lane has been empty so far.
    pub(crate) fn bound(&self, lane: Lane) -> Option<Price> {
        let bound = self.bounds[lane.index()];
        (bound > LOWEST).then_some(bound)
    }

    /// Greatest key of a lane that is not above `key`.
    pub(crate) fn highest_up_to(&self, lane: Lane, key: Price) -> Option<Price> {
        let mut next = self.occupied.up_to(lane.index(), self.grid.bucket(lane.direction, key));
        while let Some(bucket) = next {
            let mut highest = LOWEST;
            self.each(lane, bucket, |_, stands, _| {
                if stands <= key {
                    highest = highest.max(stands);
                }
            });
            if highest > LOWEST {
                return Some(highest);
            }
            next = self.occupied_below(lane, bucket);
        }
        None
    }

    /// Stops watching every lane.
    pub(crate) fn rest(&mut self) {
        self.alarmed = false;
        self.alarms.fill(LOWEST);
    }

    /// Raises the alarm once an account comes to lie above `key` in a lane, or in it at all.
    pub(crate) fn watch(&mut self, lane: Lane, key: Option<Price>) {
        self.alarms[lane.index()] = key.unwrap_or(LOWEST);
    }

    /// Whether an account has come to lie above its lane's watched key since [`rest`](Self::rest).
    #[inline]
    pub(crate) const fn is_alarmed(&self) -> bool {
        self.alarmed
    }

    /// Calls `f` with id and size of every account whose key is in `(low, high]`.
    pub(super) fn visit(&self, lane: Lane, low: Price, high: Price, mut f: impl FnMut(u32, Qty)) {
        if low >= high {
            return;
        }
        let last = self.grid.bucket(lane.direction, low);
        let mut next = self.occupied.up_to(lane.index(), self.grid.bucket(lane.direction, high));
        while let Some(bucket) = next.filter(|&bucket| bucket >= last) {
            self.each(lane, bucket, |id, key, qty| {
                if low < key && key <= high {
                    f(id, qty);
                }
            });
            next = self.occupied_below(lane, bucket);
        }
    }

    /// Calls `f` with every account of one bucket.
    #[inline]
    pub(super) fn each(&self, lane: Lane, bucket: usize, mut f: impl FnMut(u32, Price, Qty)) {
        let mut id = self.heads[self.first_place(lane) + bucket];
        while id != NONE {
            let row = &self.rows[id as usize];
            f(id, row.key, row.qty);
            id = row.next;
        }
    }

    /// Coins in the buckets `range` of a lane.
    pub(super) fn qty_in(&self, lane: Lane, range: std::ops::Range<usize>) -> Qty {
        let first = self.first_place(lane);
        self.sums.total(first + range.start..first + range.end)
    }

    fn occupied_below(&self, lane: Lane, bucket: usize) -> Option<usize> {
        bucket.checked_sub(1).and_then(|below| self.occupied.up_to(lane.index(), below))
    }

    #[inline]
    fn first_place(&self, lane: Lane) -> usize {
        lane.index() * self.grid.buckets as usize
    }

    #[inline]
    fn place(&self, lane: Lane, key: Price) -> usize {
        assert!(lane.line < self.lines, "no line {}", lane.line);
        self.first_place(lane) + self.grid.bucket(lane.direction, key)
    }

    #[inline]
    fn raise_bound(&mut self, lane: Lane, key: Price) {
        let bound = &mut self.bounds[lane.index()];
        *bound = key.max(*bound);
        self.alarmed |= key > self.alarms[lane.index()];
    }

    #[inline]
    fn link(&mut self, id: u32, lane: Lane, place: usize, key: Price, qty: Qty) {
        let next = std::mem::replace(&mut self.heads[place], id);
        if next == NONE {
            self.occupied.set(place);
        } else {
            self.rows[next as usize].prev = id;
        }
        let bucket = u32::try_from(place).expect("512 lanes of 4,096 buckets");
        self.rows[id as usize] = Row { key, qty, next, prev: NONE, place: bucket };
        self.sums.add(place, qty);
        self.raise_bound(lane, key);
    }
}

/// Whether an index can be that large.
const fn fits(capacity: u32, lines: u32) -> bool {
    capacity <= 1 << 24 && lines <= 256
}

#[cfg(test)]
mod tests;
