//! Whatever a peer says for a challenge, an answer or a welcome, it is let in or refused.

#![no_main]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::LazyLock;

use hilos_multiprocessing::connection::{
    Address, Connection, Listener, answer_challenge, deliver_challenge,
};
use libfuzzer_sys::fuzz_target;

static LISTENER: LazyLock<Listener> = LazyLock::new(|| {
    let name = format!("hilos-fuzz-{}", std::process::id()).into_bytes();
    Listener::new(Address::Abstract(name)).unwrap()
});

// The first byte says who begins.
fuzz_target!(|data: &[u8]| {
    let Some((first, said)) = data.split_first() else {
        return;
    };
    let (mut peer, connection) = connect();
    // All at once, and no more.
    peer.write_all(said).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let _ = match first % 2 {
        0 => answer_challenge(&connection, b"secret")
            .and_then(|()| deliver_challenge(&connection, b"secret")),
        _ => deliver_challenge(&connection, b"secret"),
    };
    connection.close();
    drop(connection);
    let mut heard = Vec::new();
    let _ = peer.read_to_end(&mut heard);
    assert!(heard.len() < 200, "{} bytes for a stranger", heard.len());
});

fn connect() -> (UnixStream, Connection) {
    let Address::Abstract(name) = LISTENER.address() else {
        panic!("an abstract address");
    };
    let peer = UnixStream::connect_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap();
    (peer, LISTENER.accept().unwrap())
}
