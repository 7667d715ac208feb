//! Where a coroutine waits, for whoever looks at it from outside.

use std::cell::Cell;
use std::panic::Location;

/// The functions of asyncio in which a task can wait, as call graphs call them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum WaitsIn {
    #[default]
    Future,
    Sleep,
    Wait,
    WaitFor,
    AsCompleted,
    TaskGroup,
    StaggeredRace,
    Event,
    Lock,
    Condition,
    Semaphore,
    Barrier,
    QueueGet,
    QueuePut,
    QueueJoin,
    ToThread,
    StreamRead,
    StreamDrain,
    StreamClosed,
    Server,
    Process,
}

impl WaitsIn {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Future => "Future.await",
            Self::Sleep => "sleep",
            Self::Wait => "wait",
            Self::WaitFor => "wait_for",
            Self::AsCompleted => "as_completed",
            Self::TaskGroup => "task_group",
            Self::StaggeredRace => "staggered_race",
            Self::Event => "Event.wait",
            Self::Lock => "Lock.acquire",
            Self::Condition => "Condition.wait",
            Self::Semaphore => "Semaphore.acquire",
            Self::Barrier => "Barrier.wait",
            Self::QueueGet => "Queue.get",
            Self::QueuePut => "Queue.put",
            Self::QueueJoin => "Queue.join",
            Self::ToThread => "to_thread",
            Self::StreamRead => "StreamReader.read",
            Self::StreamDrain => "StreamWriter.drain",
            Self::StreamClosed => "StreamWriter.wait_closed",
            Self::Server => "Server.serve_forever",
            Self::Process => "Process.wait",
        }
    }
}

/// A place in the program that waits in a function of asyncio.
#[derive(Clone, Copy)]
pub(crate) struct Site {
    pub(crate) waits_in: WaitsIn,
    pub(crate) location: &'static Location<'static>,
}

thread_local! {
    /// The last such place that the step which runs now has come by.
    ///
    /// One for the thread instead of one in each future: futures stay as small as they are.
    static LAST: Cell<Option<Site>> = const { Cell::new(None) };
}

/// Notes that the caller of the function that calls this is about to wait.
#[inline]
#[track_caller]
pub(crate) fn mark(waits_in: WaitsIn) {
    mark_at(waits_in, Location::caller());
}

#[inline]
pub(crate) fn mark_at(waits_in: WaitsIn, location: &'static Location<'static>) {
    LAST.set(Some(Site { waits_in, location }));
}

/// Calls a function of asyncio inside another: where the program has called the outer one counts.
pub(crate) fn quietly<R>(make: impl FnOnce() -> R) -> R {
    let last = LAST.get();
    let made = make();
    LAST.set(last);
    made
}

/// Begins a new step.
#[inline]
pub(crate) fn forget() {
    LAST.set(None);
}

/// The last place that this step has marked.
#[inline]
pub(crate) fn last() -> Option<Site> {
    LAST.get()
}
