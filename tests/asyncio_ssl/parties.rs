//! Who talks to whom in these tests, and who is in between.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::{Rc, Weak};
use std::thread::JoinHandle;

use hilos::asyncio::ssl::SslContext;
use hilos::asyncio::{
    self, Exception, Protocol, Result, Server, StreamReader, StreamWriter, Transport,
};

use crate::certificates::showing;
use crate::support::{port, until};

pub(crate) async fn echo(reader: StreamReader, writer: StreamWriter) -> Result<()> {
    loop {
        let data = reader.read(64 * 1024).await?;
        if data.is_empty() {
            writer.close();
            return writer.wait_closed().await;
        }
        writer.write(data)?;
        writer.drain().await?;
    }
}

pub(crate) async fn echo_server(name: &str) -> Result<Server> {
    asyncio::start_server(echo, "127.0.0.1", 0)
        .with_ssl(&showing(name))
        .await
}

pub(crate) async fn connect(
    server: &Server,
    context: &SslContext,
) -> Result<(StreamReader, StreamWriter)> {
    asyncio::open_connection("127.0.0.1", port(server))
        .with_ssl(context)
        .await
}

/// A protocol that notes what it is told.
#[derive(Default)]
pub(crate) struct Recorder {
    transport: RefCell<Option<Transport>>,
    pub(crate) made: Cell<u32>,
    pub(crate) data: RefCell<Vec<u8>>,
    pub(crate) ended: Cell<u32>,
    pub(crate) paused: Cell<bool>,
    /// How the connection was lost, by the name of the exception.
    pub(crate) lost: RefCell<Option<Option<&'static str>>>,
}

impl Recorder {
    pub(crate) fn new() -> Rc<Self> {
        Rc::default()
    }

    pub(crate) fn transport(&self) -> Transport {
        self.transport.borrow().clone().expect("a connection")
    }

    pub(crate) async fn has(&self, data: &[u8]) -> Result<()> {
        until(|| self.data.borrow().len() >= data.len()).await?;
        assert!(*self.data.borrow() == data);
        Ok(())
    }

    pub(crate) async fn is_lost(&self) -> Result<Option<&'static str>> {
        until(|| self.lost.borrow().is_some()).await?;
        Ok(self.lost.borrow().flatten())
    }
}

impl Protocol for Recorder {
    fn connection_made(&self, transport: &Transport) -> Result<()> {
        self.made.set(self.made.get() + 1);
        *self.transport.borrow_mut() = Some(transport.clone());
        Ok(())
    }

    fn data_received(&self, data: &[u8]) -> Result<()> {
        assert!(!data.is_empty());
        assert_eq!(self.ended.get(), 0);
        self.data.borrow_mut().extend(data);
        Ok(())
    }

    fn eof_received(&self) -> Result<bool> {
        self.ended.set(self.ended.get() + 1);
        Ok(false)
    }

    fn connection_lost(&self, exc: Option<&Exception>) -> Result<()> {
        let earlier = self.lost.replace(Some(exc.map(Exception::type_name)));
        assert_eq!(earlier, None);
        Ok(())
    }

    fn pause_writing(&self) -> Result<()> {
        assert!(!self.paused.replace(true));
        Ok(())
    }

    fn resume_writing(&self) -> Result<()> {
        assert!(self.paused.replace(false));
        Ok(())
    }
}

/// Waits until nobody has the protocol any more.
pub(crate) async fn is_dropped(protocol: &Weak<Recorder>) -> Result<()> {
    until(|| protocol.strong_count() == 0).await
}

/// Somebody between a client and a server, who does what `script` says with the two connections.
/// Returns the port for the client.
pub(crate) fn between<T, F>(server: &Server, script: F) -> (u16, JoinHandle<T>)
where
    T: Send + 'static,
    F: FnOnce(TcpStream, TcpStream) -> T + Send + 'static,
{
    let behind = port(server);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let front = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let server = TcpStream::connect(("127.0.0.1", behind)).expect("a server");
        script(client, server)
    });
    (front, thread)
}

/// Copies until the end, and returns what was copied.
pub(crate) fn relay(from: &TcpStream, to: &TcpStream) -> JoinHandle<Vec<u8>> {
    let mut from = from.try_clone().expect("a second handle");
    let mut to = to.try_clone().expect("a second handle");
    std::thread::spawn(move || {
        let (mut all, mut bytes) = (Vec::new(), [0; 64 * 1024]);
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            all.extend(&bytes[..count]);
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // The other end may be gone.
        let _ = to.shutdown(Shutdown::Write);
        all
    })
}

/// Waits for a thread without stopping the loop.
pub(crate) async fn joined<T: Send + 'static>(thread: JoinHandle<T>) -> Result<T> {
    asyncio::to_thread(move || thread.join().expect("a thread without a fault")).await
}
