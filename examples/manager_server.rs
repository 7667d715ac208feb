//! Shares objects with programs in Python and in Rust, for trying it by hand.
//!
//! Run: cargo run --release --example manager_server -- --address 127.0.0.1:50000 --authkey KEY
//! CI: --authkey KEY
//!
//! Prints where it listens as one line of JSON, and serves until its standard input is closed. Port 0
//! takes a free one; with `--family unix` the address is a path, and without one it is a new socket.
//! In Python:
//!
//! ```python
//! manager = SyncManager(('127.0.0.1', 50000), authkey=b'KEY')
//! manager.connect()
//! d = manager.dict()
//! ```

use std::sync::Arc;

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::{
    Answer, Args, Exception, PythonIterator, Referent, Server, SyncManager,
};

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
    let server = manager()?.get_server()?;
    server.register("Foo", |_| Ok(Arc::new(FooBar(&["f", "g"]))));
    server.register("Bar", |_| Ok(Arc::new(FooBar(&["f", "_h"]))));
    server.register("baz", |_| {
        Ok(Arc::new(PythonIterator::new((0..10).map(|i| i * i))))
    });
    println!("{}", json(server.address()));
    stop_at_end_of_input(server.clone());
    server.serve_forever();
    Ok(())
}

/// The manager that the arguments describe.
fn manager() -> Result<SyncManager, Box<dyn std::error::Error>> {
    let mut manager = SyncManager::new();
    let (mut address, mut unix) = (None, false);
    let mut args = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        match &*name {
            "--address" => address = Some(value),
            "--authkey" => manager = manager.with_authkey(value.as_bytes()),
            "--family" => unix = value == "unix",
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(match address {
        Some(path) if unix => manager.with_address(path),
        Some(address) => {
            let (host, port) = address.rsplit_once(':').ok_or("the address is HOST:PORT")?;
            manager.with_address((host, port.parse()?))
        }
        None => manager,
    })
}

fn stop_at_end_of_input(server: Server) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        server.stop();
    });
}

fn json(address: &Address) -> String {
    match address {
        Address::Inet(host, port) => format!("{{\"address\": [\"{host}\", {port}]}}"),
        path => format!("{{\"address\": {:?}}}", path.to_string().trim_matches('\'')),
    }
}
