//! What Ctrl-C does to a run: it cancels the main task first, and ends the run the second time.

use crate::any_future::AnyRc;
use crate::base_events::EventLoop;
use crate::exception::Result;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Interrupted, Interrupts, in_main_thread};

/// Elsewhere Ctrl-C ends the process.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Interrupts;

#[cfg(not(target_os = "linux"))]
impl Interrupts {
    pub(crate) fn new(_event_loop: &EventLoop, _task: AnyRc) -> Self {
        Self
    }

    pub(crate) fn result<T>(self, result: Result<T>) -> Result<T> {
        result
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::cell::Cell;
    use std::rc::Rc;

    use hilos_core::{ident, process};

    use super::{AnyRc, EventLoop, Result};
    use crate::any_future::cancel;
    use crate::exceptions::KeyboardInterrupt;
    use crate::sys::signals::{self, Action};

    /// Handles Ctrl-C while it lives, if the program leaves it to the system and this is the main
    /// thread.
    pub(crate) struct Interrupts(Option<(EventLoop, Rc<Interrupted>)>);

    /// What a run knows of Ctrl-C.
    pub(crate) struct Interrupted {
        main_task: AnyRc,
        /// How often it was pressed.
        count: Cell<u32>,
    }

    impl Interrupts {
        pub(crate) fn new(event_loop: &EventLoop, main_task: AnyRc) -> Self {
            let may_handle = in_main_thread()
                && Action::of(libc::SIGINT).is_ok_and(|action| action.is_default());
            // Where the system refuses, Ctrl-C ends the process as before.
            if !may_handle || event_loop.listen_to_signals().is_err() {
                return Self(None);
            }
            signals::take_interrupts();
            if Action::interrupt().install(libc::SIGINT).is_err() {
                return Self(None);
            }
            let count = Cell::new(0);
            let interrupted = Rc::new(Interrupted { main_task, count });
            let shared = interrupted.clone();
            event_loop.0.on_interrupt.replace(Some(shared));
            Self(Some((event_loop.clone(), interrupted)))
        }

        /// The run's result, where a cancellation that came from Ctrl-C is a `KeyboardInterrupt`.
        pub(crate) fn result<T>(self, result: Result<T>) -> Result<T> {
            let Some((_, interrupted)) = &self.0 else {
                return result;
            };
            if signals::take_interrupts() > 0 {
                // It came when there was nothing left to cancel.
                return Err(KeyboardInterrupt::default().into());
            }
            match result {
                Err(exception) if exception.is_cancelled() && interrupted.was_all() => {
                    Err(KeyboardInterrupt::default().into())
                }
                result => result,
            }
        }
    }

    impl Interrupted {
        /// Whether nobody but Ctrl-C has cancelled the main task.
        fn was_all(&self) -> bool {
            self.count.get() > 0
                && self
                    .main_task
                    .task()
                    .is_some_and(|task| task.uncancel() == 0)
        }
    }

    impl Drop for Interrupts {
        fn drop(&mut self) {
            let Some((event_loop, _)) = &self.0 else {
                return;
            };
            event_loop.0.on_interrupt.take();
            let mut handled = event_loop.0.signals.borrow_mut();
            handled.forget_previous(libc::SIGINT);
            // The program may have said meanwhile what else it shall do.
            if Action::of(libc::SIGINT).is_ok_and(|action| action.is_interrupt()) {
                let _ = Action::default_action().install(libc::SIGINT);
            }
        }
    }

    impl EventLoop {
        /// Does what Ctrl-C is for, if it was pressed.
        pub(crate) fn check_interrupts(&self) {
            if signals::interrupted() {
                self.interrupt();
            }
        }

        #[cold]
        fn interrupt(&self) {
            let Some(run) = self.0.on_interrupt.borrow().clone() else {
                return;
            };
            for _ in 0..signals::take_interrupts() {
                run.count.set(run.count.get() + 1);
                if run.count.get() == 1 && !run.main_task.head().done() {
                    cancel(run.main_task.clone(), None);
                } else {
                    self.raise(KeyboardInterrupt::default().into());
                }
            }
        }
    }

    pub(crate) fn in_main_thread() -> bool {
        process::main_ident() == Some(ident::get_ident())
    }
}
