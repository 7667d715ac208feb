//! Where an unpickler reads from.

use std::io::{BufRead, Read};

use crate::UnpicklingError;

pub(crate) trait Source {
    /// The next instruction.
    fn instruction(&mut self) -> Result<u8, UnpicklingError>;

    /// The next bytes, as many as that.
    fn take(&mut self, length: usize) -> Result<&[u8], UnpicklingError>;

    /// The bytes up to the next newline, which is skipped.
    fn line(&mut self) -> Result<&[u8], UnpicklingError>;

    /// Complains if it is known that fewer bytes are left.
    fn expect(&self, length: u64) -> Result<(), UnpicklingError>;

    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnpicklingError> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many as asked for"))
    }
}

fn truncated() -> UnpicklingError {
    UnpicklingError::new("pickle data was truncated")
}

/// Bytes in memory.
pub(crate) struct Slice<'a>(pub(crate) &'a [u8]);

impl Source for Slice<'_> {
    #[inline]
    fn instruction(&mut self) -> Result<u8, UnpicklingError> {
        let (&first, rest) = self.0.split_first().ok_or_else(UnpicklingError::eof)?;
        self.0 = rest;
        Ok(first)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&[u8], UnpicklingError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Result<&[u8], UnpicklingError> {
        let end = self
            .0
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(truncated)?;
        let (line, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(line)
    }

    fn expect(&self, length: u64) -> Result<(), UnpicklingError> {
        match length <= self.0.len() as u64 {
            true => Ok(()),
            false => Err(truncated()),
        }
    }
}

/// A reader, of which no byte after the pickle is taken.
pub(crate) struct Stream<'a, R> {
    reader: &'a mut R,
    buffer: Vec<u8>,
}

impl<'a, R: BufRead> Stream<'a, R> {
    pub(crate) fn new(reader: &'a mut R) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
        }
    }
}

impl<R: BufRead> Source for Stream<'_, R> {
    fn instruction(&mut self) -> Result<u8, UnpicklingError> {
        let mut byte = [0];
        match self.reader.read_exact(&mut byte) {
            Ok(()) => Ok(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(UnpicklingError::eof())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The buffer grows as the bytes arrive, whatever length was announced.
    fn take(&mut self, length: usize) -> Result<&[u8], UnpicklingError> {
        self.buffer.clear();
        let read = self
            .reader
            .by_ref()
            .take(length as u64)
            .read_to_end(&mut self.buffer)?;
        match read == length {
            true => Ok(&self.buffer),
            false => Err(truncated()),
        }
    }

    fn line(&mut self) -> Result<&[u8], UnpicklingError> {
        self.buffer.clear();
        self.reader.read_until(b'\n', &mut self.buffer)?;
        self.buffer.strip_suffix(b"\n").ok_or_else(truncated)
    }

    fn expect(&self, _: u64) -> Result<(), UnpicklingError> {
        Ok(())
    }
}
