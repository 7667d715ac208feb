//! Datagrams that have to wait, and what goes wrong with them.
//!
//! Nothing makes a sender of UDP wait on this machine, but a full Unix socket does.

use std::cell::{Cell, RefCell};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::rc::Rc;

use hilos::asyncio::{self, Address, DatagramProtocol, DatagramTransport, Exception, Result};

use crate::support::{Log, SocketPath, run, until, watch};

/// Writes down what it is called with.
struct Recorder {
    log: Log<String>,
    fails: Cell<bool>,
    transport: RefCell<Option<DatagramTransport>>,
}

impl Recorder {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            log: Log::new(),
            fails: Cell::new(false),
            transport: RefCell::default(),
        })
    }

    fn record(&self, what: String) -> Result<()> {
        self.log.push(what);
        match self.fails.get() {
            true => Err(Exception::new("LookupError", "of the protocol")),
            false => Ok(()),
        }
    }
}

impl DatagramProtocol for Recorder {
    fn connection_made(&self, transport: &DatagramTransport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn datagram_received(&self, data: &[u8], _addr: &Address) -> Result<()> {
        self.record(format!("received {}", String::from_utf8_lossy(data)))
    }

    fn error_received(&self, exc: &Exception) -> Result<()> {
        self.record(format!("error {}", exc.type_name()))
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let why = exc.map_or("None", Exception::type_name);
        self.record(format!("lost {why}"))
    }

    fn pause_writing(&self) -> Result<()> {
        self.record("pause".to_owned())
    }

    fn resume_writing(&self) -> Result<()> {
        self.record("resume".to_owned())
    }
}

async fn over(socket: UnixDatagram) -> Result<(DatagramTransport, Rc<Recorder>)> {
    let recorder = Recorder::new();
    let protocol = recorder.clone();
    let event_loop = asyncio::get_running_loop()?;
    let create = event_loop.create_datagram_endpoint(move || protocol);
    let (transport, _) = create.with_sock(socket).await?;
    Ok((transport, recorder))
}

/// A transport, its protocol, and the socket that it is connected to.
async fn connected() -> Result<(DatagramTransport, Rc<Recorder>, UnixDatagram)> {
    let (ours, theirs) = UnixDatagram::pair()?;
    theirs.set_nonblocking(true)?;
    let (transport, recorder) = over(ours).await?;
    Ok((transport, recorder, theirs))
}

/// Sends numbered datagrams until `count` of them wait, and returns how many were sent.
fn fill(transport: &DatagramTransport, to: Option<&Address>, count: usize) -> Result<usize> {
    let mut sent = 0;
    let mut waiting = 0;
    while waiting < count {
        transport.sendto(format!("{sent:06}"), to.cloned())?;
        sent += 1;
        waiting += usize::from(transport.get_write_buffer_size() > 0);
        assert!(sent < 100_000, "nothing has to wait");
    }
    Ok(sent)
}

/// How many bytes each datagram of [`fill`] counts as while it waits.
const WAITING: usize = 6 + 8;

fn received(socket: &UnixDatagram) -> Option<Vec<u8>> {
    let mut buffer = [0; 100];
    let count = socket.recv(&mut buffer).ok()?;
    Some(buffer[..count].to_vec())
}

/// Receives all that is sent while the loop goes round, until nothing waits.
async fn receive_all(socket: &UnixDatagram, transport: &DatagramTransport) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    loop {
        let waits = transport.get_write_buffer_size() > 0;
        while let Some(datagram) = received(socket) {
            all.push(datagram);
        }
        if !waits {
            return Ok(all);
        }
        asyncio::sleep(0.001).await?;
    }
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_no_data
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_tryagain
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_buffer
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_buffer_nodata
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_no_data
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_sendto_ready
#[test]
fn what_the_socket_does_not_take_waits_in_order() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        transport.sendto(b"", None)?;
        assert_eq!(received(&theirs).unwrap(), b"");
        let sent = fill(&transport, None, 3)?;
        assert_eq!(transport.get_write_buffer_size(), 3 * WAITING);
        transport.sendto(b"", None)?;
        assert_eq!(transport.get_write_buffer_size(), 3 * WAITING + 8);
        let mut all = receive_all(&theirs, &transport).await?;
        assert_eq!(all.pop().unwrap(), b"");
        let expected = (0..sent).map(|i| format!("{i:06}").into_bytes());
        assert!(all.into_iter().eq(expected));
        // Nothing is left to do: the transport sends at once again.
        asyncio::sleep(0.01).await?;
        transport.sendto(b"now", None)?;
        assert_eq!(received(&theirs).unwrap(), b"now");
        assert!(recorder.log.take().is_empty());
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_tryagain
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_sendto_ready_blocked
#[test]
fn what_the_socket_does_not_take_yet_goes_on_waiting() {
    let path = SocketPath::new("datagrams");
    run(async move {
        let theirs = UnixDatagram::bind(path.path())?;
        theirs.set_nonblocking(true)?;
        // A socket that is connected to nobody can always be tried.
        let (transport, recorder) = over(UnixDatagram::unbound()?).await?;
        let to = Address::Unix(path.path().to_owned());
        let sent = fill(&transport, Some(&to), 2)?;
        for _ in 0..10 {
            asyncio::sleep(0).await?;
            assert_eq!(transport.get_write_buffer_size(), 2 * WAITING);
        }
        let all = receive_all(&theirs, &transport).await?;
        let expected = (0..sent).map(|i| format!("{i:06}").into_bytes());
        assert!(all.into_iter().eq(expected));
        assert!(recorder.log.take().is_empty());
        transport.close();
        Ok(())
    });
}

#[test]
fn a_protocol_whose_datagrams_wait_is_paused() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        transport.set_write_buffer_limits(4 * WAITING, WAITING)?;
        fill(&transport, None, 4)?;
        assert!(recorder.log.take().is_empty());
        transport.sendto(b"", None)?;
        assert_eq!(recorder.log.take(), ["pause"]);
        receive_all(&theirs, &transport).await?;
        assert_eq!(recorder.log.take(), ["resume"]);
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_closing
#[test]
fn a_socket_that_is_closed_sends_what_waits_first() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        let sent = fill(&transport, None, 3)?;
        let socket = transport.get_extra_info("socket").unwrap();
        let fd = socket.as_socket().unwrap().fileno();
        let size = 3 * WAITING;
        let shown = format!("fd={fd} read=polling write=<polling, bufsize={size}>");
        assert_eq!(
            transport.to_string(),
            format!("<_SelectorDatagramTransport {shown}>")
        );
        transport.close();
        for _ in 0..10 {
            asyncio::sleep(0).await?;
        }
        assert!(transport.is_closing() && recorder.log.len() == 0);
        assert_eq!(receive_all(&theirs, &transport).await?.len(), sent);
        until(|| recorder.log.len() == 1).await?;
        assert_eq!(recorder.log.take(), ["lost None"]);
        let shown = format!("<_SelectorDatagramTransport closed fd={fd}>");
        assert_eq!(transport.to_string(), shown);
        Ok(())
    });
}

