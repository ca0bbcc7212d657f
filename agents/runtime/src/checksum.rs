//! The two checks of the format: one against damage, one against a changed list.

/// CRC-32/ISO-HDLC, as zlib, PNG and Ethernet compute it: reflected polynomial `0xedb88320`.
///
/// # Reference
/// ISO/IEC 13239; check value `cbf43926` for `123456789`.
#[derive(Clone, Copy, Debug)]
pub struct Crc32(u32);

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the index is below 256")]
        let mut word = index as u32;
        let mut bit = 0;
        while bit < 8 {
            word = if word & 1 == 1 { (word >> 1) ^ 0xedb8_8320 } else { word >> 1 };
            bit += 1;
        }
        table[index] = word;
        index += 1;
    }
    table
};

impl Crc32 {
    /// The checksum of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Takes in more bytes.
    pub const fn update(&mut self, bytes: &[u8]) {
        let mut index = 0;
        while index < bytes.len() {
            let [low, ..] = (self.0 ^ bytes[index] as u32).to_le_bytes();
            self.0 = (self.0 >> 8) ^ TABLE[low as usize];
            index += 1;
        }
    }

    /// The checksum of everything taken in.
    #[must_use]
    pub const fn finish(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

/// CRC-32 of `bytes`.
#[must_use]
pub const fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.finish()
}

/// FNV-1a with 64 bits: names a list of features or parameters; it is no protection against malice.
///
/// # Reference
/// Fowler, Noll, Vo & Eastlake, RFC 9923, §5.
#[derive(Clone, Copy, Debug)]
pub struct Fnv64(u64);

impl Fnv64 {
    /// The hash of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in more bytes.
    pub const fn update(&mut self, bytes: &[u8]) {
        let mut index = 0;
        while index < bytes.len() {
            self.0 = (self.0 ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            index += 1;
        }
    }

    /// The hash of everything taken in.
    #[must_use]
    pub const fn finish(self) -> u64 {
        self.0
    }
}

impl Default for Fnv64 {
    fn default() -> Self {
        Self::new()
    }
}

/// FNV-1a hash of `bytes`.
#[must_use]
pub const fn fnv64(bytes: &[u8]) -> u64 {
    let mut hash = Fnv64::new();
    hash.update(bytes);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_reproduce_the_published_values() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // RFC 9923, appendix: the empty string, "a" and "foobar".
        assert_eq!(fnv64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn taking_bytes_in_parts_changes_nothing() {
        let (mut crc, mut hash) = (Crc32::new(), Fnv64::new());
        for part in [&b"12"[..], b"", b"3456789"] {
            crc.update(part);
            hash.update(part);
        }
        assert_eq!(crc.finish(), crc32(b"123456789"));
        assert_eq!(hash.finish(), fnv64(b"123456789"));
    }
}
