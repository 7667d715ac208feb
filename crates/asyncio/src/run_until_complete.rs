//! `loop.run_until_complete`.

use std::panic::Location;
use std::rc::Rc;

use crate::any_future::{AnyRc, Callback, Notify};
use crate::awaitable::Ensure;
use crate::base_events::EventLoop;
use crate::exception::Result;
use crate::exceptions::{RuntimeError, ValueError};

impl EventLoop {
    /// Runs the loop until `awaitable` is done, and returns its result.
    ///
    /// Other tasks run meanwhile, and stay where they are afterwards.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// The awaitable's exception; [`RuntimeError`] if the loop is stopped before, is closed, or
    /// if one is running in this thread; [`ValueError`] if it is another loop's future.
    #[track_caller]
    pub fn run_until_complete<A: Ensure<Value: 'static>>(&self, awaitable: A) -> Result<A::Value> {
        self.check_runnable()?;
        let existed = awaitable.existing().is_some();
        let future = awaitable.ensure(self, Location::caller())?;
        if !future.future.head().event_loop.is(self) {
            let message = "The future belongs to a different loop than the one specified as the \
                           loop argument";
            return Err(ValueError::new(message).into());
        }
        if !existed {
            // Whoever stops the run is told by its error.
            future.future.head().silent.set(true);
        }
        self.run_until_done(&future.future.erased())?;
        future.result()
    }

    pub(crate) fn run_until_done(&self, future: &AnyRc) -> Result<()> {
        let stopper: Rc<dyn Notify> = Rc::new(Stopper);
        future
            .clone()
            .add_callback(Callback::Notify(stopper.clone()));
        let run = self.run_forever();
        future.remove_callbacks(
            &mut |callback| matches!(callback, Callback::Notify(other) if Rc::ptr_eq(other, &stopper)),
        );
        if run.is_err() && future.head().done() {
            // It is raised from here: nobody will ask the task for it.
            future.head().unseen.set(false);
        }
        run?;
        match future.head().done() {
            true => Ok(()),
            false => Err(RuntimeError::new("Event loop stopped before Future completed.").into()),
        }
    }
}

/// Stops the loop when a future is done.
struct Stopper;

impl Notify for Stopper {
    fn notify(self: Rc<Self>, future: AnyRc) {
        // A request to exit has ended the run already.
        if !future
            .failure()
            .is_some_and(|exception| exception.is_exit())
        {
            future.head().event_loop.stop();
        }
    }
}
