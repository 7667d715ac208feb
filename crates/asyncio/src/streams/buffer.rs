//! The bytes that a stream has read and nobody has taken.

/// Bytes that come at the end and are taken at the beginning.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many of them are taken.
    start: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn extend(&mut self, data: &[u8]) {
        // Before the memory grows, what was taken makes room.
        if self.bytes.len() + data.len() > self.bytes.capacity() {
            self.bytes.drain(..std::mem::take(&mut self.start));
        }
        append(&mut self.bytes, data);
    }

    /// Takes the first `count` bytes, or all if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let count = count.min(self.len());
        let mut taken = Vec::new();
        append(&mut taken, &self.as_slice()[..count]);
        self.skip(count);
        taken
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        self.take(self.len())
    }

    /// Drops the first `count` bytes.
    pub(super) fn skip(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Where the first `separator` at or after `offset` begins.
    pub(super) fn find(&self, separator: &[u8], offset: usize) -> Option<usize> {
        let bytes = self.as_slice().get(offset..)?;
        let found = match separator {
            [byte] => bytes.iter().position(|other| other == byte),
            _ => bytes
                .windows(separator.len())
                .position(|window| window == separator),
        };
        found.map(|at| at + offset)
    }
}

/// Copies `data` piece by piece: what C libraries do with more at once is many times slower on some processors.
fn append(bytes: &mut Vec<u8>, data: &[u8]) {
    bytes.reserve(data.len());
    for piece in data.chunks(2048) {
        bytes.extend_from_slice(piece);
    }
}
