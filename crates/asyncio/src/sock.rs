//! `loop.sock_recv` and its kin: sockets of the program's own, awaited.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{SockaddrStorage, recvfrom};
use socket2::{SockAddr, SockRef};

use crate::address::Address;
use crate::base_events::EventLoop;
use crate::events::Handle;
use crate::exception::Result;
use crate::exceptions::ValueError;
use crate::os_error::{os_error, os_error_with};
use crate::selector::Interest;
use crate::transports::{address, is_not_ready};

impl EventLoop {
    /// Receives up to `n` bytes from a socket; none at its end.
    ///
    /// A socket is anything that has the descriptor of one, as those of the standard library. It
    /// must not block. One call at a time may wait to receive from it: another takes its place.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    /// use std::os::unix::net::UnixStream;
    ///
    /// let (ours, theirs) = UnixStream::pair()?;
    /// ours.set_nonblocking(true)?;
    /// theirs.set_nonblocking(true)?;
    /// asyncio::run(async move {
    ///     let event_loop = asyncio::get_running_loop()?;
    ///     event_loop.sock_sendall(&ours, b"ping").await?;
    ///     assert_eq!(event_loop.sock_recv(&theirs, 100).await?, b"ping");
    ///     Ok(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The socket's `OSError`; in debug mode [`ValueError`] if the socket blocks; the
    /// `CancelledError` of a task that is cancelled meanwhile, and then nothing was received.
    ///
    /// Mirrors [`loop.sock_recv`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_recv).
    pub async fn sock_recv<S: AsFd>(&self, sock: &S, n: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; n];
        let count = self.sock_recv_into(sock, &mut data).await?;
        data.truncate(count);
        Ok(data)
    }

    /// Like [`sock_recv`](Self::sock_recv), into `buf`; returns how many bytes came.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// Mirrors [`loop.sock_recv_into`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_recv_into).
    pub async fn sock_recv_into<S: AsFd>(&self, sock: &S, buf: &mut [u8]) -> Result<usize> {
        self.check_sock(sock)?;
        self.when_ready(sock, Interest::Read, |sock| (&**sock).read(buf))
            .await
    }

    /// Receives a datagram of up to `bufsize` bytes, and says who sent it.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// Mirrors [`loop.sock_recvfrom`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_recvfrom).
    pub async fn sock_recvfrom<S: AsFd>(
        &self,
        sock: &S,
        bufsize: usize,
    ) -> Result<(Vec<u8>, Address)> {
        let mut data = vec![0; bufsize];
        let (count, from) = self.sock_recvfrom_into(sock, &mut data).await?;
        data.truncate(count);
        Ok((data, from))
    }

    /// Like [`sock_recvfrom`](Self::sock_recvfrom), into `buf`; returns how many bytes came.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// Mirrors [`loop.sock_recvfrom_into`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_recvfrom_into).
    pub async fn sock_recvfrom_into<S: AsFd>(
        &self,
        sock: &S,
        buf: &mut [u8],
    ) -> Result<(usize, Address)> {
        self.check_sock(sock)?;
        let receive = |sock: &SockRef<'_>| {
            let (count, from) = recvfrom::<SockaddrStorage>(sock.as_raw_fd(), buf)?;
            let from = from.as_ref().and_then(address);
            Ok((count, from.unwrap_or(Address::Unix("".into()))))
        };
        self.when_ready(sock, Interest::Read, receive).await
    }

    /// Sends all of `data`.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv); nobody knows how much was sent then.
    ///
    /// Mirrors [`loop.sock_sendall`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_sendall).
    pub async fn sock_sendall<S: AsFd>(&self, sock: &S, data: &[u8]) -> Result<()> {
        self.check_sock(sock)?;
        let mut left = data;
        let send = |sock: &SockRef<'_>| {
            let sent = (&**sock).write(left)?;
            left = &left[sent..];
            match left.is_empty() {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            }
        };
        self.when_ready(sock, Interest::Write, send).await
    }

    /// Sends a datagram to `address`; returns how many bytes were sent.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// Mirrors [`loop.sock_sendto`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_sendto).
    pub async fn sock_sendto<S, A>(&self, sock: &S, data: &[u8], address: A) -> Result<usize>
    where
        S: AsFd,
        A: Into<Address>,
    {
        self.check_sock(sock)?;
        let address = address.into().to_sockaddr()?;
        self.when_ready(sock, Interest::Write, |sock| sock.send_to(data, &address))
            .await
    }

    /// Accepts a connection: returns a new socket, which does not block, and who is at its other
    /// end.
    ///
    /// The socket is of any type that can be made of a descriptor, as
    /// [`TcpStream`](std::net::TcpStream).
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// Mirrors [`loop.sock_accept`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_accept).
    pub async fn sock_accept<S, C>(&self, sock: &S) -> Result<(C, Address)>
    where
        S: AsFd,
        C: From<OwnedFd>,
    {
        self.check_sock(sock)?;
        let accept = |sock: &SockRef<'_>| {
            let (connection, address) = sock.accept()?;
            connection.set_nonblocking(true)?;
            let connection = OwnedFd::from(connection);
            Ok((connection.into(), Address::new(&address)))
        };
        self.when_ready(sock, Interest::Read, accept).await
    }

    /// Connects a socket to `address`.
    ///
    /// # Errors
    /// As [`sock_recv`](Self::sock_recv).
    ///
    /// # Differences from Python
    /// - Names of hosts are not looked up: [`getaddrinfo`](Self::getaddrinfo) does that.
    ///
    /// Mirrors [`loop.sock_connect`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.sock_connect).
    pub async fn sock_connect<S, A>(&self, sock: &S, address: A) -> Result<()>
    where
        S: AsFd,
        A: Into<Address>,
    {
        self.check_sock(sock)?;
        let address = address.into();
        let to = address.to_sockaddr()?;
        self.connect(sock, &to, address).await
    }

    /// Connects `sock` to `address`, which errors call `shown`.
    pub(crate) async fn connect<S: AsFd>(
        &self,
        sock: &S,
        address: &SockAddr,
        shown: impl fmt::Display,
    ) -> Result<()> {
        match SockRef::from(sock).connect(address) {
            Ok(()) => return Ok(()),
            Err(error) if is_in_progress(&error) => {}
            Err(error) => return Err(os_error(error)),
        }
        self.ready(sock, Interest::Write).await?;
        match SockRef::from(sock).take_error().map_err(os_error)? {
            None => Ok(()),
            Some(error) => Err(os_error_with(
                &error,
                &format!("Connect call failed {shown}"),
            )),
        }
    }

    /// Does `operation` as soon as the socket is ready for it.
    pub(crate) async fn when_ready<S, T>(
        &self,
        sock: &S,
        interest: Interest,
        mut operation: impl FnMut(&SockRef<'_>) -> io::Result<T>,
    ) -> Result<T>
    where
        S: AsFd,
    {
        loop {
            match operation(&SockRef::from(sock)) {
                Err(error) if is_not_ready(&error) => {}
                result => return result.map_err(os_error),
            }
            self.ready(sock, interest).await?;
        }
    }

    async fn ready<S: AsFd>(&self, sock: &S, interest: Interest) -> Result<()> {
        self.check_unclaimed(sock)?;
        let future = self.create_future();
        let ready = future.clone();
        let handle = self.watch(sock, interest, move || crate::wait::release(&ready))?;
        let watched = Watched {
            event_loop: self,
            sock,
            interest,
            handle,
        };
        let result = future.await;
        drop(watched);
        result
    }

    /// A socket that blocks would have the whole loop wait, which debug mode does not let pass.
    pub(crate) fn check_sock<S: AsFd>(&self, sock: &S) -> Result<()> {
        if self.get_debug() && !SockRef::from(sock).nonblocking().map_err(os_error)? {
            return Err(ValueError::new("the socket must be non-blocking").into());
        }
        Ok(())
    }
}

/// A socket that somebody waits for.
struct Watched<'l, S: AsFd> {
    event_loop: &'l EventLoop,
    sock: &'l S,
    interest: Interest,
    handle: Handle,
}

impl<S: AsFd> Drop for Watched<'_, S> {
    fn drop(&mut self) {
        // Who has taken its place meanwhile goes on watching.
        if !self.handle.cancelled() {
            self.event_loop.forget(self.sock, self.interest);
        }
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    use nix::libc::{EAGAIN, EINPROGRESS, EINTR};
    [EAGAIN, EINPROGRESS, EINTR].contains(&error.raw_os_error().unwrap_or_default())
}
