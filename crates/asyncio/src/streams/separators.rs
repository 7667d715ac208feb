//! What a stream is read up to.

use super::buffer::Buffer;
use crate::exception::Result;
use crate::exceptions::ValueError;

/// What [`StreamReader::readuntil`](super::StreamReader::readuntil) reads up to: bytes, or several alternatives.
pub struct Separators(Vec<Vec<u8>>);

impl Separators {
    pub(super) fn checked(mut self) -> Result<Self> {
        self.0.sort_by_key(Vec::len);
        match self.0.first() {
            None => Err(ValueError::new("Separator should contain at least one element").into()),
            Some(first) if first.is_empty() => {
                Err(ValueError::new("Separator should be at least one-byte string").into())
            }
            Some(_) => Ok(self),
        }
    }

    pub(super) fn shortest(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }

    pub(super) fn longest(&self) -> usize {
        self.0.last().map_or(0, Vec::len)
    }

    /// Where the separator that ends first begins and ends.
    pub(super) fn find(&self, buffer: &Buffer, offset: usize) -> Option<(usize, usize)> {
        let places = self.0.iter().filter_map(|separator| {
            let start = buffer.find(separator, offset)?;
            Some((start, start + separator.len()))
        });
        places.min_by_key(|(_, end)| *end)
    }
}

impl From<&[u8]> for Separators {
    fn from(separator: &[u8]) -> Self {
        Self(vec![separator.to_vec()])
    }
}

impl<const N: usize> From<&[u8; N]> for Separators {
    fn from(separator: &[u8; N]) -> Self {
        Self(vec![separator.to_vec()])
    }
}

impl From<&[&[u8]]> for Separators {
    fn from(separators: &[&[u8]]) -> Self {
        Self(
            separators
                .iter()
                .map(|separator| separator.to_vec())
                .collect(),
        )
    }
}

impl<const N: usize> From<[&[u8]; N]> for Separators {
    fn from(separators: [&[u8]; N]) -> Self {
        Self::from(separators.as_slice())
    }
}
