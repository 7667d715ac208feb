//! The loop that a thread has set aside for itself, whether it runs or not.

use std::cell::RefCell;
use std::thread;

use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::RuntimeError;
use crate::running;

thread_local! {
    static SET: RefCell<Option<EventLoop>> = const { RefCell::new(None) };
}

/// The running loop, or else the one that [`set_event_loop`] was given in this thread.
///
/// Inside coroutines and callbacks [`get_running_loop`](crate::get_running_loop) says better what
/// is meant.
///
/// ```
/// use hilos_asyncio as asyncio;
///
/// let event_loop = asyncio::new_event_loop();
/// asyncio::set_event_loop(&event_loop);
/// assert!(asyncio::get_event_loop()?.is(&event_loop));
/// event_loop.close()?;
/// asyncio::set_event_loop(None);
/// # Ok::<(), asyncio::Exception>(())
/// ```
///
/// # Errors
/// [`RuntimeError`] if there is neither.
///
/// Mirrors [`asyncio.get_event_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.get_event_loop).
pub fn get_event_loop() -> Result<EventLoop> {
    let set = || SET.try_with(|set| set.borrow().clone()).ok().flatten();
    running::get().or_else(set).ok_or_else(|| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("?");
        let message = format!("There is no current event loop in thread '{name}'.");
        RuntimeError::new(message).into()
    })
}

/// Makes `event_loop` the one that [`get_event_loop`] returns in this thread while none runs;
/// `None` takes it back.
///
/// A [`Runner`](crate::Runner) does so with a loop that it makes itself, until it is closed.
///
/// Mirrors [`asyncio.set_event_loop`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.set_event_loop).
pub fn set_event_loop<'l, L: Into<Option<&'l EventLoop>>>(event_loop: L) {
    let event_loop = event_loop.into().cloned();
    // At the thread's end there is nobody left to ask.
    let old = SET.try_with(|set| set.replace(event_loop));
    drop(old);
}
