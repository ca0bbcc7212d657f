use proptest::prelude::*;

use super::super::{Adjustment, Direction, MarginConfig, MarginSchedule, Position, Terms, threshold};
use super::*;
use crate::units::{Rate, Usd};

const CENTRE: i64 = 60_000_000_000;
const CAPACITY: u32 = 40;
const LINES: u32 = 2;

fn grid(width: i64, buckets: u32) -> TriggerGrid {
    TriggerGrid { centre: Price::from_raw(CENTRE), width: Price::from_raw(width), buckets }
}

/// What the index has to agree with: every account, asked in turn.
#[derive(Clone)]
struct Naive(Vec<Option<(Lane, Price, Qty)>>);

impl Naive {
    fn select(&self, lane: Lane, test: impl Fn(Price) -> bool) -> Vec<(u32, Qty)> {
        let here = |entry: &Option<(Lane, Price, Qty)>| entry.filter(|&(at, key, _)| at == lane && test(key));
        (0..).zip(&self.0).filter_map(|(id, entry)| here(entry).map(|(_, _, qty)| (id, qty))).collect()
    }

    fn ids(&self, lane: Lane, test: impl Fn(Price) -> bool) -> Vec<u32> {
        self.select(lane, test).into_iter().map(|(id, _)| id).collect()
    }

    fn qty(&self, lane: Lane, test: impl Fn(Price) -> bool) -> Qty {
        self.select(lane, test).into_iter().map(|(_, qty)| qty).sum()
    }
}

/// Bucket of a key by plain division, for comparison.
fn bucket(grid: TriggerGrid, lane: Lane, key: Price) -> i128 {
    let (mut width, buckets) = (1_i128, i128::from(grid.buckets));
    while width < i128::from(grid.width.raw()) {
        width *= 2;
    }
    let middle = i128::from(lane.direction.sign()) * i128::from(grid.centre.raw());
    let ahead = i128::from(key.raw()) - (middle - buckets / 2 * width);
    ahead.div_euclid(width).clamp(0, buckets - 1)
}

#[derive(Clone, Debug)]
enum Intent {
    Update(u32, Lane, Price, Qty),
    Remove(u32),
    Crossed(Lane, Price, bool),
    Between(Lane, Price, Price),
    Recentre(Price),
    Store,
}

fn lanes() -> impl Strategy<Value = Lane> {
    (any::<bool>(), 0..LINES)
        .prop_map(|(long, line)| Lane::new(if long { Direction::Long } else { Direction::Short }, line))
}

/// Keys inside the grid, clustered so that many share a bucket or are equal, and far outside.
fn keys(lane: Lane) -> impl Strategy<Value = Price> {
    let near = -200_i64..=200;
    let sign = lane.direction.sign();
    prop_oneof![
        8 => near.prop_map(move |step| sign * CENTRE + step * 10_000_000),
        2 => (-CENTRE..CENTRE).prop_map(move |by| sign * CENTRE + by),
        1 => prop_oneof![Just(-(1_i64 << 61)), Just(1_i64 << 61)],
    ]
    .prop_map(Price::from_raw)
}

fn intents() -> impl Strategy<Value = Intent> {
    let at = || lanes().prop_flat_map(|lane| (Just(lane), keys(lane)));
    prop_oneof![
        8 => (0..CAPACITY, at(), 0..1_000_000_000_i64)
            .prop_map(|(id, (lane, key), qty)| Intent::Update(id, lane, key, Qty::from_raw(qty))),
        3 => (0..CAPACITY).prop_map(Intent::Remove),
        6 => (at(), any::<bool>()).prop_map(|((lane, key), take)| Intent::Crossed(lane, key, take)),
        4 => lanes().prop_flat_map(|lane| (Just(lane), keys(lane), keys(lane)))
            .prop_map(|(lane, low, high)| Intent::Between(lane, low, high)),
        1 => (CENTRE / 4..CENTRE * 4).prop_map(|centre| Intent::Recentre(Price::from_raw(centre))),
        1 => Just(Intent::Store),
    ]
}

