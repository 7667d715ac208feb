//! `loop.add_reader`, `loop.add_writer` and what they need of the loop, on Linux.

use std::os::fd::{AsFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use crate::base_events::EventLoop;
use crate::events::{CallbackResult, Handle, captured};
use crate::exception::{Exception, Result};
use crate::selector::{Found, Interest, Selector};
use crate::unix_events::Arrived;

impl EventLoop {
    /// Has `callback` called in each iteration in which `fd` can be read from.
    ///
    /// Another callback for it is replaced. Remove it before `fd` is closed: the loop knows it by
    /// its number. The callback runs in a copy of the current context.
    ///
    /// ```
    /// use hilos_asyncio as asyncio;
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    /// use std::rc::Rc;
    ///
    /// let (mut ours, theirs) = UnixStream::pair()?;
    /// let theirs = Rc::new(theirs);
    /// let text = asyncio::run(async move {
    ///     let event_loop = asyncio::get_running_loop()?;
    ///     let future = event_loop.create_future();
    ///     let (received, reader) = (future.clone(), theirs.clone());
    ///     event_loop.add_reader(&theirs, move || {
    ///         let mut bytes = [0; 100];
    ///         let count = (&*reader).read(&mut bytes)?;
    ///         received.set_result(String::from_utf8_lossy(&bytes[..count]).into_owned())
    ///     })?;
    ///     event_loop.call_soon(move || ours.write_all(b"abc"))?;
    ///     let text = future.await?;
    ///     event_loop.remove_reader(&theirs);
    ///     Ok(text)
    /// })?;
    /// assert_eq!(text, "abc");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed or a transport uses `fd`;
    /// `PermissionError` for an ordinary file, or another kind of `OSError`, if the system refuses
    /// to watch `fd`.
    ///
    /// Mirrors [`loop.add_reader`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.add_reader).
    pub fn add_reader<Fd, F, R>(&self, fd: &Fd, callback: F) -> Result<()>
    where
        Fd: AsFd,
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.check_unclaimed(fd)?;
        self.watch(fd, Interest::Read, callback).map(drop)
    }

    /// Stops calling the callback for `fd` that [`add_reader`](Self::add_reader) was given; says
    /// whether there was one.
    ///
    /// # Panics
    /// If `fd` is used by a transport, which has to be closed instead.
    ///
    /// Mirrors [`loop.remove_reader`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.remove_reader).
    #[track_caller]
    pub fn remove_reader<Fd: AsFd>(&self, fd: &Fd) -> bool {
        self.expect_unclaimed(fd);
        self.forget(fd, Interest::Read)
    }

    /// Has `callback` called in each iteration in which `fd` can be written to.
    ///
    /// Most descriptors can be most of the time: add it when a write would block, and remove it
    /// when one has succeeded. Otherwise as [`add_reader`](Self::add_reader).
    ///
    /// # Errors
    /// As [`add_reader`](Self::add_reader).
    ///
    /// Mirrors [`loop.add_writer`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.add_writer).
    pub fn add_writer<Fd, F, R>(&self, fd: &Fd, callback: F) -> Result<()>
    where
        Fd: AsFd,
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.check_unclaimed(fd)?;
        self.watch(fd, Interest::Write, callback).map(drop)
    }

    /// Stops calling the callback for `fd` that [`add_writer`](Self::add_writer) was given; says
    /// whether there was one.
    ///
    /// # Panics
    /// If `fd` is used by a transport, which has to be closed instead.
    ///
    /// Mirrors [`loop.remove_writer`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.remove_writer).
    #[track_caller]
    pub fn remove_writer<Fd: AsFd>(&self, fd: &Fd) -> bool {
        self.expect_unclaimed(fd);
        self.forget(fd, Interest::Write)
    }

    #[track_caller]
    fn expect_unclaimed<Fd: AsFd>(&self, fd: &Fd) {
        if let Err(exception) = self.check_unclaimed(fd) {
            panic!("{exception:?}");
        }
    }

    /// Has `callback` called, and returns its handle, which is cancelled when another replaces it.
    pub(crate) fn watch<Fd, F, R>(&self, fd: &Fd, interest: Interest, callback: F) -> Result<Handle>
    where
        Fd: AsFd,
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.check_open()?;
        let handle = Handle::repeating(self, captured(), callback);
        let new = handle.clone();
        let watched = self.with_selector(|selector| selector.watch(fd, interest, new))?;
        let old = watched.map_err(|(error, _watched)| os_error(error))?;
        if let Some(old) = old {
            old.cancel();
        }
        Ok(handle)
    }

    pub(crate) fn forget<Fd: AsFd>(&self, fd: &Fd, interest: Interest) -> bool {
        let mut selector = self.0.selector.borrow_mut();
        let old = selector
            .as_mut()
            .and_then(|selector| selector.forget(fd, interest));
        drop(selector);
        old.inspect(Handle::cancel).is_some()
    }

    /// What Python prints of whether the loop waits for `fd`.
    pub(crate) fn polling(&self, fd: RawFd, interest: Interest) -> &'static str {
        let selector = self.0.selector.borrow();
        let watches = selector
            .as_ref()
            .is_some_and(|selector| selector.watches(fd, interest));
        if watches { "polling" } else { "idle" }
    }

    /// Calls `f` with the loop's selector, which is made when it is needed first.
    pub(crate) fn with_selector<T>(&self, f: impl FnOnce(&mut Selector) -> T) -> Result<T> {
        let mut selector = self.0.selector.borrow_mut();
        if selector.is_none() {
            *selector = Some(Selector::new().map_err(os_error)?);
        }
        Ok(f(selector.as_mut().expect("it was made above")))
    }

    /// Tells that this call did nothing but feed a stream's reader.
    pub(crate) fn count_fed(&self) {
        self.0.fed.set(self.0.fed.get() + 1);
    }

    /// Whether all that has happened since the last look is that streams have read.
    ///
    /// That makes nothing ready but what waits to be written. What other programs do meanwhile may as
    /// well have been done later, so that the next iteration is early enough to look.
    pub(crate) fn would_see_nothing_new(&self) -> bool {
        let selector = self.0.selector.borrow();
        let watches_writers = selector.as_ref().is_some_and(Selector::watches_writers);
        self.0.only_fed.get() && !watches_writers
    }

    /// Whether each iteration has to look at descriptors.
    pub(crate) fn watches_any(&self) -> bool {
        let selector = self.0.selector.borrow();
        let watches = selector.as_ref().is_some_and(Selector::watches_any);
        watches || !self.0.signals.borrow().is_empty()
    }

    /// Sleeps until something happens or `timeout` has passed.
    pub(crate) fn sleep_alone(&self, timeout: Option<Duration>) {
        let bell = self.0.selector.borrow().as_ref().map(Selector::bell);
        let Some(bell) = bell else {
            return self.0.shared.inbox.sleep(timeout);
        };
        match self.0.shared.inbox.set_alarm(bell) {
            true => self.look(timeout),
            false => self.look(Some(Duration::ZERO)),
        }
        self.0.shared.inbox.unset_alarm();
    }

    /// Waits for descriptors and signals, and makes ready what they call.
    pub(crate) fn look(&self, timeout: Option<Duration>) {
        let mut selector = self.0.selector.borrow_mut();
        let Some(selector) = &mut *selector else {
            return;
        };
        selector.select(timeout, |found| {
            self.push(match found {
                Found::Ready(handle) => handle.0,
                Found::Signals => Rc::new(Arrived),
            });
        });
    }
}

/// What the system refuses, under Python's name.
pub(crate) fn os_error<E: Into<std::io::Error>>(error: E) -> Exception {
    crate::os_error::os_error(error.into())
}
