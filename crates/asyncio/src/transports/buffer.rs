//! What waits to be written.

use std::collections::VecDeque;
use std::io::IoSlice;

/// How many pieces one system call takes at most.
const PIECES: usize = 64;

/// Bytes in pieces, as they were written.
#[derive(Default)]
pub(crate) struct Buffer {
    pieces: VecDeque<Box<[u8]>>,
    /// How much of the first piece is gone.
    start: usize,
    len: usize,
}

impl Buffer {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        if !piece.is_empty() {
            self.len += piece.len();
            self.pieces.push_back(piece.into());
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Calls `f` with the first pieces.
    pub(crate) fn with_slices<R>(&self, f: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let mut slices = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            let start = if count == 0 { self.start } else { 0 };
            *slice = IoSlice::new(&piece[start..]);
            count += 1;
        }
        f(&slices[..count])
    }

    /// Takes the first `written` bytes away.
    pub(crate) fn advance(&mut self, mut written: usize) {
        self.len -= written;
        while let Some(piece) = self.pieces.front() {
            let left = piece.len() - self.start;
            if written < left {
                self.start += written;
                return;
            }
            written -= left;
            self.start = 0;
            self.pieces.pop_front();
        }
    }
}
