//! The bytes of a pickle, in frames from protocol 4 on.

use crate::opcode::FRAME;

/// What a frame holds at least when it is closed in the middle of a pickle; what is as long by itself
/// stands outside frames.
const FRAME_SIZE: usize = 64 * 1024;

/// A frame with less in it is written without its header.
const SHORTEST_FRAME: usize = 4;

/// The instruction and the length.
const HEADER: usize = 9;

pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// Where the open frame's header is.
    open: Option<usize>,
    /// How many bytes there are when the open frame is full.
    full: usize,
}

impl Frames {
    pub(crate) fn new() -> Self {
        // Enough for a typical message.
        Self {
            bytes: Vec::with_capacity(256),
            open: None,
            full: usize::MAX,
        }
    }

    /// From here on there are frames.
    pub(crate) fn open(&mut self) {
        self.open = Some(self.bytes.len());
        self.full = self.bytes.len() + HEADER + FRAME_SIZE;
        self.bytes
            .extend_from_slice(&[FRAME, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An instruction with its length and then the bytes, outside frames if they are many.
    #[inline]
    pub(crate) fn counted(&mut self, header: &[u8], bytes: &[u8]) {
        let outside = self.open.is_some() && bytes.len() >= FRAME_SIZE;
        if outside {
            self.close();
        }
        self.extend(header);
        self.extend(bytes);
        if outside {
            self.open();
        }
    }

    /// An object is complete: a frame may end here.
    #[inline]
    pub(crate) fn boundary(&mut self) {
        if self.bytes.len() >= self.full {
            self.reopen();
        }
    }

    #[cold]
    fn reopen(&mut self) {
        self.close();
        self.open();
    }

    fn close(&mut self) {
        let Some(start) = self.open.take() else {
            return;
        };
        let length = self.bytes.len() - start - HEADER;
        if length >= SHORTEST_FRAME {
            self.bytes[start + 1..start + HEADER].copy_from_slice(&(length as u64).to_le_bytes());
        } else {
            self.bytes.drain(start..start + HEADER);
        }
    }

    /// The pickle, which is complete.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.close();
        std::mem::take(&mut self.bytes)
    }
}
