//! Connecting a socket without blocking.

use std::fmt;
use std::io;
use std::rc::Rc;

use socket2::{SockAddr, Socket};

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::os_error::{os_error, os_error_with};

impl EventLoop {
    /// Connects `socket` to `address`, which errors call `shown`.
    pub(crate) async fn connect(
        &self,
        socket: &Rc<Socket>,
        address: &SockAddr,
        shown: impl fmt::Display,
    ) -> Result<()> {
        match socket.connect(address) {
            Ok(()) => return Ok(()),
            Err(error) if is_in_progress(&error) => {}
            Err(error) => return Err(os_error(error)),
        }
        self.writable(socket).await?;
        match socket.take_error().map_err(os_error)? {
            None => Ok(()),
            Some(error) => Err(os_error_with(
                &error,
                &format!("Connect call failed {shown}"),
            )),
        }
    }

    /// Waits until `socket` can be written to.
    async fn writable(&self, socket: &Rc<Socket>) -> Result<()> {
        let future = self.create_future();
        let ready = future.clone();
        self.add_writer(&**socket, move || crate::wait::release(&ready))?;
        let watched = Watched(self, socket);
        let result = future.await;
        drop(watched);
        result
    }
}

/// A socket that is watched until it can be written to.
struct Watched<'l>(&'l EventLoop, &'l Rc<Socket>);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.remove_writer(&**self.1);
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    use nix::libc::{EAGAIN, EINPROGRESS, EINTR};
    [EAGAIN, EINPROGRESS, EINTR].contains(&error.raw_os_error().unwrap_or_default())
}
