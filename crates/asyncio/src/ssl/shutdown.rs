//! How an encrypted connection ends.

use std::rc::Rc;

use super::protocol::{State, Tls};
use crate::exception::{Exception, Result};
use crate::exceptions::TimeoutError;
use crate::transports::invoke;

impl Tls {
    /// Says goodbye, and waits for the other side's.
    pub(super) fn shut_down(self: &Rc<Self>) -> Result<()> {
        self.state.set(State::Closing);
        self.connection.borrow_mut().send_close_notify();
        self.flush()?;
        let this = self.clone();
        self.start_timer(self.shutdown_timeout, move || this.goodbye_is_late())?;
        // The program has paused, but the answer has to be read.
        if self.reading_paused.replace(false)
            && let Some(below) = self.below()
        {
            below.resume_reading();
        }
        Ok(())
    }

    fn goodbye_is_late(&self) {
        if self.state.get() == State::Closing {
            self.lose(TimeoutError::new("SSL shutdown timed out").into());
        }
    }

    /// The other side has said goodbye, or is gone without.
    pub(super) fn other_side_is_done(self: &Rc<Self>) -> Result<()> {
        if self.state.get() == State::Open
            && let Some(above) = self.above()
        {
            // Half of an encrypted connection cannot stay open, whatever the program answers.
            invoke(|| above.eof_received())?;
        }
        // The program may have closed the connection meanwhile.
        if self.state.get() == State::Open {
            self.shut_down()?;
        }
        match self.state.get() {
            State::Closing => self.finish(),
            _ => Ok(()),
        }
    }

    /// Closes the transport below when what waits is written.
    fn finish(&self) -> Result<()> {
        self.stop_timer();
        self.state.set(State::Closed);
        self.flush_all()?;
        if let Some(below) = self.below() {
            below.close();
        }
        Ok(())
    }

    pub(super) fn or_fail(self: &Rc<Self>, result: Result<()>) {
        if let Err(exception) = result {
            self.fail(exception);
        }
    }

    /// Ends the connection for an error of encryption or of the program.
    pub(super) fn fail(self: &Rc<Self>, exception: Exception) {
        let waiter = self.waiter.take();
        match waiter.filter(|waiter| !waiter.done()) {
            // It is not done.
            Some(waiter) => drop(waiter.set_exception(exception.clone())),
            None => self.report("Fatal error on SSL protocol", &exception),
        }
        self.lose(exception);
    }

    /// Ends the connection at once; the program's `connection_lost` gets the exception.
    fn lose(&self, exception: Exception) {
        self.stop_timer();
        self.state.set(State::Closed);
        *self.failure.borrow_mut() = Some(exception);
        if let Some(below) = self.below() {
            // What is to be said of the error is written already, or lost.
            below.abort();
        }
    }
}
