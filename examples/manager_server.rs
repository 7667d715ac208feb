//! Shares objects with programs in Python and in Rust, for trying it by hand.
//!
//! Run: cargo run --release --example manager_server -- --address 127.0.0.1:50000 --authkey KEY
//! CI: --authkey KEY
//!
//! Prints where it listens as one line of JSON, and serves until its standard input is closed, or until
//! SIGTERM. Port 0 takes a free one; with `--family unix` the address is a path, and without one it is a
//! new socket. A key that is not given is `HILOS_AUTHKEY` of the environment. In Python:
//!
//! ```python
//! manager = SyncManager(('127.0.0.1', 50000), authkey=b'KEY')
//! manager.connect()
//! d = manager.dict()
//! ```

use std::sync::Arc;

use hilos::multiprocessing::managers::{
    Answer, Args, Exception, PythonIterator, Referent, SyncManager,
};

#[allow(dead_code, reason = "a program that calls others needs more of it")]
#[path = "common/peer.rs"]
mod peer;

/// As CPython's tests of managers have it, with one set of methods or another.
struct FooBar(&'static [&'static str]);

impl Referent for FooBar {
    fn type_name(&self) -> &str {
        "FooBar"
    }

    fn exposed(&self) -> &'static [&'static str] {
        self.0
    }

    fn call(&self, method: &str, _: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "g" => Err(Exception::new("ValueError", ())),
            other => Ok(format!("{other}()").into()),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = manager(&peer::Options::from_args()?)?.get_server()?;
    server.register("Foo", |_| Ok(Arc::new(FooBar(&["f", "g"]))));
    server.register("Bar", |_| Ok(Arc::new(FooBar(&["f", "_h"]))));
    server.register("baz", |_| {
        Ok(Arc::new(PythonIterator::new((0..10).map(|i| i * i))))
    });
    let (by_signal, by_input) = (server.clone(), server.clone());
    peer::at_signal(move || by_signal.stop())?;
    peer::at_end_of_input(move || by_input.stop());
    peer::print_address(server.address());
    server.serve_forever();
    Ok(())
}

/// The manager that the arguments describe.
fn manager(options: &peer::Options) -> Result<SyncManager, Box<dyn std::error::Error>> {
    let mut manager = SyncManager::new();
    if let Some(authkey) = options.authkey() {
        manager = manager.with_authkey(authkey);
    }
    Ok(match options.address()? {
        Some(address) => manager.with_address(address),
        None => manager,
    })
}
