//! Sends every message back, for trying connections with CPython by hand.
//!
//! Run: cargo run --release --example echo_peer -- --address 127.0.0.1:50001 --authkey KEY
//!
//! Accepts connections and sends back each message until its caller hangs up. Prints where it listens as
//! one line of JSON, and goes on until SIGTERM; port 0 takes a free one, and with `--family unix` the
//! address is a path. In Python:
//!
//! ```python
//! with Client(('127.0.0.1', 50001), authkey=b'KEY') as connection:
//!     connection.send('hello')
//!     print(connection.recv())
//! ```
//!
//! With `--dial ADDRESS --authkey KEY` it calls: it sends the text `hello`, pickled, and expects it back.
//! In Python:
//!
//! ```python
//! with Listener(('127.0.0.1', 50001), authkey=b'KEY') as listener, listener.accept() as connection:
//!     connection.send(connection.recv())
//! ```
//!
//! Without either it calls itself.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hilos::multiprocessing::connection::{
    Address, Connection, Listener, answer_challenge, client, deliver_challenge,
};
use hilos::pickle::Object;

#[allow(dead_code, reason = "the server of a manager needs more of it")]
#[path = "common/peer.rs"]
mod peer;

fn main() -> Result<(), Box<dyn Error>> {
    let options = peer::Options::from_args()?;
    if let Some(address) = options.dial()? {
        return say_hello(address, options.authkey());
    }
    let at = options.address()?;
    let alone = at.is_none();
    let listener = Arc::new(Listener::new(at)?.with_backlog(128)?);
    let address = listener.address().clone();
    let ending = listener.clone();
    peer::at_signal(move || {
        // Its socket goes, too.
        ending.close();
        std::process::exit(0);
    })?;
    peer::print_address(&address);
    if !alone {
        serve(&listener, options.authkey());
    }
    let serving = listener.clone();
    std::thread::spawn(move || serve(&serving, Some(b"a key")));
    say_hello(address, Some(b"a key"))?;
    listener.close();
    Ok(())
}

/// Says hello and expects it back.
fn say_hello(address: Address, authkey: Option<&[u8]>) -> Result<(), Box<dyn Error>> {
    let connection = client(address, authkey)?;
    let hello = Object::from("hello");
    connection.send_object(&hello)?;
    let answer: Object = connection.recv_object()?;
    match answer == hello {
        true => Ok(()),
        false => Err(format!("sent {hello:?}, and {answer:?} came back").into()),
    }
}

/// Serves all callers side by side: one that keeps silent keeps nobody else waiting.
fn serve(listener: &Listener, authkey: Option<&[u8]>) {
    loop {
        let authkey = authkey.map(<[u8]>::to_vec);
        match listener.accept() {
            Ok(connection) => {
                std::thread::spawn(move || echo(&connection, authkey.as_deref()));
            }
            // Too many open files, say: others will be closed.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn echo(
    connection: &Connection,
    authkey: Option<&[u8]>,
) -> Result<(), hilos::multiprocessing::Error> {
    if let Some(authkey) = authkey {
        deliver_challenge(connection, authkey)?;
        answer_challenge(connection, authkey)?;
    }
    loop {
        connection.send_bytes(&connection.recv_bytes()?)?;
    }
}
