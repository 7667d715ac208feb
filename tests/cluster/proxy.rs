//! A network between a worker and the server that can be cut, and that loses replies.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Passes bytes on between its own port and a server's.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Nothing passes in either direction, and nobody is told.
    cut: AtomicBool,
    /// So many times the connections of before have been forgotten.
    forgotten: AtomicUsize,
    /// So many connections are to be closed in place of the next reply.
    losses: AtomicUsize,
    /// A reply is lost only if the request had this in it.
    only: parking_lot::Mutex<Vec<u8>>,
}

impl Proxy {
    pub(crate) fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                pass_both_ways(&client, &server, &shared);
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub(crate) fn cut(&self, cut: bool) {
        self.state.cut.store(cut, Ordering::SeqCst);
    }

    /// Nothing passes any more through the connections that there are, and nobody is told: as after
    /// a router on the way was replaced.
    pub(crate) fn forget_connections(&self) {
        self.state.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// Has the server carry out the next request with `text` in it, whose reply is lost with the
    /// connection.
    pub(crate) fn lose_reply_to(&self, text: &str) {
        *self.state.only.lock() = text.as_bytes().to_vec();
        self.state.losses.store(1, Ordering::SeqCst);
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.state.losses.load(Ordering::SeqCst) == 0
    }
}

fn pass_both_ways(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let doomed = Arc::new(AtomicBool::new(false));
    for (from, to, is_reply) in [(client, server, false), (server, client, true)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let (state, doomed) = (state.clone(), doomed.clone());
        thread::spawn(move || {
            pass(&from, &to, &state, &doomed, is_reply);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn pass(
    mut from: &TcpStream,
    mut to: &TcpStream,
    state: &State,
    doomed: &AtomicBool,
    is_reply: bool,
) {
    let mut buffer = vec![0; 1 << 16];
    let known_since = state.forgotten.load(Ordering::SeqCst);
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            return;
        }
        while state.cut.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        while state.forgotten.load(Ordering::SeqCst) > known_since {
            thread::park();
        }
        if !is_reply && state.losses.load(Ordering::SeqCst) > 0 {
            let only = state.only.lock();
            if buffer[..count]
                .windows(only.len())
                .any(|part| part == &only[..])
            {
                doomed.store(true, Ordering::SeqCst);
            }
        }
        if is_reply && doomed.load(Ordering::SeqCst) {
            state.losses.store(0, Ordering::SeqCst);
            return;
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}
