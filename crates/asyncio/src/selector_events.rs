//! `loop.add_reader`, `loop.add_writer` and what they need of the loop, on Linux.

use std::os::fd::AsFd;
use std::time::Duration;

use crate::base_events::{EventLoop, Ready};
use crate::events::{CallbackResult, Handle, captured};
use crate::exception::{Exception, Result};
use crate::selector::{Interest, Selector};

impl EventLoop {
    /// Has `callback` called in each iteration in which `fd` can be read from.
    ///
    /// Another callback for it is replaced. Remove it before `fd` is closed.
    ///
    /// # Errors
    /// [`RuntimeError`](crate::RuntimeError) if the loop is closed; `OSError` if the system refuses
    /// to watch `fd`, as it does with ordinary files.
    ///
    /// Mirrors [`loop.add_reader`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.add_reader).
    pub fn add_reader<Fd, F, R>(&self, fd: &Fd, callback: F) -> Result<()>
    where
        Fd: AsFd,
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.watch(fd, Interest::Read, callback)
    }

    /// Stops calling the callback for `fd` that [`add_reader`](Self::add_reader) was given; says
    /// whether there was one.
    pub fn remove_reader<Fd: AsFd>(&self, fd: &Fd) -> bool {
        self.forget(fd, Interest::Read)
    }

    /// Has `callback` called in each iteration in which `fd` can be written to.
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
        self.watch(fd, Interest::Write, callback)
    }

    /// Stops calling the callback for `fd` that [`add_writer`](Self::add_writer) was given; says
    /// whether there was one.
    pub fn remove_writer<Fd: AsFd>(&self, fd: &Fd) -> bool {
        self.forget(fd, Interest::Write)
    }

    fn watch<Fd, F, R>(&self, fd: &Fd, interest: Interest, callback: F) -> Result<()>
    where
        Fd: AsFd,
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        self.check_open()?;
        let handle = Handle::repeating(self, captured(), callback);
        let old = self.with_selector(|selector| selector.watch(fd, interest, handle))?;
        if let Some(old) = old {
            old.cancel();
        }
        Ok(())
    }

    fn forget<Fd: AsFd>(&self, fd: &Fd, interest: Interest) -> bool {
        let mut selector = self.0.selector.borrow_mut();
        let old = selector
            .as_mut()
            .and_then(|selector| selector.forget(fd, interest));
        drop(selector);
        old.inspect(Handle::cancel).is_some()
    }

    /// Calls `f` with the loop's selector, which is made when it is needed first.
    pub(crate) fn with_selector<T>(
        &self,
        f: impl FnOnce(&mut Selector) -> nix::Result<T>,
    ) -> Result<T> {
        let mut selector = self.0.selector.borrow_mut();
        if selector.is_none() {
            let made = Selector::new().map_err(os_error)?;
            self.0.shared.set_alarm(Some(made.alarm()));
            *selector = Some(made);
        }
        f(selector.as_mut().expect("it was made above")).map_err(os_error)
    }

    /// Whether each iteration has to look at descriptors.
    pub(crate) fn watches_any(&self) -> bool {
        self.0
            .selector
            .borrow()
            .as_ref()
            .is_some_and(Selector::watches_any)
    }

    /// Sleeps until something happens or `timeout` has passed.
    pub(crate) fn sleep(&self, timeout: Option<Duration>) {
        let selector = self.0.selector.borrow();
        let Some(selector) = &*selector else {
            return self.0.shared.sleep(timeout);
        };
        // What was sent before there was a selector has rung no bell.
        let timeout = match self.0.shared.has_any() {
            true => Some(Duration::ZERO),
            false => timeout,
        };
        for handle in selector.select(timeout) {
            self.push(Ready::Handle(handle.0));
        }
    }
}

/// What the system refuses, under Python's name.
pub(crate) fn os_error(error: nix::Error) -> Exception {
    crate::os_error::os_error(error.into())
}
