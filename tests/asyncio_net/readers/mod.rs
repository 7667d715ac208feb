//! `StreamReader` by itself.

mod lines;
mod reading;
mod separators;
mod state;

use hilos::asyncio::{self, StreamReader};

const DATA: &[u8] = b"line1\nline2\nline3\n";

/// What the reader holds.
async fn rest(reader: &StreamReader) -> Vec<u8> {
    reader.feed_eof();
    reader.read_to_end().await.unwrap()
}

fn limited(limit: usize) -> StreamReader {
    StreamReader::with_limit(limit).unwrap()
}

/// Has `feed` called when the task waits.
fn soon<F: FnOnce(&StreamReader) + 'static>(reader: &StreamReader, feed: F) {
    let reader = reader.clone();
    let event_loop = asyncio::get_running_loop().unwrap();
    event_loop.call_soon(move || feed(&reader)).unwrap();
}
