//! `loop.add_signal_handler`, on Linux.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base_events::EventLoop;
use crate::events::{CallbackResult, Handle, captured};
use crate::exception::Result;
use crate::exceptions::{RuntimeError, ValueError};
use crate::interrupt::in_main_thread;
use crate::ready::Ready;
use crate::selector_events::os_error;
use crate::sys::signals::{self, Action};

/// The signals that a loop handles, by their numbers.
#[derive(Default)]
pub(crate) struct Signals(BTreeMap<i32, Handled>);

struct Handled {
    handle: Handle,
    /// What the signal did before.
    previous: Action,
}

impl Signals {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has `signal` do what the system does by default when the loop no longer handles it.
    pub(crate) fn forget_previous(&mut self, signal: i32) {
        if let Some(handled) = self.0.get_mut(&signal) {
            handled.previous = Action::default_action();
        }
    }
}

impl EventLoop {
    /// Has the loop call `callback` each time that the process gets the signal `sig`.
    ///
    /// `sig` is a number of the system's, as `libc::SIGTERM`. Only a loop in the main thread can
    /// handle signals. Unlike a signal handler, the callback may do anything: it is called in the
    /// loop's turn. It replaces another one of this loop for the same signal.
    ///
    /// ```standalone_crate
    /// use hilos_asyncio as asyncio;
    /// use std::process::{Command, id};
    ///
    /// asyncio::run(async {
    ///     let event_loop = asyncio::get_running_loop()?;
    ///     let terminated = event_loop.create_future();
    ///     let future = terminated.clone();
    ///     event_loop.add_signal_handler(libc::SIGTERM, move || future.set_result(()))?;
    ///     Command::new("kill").arg(id().to_string()).status()?;
    ///     terminated.await
    /// })?;
    /// # Ok::<(), asyncio::Exception>(())
    /// ```
    ///
    /// # Errors
    /// [`ValueError`] if `sig` is no signal; [`RuntimeError`] if it cannot be caught, outside the
    /// main thread, and if the loop is closed.
    ///
    /// # Differences from Python
    /// - When the loop no longer handles the signal, it does what it did before, not what it does
    ///   by default.
    /// - A child that was forked from the program ignores the signal until it says otherwise.
    ///
    /// Mirrors [`loop.add_signal_handler`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.add_signal_handler).
    pub fn add_signal_handler<F, R>(&self, sig: i32, callback: F) -> Result<()>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        check_signal(sig)?;
        self.check_open()?;
        if !in_main_thread() {
            let message = "signal handlers only work in the main thread";
            return Err(RuntimeError::new(message).into());
        }
        self.listen_to_signals()?;
        let handle = Handle::repeating(self, captured(), callback);
        let mut previous = Action::note().install(sig).map_err(|_| uncatchable(sig))?;
        let old = self.0.signals.borrow_mut().0.remove(&sig);
        if let Some(old) = old {
            old.handle.cancel();
            previous = old.previous;
        }
        let handled = Handled { handle, previous };
        self.0.signals.borrow_mut().0.insert(sig, handled);
        Ok(())
    }

    /// Has signals end the loop's sleep.
    pub(crate) fn listen_to_signals(&self) -> Result<()> {
        let arrivals = signals::arrivals().map_err(os_error)?;
        let listened = self.with_selector(|selector| selector.listen_to_signals(arrivals))?;
        listened.map_err(os_error)
    }

    /// Has the signal `sig` do what it did before; says whether the loop handled it.
    ///
    /// # Errors
    /// [`ValueError`] if `sig` is no signal.
    ///
    /// Mirrors [`loop.remove_signal_handler`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.remove_signal_handler).
    pub fn remove_signal_handler(&self, sig: i32) -> Result<bool> {
        check_signal(sig)?;
        let handled = self.0.signals.borrow_mut().0.remove(&sig);
        let Some(handled) = handled else {
            return Ok(false);
        };
        handled.handle.cancel();
        handled.previous.install(sig).map_err(os_error)?;
        Ok(true)
    }

    pub(crate) fn remove_signal_handlers(&self) {
        let handled = self.0.signals.take();
        for (sig, handled) in handled.0 {
            // What was done before can be done again.
            let _ = handled.previous.install(sig);
        }
    }

    /// Makes the callbacks of the signals that have come ready.
    fn receive_signals(&self) {
        let handled = self.0.signals.borrow();
        for signal in signals::take() {
            if let Some(handled) = handled.0.get(&signal) {
                self.push(handled.handle.0.clone());
            }
        }
    }
}

/// Signals have come.
pub(crate) struct Arrived;

impl Ready for Arrived {
    fn run(self: Rc<Self>, event_loop: &EventLoop) {
        event_loop.receive_signals();
    }

    fn what(&self, _event_loop: &EventLoop) -> String {
        "the look for signals".to_owned()
    }
}

fn check_signal(sig: i32) -> Result<()> {
    let known = (1..=31).contains(&sig) || (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&sig);
    match known {
        true => Ok(()),
        false => Err(ValueError::new(format!("invalid signal number {sig}")).into()),
    }
}

fn uncatchable(sig: i32) -> RuntimeError {
    RuntimeError::new(format!("sig {sig} cannot be caught"))
}
