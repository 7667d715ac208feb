//! `Queue` and `JoinableQueue`: `queue.Queue`.

use hilos_core::time::Timeout;
use hilos_pickle::Object;
use hilos_queue::{GetError, PutError, Queue};

use super::patience;
use super::values::integer;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};

/// What Python's `Queue(maxsize=0)` gives; a negative bound is none.
pub(crate) fn make(args: &Args<'_>) -> Result<Queue<Object>, Exception> {
    let [maxsize] = args.bind("Queue.__init__", ["maxsize"], 0)?;
    let maxsize = maxsize.map_or(Ok(0), |maxsize| integer(&maxsize))?;
    Ok(Queue::new(usize::try_from(maxsize).unwrap_or(0)))
}

impl Referent for Queue<Object> {
    fn type_name(&self) -> &str {
        "queue.Queue"
    }

    fn exposed(&self) -> &'static [&'static str] {
        &[
            "empty",
            "full",
            "get",
            "get_nowait",
            "join",
            "put",
            "put_nowait",
            "qsize",
            "shutdown",
            "task_done",
        ]
    }

    fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
        match method {
            "put" => {
                let [item, block, timeout] =
                    args.bind("Queue.put", ["item", "block", "timeout"], 1)?;
                put(self, item.into(), block, timeout).map(Answer::from)
            }
            "put_nowait" => {
                let [item] = args.bind("Queue.put_nowait", ["item"], 1)?;
                self.put_nowait(item.into()).map_err(put_error)?;
                Ok(().into())
            }
            "get" => {
                let [block, timeout] = args.bind("Queue.get", ["block", "timeout"], 0)?;
                let timeout = patience::of_queue(block, timeout)?;
                Ok(self.get_timeout(timeout).map_err(get_error)?.into())
            }
            "shutdown" => {
                let [immediate] = args.bind("Queue.shutdown", ["immediate"], 0)?;
                self.shutdown(immediate.is_some_and(|immediate| immediate.is_true()));
                Ok(().into())
            }
            _ => whole(self, method, args),
        }
    }

    fn repr(&self) -> String {
        let address = std::ptr::from_ref(self).addr();
        format!("<queue.Queue object at {address:#x}>")
    }
}

/// Methods without arguments.
fn whole(queue: &Queue<Object>, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
    args.bind(&format!("Queue.{method}"), [], 0)?;
    Ok(match method {
        "empty" => queue.empty().into(),
        "full" => queue.full().into(),
        "get_nowait" => queue.get_nowait().map_err(get_error)?.into(),
        "join" => queue.join().into(),
        "qsize" => queue.qsize().into(),
        "task_done" => queue.task_done()?.into(),
        _ => return Err(queue.no_attribute(method)),
    })
}

fn put(
    queue: &Queue<Object>,
    item: Object,
    block: Option<Object>,
    timeout: Option<Object>,
) -> Result<(), Exception> {
    // A queue without a bound never waits: Python does not look at the timeout.
    let timeout = match queue.maxsize() {
        0 => Timeout::NEVER,
        _ => patience::of_queue(block, timeout)?,
    };
    queue.put_timeout(item, timeout).map_err(put_error)
}

fn get_error(error: GetError) -> Exception {
    match error {
        GetError::Empty => Exception::new("queue.Empty", ()),
        GetError::ShutDown => Exception::new("queue.ShutDown", ()),
        GetError::Timeout(invalid) => invalid.into(),
        other => Exception::runtime_error(other),
    }
}

fn put_error(error: PutError<Object>) -> Exception {
    match error {
        PutError::Full(_) => Exception::new("queue.Full", ()),
        PutError::ShutDown(_) => Exception::new("queue.ShutDown", ()),
        PutError::Timeout(_, invalid) => invalid.into(),
        _ => Exception::runtime_error("the queue does not take the item"),
    }
}
