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
    /// How many connections there have been, whether or not the server was there.
    connections: AtomicUsize,
    /// Nothing passes in either direction, and nobody is told.
    cut: AtomicBool,
    /// So many times the connections of before have been forgotten.
    forgotten: AtomicUsize,
    /// The next request that has this in it loses its reply.
    doomed: parking_lot::Mutex<Option<Vec<u8>>>,
    /// It also arrives late, when its connection is long closed: as soon as this is no longer so.
    late: AtomicBool,
    /// Whether a reply has been lost.
    lost: AtomicBool,
}

impl Proxy {
    pub(crate) fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                shared.connections.fetch_add(1, Ordering::SeqCst);
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

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
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
        self.state.lost.store(false, Ordering::SeqCst);
        *self.state.doomed.lock() = Some(text.as_bytes().to_vec());
    }

    pub(crate) fn has_lost(&self) -> bool {
        self.state.lost.load(Ordering::SeqCst)
    }

    /// Has the connection closed at the next request with `text` in it, which arrives nevertheless:
    /// but not before [`deliver`](Self::deliver).
    pub(crate) fn delay(&self, text: &str) {
        self.state.late.store(true, Ordering::SeqCst);
        self.lose_reply_to(text);
    }

    pub(crate) fn is_delayed(&self) -> bool {
        self.state.doomed.lock().is_none()
    }

    pub(crate) fn deliver(&self) {
        self.state.late.store(false, Ordering::SeqCst);
    }
}

impl State {
    /// Whether a request is the one that loses its reply.
    fn dooms(&self, request: &[u8]) -> bool {
        let mut doomed = self.doomed.lock();
        let has = |text: &Vec<u8>| request.windows(text.len()).any(|part| part == text);
        doomed.take_if(|text| has(text)).is_some()
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
        if !is_reply && state.dooms(&buffer[..count]) {
            doomed.store(true, Ordering::SeqCst);
            if state.late.load(Ordering::SeqCst) {
                return pass_late(from, to, state, &buffer[..count]);
            }
        }
        if is_reply && doomed.load(Ordering::SeqCst) {
            state.lost.store(true, Ordering::SeqCst);
            return;
        }
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// Passes a request on whose sender believes the connection closed.
fn pass_late(mut from: &TcpStream, mut to: &TcpStream, state: &State, beginning: &[u8]) {
    let mut request = beginning.to_vec();
    let _ = from.shutdown(Shutdown::Write);
    let _ = from.read_to_end(&mut request);
    while state.late.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
    let _ = to.write_all(&request);
    while !state.lost.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(5));
    }
}
