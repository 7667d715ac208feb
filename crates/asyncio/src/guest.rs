//! tokio as the loop's guest: its timers, sockets and tasks have their turns in the loop's thread.
//!
//! What happens in such a turn happens outside the loop, as if another thread did it: wakers put
//! their tasks into the loop's inbox. So tokio cannot disturb the order of the loop's own calls.

#[cfg_attr(not(target_os = "linux"), path = "guest/no_descriptors.rs")]
mod descriptors;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::base_events::EventLoop;
use crate::exception::{Exception, Result};
use crate::running;
use crate::threadsafe::Shared;
use descriptors::Descriptors;

/// A busy loop gives tokio a turn once in so many iterations.
const ITERATIONS_PER_TURN: u32 = 16;

#[derive(Default)]
pub(crate) struct Guest {
    /// There from the first run on, unless the program has brought a runtime of its own.
    runtime: RefCell<Option<Rc<Runtime>>>,
    /// Whether the current run drives the runtime above.
    driving: Cell<bool>,
    iterations: Cell<u32>,
    descriptors: RefCell<Option<Rc<Descriptors>>>,
}

impl Guest {
    /// What the thread has to enter for the length of a run; nothing, if it is in a runtime already.
    pub(crate) fn handle(&self) -> Result<Option<Handle>> {
        self.driving.set(Handle::try_current().is_err());
        if !self.driving.get() {
            return Ok(None);
        }
        let mut runtime = self.runtime.borrow_mut();
        if runtime.is_none() {
            let built = Builder::new_current_thread().enable_all().build();
            let built = built.map_err(|error| Exception::new("OSError", error))?;
            *runtime = Some(Rc::new(built));
        }
        Ok(runtime.as_ref().map(|runtime| runtime.handle().clone()))
    }

    fn runtime(&self) -> Option<Rc<Runtime>> {
        match self.driving.get() {
            true => self.runtime.borrow().clone(),
            false => None,
        }
    }

    /// Lets tokio do what it can at once, if it is its turn and it has anything to do.
    pub(crate) fn turn(&self, event_loop: &EventLoop) {
        let Some(runtime) = self.runtime() else {
            return;
        };
        let iterations = self.iterations.get() + 1;
        self.iterations.set(iterations % ITERATIONS_PER_TURN);
        if iterations < ITERATIONS_PER_TURN {
            return;
        }
        let has_tasks = || runtime.metrics().num_alive_tasks() > 0;
        if event_loop.0.shared.has_wakers() || has_tasks() {
            running::outside(|| runtime.block_on(tokio::task::yield_now()));
        }
    }

    /// Lets tokio work until something comes for the loop or `timeout` has passed; `false` if
    /// tokio is not here.
    pub(crate) fn sleep(&self, event_loop: &EventLoop, timeout: Option<Duration>) -> bool {
        let Some(runtime) = self.runtime() else {
            return false;
        };
        let descriptors = match self.descriptors(event_loop, &runtime) {
            Ok(descriptors) => descriptors,
            Err(error) => {
                event_loop.raise(error);
                return true;
            }
        };
        event_loop.look(Some(Duration::ZERO));
        if event_loop.has_ready() {
            self.turn(event_loop);
            return true;
        }
        let shared = &event_loop.0.shared;
        running::outside(|| runtime.block_on(arrival(shared, timeout, descriptors)));
        shared.inbox.unset_alarm();
        event_loop.look(Some(Duration::ZERO));
        true
    }

    /// Has tokio sleep in the loop's selector too, once there is one.
    fn descriptors(
        &self,
        event_loop: &EventLoop,
        runtime: &Runtime,
    ) -> Result<Option<Rc<Descriptors>>> {
        let mut descriptors = self.descriptors.borrow_mut();
        if descriptors.is_none() {
            *descriptors = Descriptors::new(event_loop, runtime)?.map(Rc::new);
        }
        Ok(descriptors.clone())
    }

    /// Ends tokio's tasks, and waits up to `limit` for its threads that block.
    pub(crate) fn shut_down(&self, limit: Duration) {
        drop(self.descriptors.take());
        let runtime = self.runtime.take().and_then(Rc::into_inner);
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(limit);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.shut_down(Duration::ZERO);
    }
}

/// Waits until something has come for the loop or `timeout` has passed.
async fn arrival(shared: &Shared, timeout: Option<Duration>, descriptors: Option<Rc<Descriptors>>) {
    let mut timer = pin!(timeout.map(tokio::time::sleep));
    poll_fn(|context| {
        let sent = !shared.inbox.set_alarm(context.waker().clone());
        let timer = timer.as_mut().as_pin_mut();
        let due = timer.is_some_and(|timer| timer.poll(context).is_ready());
        let ready = descriptors.as_ref().is_some_and(|all| all.poll(context));
        match sent || due || ready {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}
