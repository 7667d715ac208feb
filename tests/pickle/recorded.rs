//! Pickles that CPython's managers and their clients sent each other.

use hilos::pickle::{Object, dumps_with_protocol, loads};

/// Messages of CPython 3.8 and 3.13, in protocols 4 and 5: as many as a test can do much with.
pub(crate) fn traffic() -> Vec<Vec<u8>> {
    messages(include_str!("traffic.txt"))
}

fn messages(hex: &str) -> Vec<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let message = |line: &str| line.as_bytes().chunks(2).map(byte).collect();
    hex.lines().map(message).collect()
}

#[test]
fn come_out_again_byte_for_byte() {
    let others = messages(include_str!("traffic_more.txt"));
    for message in traffic().into_iter().chain(others) {
        let object: Object = loads(&message).unwrap();
        let again = dumps_with_protocol(&object, message[1]).unwrap();
        assert_eq!(
            message.escape_ascii().to_string(),
            again.escape_ascii().to_string()
        );
    }
}
