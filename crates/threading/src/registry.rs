//! Which threads there are: `current_thread`, `main_thread`, `enumerate`.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use hilos_core::process::{AtFork, at_fork, become_main, main_ident};

use crate::error::RuntimeError;
use crate::thread::Thread;

/// The standard library's mutex, because a forked child must find nothing but this one word.
static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(|| {
    at_fork::<Fork>();
    Mutex::new(Registry::new())
});

struct Registry {
    main: Thread,
    /// Every thread that is alive, in the order of their starts; the main one has number 0.
    alive: BTreeMap<u64, Thread>,
    /// The number of the next thread to be started.
    next: u64,
    /// Whether the process has waited for its last thread.
    closed: bool,
}

impl Registry {
    fn new() -> Self {
        let main = Thread::main(main_ident());
        Self {
            alive: BTreeMap::from([(0, main.clone())]),
            main,
            next: 1,
            closed: false,
        }
    }

    fn insert(&mut self, thread: &Thread) -> u64 {
        let number = self.next;
        self.next += 1;
        self.alive.insert(number, thread.clone());
        number
    }
}

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a thread that is about to start, and returns its number.
pub(crate) fn add(thread: &Thread) -> Result<u64, RuntimeError> {
    let mut registry = registry();
    if registry.closed {
        return Err(RuntimeError::StartAtExit);
    }
    Ok(registry.insert(thread))
}

/// Removes a thread that has ended.
pub(crate) fn remove(number: u64) {
    // Dropped after the lock is free: the last handle of a thread may own a user's values.
    let _thread = registry().alive.remove(&number);
}

/// Removes a thread that will never end.
pub(crate) fn forget(thread: &Thread) {
    registry().alive.retain(|_, other| other != thread);
}

/// A thread other than the current one for which the process has to wait before it ends.
///
/// If there is none and `close` is asked for, no thread can be started any more.
pub(crate) fn next_to_join(close: bool) -> Option<Thread> {
    let me = get_ident();
    let mut registry = registry();
    let waits_for = |thread: &&Thread| !thread.daemon() && thread.ident() != Some(me);
    // The main thread does not end before the process does.
    let next = registry
        .alive
        .range(1..)
        .map(|(_, thread)| thread)
        .find(waits_for)
        .cloned();
    registry.closed |= close && next.is_none();
    next
}

/// Whether the process has waited for its last thread.
pub(crate) fn closed() -> bool {
    registry().closed
}

/// The identifier of the current thread, a number that is not 0.
///
/// The system may give it to another thread after this one has ended.
///
/// Mirrors [`threading.get_ident`](https://docs.python.org/3.14/library/threading.html#threading.get_ident).
#[inline]
pub fn get_ident() -> usize {
    hilos_core::ident::get_ident().get()
}

/// The current thread.
///
/// A thread that was not started by hilos gets a dummy, named `Dummy-1` and so on, which is a
/// daemon and is listed by [`enumerate`] from then on until the thread ends.
///
/// Mirrors [`threading.current_thread`](https://docs.python.org/3.14/library/threading.html#threading.current_thread).
pub fn current_thread() -> Thread {
    let current = CURRENT.try_with(|current| current.get_or_init(Current::find).thread.clone());
    // While the thread ends its destructors run without thread-local memory.
    current.unwrap_or_else(|_| match is_main() {
        true => main_thread(),
        false => Thread::dummy(),
    })
}

/// The thread that runs `main`.
///
/// Mirrors [`threading.main_thread`](https://docs.python.org/3.14/library/threading.html#threading.main_thread).
pub fn main_thread() -> Thread {
    registry().main.clone()
}

/// Every thread that is alive: the main one, dummies, daemons, and timers that wait.
///
/// Mirrors [`threading.enumerate`](https://docs.python.org/3.14/library/threading.html#threading.enumerate).
pub fn enumerate() -> Vec<Thread> {
    registry().alive.values().cloned().collect()
}

/// How many threads are alive, as many as [`enumerate`] lists.
///
/// Mirrors [`threading.active_count`](https://docs.python.org/3.14/library/threading.html#threading.active_count).
pub fn active_count() -> usize {
    registry().alive.len()
}

fn is_main() -> bool {
    main_ident().is_some_and(|ident| ident.get() == get_ident())
}

thread_local! {
    static CURRENT: OnceCell<Current> = const { OnceCell::new() };
}

/// What the current thread knows of itself.
struct Current {
    thread: Thread,
    /// The number of a dummy, which leaves the registry with its thread.
    dummy: Option<u64>,
}

impl Current {
    fn find() -> Self {
        if is_main() {
            return Self {
                thread: main_thread(),
                dummy: None,
            };
        }
        let thread = Thread::dummy();
        let dummy = Some(registry().insert(&thread));
        Self { thread, dummy }
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        if let Some(number) = self.dummy {
            self.thread.finish();
            remove(number);
        }
    }
}

/// Makes `thread` the current one, in the thread that it stands for.
pub(crate) fn set_current(thread: Thread) {
    let _ = CURRENT.try_with(|current| {
        current.set(Current {
            thread,
            dummy: None,
        })
    });
}

/// Keeps the registry whole when the process forks.
struct Fork;

thread_local! {
    /// The registry, from before a fork until after it.
    static HELD: Cell<Option<MutexGuard<'static, Registry>>> = const { Cell::new(None) };
}

impl AtFork for Fork {
    fn prepare() {
        HELD.set(Some(registry()));
    }

    fn parent() {
        HELD.set(None);
    }

    /// The thread that forked is the main one of the child, and no other has survived.
    fn child() {
        become_main();
        let Some(mut registry) = HELD.take() else {
            return;
        };
        let current = CURRENT.try_with(|current| current.get().map(|known| known.thread.clone()));
        let main = match current {
            Ok(Some(thread)) => thread,
            _ if registry.main.ident() == Some(get_ident()) => registry.main.clone(),
            _ => Thread::main(main_ident()),
        };
        for (_, thread) in std::mem::take(&mut registry.alive) {
            if thread != main {
                thread.lost_in_fork();
            }
        }
        registry.alive.insert(0, main.clone());
        registry.main = main;
    }
}
