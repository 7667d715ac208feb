//! `loop.add_signal_handler`, on Linux.

use std::collections::BTreeMap;

use nix::sys::signal::{SigAction, SigHandler, Signal};

use hilos_core::contextvars::Context;
use hilos_core::{ident, process};

use crate::base_events::{EventLoop, Ready};
use crate::events::{CallbackResult, Handle, captured};
use crate::exception::{Exception, Result};
use crate::exceptions::{RuntimeError, ValueError};
use crate::selector_events::os_error;
use crate::sys::signals;

/// The signals that a loop handles.
#[derive(Default)]
pub(crate) struct Signals(BTreeMap<i32, Handled>);

struct Handled {
    signal: Signal,
    handle: Handle,
    previous: SigAction,
}

impl EventLoop {
    /// Has the loop call `callback` each time that the process gets the signal `sig`.
    ///
    /// `sig` is a number of the system's, as `libc::SIGTERM`. Only the main thread's loop can
    /// handle signals. The callback may use the loop like any other, which no real signal handler
    /// could.
    ///
    /// # Errors
    /// [`ValueError`] if `sig` is no signal, or outside the main thread; [`RuntimeError`] if it
    /// cannot be caught, or if the loop is closed.
    ///
    /// Mirrors [`loop.add_signal_handler`](https://docs.python.org/3.14/library/asyncio-eventloop.html#asyncio.loop.add_signal_handler).
    pub fn add_signal_handler<F, R>(&self, sig: i32, callback: F) -> Result<()>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        let signal = signal(sig)?;
        self.check_open()?;
        if !in_main_thread() {
            let message = "signal handlers only work in the main thread";
            return Err(ValueError::new(message).into());
        }
        self.handle_signal(signal, captured(), callback)
    }

    pub(crate) fn handle_signal<F, R>(
        &self,
        signal: Signal,
        context: Option<Context>,
        callback: F,
    ) -> Result<()>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult + 'static,
    {
        let bell = signals::bell().map_err(os_error)?;
        self.with_selector(|selector| selector.listen_to(bell))?;
        self.remove_signal_handler(signal as i32)?;
        let handle = Handle::repeating(self, context, callback);
        let previous = signals::catch(signal).map_err(|_| uncatchable(signal))?;
        let handled = Handled {
            signal,
            handle,
            previous,
        };
        self.0.signals.borrow_mut().0.insert(signal as i32, handled);
        Ok(())
    }

    /// Has the signal `sig` do what it did before; says whether the loop handled it.
    ///
    /// # Errors
    /// [`ValueError`] if `sig` is no signal.
    pub fn remove_signal_handler(&self, sig: i32) -> Result<bool> {
        signal(sig)?;
        let handled = self.0.signals.borrow_mut().0.remove(&sig);
        if let Some(handled) = &handled {
            handled.handle.cancel();
            signals::restore(handled.signal, &handled.previous);
        }
        Ok(handled.is_some())
    }

    pub(crate) fn remove_signal_handlers(&self) {
        let handled = std::mem::take(&mut *self.0.signals.borrow_mut());
        for handled in handled.0.into_values() {
            signals::restore(handled.signal, &handled.previous);
        }
    }

    /// Makes the callbacks of the signals that have come ready.
    pub(crate) fn receive_signals(&self) {
        let handled = self.0.signals.borrow();
        if handled.0.is_empty() || !signals::any() {
            return;
        }
        for handled in handled.0.values() {
            for _ in 0..signals::take(handled.signal) {
                self.push(Ready::Handle(handled.handle.0.clone()));
            }
        }
    }
}

fn signal(sig: i32) -> Result<Signal> {
    let message = || ValueError::new(format!("invalid signal number {sig}"));
    Signal::try_from(sig).map_err(|_| message().into())
}

fn uncatchable(signal: Signal) -> Exception {
    RuntimeError::new(format!("sig {} cannot be caught", signal as i32)).into()
}

fn in_main_thread() -> bool {
    process::main_ident() == Some(ident::get_ident())
}

/// Whether a Ctrl-C would end the process, and this thread may do something about it.
pub(crate) fn may_handle_sigint() -> bool {
    in_main_thread() && matches!(signals::current(Signal::SIGINT), Some(SigHandler::SigDfl))
}
