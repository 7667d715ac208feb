//! What the tests share.

#[path = "../asyncio/log.rs"]
mod log;

use std::cell::RefCell;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::JoinHandle;

use hilos::asyncio::{self, EventLoop, ExceptionContext, Result, Server};

pub(crate) use log::Log;

/// Runs a coroutine, and panics with what it fails with, or if anything went to the loop's
/// exception handler.
#[track_caller]
pub(crate) fn run<T: 'static, F: Future<Output = Result<T>> + 'static>(main: F) -> T {
    let seen: Rc<RefCell<Vec<ExceptionContext>>> = Rc::default();
    let log = seen.clone();
    let limited = async move {
        let event_loop = asyncio::get_running_loop()?;
        event_loop.set_exception_handler(move |_: &EventLoop, context: &ExceptionContext| {
            log.borrow_mut().push(context.clone());
        });
        // Nothing here takes a second, but a test must not hang.
        asyncio::wait_for(main, 60).await
    };
    let value = match asyncio::run(limited) {
        Ok(value) => value,
        Err(exception) => panic!("{exception:?}"),
    };
    assert!(seen.borrow().is_empty(), "{:?}", seen.borrow());
    value
}

/// Checks that a call failed with an exception whose type has this name, and returns its message.
#[track_caller]
pub(crate) fn fails<T: Debug>(result: Result<T>, type_name: &str) -> String {
    let exception = result.expect_err("it should have failed");
    assert_eq!(exception.type_name(), type_name, "{exception:?}");
    exception.to_string()
}

/// Has the running loop's errors that nobody can catch listed.
pub(crate) fn watch() -> Log<ExceptionContext> {
    let log = Log::new();
    let seen = log.clone();
    let event_loop = asyncio::get_running_loop().expect("a running loop");
    event_loop.set_exception_handler(move |_: &EventLoop, context: &ExceptionContext| {
        seen.push(context.clone());
    });
    log
}

/// Lets the loop go round until `condition` holds.
pub(crate) async fn until<F: Fn() -> bool>(condition: F) -> Result<()> {
    while !condition() {
        asyncio::sleep(0.001).await?;
    }
    Ok(())
}

/// The port of a server on one address.
pub(crate) fn port(server: &Server) -> u16 {
    let address = server.sockets()[0].getsockname().expect("an open socket");
    address.port().expect("an address of the internet")
}

/// A plain HTTP server in a thread, for one connection.
pub(crate) struct Httpd {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Httpd {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let thread = std::thread::spawn(move || {
            let (client, _) = listener.accept().expect("a client");
            let reader = BufReader::new(client.try_clone().expect("a second handle"));
            answer(reader, client);
        });
        Self { address, thread }
    }

    pub(crate) fn join(self) {
        self.thread.join().expect("a server without a fault");
    }
}

/// A plain HTTP server on a Unix socket in a thread, for one connection.
pub(crate) fn unix_httpd(path: &Path) -> JoinHandle<()> {
    let listener = UnixListener::bind(path).expect("a free path");
    std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let reader = BufReader::new(client.try_clone().expect("a second handle"));
        answer(reader, client);
    })
}

/// Answers one request, if one comes.
fn answer<R: Read, W: Write>(mut reader: BufReader<R>, mut writer: W) {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return;
        }
    }
    // The client may be gone already.
    let _ = writer.write_all(b"HTTP/1.0 200 OK\r\nServer: plain\r\n\r\nTest message");
}

/// A path for a socket, removed with its directory when dropped.
pub(crate) struct SocketPath(PathBuf);

impl SocketPath {
    pub(crate) fn new(name: &str) -> Self {
        let directory = format!("hilos-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        std::fs::create_dir_all(&directory).expect("a place for the socket");
        Self(directory.join("socket"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().expect("the directory"));
    }
}

/// Sends `data` from a thread, and returns what comes back until the end.
pub(crate) fn talk(address: SocketAddr, data: &'static [u8]) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("a server");
        stream.write_all(data).expect("a reader");
        stream.shutdown(Shutdown::Write).expect("a connection");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        answer
    })
}
