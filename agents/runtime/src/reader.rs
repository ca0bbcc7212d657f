//! A cursor over untrusted bytes: every read is checked, none panics.

use crate::error::FormatError;

/// A single-precision number as it lies in a file, at any alignment.
pub type Word = [u8; 4];

/// Reads little-endian fields one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn at(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    pub(crate) const fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let truncated = FormatError::Truncated { position: self.position };
        let end = self.position.checked_add(count).ok_or(truncated)?;
        let taken = self.bytes.get(self.position..end).ok_or(truncated)?;
        self.position = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let position = self.position;
        self.take(N)?.try_into().map_err(|_| FormatError::Truncated { position })
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FormatError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn f32(&mut self) -> Result<f32, FormatError> {
        self.array().map(f32::from_le_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64, FormatError> {
        self.array().map(f64::from_le_bytes)
    }

    /// `count` single-precision numbers, whatever they are.
    pub(crate) fn words(&mut self, count: usize) -> Result<&'a [Word], FormatError> {
        let position = self.position;
        let bytes = count.checked_mul(size_of::<Word>()).ok_or(FormatError::Truncated { position })?;
        let (words, _) = self.take(bytes)?.as_chunks();
        Ok(words)
    }

    /// A text of at most 65,535 bytes behind its length.
    pub(crate) fn text(&mut self) -> Result<&'a str, FormatError> {
        let position = self.position;
        let length = self.u16()?;
        let text = core::str::from_utf8(self.take(length.into())?).map_err(|_| FormatError::Text { position })?;
        if text.is_empty() { Err(FormatError::Text { position }) } else { Ok(text) }
    }
}
