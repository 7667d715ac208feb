//! The end of the program: who is waited for, and what runs before.

use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use hilos_core::process::{AtExit, at_exit, exit_now};
use hilos_core::time::Deadline;

use crate::Thread;
use crate::error::RuntimeError;
use crate::registry::{self, main_thread, next_to_join};
use crate::stuck::is_stuck_in_exit;

/// How often to look whether a thread that is waited for can still end.
const LOOK: Duration = Duration::from_millis(50);

type Callback = Box<dyn FnOnce() + Send>;

/// What [`register_atexit`] was given; `None` once the program ends.
static CALLBACKS: Mutex<Option<Vec<Callback>>> = Mutex::new(Some(Vec::new()));

/// Has the process wait for its threads when it ends.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(at_exit::<JoinThreads>);
}

struct JoinThreads;

impl AtExit for JoinThreads {
    fn run() {
        run_callbacks();
        main_thread().finish();
        join_threads(true);
        let functions = AFTER_JOIN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        functions
            .into_iter()
            .rev()
            .for_each(crate::excepthook::watch);
    }
}

/// Calls what [`register_atexit`] was given, the last first.
fn run_callbacks() {
    let callbacks = CALLBACKS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    for callback in callbacks.into_iter().flatten().rev() {
        crate::excepthook::watch(callback);
    }
}

/// Ends a forked process, which leaves without the exit hooks of the C library.
#[doc(hidden)]
pub fn finish_copy() {
    run_callbacks();
    join_threads(false);
}

/// What [`register_after_join`] was given.
static AFTER_JOIN: Mutex<Vec<fn()>> = Mutex::new(Vec::new());

/// Has `function` run when the program ends, after it has waited for its threads.
#[doc(hidden)]
pub fn register_after_join(function: fn()) {
    install();
    AFTER_JOIN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(function);
}

/// Waits for every thread that is not a daemon; Python's `threading._shutdown`.
///
/// The program does so by itself after `main`. Call it at the end of `main` where a thread may
/// call `std::process::exit`: after `main` has returned, that call can no longer choose the exit
/// code.
pub fn shutdown() {
    join_threads(false);
}

fn join_threads(at_exit: bool) {
    while let Some(thread) = next_to_join(at_exit) {
        if at_exit && !ends(&thread) {
            registry::forget(&thread);
        } else {
            thread.join_until(Deadline::NEVER);
        }
    }
}

/// Waits for the end of a thread; `false` if it will never come.
fn ends(thread: &Thread) -> bool {
    while !thread.ended_by(Deadline::after(LOOK)) {
        if thread.native_id().is_some_and(is_stuck_in_exit) {
            return false;
        }
    }
    true
}

/// Has `callback` run when the program ends, before it waits for its threads.
///
/// Use it to tell threads that they shall stop. Callbacks run in the reverse order; a panic in one
/// goes to [`excepthook`](fn@crate::excepthook) and the others still run. They run in whichever
/// thread ends the program.
///
/// ```
/// use hilos_threading as threading;
/// use threading::{Event, Thread};
///
/// static STOP: Event = Event::new();
///
/// threading::register_atexit(|| STOP.set())?;
/// Thread::new(|| { STOP.wait(None); }).start()?;
/// // The program ends: without the callback it would wait for the thread for ever.
/// # Ok::<(), threading::Error>(())
/// ```
///
/// # Errors
/// [`RuntimeError`] once the program has begun to end.
///
/// # Differences from Python
/// CPython keeps it for its own modules, as `threading._register_atexit`.
pub fn register_atexit<F: FnOnce() + Send + 'static>(callback: F) -> Result<(), RuntimeError> {
    install();
    match &mut *CALLBACKS.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(callbacks) => {
            callbacks.push(Box::new(callback));
            Ok(())
        }
        None => Err(RuntimeError::RegisterAtExit),
    }
}

/// Ends the current thread without an error; Python's `sys.exit()` in a thread.
///
/// The thread's function is left as by a panic: destructors run, and a lock that a guard holds is
/// released. [`excepthook`](fn@crate::excepthook) is not told. It works in a thread that hilos
/// started; elsewhere it is a panic like any other.
///
/// ```
/// use hilos_threading as threading;
/// use threading::Thread;
///
/// let thread = Thread::new(|| -> () {
///     threading::exit();
/// });
/// thread.start()?;
/// thread.join(None)?;
/// # Ok::<(), threading::Error>(())
/// ```
pub fn exit() -> ! {
    hilos_core::panic::exit_thread()
}

/// Ends the process at once, from any thread and at any moment; Python's `os._exit`.
///
/// No thread is waited for, no destructor runs and no buffer is flushed. Use it in a thread that
/// must end a program whose `main` has returned.
pub fn os_exit(code: i32) -> ! {
    exit_now(code)
}