#[test]
fn a_socket_that_is_aborted_sends_nothing_more() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        let sent = fill(&transport, None, 3)?;
        transport.abort();
        assert_eq!(transport.get_write_buffer_size(), 0);
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["lost None"]);
        let all = receive_all(&theirs, &transport).await?;
        assert_eq!(all.len(), sent - 3);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_error_received
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_error_received_connection
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_fatal_error_connected
#[test]
fn a_datagram_that_waited_and_cannot_be_sent_is_an_error_of_its_own() {
    run(async {
        let (transport, recorder, theirs) = connected().await?;
        fill(&transport, None, 3)?;
        drop(theirs);
        until(|| recorder.log.len() == 3).await?;
        let log = recorder.log.take();
        assert_eq!(log[0], "error ConnectionRefusedError");
        // The system has forgotten by now whom it was connected to.
        assert!(log.iter().all(|line| line.starts_with("error ")), "{log:?}");
        assert_eq!(transport.get_write_buffer_size(), 0);
        assert!(!transport.is_closing());
        transport.close();
        asyncio::sleep(0).await?;
        assert_eq!(recorder.log.take(), ["lost None"]);
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_error_received
#[test]
fn a_datagram_to_nobody_is_an_error_of_its_own() {
    let path = SocketPath::new("datagram-nobody");
    run(async move {
        drop(UnixDatagram::bind(path.path())?);
        let (transport, recorder) = over(UnixDatagram::unbound()?).await?;
        let to = Address::Unix(path.path().to_owned());
        transport.sendto(b"data", to)?;
        assert_eq!(recorder.log.take(), ["error ConnectionRefusedError"]);
        assert!(!transport.is_closing());
        // A path that no socket can have is an error of the datagram, too.
        transport.sendto(b"data", Address::Unix("x".repeat(200).into()))?;
        assert_eq!(recorder.log.take(), ["error OSError"]);
        transport.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_closing
#[test]
fn a_connected_socket_that_is_closed_swallows_datagrams() {
    run(async {
        let theirs = UdpSocket::bind("127.0.0.1:0")?;
        theirs.set_nonblocking(true)?;
        let event_loop = asyncio::get_running_loop()?;
        let recorder = Recorder::new();
        let protocol = recorder.clone();
        let create = event_loop.create_datagram_endpoint(move || protocol);
        let create = create.with_remote_addr("127.0.0.1", theirs.local_addr()?.port());
        let (transport, _) = create.await?;
        transport.close();
        for _ in 0..3 {
            transport.sendto(b"data", None)?;
        }
        asyncio::sleep(0).await?;
        transport.sendto(b"data", None)?;
        assert_eq!(recorder.log.take(), ["lost None"]);
        assert_eq!(transport.get_write_buffer_size(), 0);
        assert!(theirs.recv(&mut [0; 10]).is_err());
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_read_ready_err
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_fatal_error_connected_custom_error
#[test]
fn a_protocol_that_fails_is_told_of_and_called_again() {
    run(async {
        let contexts = watch();
        let (transport, recorder, theirs) = connected().await?;
        recorder.fails.set(true);
        theirs.send(b"one")?;
        until(|| contexts.len() == 1).await?;
        let context = contexts.take().pop().unwrap();
        assert_eq!(context.exception.unwrap().type_name(), "LookupError");
        assert!(context.message.starts_with("Exception in callback "));
        theirs.send(b"two")?;
        until(|| contexts.len() == 1).await?;
        assert!(!transport.is_closing());
        transport.close();
        until(|| contexts.len() == 2).await?;
        assert_eq!(
            recorder.log.take(),
            ["received one", "received two", "lost None"]
        );
        assert_eq!(
            transport
                .get_extra_info("socket")
                .unwrap()
                .as_socket()
                .unwrap()
                .fileno(),
            -1
        );
        Ok(())
    });
}

// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_exception
// cpython: test_asyncio/test_selector_events.py::SelectorDatagramTransportTests::test_sendto_ready_exception
#[test]
fn a_protocol_that_fails_at_an_error_fails_who_sent_it() {
    run(async {
        let contexts = watch();
        let (transport, recorder, theirs) = connected().await?;
        recorder.fails.set(true);
        fill(&transport, None, 2)?;
        drop(theirs);
        // What waited was sent by the loop.
        until(|| recorder.log.len() == 2).await?;
        assert_eq!(contexts.take().len(), 2);
        let failed = transport.sendto(b"data", None).unwrap_err();
        assert_eq!(failed.type_name(), "LookupError");
        assert!(contexts.take().is_empty() && !transport.is_closing());
        recorder.fails.set(false);
        transport.close();
        Ok(())
    });
}
