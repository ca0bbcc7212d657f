//! The envelope of a checkpoint: a magic word, a format number and a checksum around the learner's bytes.
//!
//! Writing it to a disk, and that without ever leaving half a file, is the caller's business.

use sha2::{Digest, Sha256};

use crate::Error;

const MAGIC: &[u8; 8] = b"SEAWCKPT";

/// Raised whenever the meaning of the bytes inside changes.
const FORMAT: u32 = 4;

const HEADER: usize = MAGIC.len() + size_of::<u32>() + 32;

/// Wraps `payload`: magic, format (little endian), SHA-256 of all that follows the magic but itself, payload.
pub(crate) fn seal(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&digest(FORMAT, payload));
    bytes.extend_from_slice(payload);
    bytes
}

/// Unwraps what [`seal`] made.
///
/// # Errors
/// [`Error::Checkpoint`] if the bytes are not intact, [`Error::CheckpointVersion`] if they are but of another format.
pub(crate) fn open(bytes: &[u8]) -> Result<&[u8], Error> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Error::Checkpoint { reason: "it does not start like one" })?;
    let (format, rest) = rest.split_first_chunk().ok_or(Error::Checkpoint { reason: "it is cut short" })?;
    let (expected, payload) = rest.split_first_chunk().ok_or(Error::Checkpoint { reason: "it is cut short" })?;
    let format = u32::from_le_bytes(*format);
    if digest(format, payload) != *expected {
        return Err(Error::Checkpoint { reason: "its checksum does not match" });
    }
    if format != FORMAT {
        return Err(Error::CheckpointVersion { expected: FORMAT, found: format });
    }
    Ok(payload)
}

/// Refuses a checkpoint that differs from this run in `field`.
pub(crate) fn same<T: core::fmt::Debug + PartialEq>(field: &'static str, expected: &T, found: &T) -> Result<(), Error> {
    if expected == found {
        return Ok(());
    }
    let [expected, found] = [expected, found].map(|value| format!("{value:?}"));
    Err(Error::CheckpointMismatch { field, expected, found })
}

fn digest(format: u32, payload: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(format.to_le_bytes()).chain_update(payload).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens() {
        assert_eq!(open(&seal(b"payload")).unwrap(), b"payload");
        assert_eq!(open(&seal(b"")).unwrap(), b"");
    }

    #[test]
    fn the_envelope_is_the_documented_one() {
        // SHA-256 of 04 00 00 00 61 62 63, from coreutils' sha256sum.
        let digest = "2f4bef6df0939cd3eee2e53b3093b7b06c6e6d500dc64c1a1ee1b6636ccedcaf";
        let bytes = seal(b"abc");
        assert_eq!(&bytes[..12], b"SEAWCKPT\x04\0\0\0");
        let hex: String = bytes[12..44].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, digest);
        assert_eq!(&bytes[44..], b"abc");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_refused() {
        let bytes = seal(b"payload");
        for length in 0..bytes.len() {
            assert!(open(&bytes[..length]).is_err(), "cut to {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(open(&bytes), Err(Error::Checkpoint { .. })), "bit {bit}");
        }
    }

    #[test]
    fn an_intact_checkpoint_of_another_format_is_named_as_such() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&5_u32.to_le_bytes());
        bytes.extend_from_slice(&digest(5, b"new"));
        bytes.extend_from_slice(b"new");
        assert!(matches!(open(&bytes), Err(Error::CheckpointVersion { expected: 4, found: 5 })));
    }
}
