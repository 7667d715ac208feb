//! A file that the system sends over the transport's socket.

use std::future::{Future as StdFuture, poll_fn};
use std::os::fd::AsFd;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use super::SocketTransport;
use crate::exception::{Exception, Result};
use crate::exceptions::RuntimeError;
use crate::futures::Future;
use crate::os_error::os_error;
use crate::sendfile::Part;
use crate::transports::StreamTransport;
use crate::wait::release;

/// What the sender of a file waits for.
pub(super) struct Sending {
    /// Done when all that was written before is sent.
    emptied: Future<()>,
    /// Fails when the connection is lost.
    lost: Future<()>,
}

/// The time in which nobody else may write.
struct Busy<'t> {
    transport: &'t Rc<SocketTransport>,
    resumes_reading: bool,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let sending = self.transport.sending.take();
        drop(sending);
        if self.resumes_reading {
            self.transport.clone().resume_reading();
        }
    }
}

impl SocketTransport {
    /// Has the system send `part`, after all that waits to be written.
    pub(crate) async fn sendfile(self: &Rc<Self>, part: &Part) -> Result<u64> {
        if self.is_sending() {
            return Err(RuntimeError::new("Empty waiter is already set").into());
        }
        let event_loop = &self.base.event_loop;
        let (emptied, lost) = (event_loop.create_future(), event_loop.create_future());
        *self.sending.borrow_mut() = Some(Sending {
            emptied: emptied.clone(),
            lost: lost.clone(),
        });
        let busy = Busy {
            transport: self,
            resumes_reading: self.is_reading(),
        };
        self.clone().pause_reading();
        if self.buffer.borrow().is_empty() {
            self.sending_may_begin();
        }
        let sent = unless(lost, async {
            emptied.await?;
            // A descriptor of its own, because the transport may be closed meanwhile.
            let socket = self.socket.get().and_then(|socket| socket.try_clone());
            let socket = socket.map_err(os_error)?;
            part.send_natively(event_loop, &socket.as_fd()).await
        });
        let result = sent.await;
        drop(busy);
        result
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sending.borrow().is_some()
    }

    /// All that was written is sent.
    pub(super) fn sending_may_begin(&self) {
        if let Some(sending) = &*self.sending.borrow() {
            release(&sending.emptied);
        }
    }

    pub(super) fn sending_lost(&self, exception: Option<&Exception>) {
        if let Some(sending) = &*self.sending.borrow() {
            let closed = || Exception::new("ConnectionError", "Connection is closed by peer");
            // It fails once, and the sender may have ended just now.
            let _ = sending
                .lost
                .set_exception(exception.cloned().unwrap_or_else(closed));
            sending.lost.head().unseen.set(false);
        }
    }
}

/// What `work` returns, or what `lost` fails with before.
async fn unless<T>(lost: Future<()>, work: impl StdFuture<Output = Result<T>>) -> Result<T> {
    let (mut lost, mut work) = (pin!(lost.into_future()), pin!(work));
    poll_fn(|context| {
        if let Poll::Ready(Err(exception)) = lost.as_mut().poll(context) {
            return Poll::Ready(Err(exception));
        }
        work.as_mut().poll(context)
    })
    .await
}
