//! `test_sendfile.py`: files over sockets and transports.

mod interruptions;
mod sockets;
mod transports;

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;

use hilos::asyncio::{Exception, Future, Protocol, Result, Server, Transport, get_running_loop};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{setsockopt, sockopt};

use crate::support::until;

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

/// Closes `transport`, and returns what has come to its other end.
async fn all_received(transport: &Transport, receiver: &Receiver) -> Result<Vec<u8>> {
    transport.close();
    (&receiver.done).await?;
    Ok(receiver.take())
}
