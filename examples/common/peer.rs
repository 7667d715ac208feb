//! What programs have in common that others call, or that call others: options, where they are, and
//! their end.

use std::error::Error;
use std::io;

use hilos::multiprocessing::AuthenticationString;
use hilos::multiprocessing::connection::Address;
use nix::sys::signal::{SigSet, Signal};

/// `--address ADDRESS`, `--dial ADDRESS`, `--authkey KEY` and `--family inet|unix`.
#[derive(Default)]
pub(crate) struct Options {
    address: Option<String>,
    dial: Option<String>,
    authkey: Option<AuthenticationString>,
    unix: bool,
}

impl Options {
    pub(crate) fn from_args() -> Result<Self, Box<dyn Error>> {
        let mut options = Self::default();
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            match &*name {
                "--address" => options.address = Some(value),
                "--dial" => options.dial = Some(value),
                "--authkey" => options.authkey = Some(AuthenticationString::new(value)),
                "--family" => options.unix = is_unix(&value)?,
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        // The better way to give it: everybody on this machine can see a program's arguments.
        options.authkey = options.authkey.or(AuthenticationString::from_env().ok());
        Ok(options)
    }

    /// Where to listen, if that was said.
    pub(crate) fn address(&self) -> Result<Option<Address>, Box<dyn Error>> {
        self.parse(self.address.as_deref())
    }

    /// Whom to call, if that was said.
    pub(crate) fn dial(&self) -> Result<Option<Address>, Box<dyn Error>> {
        self.parse(self.dial.as_deref())
    }

    /// The key, if one was given, here or in the environment.
    pub(crate) fn authkey(&self) -> Option<&[u8]> {
        self.authkey.as_deref()
    }

    fn parse(&self, address: Option<&str>) -> Result<Option<Address>, Box<dyn Error>> {
        let Some(text) = address else { return Ok(None) };
        // A path needs no family to be told from a host.
        if self.unix || text.contains('/') {
            return Ok(Some(text.into()));
        }
        let (host, port) = text.rsplit_once(':').ok_or("the address is HOST:PORT")?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Some((host, port.parse()?).into()))
    }
}

fn is_unix(family: &str) -> Result<bool, Box<dyn Error>> {
    match family {
        "unix" | "AF_UNIX" => Ok(true),
        "inet" | "AF_INET" => Ok(false),
        other => Err(format!("the family is inet or unix, not {other}").into()),
    }
}

/// Prints an address as one line of JSON.
pub(crate) fn print_address(address: &Address) {
    match address {
        Address::Inet(host, port) => {
            println!("{{\"address\": [{}, {port}]}}", json(host));
        }
        Address::Unix(path) => println!("{{\"address\": {}}}", json(&path.to_string_lossy())),
        other => println!("{{\"address\": {}}}", json(&other.to_string())),
    }
}

fn json(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\0'..' ' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// Calls a function when this program is told to end by SIGTERM, before any other thread was started.
pub(crate) fn at_signal<F: FnOnce() + Send + 'static>(stop: F) -> io::Result<()> {
    let signals = SigSet::from_iter([Signal::SIGTERM]);
    signals.thread_block()?;
    std::thread::spawn(move || {
        let _ = signals.wait();
        stop();
    });
    Ok(())
}

/// Calls a function when standard input ends.
pub(crate) fn at_end_of_input<F: FnOnce() + Send + 'static>(stop: F) {
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        stop();
    });
}
