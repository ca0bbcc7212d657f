//! The index in bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Lane, TriggerGrid, TriggerIndex, fits};
use crate::units::{Price, Qty};

/// What is stored: the entries. Links, bitmaps and sums follow from them, so corrupt bytes cannot corrupt those.
#[derive(Serialize, Deserialize)]
struct Stored {
    grid: TriggerGrid,
    capacity: u32,
    lines: u32,
    entries: Vec<(u32, Lane, Price, Qty)>,
}

impl Serialize for TriggerIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (grid, capacity, lines) = (self.grid(), self.capacity(), self.lines());
        Stored { grid, capacity, lines, entries: self.entries().collect() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TriggerIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { grid, capacity, lines, entries } = Stored::deserialize(deserializer)?;
        if !grid.is_valid() || !fits(capacity, lines) {
            return Err(de::Error::custom("a trigger index of an impossible shape"));
        }
        let mut index = Self::new(capacity, lines, grid);
        for (id, lane, key, qty) in entries {
            if id >= capacity || lane.line >= lines || qty.is_negative() || index.contains(id) {
                return Err(de::Error::custom(format_args!("an impossible entry of account {id}")));
            }
            index.insert(id, lane, key, qty);
        }
        Ok(index)
    }
}
