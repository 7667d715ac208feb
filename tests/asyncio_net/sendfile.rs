//! `test_sendfile.py`: files over sockets and transports.

use std::cell::{Cell, RefCell};
use std::io::{Seek, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::rc::Rc;

use hilos::asyncio::{
    self, Exception, Future, Protocol, Result, SendfileNotAvailableError, Server, Transport,
    create_task, get_running_loop,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{setsockopt, sockopt};

use crate::sample::{LENGTH, Sample, data};
use crate::support::{fails, run, until};

/// Small buffers, so that it takes many pieces.
const BUFFER: usize = 4 * 1024;

/// Keeps what comes, and says when the connection is lost.
struct Receiver {
    data: RefCell<Vec<u8>>,
    transport: RefCell<Option<Transport>>,
    done: Future<()>,
    /// After so many bytes it closes.
    close_after: usize,
    writing_resumed: Cell<u32>,
}

impl Receiver {
    fn new(close_after: usize) -> Rc<Self> {
        Rc::new(Self {
            data: RefCell::default(),
            transport: RefCell::default(),
            done: get_running_loop().unwrap().create_future(),
            close_after,
            writing_resumed: Cell::new(0),
        })
    }

    fn transport(&self) -> Transport {
        self.transport.borrow().clone().unwrap()
    }

    fn take(&self) -> Vec<u8> {
        self.data.take()
    }

    fn len(&self) -> usize {
        self.data.borrow().len()
    }
}

impl Protocol for Receiver {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        self.data.borrow_mut().extend(data);
        if self.close_after > 0 && self.len() >= self.close_after {
            self.transport().close();
        }
        Ok(())
    }

    fn connection_lost(&self, _exc: Option<&Exception>) -> Result<()> {
        self.done.set_result(())
    }

    fn resume_writing(&self) -> Result<()> {
        self.writing_resumed.set(self.writing_resumed.get() + 1);
        Ok(())
    }
}

async fn serve(protocol: &Rc<Receiver>) -> Result<(Server, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    setsockopt(&listener, sockopt::RcvBuf, &BUFFER)?;
    let address = listener.local_addr()?;
    let protocol = protocol.clone();
    let server = get_running_loop()?.create_server_on(move || protocol.clone(), listener);
    Ok((server.await?, address))
}

/// A socket of the program's own, and the protocol at its other end.
async fn connected_socket() -> Result<(Server, TcpStream, Rc<Receiver>)> {
    let receiver = Receiver::new(0);
    let (server, address) = serve(&receiver).await?;
    let sock = TcpStream::connect(address)?;
    sock.set_nonblocking(true)?;
    setsockopt(&sock, sockopt::SndBuf, &BUFFER)?;
    Ok((server, sock, receiver))
}

/// The protocols at both ends of a connection: the server's, which receives, and the client's.
async fn connected(close_after: usize) -> Result<(Server, Rc<Receiver>, Rc<Receiver>)> {
    let (receiver, sender) = (Receiver::new(close_after), Receiver::new(0));
    let (server, address) = serve(&receiver).await?;
    let sock = TcpStream::connect(address)?;
    setsockopt(&sock, sockopt::SndBuf, &BUFFER)?;
    let protocol = sender.clone();
    let event_loop = get_running_loop()?;
    let create = event_loop.create_connection_over(move || protocol, sock);
    let (transport, _) = create.await?;
    transport.set_write_buffer_limits(BUFFER, None)?;
    until(|| receiver.transport.borrow().is_some()).await?;
    Ok((server, receiver, sender))
}

/// Has the system refuse to send files to the socket: what is appended to, it splices nothing into.
fn refuse_sendfile<F: AsFd>(sock: F) {
    let flags = OFlag::O_APPEND | OFlag::O_NONBLOCK;
    fcntl(sock, FcntlArg::F_SETFL(flags)).unwrap();
}

fn refuse_sendfile_over(transport: &Transport) {
    let socket = transport.get_extra_info("socket").unwrap();
    let socket = socket.as_socket().unwrap().clone();
    socket.with_fd(|fd| refuse_sendfile(fd)).unwrap();
}

/// The connection is lost, in one of the ways in which the system tells it.
#[track_caller]
fn is_connection_error<T>(result: Result<T>) {
    let Err(exception) = result else {
        panic!("it should have failed");
    };
    let names = ["ConnectionError", "ConnectionResetError", "BrokenPipeError"];
    assert!(names.contains(&exception.type_name()), "{exception:?}");
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_success
#[test]
fn a_socket_is_sent_a_whole_file() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        let sent = get_running_loop()?
            .sock_sendfile(&sock, &sample.file)
            .await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(receiver.take() == data());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_with_offset_and_count
#[test]
fn a_socket_is_sent_a_part_of_a_file() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &sample.file);
        let sent = sending.with_offset(1000).with_count(2000).await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, sample.tell()), (2000, 3000));
        assert!(receiver.take() == data()[1000..3000]);
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_zero_size
#[test]
fn an_empty_file_is_sent_at_once() {
    run(async {
        let empty = Sample::of(b"");
        let (server, sock, receiver) = connected_socket().await?;
        let sent = get_running_loop()?
            .sock_sendfile(&sock, &empty.file)
            .await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, empty.tell(), receiver.len()), (0, 0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_mix_with_regular_send
#[test]
fn files_and_bytes_arrive_in_order() {
    run(async {
        let sample = Sample::new();
        let around = b"mix_regular_send".repeat(4 * 1024);
        let (server, sock, receiver) = connected_socket().await?;
        let event_loop = get_running_loop()?;
        event_loop.sock_sendall(&sock, &around).await?;
        let sent = event_loop.sock_sendfile(&sock, &sample.file).await?;
        event_loop.sock_sendall(&sock, &around).await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(receiver.take() == [around.clone(), data(), around].concat());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sock_sendfile_offset
#[test]
fn where_the_file_stands_does_not_matter() {
    run(async {
        let sample = Sample::new();
        let event_loop = get_running_loop()?;
        for refused in [false, true] {
            (&sample.file).seek(std::io::SeekFrom::Start(1000))?;
            let (server, sock, receiver) = connected_socket().await?;
            if refused {
                refuse_sendfile(&sock);
            }
            let sending = event_loop.sock_sendfile(&sock, &sample.file);
            assert_eq!(sending.with_count(2000).await?, 2000);
            drop(sock);
            (&receiver.done).await?;
            assert!(receiver.take() == data()[..2000], "refused: {refused}");
            assert_eq!(sample.tell(), 2000);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SockSendfileMixin::test_sendfile_offset
#[test]
fn where_the_file_stands_does_not_matter_to_a_transport() {
    run(async {
        let sample = Sample::new();
        let event_loop = get_running_loop()?;
        for refused in [false, true] {
            (&sample.file).seek(std::io::SeekFrom::Start(1000))?;
            let (server, receiver, sender) = connected(0).await?;
            if refused {
                refuse_sendfile_over(&sender.transport());
            }
            let transport = sender.transport();
            let sending = event_loop.sendfile(&transport, &sample.file);
            assert_eq!(sending.with_count(2000).await?, 2000);
            transport.close();
            (&receiver.done).await?;
            assert!(receiver.take() == data()[..2000], "refused: {refused}");
            assert_eq!(sample.tell(), 2000);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_no_fallback
#[test]
fn without_the_fallback_a_socket_that_the_system_refuses_is_an_error() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        refuse_sendfile(&sock);
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &sample.file);
        let exception = sending.with_fallback(false).await.unwrap_err();
        assert!(exception.is::<SendfileNotAvailableError>());
        assert_eq!(
            format!("{exception:?}"),
            "SendfileNotAvailableError: os.sendfile call failed"
        );
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sample.tell(), receiver.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_fallback
#[test]
fn a_socket_that_the_system_refuses_is_written_to() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        refuse_sendfile(&sock);
        let sent = get_running_loop()?
            .sock_sendfile(&sock, &sample.file)
            .await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(receiver.take() == data());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_sock_sendfile_fallback_offset_and_count
#[test]
fn the_fallback_sends_parts_too() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        refuse_sendfile(&sock);
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &sample.file);
        let sent = sending.with_offset(1000).with_count(2000).await?;
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sent, sample.tell()), (2000, 3000));
        assert!(receiver.take() == data()[1000..3000]);
        server.close();
        Ok(())
    });
}

#[test]
fn a_pipe_is_read_and_written() {
    run(async {
        let (server, sock, receiver) = connected_socket().await?;
        let (reader, mut writer) = std::io::pipe()?;
        writer.write_all(b"0123456789")?;
        let event_loop = get_running_loop()?;
        let sending = event_loop.sock_sendfile(&sock, &reader);
        assert_eq!(sending.with_count(6).await?, 6);
        drop(sock);
        (&receiver.done).await?;
        assert_eq!(receiver.take(), b"012345");
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_blocking_socket
// cpython: test_asyncio/test_base_events.py::BaseLoopSockSendfileTests::test_nonstream_socket
#[test]
fn bad_sockets_and_counts_are_refused() {
    run(async {
        let sample = Sample::new();
        let (server, sock, receiver) = connected_socket().await?;
        let event_loop = get_running_loop()?;
        sock.set_nonblocking(false)?;
        event_loop.set_debug(true);
        let blocking = event_loop.sock_sendfile(&sock, &sample.file).await;
        event_loop.set_debug(false);
        let message = fails(blocking, "ValueError");
        assert_eq!(message, "the socket must be non-blocking");
        let datagrams = UdpSocket::bind("127.0.0.1:0")?;
        let message = fails(
            event_loop.sock_sendfile(&datagrams, &sample.file).await,
            "ValueError",
        );
        assert_eq!(message, "only SOCK_STREAM type sockets are supported");
        let none = event_loop.sock_sendfile(&sock, &sample.file).with_count(0);
        let message = fails(none.await, "ValueError");
        assert_eq!(message, "count must be a positive integer (got 0)");
        drop(sock);
        (&receiver.done).await?;
        assert_eq!((sample.tell(), receiver.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_not_supported
#[test]
fn a_pipe_transport_sends_no_files() {
    run(async {
        let sample = Sample::new();
        let (_reader, writer) = std::io::pipe()?;
        let event_loop = get_running_loop()?;
        let receiver = Receiver::new(0);
        let protocol = receiver.clone();
        let connect = event_loop.connect_write_pipe(move || protocol, writer);
        let (transport, _) = connect.await?;
        let message = fails(
            event_loop.sendfile(&transport, &sample.file).await,
            "RuntimeError",
        );
        let expected = format!("sendfile is not supported for transport {transport}");
        assert_eq!((message, sample.tell()), (expected, 0));
        transport.close();
        (&receiver.done).await?;
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile
// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_close_peer_after_receiving
#[test]
fn a_transport_is_sent_a_whole_file() {
    run(async {
        for close_after in [0, LENGTH] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(close_after).await?;
            let transport = sender.transport();
            let sent = get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?;
            assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
            transport.close();
            (&receiver.done).await?;
            assert!(receiver.take() == data());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_force_fallback
#[test]
fn a_transport_that_the_system_refuses_is_written_to() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let sent = get_running_loop()?
            .sendfile(&transport, &sample.file)
            .await?;
        assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
        assert!(transport.is_reading());
        // The protocol is in its place again.
        receiver.transport().write(b"answer")?;
        until(|| sender.len() == 6).await?;
        transport.close();
        (&receiver.done).await?;
        assert!(receiver.take() == data());
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_force_unsupported_native
#[test]
fn without_the_fallback_a_transport_that_the_system_refuses_is_an_error() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let event_loop = get_running_loop()?;
        let sending = event_loop.sendfile(&transport, &sample.file);
        fails(
            sending.with_fallback(false).await,
            "SendfileNotAvailableError",
        );
        transport.close();
        (&receiver.done).await?;
        assert_eq!((sample.tell(), receiver.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_for_closing_transp
#[test]
fn a_closing_transport_sends_no_files() {
    run(async {
        let sample = Sample::new();
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        transport.close();
        let sent = get_running_loop()?.sendfile(&transport, &sample.file).await;
        assert_eq!(fails(sent, "RuntimeError"), "Transport is closing");
        (&receiver.done).await?;
        assert_eq!((sample.tell(), receiver.len()), (0, 0));
        server.close();
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_pre_and_post_data
#[test]
fn what_was_written_before_goes_first() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (prefix, suffix) = (b"PREFIX__".repeat(1024), b"--SUFFIX".repeat(1024));
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            transport.write(&prefix)?;
            let sent = get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?;
            transport.write(&suffix)?;
            transport.close();
            (&receiver.done).await?;
            assert_eq!((sent, sample.tell()), (LENGTH as u64, LENGTH as u64));
            assert!(receiver.take() == [prefix, data(), suffix].concat());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_partial
#[test]
fn a_transport_is_sent_a_part_of_a_file() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            let event_loop = get_running_loop()?;
            let sending = event_loop.sendfile(&transport, &sample.file);
            let sent = sending.with_offset(1000).with_count(100).await?;
            transport.close();
            (&receiver.done).await?;
            assert_eq!((sent, sample.tell()), (100, 1100));
            assert!(receiver.take() == data()[1000..1100]);
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_close_peer_in_the_middle_of_receiving
// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_fallback_close_peer_in_the_middle_of_receiving
#[test]
fn a_peer_that_goes_away_is_an_error() {
    run(async {
        for refused in [false, true] {
            let sample = Sample::new();
            let (server, receiver, sender) = connected(1024).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            is_connection_error(get_running_loop()?.sendfile(&transport, &sample.file).await);
            (&receiver.done).await?;
            assert!((1024..LENGTH).contains(&receiver.len()));
            assert!((1024..LENGTH as u64).contains(&sample.tell()));
            (&sender.done).await?;
            assert!(transport.is_closing());
            server.close();
        }
        Ok(())
    });
}

// cpython: test_asyncio/test_sendfile.py::SendfileMixin::test_sendfile_prevents_bare_write
#[test]
fn nobody_else_may_write_meanwhile() {
    run(async {
        let sample = Rc::new(Sample::new());
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        let (sent, over) = (sample.clone(), transport.clone());
        let sending = create_task(async move {
            let event_loop = get_running_loop()?;
            event_loop.sendfile(&over, &sent.file).await
        });
        asyncio::sleep(0).await?;
        let message = fails(transport.write(b"data"), "RuntimeError");
        assert_eq!(message, "unable to write; sendfile is in progress");
        let message = fails(transport.writelines([b"data"]), "RuntimeError");
        assert_eq!(message, "unable to writelines; sendfile is in progress");
        let event_loop = get_running_loop()?;
        let second = event_loop.sendfile(&transport, &sample.file).await;
        fails(second, "RuntimeError");
        assert!(!transport.is_reading());
        assert_eq!(sending.await?, LENGTH as u64);
        assert!(transport.is_reading());
        transport.write(b"data")?;
        transport.close();
        (&receiver.done).await?;
        assert!(receiver.take() == [data(), b"data".to_vec()].concat());
        server.close();
        Ok(())
    });
}

#[test]
fn closing_the_transport_ends_the_sending() {
    run(async {
        for refused in [false, true] {
            let sample = Rc::new(Sample::new());
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            // The file does not get through.
            receiver.transport().pause_reading();
            let (sent, over) = (sample.clone(), transport.clone());
            let sending = create_task(async move {
                let event_loop = get_running_loop()?;
                event_loop.sendfile(&over, &sent.file).await
            });
            until(|| match refused {
                true => sample.tell() > 0,
                false => transport.write(b"").is_err(),
            })
            .await?;
            transport.abort();
            is_connection_error(sending.await);
            (&sender.done).await?;
            receiver.transport().abort();
            (&receiver.done).await?;
            server.close();
        }
        Ok(())
    });
}

#[test]
fn a_cancelled_sending_leaves_the_file_where_it_stopped() {
    run(async {
        for refused in [false, true] {
            let sample = Rc::new(Sample::new());
            let (server, receiver, sender) = connected(0).await?;
            let transport = sender.transport();
            if refused {
                refuse_sendfile_over(&transport);
            }
            let (sent, over) = (sample.clone(), transport.clone());
            let sending = create_task(async move {
                let event_loop = get_running_loop()?;
                event_loop.sendfile(&over, &sent.file).await
            });
            until(|| receiver.len() > 1024).await?;
            receiver.transport().pause_reading();
            sending.cancel();
            assert!(sending.await.unwrap_err().is_cancelled());
            assert!(transport.is_reading());
            receiver.transport().resume_reading();
            transport.close();
            (&receiver.done).await?;
            // What a thread has read meanwhile moves the position too.
            if !refused {
                assert_eq!(sample.tell(), receiver.len() as u64);
            }
            let received = receiver.take();
            assert!((1024..LENGTH).contains(&received.len()));
            assert!(received == data()[..received.len()]);
            server.close();
        }
        Ok(())
    });
}

#[test]
fn a_protocol_that_was_paused_may_go_on() {
    run(async {
        let sample = Sample::of(b"a file");
        let (server, receiver, sender) = connected(0).await?;
        let transport = sender.transport();
        refuse_sendfile_over(&transport);
        let much = vec![0; LENGTH];
        transport.write(&much)?;
        assert_eq!(sender.writing_resumed.get(), 0);
        assert_eq!(
            get_running_loop()?
                .sendfile(&transport, &sample.file)
                .await?,
            6
        );
        asyncio::sleep(0).await?;
        assert_eq!(sender.writing_resumed.get(), 1);
        transport.close();
        (&receiver.done).await?;
        assert!(receiver.take() == [much, b"a file".to_vec()].concat());
        server.close();
        Ok(())
    });
}
