//! `Queue` and `JoinableQueue`: `queue.Queue`; and the queues of other orders, which programs register.

use hilos_core::time::{Deadline, Timeout};
use hilos_pickle::Object;
use hilos_queue::{BaseQueue, GetError, LifoQueue, PriorityQueue, PutError, Queue, Storage};

use super::patience;
use super::ranked::Ranked;
use super::values::integer;
use crate::managers::args::Args;
use crate::managers::exception::Exception;
use crate::managers::referent::{Answer, Referent};
use crate::managers::thrown::catching;

/// What Python's `Queue(maxsize=0)` gives; a negative bound is none.
pub(crate) fn make(args: &Args<'_>) -> Result<Queue<Object>, Exception> {
    let [maxsize] = args.bind("Queue.__init__", ["maxsize"], 0)?;
    let maxsize = maxsize.map_or(Ok(0), |maxsize| integer(&maxsize))?;
    Ok(Queue::new(usize::try_from(maxsize).unwrap_or(0)))
}

macro_rules! queue {
    ($($queue:ident<$item:ty>)*) => {$(
        impl Referent for $queue<$item> {
            fn type_name(&self) -> &str {
                concat!("queue.", stringify!($queue))
            }

            fn exposed(&self) -> &'static [&'static str] {
                EXPOSED
            }

            fn call(&self, method: &str, args: &Args<'_>) -> Result<Answer, Exception> {
                let answer = catching(|| call(self, method, args))?;
                answer.ok_or_else(|| self.no_attribute(method))
            }

            fn repr(&self) -> String {
                let address = std::ptr::from_ref(self).addr();
                format!("<{} object at {address:#x}>", self.type_name())
            }

            fn contents(&self) -> Option<Object> {
                let held = self.inspect(|storage| storage.iter().cloned().collect::<Vec<_>>());
                Some(held.into())
            }
        }
    )*};
}
queue!(Queue<Object> LifoQueue<Object> PriorityQueue<Ranked>);

const EXPOSED: &[&str] = &[
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
];

/// Calls a method, if there is one of this name.
fn call<T, S>(
    queue: &BaseQueue<T, S>,
    method: &str,
    args: &Args<'_>,
) -> Result<Option<Answer>, Exception>
where
    T: From<Object> + Into<Object>,
    S: Storage<T>,
{
    Ok(Some(match method {
        "put" => {
            let names = ["item", "block", "timeout"];
            let [item, block, timeout] = args.bind("Queue.put", names, 1)?;
            put(queue, args, item.into(), block, timeout)?.into()
        }
        "put_nowait" => {
            let [item] = args.bind("Queue.put_nowait", ["item"], 1)?;
            let item = T::from(Object::from(item));
            queue.put_nowait(item).map_err(put_error)?.into()
        }
        "get" => {
            let [block, timeout] = args.bind("Queue.get", ["block", "timeout"], 0)?;
            let deadline = patience::of_queue(block, timeout)?.checked()?;
            let is_wanted = || !args.is_abandoned();
            let attempt = |slice: Deadline| match queue.get_if(slice.remaining(), is_wanted) {
                Err(GetError::Empty) => None,
                got => Some(got.map_err(get_error)),
            };
            let got = patience::in_slices(args, deadline, attempt)?;
            Answer::Value(
                got.unwrap_or_else(|| Err(get_error(GetError::Empty)))?
                    .into(),
            )
        }
        "shutdown" => {
            let [immediate] = args.bind("Queue.shutdown", ["immediate"], 0)?;
            queue
                .shutdown(immediate.is_some_and(|immediate| immediate.is_true()))
                .into()
        }
        _ => return whole(queue, method, args),
    }))
}

/// Methods without arguments.
fn whole<T, S>(
    queue: &BaseQueue<T, S>,
    method: &str,
    args: &Args<'_>,
) -> Result<Option<Answer>, Exception>
where
    T: Into<Object>,
    S: Storage<T>,
{
    args.bind(&format!("Queue.{method}"), [], 0)?;
    Ok(Some(match method {
        "empty" => queue.empty().into(),
        "full" => queue.full().into(),
        "get_nowait" => Answer::Value(queue.get_nowait().map_err(get_error)?.into()),
        "join" => {
            let attempt = |slice: Deadline| queue.join_timeout(slice.remaining()).then_some(());
            patience::in_slices(args, Deadline::NEVER, attempt)?;
            ().into()
        }
        "qsize" => queue.qsize().into(),
        "task_done" => queue.task_done()?.into(),
        _ => return Ok(None),
    }))
}

fn put<T, S>(
    queue: &BaseQueue<T, S>,
    args: &Args<'_>,
    item: Object,
    block: Option<Object>,
    timeout: Option<Object>,
) -> Result<(), Exception>
where
    T: From<Object>,
    S: Storage<T>,
{
    // A queue without a bound never waits: Python does not look at the timeout.
    let timeout = match queue.maxsize() {
        0 => Timeout::NEVER,
        _ => patience::of_queue(block, timeout)?,
    };
    let mut item = Some(item.into());
    let attempt = |slice: Deadline| match queue.put_timeout(item.take()?, slice.remaining()) {
        Err(PutError::Full(again)) => {
            item = Some(again);
            None
        }
        put => Some(put.map_err(put_error)),
    };
    let put = patience::in_slices(args, timeout.checked()?, attempt)?;
    put.unwrap_or_else(|| Err(Exception::new("queue.Full", ())))
}

fn get_error(error: GetError) -> Exception {
    match error {
        GetError::Empty => Exception::new("queue.Empty", ()),
        GetError::ShutDown => Exception::new("queue.ShutDown", ()),
        GetError::Timeout(invalid) => invalid.into(),
        other => Exception::runtime_error(other),
    }
}

fn put_error<T>(error: PutError<T>) -> Exception {
    match error {
        PutError::Full(_) => Exception::new("queue.Full", ()),
        PutError::ShutDown(_) => Exception::new("queue.ShutDown", ()),
        PutError::Timeout(_, invalid) => invalid.into(),
        _ => Exception::runtime_error("the queue does not take the item"),
    }
}
