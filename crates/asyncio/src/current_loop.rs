//! `asyncio.get_event_loop` and `asyncio.set_event_loop`.

use std::cell::RefCell;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::running;

thread_local! {
    static CURRENT: RefCell<Option<EventLoop>> = const { RefCell::new(None) };
}

/// The loop that runs in this thread, or else the one that [`set_event_loop`] was given.
///
/// Coroutines and callbacks use [`get_running_loop`](crate::get_running_loop), which says the same
/// to them; this is for code around a loop that is not running yet.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// assert!(asyncio::get_event_loop().is_err());
/// let event_loop = asyncio::new_event_loop();
/// asyncio::set_event_loop(&event_loop);
/// assert!(asyncio::get_event_loop()?.is(&event_loop));
/// asyncio::set_event_loop(None);
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`RuntimeError`] if there is neither.
///
/// Mirrors [`asyncio.get_event_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.get_event_loop).
pub fn get_event_loop() -> Result<EventLoop> {
    let current = || CURRENT.try_with(|current| current.borrow().clone()).ok()?;
    running::get().or_else(current).ok_or_else(|| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        RuntimeError::new(format!(
            "There is no current event loop in thread '{name}'."
        ))
        .into()
    })
}

/// Makes a loop this thread's current one; `None` makes none.
///
/// [`Runner`](crate::Runner) does so with its own, unless it was given a loop factory.
///
/// Mirrors [`asyncio.set_event_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.set_event_loop).
pub fn set_event_loop<'l, L: Into<Option<&'l EventLoop>>>(event_loop: L) {
    let new = event_loop.into().cloned();
    let old = CURRENT.try_with(|current| current.replace(new));
    drop(old);
}
