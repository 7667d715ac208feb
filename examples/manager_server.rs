//! Shares objects with programs in Python and in Rust, for trying it by hand.
//!
//! `cargo run --release --example manager_server -- --address 127.0.0.1:50000 --authkey KEY`
//!
//! Prints where it listens as one line of JSON, and serves until its standard input is closed or it
//! gets SIGTERM. Port 0 takes a free one; with `--family unix` the address is a path. In Python:
//!
//! ```python
//! manager = SyncManager(('127.0.0.1', 50000), authkey=b'KEY')
//! manager.connect()
//! d = manager.dict()
//! ```

use hilos::multiprocessing::connection::Address;
use hilos::multiprocessing::managers::SyncManager;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut manager = SyncManager::new();
    let mut args = std::env::args().skip(1);
    let (mut address, mut unix) = (None, false);
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        match &*name {
            "--address" => address = Some(value),
            "--authkey" => manager = manager.with_authkey(value.as_bytes()),
            "--family" => unix = value == "unix",
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    if let Some(address) = address {
        manager = manager.with_address(parse(&address, unix)?);
    }
    let server = manager.get_server()?;
    println!("{}", json(server.address()));
    let stop = server.clone();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stop.stop();
    });
    server.serve_forever();
    Ok(())
}

fn parse(address: &str, unix: bool) -> Result<Address, Box<dyn std::error::Error>> {
    if unix {
        return Ok(address.into());
    }
    let (host, port) = address.rsplit_once(':').ok_or("the address is HOST:PORT")?;
    Ok((host, port.parse::<u16>()?).into())
}

fn json(address: &Address) -> String {
    match address {
        Address::Inet(host, port) => format!("{{\"address\": [\"{host}\", {port}]}}"),
        other => format!(
            "{{\"address\": {:?}}}",
            other.to_string().trim_matches('\'')
        ),
    }
}