fn apply(intent: &Intent, index: &mut TriggerIndex, naive: &mut Naive) -> Result<(), TestCaseError> {
    match *intent {
        Intent::Update(id, lane, key, qty) => {
            index.update(id, lane, key, qty);
            naive.0[id as usize] = Some((lane, key, qty));
        }
        Intent::Remove(id) => {
            index.remove(id);
            naive.0[id as usize] = None;
        }
        Intent::Crossed(lane, at, take) => {
            let mut crossed = vec![u32::MAX];
            index.crossed(lane, at, &mut crossed);
            prop_assert_eq!(crossed.remove(0), u32::MAX, "what was in the buffer stays");
            prop_assert_eq!(&crossed, &naive.ids(lane, |key| key > at));
            for id in crossed.into_iter().filter(|_| take) {
                index.remove(id);
                naive.0[id as usize] = None;
            }
        }
        Intent::Between(lane, low, high) => {
            let inside = |key: Price| low < key && key <= high;
            let mut band = Vec::new();
            index.band(lane, low, high, &mut band);
            prop_assert_eq!(band, naive.ids(lane, inside));
            prop_assert_eq!(index.qty_between(lane, low, high), naive.qty(lane, inside));
            let [first, last] = [low, high].map(|key| bucket(index.grid(), lane, key));
            let grid = index.grid();
            let inside = |key| (first + 1..=last).contains(&bucket(grid, lane, key));
            prop_assert_eq!(index.qty_between_buckets(lane, low, high), naive.qty(lane, inside));
        }
        Intent::Recentre(centre) => index.recentre(centre),
        Intent::Store => *index = postcard::from_bytes(&postcard::to_stdvec(&*index)?)?,
    }
    for (id, entry) in (0..).zip(&naive.0) {
        prop_assert_eq!(index.entry(id), *entry);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn index_answers_as_a_scan_would(
        intents in proptest::collection::vec(intents(), 1..120),
        width in prop_oneof![Just(1_i64), 1_000_000..100_000_000_i64],
        buckets in prop_oneof![Just(64_u32), Just(256), Just(4_096)],
    ) {
        let mut index = TriggerIndex::new(CAPACITY, LINES, grid(width, buckets));
        let mut naive = Naive(vec![None; CAPACITY as usize]);
        for intent in &intents {
            apply(intent, &mut index, &mut naive)?;
        }
    }

    #[test]
    fn bytes_that_were_tampered_with_never_panic(flip in 0_usize..400, bit in 0..8, cut in 0_usize..400) {
        let mut index = TriggerIndex::new(CAPACITY, LINES, grid(30_000_000, 256));
        for id in 0..10 {
            let lane = Lane::new(Direction::BOTH[id as usize % 2], id / 5);
            index.insert(id, lane, Price::from_raw(i64::from(id) * 1_000_000_000), Qty::from_raw(5));
        }
        let mut bytes = postcard::to_stdvec(&index)?;
        prop_assert!(postcard::from_bytes::<TriggerIndex>(&bytes[..cut % bytes.len()]).is_err());
        let at = flip % bytes.len();
        bytes[at] ^= 1_u8 << bit;
        // Either an error or another sound index: its own bytes read back to the same entries.
        if let Ok(other) = postcard::from_bytes::<TriggerIndex>(&bytes) {
            let again: TriggerIndex = postcard::from_bytes(&postcard::to_stdvec(&other)?)?;
            prop_assert!(other.entries().eq(again.entries()));
        }
    }
}

#[test]
fn a_removed_extreme_neither_lingers_nor_hides_the_next() {
    let lane = Lane::new(Direction::Long, 0);
    let mut index = TriggerIndex::new(4, 1, grid(30_000_000, 256));
    for (id, key) in [(0, 100), (1, 90), (2, -CENTRE)] {
        index.insert(id, lane, Price::from_raw(CENTRE + key), Qty::ZERO);
    }
    let crossed = |index: &mut TriggerIndex, at| {
        let mut out = Vec::new();
        index.crossed(lane, Price::from_raw(at), &mut out);
        out
    };
    assert_eq!(crossed(&mut index, CENTRE + 95), [0]);
    index.remove(0);
    assert!(crossed(&mut index, CENTRE + 95).is_empty());
    assert_eq!(crossed(&mut index, CENTRE + 89), [1]);
    index.remove(1);
    assert!(crossed(&mut index, 0).is_empty());
    assert_eq!(crossed(&mut index, -1), [2]);
}

#[test]
fn a_bound_taken_from_a_bucket_covers_its_last_key() {
    // Widths round up to 2^25 = 33,554,432, and the centre starts a bucket.
    let (lane, last) = (Lane::new(Direction::Long, 0), Price::from_raw(CENTRE + 33_554_431));
    let mut index = TriggerIndex::new(1, 1, grid(30_000_000, 256));
    index.insert(0, lane, Price::from_raw(CENTRE + 900_000_000), Qty::ZERO);
    index.update(0, lane, last, Qty::ZERO);
    let mut out = Vec::new();
    // Two calls, so that the second one meets the bound that the first one left.
    index.crossed(lane, Price::from_raw(CENTRE + 800_000_000), &mut out);
    assert!(out.is_empty());
    index.crossed(lane, last - Price::from_raw(1), &mut out);
    assert_eq!(out, [0]);
}

#[test]
fn grids_whose_edges_would_overflow_are_refused() {
    let (limit, one) = (1_i64 << 60, Price::from_raw(1));
    let of = |centre, width, buckets| TriggerGrid { centre: Price::from_raw(centre), width, buckets };
    let widest = Price::from_raw(limit / 4_096 - 1);
    assert!(of(limit - 1, widest, 4_096).is_valid());
    let refused = [
        of(limit, one, 64),
        of(0, one, 64),
        of(1, Price::ZERO, 64),
        of(1, widest + one, 4_096),
        of(1, one, 96),
        of(1, one, 0),
    ];
    for grid in refused {
        assert!(!grid.is_valid(), "{grid:?}");
        let bytes = postcard::to_stdvec(&(grid, 0_u32, 0_u32, Vec::<u32>::new())).unwrap();
        assert!(postcard::from_bytes::<TriggerIndex>(&bytes).is_err());
    }
    // At the limits, every key still has its bucket.
    let mut index = TriggerIndex::new(2, 1, of(limit - 1, widest, 4_096));
    for direction in Direction::BOTH {
        for (id, key) in [(0, i64::MIN), (1, i64::MAX)] {
            index.update(id, Lane::new(direction, 0), Price::from_raw(key), Qty::ZERO);
        }
        let mut out = Vec::new();
        index.crossed(Lane::new(direction, 0), Price::ZERO, &mut out);
        assert_eq!(out, [1]);
    }
}

#[test]
fn a_row_is_half_a_cache_line() {
    assert_eq!(size_of::<Row>(), 32);
}

#[test]
#[should_panic(expected = "account 3 is in the index already")]
fn an_account_enters_once() {
    let mut index = TriggerIndex::new(4, 1, grid(1, 64));
    for _ in 0..2 {
        index.insert(3, Lane::new(Direction::Long, 0), Price::ZERO, Qty::ZERO);
    }
}

#[test]
fn grids_for_accounts_reach_over_half_the_price() {
    for accounts in [0, 1_000, 2_000, 100_000, 1_000_000] {
        let grid = TriggerGrid::for_accounts(Price::from_raw(CENTRE), accounts);
        let index = TriggerIndex::new(0, 1, grid);
        assert!(!index.is_off_centre(Price::from_raw(CENTRE * 3 / 4)), "{accounts}");
        assert!(index.is_off_centre(Price::from_raw(CENTRE * 2)), "{accounts}");
    }
}

/// One account in the whole: a position, or none, and the line it was filed under.
#[derive(Clone, Copy)]
struct Account {
    position: Position,
    tier: usize,
}

/// Files an account under its binding tier, and with a deduction under the flat line too.
fn file(index: &mut TriggerIndex, schedule: &MarginSchedule, id: u32, account: Account) {
    let Account { position, tier } = account;
    let direction = Direction::of(position.qty);
    let line = u32::try_from(tier).unwrap();
    let deduction = schedule.deduction(tier);
    index.update(id, Lane::new(direction, line), position.key(deduction), position.qty.abs());
    let (flat, second) = (u32::try_from(schedule.flat_line()).unwrap(), id + CAPACITY);
    index.remove(second);
    if !deduction.is_zero() {
        index.insert(second, Lane::new(direction, flat), position.key(Usd::ZERO), Qty::ZERO);
    }
}

/// Who is short, from the index and by asking everybody.
fn short_both_ways(
    index: &mut TriggerIndex,
    schedule: &MarginSchedule,
    accounts: &[Account],
    (mark, funding, adjustment): (Price, Price, Adjustment),
) -> (Vec<u32>, Vec<u32>) {
    let flat = schedule.requirement(schedule.flat_line(), adjustment);
    let is_below = |id: u32| {
        let Account { position, tier } = accounts[id as usize];
        position.is_below(schedule.requirement(tier, adjustment), mark, funding)
            || position.is_below(flat, mark, funding)
    };
    let rates: Vec<_> = (0..schedule.lines()).map(|line| schedule.rate(line, adjustment)).collect();
    let terms = Terms { rates: &rates, funding };
    let mut found = Vec::new();
    for line in 0..index.lines() {
        for direction in Direction::BOTH {
            let lane = Lane::new(direction, line);
            index.crossed(lane, terms.threshold(lane, mark), &mut found);
        }
    }
    let mut found: Vec<_> = found.into_iter().map(|slot| slot % CAPACITY).filter(|&id| is_below(id)).collect();
    found.sort_unstable();
    found.dedup();
    (found, (0..CAPACITY).filter(|&id| is_below(id)).collect())
}

fn account(schedule: &MarginSchedule, draw: (f64, f64, bool), mark: Price, funding: Price) -> Account {
    let (digits, ratio, long) = draw;
    let notional = libm::pow(10.0, digits);
    let qty = Qty::from_f64(notional / mark.as_f64() * if long { 1.0 } else { -1.0 });
    let position = Position { qty, cash: Usd::from_f64(notional * ratio) - qty.value(mark), funding };
    Account { position, tier: schedule.binding_tier(&position, funding, Rate::from_f64(1.0)) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whoever_is_short_is_found_whatever_moves(
        draws in proptest::collection::vec((2.0..7.9_f64, 0.01..0.6_f64, any::<bool>()), CAPACITY as usize),
        path in proptest::collection::vec(
            (-0.03..0.03_f64, -20.0..20.0_f64, 1.0..2.0_f64, 0.0..0.05_f64, (2.0..7.9_f64, 0.01..0.6_f64, any::<bool>())),
            1..60,
        ),
    ) {
        let schedule = MarginSchedule::new(&MarginConfig::default());
        let lines = u32::try_from(schedule.lines()).unwrap();
        let mut index = TriggerIndex::new(2 * CAPACITY, lines, grid(30_000_000, 512));
        let (mut mark, mut funding) = (60_000.0_f64, 0.0);
        let open = |draw, mark: f64, funding: f64| {
            account(&schedule, draw, Price::from_f64(mark), Price::from_f64(funding))
        };
        let mut accounts: Vec<_> = draws.into_iter().map(|draw| open(draw, mark, funding)).collect();
        for (id, &account) in (0..).zip(&accounts) {
            file(&mut index, &schedule, id, account);
        }
        for (jump, accrual, multiplier, floor, draw) in path {
            mark *= 1.0 + jump;
            funding += accrual;
            let adjustment = Adjustment {
                maintenance: Rate::from_f64(multiplier),
                floor: Rate::from_f64(floor),
                ..Adjustment::default()
            };
            let now = (Price::from_f64(mark), Price::from_f64(funding), adjustment);
            let (found, asked) = short_both_ways(&mut index, &schedule, &accounts, now);
            prop_assert_eq!(&found, &asked);
            // Whoever was found is closed, and somebody else opens in the same place.
            for id in found {
                accounts[id as usize] = open(draw, mark, funding);
                file(&mut index, &schedule, id, accounts[id as usize]);
            }
            if index.is_off_centre(Price::from_f64(mark)) {
                index.recentre(Price::from_f64(mark));
            }
        }
    }

    #[test]
    fn density_equals_a_scan(
        draws in proptest::collection::vec((2.0..7.9_f64, 0.01..0.3_f64, any::<bool>()), CAPACITY as usize),
        (jump, accrual) in (-0.2..0.2_f64, -50.0..50.0_f64),
        floor in 0.0..0.05_f64,
    ) {
        let schedule = MarginSchedule::new(&MarginConfig::default());
        let lines = u32::try_from(schedule.lines()).unwrap();
        let mut index = TriggerIndex::new(2 * CAPACITY, lines, grid(30_000_000, 2_048));
        let (mark, funding) = (Price::from_f64(60_000.0), Price::from_f64(accrual));
        for (id, draw) in (0..).zip(draws) {
            file(&mut index, &schedule, id, account(&schedule, draw, mark, Price::ZERO));
        }
        let adjustment = Adjustment { floor: Rate::from_f64(floor), ..Adjustment::default() };
        let rates: Vec<_> = (0..schedule.lines()).map(|line| schedule.rate(line, adjustment)).collect();
        let terms = Terms { rates: &rates, funding };
        let crosses = |lane: Lane, key: Price, at: Price| key > threshold(rates[lane.line as usize], lane.direction, at, funding);

        let to = Price::from_f64(60_000.0 * (1.0 + jump));
        let newly = index.entries().filter(|&(_, lane, key, _)| crosses(lane, key, to) && !crosses(lane, key, mark));
        prop_assert_eq!(index.forced_qty(terms, mark, to), newly.map(|(_, _, _, qty)| qty).sum());

        let moves = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2].map(Rate::from_f64);
        for direction in Direction::BOTH {
            let mut bands = [Qty::from_raw(7); 6];
            index.forced_bands(terms, direction, mark, &moves, &mut bands);
            let mut from = mark;
            for (band, share) in bands.into_iter().zip(moves) {
                let at = Price::from_f64(60_000.0 * (1.0 - Price::from_raw(direction.sign() * Price::SCALE).as_f64() * share.as_f64()));
                let inside = |lane: Lane, key| {
                    let [low, high] = [at, from].map(|price| bucket(index.grid(), lane, terms.threshold(lane, price)));
                    lane.direction == direction && (low + 1..=high).contains(&bucket(index.grid(), lane, key))
                };
                let scan: Qty = index.entries().filter(|&(_, lane, key, _)| inside(lane, key)).map(|entry| entry.3).sum();
                prop_assert_eq!(band, scan);
                from = at;
            }
        }
    }
}
